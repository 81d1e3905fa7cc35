// SPDX-License-Identifier: ISC
// Opens a page in headless Chromium, prints what is on it as a line of JSON, clicks its button with
// the mouse, and prints the page that follows: click.js URL [OPTION OF CHROMIUM]... Requests and
// complaints of the browser are lines of their own.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const [url, ...options] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'arda-chromium-'));
const browser = spawn(process.env.CHROMIUM || 'chromium', ['--headless=new', '--no-sandbox', '--disable-gpu',
  '--disable-dev-shm-usage', '--no-first-run', `--user-data-dir=${profile}`, '--window-size=400,800', '--remote-debugging-pipe',
  ...options], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], detached: true });
const print = (value) => console.log(JSON.stringify(value));

let ending = false;
function end(status) {
  if (ending) return;
  ending = true;
  const leave = () => {
    try {
      fs.rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
    } finally {
      process.exit(status);
    }
  };
  if (browser.exitCode !== null) return leave();
  browser.once('exit', leave);
  process.kill(-browser.pid, 'SIGKILL');
}

// ---- the DevTools protocol over two pipes; messages end with a NUL ----

let session;
let number = 0;
const answers = new Map();
const waiting = new Map();
function send(method, params = {}) {
  browser.stdio[3].write(`${JSON.stringify({ id: ++number, sessionId: session, method, params })}\0`);
  return new Promise((resolve, reject) => answers.set(number, { resolve, reject }));
}
const next = (method) => new Promise((resolve) => waiting.set(method, resolve));

function take({ id, method, params, result, error }) {
  if (id) {
    const answer = answers.get(id);
    answers.delete(id);
    return error ? answer.reject(new Error(error.message)) : answer.resolve(result);
  }
  if (method === 'Network.requestWillBeSent')
    print({ request: params.request.method, of: params.type, referer: params.request.headers.Referer });
  if (method === 'Log.entryAdded') print({ complaint: params.entry.text });
  waiting.get(method)?.(params);
}

let text = Buffer.alloc(0);
browser.stdio[4].on('data', (chunk) => {
  text = Buffer.concat([text, chunk]);
  for (let at; (at = text.indexOf(0)) >= 0; text = text.subarray(at + 1)) take(JSON.parse(text.subarray(0, at)));
});

async function look() {
  const { result } = await send('Runtime.evaluate', {
    returnByValue: true,
    expression: `(() => {
      const button = document.querySelector('button'), box = button?.getBoundingClientRect();
      const style = getComputedStyle(document.body);
      return { title: document.title, lang: document.documentElement.lang, text: document.body.innerText,
        button: button?.innerText, at: box && { x: box.x + box.width / 2, y: box.y + box.height / 2 },
        styled: style.padding === '16px', dark: style.backgroundColor !== 'rgb(255, 255, 255)',
        fits: document.documentElement.scrollWidth <= innerWidth };
    })()`,
  });
  print(result.value);
  return result.value;
}

async function main() {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  ({ sessionId: session } = await send('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  let loaded = next('Page.loadEventFired');
  await send('Page.navigate', { url });
  await loaded;
  const { at } = await look();
  loaded = next('Page.loadEventFired');
  for (const type of ['mousePressed', 'mouseReleased'])
    await send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
  await loaded;
  await look();
  end(0);
}

let complaints = '';
browser.stderr.on('data', (chunk) => (complaints += chunk));
browser.on('exit', () => {
  if (!ending) console.error(complaints);
  end(1);
});
process.on('SIGTERM', () => end(1));
main().catch((error) => {
  console.error(error);
  end(1);
});
