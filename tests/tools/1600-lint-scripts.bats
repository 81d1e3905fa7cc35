#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What lint finds in scripts of Redis whose heads or texts are wrong.

load ../lib/common.bash

setup() {
    command -v luac5.1 >/dev/null || skip "there is no luac5.1"
    FOLDER=$BATS_TEST_TMPDIR/lib
    SCRIPT=$FOLDER/arda/sample.lua
    mkdir -p "$FOLDER/arda"
    cp "$top_srcdir/lib/arda/bus/embed.awk" "$top_srcdir/lib/arda/bus/prelude.lua" "$FOLDER/arda"
    cat >"$SCRIPT" <<'EOF'
-- SPDX-License-Identifier: ISC
--
-- sample: adds members to a set.
--
-- Called: never.
--
-- KEYS:
--   1  mark  a key
-- ARGV:
--   1   prefix  text   of all keys
--   2   limit   count  how many
--   3+  member  text   a member
--   4+  score   text   its score
--
-- Result: a number.

local mark = KEYS[1]
local prefix = ARGV[1]
local limit = tonumber(ARGV[2])
-- Prelude: call, key
local set = key('set', 'sample')

for at = 3, #ARGV, 2 do
  if limit > 0 then call('ZADD', set, ARGV[at + 1], ARGV[at]) end
end
return call('EXISTS', mark)
EOF
}

scripts() { sh "$top_srcdir/tests/lint/scripts.sh" "$FOLDER"; }

# finds TEXT SED-COMMAND: lint complains so of the sample once it has been edited so.
finds() {
    cp "$SCRIPT" "$BATS_TEST_TMPDIR/good"
    sed -i "$2" "$SCRIPT"
    ! cmp -s "$SCRIPT" "$BATS_TEST_TMPDIR/good"
    run scripts
    [[ $output == *"$1"* ]] || { printf 'expected: %s\ngot: %s\n' "$1" "$output"; return 1; }
    cp "$BATS_TEST_TMPDIR/good" "$SCRIPT"
}

@test "a script in the right form is not complained of" {
    run scripts
    [ -z "$output" ]
}

@test "the scripts of the tree are in the right form" {
    run sh "$top_srcdir/tests/lint/scripts.sh" "$top_srcdir/lib"
    [ -z "$output" ]
}

@test "what Lua cannot compile is found" {
    finds "sample.lua:23:" 's/^for at = /for at == /'
}

@test "arguments that the head lacks are found" {
    finds 'ARGV[4] is not in the head' "\$i local more = ARGV[4]"
    finds 'ARGV[at + 2] is not in the head' 's/ARGV\[at + 1\]/ARGV[at + 2]/'
    finds 'KEYS[2] is not in the head' "\$i local more = KEYS[2]"
    finds 'ARGV[2] is not in the head, or taken twice' "\$i local more = ARGV[2]"
    finds 'ARGV has no repeated row' '/^--   [34]+/d'
}

@test "arguments of the head that are not used are found" {
    finds "ARGV[2], \`limit', is not used" 's/if limit > 0 then/if true then/'
    finds "KEYS[1], \`mark', is not used" "s/'EXISTS', mark/'EXISTS', set/"
    finds 'ARGV[4+] is not used' 's/ARGV\[at + 1\]/0/'
    finds "expected the line \`local limit = tonumber(ARGV[2])'" 's/^local limit = .*/local limit = 1/'
    finds "expected the line \`local mark = KEYS[1]'" 's/^local mark = .*/local mark = set/'
    finds "expected \`for at = 3, #ARGV, 2 do'" 's/#ARGV, 2/#ARGV, 3/'
}

@test "names and types that are not those of the head are found" {
    finds "expected the line \`local most = tonumber(ARGV[2])'" 's/  limit   count/  most    count/'
    finds "expected the line \`local limit = ARGV[2]'" 's/limit   count/limit   text /'
    finds "\`number' is no type" 's/limit   count/limit   number/'
    finds "expected row 2, got \`5'" 's/^--   2 /--   5 /'
}

@test "a head that lacks a part is found" {
    finds "the head does not begin with \`sample:'" 's/^-- sample:/-- simple:/'
    finds 'the head lacks' '/^-- Result:/d'
    finds "is not where a head has it" '/^-- KEYS:/d'
    finds 'the first line is not the licence' '1s/.*/--/'
}

@test "globals and names that the prelude does not have are found" {
    finds "\`sett' is no local, nor a global of Redis" "s/^local set = /sett = /"
    finds "\`key' is no local, nor a global of Redis" 's/^-- Prelude: call, key/-- Prelude: call/'
    finds 'a name that is not in the prelude' 's/^-- Prelude: call/-- Prelude: cull/'
}

@test "the line of an error of Redis is that of the file" {
    run awk -v form=lua -f "$FOLDER/arda/embed.awk" "$FOLDER/arda/prelude.lua" "$SCRIPT"
    [ "${#lines[@]}" -gt 0 ]
    [ "$(grep -n "call('EXISTS'" <<<"$output" | tail -n 1)" = "$(grep -n "call('EXISTS'" "$SCRIPT")" ]
    [[ $output != *'-- '* ]]
}
