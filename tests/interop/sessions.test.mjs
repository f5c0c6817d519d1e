// A session is no connection: what one has, the next one finds, whichever worker takes it.

import assert from 'node:assert/strict';
import http from 'node:http';

import {
  connectMessage,
  Endpoint,
  handshakeMessage,
  isDelivery,
  subscribeMessage,
} from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { pause, unordered } from '../support/inbox.mjs';
import { bearer } from '../support/jwt.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const realms = [makeRealm('demo', { bayeux: { connect_timeout: '3s' } })];
const numbers = (count) => Array.from({ length: count }, (_, n) => n);

withServer('A session', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  /** Publishes over a few connections that stay open, so that both workers take part. */
  function publisher(t, connections = 4) {
    const agents = numbers(connections).map(
      () => new http.Agent({ keepAlive: true, maxSockets: 1 }),
    );
    t.after(() => agents.forEach((agent) => agent.destroy()));
    const headers = { authorization: bearer(server.realm), 'content-type': 'application/json' };
    let turn = 0;
    return async (...items) => {
      const body = JSON.stringify({
        items: items.map(([channel, data]) => ({ channel, 'json-object': data })),
      });
      const answer = await call(server, 'POST', '/realm/demo/publish/', {
        agent: agents[turn++ % connections],
        headers,
        body,
      });
      assert.equal(answer.status, 200, answer.text);
    };
  }

  test('is known on every connection', async () => {
    const clientId = await endpoint.handshake();
    for (const n of numbers(30)) await endpoint.subscribe(clientId, `/channel-${n}`);
    for (const _ of numbers(30)) {
      const [reply] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
      assert.equal(reply.successful, true, JSON.stringify(reply));
    }
    for (const n of numbers(30)) await server.publish(`channel-${n}`, n);
    assert.deepEqual(
      unordered((await endpoint.poll(clientId, 30)).map(({ data }) => data)),
      unordered(numbers(30)),
    );
  });

  test('is known on every WebSocket', async (t) => {
    const clientId = await endpoint.session('/wander');
    for (const n of numbers(10)) {
      const socket = await endpoint.socket();
      t.after(() => socket.close());
      socket.send(connectMessage(clientId, { connectionType: 'websocket' }));
      await pause(20);
      await server.publish('wander', n);
      assert.equal((await socket.delivery()).data, n);
      socket.close();
      await socket.closed;
    }
  });

  test('shares a connection with other sessions', async (t) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const ids = await Promise.all(numbers(20).map(() => endpoint.handshake()));
    for (const [n, clientId] of ids.entries()) {
      const [reply] = await endpoint.send(subscribeMessage(clientId, `/own-${n}`), { agent });
      assert.equal(reply.successful, true);
    }
    for (const n of numbers(20)) await server.publish(`own-${n}`, n);
    for (const [n, clientId] of ids.entries()) {
      const replies = await endpoint.send(connectMessage(clientId), { agent });
      assert.deepEqual(
        replies.filter(isDelivery).map(({ data }) => data),
        [n],
      );
    }
  });

  test('hears a thousand publications of one channel in their order', async (t) => {
    const publish = publisher(t);
    const socket = await endpoint.socket();
    t.after(() => socket.close());
    await socket.session('/thousand');
    for (const n of numbers(1000)) await publish(['thousand', n]);
    assert.deepEqual(
      (await socket.deliveries(1000)).map(({ data }) => data),
      numbers(1000),
    );
  });

  test('hears each of a thousand publications of twenty channels in the order of its channel', async (t) => {
    const publish = publisher(t);
    const socket = await endpoint.socket();
    t.after(() => socket.close());
    await socket.session('/many/*');
    for (let n = 0; n < 1000; n += 10)
      await publish(...numbers(10).map((i) => [`many/${(n + i) % 20}`, n + i]));
    const arrived = (await socket.deliveries(1000)).map(({ data }) => data);
    for (const channel of numbers(20)) {
      assert.deepEqual(
        arrived.filter((n) => n % 20 === channel),
        numbers(1000).filter((n) => n % 20 === channel),
      );
    }
  });

  test('loses and doubles nothing while it polls', async (t) => {
    const publish = publisher(t);
    const clientIds = await Promise.all(numbers(4).map(() => endpoint.session('/poll/*')));
    const polls = clientIds.map((clientId) => endpoint.poll(clientId, 400));
    for (const n of numbers(400)) {
      await publish([`poll/${n % 2}`, n]);
      if (n % 40 === 0) await pause(15); // so that some polls are held and some are not
    }
    for (const deliveries of await Promise.all(polls)) {
      const arrived = deliveries.map(({ data }) => data);
      for (const channel of [0, 1]) {
        assert.deepEqual(
          arrived.filter((n) => n % 2 === channel),
          numbers(400).filter((n) => n % 2 === channel),
        );
      }
    }
  });

  test('loses and doubles nothing while its polls are cut off', async (t) => {
    const publish = publisher(t);
    const clientId = await endpoint.session('/cut');
    const arrived = [];
    for (const n of numbers(20)) {
      const leaving = new AbortController();
      const held = endpoint.connect(clientId, {}, { signal: leaving.signal });
      held.catch(() => {});
      await pause(30);
      leaving.abort();
      await pause(30); // the server has seen it leave: what comes now is for the next poll
      await publish(['cut', n]);
      arrived.push(...(await endpoint.poll(clientId, 1)).map(({ data }) => data));
    }
    assert.deepEqual(arrived, numbers(20));
  });

  test('loses and doubles nothing while it moves from polling to a WebSocket', async (t) => {
    const publish = publisher(t);
    for (const round of numbers(10)) {
      const clientId = await endpoint.session('/upgrade');
      const socket = await endpoint.socket();
      t.after(() => socket.close());
      const held = endpoint.connect(clientId);
      const publishing = (async () => {
        for (const n of numbers(20)) await publish(['upgrade', n]);
      })();
      await pause(round);
      // As Faye does: the poll is let finish, and its answer is followed by a connect on the socket.
      const overHttp = (await held).filter(isDelivery).map(({ data }) => data);
      socket.send(connectMessage(clientId, { connectionType: 'websocket' }));
      await publishing;
      const overSocket = (await socket.deliveries(20 - overHttp.length)).map(({ data }) => data);
      assert.deepEqual([...overHttp, ...overSocket], numbers(20));
    }
  });

  test('is one of many that hear the same, each once', async (t) => {
    const sockets = await Promise.all(numbers(40).map(() => endpoint.socket()));
    t.after(() => sockets.forEach((socket) => socket.close()));
    await Promise.all(sockets.map((socket) => socket.session('/all', '/all', '/*', '/**')));
    const polling = await Promise.all(numbers(10).map(() => endpoint.session('/all', '/**')));
    await server.publish('all', 'everyone');
    await server.publish('all', 'again');
    const expected = [
      { channel: '/all', data: 'everyone' },
      { channel: '/all', data: 'again' },
    ];
    for (const socket of sockets) assert.deepEqual(await socket.deliveries(2), expected);
    for (const clientId of polling) assert.deepEqual(await endpoint.poll(clientId, 2), expected);
    for (const socket of sockets) await assert.rejects(socket.delivery(1), 'heard twice');
  });

  test('hears what is published right after its subscription was confirmed', async (t) => {
    const publish = publisher(t);
    for (const n of numbers(50)) {
      const socket = await endpoint.socket();
      t.after(() => socket.close());
      const { clientId } = await socket.ask(handshakeMessage());
      await socket.ask(subscribeMessage(clientId, `/fresh/${n}`));
      await publish([`fresh/${n}`, n]);
      assert.equal((await socket.delivery()).data, n);
      socket.close();
    }
  });

  test('cannot be guessed from another one', async () => {
    const ids = await Promise.all(numbers(20).map(() => endpoint.handshake()));
    for (const clientId of ids) {
      const last = clientId.at(-1) === '0' ? '1' : '0';
      const [reply] = await endpoint.connect(clientId.slice(0, -1) + last);
      assert.equal(reply.successful, false);
    }
    for (const nonsense of ['', '0', 'x'.repeat(10_000), '\u0000', '../..', ids[0].toUpperCase()]) {
      const [reply] = await endpoint.connect(nonsense);
      assert.equal(reply.successful, false, nonsense);
    }
  });
});
