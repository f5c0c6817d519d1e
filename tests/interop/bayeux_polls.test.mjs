// Bayeux polls over HTTP: when each is answered, and with what.

import assert from 'node:assert/strict';

import { connectMessage, Endpoint, subscribeMessage } from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { pause, unordered } from '../support/inbox.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const TIMEOUT_MS = 2000;
const realms = [makeRealm('demo', { bayeux: { connect_timeout: `${TIMEOUT_MS}ms` } })];

async function timed(promise) {
  const begin = performance.now();
  return [await promise, performance.now() - begin];
}

withServer('A Bayeux poll', { realms }, (server) => {
  const endpoint = new Endpoint(server);
  const advice = { reconnect: 'retry', interval: 0, timeout: TIMEOUT_MS };

  test('is held until its timeout, and then says that all is well', async () => {
    const clientId = await endpoint.session('/held');
    const [[reply, ...rest], ms] = await timed(endpoint.connect(clientId));
    assert.deepEqual(rest, []);
    assert.equal(reply.successful, true);
    assert.deepEqual([reply.channel, reply.id], ['/meta/connect', '2']);
    if (reply.advice) assert.deepEqual(reply.advice, advice);
    assert.ok(ms > TIMEOUT_MS - 200 && ms < TIMEOUT_MS + 1500, `${ms} ms`);
  });

  test("is answered at once when it is a session's first", async () => {
    const clientId = await endpoint.handshake();
    const [[reply], ms] = await timed(endpoint.connect(clientId));
    assert.equal(reply.successful, true);
    assert.ok(ms < TIMEOUT_MS / 2, `${ms} ms`);
  });

  test('is answered at once when it asks for that', async () => {
    const clientId = await endpoint.session();
    for (let n = 0; n < 3; n++) {
      const [[reply], ms] = await timed(endpoint.connect(clientId, { advice: { timeout: 0 } }));
      assert.equal(reply.successful, true);
      assert.ok(ms < TIMEOUT_MS / 2, `${ms} ms`);
    }
  });

  test('is answered at once when it shares its request with other messages', async () => {
    const clientId = await endpoint.session();
    const [replies, ms] = await timed(
      endpoint.send([connectMessage(clientId), subscribeMessage(clientId, '/shared')]),
    );
    assert.deepEqual(
      replies.map(({ channel, successful }) => [channel, successful]),
      [
        ['/meta/connect', true],
        ['/meta/subscribe', true],
      ],
    );
    assert.ok(ms < TIMEOUT_MS / 2, `${ms} ms`);
  });

  test('is answered with what is published while it is held, the reply first', async () => {
    const clientId = await endpoint.session('/q');
    const poll = timed(endpoint.connect(clientId));
    await pause(200);
    await server.publish('q', 3);
    const [[reply, ...deliveries], ms] = await poll;
    assert.deepEqual([reply.channel, reply.successful, reply.id], ['/meta/connect', true, '2']);
    assert.deepEqual(deliveries, [{ channel: '/q', data: 3 }]);
    assert.ok(ms < TIMEOUT_MS, `${ms} ms`);
  });

  test('brings what was published since the poll before, in order and once', async () => {
    const clientId = await endpoint.session('/q');
    for (let n = 0; n < 20; n++) await server.publish('q', n);
    const [[, ...deliveries], ms] = await timed(endpoint.connect(clientId));
    assert.deepEqual(
      deliveries.map(({ data }) => data),
      Array.from({ length: 20 }, (_, n) => n),
    );
    assert.ok(ms < TIMEOUT_MS / 2, `${ms} ms`);
    const [, ...again] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
    assert.deepEqual(again, []);
  });

  test('brings what was published before the first poll', async () => {
    const clientId = await endpoint.handshake();
    await endpoint.subscribe(clientId, '/early');
    await server.publish('early', 1);
    assert.deepEqual(await endpoint.poll(clientId, 1), [{ channel: '/early', data: 1 }]);
  });

  test('delivers a publication once, however many subscriptions it fits', async () => {
    const clientId = await endpoint.session('/a/b/c', '/a/b/*', '/a/b/**', '/a/**', '/**');
    await server.publish('a/b/c', 1);
    await server.publish('a/b/c', 2);
    await server.publish('a/x', 3);
    assert.deepEqual(
      unordered((await endpoint.poll(clientId, 3)).map(({ data }) => data)),
      unordered([1, 2, 3]),
    );
  });

  test('escapes nothing that JSON does not need escaped', async () => {
    const clientId = await endpoint.session('/big');
    await server.post('{"items":[{"channel":"big","json-object":{"n":9223372036854775807}}]}');
    const answer = await call(server, 'POST', '/bayeux', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([connectMessage(clientId)]),
    });
    assert.ok(answer.text.includes('"data":{"n":9223372036854775807}'), answer.text);
  });

  test('that is superseded by a newer one ends, and the newer one has the messages', async () => {
    const clientId = await endpoint.session('/twice');
    const send = (id) =>
      call(server, 'POST', '/bayeux', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([connectMessage(clientId, { id })]),
      });
    const older = timed(send('old'));
    await pause(200);
    const newer = send('new');
    const [{ status, text }, ms] = await older;
    assert.ok(ms < TIMEOUT_MS - 200, `the older one was left hanging for ${ms} ms`);
    assert.deepEqual([status, text], [500, '']);
    await server.publish('twice', 1);
    const [reply, delivery] = (await newer).json;
    assert.deepEqual([reply.id, delivery.data], ['new', 1]);
  });

  test('whose client went away loses nothing to it', async () => {
    const clientId = await endpoint.session('/gone');
    const leaving = new AbortController();
    const held = call(server, 'POST', '/bayeux', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([connectMessage(clientId)]),
      signal: leaving.signal,
    });
    held.catch(() => {});
    await pause(200);
    leaving.abort();
    await pause(200);
    await server.publish('gone', 'not lost');
    assert.deepEqual(await endpoint.poll(clientId, 1), [{ channel: '/gone', data: 'not lost' }]);
  });

  test('may name any transport of HTTP as its own', async () => {
    for (const connectionType of [
      'long-polling',
      'cross-origin-long-polling',
      'callback-polling',
    ]) {
      const clientId = await endpoint.session();
      const [reply] = await endpoint.connect(clientId, { connectionType, advice: { timeout: 0 } });
      assert.equal(reply.successful, true, JSON.stringify(reply));
    }
  });

  test('is told what is wrong when it is not complete', async () => {
    const clientId = await endpoint.session();
    const [noType] = await endpoint.send({
      channel: '/meta/connect',
      clientId,
      id: '1',
      advice: { timeout: 0 },
    });
    assert.deepEqual(
      [noType.successful, noType.error],
      [false, '402:connectionType:Missing required parameter'],
    );
    const [noClient] = await endpoint.send({
      channel: '/meta/connect',
      connectionType: 'long-polling',
      id: '1',
    });
    assert.deepEqual(
      [noClient.successful, noClient.error],
      [false, '402:clientId:Missing required parameter'],
    );
    const [strange] = await endpoint.send(connectMessage(clientId, { connectionType: 'pigeon' }));
    assert.equal(strange.successful, false);
    assert.match(strange.error, /^301:pigeon:/);
  });

  test('of a session that nobody knows is told to handshake anew', async () => {
    const [reply, ...rest] = await endpoint.connect('nobody0123456789abcdefghijklmnop');
    assert.deepEqual(rest, []);
    assert.deepEqual(
      [reply.successful, reply.error, reply.id],
      [false, '401:nobody0123456789abcdefghijklmnop:Unknown client', '2'],
    );
    assert.equal(reply.advice.reconnect, 'handshake');
    assert.ok(!reply.advice.interval);
  });

  test('of a session that was silent for too long is told to handshake anew', async () => {
    const clientId = await endpoint.session();
    await pause(2 * TIMEOUT_MS + 1500);
    const [reply] = await endpoint.connect(clientId);
    assert.deepEqual([reply.successful, reply.advice?.reconnect], [false, 'handshake']);
  });
});
