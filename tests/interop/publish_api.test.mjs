// POST /realm/{realm}/publish/: who may, what an item looks like, and what is said about a bad one.

import assert from 'node:assert/strict';
import http from 'node:http';

import { Endpoint, isDelivery } from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { unordered } from '../support/inbox.mjs';
import { basic, bearer, secondsFromNow, sign, tokenFor } from '../support/jwt.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const [demo, open, other] = [
  makeRealm('demo'),
  makeRealm('open', { anonymous_publish: true }),
  makeRealm('other'),
];
const MESSAGE_BYTES_MAX = 65_536;

withServer('The publish API', { realms: [demo, open, other] }, (server) => {
  /** A listener on everything of a realm. */
  async function listener(t, realm = demo) {
    const socket = await new Endpoint(server, { path: `/r/${realm.id}/bayeux` }).socket();
    t.after(() => socket.close());
    await socket.session('/**');
    return socket;
  }
  const received = async (socket, count) =>
    (await socket.deliveries(count)).map(({ channel, data }) => [channel.slice(1), data]);
  /** One more publication proves that the listener still hears; whatever else was let in comes about then. */
  async function hearsNothingBut(socket, realm, expected = []) {
    await server.publish('end', 'end', {}, { realm });
    assert.deepEqual(
      unordered(await received(socket, expected.length + 1)),
      unordered([...expected, ['end', 'end']]),
    );
    await assert.rejects(socket.delivery(20), /none of these/);
  }

  const item = (channel, data) => ({ channel, 'json-object': data });

  // ---- where

  for (const slash of ['/', '']) {
    test(`takes items at /publish${slash} and answers 200`, async (t) => {
      const socket = await listener(t);
      const answer = await server.post(
        { items: [item('a', 1)] },
        { path: `/realm/demo/publish${slash}` },
      );
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(await received(socket, 1), [['a', 1]]);
    });
  }

  test('takes a path with one slash too many, or with escapes, as libraries and proxies make them', async (t) => {
    const socket = await listener(t);
    for (const path of ['/realm/demo//publish/', '/realm/%64emo/publish/']) {
      const answer = await server.post({ items: [item('a', path)] }, { path });
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal((await received(socket, 2)).length, 2);
  });

  test('lets pages of every origin read its refusals', async () => {
    for (const [method, path, status] of [
      ['POST', '/realm/nobody/publish/', 404],
      ['POST', '/realm/demo/nowhere/', 404],
      ['GET', '/realm/demo/publish/', 405],
    ]) {
      const answer = await call(server, method, path, { headers: { Origin: 'https://a.example' } });
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example', path);
    }
  });

  test('says the date', async () => {
    const { headers } = await server.post({ items: [item('a', 1)] });
    assert.ok(Math.abs(new Date(headers.date) - Date.now()) < 60_000, headers.date);
  });

  test('takes the channel from the path, percent-decoded, in the older form of the call', async (t) => {
    const socket = await listener(t);
    const paths = [
      '/realm/demo/publish/from-path/',
      '/realm/demo/publish/from-path',
      '/realm/demo/publish/%66rom-path/',
      '/realm/demo/publish/tenant%2Fuser/',
    ];
    for (const path of paths) {
      const answer = await server.post({ items: [{ fpp: path }] }, { path });
      assert.equal(answer.status, 200, answer.text);
    }
    assert.deepEqual(
      unordered(await received(socket, 4)),
      unordered([
        ['from-path', paths[0]],
        ['from-path', paths[1]],
        ['from-path', paths[2]],
        ['tenant/user', paths[3]],
      ]),
    );
  });

  test('knows no other method on that path, and says which it knows', async () => {
    const answer = await call(server, 'GET', '/realm/demo/publish/', {
      headers: { authorization: bearer(demo) },
    });
    assert.equal(answer.status, 405);
    assert.match(answer.headers.allow, /POST/);
  });

  // ---- what

  test('accepts every shape that an item has had', async (t) => {
    const socket = await listener(t);
    await server.publishItems([
      { channel: 'flat', 'json-object': 1 },
      { 'json-object': 2, channel: 'last' },
      { channel: 'nested', formats: { 'json-object': 3 } },
      { channel: 'stray', exports: {}, 'json-object': 4, unheard: [{ of: 'key' }] },
      { channel: 'old', fpp: 5 },
      { channel: 'nested-old', formats: { fpp: 6 } },
      {
        channel: 'many',
        'http-response': { body: 'x\n' },
        'http-stream': { content: 'x\n' },
        'ws-message': { content: 'x' },
        'json-object': 7,
      },
      { channel: 'sender', meta: { sender: 'x' }, 'no-seq': true, size: 10, 'json-object': 8 },
    ]);
    assert.deepEqual(
      unordered(await received(socket, 8)),
      unordered([
        ['flat', 1],
        ['last', 2],
        ['nested', 3],
        ['stray', 4],
        ['old', 5],
        ['nested-old', 6],
        ['many', 7],
        ['sender', 8],
      ]),
    );
  });

  test('delivers the bytes of the data as they were written, numbers included', async (t) => {
    const socket = await listener(t);
    const texts = [
      '9223372036854775807',
      '-0',
      '1.0',
      '1e400',
      '0.1000000000000000055511151231257827',
      '123456789012345678901234567890',
      '"\\u00e9\\/\\ud83d\\ude00"',
      '{"b":1,"a":2,"n":18446744073709551615}',
      '"日本"',
      'null',
      'true',
      '[]',
    ];
    for (const text of texts) {
      await server
        .post(`{"items":[{"channel":"exact","json-object":${text}}]}`)
        .then(({ status }) => assert.equal(status, 200, text));
      const frame = await socket.frames.find((bytes) => bytes.includes('/exact'));
      assert.ok(frame.includes(`"data":${text}`), `${text} came as ${frame}`);
    }
  });

  test('takes a batch over many channels and keeps the order of each', async (t) => {
    const socket = await listener(t);
    const items = Array.from({ length: 200 }, (_, n) => item(`channel-${n % 7}`, n));
    await server.publishItems(items);
    const arrived = await received(socket, 200);
    for (let channel = 0; channel < 7; channel++) {
      const own = arrived.filter(([name]) => name === `channel-${channel}`).map(([, n]) => n);
      assert.deepEqual(
        own,
        items.map((each) => each['json-object']).filter((n) => n % 7 === channel),
      );
    }
  });

  test('takes a request of a megabyte', async (t) => {
    const socket = await listener(t);
    const items = Array.from({ length: 20 }, (_, n) => item('big', String(n).padEnd(50_000, '.')));
    await server.publishItems(items);
    assert.deepEqual(
      (await received(socket, 20)).map(([, text]) => parseInt(text, 10)),
      items.map((_, n) => n),
    );
  });

  test('takes a message of 64 kB and refuses one byte more', async (t) => {
    const socket = await listener(t);
    await server.publish('full', 'x'.repeat(MESSAGE_BYTES_MAX - 2)); // the quotes count
    assert.equal((await received(socket, 1))[0][1].length, MESSAGE_BYTES_MAX - 2);
    const answer = await server.post({ items: [item('full', 'x'.repeat(MESSAGE_BYTES_MAX - 1))] });
    assert.equal(answer.status, 413, answer.text);
    assert.match(answer.json.error.message, /65536|64 ?Ki?B/i);
    await hearsNothingBut(socket, demo);
  });

  // ---- ids

  test('drops what comes twice under one id, also when both come at once', async (t) => {
    const socket = await listener(t);
    await Promise.all(
      Array.from({ length: 8 }, () => server.publish('twice', 'once', { id: 'same' })),
    );
    await server.publish('twice', 'again', { id: 'other' });
    await server.publish('elsewhere', 'own', { id: 'same' });
    await hearsNothingBut(socket, demo, [
      ['twice', 'once'],
      ['twice', 'again'],
      ['elsewhere', 'own'],
    ]);
  });

  test('puts what overtook its predecessor back into order', async (t) => {
    const socket = await listener(t);
    await server.publish('ordered', 1, { id: '1' });
    await server.publish('ordered', 3, { id: '3', 'prev-id': '2' });
    await server.publish('ordered', 4, { id: '4', 'prev-id': '3' });
    await server.publish('ordered', 2, { id: '2', 'prev-id': '1' });
    assert.deepEqual(
      (await received(socket, 4)).map(([, n]) => n),
      [1, 2, 3, 4],
    );
  });

  test('never loses what waits for a predecessor that does not come', async (t) => {
    const socket = await listener(t);
    await server.publish('orphan', 1, { id: '1' });
    await server.publish('orphan', 3, { id: '3', 'prev-id': '2' });
    assert.deepEqual(
      (await received(socket, 2)).map(([, n]) => n),
      [1, 3],
    );
  });

  test('lets pass at once what asks not to wait', async (t) => {
    const socket = await listener(t);
    await server.publish('hurry', 1, { id: '1' });
    await server.publish('hurry', 3, { id: '3', 'prev-id': '2' });
    await server.publish('hurry', 9, { id: '9', 'prev-id': '8', 'no-seq': true });
    assert.deepEqual(
      (await received(socket, 3)).map(([, n]) => n),
      [1, 9, 3],
    );
  });

  // ---- who

  const soon = () => ({ iss: demo.id, exp: secondsFromNow(60) });

  const CREDENTIALS_THAT_DO = {
    'a token': () => bearer(demo),
    'a token whose header has no typ': () => `Bearer ${sign(soon(), demo.key, { alg: 'HS256' })}`,
    'a token whose header comes in the other order': () =>
      `Bearer ${sign(soon(), demo.key, { alg: 'HS256', typ: 'JWT' })}`,
    'a token with claims beside iss and exp': () =>
      `Bearer ${sign({ ...soon(), iat: secondsFromNow(0), sub: 'x' }, demo.key)}`,
    'a token and a scheme in small letters': () => bearer(demo).replace('Bearer', 'bearer'),
    'user and password': () => basic(demo.id, demo.key),
  };
  for (const [what, authorization] of Object.entries(CREDENTIALS_THAT_DO)) {
    test(`lets in who brings ${what}`, async (t) => {
      const socket = await listener(t);
      await server.publishItems([item('let-in', what)], {
        headers: { authorization: authorization(), 'content-type': 'application/json' },
      });
      assert.deepEqual(await received(socket, 1), [['let-in', what]]);
    });
  }

  const CREDENTIALS_THAT_DO_NOT = {
    nothing: () => undefined,
    'an empty Authorization header': () => '',
    'the signature of another key': () => `Bearer ${sign(soon(), other.key)}`,
    'the token of another realm': () => bearer(other),
    "a token of this realm's name, signed by another realm": () =>
      `Bearer ${sign({ ...soon(), iss: 'demo' }, open.key)}`,
    "another realm's name, signed with this key": () =>
      `Bearer ${sign({ ...soon(), iss: 'other' }, demo.key)}`,
    'an expired token': () => `Bearer ${sign({ ...soon(), exp: secondsFromNow(-3600) }, demo.key)}`,
    'a token that is not valid yet': () =>
      `Bearer ${sign({ ...soon(), nbf: secondsFromNow(3600) }, demo.key)}`,
    'a token without exp': () => `Bearer ${sign({ iss: demo.id }, demo.key)}`,
    'a token without iss': () => `Bearer ${sign({ exp: secondsFromNow(60) }, demo.key)}`,
    'a token of alg none': () =>
      `Bearer ${sign(soon(), demo.key, { alg: 'none' }).replace(/[^.]*$/, '')}`,
    'a token of alg none that is signed': () => `Bearer ${sign(soon(), demo.key, { alg: 'none' })}`,
    'a token of alg HS512 in name': () => `Bearer ${sign(soon(), demo.key, { alg: 'HS512' })}`,
    'a token cut short': () => bearer(demo).slice(0, -2),
    'a token and something after it': () => `${bearer(demo)}.x`,
    'no token after the scheme': () => 'Bearer',
    'a wrong password': () => basic(demo.id, other.key),
    'a wrong user': () => basic(other.id, demo.key),
    'a scheme that nobody knows': () => 'Digest username="demo"',
  };
  for (const [what, authorization] of Object.entries(CREDENTIALS_THAT_DO_NOT)) {
    test(`answers 401 to ${what}, and publishes nothing`, async (t) => {
      const socket = await listener(t);
      const headers = { 'content-type': 'application/json' };
      if (authorization() !== undefined) headers.authorization = authorization();
      const answer = await server.post({ items: [item('shut', 1)] }, { headers });
      assert.ok([401, 403].includes(answer.status), `${answer.status} ${answer.text}`);
      if (answer.status === 401)
        assert.ok(answer.headers['www-authenticate'], 'RFC 9110 section 11.6.1 wants a challenge');
      assertError(answer);
      await hearsNothingBut(socket, demo);
    });
  }

  test('tells nobody which realms there are', async () => {
    const headers = { authorization: bearer(demo), 'content-type': 'application/json' };
    const [unknown, foreign] = [
      await server.post({ items: [item('a', 1)] }, { path: '/realm/nobody/publish/', headers }),
      await server.post({ items: [item('a', 1)] }, { path: '/realm/other/publish/', headers }),
    ];
    assert.ok(
      unknown.status === 401 || unknown.status === 403 || unknown.status === 404,
      String(unknown.status),
    );
    assert.ok(foreign.status === 401 || foreign.status === 403, String(foreign.status));
    assert.ok(!unknown.text.includes(demo.key) && !foreign.text.includes(other.key));
  });

  test('takes from anyone what goes to a channel that starts with !, where the realm allows it', async (t) => {
    const socket = await listener(t, open);
    const headers = { 'content-type': 'application/json' };
    const answer = await server.post({ items: [item('!wall', 'hello')] }, { realm: open, headers });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await received(socket, 1), [['!wall', 'hello']]);
    const mixed = await server.post(
      { items: [item('!wall', 1), item('news', 2)] },
      { realm: open, headers },
    );
    assert.equal(mixed.status, 401, mixed.text);
    await hearsNothingBut(socket, open);
  });

  test('takes nothing from anyone where the realm does not say so', async (t) => {
    const socket = await listener(t);
    const answer = await server.post(
      { items: [item('!wall', 'hello')] },
      { headers: { 'content-type': 'application/json' } },
    );
    assert.equal(answer.status, 401, answer.text);
    await hearsNothingBut(socket, demo);
  });

  test('lets a page of another origin publish', async () => {
    const origin = 'https://www.example.com';
    const preflight = await call(server, 'OPTIONS', '/realm/open/publish/', {
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    assert.ok([200, 204].includes(preflight.status), String(preflight.status));
    assert.match(preflight.headers['access-control-allow-headers'], /content-type/i);
    assert.match(preflight.headers['access-control-allow-methods'], /POST/);
    const answer = await server.post(
      { items: [item('!wall', 1)] },
      { realm: open, headers: { origin, 'content-type': 'application/json' } },
    );
    for (const { headers } of [preflight, answer]) {
      assert.ok(
        [origin, '*'].includes(headers['access-control-allow-origin']),
        headers['access-control-allow-origin'],
      );
    }
  });

  // ---- what is wrong with it

  function assertError(answer) {
    const { error } = answer.json;
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(error.code, /^[a-z_]+$/);
    assert.ok(error.message.length > 10, error.message);
    return error;
  }

  // The second of three items is the bad one; its neighbours are good.
  const BAD_ITEMS = {
    'has no channel': [{ 'json-object': 1 }, /channel/],
    'has a channel that is a number': [{ channel: 7, 'json-object': 1 }, /channel/],
    'has an empty channel': [{ channel: '', 'json-object': 1 }, /channel/],
    'has a channel that Bayeux does not allow': [{ channel: 'a b.c', 'json-object': 1 }, /channel/],
    'has a channel with a wildcard': [{ channel: 'news/*', 'json-object': 1 }, /channel/],
    'has a channel under /meta': [{ channel: 'meta/connect', 'json-object': 1 }, /channel/],
    'has a channel name without end': [{ channel: 'x'.repeat(300), 'json-object': 1 }, /channel/],
    'has no format that anybody could receive': [
      { channel: 'a', 'carrier-pigeon': 1 },
      /format|json-object/,
    ],
    'has no format at all': [{ channel: 'a' }, /format|json-object/],
    'has formats that are no object': [{ channel: 'a', formats: 7 }, /format/],
    'has an id that is a number': [{ channel: 'a', id: 7, 'json-object': 1 }, /id/],
    'has a prev-id that is a list': [
      { channel: 'a', id: 'x', 'prev-id': ['y'], 'json-object': 1 },
      /prev-id/,
    ],
    'is no object': [17, /object/],
  };
  for (const [what, [bad, field]] of Object.entries(BAD_ITEMS)) {
    test(`refuses the whole batch when one item ${what}, and says which and why`, async (t) => {
      const socket = await listener(t);
      const answer = await server.post({ items: [item('good', 1), bad, item('good', 3)] });
      assert.equal(answer.status, 400, answer.text);
      const { message } = assertError(answer);
      assert.match(message, field);
      assert.match(message, /items?\W*[12]\b/, 'names the item');
      await hearsNothingBut(socket, demo);
    });
  }

  const BAD_BODIES = {
    nothing: '',
    text: 'hello',
    'JSON that ends too early': '{"items":[{"channel":"a","json-object":{"x":1}}',
    'JSON with a bad literal in the data': '{"items":[{"channel":"a","json-object":{"x":tru}}]}',
    'JSON with a comma too many in the data': '{"items":[{"channel":"a","json-object":[1,,2]}]}',
    'JSON with a number that starts with 0': '{"items":[{"channel":"a","json-object":01}]}',
    'JSON with NaN': '{"items":[{"channel":"a","json-object":NaN}]}',
    'JSON with a control character in a text': '{"items":[{"channel":"a","json-object":"\u0001"}]}',
    'something after the JSON': '{"items":[{"channel":"a","json-object":1}]} x',
    'a list': '[{"channel":"a","json-object":1}]',
    'an object without items': '{"item":[]}',
    'items that are no list': '{"items":{"channel":"a","json-object":1}}',
    'a hundred thousand open brackets': `{"items":[{"channel":"a","json-object":${'['.repeat(100_000)}`,
    'JSON that is far too deep': `{"items":[{"channel":"a","json-object":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`,
  };
  for (const [what, body] of Object.entries(BAD_BODIES)) {
    test(`refuses ${what}, and publishes nothing`, async (t) => {
      const socket = await listener(t);
      const answer = await server.post(body);
      assert.ok([400, 413].includes(answer.status), `${answer.status} ${answer.text}`);
      assertError(answer);
      await hearsNothingBut(socket, demo);
    });
  }

  test('answers 400 to a text that is not UTF-8, and publishes nothing', async (t) => {
    const socket = await listener(t);
    const answer = await call(server, 'POST', '/realm/demo/publish/', {
      headers: { authorization: bearer(demo), 'content-type': 'application/json' },
      body: Buffer.concat([
        Buffer.from('{"items":[{"channel":"a","json-object":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}]}'),
      ]),
    });
    assert.equal(answer.status, 400, answer.text);
    await hearsNothingBut(socket, demo);
  });

  test('answers 413 to a body beyond the limit without reading it all', async () => {
    const answer = await call(server, 'POST', '/realm/demo/publish/', {
      headers: {
        authorization: bearer(demo),
        'content-type': 'application/json',
        expect: '100-continue',
      },
      body: 'x'.repeat(3_000_000),
    }).catch((error) => error);
    // Closing while the body is still on its way may reset the connection before the answer is read.
    assert.ok(
      answer.status === 413 || ['ECONNRESET', 'EPIPE'].includes(answer.code),
      String(answer.status ?? answer),
    );
  });

  test('reports success only for what a subscriber of the other transport gets as well', async (t) => {
    const socket = await listener(t);
    const endpoint = new Endpoint(server, { path: '/r/demo/bayeux' });
    const clientId = await endpoint.session('/both');
    await server.publish('both', { n: 1 });
    assert.deepEqual(await received(socket, 1), [['both', { n: 1 }]]);
    const [delivery] = (await endpoint.poll(clientId, 1)).filter(isDelivery);
    assert.deepEqual(delivery, { channel: '/both', data: { n: 1 } });
  });

  test('is not confused by the token of one request when the next on the same connection has another', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const statuses = [];
    for (const token of [tokenFor(demo), 'wrong', tokenFor(other), tokenFor(demo)]) {
      const answer = await call(server, 'POST', '/realm/demo/publish/', {
        agent,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ items: [item('a', 1)] }),
      });
      statuses.push(answer.status === 403 ? 401 : answer.status);
    }
    agent.destroy();
    assert.deepEqual(statuses, [200, 401, 401, 200]);
  });
});
