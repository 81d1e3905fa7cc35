#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-directory load: a tenant at a time, all or nothing, and --replace.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { export ARDA_PREFIX=test-$BATS_TEST_NUMBER; }
teardown() { stop_all; }

users() { # TENANT COUNT [FIRST]
    seq "${3:-1}" $((${3:-1} + $2 - 1)) |
        sed 's|.*|{"kind":"user","tenantId":"'"$1"'","userId":"u&","email":"u&@example.org","active":true}|'
}
loop() { printf '{"kind":"loop","tenantId":"%s","loopId":"%s"}\n' "$1" "$2"; }
calls() { redis info commandstats | sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p"; }
version() { redis get "$ARDA_PREFIX:version:$1"; }

@test "10000 users of a tenant are stored in one step of few commands" {
    users t 10000 >"$RUN_DIR/in"
    redis config resetstat
    arda-directory load "$RUN_DIR/in"
    [ "$(calls multi)" = 1 ]
    [ "$(calls exec)" = 1 ]
    [ "$(calls hset)" -le 20 ]
    [ "$(redis hlen "$ARDA_PREFIX:users:t")" = 10000 ]
    [ "$(version t)" = 1 ]
    arda-directory dump | cmp <(sort "$RUN_DIR/in") -
}

@test "1000 tenants, a step each, whose lines lie about in several files" {
    seq 1000 | sed 's|.*|{"kind":"loop","tenantId":"t&","loopId":"a"}|' >"$RUN_DIR/one"
    seq 1000 | sed 's|.*|{"kind":"user","tenantId":"t&","userId":"u","active":true}|' >"$RUN_DIR/two"
    redis config resetstat
    arda-directory load "$RUN_DIR/one" - <"$RUN_DIR/two"
    [ "$(calls exec)" = 1000 ]
    [ "$(redis scard "$ARDA_PREFIX:tenants")" = 1000 ]
    arda-directory dump | cmp <(LC_ALL=C sort -t'"' -k8,8 -k4,4 "$RUN_DIR/one" "$RUN_DIR/two") -
}

@test "loading again changes nothing, the version neither" {
    { users t 3 && loop t l1; } >"$RUN_DIR/in"
    arda-directory load "$RUN_DIR/in"
    arda-directory dump >"$RUN_DIR/first"
    arda-directory load "$RUN_DIR/in"
    arda-directory load --replace "$RUN_DIR/in"
    arda-directory dump | cmp "$RUN_DIR/first" -
    [ "$(version t)" = 1 ]
}

@test "--strict: nothing is stored if a line is wrong" {
    { users t 5000 && echo nonsense && users t2 1; } >"$RUN_DIR/in"
    run --separate-stderr arda-directory load --strict "$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "$stderr" == "arda-directory: $RUN_DIR/in: line 5001: column 1: "* ]]
    [ "$(redis keys "$ARDA_PREFIX:*")" = "" ]
}

@test "without --strict the good lines of a tenant with a wrong one are stored" {
    { loop t l1 && echo '{"kind":"loop","tenantId":"t"}' && loop t l2; } >"$RUN_DIR/in"
    run --separate-stderr arda-directory load "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "$stderr" = "arda-directory: $RUN_DIR/in: line 2: loopId: missing" ]
    [ "$(arda-directory dump)" = "$(loop t l1 && loop t l2)" ]
}

@test "--replace removes what the input lacks, of its tenants alone" {
    { users a 3 && loop a l1 && users b 2 && users c 2; } | arda-directory load
    arda-directory set quiet a '*' from=22:00 to=07:00
    arda-directory set webhook a url=https://a.example secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
    { users a 1 2 && echo '{"kind":"tenant","tenantId":"b"}'; } | arda-directory load --replace
    arda-directory dump | diff - <(users a 1 2 && echo '{"kind":"tenant","tenantId":"b"}' && users c 2)
    [ "$(version a)" = 4 ]
    [ "$(version c)" = 1 ]
}

@test "a tenant with a wrong line is not replaced, the others are" {
    { users a 2 && users b 2; } | arda-directory load
    { users a 1 3 && echo '{"kind":"user","tenantId":"a"}' && users b 1 3; } >"$RUN_DIR/in"
    run --separate-stderr arda-directory load --replace "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${stderr_lines[0]}" = "arda-directory: $RUN_DIR/in: line 2: userId: missing" ]
    [ "${stderr_lines[1]}" = "arda-directory: tenant a: nothing was removed, since a line of it is wrong" ]
    [ "${#stderr_lines[@]}" = 2 ]
    arda-directory dump | diff - <(users a 3 && users b 1 3)
}

@test "a wrong line that may be of any tenant, or a file that cannot be read: none is replaced" {
    { users a 2 && users b 2; } | arda-directory load
    { users a 1 3 && echo '{"kind":"user","tena'; } >"$RUN_DIR/in"
    run --separate-stderr arda-directory load --replace "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${stderr_lines[1]}" = "arda-directory: nothing was removed, since it is not known whose line is wrong" ]
    arda-directory dump | diff - <(users a 3 && users b 2)
    run --separate-stderr arda-directory load --replace <(users b 1) "$RUN_DIR/nowhere"
    [ "$status" = 74 ]
    [ "${stderr_lines[1]}" = "arda-directory: nothing was removed, since it is not known whose lines could not be read" ]
    arda-directory dump | diff - <(users a 3 && users b 2)
}

@test "a line of more than 1 MiB is told" {
    { loop t l1 && head -c 1100000 /dev/zero | tr '\0' x && echo && loop t l2; } >"$RUN_DIR/in"
    run --separate-stderr arda-directory load "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "$stderr" = "arda-directory: $RUN_DIR/in: line 2: longer than 1 MiB" ]
    [ "$(arda-directory dump | wc -l)" = 2 ]
}

@test "a key of another kind: the tenant is named, the others are stored, exit 70" {
    redis set "$ARDA_PREFIX:loops:a" x
    run --separate-stderr arda-directory load < <(loop a l1 && loop b l1)
    [ "$status" = 70 ]
    [[ "$stderr" == "arda-directory: tenant a: redis 127.0.0.1:"*": WRONGTYPE"* ]]
    [ "$(arda-directory dump b)" = "$(loop b l1)" ]
}

@test "an empty input does nothing" {
    arda-directory load --replace </dev/null
    [ "$(redis keys "$ARDA_PREFIX:*")" = "" ]
}

# A server that ends with the test.
own_redis() { unset REDIS_PORT && start_redis; }
# The step has reached Redis, which is not to begin it.
transaction_waits() { redis client list | grep -q 'name=arda-directory .*multi=[0-9]'; }

@test "Redis killed under a load: it goes on when Redis is back" {
    own_redis
    { users a 2000 && users b 10; } >"$RUN_DIR/in"
    redis client pause 600000 write
    start load arda-directory load --replace "$RUN_DIR/in"
    wait_for transaction_waits
    stop redis KILL
    wait_for err_has load "trying again"
    launch_redis
    join load
    [ "$status" = 0 ]
    arda-directory dump | cmp <(sort "$RUN_DIR/in") -
    [ "$(version a)" = 1 ]
}

@test "Redis killed and gone: exit 75, and the tenants are named" {
    own_redis
    redis client pause 600000 write
    { users b 1 && users a 1; } >"$RUN_DIR/in"
    start load arda-directory load --retry-for 300ms "$RUN_DIR/in"
    wait_for transaction_waits
    stop redis KILL
    join load
    [ "$status" = 75 ]
    err load | grep 'not confirmed' |
        diff - <(printf 'arda-directory: tenant %s: not confirmed\n' b a)
}

@test "progress is shown on a terminal alone" {
    users t 10 >"$RUN_DIR/in"
    script -qec "arda-directory load $RUN_DIR/in" /dev/null >"$RUN_DIR/screen" </dev/null
    grep -q 'read: 1 lines, 1 tenants' "$RUN_DIR/screen"
    [ "$(tail -c 4 "$RUN_DIR/screen" | od -An -tx1 | tr -d ' \n')" = 0d1b5b4b ] # erased
    run --separate-stderr arda-directory load "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$stderr$output" = "" ]
}
