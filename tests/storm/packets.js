// SPDX-License-Identifier: ISC
// What a client may say inside a session, sense and nonsense.
'use strict';

const text = (dice, most) => 'x'.repeat(dice.below(most));

// Packets of Engine.IO as text, none of which ends the session by itself.
const HARMLESS = [
  [10, () => '42["ping"]'],
  [2, (dice) => `42["ping","${text(dice, 3000)}"]`],
  [4, () => '42["subscribe:loop","known"]'],
  [6, (dice) => `42["subscribe:loop","loop-${dice.below(1000)}"]`],
  [2, (dice) => `42["subscribe:loop",${dice.pick(['7', 'null', '{}', '"../x"', '"a b"', '[]'])}]`],
  [4, (dice) => `42["unsubscribe:loop","${dice.pick(['known', `loop-${dice.below(1000)}`])}"]`],
  [3, (dice) => `42${dice.below(100)}["${dice.pick(['ping', 'message', 'constructor'])}",{"a":[1,2,{}]}]`],
  [2, () => '430["late answer"]'],
  [4, () => '40/unknown,'],
  [2, () => '3'],
  [1, () => '6'],
];

// Those after which the server is right to close.
const OFFENSIVE = [
  [2, () => '2'],
  [2, () => '42["x"'],
  [2, () => '42["connect"]'],
  [1, () => '45'],
  [2, () => '451-["x",{"_placeholder":true,"num":0}]\x1e42["ping"]'],
  [2, () => '4'],
  [1, () => '44{"message":"x"}'],
  [1, () => '41/unknown,'],
  [1, () => '9'],
  [2, (dice) => dice.bytes(dice.between(1, 60)).toString('latin1').replace(/\x1e/g, '')],
];

function join(me) {
  return me.auth === undefined ? '40' : `40${me.auth}`;
}

// A list of packets, to be sent together.
function some(dice, me) {
  if (dice.chance(0.01)) return Array.from({ length: 500 }, () => '3');
  const count = dice.chance(0.05) ? dice.between(20, 90) : dice.between(1, 6);
  if (dice.chance(0.03)) return Array.from({ length: count }, () => ['41', join(me)]).flat();
  if (dice.chance(0.01)) return dice.pick([['41'], [join(me)], ['41', '42["ping"]']]);
  const packets = Array.from({ length: count }, () => dice.weighed(HARMLESS)(dice));
  if (dice.chance(0.01)) packets.splice(dice.below(packets.length + 1), 0, dice.weighed(OFFENSIVE)(dice));
  return packets;
}

module.exports = { join, some };
