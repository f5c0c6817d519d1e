// Behind a proxy: whose word about a visitor's address counts, and that limits per address mean it.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import http from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Endpoint, handshakeMessage } from '../support/bayeux.mjs';
import { call, RawConnection } from '../support/http.mjs';
import { pause, until } from '../support/inbox.mjs';
import { makeRealm, repository, Server } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const PER_ADDRESS = 3;
const options = {
  realms: [makeRealm('demo', { limits: { sessions_per_address_max: PER_ADDRESS } })],
  limits: { header_timeout: '1s' },
  settings: {
    trusted_proxies: ['127.0.0.1', '10.0.0.0/8'],
    listen: ['127.0.0.1:0', { address: '127.0.0.1:0', proxy_protocol: true }],
  },
};
// Sessions are counted by each worker for itself.
const ONE_WORKER = { workerCounts: [1] };

// Each test has visitors of its own: the sessions of those before it are still there.
let visitors = 0;
const newVisitor = () => `203.0.113.${++visitors}`;

const isRefused = ({ error }) => /^503.*sessions_per_address_max/.test(error ?? '');

/** One handshake: whether it made a session. All that is not refused for its address must succeed. */
async function handshake(server, extra = {}) {
  const answer = await call(server, 'POST', '/bayeux', {
    ...extra,
    headers: { 'content-type': 'application/json', ...extra.headers },
    body: JSON.stringify([handshakeMessage()]),
  });
  assert.equal(answer.status, 200, answer.text);
  const [reply] = answer.json;
  assert.ok(reply.successful || isRefused(reply), JSON.stringify(reply));
  return reply.successful;
}

/** How many of so many handshakes, one after the other, made a session. `extraOf(n)` is handshake's. */
async function count(server, tries, extraOf) {
  let made = 0;
  for (let n = 0; n < tries; n++) if (await handshake(server, extraOf(n))) made++;
  return made;
}

const by = (field) => ({ headers: { 'x-forwarded-for': field } });
const byForwarded = (field) => ({ headers: { forwarded: field } });

withServer(
  'A visitor behind a trusted proxy',
  options,
  (server) => {
    test('has a limit of his own', async () => {
      for (const visitor of [newVisitor(), newVisitor(), '2001:db8:1::1']) {
        assert.equal(await count(server, PER_ADDRESS + 2, () => by(visitor)), PER_ADDRESS);
      }
      const [a, b] = [newVisitor(), newVisitor()];
      assert.equal(
        await count(server, PER_ADDRESS + 2, () => byForwarded(`proto=https;for=${a}`)),
        PER_ADDRESS,
      );
      assert.ok(await handshake(server, byForwarded(`for="${b}:4711"`)));
    });

    test('is one in whatever spelling, and in IPv6 his whole network is', async () => {
      const visitor = newVisitor();
      const spellings = [visitor, `::ffff:${visitor}`, `${visitor}:80`, `[::ffff:${visitor}]:80`];
      assert.equal(await count(server, 4, (n) => by(spellings[n])), PER_ADDRESS);
      assert.equal(await count(server, 5, (n) => by(`2001:db8:2:3:${n}::1`)), PER_ADDRESS);
      assert.ok(await handshake(server, by('2001:db8:2:4::1')));
    });

    test('is told from the others on one connection, for each request anew', async (t) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      const [a, b] = [newVisitor(), newVisitor()];
      const seen = { [a]: 0, [b]: 0 };
      for (let n = 0; n < 2 * PER_ADDRESS + 4; n++) {
        const visitor = n % 2 ? a : b;
        if (await handshake(server, { agent, ...by(visitor) })) seen[visitor]++;
      }
      assert.deepEqual(seen, { [a]: PER_ADDRESS, [b]: PER_ADDRESS });
      assert.ok(await handshake(server, { agent }), 'a request without the field is the proxy’s');
    });

    test('gains nothing by what he writes into the fields himself', async () => {
      const [a, b, c, d] = [newVisitor(), newVisitor(), newVisitor(), newVisitor()];
      assert.equal(await count(server, 5, (n) => by(`198.51.100.${n}, ${a}`)), PER_ADDRESS);
      assert.equal(
        await count(server, 5, (n) => by([`198.51.100.${n}`, `${b}`, '10.0.0.1'])),
        PER_ADDRESS,
      );
      const own = ['', 'for="', 'for=9.9.9.9;x="\\', 'for=1.1.1.1, for=10.0.0.1', '"'];
      assert.equal(
        await count(server, 5, (n) => byForwarded(`${own[n]},for=${c};by=10.0.0.1`)),
        PER_ADDRESS,
      );
      assert.equal(
        await count(server, 5, (n) => byForwarded([own[n], `for=${d}`, 'for="10.0.0.1:1"'])),
        PER_ADDRESS,
      );
    });

    test('is the last proxy that is known when what that one says cannot be read', async () => {
      const unread = [
        'unknown, 10.7.0.1',
        'rubbish, 10.7.0.1',
        ', 1.2.3.4.5, 10.7.0.1',
        '10.7.0.1',
      ];
      assert.equal(await count(server, 4, (n) => by(unread[n])), PER_ADDRESS);
      assert.equal(await handshake(server, byForwarded('for=_hidden, for=10.7.0.1')), false);
    });

    test('keeps over a WebSocket the address that its upgrade said', async (t) => {
      const visitor = newVisitor();
      const endpoint = new Endpoint(server, by(visitor));
      const replies = [];
      for (let n = 0; n <= PER_ADDRESS; n++) {
        const socket = await endpoint.socket();
        t.after(() => socket.close());
        replies.push(await socket.ask(handshakeMessage()));
      }
      assert.deepEqual(
        replies.map(({ successful }) => successful),
        [true, true, true, false],
      );
      assert.equal(await handshake(server, by(visitor)), false);
    });

    test('is not whom somebody says that is no trusted proxy', async () => {
      const localAddress = '127.0.0.2';
      assert.equal(
        await count(server, 5, () => ({ ...by(newVisitor()), localAddress })),
        PER_ADDRESS,
      );
      assert.equal(
        await handshake(server, { ...byForwarded(`for=${newVisitor()}`), localAddress }),
        false,
      );
    });
  },
  ONE_WORKER,
);

withServer(
  'Without trusted proxies',
  { ...options, settings: {} },
  (server) => {
    test('everybody is who connects', async () => {
      assert.equal(await count(server, 5, () => by(newVisitor())), PER_ADDRESS);
      assert.equal(await handshake(server, byForwarded(`for=${newVisitor()}`)), false);
    });
  },
  ONE_WORKER,
);

// ---- The PROXY protocol

const v1 = (visitor) => `PROXY TCP4 ${visitor} 127.0.0.1 4711 443\r\n`;
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function v2(visitor, extensions = Buffer.alloc(0)) {
  const head = Buffer.from([0x21, 0x11, 0, 12 + extensions.length]);
  const addresses = Buffer.from([...visitor.split('.').map(Number), 127, 0, 0, 1, 18, 103, 1, 187]);
  return Buffer.concat([signature, head, addresses, extensions]);
}
const local = Buffer.concat([signature, Buffer.from([0x20, 0, 0, 0])]);

function handshakeRequest(lines = '') {
  const body = JSON.stringify([handshakeMessage()]);
  return (
    `POST /bayeux HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

withServer('An address with the PROXY protocol', options, (server) => {
  async function open(t, bytes, connectOptions) {
    const connection = await RawConnection.open(server.proxiedPort, connectOptions);
    t.after(() => connection.destroy());
    for (const part of [bytes].flat()) connection.write(part);
    return connection;
  }
  async function made(t, header, lines) {
    const connection = await open(t, [header, handshakeRequest(lines)]);
    const { status, body } = await connection.response();
    assert.equal(status, 200, body);
    return JSON.parse(body)[0].successful;
  }
  const isLogged = (text) => until(() => server.stderr.includes(text));

  if (server.workers === 1) {
    for (const [version, headerOf] of Object.entries({ v1, v2 })) {
      test(`counts visitors by the header of ${version}`, async (t) => {
        const [a, b] = [newVisitor(), newVisitor()];
        const all = [];
        for (let n = 0; n <= PER_ADDRESS; n++) all.push(await made(t, headerOf(a)));
        assert.deepEqual(all, [true, true, true, false]);
        assert.ok(await made(t, headerOf(b)));
      });
    }

    test('hears a trusted proxy behind a trusted one, and nobody else, about the visitor', async (t) => {
      const [a, b] = [newVisitor(), newVisitor()];
      const lines = `X-Forwarded-For: ${a}\r\n`;
      const all = [];
      for (let n = 0; n <= PER_ADDRESS; n++) all.push(await made(t, v2('10.0.0.9'), lines));
      assert.deepEqual(all, [true, true, true, false]);
      assert.equal(await made(t, local, lines), false, 'a LOCAL header is about the proxy itself');
      assert.ok(await made(t, v2(b), lines), 'a visitor names himself as he likes');
    });
  }

  test('reads a header that comes byte by byte, and extensions that it does not know', async (t) => {
    const header = v2(newVisitor(), Buffer.from('\x02\0\x09localhost\x04\0\x03xyz', 'latin1'));
    const connection = await open(t, []);
    for (const byte of header) {
      connection.write(Buffer.from([byte]));
      await pause(1);
    }
    connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal((await connection.response()).status, 200);
    connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal((await connection.response()).status, 200);
  });

  test('closes without an answer what does not begin with a header, and says so once', async (t) => {
    for (const bytes of [
      'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
      'PROXY TCP4 nobody 127.0.0.1 1 2\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
      `PROXY UNKNOWN ${'x'.repeat(200)}`,
      Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])]),
      Buffer.concat([signature, Buffer.from([0x41])]),
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ]) {
      const connection = await open(t, bytes);
      assert.ok(await connection.ends(), JSON.stringify(String(bytes)));
      await assert.rejects(connection.response(), /after ""$/);
    }
    await isLogged('it sent no PROXY header, or a broken one');
    assert.equal(server.stderr.split('PROXY header').length, 2, server.stderr);
  });

  test('closes what does not send its header within header_timeout', async (t) => {
    const silent = await open(t, []);
    const slow = await open(t, 'PROXY TCP4 ');
    assert.ok(await silent.ends());
    assert.ok(await slow.ends());
  });

  test('closes at once whoever is no trusted proxy', async (t) => {
    const connection = await open(t, [], { localAddress: '127.0.0.2' });
    assert.ok(await connection.ends());
    await isLogged('closed a connection of 127.0.0.2');
  });

  test('is the only one where a header means anything', async (t) => {
    const connection = await RawConnection.open(server.port);
    t.after(() => connection.destroy());
    connection.write(v1(newVisitor())).write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal((await connection.response()).status, 400);
  });
});

test('An end does not wait for a proxy that has yet to say whose a connection is', async (t) => {
  const server = new Server({ ...options, limits: { header_timeout: '60s' } });
  await server.start();
  const connection = await RawConnection.open(server.proxiedPort);
  t.after(() => connection.destroy());
  connection.write('PROXY ');
  await pause(100);
  const begin = performance.now();
  await server.stop();
  // Otherwise it would wait for its clients for three seconds.
  assert.ok(performance.now() - begin < 2900, 'waited');
  assert.ok(await connection.ends());
});

// ---- Real proxies, set up as docs/using.md says

/** The block of that language in docs/using.md. */
function documented(language) {
  const page = readFileSync(path.join(repository, 'docs/using.md'), 'utf8');
  const [, block] = page.match(new RegExp('```' + language + '\\n([^]*?)```'));
  return block;
}

const freePort = () =>
  new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** Replaces each text, which has to be there. */
const adapt = (text, changes) =>
  changes.reduce((changed, [from, to]) => {
    assert.ok(changed.includes(from), `docs/using.md does not say '${from}' any more`);
    return changed.replaceAll(from, to);
  }, text);

function nginxConfig(server, port, directory) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  const site = adapt(documented('nginx'), [
    ['server 127.0.0.1:8400;', `server 127.0.0.1:${server.port};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${port};`],
    ['ssl_certificate     /etc/ssl/push.example.com.pem;', ''],
    ['ssl_certificate_key /etc/ssl/push.example.com.key;', ''],
  ]);
  return (
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr;\n` +
    `events {}\nhttp { access_log off; ${temporary.join(' ')}\n${site} }\n`
  );
}

const haproxyConfig = (server, port) =>
  // As in Debian's own file.
  'defaults\n    mode http\n' +
  '    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n' +
  adapt(documented('haproxy'), [
    ['bind :443 ssl crt /etc/ssl/push.example.com.pem', `bind 127.0.0.1:${port}`],
    ['127.0.0.1:8401', `127.0.0.1:${server.proxiedPort}`],
  ]);

/** Runs the proxy in front of the server until the test is over; answers with what call() takes. */
async function startProxy(t, { program, args, configOf }, server) {
  const directory = mkdtempSync(path.join(tmpdir(), `fanfare-${program}-`));
  const port = await freePort();
  const file = path.join(directory, 'config');
  writeFileSync(file, configOf(server, port, directory));
  const child = spawn(program, [...args, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const ended = new Promise((resolve) => {
    child.on('exit', resolve);
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  const answers = async () => {
    assert.equal(child.exitCode, null, said);
    const connection = await RawConnection.open(port).catch(() => undefined);
    connection?.destroy();
    return connection !== undefined;
  };
  for (let n = 0; n < 200 && !(await answers()); n++) await pause(25);
  return { port };
}

const PROXIES = [
  { program: 'nginx', args: ['-c'], configOf: nginxConfig },
  { program: 'haproxy', args: ['-db', '-f'], configOf: haproxyConfig },
];

for (const kind of PROXIES) {
  const isThere = spawnSync(kind.program, ['-v']).error === undefined;
  const skip = isThere ? false : `${kind.program} is not installed: tools/install-packages interop`;
  test(
    `Through ${kind.program}, as docs/using.md sets it up, each visitor has his limit`,
    { skip },
    async (t) => {
      const server = await new Server(options).start();
      t.after(() => server.stop());
      const proxy = await startProxy(t, kind, server);
      const from = (n) => ({ localAddress: `127.0.0.${n}` });
      const spoofed = (n) => ({
        'x-forwarded-for': `198.51.100.${n}`,
        forwarded: `for=198.51.100.${n}`,
      });
      assert.equal(await count(proxy, 5, () => from(21)), PER_ADDRESS);
      assert.equal(
        await count(proxy, 5, (n) => ({ ...from(22), headers: spoofed(n) })),
        PER_ADDRESS,
        'what a visitor writes himself gained him something',
      );

      const endpoint = new Endpoint({ port: proxy.port });
      const socket = await endpoint.socket(from(23));
      t.after(() => socket.close());
      await socket.session('/news');
      await server.publish('news', 'through the proxy');
      assert.equal((await socket.delivery()).data, 'through the proxy');
      assert.equal(await count(proxy, 5, () => from(23)), PER_ADDRESS - 1);
    },
  );
}
