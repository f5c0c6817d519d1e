// npm faye 1.4 in Node: the client that many back-ends and tools listen with.

import assert from 'node:assert/strict';

import faye from 'faye';

import { Inbox, pause, unordered } from '../support/inbox.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

// A proxy of the machine's must not stand between this client and 127.0.0.1.
for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])
  delete process.env[name];

const VALUES = [
  { new_comment: 42 },
  41,
  true,
  false,
  'x',
  ['a', { b: [] }],
  null,
  {},
  [],
  '',
  0,
  -1.5e-7,
  { text: 'Grüße, 日本, \u2028 and "quotes" \\ / \u0000', deep: { deeper: { deepest: [[[1]]] } } },
];

/** A client that tells which transport carries it and what it receives. */
class Listener {
  inbox = new Inbox();

  constructor(t, server, disabled) {
    this.client = new faye.Client(`${server.url}/bayeux`, { retry: 0.5 });
    disabled.forEach((type) => this.client.disable(type));
    this.client.addExtension({ outgoing: (message, pass) => pass(this.#note(message)) });
    // Waits for the answer: a client that finds no server for its good-bye tries for ever.
    t.after(() => Promise.race([this.client.disconnect(), pause(2000)]));
  }

  #note(message) {
    this.transport = message.connectionType ?? this.transport;
    return message;
  }

  /** Resolves when the server has confirmed; the subscription itself, as it is a thenable, in a list. */
  async subscribe(channel, callback = this.inbox.push) {
    const subscription = this.client.subscribe(channel, callback);
    await subscription;
    return [subscription];
  }
}

const TRANSPORTS = [
  { transport: 'websocket', disabled: [] },
  { transport: 'long-polling', disabled: ['websocket'] },
];

const realms = [makeRealm('demo', { bayeux: { connect_timeout: '3s' } })];

for (const { transport, disabled } of TRANSPORTS) {
  withServer(`npm faye 1.4 over ${transport}`, { realms }, (server) => {
    test(`is served over ${transport}`, async (t) => {
      const listener = new Listener(t, server, disabled);
      await listener.subscribe('/transport');
      assert.equal(listener.transport, transport);
    });

    test('receives exactly the data that was published, whatever JSON value it is', async (t) => {
      const listener = new Listener(t, server, disabled);
      await listener.subscribe('/values');
      for (const value of VALUES) {
        await server.publish('values', value);
        assert.deepEqual(await listener.inbox.next(), value);
      }
    });

    test('receives a batch in the order in which it was published', async (t) => {
      const listener = new Listener(t, server, disabled);
      await listener.subscribe('/batch');
      const items = Array.from({ length: 50 }, (_, n) => ({
        channel: 'batch',
        'json-object': { n },
      }));
      await server.publishItems(items);
      assert.deepEqual(
        await listener.inbox.take(50),
        items.map((item) => item['json-object']),
      );
    });

    test('hears /x/* one level deep and /x/** at any depth', async (t) => {
      const listener = new Listener(t, server, disabled);
      const [shallow, deep] = [new Inbox(), new Inbox()];
      await listener.subscribe('/news/*', shallow.push);
      await listener.subscribe('/news/**', deep.push);
      for (const channel of ['news/uk/london', 'news/uk', 'news', 'newspaper/uk', 'last/one']) {
        await server.publish(channel, channel);
      }
      await server.publish('news/end', 'end');
      assert.deepEqual(unordered(await shallow.take(2)), unordered(['news/uk', 'end']));
      assert.deepEqual(
        unordered(await deep.take(3)),
        unordered(['news/uk/london', 'news/uk', 'end']),
      );
      await pause(50);
      assert.deepEqual([shallow.size, deep.size], [0, 0]);
    });

    test('hears nothing more on a channel that it has left', async (t) => {
      const listener = new Listener(t, server, disabled);
      const left = new Inbox();
      const [subscription] = await listener.subscribe('/left', left.push);
      await listener.subscribe('/kept');
      await server.publish('left', 1);
      assert.equal(await left.next(), 1);
      subscription.cancel();
      await pause(300); // the unsubscribe has no promise
      await server.publish('left', 2);
      await server.publish('kept', 3);
      assert.equal(await listener.inbox.next(), 3);
      assert.equal(left.size, 0);
    });

    test('is told when a channel is not one', async (t) => {
      const listener = new Listener(t, server, disabled);
      await assert.rejects(listener.subscribe('/meta/connect'), { code: 403 });
    });

    test('is refused when it publishes, and nobody hears it', async (t) => {
      const [talker, listener] = [
        new Listener(t, server, disabled),
        new Listener(t, server, disabled),
      ];
      await listener.subscribe('/quiet');
      await assert.rejects(Promise.resolve(talker.client.publish('/quiet', 'psst')), { code: 403 });
      await server.publish('quiet', 'said by the site');
      assert.equal(await listener.inbox.next(), 'said by the site');
    });

    test('stays subscribed over many polls', async (t) => {
      const listener = new Listener(t, server, disabled);
      await listener.subscribe('/patient');
      await pause(7000); // two polls and a bit
      await server.publish('patient', 'still there');
      assert.equal(await listener.inbox.next(1000), 'still there');
    });

    test('subscribes again by itself after the server was gone, and hears what comes then', async (t) => {
      const listener = new Listener(t, server, disabled);
      const again = new Inbox();
      listener.client.addExtension({
        incoming(message, pass) {
          if (message.channel === '/meta/subscribe') again.push(message);
          pass(message);
        },
      });
      await listener.subscribe('/one');
      await listener.subscribe('/two/*');
      await again.take(2);
      await server.restart();
      assert.deepEqual(
        (await again.take(2, 15_000)).map(({ successful }) => successful),
        [true, true],
      );
      await server.publish('one', 1);
      await server.publish('two/2', 2);
      assert.deepEqual(unordered(await listener.inbox.take(2)), unordered([1, 2]));
    });

    test('can say good-bye, after which it hears nothing', async (t) => {
      const listener = new Listener(t, server, disabled);
      await listener.subscribe('/bye');
      await Promise.race([
        listener.client.disconnect(),
        pause(3000).then(() => assert.fail('no answer to the disconnect')),
      ]);
      await server.publish('bye', 1);
      await pause(200);
      assert.equal(listener.inbox.size, 0);
    });
  });
}
