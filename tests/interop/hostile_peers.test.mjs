// Peers that are broken, slow or mean: each gets the answer it deserves, and a neighbour notices nothing.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';

import {
  connectMessage,
  Endpoint,
  handshakeMessage,
  subscribeMessage,
} from '../support/bayeux.mjs';
import { call, RawConnection } from '../support/http.mjs';
import { pause, until } from '../support/inbox.mjs';
import { bearer } from '../support/jwt.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';
import { encodeFrame, Opcode, RawWebSocket } from '../support/websocket.mjs';

const realms = [makeRealm('demo', { bayeux: { connect_timeout: '3s' } })];
const limits = { header_timeout: '2s', body_timeout: '2s' };
// What a neighbour may have to wait for a publication, sanitised build and busy machine included.
const NEIGHBOUR_MS_MAX = 2000;

withServer('A neighbour', { realms, limits }, (server) => {
  const endpoint = new Endpoint(server);

  /** Runs the mischief, and checks before and after that a WebSocket and a poller get what is published. */
  async function undisturbed(t, mischief) {
    const socket = await endpoint.socket();
    t.after(() => socket.close());
    await socket.session('/neighbour');
    const clientId = await endpoint.session('/neighbour');
    const check = async (n) => {
      const begin = performance.now();
      await server.publish('neighbour', n);
      assert.equal((await socket.delivery()).data, n);
      assert.equal((await endpoint.poll(clientId, 1))[0].data, n);
      const ms = performance.now() - begin;
      assert.ok(ms < NEIGHBOUR_MS_MAX, `waited ${ms} ms`);
    };
    await check(1);
    await mischief();
    await check(2);
  }
  async function raw(t) {
    const connection = await RawConnection.open(server.port);
    t.after(() => connection.destroy());
    return connection;
  }
  async function webSocket(t, options) {
    const socket = await RawWebSocket.open(server, options);
    t.after(() => socket.destroy());
    assert.equal(socket.upgrade.status, 101);
    return socket;
  }

  // ---- HTTP

  const head = (lines) =>
    `${['POST /bayeux HTTP/1.1', 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`;
  const BAD_HEADS = {
    'a head without end': [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}`, [431]],
    'a hundred thousand headers': [
      `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(100_000)}\r\n`,
      [431],
    ],
    'a path without end': [`GET /${'x'.repeat(12_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [414, 431]],
    'no HTTP at all': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\r\n\r\n', [400]],
    'a version of its own': ['GET / HTTP/3.0\r\nHost: x\r\n\r\n', [400, 505]],
    'two lengths': [`${head(['Content-Length: 2', 'Content-Length: 3'])}[]x`, [400]],
    'a negative length': [head(['Content-Length: -1']), [400]],
    'a length beyond all numbers': [head(['Content-Length: 99999999999999999999999']), [400, 413]],
    'a length beyond the limit': [head(['Content-Length: 3000000']), [413]],
    'a length and chunks': [
      `${head(['Content-Length: 2', 'Transfer-Encoding: chunked'])}0\r\n\r\n`,
      [400],
    ],
    'a coding beside chunked': [
      `${head(['Transfer-Encoding: gzip, chunked'])}0\r\n\r\n`,
      [400, 501],
    ],
    'a chunk size that is none': [`${head(['Transfer-Encoding: chunked'])}zz\r\n\r\n`, [400]],
    'a folded header': [`GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n`, [400]],
    'a space before the colon': [`GET / HTTP/1.1\r\nHost : x\r\n\r\n`, [400]],
    'NUL in a header': [`GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`, [400]],
    'no Host': ['GET /healthz HTTP/1.1\r\n\r\n', [400]],
    'two Hosts': ['GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', [400]],
    'an unknown expectation': [head(['Expect: miracles', 'Content-Length: 2']), [417, 400]],
    CONNECT: ['CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', [400, 404, 405, 501]],
  };
  for (const [what, [bytes, statuses]] of Object.entries(BAD_HEADS)) {
    test(`is not disturbed by ${what}, which is answered with ${statuses[0]}`, async (t) => {
      await undisturbed(t, async () => {
        const connection = await raw(t);
        connection.write(bytes);
        const { status } = await connection.response();
        assert.ok(statuses.includes(status), String(status));
        assert.ok(await connection.ends(), 'the connection stays open');
      });
    });
  }

  test('is not disturbed by thirty that send their heads byte by byte, and these are sent away', async (t) => {
    await undisturbed(t, async () => {
      const slow = await Promise.all(Array.from({ length: 30 }, () => raw(t)));
      for (const byte of 'GET /healthz HTT') {
        slow.forEach((connection) => connection.write(byte));
        await pause(100);
      }
      for (const connection of slow)
        assert.ok(await connection.ends(6000), 'a slow head may stay for ever');
    });
  });

  test('is not disturbed by thirty whose bodies never come, and these are sent away', async (t) => {
    await undisturbed(t, async () => {
      const slow = await Promise.all(Array.from({ length: 30 }, () => raw(t)));
      slow.forEach((connection) => connection.write(head(['Content-Length: 1000']) + '['));
      for (const connection of slow)
        assert.ok(await connection.ends(6000), 'a slow body may stay for ever');
    });
  });

  test('is not disturbed by connections that end in the middle of things', async (t) => {
    await undisturbed(t, async () => {
      const beginnings = [
        '',
        'G',
        'GET /healthz HTTP/1.1\r\n',
        head(['Content-Length: 10']) + '[',
        'GET /bayeux/static/x HTTP/1.1\r\nHost: x\r\n\r\n',
      ];
      for (const bytes of beginnings) {
        for (const leave of ['destroy', 'end', 'resetAndDestroy']) {
          const connection = await raw(t);
          connection.write(bytes);
          connection.socket[leave]();
        }
      }
      await pause(100);
    });
  });

  test('is not disturbed by a publisher that hangs up before its answer', async (t) => {
    await undisturbed(t, async () => {
      const body = JSON.stringify({ items: [{ channel: 'x', 'json-object': 1 }] });
      for (let n = 0; n < 50; n++) {
        const connection = await raw(t);
        connection.write(
          `POST /realm/demo/publish/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer(server.realm)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        connection.destroy();
      }
    });
  });

  test('is not disturbed by hundreds of requests in one packet', async (t) => {
    await undisturbed(t, async () => {
      const connection = await raw(t);
      connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500));
      for (let n = 0; n < 500; n++) assert.equal((await connection.response()).status, 200);
    });
  });

  test('is not disturbed by one that asks and asks and reads no answer', async (t) => {
    await undisturbed(t, async () => {
      const {
        json: { library },
      } = await call(server, 'GET', '/demo/info.json');
      const connection = await raw(t);
      connection.socket.pause();
      connection.write(`GET /bayeux/static/${library} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(500));
      await pause(500);
    });
  });

  // ---- WebSocket (RFC 6455)

  const message = JSON.stringify([handshakeMessage()]);
  const BAD_FRAMES = {
    'a frame that is not masked': [{ payload: message, masked: false }, 1002],
    'a reserved bit': [{ payload: message, rsv: 4 }, 1002],
    'another reserved bit': [{ payload: message, rsv: 1 }, 1002],
    'a reserved opcode': [{ opcode: 3, payload: message }, 1002],
    'a reserved control opcode': [{ opcode: 11 }, 1002],
    'a fragmented ping': [{ opcode: Opcode.ping, payload: 'x', fin: false }, 1002],
    'a ping that is too long': [{ opcode: Opcode.ping, payload: 'x'.repeat(126) }, 1002],
    'a continuation of nothing': [{ opcode: Opcode.continuation, payload: message }, 1002],
    'a close with half a code': [{ opcode: Opcode.close, payload: '\x03' }, 1002],
    'a close with a code that may not be sent': [
      { opcode: Opcode.close, payload: Buffer.from([1005 >> 8, 1005 & 255]) },
      1002,
    ],
    'a close whose reason is no UTF-8': [
      { opcode: Opcode.close, payload: Buffer.from([1000 >> 8, 1000 & 255, 0xc3, 0x28]) },
      1007,
    ],
    'a text that is no UTF-8': [{ payload: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }, 1007],
    'a message that is too long, as soon as its length is known': [
      { payload: 'x', length: 2_000_000 },
      1009,
    ],
    'a message of more bytes than there are': [{ payload: 'x', length: 2 ** 52 }, 1009],
  };
  for (const [what, [frame, code]] of Object.entries(BAD_FRAMES)) {
    test(`is not disturbed by ${what}, which is closed with ${code}`, async (t) => {
      await undisturbed(t, async () => {
        const socket = await webSocket(t);
        socket.send(frame);
        assert.equal(await socket.closeCode(), code);
        assert.ok(await socket.connection.ends(), 'the connection stays open');
      });
    });
  }

  test('is not disturbed by a length that is not written in the shortest way, or has its highest bit', async (t) => {
    await undisturbed(t, async () => {
      for (const [length, code] of [
        [[0x81, 0xfe, 0, 5], [1002]],
        [[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5], [1002]],
        [
          [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 5],
          [1002, 1009],
        ],
      ]) {
        const socket = await webSocket(t);
        socket.connection.write(Buffer.from([...length, 0, 0, 0, 0]));
        assert.ok(code.includes(await socket.closeCode()));
      }
    });
  });

  test('is not disturbed by a new message inside a fragmented one', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t);
      socket.send({ payload: '[', fin: false }).send({ payload: ']' });
      assert.equal(await socket.closeCode(), 1002);
    });
  });

  test('is not disturbed by fragments without end', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t);
      socket.send({ payload: 'x'.repeat(60_000), fin: false });
      for (let n = 0; n < 30; n++)
        socket.send({ opcode: Opcode.continuation, payload: 'x'.repeat(60_000), fin: false });
      assert.equal(await socket.closeCode(), 1009);
    });
  });

  test('is not disturbed by a compressed message that grows beyond all bounds', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t, {
        headers: 'Sec-WebSocket-Extensions: permessage-deflate\r\n',
      });
      if (!socket.upgrade.headers['sec-websocket-extensions']) return;
      socket.send({ rsv: 4, payload: deflateRawSync(Buffer.alloc(100_000_000, ' ')) });
      assert.equal(await socket.closeCode(), 1009);
    });
  });

  test('is not disturbed by a compressed message that is none', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t, {
        headers: 'Sec-WebSocket-Extensions: permessage-deflate\r\n',
      });
      if (!socket.upgrade.headers['sec-websocket-extensions']) return;
      socket.send({ rsv: 4, payload: Buffer.alloc(50, 0xff) });
      assert.ok([1002, 1007].includes(await socket.closeCode()));
    });
  });

  test('is not disturbed by binary messages, which are read as text or refused', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t);
      socket.send({ opcode: Opcode.binary, payload: message });
      const frame = await socket.frame();
      if (frame.opcode === Opcode.close) assert.equal(frame.payload.readUInt16BE(0), 1003);
      else assert.equal(JSON.parse(frame.payload)[0].successful, true);
    });
  });

  test('is not disturbed by a frame that comes byte by byte', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t);
      socket.connection.socket.setNoDelay(true);
      for (const byte of encodeFrame({ payload: message })) {
        socket.connection.write(Buffer.from([byte]));
        await pause(1);
      }
      assert.equal(JSON.parse((await socket.frame()).payload)[0].successful, true);
    });
  });

  test('is not disturbed by pings without end', async (t) => {
    await undisturbed(t, async () => {
      const socket = await webSocket(t);
      socket.connection.write(
        Buffer.concat(
          Array.from({ length: 5000 }, () => encodeFrame({ opcode: Opcode.ping, payload: 'x' })),
        ),
      );
      for (let n = 0; n < 5000; n++) assert.equal((await socket.frame()).opcode, Opcode.pong);
    });
  });

  test('is not disturbed by WebSockets that go without a word', async (t) => {
    await undisturbed(t, async () => {
      for (let n = 0; n < 30; n++) {
        const socket = await webSocket(t);
        socket.send({ payload: message });
        socket.connection.socket[n % 2 ? 'destroy' : 'resetAndDestroy']();
      }
      await pause(100);
    });
  });

  test('is not disturbed by a subscriber that reads nothing, which loses its connection', async (t) => {
    await undisturbed(t, async () => {
      const deaf = await endpoint.socket();
      t.after(() => deaf.close());
      await deaf.session('/flood');
      let isClosed = false;
      deaf.closed.then(() => {
        isClosed = true;
      });
      deaf.ws._socket.pause();
      // Far more than the kernel's buffers and one connection's outbox hold.
      for (let n = 0; n < 40; n++) {
        // Random, so that compression does not make it little.
        const items = Array.from({ length: 20 }, () => ({
          channel: 'flood',
          'json-object': randomBytes(37_500).toString('base64'),
        }));
        await server.publishItems(items);
      }
      deaf.ws._socket.resume();
      await until(() => isClosed, 'the deaf subscriber is closed');
    });
  });

  // ---- Bayeux

  test('is not disturbed by one that subscribes to all it can think of', async (t) => {
    await undisturbed(t, async () => {
      const clientId = await endpoint.session();
      const subscribeTo = (names) => endpoint.send(subscribeMessage(clientId, names));
      const names = (begin, count) =>
        Array.from({ length: count }, (_, n) => `/channel/${begin + n}`);
      assert.equal(
        (await subscribeTo(names(0, 101)))[0].successful,
        false,
        'too many in one message',
      );
      for (let n = 0; n < 1000; n += 100)
        assert.equal((await subscribeTo(names(n, 100)))[0].successful, true);
      assert.equal((await subscribeTo('/one-too-many'))[0].successful, false);
    });
  });

  test('is not disturbed by names that are too long or too deep', async (t) => {
    await undisturbed(t, async () => {
      const clientId = await endpoint.session();
      for (const name of [`/${'x'.repeat(300)}`, '/x'.repeat(40), `/${'x'.repeat(200_000)}`]) {
        const [reply] = await endpoint.send(subscribeMessage(clientId, name));
        assert.equal(reply.successful, false);
      }
    });
  });

  test('is not disturbed by sessions that are made and forgotten', async (t) => {
    await undisturbed(t, async () => {
      await Promise.all(Array.from({ length: 300 }, () => endpoint.handshake()));
    });
  });

  test('is not disturbed by many polls of one session', async (t) => {
    await undisturbed(t, async () => {
      const clientId = await endpoint.session('/busy');
      const statuses = await Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          call(server, 'POST', '/bayeux', {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify([connectMessage(clientId, { id: String(n) })]),
          }).then(({ status }) => status),
        ),
      );
      assert.ok(statuses.includes(200), 'the newest one is answered');
    });
  });

  test('is not disturbed by a clientId of every wrong kind', async (t) => {
    await undisturbed(t, async () => {
      for (const clientId of [7, null, {}, [], true, '', 'x'.repeat(100_000)]) {
        const [reply] = await endpoint.send({
          channel: '/meta/connect',
          clientId,
          connectionType: 'long-polling',
          id: '1',
        });
        assert.equal(reply.successful, false);
      }
    });
  });
});
