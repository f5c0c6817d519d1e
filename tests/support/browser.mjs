// A real Chromium, and the web sites of others that it visits.

import { once } from 'node:events';
import http from 'node:http';

import { chromium } from 'playwright-core';

import { Inbox } from './inbox.mjs';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A page whose answer a test makes up counts as public, and might not speak to 127.0.0.1.
  '--disable-features=LocalNetworkAccessChecks',
  // Whatever a page may ask for, nothing but this machine is ever looked up.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
];

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ARGUMENTS,
    timeout: 30_000,
  });
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => closeHard(server) };
}

function closeHard(server) {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(resolve);
  });
}

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };

/** A site of its own origin. `files` maps a path to its text; `headers` go with every answer. */
export function startSite(files, headers = {}) {
  const all = { '/favicon.ico': '', ...files }; // browsers ask for that one, and complain
  return listen(
    http.createServer(({ url }, response) => {
      const text = all[url];
      response.writeHead(text === undefined ? 404 : 200, {
        'content-type': TYPES[url.split('.').pop()] ?? TYPES.html,
        ...headers,
      });
      response.end(text);
    }),
  );
}

/** What stands before a server in some companies: all goes through, only WebSockets do not. */
export function startProxyWithoutWebSockets(server) {
  const proxy = http.createServer((request, response) => {
    const onward = http.request({
      host: '127.0.0.1',
      port: server.port,
      method: request.method,
      path: request.url,
      headers: request.headers,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  proxy.on('upgrade', (request, socket) => {
    proxy.refused = (proxy.refused ?? 0) + 1;
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  return listen(proxy).then((listening) =>
    Object.assign(listening, { refusals: () => proxy.refused ?? 0 }),
  );
}

/** A page in a context of its own, with what it logs, asks for and opens. */
export async function openPage(t, browser, contextOptions = {}) {
  const context = await browser.newContext(contextOptions);
  t.after(() => context.close());
  return watch(await context.newPage());
}

export function watch(page) {
  page.setDefaultTimeout(15_000);
  Object.assign(page, { logged: new Inbox(), errors: [], requests: [], sockets: [] });
  let previous = Promise.resolve(); // values are fetched one log after the other, to stay in order
  page.on('console', (message) => {
    if (message.type() === 'error') page.errors.push(message.text());
    if (message.type() !== 'log') return;
    previous = previous
      .then(() => Promise.all(message.args().map((argument) => argument.jsonValue())))
      .then(page.logged.push, () => {}); // the page is gone
  });
  page.on('pageerror', (error) => page.errors.push(error.message));
  page.on('request', (request) => page.requests.push(request));
  page.on('websocket', (socket) => page.sockets.push(socket));
  return page;
}
