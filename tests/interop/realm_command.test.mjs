// Keys are told when they are made, and to who asks on the server's own machine.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe } from 'node:test';

import { makeRealm, runFanfare, Server } from '../support/server.mjs';
import { test } from '../support/suite.mjs';

const realmOf = (output) => ({
  id: output.match(/Realm {3}(\S+)/)[1],
  key: output.match(/Key {5}(\S+)/)[1],
});
/** From the first snippet to the end. */
const snippets = (output) => output.slice(output.indexOf('In the page')).trimEnd();

describe('The key of a realm that a first start made', () => {
  const server = new Server({ realms: [] });
  let first = '';
  let made;
  const command = (...args) =>
    runFanfare(['realm', ...args, '--data', path.join(server.directory, 'data')]);
  before(async () => {
    await server.start();
    first = server.output;
    made = realmOf(first);
  });
  after(() => server.stop());

  test('is printed by that start, with what to paste', async () => {
    assert.match(first, new RegExp(`-u '${made.id}:`));
    await server.publish('x', 1, {}, { realm: made });
  });

  test('is not printed by a later start, which says how to see it', async () => {
    await server.restart();
    assert.ok(!server.output.includes(made.key), server.output);
    assert.ok(!server.stderr.includes(made.key), server.stderr);
    assert.ok(server.output.includes(made.id), server.output);
    const [, shown] = server.output.match(/`fanfare (realm show .*)` prints its key/);
    const { code, stdout } = await runFanfare(shown.split(' '));
    assert.equal(code, 0);
    assert.deepEqual(realmOf(stdout), made);
    assert.equal(snippets(stdout), snippets(first));
  });

  test('is shown with the same lines to paste, for the address that visitors know', async () => {
    const { stdout } = await command('show', made.id, '--url', `${server.url}/`);
    assert.equal(snippets(stdout), snippets(first));
    const elsewhere = await command('show', '--url', 'https://push.example.com');
    assert.ok(elsewhere.stdout.includes(`curl https://push.example.com/realm/${made.id}/publish/`));
    assert.ok(!elsewhere.stdout.includes('127.0.0.1'));
  });

  test('is shown to who names a realm that is there', async () => {
    const { code, stdout, stderr } = await command('show', 'nobody');
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(stderr, `fanfare: there is no realm 'nobody'; there is ${made.id}\n`);
  });

  test('is not in the list of realms', async () => {
    const { code, stdout } = await command('list');
    assert.deepEqual([code, stdout], [0, `${made.id}\n`]);
  });
});

describe('The key of a realm of the configuration', () => {
  const [inFile, flagged] = [makeRealm('in-file', { client_publish: true }), makeRealm('flagged')];
  const server = new Server({ realms: [inFile, flagged] });
  before(() => server.start());
  after(() => server.stop());

  test('is never printed by the server', () => {
    for (const { id, key } of [inFile, flagged]) {
      assert.ok(server.output.includes(id), server.output);
      assert.ok(!(server.output + server.stderr).includes(key), server.output);
    }
  });

  test('is shown from the file, without a data directory', async () => {
    const config = path.join(server.directory, 'test.toml');
    const { stdout } = await runFanfare(['realm', 'show', 'in-file', '--config', config], {
      cwd: server.directory,
    });
    assert.deepEqual(realmOf(stdout), { id: inFile.id, key: inFile.key });
  });

  test('is not found where there is neither a file nor a data directory', async () => {
    for (const verb of ['show', 'list']) {
      const { code, stdout, stderr } = await runFanfare(['realm', verb], { cwd: server.directory });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /there is no realm yet in '\.\/fanfare-data'.*--data.*--config/);
    }
  });
});
