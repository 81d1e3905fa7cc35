// SPDX-License-Identifier: ISC
// A receiver of webhooks: receiver.js serve [HOST [KEY CERTIFICATE]], with the latter over TLS, prints {"port":N} and then each request it has
// got as a line of JSON, and each connection before it. The first part of a path says how the requests for this path are answered,
// one after the other, the last one for all that follow: /500,reset,ok/x. A number is a status;
// other words are below.
//
// receiver.js verify SECRET reads such lines and checks each with the reference library; it prints
// their ids, and exits 1 at the first one that is not signed with the secret.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');

const counts = new Map();

function answer(how, request, response) {
  switch (how) {
    case 'ok': response.writeHead(204).end(); break;
    case 'slow': setTimeout(() => response.writeHead(200).end('late'), 300); break;
    case 'busy': response.writeHead(429, { 'retry-after': '1' }).end('too many'); break;
    case 'away': response.writeHead(503, { 'retry-after': '1' }).end('be back'); break;
    case 'redirect': {
      const to = new URL(request.url, 'http://here').searchParams.get('to');
      response.writeHead(302, { location: to || '/ok/redirected' }).end();
      break;
    }
    case 'hang': break;
    case 'binary': response.writeHead(500).end(Buffer.from([0xff, 0xc3, 0x20, 0x1b, ...Buffer.from('[2J\r\nover')])); break;
    case 'half': response.writeHead(200, { 'content-length': '100' }).write('half'); break;
    case 'reset': request.socket.resetAndDestroy(); break;
    case 'close': request.socket.end(); break;
    case 'huge': {
      response.writeHead(500, { 'content-type': 'text/plain' });
      const block = 'x'.repeat(65536);
      const more = () => { while (!response.destroyed && response.write(block)); };
      response.on('drain', more);
      response.on('error', () => {});
      more();
      break;
    }
    default:
      if (how.startsWith('wait')) setTimeout(() => response.writeHead(204).end(), Number(how.slice(4)));
      else response.writeHead(Number(how)).end(`status ${how}\n\u0007 of mine`);
  }
}

function serve(host, key, certificate) {
  const tls = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) } : {};
  const server = (key ? https : http).createServer(tls, (request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('error', () => {});
    request.on('end', () => {
      const path = request.url;
      const count = counts.get(path) || 0;
      counts.set(path, count + 1);
      const list = path.split('/')[1].split(',');
      const how = list[Math.min(count, list.length - 1)];
      console.log(JSON.stringify({ at: Date.now(), path, how, method: request.method, headers: request.headers,
        body: Buffer.concat(parts).toString() }));
      answer(how, request, response);
    });
  });
  server.on('connection', () => console.log('{"connected":true}'));
  server.keepAliveTimeout = 60000;
  server.listen(0, host, () => console.log(JSON.stringify({ port: server.address().port })));
}

function verify(secret) {
  const { Webhook } = require('standardwebhooks');
  const webhook = new Webhook(secret);
  for (const line of require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
    const { headers, body } = JSON.parse(line);
    webhook.verify(body, headers);
    console.log(headers['webhook-id']);
  }
}

if (process.argv[2] === 'verify') verify(process.argv[3]);
else serve(process.argv[3] || '127.0.0.1', process.argv[4], process.argv[5]);
