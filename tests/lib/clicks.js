// SPDX-License-Identifier: ISC
// Posts one link to unsubscribe again and again: clicks.js URL COUNT MS posts COUNT times, one every
// MS milliseconds, whatever the answers are like. Prints each answer's status.
'use strict';
const http = require('http');

const [url, count, ms] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const body = 'List-Unsubscribe=One-Click';
const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
let left = Number(count);
let open = left;
const end = () => { if (--open === 0) agent.destroy(); };
const timer = setInterval(() => {
  if (--left === 0) clearInterval(timer);
  const request = http.request(url, { method: 'POST', agent, headers }, (answer) => {
    console.log(answer.statusCode);
    answer.resume().on('end', end);
  });
  request.on('error', (error) => { console.log(error.message); end(); });
  request.end(body);
}, Number(ms));
