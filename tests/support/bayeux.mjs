// Bayeux message by message, for what a client library would hide.

import assert from 'node:assert/strict';
import { once } from 'node:events';

import WebSocket from 'ws';

import { call } from './http.mjs';
import { Inbox } from './inbox.mjs';

/** What the Faye of a browser offers. */
export const ALL_TRANSPORTS = [
  'websocket',
  'eventsource',
  'long-polling',
  'cross-origin-long-polling',
  'callback-polling',
];

export const handshakeMessage = (extra = {}) => ({
  channel: '/meta/handshake',
  version: '1.0',
  supportedConnectionTypes: ALL_TRANSPORTS,
  id: '1',
  ...extra,
});

export const connectMessage = (clientId, extra = {}) => ({
  channel: '/meta/connect',
  clientId,
  connectionType: 'long-polling',
  id: '2',
  ...extra,
});

export const subscribeMessage = (clientId, subscription, extra = {}) => ({
  channel: '/meta/subscribe',
  clientId,
  subscription,
  id: '3',
  ...extra,
});

export const isDelivery = ({ successful }) => successful === undefined;

/** One realm's endpoint, as HTTP sees it. */
export class Endpoint {
  constructor(server, { path = '/bayeux', headers = {} } = {}) {
    Object.assign(this, { server, path, headers });
  }

  /** Sends the messages as a JSON array and answers with the array of replies. */
  async send(messages, { path = this.path, ...options } = {}) {
    const headers = { 'content-type': 'application/json', ...this.headers };
    const answer = await call(this.server, 'POST', path, {
      headers,
      body: JSON.stringify([messages].flat()),
      ...options,
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  async handshake(extra) {
    const [reply] = await this.send(handshakeMessage(extra));
    assert.equal(reply.successful, true, JSON.stringify(reply));
    return reply.clientId;
  }

  async subscribe(clientId, subscription) {
    const [reply] = await this.send(subscribeMessage(clientId, subscription));
    assert.equal(reply.successful, true, JSON.stringify(reply));
    return reply;
  }

  /**
   * One poll. The first one of a session may be answered at once, without messages, so tests about
   * held polls begin with session().
   */
  connect(clientId, extra = {}, options) {
    return this.send(connectMessage(clientId, extra), options);
  }

  /** A session that is subscribed and has had its first, unheld connect. */
  async session(...subscriptions) {
    const clientId = await this.handshake();
    for (const subscription of subscriptions) await this.subscribe(clientId, subscription);
    await this.connect(clientId, { advice: { timeout: 0 } });
    return clientId;
  }

  /** Polls until `count` deliveries are there; answers with all that came. */
  async poll(clientId, count) {
    const deliveries = [];
    while (deliveries.length < count) {
      const replies = await this.connect(clientId);
      assert.equal(
        replies.find(({ channel }) => channel === '/meta/connect').successful,
        true,
        JSON.stringify(replies),
      );
      deliveries.push(...replies.filter(isDelivery));
    }
    return deliveries;
  }

  socket(options) {
    return BayeuxSocket.open(this, options);
  }
}

/** A WebSocket to an endpoint; what arrives on it, message by message, is in `inbox`. */
export class BayeuxSocket {
  inbox = new Inbox();
  frames = new Inbox();
  #nextId = 100;

  static async open({ server, path, headers }, { protocols = [], ...options } = {}) {
    const socket = new BayeuxSocket();
    socket.ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols, {
      headers,
      ...options,
    });
    socket.closed = new Promise((resolve) => {
      socket.ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    socket.ws.on('message', (bytes) => {
      socket.frames.push(String(bytes));
      JSON.parse(bytes).forEach(socket.inbox.push);
    });
    await once(socket.ws, 'open');
    socket.ws.on('error', () => {}); // told by `closed`
    return socket;
  }

  send(messages) {
    this.ws.send(JSON.stringify([messages].flat()));
  }

  /** Sends one message under an id of its own and answers with the reply to it. */
  async ask(message, ms) {
    const id = String(this.#nextId++);
    this.send({ ...message, id });
    return this.inbox.find((reply) => reply.id === id && !isDelivery(reply), ms);
  }

  /** Handshakes on this socket, subscribes, and leaves a connect to be held. */
  async session(...subscriptions) {
    const { clientId } = await this.ask(handshakeMessage());
    for (const subscription of subscriptions) {
      const reply = await this.ask(subscribeMessage(clientId, subscription));
      assert.equal(reply.successful, true, JSON.stringify(reply));
    }
    this.send(connectMessage(clientId, { connectionType: 'websocket', id: 'held' }));
    return clientId;
  }

  delivery(ms) {
    return this.inbox.find(isDelivery, ms);
  }

  async deliveries(count, ms) {
    const found = [];
    while (found.length < count) found.push(await this.delivery(ms));
    return found;
  }

  close() {
    this.ws.terminate();
  }
}
