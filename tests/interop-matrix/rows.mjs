// The rows of the table: which client, over which transport, and how one is started.

import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { repository } from '../support/server.mjs';
import { PageClient, ProcessClient } from './client.mjs';

const clients = fileURLToPath(new URL('clients', import.meta.url));
const java = path.join(repository, 'build/interop/java');

// A proxy of the machine's must not stand between a client and 127.0.0.1.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name)));

/** A client in its own process; `command` takes the options as its last argument. */
function processRows(name, library, command, { options = {}, ...more } = {}) {
  return ['websocket', 'long-polling'].map((transport) => ({
    name,
    library,
    transport,
    ...more,
    start: (url, extra) => ProcessClient.start(command, { url, transport, ...options, ...extra }, environment),
  }));
}

const nodeRows = (library, alias) =>
  processRows(`${library} (npm) in Node`, library, [process.execPath, path.join(clients, 'node.mjs')], { alias, options: { library: alias }, hasCallTimeout: true });

const FAYE_ORDER = ['websocket', 'eventsource', 'long-polling', 'cross-origin-long-polling', 'callback-polling'];
// Faye uses these two on pages of the server's own origin only.
const SAME_ORIGIN = ['eventsource', 'long-polling'];

/** Polling on a page of another origin is a transport of its own, but only for Faye. */
const originFor = (library, transport, url) =>
  (library === 'faye' && SAME_ORIGIN.includes(transport) ? new URL(url).origin : 'http://site.localhost');

function pageRows(library, version, transports, files) {
  return transports.map((transport) => ({
    name: `${library} (npm) in Chromium`,
    library,
    transport,
    version,
    isInBrowser: true,
    hasCallTimeout: true,
    start(url, extra, browser) {
      const disabled = FAYE_ORDER.slice(0, FAYE_ORDER.indexOf(transport));
      return PageClient.start(browser, originFor(library, transport, url), { url, transport, disabled, ...files, ...extra });
    },
  }));
}

const script = (...names) => ({ scripts: names.map((name) => `/interop/library/${name}`) });

export const rows = [
  ...['0.8', '1.0', '1.1', '1.2', '1.4'].flatMap((version) => nodeRows('faye', `faye-${version}`)),
  ...['3', '5', '7', '9'].flatMap((version) => nodeRows('cometd', `cometd-${version}`)),
  ...processRows('CometD for Java', 'cometd', ['java', '-XX:TieredStopAtLevel=1', '-cp', `${java}/classes:${java}/lib/*`, 'Client']),
  ...processRows('Faye for Ruby', 'faye', ['ruby', path.join(clients, 'faye.rb')]),
  ...pageRows('faye', '1.1.2', FAYE_ORDER, script('faye-1.1/browser/faye-browser-min.js')),
  ...pageRows('faye', '1.4.3', FAYE_ORDER, script('faye-1.4/client/faye-browser-min.js')),
  ...pageRows('cometd', '5.0.23', ['websocket', 'long-polling', 'callback-polling'], script('cometd-5/cometd.js', 'cometd-5/AckExtension.js')),
  ...pageRows('cometd', '9.0.0', ['websocket', 'long-polling', 'callback-polling'], { ...script('cometd-9/cometd.js'), isModule: true }),
];
