// How suites stand on a server: every sentence holds with one worker and with two.

import { after, before, describe, test as nodeTest } from 'node:test';

import { Server } from './server.mjs';

// No test may hang: the slowest waits for a few polls of some seconds each.
const TEST_MS_MAX = 30_000;

/** test(name, body) or test(name, options, body), bounded in time. */
export function test(name, ...rest) {
  const body = rest.pop();
  return nodeTest(name, { timeout: TEST_MS_MAX, ...rest[0] }, body);
}

/** `options` are Server's; `body(server)` declares the tests, during which the server runs. */
export function withServer(title, options, body, { workerCounts = [1, 2] } = {}) {
  for (const workers of workerCounts) {
    describe(`${title}, with ${workers} ${workers === 1 ? 'worker' : 'workers'}:`, () => {
      const server = new Server({ ...options, workers });
      before(() => server.start());
      after(() => server.stop());
      body(server);
    });
  }
}
