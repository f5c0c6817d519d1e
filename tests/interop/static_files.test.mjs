// What pages load: the client library, the operator's files, and the demo.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Endpoint } from '../support/bayeux.mjs';
import { call, RawConnection } from '../support/http.mjs';
import { test, withServer } from '../support/suite.mjs';

const PINNED = 'faye-browser-1.1.2-fanout1-min.js';

const directory = mkdtempSync(path.join(tmpdir(), 'fanfare-static-'));
const staticDir = path.join(directory, 'static');
mkdirSync(staticDir);
writeFileSync(path.join(directory, 'secret.txt'), 'secret');
writeFileSync(path.join(staticDir, PINNED), 'the exact bytes;\r\n\u00ff');
writeFileSync(path.join(staticDir, `${PINNED}.map`), '{}');
writeFileSync(path.join(staticDir, '.hidden'), 'secret');
execFileSync('mkfifo', [path.join(staticDir, 'fifo.js')]);
mkdirSync(path.join(staticDir, 'folder.js'));
symlinkSync('loop.js', path.join(staticDir, 'loop.js'));
after(() => rmSync(directory, { recursive: true }));

const integrityOf = (bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

withServer('A file for browsers', { staticDir }, (server) => {
  const get = (target, headers) => call(server, 'GET', target, { headers });
  const library = async () => (await get('/demo/info.json')).json.library;

  function assertScript({ status, headers }) {
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^(application|text)\/javascript/);
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  const maxAge = ({ headers }) =>
    Number(headers['cache-control']?.match(/max-age=(\d+)/)?.[1] ?? 0);

  test('of the operator has exactly its bytes, and may be loaded from any page and kept for long', async () => {
    const answer = await get(`/bayeux/static/${PINNED}`);
    assertScript(answer);
    assert.deepEqual(answer.bytes, readFileSync(path.join(staticDir, PINNED)));
    assert.ok(maxAge(answer) >= 86_400, answer.headers['cache-control']);
    assert.equal((await get(`/bayeux/static/${PINNED}.map`)).status, 200);
  });

  test('is the client library, under the name of its version', async () => {
    const name = await library();
    assert.match(name, /^faye-browser-1\.4\.\d+-min\.js$/);
    const answer = await get(`/bayeux/static/${name}`);
    assertScript(answer);
    assert.ok(maxAge(answer) >= 86_400, answer.headers['cache-control']);
    assert.ok(answer.text.includes('Faye'));
  });

  test('is listed with the hash of its bytes', async () => {
    const {
      status,
      headers,
      json: { files },
    } = await get('/bayeux/static/integrity.json');
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], '*');
    for (const name of [await library(), PINNED]) {
      const { bytes } = await get(`/bayeux/static/${name}`);
      const listed = files.find((file) => file.name === name);
      assert.deepEqual(
        { integrity: listed?.integrity, bytes: listed?.bytes },
        { integrity: integrityOf(bytes), bytes: bytes.length },
        name,
      );
    }
  });

  test('need not come again when it has not changed', async () => {
    for (const name of [await library(), PINNED]) {
      const {
        headers: { etag },
      } = await get(`/bayeux/static/${name}`);
      assert.match(etag, /^(W\/)?".+"$/);
      const again = await get(`/bayeux/static/${name}`, { 'if-none-match': etag });
      assert.deepEqual([again.status, again.bytes.length], [304, 0]);
    }
  });

  test('is the new one, and listed so, a second after it was changed', async () => {
    const name = `changing-${server.workers}.js`;
    const listed = async () =>
      (await get('/bayeux/static/integrity.json')).json.files.find((file) => file.name === name);
    for (const text of ['first', 'the second', 'the very last']) {
      writeFileSync(path.join(staticDir, name), text);
      const isThere = async () =>
        (await get(`/bayeux/static/${name}`)).text === text &&
        (await listed())?.integrity === integrityOf(text);
      for (const deadline = Date.now() + 5000; !(await isThere());)
        assert.ok(Date.now() < deadline, text);
    }
  });

  test('is not a FIFO, a directory or a link to itself, and nobody waits for one', async () => {
    const answers = await Promise.all([
      ...['fifo.js', 'folder.js', 'loop.js'].map((name) => get(`/bayeux/static/${name}`)),
      get(`/bayeux/static/${PINNED}`),
      get('/bayeux/static/integrity.json'),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404, 404, 200, 200],
    );
    assert.doesNotMatch(answers.at(-1).text, /fifo|folder|loop/);
  });

  test('has a head without a body', async () => {
    const { status, headers, bytes } = await call(server, 'HEAD', `/bayeux/static/${PINNED}`);
    assert.deepEqual([status, bytes.length], [200, 0]);
    assert.equal(
      Number(headers['content-length']),
      readFileSync(path.join(staticDir, PINNED)).length,
    );
  });

  for (const target of [
    '/bayeux/static/../secret.txt',
    '/bayeux/static/%2e%2e/secret.txt',
    '/bayeux/static/..%2fsecret.txt',
    '/bayeux/static/%2e%2e%2fsecret.txt',
    '/bayeux/static/..\\secret.txt',
    '/bayeux/static//etc/passwd',
    '/bayeux/static/%00',
    `/bayeux/static/${PINNED}%00.js`,
    '/bayeux/static/.hidden',
    '/bayeux/static/',
    '/bayeux/static/nothing.js',
    '/demo/../../etc/passwd',
    '/demo/%2e%2e/%2e%2e/etc/passwd',
    '/demo/nothing.js',
    '/nothing',
  ]) {
    test(`is not what ${target} has`, async (t) => {
      const raw = await RawConnection.open(server.port);
      t.after(() => raw.destroy());
      raw.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const { status, body } = await raw.response();
      assert.ok(status === 404 || status === 400, String(status));
      assert.ok(!body.includes('secret') && !body.includes('root:'), body);
    });
  }

  test('is asked for by 100 pages at once', async () => {
    const name = await library();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => get(`/bayeux/static/${name}`)),
    );
    assert.equal(new Set(answers.map(({ bytes }) => integrityOf(bytes))).size, 1);
  });
});

withServer('The demo', {}, (server) => {
  const get = (target) => call(server, 'GET', target);
  const post = (body, headers = { 'content-type': 'application/json' }) =>
    call(server, 'POST', '/demo/comments', {
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('page has its files, with the types that browsers want', async () => {
    for (const [target, type] of [
      ['/demo/', /^text\/html/],
      ['/demo/demo.css', /^text\/css/],
      ['/demo/demo.js', /javascript/],
      ['/demo/icon.svg', /^image\/svg\+xml/],
    ]) {
      const { status, headers } = await get(target);
      assert.equal(status, 200, target);
      assert.match(headers['content-type'], type);
    }
  });

  test('page is found without the last slash', async () => {
    const { status, headers } = await get('/demo');
    assert.ok(
      status === 200 || headers.location?.endsWith('/demo/'),
      `${status} ${headers.location}`,
    );
  });

  test('says what a page needs to know, and keeps the key to itself', async () => {
    const { json, text } = await get('/demo/info.json');
    assert.equal(json.realm, server.realm.id);
    assert.equal(json.bayeux, '/bayeux');
    assert.match(json.integrity, /^sha384-/);
    const { bytes } = await get(`/bayeux/static/${json.library}`);
    assert.equal(json.integrity, integrityOf(bytes));
    assert.ok(!text.includes(server.realm.key));
  });

  test('keeps what people write, and publishes a hint', async (t) => {
    const socket = await new Endpoint(server).socket();
    t.after(() => socket.close());
    await socket.session('/demo-comments');
    const before = (await get('/demo/comments')).json.comments.length;
    const comments = [
      { name: 'Ada', text: 'Grüße & <b>"quotes"</b>\nand a new line' },
      { name: '日本', text: 'ok' },
    ];
    for (const comment of comments) {
      const answer = await post(comment);
      assert.ok(answer.status === 200 || answer.status === 201, answer.text);
    }
    const kept = (await get('/demo/comments')).json.comments;
    assert.equal(kept.length, before + 2);
    const newest = kept.sort((a, b) => a.id - b.id).slice(-2);
    assert.deepEqual(
      newest.map(({ name, text }) => ({ name, text })),
      comments,
    );
    for (const { at } of newest) assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60_000, at);
    assert.deepEqual(
      (await socket.deliveries(2)).map(({ data }) => data),
      newest.map(({ id }) => ({ new_comment: id })),
    );
  });

  test('keeps fifty comments, the newest', async () => {
    for (let n = 0; n < 60; n++) {
      // Twenty a second are taken.
      while ((await post({ name: 'n', text: String(n) })).status === 429) await pause(100);
    }
    const { comments } = (await get('/demo/comments')).json;
    assert.deepEqual(
      comments.map(({ text }) => Number(text)).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, n) => n + 10),
    );
  });

  for (const [what, headers, status] of [
    ['of another origin', { origin: 'https://evil.example' }, 403],
    ['of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['that needed no preflight', { 'content-type': 'text/plain' }, 415],
  ]) {
    test(`takes no comment from a page ${what}`, async () => {
      const before = (await get('/demo/comments')).text;
      const answer = await post({ text: 'x' }, { 'content-type': 'application/json', ...headers });
      assert.equal(answer.status, status);
      assert.ok(answer.json.error.message.length > 10);
      assert.equal((await get('/demo/comments')).text, before);
    });
  }

  for (const [what, body] of Object.entries({
    'no JSON': 'hello',
    'a list': [],
    'no text': { name: 'x' },
    'an empty text': { name: 'x', text: '' },
    'a text that is a number': { name: 'x', text: 7 },
    'a text without end': { name: 'x', text: 'x'.repeat(100_000) },
  })) {
    test(`refuses a comment that is ${what}`, async () => {
      const answer = await post(body);
      assert.ok(answer.status === 400 || answer.status === 413, String(answer.status));
      assert.ok(answer.json.error.message.length > 10);
    });
  }

  test('server says that it is well', async () => {
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await call(server, 'DELETE', '/healthz')).status, 405);
  });
});
