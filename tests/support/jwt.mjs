// Tokens as publishers make them: HS256, `iss` and `exp`, the key decoded from base64.

import { createHmac } from 'node:crypto';

const base64url = (text) => Buffer.from(text).toString('base64url');

export function sign(claims, key, header = { typ: 'JWT', alg: 'HS256' }) {
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(signed)
    .digest('base64url');
  return `${signed}.${signature}`;
}

export const secondsFromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

export function tokenFor(realm) {
  return sign({ iss: realm.id, exp: secondsFromNow(3600) }, realm.key);
}

export const bearer = (realm) => `Bearer ${tokenFor(realm)}`;

export const basic = (user, password) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
