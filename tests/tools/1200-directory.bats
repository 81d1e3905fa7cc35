#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-directory: users and loops in Redis, lines and dumps.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    export ARDA_PREFIX=test-$BATS_TEST_NUMBER
}
teardown() { stop_all; }

@test "a dump is sorted by tenant, kind and id, and loads to the same dump" {
    cat >"$RUN_DIR/in" <<'EOF'
{"kind":"user","tenantId":"b","userId":"u2","email":"ü@example.org","active":false,"locale":"de","timeZone":"Europe/Berlin"}
{ "userId":"u1", "extra" : {"n":[1, 2.50]}, "name":"Ann \"A\"", "kind":"user","tenantId":"b" }

{"kind":"loop","tenantId":"b","loopId":"l1"}
{"kind":"loop","tenantId":"B","loopId":"l2"}
{"kind":"loop","tenantId":"b","loopId":"L3"}
EOF
    arda-directory load "$RUN_DIR/in"
    cat >"$RUN_DIR/expected" <<'EOF'
{"kind":"loop","tenantId":"B","loopId":"l2"}
{"kind":"loop","tenantId":"b","loopId":"L3"}
{"kind":"loop","tenantId":"b","loopId":"l1"}
{"kind":"user","tenantId":"b","userId":"u1","active":true,"name":"Ann \"A\"","extra":{"n":[1,2.50]}}
{"kind":"user","tenantId":"b","userId":"u2","email":"ü@example.org","active":false,"locale":"de","timeZone":"Europe/Berlin"}
EOF
    arda-directory dump | diff "$RUN_DIR/expected" -
    redis flushall
    arda-directory load <"$RUN_DIR/expected"
    arda-directory dump | cmp "$RUN_DIR/expected" -
    arda-directory dump B nobody B | diff <(head -n 1 "$RUN_DIR/expected") -
}

@test "what Redis holds is what the design says" {
    arda-directory set user "$tenant" ann email=ann@x.y
    arda-directory set loop "$tenant" l1
    [ "$(redis smembers "$ARDA_PREFIX:tenants")" = "$tenant" ]
    [ "$(redis hget "$ARDA_PREFIX:users:$tenant" ann)" = '{"email":"ann@x.y","active":true}' ]
    [ "$(redis smembers "$ARDA_PREFIX:loops:$tenant")" = l1 ]
}

@test "set changes what it names and keeps the rest" {
    arda-directory set user "$tenant" ann email=ann@x.y name=Ann level:=3
    arda-directory set user "$tenant" ann active=false
    [ "$(arda-directory get user "$tenant" ann)" = \
        '{"kind":"user","tenantId":"'"$tenant"'","userId":"ann","email":"ann@x.y","active":false,"name":"Ann","level":3}' ]
}

@test "get and rm of what is not there exit 1" {
    run --separate-stderr arda-directory get user "$tenant" ann
    [ "$status" = 1 ]
    [ "$output" = "" ]
    run arda-directory rm loop "$tenant" l1
    [ "$status" = 1 ]
    arda-directory set loop "$tenant" l1
    [ "$(arda-directory get loop "$tenant" l1)" = '{"kind":"loop","tenantId":"'"$tenant"'","loopId":"l1"}' ]
    arda-directory rm loop "$tenant" l1
    [ "$(arda-directory dump)" = '{"kind":"tenant","tenantId":"'"$tenant"'"}' ]
}

@test "bad lines are named, the others are loaded, exit 65" {
    cat >"$RUN_DIR/in" <<EOF
{"kind":"loop","tenantId":"global","loopId":"x"}
{"kind":"loop","tenantId":"t","loopId":"x","colour":"red"}
{"kind":"lop","tenantId":"t","loopId":"x"}
{"kind":"user","tenantId":"t","userId":"u","userId":"v"}
["kind"]
{"kind":"user","tenantId":"t","userId":"a b"}
{"kind":"user","tenantId":"t","userId":"u","email":"nobody"}
{"kind":"user","tenantId":"t","userId":"u","active":1}
{"kind":"user","tenantId":"t"}
{"kind":"loop","tenantId":"t","loopId":"good"}
EOF
    run --separate-stderr arda-directory load "$RUN_DIR/in"
    [ "$status" = 65 ]
    at="arda-directory: $RUN_DIR/in: line"
    [ "${stderr_lines[0]}" = "$at 1: tenantId: expected the id of a tenant, got \"global\"" ]
    [ "${stderr_lines[1]}" = "$at 2: colour: unknown member of a loop" ]
    [ "${stderr_lines[2]}" = "$at 3: kind: \"lop\" is not one of digest, loop, preference, quiet, tenant, user, webhook" ]
    [ "${stderr_lines[3]}" = "$at 4: \"userId\": stands twice" ]
    [ "${stderr_lines[4]}" = "$at 5: not a JSON object" ]
    [ "${stderr_lines[5]}" = "$at 6: userId: expected an id, got \"a b\"" ]
    [ "${stderr_lines[6]}" = "$at 7: email: expected an address, got \"nobody\"" ]
    [ "${stderr_lines[7]}" = "$at 8: active: expected true or false, got 1" ]
    [ "${stderr_lines[8]}" = "$at 9: userId: missing" ]
    [ "$(arda-directory dump)" = '{"kind":"loop","tenantId":"t","loopId":"good"}' ]
}

@test "a broken entry in Redis is said, the others are dumped, exit 65" {
    arda-directory set user "$tenant" ann name=Ann
    redis hset "$ARDA_PREFIX:users:$tenant" bob '{"active":'
    run --separate-stderr arda-directory dump
    [ "$status" = 65 ]
    [ "${#lines[@]}" = 1 ]
    [[ "$stderr" == "arda-directory: tenant $tenant: user bob: "* ]]
}

@test "a tenant with a spoiled key is named, the others are dumped, exit 65" {
    for one in a b c d; do arda-directory set loop "$one" l1; done
    redis set "$ARDA_PREFIX:users:b" x
    redis lpush "$ARDA_PREFIX:quiet:c" x
    redis set "$ARDA_PREFIX:version:d" x # which a dump does not need
    run --separate-stderr arda-directory dump
    [ "$status" = 65 ]
    [ "$(jq -r .tenantId <<<"$output" | paste -sd' ')" = "a d" ]
    [ "${stderr_lines[0]}" = "arda-directory: tenant b: $ARDA_PREFIX:users:b: expected a hash, got a string" ]
    [ "${stderr_lines[1]}" = "arda-directory: tenant c: $ARDA_PREFIX:quiet:c: expected a hash, got a list" ]
    [ "${#stderr_lines[@]}" = 2 ]
    run -65 --separate-stderr arda-directory dump b nosuch
    [ "$output" = "" ]
}

@test "a dump of nothing says so, exit 1" {
    run --separate-stderr arda-directory dump
    [ "$status:$output:$stderr" = "1::arda-directory: the directory has no tenants" ]
    arda-directory set loop a l1
    run --separate-stderr arda-directory dump nosuch
    [ "$status:$output:$stderr" = "1::arda-directory: tenant nosuch is not in the directory" ]
    run --separate-stderr arda-directory dump nosuch a
    [ "$status:$stderr" = "1:arda-directory: tenant nosuch is not in the directory" ]
    [ "$output" = '{"kind":"loop","tenantId":"a","loopId":"l1"}' ]
    arda-directory set tenant empty
    [ "$(arda-directory dump empty)" = '{"kind":"tenant","tenantId":"empty"}' ]
}

@test "an error of Redis is told, exit 70" {
    redis set "$ARDA_PREFIX:users:$tenant" x
    run --separate-stderr arda-directory set user "$tenant" ann
    [ "$status" = 70 ]
    [[ "$stderr" == *WRONGTYPE* ]]
}

@test "many lines, and a load that is repeated" {
    for i in $(seq 9000); do
        printf '{"kind":"user","tenantId":"t","userId":"u%05d","email":"u%d@example.org","active":true}\n' "$i" "$i"
    done >"$RUN_DIR/in"
    arda-directory load "$RUN_DIR/in"
    arda-directory load "$RUN_DIR/in"
    arda-directory dump | cmp "$RUN_DIR/in" -
}

@test "Redis away: exit 75, and the tenants are listed" {
    echo '{"kind":"loop","tenantId":"t","loopId":"x"}' >"$RUN_DIR/in"
    run --separate-stderr arda-directory load --redis redis://127.0.0.1:1 --retry-for 200ms "$RUN_DIR/in"
    [ "$status" = 75 ]
    [ "${stderr_lines[-1]}" = "arda-directory: tenant t: not confirmed" ]
}

@test "usage" {
    for operands in "" "foo" "get" "get user t" "get thing t x" "get user global x" "set loop t x a=b" "set user t 'a b'"; do
        eval "run arda-directory $operands"
        [ "$status" = 64 ]
    done
    run --separate-stderr arda-directory set user t u active=perhaps
    [ "$status" = 65 ]
    [ "$stderr" = "arda-directory: active: expected true or false, got perhaps" ]
    run arda-directory set user t u userId=v
    [ "$status" = 65 ]
}
