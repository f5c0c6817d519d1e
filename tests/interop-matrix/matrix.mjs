// Runs every client through every exchange, with one worker and with two, and prints the table. Words on
// the command line choose rows ("java", "faye chromium websocket"); without any, and when all is well,
// docs/compatibility.md is written anew.

import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { launchBrowser } from '../support/browser.mjs';
import { makeRealm, repository, Server } from '../support/server.mjs';
import { within } from './client.mjs';
import { CONNECT_TIMEOUT_MS, exchanges } from './exchanges.mjs';
import { notes } from './notes.mjs';
import { publishers, publishing } from './publishers.mjs';
import { markdownPage, plainTable } from './report.mjs';
import { rows } from './rows.mjs';

const WORKER_COUNTS = [1, 2];
const EXCHANGE_MS_MAX = 40_000;
const TOTAL_MS_MAX = 600_000;
// Clients mostly wait, for polls and for a restart, so more of them than processors run at once.
const ROWS_AT_ONCE = 6;

function makeServer(workers) {
  // A browser that a busy machine keeps waiting must not lose its session for that.
  const bayeux = { connect_timeout: `${CONNECT_TIMEOUT_MS}ms`, session_timeouts: 5 };
  // The first realm is as every realm is by default, in the second clients may publish.
  return new Server({ workers, realms: [makeRealm('demo', { bayeux }), makeRealm('open', { bayeux, client_publish: true })] });
}

/** Runs the exchanges of one line against a server of its own, and notes what became of each. */
async function runLine(line, columns, workers, open) {
  const server = makeServer(workers);
  const opened = [];
  const note = (name, error) => {
    if (!line.results.has(name)) line.results.set(name, []);
    line.results.get(name).push({ workers, error });
  };
  try {
    await server.start();
    const context = { row: line.row, ...line.row, server, open: (options) => open(server, line.row, options) };
    for (const [name, options] of [['client', {}], ['talker', { realm: 'open' }]]) {
      context[name] = await context.open(options);
      opened.push(context[name]);
    }
    for (const { name, run, applies = () => true } of columns) {
      if (!applies(line.row)) continue;
      await within(EXCHANGE_MS_MAX, `the exchange ${name}`, run(context)).then(() => note(name), (error) => {
        note(name, new Error(`${error.message}\n${context.client.recent()}`));
      });
    }
    line.version = context.client.version ?? line.row.version;
  } catch (error) {
    note(columns[0].name, error);
  }
  await Promise.all(opened.map((client) => client.stop()));
  // A sanitizer's report, or a server that died, is nobody's exchange in particular.
  await server.stop().catch((error) => note(columns.at(-1).name, error));
}

async function inParallel(tasks, limit) {
  const queue = [...tasks];
  const runner = async () => { while (queue.length > 0) await queue.shift()(); };
  await Promise.all(Array.from({ length: limit }, runner));
}

function chosen(list, words) {
  return list.filter(({ row }) => words.every((word) => `${row.name} ${row.alias ?? row.version ?? ''} ${row.transport}`.toLowerCase().includes(word.toLowerCase())));
}

const asLines = (list, words) => chosen(list.map((row) => ({ row, name: row.name, transport: row.transport, results: new Map() })), words);

async function main(words) {
  setTimeout(() => {
    console.error(`not ready after ${TOTAL_MS_MAX / 1000} s`);
    process.exit(1);
  }, TOTAL_MS_MAX).unref();
  const sections = [
    { title: 'Listening', says: notes.listening, columns: exchanges, lines: asLines(rows, words) },
    { title: 'Publishing', says: notes.publishing, columns: publishing, lines: asLines(publishers, words) },
  ].filter(({ lines }) => lines.length > 0);
  const browser = sections.some(({ lines }) => lines.some(({ row }) => row.isInBrowser)) ? await launchBrowser() : undefined;
  const openers = {
    Listening: (server, row, { base = server.url, realm = 'demo', ack }) => row.start(`${base}/r/${realm}/bayeux`, ack ? { ack } : {}, browser),
    Publishing: (server, row) => row.start(server),
  };
  const tasks = sections.flatMap(({ title, lines, columns }) => lines.flatMap((line) =>
    WORKER_COUNTS.map((workers) => () => runLine(line, columns, workers, openers[title]))));
  await inParallel(tasks, ROWS_AT_ONCE);
  const browserVersion = browser?.version().split('.')[0];
  await browser?.close();
  for (const { lines } of sections) {
    for (const line of lines) if (line.row.isInBrowser) line.name += ` ${browserVersion}`;
  }
  return report(sections, words.length === 0);
}

function report(sections, isWhole) {
  let passed = 0;
  let failed = 0;
  for (const section of sections) {
    console.log(`${plainTable(section)}\n`);
    for (const { name, version, transport, results } of section.lines) {
      for (const [exchange, outcomes] of results) {
        for (const { workers, error } of outcomes) {
          if (error === undefined) passed++;
          else {
            failed++;
            console.log(`${name} ${version}, ${transport}, ${workers === 1 ? '1 worker' : `${workers} workers`}, ${exchange}: ${error.message}\n`);
          }
        }
      }
    }
  }
  // A page that a bad day has written would be believed on all the others.
  if (isWhole && failed === 0) writeFileSync(path.join(repository, 'docs/compatibility.md'), markdownPage(sections, notes));
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

// An exchange that fails may leave something behind that fails too, later; the first one is reported.
process.on('unhandledRejection', () => {});
process.exit(await main(process.argv.slice(2)) ? 0 : 1);
