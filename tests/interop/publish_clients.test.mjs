// The publishing libraries of Fanout's day, from npm, as they are.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import net from 'node:net';
import { promisify } from 'node:util';

import { Endpoint } from '../support/bayeux.mjs';
import { test, withServer } from '../support/suite.mjs';

const require = createRequire(import.meta.url);
const fanoutpub = require('fanoutpub');
const pubcontrol = require('pubcontrol');
const modern = require('@fanoutio/pubcontrol');

/** For this process alone, port 80 of Fanout's API host is the server under test. */
function standInForFanout(t, server) {
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function connectHere(...args) {
    const [options] = [args[0]].flat();
    if (options.host === 'api.fanout.io' && Number(options.port) === 80) {
      Object.assign(options, { host: '127.0.0.1', port: server.port });
    }
    return connect.apply(this, args);
  };
  t.after(() => {
    net.Socket.prototype.connect = connect;
  });
}

class JsonObject {
  constructor(value) {
    this.value = value;
  }

  name() {
    return 'json-object';
  }

  export() {
    return this.value;
  }
}

/** The libraries call back with (success, message, context). */
const called = (start) =>
  new Promise((resolve) => {
    start((success, message, context) =>
      resolve({ success, message, status: context?.statusCode }),
    );
  });

withServer('A publishing library', {}, (server) => {
  async function subscriber(t, channel) {
    const socket = await new Endpoint(server).socket();
    t.after(() => socket.close());
    await socket.session(channel);
    return socket;
  }
  const realmUrl = () => `${server.url}/realm/${server.realm.id}`;
  const keyBytes = () => Buffer.from(server.realm.key, 'base64');

  test('npm fanoutpub publishes over plain HTTP to the host name that is written into it', async (t) => {
    standInForFanout(t, server);
    const fanout = new fanoutpub.Fanout(server.realm.id, server.realm.key, false);
    const socket = await subscriber(t, '/mycomments');
    for (const value of [{ new_comment: 42 }, 41, true, 'x', [1, 'two'], null]) {
      const { success, message } = await called((done) =>
        fanout.publish('mycomments', value, done),
      );
      assert.equal(success, true, message);
      assert.deepEqual(await socket.delivery(), { channel: '/mycomments', data: value });
    }
  });

  test('npm fanoutpub publishes with an id and the id before', async (t) => {
    standInForFanout(t, server);
    const fanout = new fanoutpub.Fanout(server.realm.id, server.realm.key, false);
    const socket = await subscriber(t, '/ids');
    const publish = promisify((n, id, previous, done) =>
      fanout.publish('ids', n, id, previous, (ok, why) => done(ok ? null : why)),
    );
    await publish(1, 'a', undefined);
    await publish(2, 'b', 'a');
    await publish(2, 'b', 'a'); // a repetition, as after a lost answer
    await publish(3, 'c', 'b');
    assert.deepEqual(
      (await socket.deliveries(3)).map(({ data }) => data),
      [1, 2, 3],
    );
  });

  test('npm fanoutpub learns that its key is wrong', async (t) => {
    standInForFanout(t, server);
    const fanout = new fanoutpub.Fanout(server.realm.id, 'bm90IHRoZSBrZXk=', false);
    const { success, status } = await called((done) => fanout.publish('mycomments', 1, done));
    assert.deepEqual({ success, status }, { success: false, status: 401 });
  });

  for (const [name, library] of [
    ['pubcontrol 1.3', pubcontrol],
    ['@fanoutio/pubcontrol 2.1', modern],
  ]) {
    const itemOf = (value, ...ids) => new library.Item(new JsonObject(value), ...ids);
    const client = (authenticate, uri = realmUrl()) => {
      const made = new library.PubControlClient(uri);
      authenticate(made);
      return made;
    };
    const publish = async (made, channel, item) => {
      // The older one calls back, the newer one promises.
      if (library === pubcontrol) {
        const { success, message } = await called((done) => made.publish(channel, item, done));
        if (!success) throw new Error(message);
      } else {
        await made.publish(channel, item);
      }
    };

    test(`npm ${name} publishes with a token`, async (t) => {
      const made = client((it) => it.setAuthJwt({ iss: server.realm.id }, keyBytes()));
      const socket = await subscriber(t, '/token');
      await publish(made, 'token', itemOf({ text: 'hello' }));
      assert.deepEqual(await socket.delivery(), { channel: '/token', data: { text: 'hello' } });
    });

    test(`npm ${name} publishes with user and password, and a base URI that ends in a slash`, async (t) => {
      const made = client(
        (it) => it.setAuthBasic(server.realm.id, server.realm.key),
        `${realmUrl()}/`,
      );
      const socket = await subscriber(t, '/password');
      await publish(made, 'password', itemOf(7));
      assert.deepEqual(await socket.delivery(), { channel: '/password', data: 7 });
    });

    test(`npm ${name} keeps order and drops repetitions by its ids`, async (t) => {
      const made = client((it) => it.setAuthJwt({ iss: server.realm.id }, keyBytes()));
      const channel = `ids-${name.replace(/[^a-z]/g, '')}`;
      const socket = await subscriber(t, `/${channel}`);
      await publish(made, channel, itemOf(1, 'a', undefined));
      await publish(made, channel, itemOf(3, 'c', 'b'));
      await publish(made, channel, itemOf(2, 'b', 'a'));
      await publish(made, channel, itemOf(3, 'c', 'b'));
      await publish(made, channel, itemOf(4, 'd', 'c'));
      assert.deepEqual(
        (await socket.deliveries(4)).map(({ data }) => data),
        [1, 2, 3, 4],
      );
    });

    test(`npm ${name} is told when it has no credentials`, async () => {
      await assert.rejects(
        publish(
          client(() => {}),
          'token',
          itemOf(1),
        ),
      );
    });

    test(`npm ${name} publishes a hundred items at once and none is lost`, async (t) => {
      const made = client((it) => it.setAuthJwt({ iss: server.realm.id }, keyBytes()));
      const socket = await subscriber(t, '/hundred');
      await Promise.all(Array.from({ length: 100 }, (_, n) => publish(made, 'hundred', itemOf(n))));
      const arrived = (await socket.deliveries(100)).map(({ data }) => data);
      assert.deepEqual(
        arrived.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, n) => n),
      );
    });
  }
});
