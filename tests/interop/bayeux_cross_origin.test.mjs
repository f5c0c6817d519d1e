// What the page of another origin needs: JSON-P and CORS.

import assert from 'node:assert/strict';

import {
  connectMessage,
  Endpoint,
  handshakeMessage,
  isDelivery,
  subscribeMessage,
} from '../support/bayeux.mjs';
import { call } from '../support/http.mjs';
import { pause } from '../support/inbox.mjs';
import { makeRealm } from '../support/server.mjs';
import { test, withServer } from '../support/suite.mjs';

const realms = [makeRealm('demo', { bayeux: { connect_timeout: '2s' } })];

withServer('JSON-P', { realms }, (server) => {
  const endpoint = new Endpoint(server);
  const get = (messages, callback) => {
    const query = new URLSearchParams({ message: JSON.stringify(messages) });
    if (callback !== undefined) query.set('jsonp', callback);
    return call(server, 'GET', `/bayeux?${query}`);
  };
  const unwrap = (text, callback) =>
    JSON.parse(text.slice(`/**/${callback}(`.length, -');'.length));

  for (const callback of ['__jsonp1__', '_cometd_jsonp_17', 'a.b.$c', 'jsonpcallback']) {
    test(`answers a handshake as a call of ${callback}`, async () => {
      const { status, headers, text } = await get(
        [handshakeMessage()],
        callback === 'jsonpcallback' ? undefined : callback,
      );
      assert.equal(status, 200);
      assert.ok(text.startsWith(`/**/${callback}([{`) && text.endsWith('}]);'), text);
      assert.equal(unwrap(text, callback)[0].successful, true);
      assert.match(headers['content-type'], /^text\/javascript/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-disposition'], /^attachment/);
      assert.match(headers['cache-control'], /no-store/);
    });
  }

  for (const callback of [
    'alert(1)',
    'a;b',
    '1a',
    'a..b',
    '.a',
    'a.',
    '',
    'a b',
    'a\u2028',
    '<script>',
    `x${'y'.repeat(64)}`,
    'a[0]',
  ]) {
    test(`refuses to call ${JSON.stringify(callback)}`, async () => {
      const { status, text } = await get([handshakeMessage()], callback);
      assert.equal(status, 400);
      assert.ok(callback === '' || !text.includes(callback), text);
    });
  }

  test('carries a whole session, with its held polls', async () => {
    const clientId = await endpoint.handshake();
    const ask = async (message) => unwrap((await get([message], 'f')).text, 'f');
    await ask(
      connectMessage(clientId, { connectionType: 'callback-polling', advice: { timeout: 0 } }),
    );
    assert.equal((await ask(subscribeMessage(clientId, '/p')))[0].successful, true);
    const poll = ask(connectMessage(clientId, { connectionType: 'callback-polling' }));
    await pause(200);
    await server.publish('p', { n: 1 });
    assert.deepEqual((await poll).filter(isDelivery), [{ channel: '/p', data: { n: 1 } }]);
  });

  test('escapes the two characters that end a line in a script but not in JSON', async () => {
    const clientId = await endpoint.session('/lines');
    await server.publish('lines', 'a\u2028b\u2029c');
    const { text } = await get(
      [connectMessage(clientId, { connectionType: 'callback-polling' })],
      'f',
    );
    assert.ok(!/[\u2028\u2029]/.test(text), JSON.stringify(text));
    assert.equal(unwrap(text, 'f').find(isDelivery).data, 'a\u2028b\u2029c');
  });

  test('refuses a message that is none', async () => {
    for (const query of [
      'message=&jsonp=f',
      'message=hello&jsonp=f',
      'message=%5B&jsonp=f',
      'message=%&jsonp=f',
    ]) {
      assert.equal((await call(server, 'GET', `/bayeux?${query}`)).status, 400, query);
    }
  });
});

withServer('CORS', { realms }, (server) => {
  const origin = 'https://www.example.com:8443';

  test('preflight allows what Faye and CometD ask for', async () => {
    for (const requested of [
      'pragma',
      'content-type',
      'x-requested-with, pragma',
      'authorization',
    ]) {
      const { status, headers } = await call(server, 'OPTIONS', '/bayeux', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': requested,
        },
      });
      assert.ok([200, 204].includes(status), String(status));
      const allowed = headers['access-control-allow-headers'].toLowerCase().split(/,\s*/);
      for (const name of requested.split(', '))
        assert.ok(allowed.includes(name), `${name} in ${allowed}`);
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.match(headers['access-control-allow-methods'], /POST/);
      assert.match(headers['access-control-allow-methods'], /GET/);
      assert.ok(Number(headers['access-control-max-age']) > 0);
    }
  });

  test('lets the page of any origin read the answer', async () => {
    const { headers, json } = await call(server, 'POST', '/bayeux', {
      headers: { origin, 'content-type': 'text/plain;charset=UTF-8' },
      body: `message=${encodeURIComponent(JSON.stringify([handshakeMessage()]))}`,
    });
    assert.equal(json[0].successful, true);
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.match(headers.vary, /origin/i);
  });

  test('lets the page of any origin read a refusal as well', async () => {
    const { status, headers } = await call(server, 'POST', '/bayeux', {
      headers: { origin, 'content-type': 'application/json' },
      body: 'x',
    });
    assert.equal(status, 400);
    assert.equal(headers['access-control-allow-origin'], origin);
  });

  test('is not spoken of to a request without an origin', async () => {
    const { headers } = await call(server, 'POST', '/bayeux', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(handshakeMessage()),
    });
    assert.equal(headers['access-control-allow-credentials'], undefined);
  });
});
