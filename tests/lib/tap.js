// SPDX-License-Identifier: ISC
// Cases of a script as lines of TAP: test(name, async () => …) takes them down, run() runs them,
// several at a time, and prints them in order. TEST_ONLY=text runs those with the text in their name.
'use strict';

const CASE_MS = 30000;
const cases = [];

function test(name, body) {
  if (!process.env.TEST_ONLY || name.includes(process.env.TEST_ONLY)) cases.push({ name, body });
}

async function runOne({ name, body }) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CASE_MS / 1000} s`)), CASE_MS);
  });
  try {
    await Promise.race([body(), late]);
    return { name };
  } catch (error) {
    return { name, error };
  } finally {
    clearTimeout(timer);
  }
}

function print(number, { name, error }) {
  console.log(`${error ? 'not ok' : 'ok'} ${number} - ${name.replace(/#/g, '\\#')}`);
  if (error) console.log(String(error.stack || error).replace(/^/gm, '# '));
}

// True if all cases have passed.
async function run(atOnce = 8) {
  console.log(`1..${cases.length}`);
  const results = [];
  let next = 0;
  let printed = 0;
  const lane = async () => {
    while (next < cases.length) {
      const at = next++;
      results[at] = await runOne(cases[at]);
      while (results[printed]) print(printed + 1, results[printed++]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results.every((result) => !result.error);
}

module.exports = { test, run };
