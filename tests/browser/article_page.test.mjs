// The page of an article on Fanout.io from 2016, as it stands there but for the host, in a real browser:
// on a site of another origin, with Faye's browser client of that time and the one that comes with fanfare.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';

import {
  launchBrowser,
  openPage,
  startProxyWithoutWebSockets,
  startSite,
} from '../support/browser.mjs';
import { call } from '../support/http.mjs';
import { pause } from '../support/inbox.mjs';
import { repository, Server } from '../support/server.mjs';
import { test } from '../support/suite.mjs';

const PINNED = 'faye-browser-1.1.2-fanout1-min.js';
const faye112 = readFileSync(
  path.join(repository, 'tests/node_modules/faye-1.1.2/browser/faye-browser-min.js'),
);
const staticDir = mkdtempSync(path.join(tmpdir(), 'fanfare-static-'));
writeFileSync(path.join(staticDir, PINNED), faye112);

const sha384 = (bytes) => `sha384-${createHash('sha384').update(bytes).digest('base64')}`;

const articlePage = (base, library, attributes = '') => `
<html>
<body>

  <h1>Web Page</h1>

<!-- replace the FANOUT_REALM_ID with the ID you get in the Fanout.io admin page -->
<script
  src="${base}/bayeux/static/${library}"
  ${attributes}
></script>
<script src="fanout.js"></script>
</body>
</html>
`;

const articleScript = (base) => `
window.onload = function() {
  // replace the FANOUT_REALM_ID with the ID you get in the Fanout.io admin page
  var client = new Faye.Client('${base}/bayeux')
  client.subscribe('/mycomments', function(data) {
     console.log('Incoming updated data from the server:', data);
  })
};
`;

const INCOMING = 'Incoming updated data from the server:';

describe('The page of the article', () => {
  const server = new Server({ workers: 2, staticDir });
  let browser;
  let builtIn;
  before(async () => {
    await server.start();
    browser = await launchBrowser();
    builtIn = (await call(server, 'GET', '/demo/info.json')).json.library;
  });
  after(async () => {
    await browser?.close();
    await server.stop();
    rmSync(staticDir, { recursive: true });
  });

  /** Puts the page on a site of its own, visits it, and waits until it listens. */
  async function visit(
    t,
    { library = PINNED, base = server.url, attributes, headers, prepare = () => {} } = {},
  ) {
    const files = {
      '/': articlePage(base, library, attributes),
      '/fanout.js': articleScript(base),
    };
    const site = await startSite(files, headers);
    t.after(() => site.close());
    const page = await openPage(t, browser);
    await prepare(page);
    await page.goto(site.url);
    await untilListening(page);
    return page;
  }

  // The article's code says nothing when it is subscribed: publish until it hears something.
  async function untilListening(page) {
    for (let n = 0; n < 100; n++) {
      await server.publish('mycomments', 'ready?');
      if (page.logged.size > 0) break;
      await pause(100);
    }
    await server.publish('mycomments', 'ready!');
    await page.logged.find(([, data]) => data === 'ready!');
    while (page.logged.size > 0) await page.logged.next();
  }

  async function hearsEverything(page) {
    const values = [{ new_comment: 42 }, 41, true, 'x', [1, [2]], { text: 'Grüße, 日本' }];
    for (const value of values) {
      await server.publish('mycomments', value);
      assert.deepEqual(await page.logged.next(), [INCOMING, value]);
    }
    await server.publishItems(
      values.map((value) => ({ channel: 'mycomments', 'json-object': value })),
    );
    assert.deepEqual(
      (await page.logged.take(values.length)).map(([, data]) => data),
      values,
    );
    assert.equal(page.logged.size, 0);
  }

  const sessionSockets = (page) =>
    page.sockets.filter((socket) => !socket.isClosed() && socket.url().includes('/bayeux'));
  const polls = (page) =>
    page.requests.filter(
      (request) => request.method() === 'POST' && request.url().endsWith('/bayeux'),
    );
  const libraries = {
    'Faye 1.1.2, as the operator put it there': () => PINNED,
    'the client that comes with fanfare': () => builtIn,
  };

  for (const [what, library] of Object.entries(libraries)) {
    describe(`with ${what}`, () => {
      test('hears what is published over a WebSocket', async (t) => {
        const page = await visit(t, { library: library() });
        await hearsEverything(page);
        assert.equal(sessionSockets(page).length, 1);
        assert.equal(sessionSockets(page)[0].url(), `${server.url.replace('http', 'ws')}/bayeux`);
        assert.deepEqual(page.errors, []);
      });

      test('hears what is published by polling in a browser without WebSockets', async (t) => {
        const page = await visit(t, {
          library: library(),
          prepare: (it) =>
            it.addInitScript(() => {
              delete window.WebSocket;
            }),
        });
        await hearsEverything(page);
        assert.equal(page.sockets.length, 0);
        assert.ok(polls(page).length > 0);
        assert.match(await polls(page)[0].headerValue('content-type'), /^text\/plain/);
        assert.deepEqual(page.errors, []);
      });

      test('hears what is published by polling where a proxy refuses WebSockets', async (t) => {
        const proxy = await startProxyWithoutWebSockets(server);
        t.after(() => proxy.close());
        const page = await visit(t, { library: library(), base: proxy.url });
        await hearsEverything(page);
        assert.ok(proxy.refusals() > 0);
        assert.ok(polls(page).length > 0);
      });

      test('is loaded only as the bytes that its integrity promises', async (t) => {
        const { bytes } = await call(server, 'GET', `/bayeux/static/${library()}`);
        const page = await visit(t, {
          library: library(),
          attributes: `crossOrigin="anonymous" integrity="${sha384(bytes)}"`,
        });
        await hearsEverything(page);
        assert.deepEqual(page.errors, []);
      });

      test('finds its realm by host name, under a policy that allows that host and port alone', async (t) => {
        const host = `${server.realm.id}.localhost:${server.port}`;
        const policy = `default-src 'self'; script-src 'self' ${host}; connect-src ${host} ws://${host}`;
        const page = await visit(t, {
          library: library(),
          base: `http://${host}`,
          headers: { 'content-security-policy': policy },
        });
        await hearsEverything(page);
        assert.deepEqual(page.errors, []);
      });

      test('listens again after the server was gone', async (t) => {
        const page = await visit(t, { library: library() });
        await server.restart();
        await untilListening(page);
        await hearsEverything(page);
      });
    });
  }

  test('shares its channel with other pages, each of which hears everything once', async (t) => {
    const pages = [await visit(t), await visit(t, { library: builtIn })];
    // The first one also heard what the second one waited for.
    await pages[0].logged.find(([, data]) => data === 'ready!');
    while (pages[0].logged.size > 0) await pages[0].logged.next();
    for (let n = 0; n < 20; n++) await server.publish('mycomments', n);
    for (const page of pages) {
      assert.deepEqual(
        (await page.logged.take(20)).map(([, data]) => data),
        Array.from({ length: 20 }, (_, n) => n),
      );
    }
  });

  test('leaves no session behind that others would have to wait for when it is reloaded', async (t) => {
    const page = await visit(t);
    for (let n = 0; n < 3; n++) {
      await page.reload();
      await untilListening(page);
    }
    await hearsEverything(page);
  });

  test("with the article's throttle hears the first of many, and the next after half a second", async (t) => {
    const script = `
      var _client = new Faye.Client('${server.url}/bayeux');
      window.Fanout = (function() {
        var _locks = {};
        return {
          subscribe: function subscribe(channel, callback) {
            _client.subscribe(channel, function(data) {
                if (_locks[channel]) {
                    // throttled
                    return;
                }
                _locks[channel] = true;
                callback(data);
                setTimeout(function() {
                    _locks[channel] = false;
                }, 500);
            });
          }
        };
      })();
      Fanout.subscribe('/mycomments', function(data) { console.log('throttled:', data); });`;
    const site = await startSite({ '/': articlePage(server.url, PINNED), '/fanout.js': script });
    t.after(() => site.close());
    const page = await openPage(t, browser);
    await page.goto(site.url);
    while (page.logged.size === 0) {
      await server.publish('mycomments', 'ready?');
      await pause(50);
    }
    await pause(1000);
    while (page.logged.size > 0) await page.logged.next();
    await server.publishItems(
      Array.from({ length: 10 }, (_, n) => ({ channel: 'mycomments', 'json-object': n })),
    );
    assert.deepEqual(await page.logged.next(), ['throttled:', 0]);
    await pause(700);
    await server.publish('mycomments', 'later');
    assert.deepEqual(await page.logged.next(), ['throttled:', 'later']);
  });
});
