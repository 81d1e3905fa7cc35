// SPDX-License-Identifier: ISC
// Starts tests/echo-server for a script: `await start()` yields its port, stop() ends it and tells
// how it ended. The environment may set PING_INTERVAL and PING_TIMEOUT in milliseconds.
'use strict';
const { spawn } = require('child_process');
const path = require('path');

const program = path.join(process.env.top_builddir || '.', 'tests', 'echo-server');
let server;
let log = '';

function start(environment = {}) {
  server = spawn(program, [], { env: { ...process.env, PORT: '0', ...environment }, stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => server.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`the echo server has ended:\n${log}`)));
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log += text;
      const match = /listening on .*:(\d+)/.exec(log);
      if (match) resolve(Number(match[1]));
    });
  });
}

// Its exit status is 0 unless a sanitizer found something or a handle was left open.
function stop() {
  return new Promise((resolve) => {
    server.removeAllListeners('exit');
    server.once('close', (code, signal) => {
      if (code !== 0) console.log(`# echo-server ended with ${signal || code}:\n${log.replace(/^/gm, '# ')}`);
      resolve(code === 0);
    });
    if (server.exitCode === null) server.kill('SIGTERM');
    else server.emit('close', server.exitCode, server.signalCode);
  });
}

// The whole of a script: server, cases, exit status.
async function main(tap, setUp, environment) {
  try {
    setUp(await start(environment));
    const passed = await tap.run();
    process.exitCode = (await stop()) && passed ? 0 : 1;
  } catch (error) {
    console.log(`Bail out! ${error.message}`);
    process.exitCode = 1;
  }
  process.exit();
}

module.exports = { start, stop, main };
