// SPDX-License-Identifier: ISC
// Serves a page with the official client, opens it in headless Chromium, and prints what the page
// reports: browser.js GATEWAY TOKEN LISTEN-PORT TRANSPORTS COUNT. The page's origin is
// http://localhost:LISTEN-PORT, another than the gateway's.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const [gateway, token, port, transports, count] = process.argv.slice(2);
const client = path.join(path.dirname(require.resolve('socket.io-client/package.json')), 'dist', 'socket.io.js');

const page = `<!doctype html><meta charset="utf-8"><title>arda</title>
<script src="/socket.io.js"></script>
<script>
let left = ${Number(count)};
const report = (value) => fetch('/report', { method: 'POST', body: JSON.stringify(value) });
const socket = io(${JSON.stringify(gateway)}, { auth: { token: ${JSON.stringify(token)} }, withCredentials: true,
  transports: ${JSON.stringify(transports.split(','))} });
socket.on('connect_error', (error) => report({ error: error.message }));
socket.onAny(async (event, ...args) => {
  await report({ event, args, transport: socket.io.engine.transport.name });
  if (--left === 0) report({ end: true });
});
</script>`;

const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'arda-chromium-'));
let browser;

let ending = false;

// Its helper processes write into the profile until they are gone, too.
function end(status) {
  if (ending) return;
  ending = true;
  server.close();
  const leave = () => {
    try {
      fs.rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
    } finally {
      process.exit(status);
    }
  };
  if (!browser || browser.exitCode !== null) return leave();
  browser.once('exit', leave);
  process.kill(-browser.pid, 'SIGKILL');
}

const server = http.createServer((request, response) => {
  if (request.url === '/socket.io.js') return fs.createReadStream(client).pipe(response);
  if (request.url !== '/report') {
    response.setHeader('content-type', 'text/html');
    return response.end(page);
  }
  let body = '';
  request.on('data', (chunk) => (body += chunk)).on('end', () => {
    response.end();
    if (JSON.parse(body).end) end(0);
    else console.log(body);
  });
});

server.listen(Number(port), 'localhost', () => {
  browser = spawn(process.env.CHROMIUM || 'chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--no-first-run', `--user-data-dir=${profile}`, `http://localhost:${port}/`], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let complaints = '';
  browser.stderr.on('data', (chunk) => (complaints += chunk));
  browser.on('exit', () => {
    if (!ending) console.error(complaints);
    end(1);
  });
});
process.on('SIGTERM', () => end(1));
