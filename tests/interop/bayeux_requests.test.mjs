// Bayeux over HTTP: how a request may look, and the handshake.

import assert from 'node:assert/strict';

import { ALL_TRANSPORTS, Endpoint, handshakeMessage } from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const TIMEOUT_MS = 2000;
const realms = [makeRealm('demo', { bayeux: { connect_timeout: `${TIMEOUT_MS}ms` } })];

withServer('A Bayeux handshake over HTTP', { realms }, (server) => {
  const endpoint = new Endpoint(server);

  test('opens a session and lists every transport, whatever the client offers', async () => {
    for (const supportedConnectionTypes of [
      ALL_TRANSPORTS,
      ['long-polling'],
      ['in-process', 'websocket', 'long-polling'],
      ['callback-polling'],
    ]) {
      const [reply, ...rest] = await endpoint.send(handshakeMessage({ supportedConnectionTypes }));
      assert.deepEqual(rest, []);
      const { clientId, supportedConnectionTypes: listed, advice, ...others } = reply;
      assert.deepEqual(others, {
        channel: '/meta/handshake',
        id: '1',
        version: '1.0',
        successful: true,
      });
      assert.match(clientId, /^[0-9a-zA-Z_-]{20,}$/);
      for (const type of [
        'websocket',
        'long-polling',
        'cross-origin-long-polling',
        'callback-polling',
      ])
        assert.ok(listed.includes(type), type);
      assert.deepEqual(advice, { reconnect: 'retry', interval: 0, timeout: TIMEOUT_MS });
    }
  });

  test('never gives one clientId twice', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => endpoint.handshake()));
    assert.equal(new Set(ids).size, 50);
  });

  test('accepts whatever version a client claims to speak, and fields that nobody knows', async () => {
    const [reply] = await endpoint.send({
      channel: '/meta/handshake',
      version: '9.0',
      minimumVersion: '8',
      id: 'x',
      ext: { ack: false },
      advice: { timeout: 60_000, interval: 0 },
      supportedConnectionTypes: ['long-polling'],
    });
    assert.equal(reply.successful, true, JSON.stringify(reply));
  });

  test('is refused for good, and without a storm of retries, when no transport fits', async () => {
    const [reply] = await endpoint.send(
      handshakeMessage({ supportedConnectionTypes: ['smoke-signals'] }),
    );
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
    'JSON labelled application/json;charset=UTF-8': [
      'application/json;charset=UTF-8',
      `[${handshake}]`,
    ],
    'JSON labelled text/json': ['text/json', `[${handshake}]`],
    'JSON labelled Application/JSON': ['Application/JSON', `[${handshake}]`],
    'JSON labelled text/plain': ['text/plain', `[${handshake}]`],
    'JSON labelled as a form': ['application/x-www-form-urlencoded', `[${handshake}]`],
    'a form labelled text/plain, as Faye sends across origins': ['text/plain;charset=UTF-8', form],
    'a form labelled as a form': ['application/x-www-form-urlencoded', form],
    'a form with other fields around the message': ['application/x-www-form-urlencoded', formPlus],
    'a form without a Content-Type': [undefined, form],
    'a form whose message is one object': [
      'text/plain',
      `message=${encodeURIComponent(handshake)}`,
    ],
    'chunks, as CometD sends on Node': [
      'application/json',
      ['[', handshake.slice(0, 10), handshake.slice(10), ']'],
    ],
  };
  for (const [what, [type, body]] of Object.entries(GOOD)) {
    test(`may be ${what}`, async () => {
      const answer = await call(server, 'POST', '/bayeux', {
        headers: type ? { 'content-type': type } : {},
        body,
      });
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
    const answer = await call(server, 'POST', '/bayeux', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    assert.deepEqual(
      answer.json.map(({ id, successful }) => [id, successful]),
      [
        ['1', true],
        ['2', false],
      ],
    );
    assert.match(answer.json[1].error, /^413:.*one handshake a request/);
  });

  test('may be an empty array, which is answered with one', async () => {
    const answer = await call(server, 'POST', '/bayeux', {
      headers: { 'content-type': 'application/json' },
      body: '[]',
    });
    assert.deepEqual([answer.status, answer.text.trim()], [200, '[]']);
  });

  for (const path of [
    '/bayeux/',
    '/bayeux/handshake',
    '/bayeux/connect',
    '/bayeux/a/b/c',
    '/bayeux?x=y',
    '/r/demo/bayeux',
    '/r/demo/bayeux/',
    '/r/demo/bayeux/handshake',
  ]) {
    test(`may go to ${path}`, async () => {
      const answer = await call(server, 'POST', path, {
        headers: { 'content-type': 'application/json' },
        body: handshake,
      });
      assert.equal(answer.json[0].successful, true, answer.text);
    });
  }

  test('may not go to a path that only begins like the right one', async () => {
    const answer = await call(server, 'POST', '/bayeuxx', {
      headers: { 'content-type': 'application/json' },
      body: handshake,
    });
    assert.equal(answer.status, 404);
  });

  const BAD = {
    nothing: ['application/json', ''],
    'a number': ['application/json', '17'],
    'a text': ['application/json', '"hello"'],
    null: ['application/json', 'null'],
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
      const answer = await call(server, 'POST', '/bayeux', {
        headers: { 'content-type': type },
        body,
      });
      assert.ok([400, 413].includes(answer.status), `${answer.status} ${answer.text}`);
      // Faye's Node client reads the body of any answer, and would take JSON for replies.
      assert.throws(() => JSON.parse(answer.text));
    });
  }

  for (const [method, path] of [
    ['GET', '/bayeux'],
    ['GET', '/bayeux?jsonp=f'],
    ['PUT', '/bayeux'],
    ['DELETE', '/bayeux'],
    ['PATCH', '/bayeux'],
  ]) {
    test(`is not what ${method} ${path} has`, async () => {
      const answer = await call(server, method, path);
      assert.ok([400, 405].includes(answer.status), String(answer.status));
      assert.throws(() => JSON.parse(answer.text));
    });
  }
});
