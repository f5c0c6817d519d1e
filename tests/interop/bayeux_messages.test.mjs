// Bayeux subscriptions and all other messages, one by one, over HTTP.

import assert from 'node:assert/strict';

import { Endpoint, handshakeMessage, subscribeMessage } from '../support/bayeux.mjs';
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

withServer('A Bayeux subscription', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('is confirmed in the shape in which it was asked for', async () => {
    const clientId = await endpoint.session();
    for (const subscription of [
      '/one',
      ['/one', '/two', '/three/*'],
      [],
      '/**',
      '/deep/**',
      '/a-b_c!~()$@',
    ]) {
      const [reply] = await endpoint.send(subscribeMessage(clientId, subscription, { id: 'x' }));
      assert.deepEqual(
        [reply.channel, reply.successful, reply.id, reply.subscription],
        ['/meta/subscribe', true, 'x', subscription],
      );
      assert.equal('data' in reply, false);
    }
  });

  test('to several channels hears them all', async () => {
    const clientId = await endpoint.session();
    await endpoint.subscribe(clientId, ['/s1', '/s2/*']);
    await server.publish('s1', 1);
    await server.publish('s2/x', 2);
    assert.deepEqual(
      unordered((await endpoint.poll(clientId, 2)).map(({ data }) => data)),
      unordered([1, 2]),
    );
  });

  test('to several channels of which one is bad is refused whole', async () => {
    const clientId = await endpoint.session();
    const subscription = ['/good', '/meta/x', '/fine'];
    const [reply] = await endpoint.send(subscribeMessage(clientId, subscription));
    assert.deepEqual(
      [reply.successful, reply.error, reply.subscription],
      [false, '403:/meta/x:Forbidden channel', subscription],
    );
    assert.equal(reply.advice, undefined);
    await server.publish('good', 1);
    const [, ...deliveries] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
    assert.deepEqual(deliveries, []);
  });

  const REFUSED = {
    '/meta/connect': 403,
    '/meta/*': 403,
    '/meta/**': 403,
    '/meta': 403,
    'no-slash': 405,
    '': 405,
    '/': 405,
    '//': 405,
    '/a//b': 405,
    '/a/': 405,
    '/a.b': 405,
    '/a b': 405,
    '/a+b': 405,
    '/a:b': 405,
    '/ä': 405,
    '/a/*/b': 405,
    '/a/**/b': 405,
    '/a*': 405,
    '/***': 405,
    '/a\n': 405,
  };
  for (const [subscription, code] of Object.entries(REFUSED)) {
    test(`to ${JSON.stringify(subscription)} is refused with ${code}`, async () => {
      const clientId = await endpoint.session();
      const [reply] = await endpoint.send(subscribeMessage(clientId, subscription));
      assert.equal(reply.successful, false, JSON.stringify(reply));
      assert.equal(reply.error.split(':')[0], String(code), reply.error);
      assert.equal(reply.subscription, subscription);
    });
  }

  test('to a service channel succeeds and hears nothing', async () => {
    const clientId = await endpoint.session();
    await endpoint.subscribe(clientId, '/service/echo');
    await endpoint.subscribe(clientId, '/service/**');
  });

  test('may be made again, and ended though it never was', async () => {
    const clientId = await endpoint.session('/again');
    await endpoint.subscribe(clientId, '/again');
    await server.publish('again', 1);
    assert.equal((await endpoint.poll(clientId, 1)).length, 1);
    for (const subscription of ['/again', '/again', '/never', ['/never', '/again']]) {
      const [reply] = await endpoint.send({
        channel: '/meta/unsubscribe',
        clientId,
        subscription,
        id: 'u',
      });
      assert.deepEqual([reply.successful, reply.subscription, reply.id], [true, subscription, 'u']);
    }
    await server.publish('again', 2);
    const [, ...deliveries] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
    assert.deepEqual(deliveries, []);
  });

  test('of a session that nobody knows is refused without advice', async () => {
    for (const channel of ['/meta/subscribe', '/meta/unsubscribe']) {
      const [reply] = await endpoint.send({
        channel,
        clientId: 'nobody',
        subscription: '/a',
        id: '1',
      });
      assert.deepEqual(
        [reply.successful, reply.subscription, reply.advice],
        [false, '/a', undefined],
      );
      assert.match(reply.error, /^401:nobody:/);
    }
  });

  test('without a channel is told so', async () => {
    const clientId = await endpoint.session();
    const [reply] = await endpoint.send({ channel: '/meta/subscribe', clientId, id: '1' });
    assert.deepEqual(
      [reply.successful, reply.error],
      [false, '402:subscription:Missing required parameter'],
    );
  });

  test('takes effect before the next message of the same request', async () => {
    const clientId = await endpoint.session();
    const replies = await endpoint.send([
      subscribeMessage(clientId, '/first', { id: '1' }),
      { channel: '/meta/unsubscribe', clientId, subscription: '/first', id: '2' },
      subscribeMessage(clientId, '/second', { id: '3' }),
    ]);
    assert.deepEqual(
      replies.map(({ id, successful }) => [id, successful]),
      [
        ['1', true],
        ['2', true],
        ['3', true],
      ],
    );
    await server.publish('first', 1);
    await server.publish('second', 2);
    assert.deepEqual(await endpoint.poll(clientId, 1), [{ channel: '/second', data: 2 }]);
  });
});

withServer('Any other Bayeux message', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('that publishes is refused, and reaches nobody', async () => {
    const [talker, listener] = [await endpoint.session(), await endpoint.session('/**')];
    for (const message of [
      { channel: '/talk', clientId: talker, data: 1, id: 'p' },
      { channel: '/talk', data: 2, id: 'p' },
      { channel: '/talk', clientId: listener, data: null, id: 'p' },
    ]) {
      const [reply] = await endpoint.send(message);
      assert.deepEqual([reply.channel, reply.successful, reply.id], ['/talk', false, 'p']);
      assert.match(reply.error, /^403:/);
      assert.equal('data' in reply, false);
    }
    await server.publish('end', 'end');
    assert.deepEqual(await endpoint.poll(listener, 1), [{ channel: '/end', data: 'end' }]);
  });

  test('to a meta channel that is none of the five is refused', async () => {
    const clientId = await endpoint.session();
    for (const channel of ['/meta/foo', '/meta/subscribe/x', '/meta/connect2', '/meta']) {
      const [reply] = await endpoint.send({
        channel,
        clientId,
        subscription: '/a',
        connectionType: 'long-polling',
        id: '1',
      });
      assert.deepEqual([reply.channel, reply.successful], [channel, false]);
      assert.match(reply.error, /^403:/);
    }
  });

  test('without a proper channel is answered with an error, each by itself', async () => {
    const clientId = await endpoint.session();
    const replies = await endpoint.send([
      { id: 'a', clientId },
      { channel: 7, id: 'b', clientId },
      { channel: 'x', data: 1, id: 'c', clientId },
    ]);
    assert.deepEqual(
      replies.map(({ id, successful }) => [id, successful]),
      [
        ['a', false],
        ['b', false],
        ['c', false],
      ],
    );
  });

  test('to say good-bye ends the held poll first, and then the session', async () => {
    const clientId = await endpoint.session('/bye');
    const held = timed(endpoint.connect(clientId));
    await pause(200);
    const [bye] = await endpoint.send({ channel: '/meta/disconnect', clientId, id: 'b' });
    assert.deepEqual([bye.channel, bye.successful, bye.id], ['/meta/disconnect', true, 'b']);
    const [[reply], ms] = await held;
    assert.deepEqual([reply.channel, reply.successful], ['/meta/connect', true]);
    assert.ok(ms < TIMEOUT_MS - 200, `${ms} ms`);
    const [afterwards] = await endpoint.connect(clientId);
    assert.equal(afterwards.advice.reconnect, 'handshake');
    const [again] = await endpoint.send({ channel: '/meta/disconnect', clientId, id: 'b' });
    assert.equal(again.successful, false);
  });

  test('that comes with a handshake in one request does not get in its way', async () => {
    const replies = await endpoint.send([handshakeMessage(), subscribeMessage('nobody', '/a')]);
    assert.deepEqual(
      replies.map(({ channel, successful }) => [channel, successful]),
      [
        ['/meta/handshake', true],
        ['/meta/subscribe', false],
      ],
    );
  });

  test('may come a thousand times in one request, but not more', async () => {
    const clientId = await endpoint.session();
    const many = (count) =>
      JSON.stringify(
        Array.from({ length: count }, (_, n) =>
          subscribeMessage(clientId, '/same', { id: String(n) }),
        ),
      );
    const post = (body) =>
      call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body });
    const answer = await post(many(1000));
    assert.equal(answer.json.filter(({ successful }) => successful).length, 1000);
    const refused = await post(many(1001));
    assert.ok(refused.status >= 400 && refused.status < 500, String(refused.status));
  });
});
