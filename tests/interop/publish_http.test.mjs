// The HTTP that publishers really speak (RFC 9112), byte by byte.

import assert from 'node:assert/strict';

import { Endpoint } from '../support/bayeux.mjs';
import { RawConnection } from '../support/http.mjs';
import { pause } from '../support/inbox.mjs';
import { bearer } from '../support/jwt.mjs';
import { test, withServer } from '../support/suite.mjs';

withServer('A publish request', {}, (server) => {
  async function subscriber(t, channel) {
    const socket = await new Endpoint(server).socket();
    t.after(() => socket.close());
    await socket.session(channel);
    return socket;
  }
  async function connection(t) {
    const raw = await RawConnection.open(server.port);
    t.after(() => raw.destroy());
    return raw;
  }
  const bodyFor = (channel, data) => JSON.stringify({ items: [{ channel, 'json-object': data }] });
  const target = '/realm/demo/publish/';

  function request(
    body,
    { version = 'HTTP/1.1', host = `127.0.0.1:${server.port}`, path = target, headers = {} } = {},
  ) {
    const all = {
      Host: host,
      Authorization: bearer(server.realm),
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    };
    const lines = Object.entries(all)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} ${version}\r\n${lines.join('')}\r\n${body}`;
  }
  const data = async (socket) => (await socket.delivery()).data;

  test('may come many times over one connection', async (t) => {
    const [socket, raw] = [await subscriber(t, '/alive'), await connection(t)];
    for (let n = 0; n < 50; n++) {
      raw.write(request(bodyFor('alive', n)));
      assert.equal((await raw.response()).status, 200);
      assert.equal(await data(socket), n);
    }
  });

  test('finds its connection still open after a pause', async (t) => {
    const [socket, raw] = [await subscriber(t, '/pause'), await connection(t)];
    for (const n of [1, 2]) {
      raw.write(request(bodyFor('pause', n)));
      assert.equal((await raw.response()).status, 200);
      assert.equal(await data(socket), n);
      await pause(3000);
    }
    assert.equal(raw.isEnded, false);
  });

  test('may be followed by others before it is answered, and all are answered in order', async (t) => {
    const [socket, raw] = [await subscriber(t, '/pipe'), await connection(t)];
    const bodies = [bodyFor('pipe', 1), 'not JSON', bodyFor('pipe', 2), bodyFor('pipe', 3)];
    raw.write(bodies.map((body) => request(body)).join(''));
    const statuses = [];
    for (const _ of bodies) statuses.push((await raw.response()).status);
    assert.deepEqual(statuses, [200, 400, 200, 200]);
    assert.deepEqual(
      (await socket.deliveries(3)).map((delivery) => delivery.data),
      [1, 2, 3],
    );
  });

  test('may come in pieces of any size', async (t) => {
    const [socket, raw] = [await subscriber(t, '/pieces'), await connection(t)];
    raw.socket.setNoDelay(true);
    const bytes = request(bodyFor('pieces', { text: 'in pieces' }));
    for (let i = 0; i < bytes.length; i += 7) {
      raw.write(bytes.slice(i, i + 7));
      await pause(1);
    }
    assert.equal((await raw.response()).status, 200);
    assert.deepEqual(await data(socket), { text: 'in pieces' });
  });

  test('may be of HTTP/1.0, after whose answer the connection ends', async (t) => {
    const [socket, raw] = [await subscriber(t, '/old'), await connection(t)];
    raw.write(request(bodyFor('old', 1), { version: 'HTTP/1.0' }));
    assert.equal((await raw.response()).status, 200);
    assert.ok(await raw.ends());
    assert.equal(await data(socket), 1);
  });

  test('may be of HTTP/1.0 without a Host', async (t) => {
    const [socket, raw] = [await subscriber(t, '/hostless'), await connection(t)];
    raw.write(request(bodyFor('hostless', 1), { version: 'HTTP/1.0', host: undefined }));
    assert.equal((await raw.response()).status, 200);
    assert.equal(await data(socket), 1);
  });

  test('may be of HTTP/1.0 and keep its connection', async (t) => {
    const [socket, raw] = [await subscriber(t, '/old-alive'), await connection(t)];
    for (const n of [1, 2]) {
      raw.write(
        request(bodyFor('old-alive', n), {
          version: 'HTTP/1.0',
          headers: { Connection: 'keep-alive' },
        }),
      );
      const { status, headers } = await raw.response();
      assert.equal(status, 200);
      if (headers.connection?.toLowerCase() !== 'keep-alive') return; // closing is allowed as well
      assert.equal(await data(socket), n);
    }
  });

  test('may carry the whole URL, as through a proxy', async (t) => {
    const [socket, raw] = [await subscriber(t, '/proxied'), await connection(t)];
    raw.write(
      request(bodyFor('proxied', 1), {
        path: `http://api.fanout.io${target}`,
        host: 'api.fanout.io',
      }),
    );
    assert.equal((await raw.response()).status, 200);
    assert.equal(await data(socket), 1);
  });

  test('is told to continue when it waits for that', async (t) => {
    const [socket, raw] = [await subscriber(t, '/expect'), await connection(t)];
    const [head, body] = request(bodyFor('expect', 'x'.repeat(2000)), {
      headers: { Expect: '100-continue' },
    }).split('\r\n\r\n');
    raw.write(`${head}\r\n\r\n`);
    assert.equal((await raw.response()).status, 100);
    raw.write(body);
    assert.equal((await raw.response()).status, 200);
    assert.equal((await data(socket)).length, 2000);
  });

  test('is answered also when it waits for a continue and sends its body all the same', async (t) => {
    const [socket, raw] = [await subscriber(t, '/impatient'), await connection(t)];
    raw.write(request(bodyFor('impatient', 1), { headers: { Expect: '100-continue' } }));
    const first = await raw.response();
    const final = first.status === 100 ? await raw.response() : first;
    assert.equal(final.status, 200);
    assert.equal(await data(socket), 1);
  });

  test('may be chunked', async (t) => {
    const [socket, raw] = [await subscriber(t, '/chunked'), await connection(t)];
    const body = bodyFor('chunked', 'in two');
    const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const head = request('', {
      headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
    });
    raw.write(head + chunk(body.slice(0, 9)) + chunk(body.slice(9)) + chunk(''));
    assert.equal((await raw.response()).status, 200);
    assert.equal(await data(socket), 'in two');
  });

  for (const [what, headers] of Object.entries({
    'no Accept and no User-Agent': {},
    'an Accept that would rather have something else': { Accept: 'text/html' },
    'no Content-Type': { 'Content-Type': undefined },
    'another Content-Type': { 'Content-Type': 'text/plain;charset=UTF-8' },
    'Accept-Encoding': { 'Accept-Encoding': 'gzip, deflate' },
    'header names in capitals': { 'Content-Type': undefined, 'CONTENT-TYPE': 'application/json' },
    'Content-Type with a charset': { 'Content-Type': 'application/json; charset=utf-8' },
  })) {
    test(`may have ${what}`, async (t) => {
      const [socket, raw] = [await subscriber(t, '/headers'), await connection(t)];
      raw.write(request(bodyFor('headers', what), { headers }));
      const { status, body } = await raw.response();
      assert.equal(status, 200, body);
      assert.equal(await data(socket), what);
    });
  }

  test('with an empty Authorization header is one without credentials, not a broken one', async (t) => {
    const raw = await connection(t);
    raw.write(request(bodyFor('empty', 1), { headers: { Authorization: '' } }));
    assert.equal((await raw.response()).status, 401);
  });

  test('is never redirected', async (t) => {
    for (const path of [
      '/realm/demo/publish',
      '/realm/demo/publish/',
      '/realm/demo/publish/a',
      '/realm/demo/publish/a/',
      '/realm/demo/publish/?x=y',
    ]) {
      const raw = await connection(t);
      raw.write(request(bodyFor('a', 1), { path }));
      assert.equal((await raw.response()).status, 200, path);
    }
  });

  test('that asks for its connection to be closed gets that', async (t) => {
    const raw = await connection(t);
    raw.write(request(bodyFor('a', 1), { headers: { Connection: 'close' } }));
    assert.equal((await raw.response()).status, 200);
    assert.ok(await raw.ends());
  });
});
