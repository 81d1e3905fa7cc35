// SPDX-License-Identifier: ISC
// Reads a text of OpenMetrics 1.0.0 from standard input, refuses (with 1 and a reason) whatever the
// specification does not allow of the types gauge, counter and info, and prints it as JSON:
// [{"name":…,"type":…,"unit":…,"help":…,"samples":[{"name":…,"labels":{…},"value":…}]}].
'use strict';
const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
  try {
    console.log(JSON.stringify(parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
});

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const ESCAPED = '(?:[^"\\\\\\n]|\\\\["\\\\n])*';
const LABEL = new RegExp(`^([a-zA-Z_][a-zA-Z0-9_]*)="(${ESCAPED})"(?:,(?!$)|$)`);
const META = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.+)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.+)\\})? (\\S+)$`);
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const SUFFIX = { gauge: '', counter: '_total', info: '_info' };

function check(condition, text, line) {
  if (!condition) throw new Error(`${text}: ${JSON.stringify(line)}`);
}

function parseLabels(text, line) {
  const labels = {};
  for (let rest = text ?? ''; rest !== '';) {
    const match = LABEL.exec(rest);
    check(match, 'bad label', line);
    check(!(match[1] in labels), 'label twice', line);
    labels[match[1]] = match[2].replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    rest = rest.slice(match[0].length);
  }
  return labels;
}

function addMeta(family, what, value, line) {
  const key = what.toLowerCase();
  check(family[key] === undefined, `${what} twice`, line);
  check(family.samples.length === 0, `${what} behind samples`, line);
  if (what === 'TYPE') check(value in SUFFIX, 'unexpected type', line);
  if (what === 'HELP') check(new RegExp(`^${ESCAPED}$`).test(value), 'bad escape', line);
  family[key] = value;
}

function addSample(family, match, line) {
  const [, name, labels, value] = match;
  check(family.type !== undefined, 'sample of a family without TYPE', line);
  check(name === family.name + SUFFIX[family.type], 'name of a sample', line);
  check(NUMBER.test(value), 'bad number', line);
  if (family.type === 'counter') check(Number(value) >= 0, 'negative counter', line);
  if (family.type === 'info') check(Number(value) === 1, 'info that is not 1', line);
  const sample = { name, labels: parseLabels(labels, line), value: Number(value) };
  const key = (labels) => JSON.stringify(Object.entries(labels).sort());
  check(!family.samples.some((other) => key(other.labels) === key(sample.labels)), 'sample twice', line);
  family.samples.push(sample);
}

function checkFamily(family) {
  const { name, type, unit } = family;
  check(type !== undefined, 'no TYPE', name);
  check(!/_(total|info|created|bucket|count|sum)$/.test(name), 'reserved suffix', name);
  if (unit !== undefined) check(name.endsWith(`_${unit}`) && type !== 'info', 'unit', name);
}

function parse(text) {
  check(text.endsWith('\n# EOF\n'), 'no end', text.slice(-20));
  const families = [];
  for (const line of text.slice(0, -'# EOF\n'.length - 1).split('\n')) {
    const meta = META.exec(line);
    const sample = meta ? null : SAMPLE.exec(line);
    check(meta || sample, 'no line of OpenMetrics', line);
    let family = families.at(-1);
    if (meta && meta[2] !== family?.name) {
      check(!families.some((other) => other.name === meta[2]), 'family twice', line);
      families.push((family = { name: meta[2], samples: [] }));
    }
    check(family, 'sample without a family', line);
    if (meta) addMeta(family, meta[1], meta[3], line);
    else addSample(family, sample, line);
  }
  families.forEach(checkFamily);
  return families;
}
