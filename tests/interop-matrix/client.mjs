// A foreign client as the driver sees it: commands go in, and what it sent, got and heard comes out. One
// runs in a process of its own and speaks a JSON value a line, another in a page of a browser.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Inbox } from '../support/inbox.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

// A Java machine that starts beside three sanitised servers takes its time.
const ANSWER_MS_MAX = 15_000;

/** Rejects when `promise` takes longer. */
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Events in order, none of which is taken out. */
class Log {
  events = [];
  #waiting = new Set();

  push(event) {
    this.events.push({ ...event, at: Date.now() });
    for (const look of this.#waiting) look();
  }

  async wait(fits, what, ms) {
    let look;
    const found = new Promise((resolve) => {
      look = () => {
        const event = this.events.find(fits);
        if (event) resolve(event);
      };
    });
    this.#waiting.add(look);
    look();
    try {
      return await within(ms, what, found);
    } finally {
      this.#waiting.delete(look);
    }
  }
}

class Client {
  version = undefined;
  #log = new Log();
  #heard = new Map();

  /** Where the client is in its log; to be given to got() and sent() as `since`. */
  get now() {
    return this.#log.events.length;
  }

  note({ version, heard, data, ...message }) {
    if (version !== undefined) this.version = version;
    else if (heard !== undefined) this.heard(heard).push(data);
    else this.#log.push(message);
  }

  /** Where in the log the newest message of that channel and direction stands. */
  last(direction, channel) {
    return this.#log.events.findLastIndex((event) => event[direction]?.channel === channel);
  }

  /** The end of the log, for a failure to be understood from what it leaves behind. */
  recent(count = 14) {
    const start = this.#log.events[0]?.at;
    return this.#log.events.slice(-count).map(({ at, ...message }) => `    ${at - start} ms ${JSON.stringify(message).slice(0, 240)}`).join('\n');
  }

  /** What the callback of that subscription hears, in order. */
  heard(subscription) {
    if (!this.#heard.has(subscription)) this.#heard.set(subscription, new Inbox());
    return this.#heard.get(subscription);
  }

  /** The first message of that direction that fits, whether it is there or still comes. */
  async #find(direction, channel, fits, { since = 0, ms = ANSWER_MS_MAX } = {}) {
    const { events } = this.#log;
    const isIt = (event) => event[direction]?.channel === channel && events.indexOf(event) >= since && fits(event[direction]);
    return (await this.#log.wait(isIt, `${channel} ${direction}`, ms))[direction];
  }

  got(channel, fits = () => true, options) {
    return this.#find('got', channel, fits, options);
  }

  sent(channel, fits = () => true, options) {
    return this.#find('sent', channel, fits, options);
  }

  /** All messages of that channel and direction until now, with the times at which they were seen. */
  all(direction, channel, since = 0) {
    return this.#log.events.slice(since).filter((event) => event[direction]?.channel === channel);
  }

  /** Does one command, and fails with the error that the library reports. */
  async ask(name, command = {}) {
    const { error } = await within(ANSWER_MS_MAX, `an answer to ${name} ${JSON.stringify(command)}`, this.tell({ do: name, ...command }));
    if (error !== undefined) throw new Error(error);
  }
}

export class ProcessClient extends Client {
  #nextId = 1;
  #answers = new Map();

  static async start(command, options, env = process.env) {
    const client = new ProcessClient();
    client.child = spawn(command[0], [...command.slice(1), JSON.stringify(options)], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    client.said = '';
    client.child.stderr.setEncoding('utf8').on('data', (text) => { client.said = (client.said + text).slice(-2000); });
    client.child.stdin.on('error', () => {});  // told by the exit
    client.exited = new Promise((resolve) => {
      client.child.on('exit', resolve).on('error', resolve);
    }).then(() => client.#end());
    createInterface({ input: client.child.stdout }).on('line', (line) => client.#line(line));
    return client;
  }

  #line(line) {
    const { id, ...rest } = JSON.parse(line);
    if (id === undefined) this.note(rest);
    else this.#answers.get(id)?.(rest);
  }

  #end() {
    for (const answer of this.#answers.values()) answer({ error: `the client has ended: ${this.said}` });
  }

  tell(command) {
    const id = this.#nextId++;
    this.child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    return new Promise((resolve) => { this.#answers.set(id, resolve); });
  }

  async stop() {
    this.child.stdin.end();
    const hammer = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.exited;
    clearTimeout(hammer);
  }
}

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', mjs: 'text/javascript; charset=utf-8' };

/** Files of this folder and of npm's libraries, at an origin of the driver's choice. */
function serveFiles(route) {
  const name = new URL(route.request().url()).pathname.replace('/interop/', '');
  const file = name.startsWith('library/') ? name.replace('library', 'node_modules') : `clients/${name}`;
  return route.fulfill({ contentType: TYPES[name.split('.').pop()], body: readFileSync(path.join(here, file)) });
}

export class PageClient extends Client {
  static async start(browser, origin, options) {
    const client = new PageClient();
    client.context = await browser.newContext();
    client.page = await client.context.newPage();
    await client.page.exposeFunction('say', (text) => client.note(JSON.parse(text)));
    await client.page.route(`${origin}/interop/**`, serveFiles);
    await client.page.goto(`${origin}/interop/page.html`);
    await client.page.evaluate((it) => window.start(it), options);
    return client;
  }

  tell(command) {
    return this.page.evaluate((it) => window.command(it), command).catch((error) => ({ error: error.message }));
  }

  stop() {
    return this.context.close();
  }
}
