// Bayeux over WebSocket, frame by frame.

import assert from 'node:assert/strict';
import { once } from 'node:events';

import {
  connectMessage,
  Endpoint,
  handshakeMessage,
  isDelivery,
  subscribeMessage,
} from '../support/bayeux.mjs';
import { call, RawConnection } from '../support/http.mjs';
import { pause } from '../support/inbox.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';
import { encodeFrame, Opcode, RawWebSocket, upgradeHead } from '../support/websocket.mjs';

const TIMEOUT_MS = 2000;
const realms = [makeRealm('demo', { bayeux: { connect_timeout: `${TIMEOUT_MS}ms` } })];

withServer('A WebSocket', { realms }, (server) => {
  const endpoint = new Endpoint(server);
  async function open(t, options, at = endpoint) {
    const socket = await at.socket(options);
    t.after(() => socket.close());
    return socket;
  }
  const connectOn = (clientId, extra) =>
    connectMessage(clientId, { connectionType: 'websocket', ...extra });

  // ---- opening

  test('opens before there is any session, and stays open without a word', async (t) => {
    const socket = await open(t);
    await pause(2 * TIMEOUT_MS + 1000);
    assert.equal(socket.ws.readyState, socket.ws.OPEN);
    assert.equal((await socket.ask(handshakeMessage())).successful, true);
  });

  for (const path of [
    '/bayeux',
    '/bayeux/',
    '/bayeux/any/sub-path',
    '/r/demo/bayeux',
    '/bayeux?x=y',
  ]) {
    test(`opens at ${path}`, async (t) => {
      const socket = await open(t, {}, new Endpoint(server, { path }));
      assert.equal((await socket.ask(handshakeMessage())).successful, true);
    });
  }

  test('selects the first sub-protocol that is offered, and none when none is', async (t) => {
    const chosen = await open(t, { protocols: ['bayeux', 'other'] });
    assert.equal(chosen.ws.protocol, 'bayeux');
    const none = await open(t);
    assert.equal(none.ws.protocol, '');
  });

  test('opens for the page of any origin', async (t) => {
    const socket = await open(t, { origin: 'https://www.example.com' });
    assert.equal((await socket.ask(handshakeMessage())).successful, true);
  });

  test('answers the opening as RFC 6455 wants it', async (t) => {
    const raw = await RawWebSocket.open(server);
    t.after(() => raw.destroy());
    assert.equal(raw.upgrade.status, 101);
    assert.equal(raw.upgrade.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='); // section 1.3
    assert.equal(raw.upgrade.headers.upgrade.toLowerCase(), 'websocket');
    assert.equal(raw.upgrade.headers.connection.toLowerCase(), 'upgrade');
  });

  test('takes frames that come in one packet with the opening', async (t) => {
    const raw = new RawWebSocket();
    raw.connection = await RawConnection.open(server.port);
    t.after(() => raw.destroy());
    raw.connection.write(
      Buffer.concat([
        Buffer.from(upgradeHead('/bayeux')),
        encodeFrame({ payload: JSON.stringify([handshakeMessage()]) }),
      ]),
    );
    assert.equal((await raw.connection.response()).status, 101);
    assert.equal(JSON.parse((await raw.frame()).payload)[0].successful, true);
  });

  const BAD_OPENINGS = {
    'a version that nobody speaks': [{ 'sec-websocket-version': '8' }, [400, 426]],
    'no key': [{ 'sec-websocket-key': undefined }, [400]],
    'a key that is too short': [{ 'sec-websocket-key': 'c2hvcnQ=' }, [400]],
  };
  for (const [what, [changed, statuses]] of Object.entries(BAD_OPENINGS)) {
    test(`is refused in HTTP when it comes with ${what}`, async () => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...changed,
      };
      for (const name of Object.keys(headers))
        if (headers[name] === undefined) delete headers[name];
      const { status } = await call(server, 'GET', '/bayeux', { headers });
      assert.ok(statuses.includes(status), String(status));
    });
  }

  // RFC 6455 section 11.3: whoever is in between may have read the other one.
  for (const field of [
    'Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 8',
    'Sec-WebSocket-Version: 13',
  ]) {
    test(`is refused in HTTP when there is a second ${field}`, async (t) => {
      const raw = await RawWebSocket.open(server, { headers: `${field}\r\n` });
      t.after(() => raw.destroy());
      assert.equal(raw.upgrade.status, 400);
      assert.match(raw.upgrade.body, /more than once/);
    });
  }

  test('is refused in HTTP where there is no endpoint', async () => {
    await assert.rejects(new Endpoint(server, { path: '/elsewhere' }).socket(), /404/);
  });

  // ---- talking

  test('answers [] with [], as first frame and for ever', async (t) => {
    const socket = await open(t);
    for (let n = 0; n < 5; n++) {
      socket.ws.send('[]');
      assert.equal((await socket.frames.next()).trim(), '[]');
    }
    await socket.session('/x');
    socket.ws.send('[]');
    await socket.frames.find((frame) => frame.trim() === '[]');
    await server.publish('x', 1);
    assert.equal((await socket.delivery()).data, 1);
  });

  test('carries a handshake, and a subscription before the first connect', async (t) => {
    const socket = await open(t);
    const { clientId, successful, supportedConnectionTypes } = await socket.ask(handshakeMessage());
    assert.equal(successful, true);
    assert.ok(supportedConnectionTypes.includes('websocket'));
    assert.equal((await socket.ask(subscribeMessage(clientId, '/early'))).successful, true);
    await server.publish('early', { n: 1 });
    assert.deepEqual(await socket.delivery(), { channel: '/early', data: { n: 1 } });
  });

  test('takes over a session that was made by HTTP', async (t) => {
    const clientId = await endpoint.handshake();
    const socket = await open(t);
    socket.ws.send('[]');
    socket.send(connectOn(clientId, { id: '2' }));
    socket.send(subscribeMessage(clientId, '/mycomments', { id: '3' }));
    const reply = await socket.inbox.find(({ id }) => id === '3');
    assert.deepEqual(
      [reply.channel, reply.successful, reply.subscription],
      ['/meta/subscribe', true, '/mycomments'],
    );
    await server.publish('mycomments', { n: 1 });
    assert.deepEqual(await socket.delivery(), { channel: '/mycomments', data: { n: 1 } });
  });

  test('delivers without ending the held connect, which is answered at its timeout', async (t) => {
    const socket = await open(t);
    const { clientId } = await socket.ask(handshakeMessage());
    await socket.ask(subscribeMessage(clientId, '/push'));
    await socket.ask(connectOn(clientId, { advice: { timeout: 0 } }));
    const begin = performance.now();
    socket.send(connectOn(clientId, { id: 'held' }));
    await pause(100);
    await server.publish('push', 1);
    assert.deepEqual(await socket.delivery(500), { channel: '/push', data: 1 });
    const reply = await socket.inbox.find(({ id }) => id === 'held');
    const ms = performance.now() - begin;
    assert.equal(reply.successful, true);
    assert.ok(ms > TIMEOUT_MS - 200 && ms < TIMEOUT_MS + 1500, `${ms} ms`);
  });

  test('answers the messages of one frame in one frame and in their order', async (t) => {
    const socket = await open(t);
    const { clientId } = await socket.ask(handshakeMessage());
    while (socket.frames.size) await socket.frames.next();
    socket.send([
      subscribeMessage(clientId, '/a', { id: 'a' }),
      subscribeMessage(clientId, '/meta/b', { id: 'b' }),
      subscribeMessage(clientId, '/c', { id: 'c' }),
    ]);
    const replies = JSON.parse(await socket.frames.next());
    assert.deepEqual(
      replies.map(({ id, successful }) => [id, successful]),
      [
        ['a', true],
        ['b', false],
        ['c', true],
      ],
    );
  });

  test('accepts one message that is not in an array, and answers in an array', async (t) => {
    const socket = await open(t);
    socket.ws.send(JSON.stringify(handshakeMessage()));
    assert.equal(JSON.parse(await socket.frames.next())[0].successful, true);
  });

  test('answers a connect at once when it asks for that', async (t) => {
    const socket = await open(t);
    const clientId = await socket.session();
    assert.equal(
      (await socket.ask(connectOn(clientId, { advice: { timeout: 0 } }), TIMEOUT_MS / 2))
        .successful,
      true,
    );
  });

  test('answers the older of two connects when the newer one comes', async (t) => {
    const socket = await open(t);
    const { clientId } = await socket.ask(handshakeMessage());
    await socket.ask(connectOn(clientId, { advice: { timeout: 0 } }));
    socket.send(connectOn(clientId, { id: 'old' }));
    socket.send(connectOn(clientId, { id: 'new' }));
    const reply = await socket.inbox.find(({ id }) => id === 'old', TIMEOUT_MS / 2);
    assert.equal(reply.successful, true);
    assert.equal((await socket.inbox.find(({ id }) => id === 'new')).successful, true);
  });

  test('tells an unknown session to handshake anew, and stays open for that', async (t) => {
    const socket = await open(t);
    const reply = await socket.ask(connectOn('nobody'));
    assert.deepEqual(
      [reply.successful, reply.error, reply.advice.reconnect],
      [false, '401:nobody:Unknown client', 'handshake'],
    );
    const clientId = await socket.session('/anew');
    assert.ok(clientId);
    await server.publish('anew', 1);
    assert.equal((await socket.delivery()).data, 1);
  });

  test('puts what is published together into one frame when it can, and in order always', async (t) => {
    const socket = await open(t);
    await socket.session('/batch');
    const items = Array.from({ length: 300 }, (_, n) => ({ channel: 'batch', 'json-object': n }));
    await server.publishItems(items);
    assert.deepEqual(
      (await socket.deliveries(300)).map(({ data }) => data),
      items.map((_, n) => n),
    );
  });

  test('answers pings with their payload', async (t) => {
    const socket = await open(t);
    socket.ws.ping('hello');
    assert.equal(String((await once(socket.ws, 'pong'))[0]), 'hello');
  });

  test('takes a message in fragments, with a ping between them', async (t) => {
    const raw = await RawWebSocket.open(server);
    t.after(() => raw.destroy());
    const message = JSON.stringify([handshakeMessage()]);
    raw.send({ payload: message.slice(0, 10), fin: false });
    raw.send({ opcode: Opcode.ping, payload: 'now' });
    raw.send({ opcode: Opcode.continuation, payload: message.slice(10, 20), fin: false });
    raw.send({ opcode: Opcode.continuation, payload: message.slice(20) });
    const pong = await raw.frame();
    assert.deepEqual([pong.opcode, String(pong.payload)], [Opcode.pong, 'now']);
    const reply = await raw.frame();
    assert.deepEqual([reply.opcode, reply.fin, reply.isMasked], [Opcode.text, true, false]);
    assert.equal(JSON.parse(reply.payload)[0].successful, true);
  });

  test('compresses for those who can, and for them alone', async (t) => {
    const [small, plain] = [
      await open(t, { perMessageDeflate: true }),
      await open(t, { perMessageDeflate: false }),
    ];
    const data = { text: 'so much alike, '.repeat(500) };
    for (const socket of [small, plain]) await socket.session('/long');
    await server.publish('long', data);
    for (const socket of [small, plain]) assert.deepEqual((await socket.delivery()).data, data);
    assert.equal(plain.ws.extensions, '');
  });

  test('understands what is compressed by its peer', async (t) => {
    const socket = await open(t, { perMessageDeflate: { threshold: 0 } });
    await socket.session('/one', '/two', '/three');
    await server.publish('three', 3);
    assert.equal((await socket.delivery()).data, 3);
  });

  // ---- parting

  test('closes with the code of its peer', async (t) => {
    const socket = await open(t);
    socket.ws.close(1000, 'bye');
    assert.equal((await socket.closed).code, 1000);
  });

  test('ends a session at its good-bye, after the held connect', async (t) => {
    const socket = await open(t);
    const clientId = await socket.session('/bye');
    await socket.ask(connectOn(clientId, { advice: { timeout: 0 } }));
    socket.send(connectOn(clientId, { id: 'last' }));
    socket.send({ channel: '/meta/disconnect', clientId, id: 'bye' });
    const order = [];
    while (order.length < 2)
      order.push((await socket.inbox.find(({ id }) => id === 'last' || id === 'bye')).id);
    assert.deepEqual(order, ['last', 'bye']);
    const [reply] = await endpoint.connect(clientId);
    assert.equal(reply.advice.reconnect, 'handshake');
  });

  test('leaves its session alive when it is lost, and the next one has what came meanwhile', async (t) => {
    const lost = await open(t);
    const clientId = await lost.session('/meanwhile');
    await server.publish('meanwhile', 1);
    assert.equal((await lost.delivery()).data, 1);
    lost.ws.terminate();
    await lost.closed;
    await pause(200);
    await server.publish('meanwhile', 2);
    await server.publish('meanwhile', 3);
    const next = await open(t);
    next.send(connectOn(clientId, { id: 'back' }));
    assert.deepEqual(
      (await next.deliveries(2)).map(({ data }) => data),
      [2, 3],
    );
    await server.publish('meanwhile', 4);
    assert.equal((await next.delivery()).data, 4);
  });

  test('hands its session over to polling, and gets it back', async (t) => {
    const first = await open(t);
    const clientId = await first.session('/moving');
    const poll = endpoint.connect(clientId);
    await pause(200);
    await server.publish('moving', 1);
    assert.deepEqual(
      (await poll).filter(isDelivery).map(({ data }) => data),
      [1],
    );
    await assert.rejects(first.delivery(1), 'delivered over both');
    const second = await open(t);
    second.send(connectOn(clientId, { id: 'back' }));
    await server.publish('moving', 2);
    assert.equal((await second.delivery()).data, 2);
  });

  test('may carry more sessions than one after another', async (t) => {
    const socket = await open(t);
    const [first, second] = [await socket.session('/first'), await socket.session('/second')];
    assert.notEqual(first, second);
    await server.publish('second', 2);
    assert.equal((await socket.delivery()).data, 2);
  });

  test('is closed with 1007 when it sends what is no JSON', async (t) => {
    for (const text of ['hello', '[{]', '17', '"[]"', '']) {
      const socket = await open(t);
      socket.ws.send(text);
      assert.equal((await socket.closed).code, 1007, text);
    }
  });
});

withServer('An event stream', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('carries what is published to its session', async (t) => {
    const [{ clientId, supportedConnectionTypes }] = await endpoint.send(handshakeMessage());
    if (!supportedConnectionTypes.includes('eventsource')) return t.skip('not offered');
    await endpoint.subscribe(clientId, '/e');
    const raw = await RawConnection.open(server.port);
    t.after(() => raw.destroy());
    raw.write(
      `GET /bayeux/${clientId} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
    );
    const { status, headers } = await raw.response();
    assert.deepEqual([status, headers['content-type']], [200, 'text/event-stream']);
    const line = (start) =>
      raw.read((buffer) => {
        const text = buffer.toString();
        const begin = text.indexOf(start);
        const end = text.indexOf('\n', begin);
        return begin >= 0 && end >= 0
          ? [
              text.slice(begin + start.length, end).trim(),
              Buffer.byteLength(text.slice(0, end + 1)),
            ]
          : undefined;
      });
    assert.match(await line('retry:'), /^\d+$/);
    for (const data of ['live', { n: 2 }]) {
      await server.publish('e', data);
      assert.deepEqual(JSON.parse(await line('data:')), [{ channel: '/e', data }]);
    }
    const [reply] = await endpoint.connect(clientId, { connectionType: 'eventsource' });
    assert.deepEqual(
      [reply.successful, reply.advice.timeout, reply.advice.interval],
      [true, 0, TIMEOUT_MS],
    );
  });
});
