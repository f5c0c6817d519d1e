// The end of a server: what it has answered 200 reaches those who are connected.

import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Endpoint } from '../support/bayeux.mjs';
import { Server } from '../support/server.mjs';
import { test } from '../support/suite.mjs';

for (const workers of [1, 2]) {
  describe(`SIGTERM, with ${workers} ${workers === 1 ? 'worker' : 'workers'},`, () => {
    test('lets go what waits for a predecessor, before anybody is sent away', async (t) => {
      const server = await new Server({ workers }).start();
      const channels = Array.from({ length: 8 }, (_, n) => `waits-${n}`);
      const endpoint = new Endpoint(server);
      // Several, so that each worker has one.
      const sockets = await Promise.all(Array.from({ length: 6 }, () => endpoint.socket()));
      t.after(() => sockets.forEach((socket) => socket.close()));
      for (const socket of sockets) await socket.session('/**');
      await Promise.all(
        channels.map((channel) => server.publish(channel, channel, { id: '2', 'prev-id': '1' })),
      );
      const stopped = server.stop();
      for (const socket of sockets) {
        const deliveries = await socket.deliveries(channels.length);
        assert.deepEqual(deliveries.map(({ data }) => data).sort(), channels);
      }
      await stopped;
    });
  });
}
