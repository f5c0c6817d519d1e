// The other side: Fanout's own Python libraries publish to the host name that is written into them, and
// a proxy variable leads them here.

import assert from 'node:assert/strict';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Endpoint } from '../support/bayeux.mjs';
import { repository } from '../support/server.mjs';
import { ProcessClient } from './client.mjs';

const script = fileURLToPath(new URL('clients/publish.py', import.meta.url));
const VALUES = [{ new_comment: 42 }, 41, -0.5, 'Grüße, 日本', true, null, [1, ['two']], {}];

function publisher(folder) {
  return {
    name: 'fanout (PyPI)',
    transport: 'HTTP through HTTP_PROXY',
    start(server, key = server.realm.key) {
      const python = path.join(repository, 'build/interop', folder, 'bin/python');
      // The proxy is the server itself, so that the library's own host name is never looked up.
      const [proxy, direct] = [server.url, '127.0.0.1'];
      const env = { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: direct, no_proxy: direct };
      return ProcessClient.start([python, script], { realm: server.realm.id, key, url: server.url }, env);
    },
  };
}

export const publishers = [publisher('python-fanout-1.3'), publisher('python-fanout-1.2')];

/** What a subscriber gets while `body` publishes. */
async function received(server, channel, count, body) {
  const socket = await new Endpoint(server, { path: '/r/demo/bayeux' }).socket();
  try {
    await socket.session(`/${channel}`);
    await body();
    return (await socket.deliveries(count)).map(({ data }) => data);
  } finally {
    socket.close();
  }
}

export const publishing = [
  {
    name: 'values',
    says: 'each JSON value arrives as it was',
    async run({ client, server }) {
      const values = await received(server, 'values', VALUES.length, async () => {
        for (const data of VALUES) await client.ask('publish', { channel: 'values', data, blocking: true });
      });
      assert.deepEqual(values, VALUES);
    },
  },
  {
    name: 'in the background',
    says: '25 publishes that wait for nothing arrive in their order',
    async run({ client, server }) {
      const numbers = [...Array(25).keys()];
      const asked = [];
      const values = await received(server, 'background', numbers.length, async () => {
        for (const data of numbers) asked.push(client.ask('publish', { channel: 'background', data, blocking: false }));
        await Promise.all(asked);
      });
      assert.deepEqual(values, numbers);
    },
  },
  {
    name: 'ids',
    says: '`id` and `prev_id`: a repetition is dropped, the order is kept',
    async run({ client, server }) {
      const publish = (data, id, previous) => client.ask('publish', { channel: 'ids', data, blocking: true, ids: { id, prev_id: previous } });
      const values = await received(server, 'ids', 3, async () => {
        await publish(1, 'a');
        await publish(3, 'c', 'b');
        await publish(2, 'b', 'a');
        await publish(2, 'b', 'a');
      });
      assert.deepEqual(values, [1, 2, 3]);
    },
  },
  {
    name: 'wrong key',
    says: 'is reported by a publish that waits and by the callback of one that does not',
    async run({ row, server }) {
      const stranger = await row.start(server, 'bm90IHRoZSBrZXk=');
      try {
        for (const blocking of [true, false]) {
          await assert.rejects(stranger.ask('publish', { channel: 'values', data: 1, blocking }), /401/);
        }
      } finally {
        await stranger.stop();
      }
    },
  },
  {
    name: 'pubcontrol',
    says: 'without the proxy, pubcontrol with the realm\'s own URI',
    async run({ client, server }) {
      const values = await received(server, 'direct', 1, () => client.ask('publish', { channel: 'direct', data: { a: 1 }, blocking: true, direct: true }));
      assert.deepEqual(values, [{ a: 1 }]);
    },
  },
];
