// Bayeux over HTTP, message by message: what each client family sends, and what each needs to hear.

import assert from 'node:assert/strict';

import { ALL_TRANSPORTS, connectMessage, Endpoint, handshakeMessage, isDelivery, subscribeMessage } from '../support/bayeux.mjs';
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

withServer('A Bayeux handshake over HTTP', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('opens a session and lists every transport, whatever the client offers', async () => {
    for (const supportedConnectionTypes of [ALL_TRANSPORTS, ['long-polling'], ['in-process', 'websocket', 'long-polling'], ['callback-polling']]) {
      const [reply, ...rest] = await endpoint.send(handshakeMessage({ supportedConnectionTypes }));
      assert.deepEqual(rest, []);
      const { clientId, supportedConnectionTypes: listed, advice, ...others } = reply;
      assert.deepEqual(others, { channel: '/meta/handshake', id: '1', version: '1.0', successful: true });
      assert.match(clientId, /^[0-9a-zA-Z_-]{20,}$/);
      for (const type of ['websocket', 'long-polling', 'cross-origin-long-polling', 'callback-polling']) assert.ok(listed.includes(type), type);
      assert.deepEqual(advice, { reconnect: 'retry', interval: 0, timeout: TIMEOUT_MS });
    }
  });

  test('never gives one clientId twice', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => endpoint.handshake()));
    assert.equal(new Set(ids).size, 50);
  });

  test('accepts whatever version a client claims to speak, and fields that nobody knows', async () => {
    const [reply] = await endpoint.send({ channel: '/meta/handshake', version: '9.0', minimumVersion: '8', id: 'x', ext: { ack: false }, advice: { timeout: 60_000, interval: 0 }, supportedConnectionTypes: ['long-polling'] });
    assert.equal(reply.successful, true, JSON.stringify(reply));
  });

  test('is refused for good, and without a storm of retries, when no transport fits', async () => {
    const [reply] = await endpoint.send(handshakeMessage({ supportedConnectionTypes: ['smoke-signals'] }));
    assert.equal(reply.successful, false);
    assert.match(reply.error, /^301:smoke-signals:/);
    assert.ok(reply.supportedConnectionTypes.includes('websocket'));
    assert.ok(!['handshake', 'retry'].includes(reply.advice?.reconnect), JSON.stringify(reply));
    assert.equal(reply.clientId, undefined);
  });

  test('comes back with the id as it was written, or with none', async () => {
    for (const id of ['"7"', '7', '"a0Z"', '"0"', '0']) {
      const { text } = await call(server, 'POST', '/bayeux', {
        headers: { 'content-type': 'application/json' },
        body: `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"id":${id}}]`,
      });
      assert.match(text, new RegExp(`"id":${id}[,}]`));
    }
    const [reply] = await endpoint.send(handshakeMessage({ id: undefined }));
    assert.equal('id' in reply, false);
  });
});

withServer('A Bayeux request body', { realms }, (server) => {
  const handshake = JSON.stringify(handshakeMessage());
  const form = `message=${encodeURIComponent(`[${handshake}]`)}`;
  const formPlus = `jsonp=&message=${encodeURIComponent(`[${handshake}]`).replace(/%20/g, '+')}&x=`;

  const GOOD = {
    'a JSON array': ['application/json', `[${handshake}]`],
    'one JSON object': ['application/json', handshake],
    'one JSON object without a Content-Type': [undefined, handshake],
    'a JSON array without a Content-Type': [undefined, `[${handshake}]`],
    'JSON with white space around it': ['application/json', ` \r\n\t[ ${handshake} ]\n`],
    'JSON labelled application/json;charset=UTF-8': ['application/json;charset=UTF-8', `[${handshake}]`],
    'JSON labelled text/json': ['text/json', `[${handshake}]`],
    'JSON labelled Application/JSON': ['Application/JSON', `[${handshake}]`],
    'JSON labelled text/plain': ['text/plain', `[${handshake}]`],
    'JSON labelled as a form': ['application/x-www-form-urlencoded', `[${handshake}]`],
    'a form labelled text/plain, as Faye sends across origins': ['text/plain;charset=UTF-8', form],
    'a form labelled as a form': ['application/x-www-form-urlencoded', form],
    'a form with other fields around the message': ['application/x-www-form-urlencoded', formPlus],
    'a form without a Content-Type': [undefined, form],
    'a form whose message is one object': ['text/plain', `message=${encodeURIComponent(handshake)}`],
    'chunks, as CometD sends on Node': ['application/json', ['[', handshake.slice(0, 10), handshake.slice(10), ']']],
  };
  for (const [what, [type, body]] of Object.entries(GOOD)) {
    test(`may be ${what}`, async () => {
      const answer = await call(server, 'POST', '/bayeux', { headers: type ? { 'content-type': type } : {}, body });
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.headers['content-type'], /^application\/json/);
      assert.match(answer.headers['cache-control'], /no-store/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.json.length, 1);
      assert.equal(answer.json[0].successful, true, answer.text);
    });
  }

  test('may be a form that holds several messages', async () => {
    const second = JSON.stringify(handshakeMessage({ id: '2' }));
    const body = `message=${encodeURIComponent(handshake)}&message=${encodeURIComponent(`[${second}]`)}`;
    const answer = await call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
    assert.deepEqual(answer.json.map(({ id, successful }) => [id, successful]), [['1', true], ['2', true]]);
  });

  test('may be an empty array, which is answered with one', async () => {
    const answer = await call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body: '[]' });
    assert.deepEqual([answer.status, answer.text.trim()], [200, '[]']);
  });

  for (const path of ['/bayeux/', '/bayeux/handshake', '/bayeux/connect', '/bayeux/a/b/c', '/bayeux?x=y', '/r/demo/bayeux', '/r/demo/bayeux/', '/r/demo/bayeux/handshake']) {
    test(`may go to ${path}`, async () => {
      const answer = await call(server, 'POST', path, { headers: { 'content-type': 'application/json' }, body: handshake });
      assert.equal(answer.json[0].successful, true, answer.text);
    });
  }

  test('may not go to a path that only begins like the right one', async () => {
    const answer = await call(server, 'POST', '/bayeuxx', { headers: { 'content-type': 'application/json' }, body: handshake });
    assert.equal(answer.status, 404);
  });

  const BAD = {
    'nothing': ['application/json', ''],
    'a number': ['application/json', '17'],
    'a text': ['application/json', '"hello"'],
    'null': ['application/json', 'null'],
    'JSON that ends too early': ['application/json', `[${handshake}`],
    'a list of numbers': ['application/json', '[1,2]'],
    'a list with null in it': ['application/json', `[${handshake},null]`],
    'a form without a message': ['text/plain', 'massage=1'],
    'a form whose message is no JSON': ['text/plain', 'message=hello'],
    'a form with a broken escape': ['text/plain', 'message=%5B%7'],
    'a hundred thousand brackets': ['application/json', '['.repeat(100_000)],
  };
  for (const [what, [type, body]] of Object.entries(BAD)) {
    test(`is refused, with words that are no JSON, when it is ${what}`, async () => {
      const answer = await call(server, 'POST', '/bayeux', { headers: { 'content-type': type }, body });
      assert.ok([400, 413].includes(answer.status), `${answer.status} ${answer.text}`);
      // Faye's Node client reads the body of any answer, and would take JSON for replies.
      assert.throws(() => JSON.parse(answer.text));
    });
  }

  for (const [method, path] of [['GET', '/bayeux'], ['GET', '/bayeux?jsonp=f'], ['PUT', '/bayeux'], ['DELETE', '/bayeux'], ['PATCH', '/bayeux']]) {
    test(`is not what ${method} ${path} has`, async () => {
      const answer = await call(server, method, path);
      assert.ok([400, 405].includes(answer.status), String(answer.status));
      assert.throws(() => JSON.parse(answer.text));
    });
  }
});

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

  test('is answered at once when it is a session\'s first', async () => {
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
    const [replies, ms] = await timed(endpoint.send([connectMessage(clientId), subscribeMessage(clientId, '/shared')]));
    assert.deepEqual(replies.map(({ channel, successful }) => [channel, successful]), [['/meta/connect', true], ['/meta/subscribe', true]]);
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
    assert.deepEqual(deliveries.map(({ data }) => data), Array.from({ length: 20 }, (_, n) => n));
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
    assert.deepEqual(unordered((await endpoint.poll(clientId, 3)).map(({ data }) => data)), unordered([1, 2, 3]));
  });

  test('escapes nothing that JSON does not need escaped', async () => {
    const clientId = await endpoint.session('/big');
    await server.post('{"items":[{"channel":"big","json-object":{"n":9223372036854775807}}]}');
    const answer = await call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body: JSON.stringify([connectMessage(clientId)]) });
    assert.ok(answer.text.includes('"data":{"n":9223372036854775807}'), answer.text);
  });

  test('that is superseded by a newer one ends, and the newer one has the messages', async () => {
    const clientId = await endpoint.session('/twice');
    const send = (id) => call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body: JSON.stringify([connectMessage(clientId, { id })]) });
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
    const held = call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body: JSON.stringify([connectMessage(clientId)]), signal: leaving.signal });
    held.catch(() => {});
    await pause(200);
    leaving.abort();
    await pause(200);
    await server.publish('gone', 'not lost');
    assert.deepEqual(await endpoint.poll(clientId, 1), [{ channel: '/gone', data: 'not lost' }]);
  });

  test('may name any transport of HTTP as its own', async () => {
    for (const connectionType of ['long-polling', 'cross-origin-long-polling', 'callback-polling']) {
      const clientId = await endpoint.session();
      const [reply] = await endpoint.connect(clientId, { connectionType, advice: { timeout: 0 } });
      assert.equal(reply.successful, true, JSON.stringify(reply));
    }
  });

  test('is told what is wrong when it is not complete', async () => {
    const clientId = await endpoint.session();
    const [noType] = await endpoint.send({ channel: '/meta/connect', clientId, id: '1', advice: { timeout: 0 } });
    assert.deepEqual([noType.successful, noType.error], [false, '402:connectionType:Missing required parameter']);
    const [noClient] = await endpoint.send({ channel: '/meta/connect', connectionType: 'long-polling', id: '1' });
    assert.deepEqual([noClient.successful, noClient.error], [false, '402:clientId:Missing required parameter']);
    const [strange] = await endpoint.send(connectMessage(clientId, { connectionType: 'pigeon' }));
    assert.equal(strange.successful, false);
    assert.match(strange.error, /^301:pigeon:/);
  });

  test('of a session that nobody knows is told to handshake anew', async () => {
    const [reply, ...rest] = await endpoint.connect('nobody0123456789abcdefghijklmnop');
    assert.deepEqual(rest, []);
    assert.deepEqual([reply.successful, reply.error, reply.id], [false, '401:nobody0123456789abcdefghijklmnop:Unknown client', '2']);
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

withServer('A Bayeux subscription', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('is confirmed in the shape in which it was asked for', async () => {
    const clientId = await endpoint.session();
    for (const subscription of ['/one', ['/one', '/two', '/three/*'], [], '/**', '/deep/**', '/a-b_c!~()$@']) {
      const [reply] = await endpoint.send(subscribeMessage(clientId, subscription, { id: 'x' }));
      assert.deepEqual([reply.channel, reply.successful, reply.id, reply.subscription], ['/meta/subscribe', true, 'x', subscription]);
      assert.equal('data' in reply, false);
    }
  });

  test('to several channels hears them all', async () => {
    const clientId = await endpoint.session();
    await endpoint.subscribe(clientId, ['/s1', '/s2/*']);
    await server.publish('s1', 1);
    await server.publish('s2/x', 2);
    assert.deepEqual(unordered((await endpoint.poll(clientId, 2)).map(({ data }) => data)), unordered([1, 2]));
  });

  test('to several channels of which one is bad is refused whole', async () => {
    const clientId = await endpoint.session();
    const subscription = ['/good', '/meta/x', '/fine'];
    const [reply] = await endpoint.send(subscribeMessage(clientId, subscription));
    assert.deepEqual([reply.successful, reply.error, reply.subscription], [false, '403:/meta/x:Forbidden channel', subscription]);
    assert.equal(reply.advice, undefined);
    await server.publish('good', 1);
    const [, ...deliveries] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
    assert.deepEqual(deliveries, []);
  });

  const REFUSED = {
    '/meta/connect': 403, '/meta/*': 403, '/meta/**': 403, '/meta': 403,
    'no-slash': 405, '': 405, '/': 405, '//': 405, '/a//b': 405, '/a/': 405, '/a.b': 405, '/a b': 405, '/a+b': 405, '/a:b': 405, '/ä': 405,
    '/a/*/b': 405, '/a/**/b': 405, '/a*': 405, '/***': 405, '/a\n': 405,
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
      const [reply] = await endpoint.send({ channel: '/meta/unsubscribe', clientId, subscription, id: 'u' });
      assert.deepEqual([reply.successful, reply.subscription, reply.id], [true, subscription, 'u']);
    }
    await server.publish('again', 2);
    const [, ...deliveries] = await endpoint.connect(clientId, { advice: { timeout: 0 } });
    assert.deepEqual(deliveries, []);
  });

  test('of a session that nobody knows is refused without advice', async () => {
    for (const channel of ['/meta/subscribe', '/meta/unsubscribe']) {
      const [reply] = await endpoint.send({ channel, clientId: 'nobody', subscription: '/a', id: '1' });
      assert.deepEqual([reply.successful, reply.subscription, reply.advice], [false, '/a', undefined]);
      assert.match(reply.error, /^401:nobody:/);
    }
  });

  test('without a channel is told so', async () => {
    const clientId = await endpoint.session();
    const [reply] = await endpoint.send({ channel: '/meta/subscribe', clientId, id: '1' });
    assert.deepEqual([reply.successful, reply.error], [false, '402:subscription:Missing required parameter']);
  });

  test('takes effect before the next message of the same request', async () => {
    const clientId = await endpoint.session();
    const replies = await endpoint.send([
      subscribeMessage(clientId, '/first', { id: '1' }),
      { channel: '/meta/unsubscribe', clientId, subscription: '/first', id: '2' },
      subscribeMessage(clientId, '/second', { id: '3' }),
    ]);
    assert.deepEqual(replies.map(({ id, successful }) => [id, successful]), [['1', true], ['2', true], ['3', true]]);
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
      const [reply] = await endpoint.send({ channel, clientId, subscription: '/a', connectionType: 'long-polling', id: '1' });
      assert.deepEqual([reply.channel, reply.successful], [channel, false]);
      assert.match(reply.error, /^403:/);
    }
  });

  test('without a proper channel is answered with an error, each by itself', async () => {
    const clientId = await endpoint.session();
    const replies = await endpoint.send([{ id: 'a', clientId }, { channel: 7, id: 'b', clientId }, { channel: 'x', data: 1, id: 'c', clientId }]);
    assert.deepEqual(replies.map(({ id, successful }) => [id, successful]), [['a', false], ['b', false], ['c', false]]);
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
    assert.deepEqual(replies.map(({ channel, successful }) => [channel, successful]), [['/meta/handshake', true], ['/meta/subscribe', false]]);
  });

  test('may come a thousand times in one request, but not more', async () => {
    const clientId = await endpoint.session();
    const many = (count) => JSON.stringify(Array.from({ length: count }, (_, n) => subscribeMessage(clientId, '/same', { id: String(n) })));
    const post = (body) => call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body });
    const answer = await post(many(1000));
    assert.equal(answer.json.filter(({ successful }) => successful).length, 1000);
    const refused = await post(many(1001));
    assert.ok(refused.status >= 400 && refused.status < 500, String(refused.status));
  });
});

withServer('JSON-P', { realms }, (server) => {
  const endpoint = new Endpoint(server);
  const get = (messages, callback) => {
    const query = new URLSearchParams({ message: JSON.stringify(messages) });
    if (callback !== undefined) query.set('jsonp', callback);
    return call(server, 'GET', `/bayeux?${query}`);
  };
  const unwrap = (text, callback) => JSON.parse(text.slice(`/**/${callback}(`.length, -');'.length));

  for (const callback of ['__jsonp1__', '_cometd_jsonp_17', 'a.b.$c', 'jsonpcallback']) {
    test(`answers a handshake as a call of ${callback}`, async () => {
      const { status, headers, text } = await get([handshakeMessage()], callback === 'jsonpcallback' ? undefined : callback);
      assert.equal(status, 200);
      assert.ok(text.startsWith(`/**/${callback}([{`) && text.endsWith('}]);'), text);
      assert.equal(unwrap(text, callback)[0].successful, true);
      assert.match(headers['content-type'], /^text\/javascript/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-disposition'], /^attachment/);
      assert.match(headers['cache-control'], /no-store/);
    });
  }

  for (const callback of ['alert(1)', 'a;b', '1a', 'a..b', '.a', 'a.', '', 'a b', 'a\u2028', '<script>', `x${'y'.repeat(64)}`, 'a[0]']) {
    test(`refuses to call ${JSON.stringify(callback)}`, async () => {
      const { status, text } = await get([handshakeMessage()], callback);
      assert.equal(status, 400);
      assert.ok(callback === '' || !text.includes(callback), text);
    });
  }

  test('carries a whole session, with its held polls', async () => {
    const clientId = await endpoint.handshake();
    const ask = async (message) => unwrap((await get([message], 'f')).text, 'f');
    await ask(connectMessage(clientId, { connectionType: 'callback-polling', advice: { timeout: 0 } }));
    assert.equal((await ask(subscribeMessage(clientId, '/p')))[0].successful, true);
    const poll = ask(connectMessage(clientId, { connectionType: 'callback-polling' }));
    await pause(200);
    await server.publish('p', { n: 1 });
    assert.deepEqual((await poll).filter(isDelivery), [{ channel: '/p', data: { n: 1 } }]);
  });

  test('escapes the two characters that end a line in a script but not in JSON', async () => {
    const clientId = await endpoint.session('/lines');
    await server.publish('lines', 'a\u2028b\u2029c');
    const { text } = await get([connectMessage(clientId, { connectionType: 'callback-polling' })], 'f');
    assert.ok(!/[\u2028\u2029]/.test(text), JSON.stringify(text));
    assert.equal(unwrap(text, 'f').find(isDelivery).data, 'a\u2028b\u2029c');
  });

  test('refuses a message that is none', async () => {
    for (const query of ['message=&jsonp=f', 'message=hello&jsonp=f', 'message=%5B&jsonp=f', 'message=%&jsonp=f']) {
      assert.equal((await call(server, 'GET', `/bayeux?${query}`)).status, 400, query);
    }
  });
});

withServer('CORS', { realms }, (server) => {
  const origin = 'https://www.example.com:8443';

  test('preflight allows what Faye and CometD ask for', async () => {
    for (const requested of ['pragma', 'content-type', 'x-requested-with, pragma', 'authorization']) {
      const { status, headers } = await call(server, 'OPTIONS', '/bayeux', {
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': requested },
      });
      assert.ok([200, 204].includes(status), String(status));
      const allowed = headers['access-control-allow-headers'].toLowerCase().split(/,\s*/);
      for (const name of requested.split(', ')) assert.ok(allowed.includes(name), `${name} in ${allowed}`);
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.match(headers['access-control-allow-methods'], /POST/);
      assert.match(headers['access-control-allow-methods'], /GET/);
      assert.ok(Number(headers['access-control-max-age']) > 0);
    }
  });

  test('lets the page of any origin read the answer', async () => {
    const { headers, json } = await call(server, 'POST', '/bayeux', {
      headers: { origin, 'content-type': 'text/plain;charset=UTF-8' },
      body: `message=${encodeURIComponent(JSON.stringify([handshakeMessage()]))}`,
    });
    assert.equal(json[0].successful, true);
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.match(headers.vary, /origin/i);
  });

  test('lets the page of any origin read a refusal as well', async () => {
    const { status, headers } = await call(server, 'POST', '/bayeux', { headers: { origin, 'content-type': 'application/json' }, body: 'x' });
    assert.equal(status, 400);
    assert.equal(headers['access-control-allow-origin'], origin);
  });

  test('is not spoken of to a request without an origin', async () => {
    const { headers } = await call(server, 'POST', '/bayeux', { headers: { 'content-type': 'application/json' }, body: JSON.stringify(handshakeMessage()) });
    assert.equal(headers['access-control-allow-credentials'], undefined);
  });
});
