// What a client and the server do with each other, one exchange a column of the table. An exchange fails
// by throwing. Each has channels of its own, so that they do not hear of one another.

import assert from 'node:assert/strict';

import { Endpoint } from '../support/bayeux.mjs';
import { pause, unordered, until } from '../support/inbox.mjs';
import { Proxy } from './proxy.mjs';

/**
 * Short, so that several pass. Not shorter: Faye gives a poll up after 1.2 of them, and what was on its way
 * to a browser that came too late on a busy machine is lost then.
 */
export const CONNECT_TIMEOUT_MS = 3000;

/** Three connects, the first of which has begun before, with room for a machine that does other things too. */
const HOLD_MS_MAX = 6 * CONNECT_TIMEOUT_MS;

const VALUES = [{ new_comment: 42, deep: { list: [1, { a: null }] } }, 41, -0.5, 'Grüße, 日本 \u2028 "x"', '', true, false, null, [], {}];

/** The time that silence is given to prove itself. */
const SILENCE_MS = 150;

const isFaye = ({ library }) => library === 'faye';
const isCometd = ({ library }) => library === 'cometd';
const isWebSocket = ({ transport }) => transport === 'websocket';

async function hears(client, subscription, ...values) {
  assert.deepEqual(await client.heard(subscription).take(values.length), values);
}

/** Lets a client use a proxy; whatever happens, both are gone afterwards. */
async function behind(proxyOptions, row, clientOptions, body) {
  const proxy = await Proxy.start(row.server, proxyOptions);
  let client;
  try {
    client = await row.open({ base: proxy.url, ...clientOptions });
    await body(client, proxy);
  } finally {
    await client?.stop();
    await proxy.stop();
  }
}

/** Publishes numbers until `stop` settles, one every few milliseconds; answers with how many. */
async function publishDuring(server, channel, stop) {
  let count = 0;
  let isOver = false;
  const over = stop.finally(() => { isOver = true; });
  while (!isOver) {
    await server.publish(channel, count++);
    await pause(30);
  }
  await over;
  return count;
}

export const exchanges = [
  {
    name: 'handshake',
    says: 'a session is made, and the transport of the row carries it',
    async run({ client, transport }) {
      await client.ask('open');
      const { clientId } = await client.got('/meta/handshake', ({ successful }) => successful);
      await client.ask('subscribe', { channel: '/handshake' });
      await client.sent('/meta/connect', (message) => message.connectionType === transport && message.clientId === clientId);
    },
  },
  {
    name: 'receive',
    says: 'objects, numbers, texts, booleans, lists, `null`: what the site publishes arrives, in order',
    async run({ client, server }) {
      await client.ask('subscribe', { channel: '/receive' });
      for (const value of VALUES) {
        await server.publish('receive', value);
        await hears(client, '/receive', value);
      }
      await server.publishItems(VALUES.map((value) => ({ channel: 'receive', 'json-object': value })));
      await hears(client, '/receive', ...VALUES);
    },
  },
  {
    name: 'wildcards',
    says: '`/x/*` hears one level, `/x/**` every one below',
    async run({ client, server }) {
      await client.ask('subscribe', { channel: '/wild/*' });
      await client.ask('subscribe', { channel: '/wild/**' });
      for (const channel of ['wild', 'wild/a/b', 'wilder/a', 'wild/a']) await server.publish(channel, channel);
      await hears(client, '/wild/*', 'wild/a');
      // An order is promised within each channel only.
      assert.deepEqual(unordered(await client.heard('/wild/**').take(2)), unordered(['wild/a', 'wild/a/b']));
      await pause(SILENCE_MS);
      assert.deepEqual([client.heard('/wild/*').size, client.heard('/wild/**').size], [0, 0]);
    },
  },
  {
    name: 'one copy',
    says: 'three subscriptions that match cost one delivery, and each callback hears it',
    async run({ client, server }) {
      const since = client.now;
      const subscriptions = ['/copy/a', '/copy/*', '/copy/**'];
      for (const channel of subscriptions) await client.ask('subscribe', { channel });
      await server.publish('copy/a', 1);
      await server.publish('copy/a', 2);
      for (const channel of subscriptions) await hears(client, channel, 1, 2);
      await pause(SILENCE_MS);
      assert.equal(client.all('got', '/copy/a', since).length, 2);
    },
  },
  {
    name: 'unsubscribe',
    says: 'nothing more comes on that channel, and the others go on',
    async run({ client, server }) {
      for (const channel of ['/left', '/kept']) await client.ask('subscribe', { channel });
      await server.publish('left', 1);
      await hears(client, '/left', 1);
      await client.ask('unsubscribe', { channel: '/left' });
      await client.got('/meta/unsubscribe', ({ subscription, successful }) => [subscription].flat().includes('/left') && successful);
      await server.publish('left', 2);
      await server.publish('kept', 3);
      await hears(client, '/kept', 3);
      await pause(SILENCE_MS);
      assert.equal(client.heard('/left').size, 0);
    },
  },
  {
    name: 'forbidden',
    says: 'what a client publishes is refused by default, the library reports it, and nobody hears it',
    async run({ client, server }) {
      await client.ask('subscribe', { channel: '/forbidden' });
      await assert.rejects(client.ask('publish', { channel: '/forbidden', data: 'psst' }), /403/);
      await server.publish('forbidden', 'said by the site');
      await hears(client, '/forbidden', 'said by the site');
    },
  },
  {
    name: 'publish',
    says: 'with `client_publish = true` it is accepted, and the publisher hears it too',
    async run({ talker }) {
      await talker.ask('open');
      await talker.ask('subscribe', { channel: '/talk' });
      for (const data of [{ text: 'hello' }, 7, 'x']) {
        await talker.ask('publish', { channel: '/talk', data });
        await hears(talker, '/talk', data);
      }
    },
  },
  {
    name: 'batch',
    says: 'subscribe and publish in one batch: answered in order, all effects seen by what comes after',
    applies: isCometd,
    async run({ talker }) {
      const publish = (data) => ({ do: 'publish', channel: '/batch', data });
      await talker.ask('batch', { commands: [{ do: 'subscribe', channel: '/batch' }, publish(1), publish(2), publish(3)] });
      await hears(talker, '/batch', 1, 2, 3);
    },
  },
  {
    name: 'service',
    says: 'a publish to `/service/…` is acknowledged; a remote call, which nothing answers here, times out in the client',
    applies: isCometd,
    async run({ client, hasCallTimeout }) {
      await client.ask('publish', { channel: '/service/echo', data: 1 });
      const end = client.ask('call', { target: 'echo', data: { a: 1 }, ms: 500 }).then(() => 'answered', (error) => error.message);
      const { id } = await client.sent('/service/echo', ({ data }) => data.a === 1);
      await client.got('/service/echo', (message) => message.id === id && message.successful);
      if (hasCallTimeout) assert.match(await end, /406/);
    },
  },
  {
    name: 'hold',
    says: 'it stays connected over several connect timeouts, and hears what comes after them',
    async run({ client, server, transport }) {
      await client.ask('subscribe', { channel: '/hold' });
      const since = client.now;
      const start = Date.now();
      const replies = () => client.all('got', '/meta/connect', since);
      await until(() => replies().length >= 3, 'three connects are answered', HOLD_MS_MAX);
      for (const { got } of replies()) assert.equal(got.successful, true);
      // Beside an event stream a connect is a heartbeat that is answered at once, and Faye starts one more
      // row of them with every subscribe; elsewhere three answers take two whole holds.
      const held = transport === 'eventsource' ? 0 : 2 * CONNECT_TIMEOUT_MS;
      assert.ok(Date.now() - start > 0.8 * held, `three connects in ${Date.now() - start} ms`);
      assert.equal(client.all('got', '/meta/handshake').length, 1);
      await server.publish('hold', 'still there');
      await hears(client, '/hold', 'still there');
    },
  },
  {
    name: 'upgrade',
    says: 'a WebSocket that opens late takes the session over, and nothing is lost or doubled on the way',
    applies: (row) => isFaye(row) && isWebSocket(row),
    run: (row) => behind({ webSockets: 700 }, row, {}, async (client) => {
      await client.ask('open');
      await client.ask('subscribe', { channel: '/upgrade' });
      const moved = client.sent('/meta/connect', ({ connectionType }) => connectionType === 'websocket');
      const count = await publishDuring(row.server, 'upgrade', moved.then(() => pause(300)));
      await hears(client, '/upgrade', ...Array(count).keys());
      assert.equal(client.all('sent', '/meta/handshake').length, 1);
      await pause(SILENCE_MS);
      assert.equal(client.heard('/upgrade').size, 0);
    }),
  },
  {
    name: 'fall back',
    says: 'where a proxy refuses WebSockets it polls, and hears everything',
    applies: isWebSocket,
    run: (row) => behind({ webSockets: 'refuse' }, row, {}, async (client) => {
      await client.ask('open');
      await client.ask('subscribe', { channel: '/fallback' });
      await client.sent('/meta/connect', ({ connectionType }) => connectionType !== 'websocket');
      await row.server.publish('fallback', 1);
      await hears(client, '/fallback', 1);
    }),
  },
  {
    name: 'ack',
    says: 'with CometD\'s acknowledgements, what is lost on a broken connection comes again, once and in order',
    applies: isCometd,
    run: (row) => behind({}, row, { ack: true }, async (client, proxy) => {
      await client.ask('open');
      const { ext } = await client.got('/meta/handshake', ({ successful }) => successful);
      assert.equal(ext?.ack?.enabled ?? ext?.ack, true, `the handshake reply has ext ${JSON.stringify(ext)}`);
      await client.ask('subscribe', { channel: '/ack' });
      await row.server.publish('ack', 1);
      await hears(client, '/ack', 1);
      // The next connect acknowledges the batch that the connect reply behind the delivery has closed.
      const reply = await client.got('/meta/connect', (message) => message.ext?.ack > 0, { since: client.last('got', '/ack') });
      await client.sent('/meta/connect', ({ id }) => id !== reply.id, { since: client.last('got', '/meta/connect') });
      proxy.loses = true;
      for (const data of [2, 3]) await row.server.publish('ack', data);
      await pause(300);
      proxy.cut();
      proxy.loses = false;
      await hears(client, '/ack', 2, 3);
      await row.server.publish('ack', 4);
      await hears(client, '/ack', 4);
      assert.equal(client.all('got', '/meta/handshake').length, 1);
    }),
  },
  {
    name: 'restart',
    says: 'when the server has been killed and is back, it makes a new session, subscribes again and hears',
    async run({ client, server }) {
      await client.ask('subscribe', { channel: '/restart/one' });
      await client.ask('subscribe', { channel: '/restart/two/*' });
      const since = client.now;
      await server.restart();
      await client.got('/meta/handshake', ({ successful }) => successful, { since, ms: 20_000 });
      const isAgain = (name) => ({ subscription, successful }) => successful && [subscription].flat().includes(name);
      for (const name of ['/restart/one', '/restart/two/*']) await client.got('/meta/subscribe', isAgain(name), { since });
      await server.publish('restart/one', 1);
      await server.publish('restart/two/2', 2);
      await hears(client, '/restart/one', 1);
      await hears(client, '/restart/two/*', 2);
    },
  },
  {
    name: 'disconnect',
    says: 'the good-bye is answered, and the session is gone from the server',
    async run({ client, server }) {
      const { clientId } = client.all('got', '/meta/handshake').at(-1).got;
      await client.ask('disconnect');
      await client.got('/meta/disconnect', ({ successful }) => successful);
      const [reply] = await new Endpoint(server, { path: '/r/demo/bayeux' }).connect(clientId, { advice: { timeout: 0 } });
      assert.equal(reply.successful, false, 'the session still answers');
      assert.equal(reply.advice.reconnect, 'handshake');
    },
  },
];
