// SPDX-License-Identifier: ISC
// Prints a token of a link to unsubscribe, as the notification service beside us makes it, with
// Node's own HMAC: unsubscribe.js SECRET TENANT USER TYPE [CLAIM=JSON]... Claims replace the usual
// ones, those of null are left out; alg=JSON goes into the header, and sig=TEXT is the signature.
'use strict';
const { createHmac } = require('crypto');

const [secret, tenantId, userId, notificationType, ...more] = process.argv.slice(2);
const now = Math.floor(Date.now() / 1000);
const header = { alg: 'HS256', typ: 'JWT' };
const claims = { userId, tenantId, notificationType, channel: 'email', iat: now, exp: now + 30 * 86400, iss: 'arda-notifications' };
let signature;
for (const one of more) {
  const name = one.slice(0, one.indexOf('='));
  const value = one.slice(name.length + 1);
  if (name === 'sig') signature = value;
  else if (name === 'alg') header.alg = JSON.parse(value);
  else if (value === 'null') delete claims[name];
  else claims[name] = JSON.parse(value) === Infinity ? `@${value}@` : JSON.parse(value);
}
// 1e400 stays as it is: other languages read it as Infinity, too, and JSON has no other way to write that.
const json = (value) => JSON.stringify(value).replace(/"@([0-9e]+)@"/g, '$1');
const part = (value) => Buffer.from(json(value)).toString('base64url');
const text = `${part(header)}.${part(claims)}`;
const hash = header.alg === 'HS512' ? 'sha512' : 'sha256';
console.log(`${text}.${signature ?? createHmac(hash, secret).update(text).digest('base64url')}`);
