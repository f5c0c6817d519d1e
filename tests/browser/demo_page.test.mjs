// The demo page in a real browser. UPDATE_SCREENSHOTS=1 renews docs/images/demo.png, and puts the
// page's other looks into a directory of the system's temporary ones.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { promisify } from 'node:util';

import { launchBrowser, openPage, startSite, watch } from '../support/browser.mjs';
import { call } from '../support/http.mjs';
import { pause, until } from '../support/inbox.mjs';
import { repository, Server } from '../support/server.mjs';
import { test } from '../support/suite.mjs';

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 390, height: 844 } };

describe('The demo page', () => {
  const server = new Server({ workers: 2 });
  let browser;
  before(async () => {
    await server.start();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server.stop();
  });

  const demoUrl = (query = '') => `${server.url}/demo/${query}`;
  const connected = (page) => page.locator('#dot[data-state="connected"]').waitFor();
  async function visit(t, options = WIDE, query = '') {
    const page = await openPage(t, browser, options);
    await page.goto(demoUrl(query));
    await connected(page);
    return page;
  }
  async function write(page, name, text) {
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('textbox', { name: 'Comment' }).fill(text);
    await page.getByRole('button', { name: 'Post comment' }).click();
  }
  const comment = (page, text) => page.locator('.comment', { hasText: text });
  const message = (page, text) => page.locator('.message', { hasText: text });
  const hearsOver = (page, transport) =>
    page.locator('#transport', { hasText: transport }).waitFor();
  const arrived = async (page) => Number(await page.locator('#arrived').textContent());

  test('shows in one tab what is written in another', async (t) => {
    const one = await visit(t);
    const other = watch(await one.context().newPage());
    await other.goto(demoUrl());
    await connected(other);
    await write(one, 'Ada', 'Hello from the other tab');
    await comment(other, 'Hello from the other tab').waitFor();
    await comment(one, 'Hello from the other tab').waitFor();
    assert.equal(
      await comment(other, 'Hello from the other tab')
        .locator('.by')
        .evaluate((by) => by.firstChild.textContent),
      'Ada',
    );
    await message(other, '{"new_comment":').waitFor();
    assert.equal(await arrived(other), 1);
    assert.equal(await one.getByRole('textbox', { name: 'Comment' }).inputValue(), '');
    assert.deepEqual([...one.errors, ...other.errors], []);
  });

  test('shows any message on its channel, with its JSON', async (t) => {
    const page = await visit(t);
    await server.publish('demo-comments', { text: 'hello from curl' });
    await message(page, '{"text":"hello from curl"}').waitFor();
    for (const value of [7, null, 'x', [1, { a: 2 }], true]) {
      const before = await arrived(page);
      await server.publish('demo-comments', value);
      await until(async () => (await arrived(page)) === before + 1, 'the message is counted');
      assert.equal(
        await page.locator('.message code').first().textContent(),
        JSON.stringify(value),
      );
    }
    assert.deepEqual(page.errors, []);
  });

  test('shows what people write as text, whatever it is', async (t) => {
    const page = await visit(t);
    const text = '<img src=x onerror=alert(1)> & <b>bold</b>\nsecond line';
    await write(page, '<i>Eve</i>', text);
    const shown = comment(page, 'second line');
    await shown.waitFor();
    assert.equal(await shown.locator('.text').textContent(), text);
    assert.equal(await page.locator('.comment img, .comment b, .comment i').count(), 0);
    await server.publish('demo-comments', '<script>alert(1)</script>');
    await message(page, 'alert(1)').waitFor();
    assert.equal(await page.locator('.message script').count(), 0);
  });

  test('calls those without a name anonymous', async (t) => {
    const page = await visit(t);
    await write(page, '', 'No name given');
    await comment(page, 'Anonymous').filter({ hasText: 'No name given' }).waitFor();
  });

  test('says over which transport it hears, and hears over long-polling as well', async (t) => {
    const page = await visit(t);
    await hearsOver(page, 'WebSocket');
    await page.getByRole('link', { name: 'reload with long-polling' }).click();
    await connected(page);
    await hearsOver(page, 'long-polling');
    for (let n = 0; n < 5; n++) {
      await server.publish('demo-comments', { poll: n });
      await message(page, `{"poll":${n}}`).waitFor();
    }
    await page.getByRole('link', { name: 'whatever works best' }).click();
    await connected(page);
    await hearsOver(page, 'WebSocket');
  });

  test('says when it has lost its server, and finds it again', async (t) => {
    const page = await visit(t);
    await server.kill();
    await page.locator('#dot[data-state="lost"]').waitFor();
    server.output = '';
    await server.start();
    await connected(page);
    await write(page, 'Ada', 'Back again');
    await comment(page, 'Back again').waitFor();
  });

  test('says what the server has against a comment', async (t) => {
    const page = await visit(t);
    await page.route('**/demo/comments', (route) =>
      route.fulfill({
        status: 400,
        json: { error: { code: 'no', message: 'Not today, please.' } },
      }),
    );
    await write(page, 'Ada', 'x');
    await page.getByRole('alert').filter({ hasText: 'Not today, please.' }).waitFor();
  });

  test('asks nobody but its own server', async (t) => {
    const page = await visit(t);
    await pause(500);
    const hosts = new Set(page.requests.map((request) => new URL(request.url()).host));
    assert.deepEqual([...hosts], [`127.0.0.1:${server.port}`]);
  });

  test('gets along with a strict content security policy', async (t) => {
    const page = await openPage(t, browser, WIDE);
    await page.route('**/demo/', async (route) => {
      const answer = await route.fetch();
      const policy = `default-src 'self'; connect-src 'self' ws://127.0.0.1:${server.port}`;
      await route.fulfill({
        response: answer,
        headers: { ...answer.headers(), 'content-security-policy': policy },
      });
    });
    await page.goto(demoUrl());
    await connected(page);
    assert.deepEqual(page.errors, []);
  });

  // ---- the snippets do what they say

  const snippet = async (page, id) => {
    await page.locator(`#${id}:not(:empty)`).waitFor();
    return page.locator(`#${id}`).textContent();
  };

  test('has HTML to paste that hears what is published, on a site of another origin', async (t) => {
    const demo = await visit(t);
    const site = await startSite({
      '/': `<!doctype html><meta charset="utf-8">\n${await snippet(demo, 'html')}`,
    });
    t.after(() => site.close());
    const page = await openPage(t, browser);
    await page.goto(site.url);
    for (let n = 0; n < 100 && page.logged.size === 0; n++) {
      await server.publish('demo-comments', { pasted: true });
      await pause(100);
    }
    assert.deepEqual(await page.logged.next(), [
      'Incoming updated data from the server:',
      { pasted: true },
    ]);
    assert.deepEqual(page.errors, []);
  });

  test('has curl lines to paste that publish, once the key is filled in', async (t) => {
    const page = await visit(t);
    const lines = (await snippet(page, 'curl')).replace('KEY FROM YOUR TERMINAL', server.realm.key);
    assert.ok(lines.includes(server.url) && lines.includes(server.realm.key), lines);
    try {
      await promisify(execFile)('curl', ['--version']);
    } catch {
      return t.skip('curl is not here');
    }
    await promisify(execFile)('bash', ['-c', lines]);
    await message(page, '{"text":"hello from curl"}').waitFor();
  });

  test('has Python to paste that knows where the realm is', async (t) => {
    const page = await visit(t);
    const lines = await snippet(page, 'python');
    assert.ok(
      lines.includes(`'${server.url}/realm/${server.realm.id}'`) &&
        lines.includes(`'iss': '${server.realm.id}'`),
      lines,
    );
    assert.ok(!(await page.content()).includes(server.realm.key));
  });

  test('copies what it offers', async (t) => {
    const page = await visit(t, { ...WIDE, permissions: ['clipboard-read', 'clipboard-write'] });
    await snippet(page, 'curl');
    await page.locator('[data-copies="curl"]').click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      await snippet(page, 'curl'),
    );
  });

  // ---- looks

  for (const [what, options] of Object.entries({
    wide: WIDE,
    narrow: NARROW,
    tiny: { viewport: { width: 320, height: 640 } },
  })) {
    test(`fits a ${what} window`, async (t) => {
      const page = await visit(t, options);
      await snippet(page, 'html');
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= options.viewport.width, `${width} pixels in ${options.viewport.width}`);
    });
  }

  test('can be used by keyboard, and names all its parts', async (t) => {
    const page = await visit(t);
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    await page.getByRole('textbox', { name: 'Comment' }).focus();
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await comment(page, 'By keyboard').waitFor();
  });

  /** The port of a test is any; readers of the docs know another one. */
  async function showUsualAddress(page) {
    await snippet(page, 'curl');
    await page.evaluate((url) => {
      for (const code of document.querySelectorAll('pre code'))
        code.textContent = code.textContent.replaceAll(url, 'http://127.0.0.1:8400');
    }, server.url);
  }

  test(
    'has its picture taken',
    { skip: process.env.UPDATE_SCREENSHOTS !== '1' && 'UPDATE_SCREENSHOTS=1 does that' },
    async (t) => {
      await server.restart(); // without the comments of other tests
      const post = (name, text) =>
        call(server, 'POST', '/demo/comments', {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name, text }),
        });
      const images = path.join(repository, 'docs/images');
      const looks = path.join(tmpdir(), 'fanfare-demo');
      [images, looks].forEach((directory) => mkdirSync(directory, { recursive: true }));
      const shots = [
        [path.join(images, 'demo.png'), { ...WIDE, colorScheme: 'light' }],
        [path.join(looks, 'wide-dark.png'), { ...WIDE, colorScheme: 'dark' }],
        [path.join(looks, 'narrow-light.png'), { ...NARROW, colorScheme: 'light' }],
        [path.join(looks, 'narrow-dark.png'), { ...NARROW, colorScheme: 'dark' }],
      ];
      const pages = await Promise.all(
        shots.map(([, options]) => visit(t, { ...options, reducedMotion: 'reduce' })),
      );
      for (const page of pages) await showUsualAddress(page);
      await post('Grace', 'The replay of Monday’s talk is up. Is the sound better now?');
      await post('Linus', 'Much better, thank you!');
      await server.publish('demo-comments', { text: 'hello from curl' });
      await post(
        'Ada',
        'I have this page open twice.\nBoth had your comment before I had switched tabs.',
      );
      for (const [n, page] of pages.entries()) {
        await comment(page, 'open twice').waitFor();
        await page.screenshot({ path: shots[n][0], fullPage: true });
      }
    },
  );
});
