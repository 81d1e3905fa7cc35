#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe: live events as lines.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

publish() { redis -x publish "arda:events:${1:-$tenant}" >/dev/null; }

@test "an event's text arrives unchanged, bare or in an envelope" {
    event='{"type":"x.y","tenantId":"'$tenant'","n":1.50e+3,"big":123456789012345678901234567890,"s":"\u00e9\/\ud800 ü"}'
    start sub arda-subscribe --count 2 "$tenant"
    wait_for subscribers "$tenant" 1
    printf '%s' "$event" | publish
    printf '{"id":"i1","event":%s}' "$event" | publish
    join sub
    [ "$status" = 0 ]
    [ "$(out sub)" = "$event
$event" ]
}

@test "text over several lines becomes one line" {
    start sub arda-subscribe --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    printf '{\n  "type": "x",\r\n  "a": [1]\n}\n' | publish
    join sub
    [ "$(wc -l <"$RUN_DIR/sub.out")" = 1 ]
    [ "$(jq -c . <"$RUN_DIR/sub.out")" = '{"type":"x","a":[1]}' ]
}

@test "what is no event is dropped, the next one arrives; an id counts once" {
    start sub arda-subscribe --count 3 "$tenant"
    wait_for subscribers "$tenant" 1
    for text in 'no json' '[1]' '{"type":1}' '{"tenantId":"'"$tenant"'"}' '{"type":"x","tenantId":"other"}' \
        '{"type":"a"}' '{"type":"b","eventId":"e1"}' '{"type":"b","eventId":"e1"}' '{"id":"e1","event":{"type":"b"}}' \
        '{"type":"c","eventId":""}'; do
        printf '%s' "$text" | publish
    done
    join sub
    [ "$(out sub | jq -r .type | paste -sd' ')" = "a b c" ]
}

@test "several tenants, none crosses" {
    other=$(uuid)
    start sub arda-subscribe --count 2 "$tenant" "$other"
    wait_for subscribers "$other" 1
    wait_for subscribers "$tenant" 1
    card "$(uuid)" | arda-publish
    card "$other" | arda-publish
    card "$tenant" | arda-publish
    join sub
    [ "$(out sub | jq -r .tenantId | paste -sd' ')" = "$other $tenant" ]
}

@test "--global sees every tenant and events of none" {
    start sub arda-subscribe --global --count 3
    wait_for subscribers global 1
    card "$tenant" | arda-publish
    card "$(uuid)" | arda-publish
    arda-publish --allow-unknown security.auth.login_failed user=mallory
    join sub
    [ "$(out sub | wc -l)" = 3 ]
}

@test "--type and --loop" {
    loop=$(uuid)
    start sub arda-subscribe --type 'order.*' --type card.transition --count 2 "$tenant"
    start loops arda-subscribe --loop "$loop" --count 1 "$tenant"
    wait_for subscribers "$tenant" 2
    arda-publish loop.parameters_changed tenantId="$tenant" loopId="$loop" changeType=manual reason=x
    card "$tenant" | arda-publish
    echo '{"type":"order.x","tenantId":"'"$tenant"'"}' | arda-publish --allow-unknown
    join sub
    join loops
    [ "$(out sub | jq -r .type | paste -sd' ')" = "card.transition order.x" ]
    [ "$(out loops | jq -r .type)" = loop.parameters_changed ]
}

@test "--timeout ends with 124, --count with 0, whichever comes first" {
    run arda-subscribe --timeout 100ms "$tenant"
    [ "$status" = 124 ]
    start sub arda-subscribe --timeout 1h --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    join sub
    [ "$status" = 0 ]
}

@test "a tenant the directory does not know is hinted at, a known one is not" {
    run --separate-stderr arda-subscribe --timeout 300ms "$tenant"
    [ "$stderr" = "arda-subscribe: tenant $tenant is not in the directory; is the id right?" ]
    arda-directory set loop "$tenant" l1
    run --separate-stderr arda-subscribe --timeout 300ms "$tenant"
    [ "$stderr" = "" ]
}

@test "lines come at once, also into a pipe" {
    mkfifo "$RUN_DIR/pipe"
    arda-subscribe "$tenant" >"$RUN_DIR/pipe" 2>/dev/null 3>&- &
    echo $! >"$RUN_DIR/sub.pid"
    exec 9<"$RUN_DIR/pipe"
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    read -r -t 20 line <&9
    [ "$(jq -r .type <<<"$line")" = card.transition ]
    exec 9<&-
}

@test "it ends quietly when the reader closes the pipe" {
    arda-subscribe "$tenant" 2>"$RUN_DIR/sub.err" 3>&- > >(head -n 1 >"$RUN_DIR/head.out") &
    pid=$!
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    wait_for test -s "$RUN_DIR/head.out"
    until is_gone "$pid"; do card "$tenant" | arda-publish; done
    run ! grep -v 'not in the directory' "$RUN_DIR/sub.err"
}

@test "after a restart of Redis events flow again; the outage is said once" {
    port=$REDIS_PORT url=$REDIS_URL
    unset REDIS_PORT
    start_redis
    start sub arda-subscribe --count 2 "$tenant"
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    wait_for lines_of sub 1
    stop redis KILL
    wait_for err_has sub "trying again until it is back"
    launch_redis
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    join sub
    [ "$status" = 0 ]
    [ "$(grep -c 'trying again' "$RUN_DIR/sub.err")" = 1 ]
    stop_all
    export REDIS_PORT=$port REDIS_URL=$url
}

@test "usage" {
    run arda-subscribe
    [ "$status" = 64 ]
    run arda-subscribe --global "$tenant"
    [ "$status" = 64 ]
    run arda-subscribe global
    [ "$status" = 64 ]
    run arda-subscribe 'a b'
    [ "$status" = 64 ]
    run arda-subscribe --count -1 "$tenant"
    [ "$status" = 64 ]
    run arda-subscribe --redis rediss://h "$tenant"
    [ "$status" = 78 ]
    run arda-subscribe --help
    [ "$status" = 0 ]
}
