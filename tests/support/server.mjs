// Starts and stops a real fanfare, and publishes to it as a site's own server would.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { call } from './http.mjs';
import { bearer } from './jwt.mjs';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
const binary = path.resolve(repository, process.env.FANFARE_BIN ?? 'build/dev/fanfare');

// A sanitised build on a busy machine; a good start takes a fraction of it.
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 10_000;
const SANITIZER_REPORT = /(ERROR|WARNING|SUMMARY): \w+Sanitizer|runtime error:/;

/** The first lines of what the process said, and of each what fits a screen: a sanitizer says a lot. */
const beginning = (text) =>
  text
    .split('\n')
    .slice(0, 60)
    .map((line) => line.slice(0, 240))
    .join('\n');

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A tenant and its key. `settings` are keys of its `[[realm]]` table, tables in it included. */
export function makeRealm(id, settings = {}) {
  return { id, key: randomBytes(32).toString('base64'), settings };
}

/** The scalars of JSON are those of TOML; its lists are, but for tables in them. */
function tomlValue(value) {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${key} = ${tomlValue(item)}`);
  return `{ ${entries.join(', ')} }`;
}

function tomlTable(name, table) {
  const isTable = (value) => typeof value === 'object' && !Array.isArray(value);
  const entries = Object.entries(table);
  const values = entries
    .filter(([, value]) => !isTable(value))
    .map(([key, value]) => `${key} = ${tomlValue(value)}\n`);
  const tables = entries
    .filter(([, value]) => isTable(value))
    .map(([key, value]) => tomlTable(`${name}.${key}`, value));
  const head = name === 'realm' ? '[[realm]]' : `[${name}]`;
  return `${head}\n${values.join('')}\n${tables.join('')}`;
}

function tomlConfig(realms, limits, settings) {
  const tables = realms.map(({ id, key, settings }) =>
    tomlTable('realm', { id, key, ...settings }),
  );
  const isGiven = (table) => Object.keys(table).length > 0;
  return [
    isGiven(settings) ? tomlTable('server', settings) : '',
    isGiven(limits) ? tomlTable('limits', limits) : '',
    ...tables,
  ].join('');
}

/** Runs a command of fanfare to its end. */
export function runFanfare(args, { cwd } = {}) {
  return new Promise((resolve) => {
    execFile(binary, args, { cwd, timeout: START_MS_MAX }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

export class Server {
  /**
   * Nothing runs before start(). Realms without settings go onto the command line, those with
   * settings, `limits` and `settings` (the `[limits]` and `[server]` tables) into a configuration
   * file. With a `listen` of its own there may be a port for the PROXY protocol, `proxiedPort`.
   */
  constructor({
    workers = 1,
    realms = [makeRealm('demo')],
    limits = {},
    settings = {},
    staticDir,
    domain = 'localhost',
  } = {}) {
    Object.assign(this, {
      workers,
      realms,
      limits,
      settings,
      staticDir,
      domain,
      port: 0,
      output: '',
      stderr: '',
    });
    [this.realm] = realms;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async start() {
    this.directory ??= mkdtempSync(path.join(tmpdir(), 'fanfare-test-'));
    this.child = spawn(binary, this.#flags(), {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.directory,
    });
    running.add(this.child);
    this.exited = once(this.child, 'exit').then(
      ([code, signal]) => {
        running.delete(this.child);
        return { code, signal };
      },
      (error) => ({ code: error.message, signal: null }),
    );
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.output += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    await this.#listening();
    return this;
  }

  #flags() {
    const { flagged, configured } = this.#realmsByPlace();
    const flags = ['serve', '--data', path.join(this.directory, 'data')];
    if (!this.settings.listen) flags.push('--listen', `127.0.0.1:${this.port}`);
    flags.push('--workers', String(this.workers), '--domain', this.domain);
    if (this.staticDir) flags.push('--static', this.staticDir);
    for (const { id, key } of flagged) flags.push('--realm', `${id}:${key}`);
    if (configured.length || Object.keys({ ...this.limits, ...this.settings }).length) {
      const config = path.join(this.directory, 'test.toml');
      writeFileSync(config, tomlConfig(configured, this.limits, this.settings));
      flags.push('--config', config);
    }
    return flags;
  }

  #realmsByPlace() {
    const hasSettings = ({ settings }) => Object.keys(settings).length > 0;
    return {
      flagged: this.realms.filter((realm) => !hasSettings(realm)),
      configured: this.realms.filter(hasSettings),
    };
  }

  async #listening() {
    const died = this.exited.then(({ code, signal }) => {
      throw new Error(
        `fanfare ended (${code ?? signal}) before it listened:\n${beginning(this.stderr || this.output)}`,
      );
    });
    died.catch(() => {});
    for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline;) {
      const port = this.output.match(/http:\/\/127\.0\.0\.1:(\d+)\/demo\//)?.[1];
      if (port) {
        this.port = Number(port);
        this.proxiedPort = Number(this.output.match(/:(\d+) \(PROXY protocol\)/)?.[1]);
        return;
      }
      await Promise.race([
        died,
        new Promise((resolve) => {
          setTimeout(resolve, 10);
        }),
      ]);
    }
    throw new Error(
      `fanfare does not listen after ${START_MS_MAX} ms:\n${this.output}\n${beginning(this.stderr)}`,
    );
  }

  /** Fails when the process died before, took too long to end, or left a sanitizer's report. */
  async stop() {
    if (!this.child) return;
    const alreadyDead = this.child.exitCode ?? this.child.signalCode;
    this.child.kill('SIGTERM');
    const hammer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    const { code, signal } = await this.exited;
    clearTimeout(hammer);
    rmSync(this.directory, { recursive: true, force: true });
    this.child = this.directory = undefined;
    const said = beginning(this.stderr);
    assert.equal(alreadyDead, null, `fanfare died during the test (${alreadyDead}):\n${said}`);
    assert.ok(!SANITIZER_REPORT.test(this.stderr), said);
    assert.deepEqual(
      { code, signal },
      { code: 0, signal: null },
      `fanfare did not stop cleanly:\n${said}`,
    );
  }

  /** Ends without a word to anybody, as in a power cut; only for what a client must survive. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Comes back on the same port, having forgotten its sessions. */
  async restart() {
    await this.kill();
    this.output = '';
    await this.start();
  }

  /** POSTs to the publish API and answers with what came back. `body` is a text or a JSON value. */
  post(body, { realm = this.realm, path: target = `/realm/${realm.id}/publish/`, headers } = {}) {
    return call(this, 'POST', target, {
      headers: headers ?? { authorization: bearer(realm), 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** Publishes items and insists that they were accepted. */
  async publishItems(items, options) {
    const answer = await this.post({ items }, options);
    assert.equal(answer.status, 200, answer.text);
  }

  /** Publishes one JSON value; `extra` holds further keys of the item, as `id` and `prev-id`. */
  publish(channel, data, extra = {}, options = {}) {
    return this.publishItems([{ channel, 'json-object': data, ...extra }], options);
  }
}
