// Two tenants of one server: nothing of one is seen, counted or reached by the other.

import assert from 'node:assert/strict';

import { Endpoint, isDelivery } from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const [alpha, beta] = [makeRealm('alpha'), makeRealm('beta')];

withServer('Two realms', { realms: [alpha, beta] }, (server) => {
  const byHost = (realm, domain = 'localhost') =>
    new Endpoint(server, { headers: { host: `${realm.id}.${domain}:${server.port}` } });
  const byPath = (realm) => new Endpoint(server, { path: `/r/${realm.id}/bayeux` });

  for (const [how, endpointOf] of [
    ['host name', byHost],
    ['path', byPath],
  ]) {
    test(`told apart by ${how} never hear each other over WebSocket`, async (t) => {
      const [a, b] = [await endpointOf(alpha).socket(), await endpointOf(beta).socket()];
      t.after(() => [a, b].forEach((socket) => socket.close()));
      await a.session('/same', '/**');
      await b.session('/same', '/**');
      await server.publish('same', 'for alpha', {}, { realm: alpha });
      await server.publish('same', 'for beta', {}, { realm: beta });
      assert.equal((await a.delivery()).data, 'for alpha');
      assert.equal((await b.delivery()).data, 'for beta');
      for (const socket of [a, b])
        await assert.rejects(socket.delivery(100), 'heard the other realm');
    });

    test(`told apart by ${how} never hear each other over polling`, async () => {
      const [a, b] = [endpointOf(alpha), endpointOf(beta)];
      const [clientA, clientB] = [await a.session('/same'), await b.session('/same')];
      await server.publish('same', 'for alpha', {}, { realm: alpha });
      await server.publish('same', 'for beta', {}, { realm: beta });
      assert.deepEqual(
        (await a.poll(clientA, 1)).map(({ data }) => data),
        ['for alpha'],
      );
      assert.deepEqual(
        (await b.poll(clientB, 1)).map(({ data }) => data),
        ['for beta'],
      );
    });
  }

  test('are the same realm by host name and by path', async (t) => {
    const socket = await byHost(alpha).socket();
    t.after(() => socket.close());
    await socket.session('/one');
    const clientId = await byPath(alpha).session('/one');
    await server.publish('one', 1, {}, { realm: alpha });
    assert.equal((await socket.delivery()).data, 1);
    assert.equal((await byPath(alpha).poll(clientId, 1))[0].data, 1);
  });

  test('are found by a host name in capitals, and with or without a port', async () => {
    for (const host of [
      `ALPHA.LocalHost:${server.port}`,
      'alpha.localhost',
      'alpha.localhost:80',
    ]) {
      const clientId = await new Endpoint(server, { headers: { host } }).session('/host');
      await server.publish('host', 1, {}, { realm: alpha });
      assert.equal((await byHost(alpha).poll(clientId, 1))[0].data, 1);
    }
  });

  test("do not know each other's sessions", async (t) => {
    const clientId = await byPath(alpha).session('/mine');
    for (const endpoint of [byPath(beta), byHost(beta)]) {
      const [reply] = await endpoint.connect(clientId);
      assert.deepEqual([reply.successful, reply.advice.reconnect], [false, 'handshake']);
      const [bye] = await endpoint.send({ channel: '/meta/disconnect', clientId, id: '1' });
      assert.equal(bye.successful, false);
    }
    const socket = await byPath(beta).socket();
    t.after(() => socket.close());
    const reply = await socket.ask({
      channel: '/meta/connect',
      clientId,
      connectionType: 'websocket',
    });
    assert.equal(reply.successful, false);
    await server.publish('mine', 'still here', {}, { realm: alpha });
    assert.deepEqual((await byPath(alpha).poll(clientId, 1)).filter(isDelivery), [
      { channel: '/mine', data: 'still here' },
    ]);
  });

  test('do not share the ids of publications', async (t) => {
    const sockets = [await byPath(alpha).socket(), await byPath(beta).socket()];
    t.after(() => sockets.forEach((socket) => socket.close()));
    for (const socket of sockets) await socket.session('/ids');
    await server.publish('ids', 'alpha', { id: 'same' }, { realm: alpha });
    await server.publish('ids', 'beta', { id: 'same' }, { realm: beta });
    assert.deepEqual(
      await Promise.all(sockets.map(async (socket) => (await socket.delivery()).data)),
      ['alpha', 'beta'],
    );
  });

  test('leave no realm for who names none, or one that is not there', async () => {
    const handshake = JSON.stringify([
      {
        channel: '/meta/handshake',
        version: '1.0',
        supportedConnectionTypes: ['long-polling'],
        id: '1',
      },
    ]);
    for (const [path, host] of [
      ['/bayeux', `127.0.0.1:${server.port}`],
      ['/bayeux', 'localhost'],
      ['/bayeux', 'gamma.localhost'],
      ['/r/gamma/bayeux', 'localhost'],
      ['/bayeux', 'alpha.example.com'],
      ['/bayeux', 'alpha.localhost.example.com'],
      ['/bayeux', 'x.alpha.localhost'],
      ['/r//bayeux', 'localhost'],
    ]) {
      const { status, text } = await call(server, 'POST', path, {
        headers: { host, 'content-type': 'application/json' },
        body: handshake,
      });
      assert.ok(status >= 400 && status < 500, `${host}${path}: ${status} ${text}`);
      assert.throws(() => JSON.parse(text));
      await assert.rejects(new Endpoint(server, { path, headers: { host } }).socket(), /4\d\d/);
    }
  });
});

withServer('The only realm', { realms: [alpha] }, (server) => {
  test('is meant by any host name that names none', async () => {
    for (const host of [`127.0.0.1:${server.port}`, 'localhost', 'push.example.com', '[::1]:80']) {
      assert.ok(await new Endpoint(server, { headers: { host } }).handshake());
    }
  });
});
