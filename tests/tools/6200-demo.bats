#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# `./bootstrap run` beside a Redis at work: its own one is what it uses, unless another is named, and
# of that one nothing is left.

load ../lib/common.bash

setup_file() {
    export REDISCLI_AUTH='p%s@:/' # for redis-cli
    start_redis --requirepass "$REDISCLI_AUTH" --unixsocket "$BATS_FILE_TMPDIR/socket"
    bin=$(dirname "$(type -P arda-gateway)")
    export bin URL="redis://:p%25s%40%3A%2F@127.0.0.1:$REDIS_PORT/0"
    at_work
}
teardown_file() { stop_all; }
teardown() {
    stop_all
    [ -z "${other:-}" ] || redis -n 3 flushdb >/dev/null
}

# As a platform has it: an inbox of more than the demo's daemon would keep.
at_work() {
    local i
    for i in {1..150}; do
        redis zadd arda:inbox:acme:ann "$i" "n$i"
        redis hset arda:rows:acme:ann "n$i" "{\"id\":\"n$i\"}"
    done >/dev/null
    redis sadd arda:tenants acme >/dev/null
    redis hset arda:users:acme ann '{"email":"ann@acme.example","active":true}' >/dev/null
    redis xadd arda:stream:acme '*' envelope '{}' >/dev/null
    contents >"$BATS_FILE_TMPDIR/before"
}
contents() {
    redis --scan | LC_ALL=C sort | while read -r key; do
        # With what has no order in an order.
        echo "$key $(redis dump "$key" | md5sum)"
    done
}
untouched() { contents | diff -u "$BATS_FILE_TMPDIR/before" -; }

# demo OPTION...: as from a terminal, whose Ctrl-C comes to all of them.
demo() {
    PORT=0 start demo setsid env -u REDISCLI_AUTH --default-signal=INT sh "$top_srcdir/bootstrap" run --built "$bin" "$@"
}
interrupt() {
    kill -s "$1" -- "-$(pid_of demo)"
    join demo
}
ended() { tail -n 1 "$RUN_DIR/demo.out" | grep -q 'everything that was started has ended'; }
demo_keys() { redis ${1:+-n "$1"} --scan --pattern 'arda-demo-*'; }
group_is_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

@test "variables of a Redis at work, of a relay and of options do not matter" {
    REDIS_URL=$URL ARDA_REDIS=$URL ARDA_PREFIX=arda SMTP_URL=smtp://127.0.0.1:1 ARDA_NOTIFYD_SINCE=start demo
    wait_for out_has demo '"type":"notification.created"'
    run ! out_has demo "$REDIS_PORT"
    untouched
    group=$(pid_of demo)
    interrupt INT
    [ "$status" = 130 ]
    ended
    wait_for group_is_gone "$group"
    untouched
    [ "$(err demo)" = "" ]
}

@test "--redis: a prefix of its own, removed at the end however that comes" {
    other=yes
    for signal in INT TERM HUP; do
        demo --redis "${URL%/0}/3"
        wait_for out_has demo '"type":"notification.created"'
        [ "$(demo_keys 3 | wc -l)" -gt 3 ]
        [ "$(redis -n 3 --scan | grep -cv '^arda-demo-')" = 0 ]
        # The password is neither shown nor an argument.
        run ! out_has demo 'p%25s'
        group=$(pid_of demo)
        run ! grep -qaF 'p%25s' <(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -a redis-cli)
        interrupt $signal
        wait_for group_is_gone "$group"
        ended
        [ -z "$(redis -n 3 --scan)" ]
        untouched
    done
}

@test "--redis over a socket, beside keys of others" {
    demo --redis "unix://:p%25s%40%3A%2F@$BATS_FILE_TMPDIR/socket?db=0"
    wait_for out_has demo '"type":"notification.created"'
    [ -n "$(demo_keys)" ]
    interrupt INT
    [ -z "$(demo_keys)" ]
    untouched
}

@test "an end in the middle of the start leaves no key" {
    mkdir "$RUN_DIR/some"
    for program in directory publish subscribe token notifyd; do
        ln -s "$bin/arda-$program" "$RUN_DIR/some/"
    done
    ln -s /bin/false "$RUN_DIR/some/arda-gateway"
    bin=$RUN_DIR/some demo --redis "$URL"
    join demo
    [ "$status" = 1 ]
    err_has demo "the gateway did not start"
    [ -z "$(demo_keys)" ]
    untouched
}

@test "a Redis that cannot be used is an error before anything starts" {
    demo --redis redis://127.0.0.1:1
    join demo
    [ "$status" = 1 ]
    err_has demo "--redis: no answer: "
    demo --redis http://127.0.0.1:1
    join demo
    [ "$status" = 1 ]
    err_has demo "--redis: expected redis://"
}
