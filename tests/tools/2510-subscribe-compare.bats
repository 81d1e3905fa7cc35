#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe --compare: the bus beside arda-gateway, and beside a server that tells lies.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
    tenant=$(uuid)
}
teardown() {
    exec 8>&-
    stop_all
}

publish() { redis publish "arda:events:$tenant" "$1" >/dev/null; }

# compare NAME [OPTION]...: returns when differences count.
compare() {
    local name=$1
    shift
    launch_compare "$name" "$@"
    wait_for err_has "$name" ": comparing"
}
launch_compare() {
    ARDA_TOKEN=$(token "$tenant" ann) \
        start "$1" arda-subscribe --via "${VIA:-$GATEWAY_URL}" --compare "$tenant" "${@:2}"
}

# A gateway that passes on what `say` tells it to.
liar() {
    need_node
    [ -d "$NODE_PATH/socket.io" ] || skip "the npm package socket.io is not installed"
    mkfifo "$RUN_DIR/orders"
    STDIN=$RUN_DIR/orders start liar node "$top_srcdir/tests/lib/reference.js" 8>&- "$@"
    exec 8>"$RUN_DIR/orders"
    wait_for out_has liar '"port":'
    VIA=http://127.0.0.1:$(jq -r .port <"$RUN_DIR/liar.out")
}
say() { printf '%s\n' "$1" >&8; }
# event ID [MEMBERS]
event() { printf '{"type":"x","tenantId":"%s","eventId":"%s"%s}' "$tenant" "$1" "${2:-}"; }
tell() { say "[\"emit\",\"${2:-x}\",$1]"; }
both() { publish "$(event "$1")" && tell "$(event "$1")"; }
# begun NAME N: it has said N times that differences count.
begun() { [ "$(grep -c ': comparing' "$RUN_DIR/$1.err")" = "$2" ]; }
# Its lines, without what differs from run to run.
differences() { sed -E -e 's/"at":"[^"]*"/"at":"TIME"/' -e "s/$tenant/TENANT/g" <"$RUN_DIR/$1.out"; }

@test "a gateway that tells the truth" {
    start_gateway
    for transport in websocket polling upgrade; do
        compare "$transport" --transport "$transport" --count 5
    done
    card "$tenant" | arda-publish
    # Those that are not for this client, or for none.
    arda-publish --allow-unknown security.token.revoked tenantId="$tenant" userId=eve
    publish '{"type":"connected"}'
    publish '{"type":"disconnect"}'
    publish '{"type":"notification.created","userId":"bob","eventId":"n1"}'
    publish '{"type":"notification.created","eventId":"n2"}'
    publish 'no json'
    publish '{"type":"notification.created","userId":"ann","eventId":"n3"}'
    publish '{"type":"no.id","n":1.0,"s":"\u00e9"}'
    publish '{"id":"i1","event":{"type":"wrapped"}}'
    publish '{"type":"\u0078","eventId":"e1","a":[1,
2]}'
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 0 ]
        [ ! -s "$RUN_DIR/$transport.out" ]
        err_has "$transport" "5 events came both ways, 0 of them out of order, 0 of them different;"
        err_has "$transport" "missing: 0 at the gateway, 0 on the bus; unexpected: 0; not for clients: 3; undecided: 0"
    done
}

# Events of ever new ids, one every half of a millisecond.
pump() {
    start pump redis-cli -p "$REDIS_PORT" -r 1000000 -i 0.0005 eval \
        "return redis.call('publish', KEYS[1], '{\"type\":\"x\",\"eventId\":\"e' .. redis.call('incr', 'n') .. '\"}')" \
        1 "arda:events:$tenant"
}

@test "events while it begins, and a gateway that is lost meanwhile" {
    start_gateway
    pump
    for transport in websocket polling upgrade; do
        launch_compare "$transport" --transport "$transport" --timeout 4s --grace 2s
    done
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 0 ]
        [ ! -s "$RUN_DIR/$transport.out" ]
        err_has "$transport" ": comparing"
        run ! err_has "$transport" ": 0 events came both ways"
    done
    compare lost --grace 30s
    flows() { [ "$(wc -l <"$RUN_DIR/pump.out")" -gt "$1" ]; }
    wait_for flows $(($(wc -l <"$RUN_DIR/pump.out") + 1000))
    stop gateway KILL
    wait_for err_has lost "trying again"
    start_gateway --listen "${GATEWAY_URL#http://}"
    wait_for begun lost 2
    stop lost INT
    [ "$status" = 0 ]
    [ ! -s "$RUN_DIR/lost.out" ]
}

@test "what is published before the bus has answered counts for nothing" {
    liar --hold yes
    launch_compare one --count 1 --grace 200ms
    wait_for out_has liar '"asked":true'
    kill -STOP "$(pid_of one)"
    say '["let"]'
    wait_for out_has liar '"connected":'
    publish "$(event e1)"
    kill -CONT "$(pid_of one)"
    wait_for err_has one ": comparing"
    publish "$(event e2)"
    join one
    [ "$status" = 1 ]
    [ "$(jq -c '[.missing, .event.eventId]' <"$RUN_DIR/one.out")" = '["gateway","e2"]' ]
}

@test "what is changed, renamed, out of order or secret is said at once" {
    liar
    compare one --count 6 --grace 1h
    both e1
    publish "$(event e2)"
    publish "$(event e3)"
    tell "$(event e3)"
    tell "$(event e2)"
    publish "$(event e4 ',"n":1')"
    tell "$(event e4 ',"n":2')"
    publish "$(event e5)"
    tell "$(event e5)" y
    say '["emit","security.x",{"type":"security.x","tenantId":"'"$tenant"'"}]'
    say '["emit","x",7]'
    say '["emit","bare"]'
    # What a gateway says for itself is no event.
    say '["emit","pong",{"timestamp":"now"}]'
    say '["emit","error",{"message":"no"}]'
    both e6
    join one
    [ "$status" = 1 ]
    differences one | diff -u "$top_srcdir/tests/data/compare-1.jsonl" -
    err_has one "6 events came both ways, 1 of them out of order, 2 of them different;"
    err_has one "missing: 0 at the gateway, 0 on the bus; unexpected: 3;"
}

@test "what came one way only is missing after the grace period" {
    liar
    compare one --count 3 --grace 200ms
    publish "$(event e1)"
    tell "$(event e2)"
    publish "$(event e3)"
    join one
    [ "$status" = 1 ]
    [ "$(differences one | jq -r '"\(.missing) \(.event.eventId)"' | sort | paste -sd,)" = "bus e2,gateway e1,gateway e3" ]
    [ "$(jq -r 'keys_unsorted | join(" ")' <"$RUN_DIR/one.out" | sort -u)" = "missing at event" ]
}

@test "an event that comes twice through the gateway" {
    liar
    compare one --grace 2s
    both e1
    tell "$(event e1)"
    wait_for lines_of one 1
    [ "$(differences one)" = '{"missing":"bus","at":"TIME","event":'"$(event e1 | sed "s/$tenant/TENANT/")"'}' ]
    stop one TERM
    [ "$status" = 1 ]
    err_has one "1 events came both ways"
}

@test "a refusal, and what cannot be reached, are not differences" {
    start_gateway
    ARDA_TOKEN=wrong start refused arda-subscribe --via "$GATEWAY_URL" --compare "$tenant"
    join refused
    [ "$status" = 77 ]
    stop gateway
    launch_compare away --no-reconnect
    join away
    [ "$status" = 69 ]
    launch_compare never --timeout 500ms
    join never
    [ "$status" = 124 ]
    run arda-subscribe --via "$GATEWAY_URL" --compare --redis rediss://h "$tenant"
    [ "$status" = 78 ]
    ARDA_TOKEN='a b' run arda-subscribe --via "$GATEWAY_URL" --compare "$tenant"
    [ "$status" = 78 ]
}

@test "--timeout ends a comparison with its result" {
    start_gateway
    compare one --timeout 2s
    join one
    [ "$status" = 0 ]
    err_has one "0 events came both ways"
}

@test "Redis away: what is published meanwhile is not missing anywhere" {
    port=$REDIS_PORT url=$REDIS_URL
    unset REDIS_PORT
    start_redis
    start_gateway
    compare one --count 1 --grace 30s
    stop redis KILL
    wait_for err_has one "trying again until it is back"
    launch_redis
    wait_for begun one 2
    wait_for subscribers "$tenant" 2
    publish "$(event e1)"
    join one
    [ "$status" = 0 ]
    [ ! -s "$RUN_DIR/one.out" ]
    stop_all
    export REDIS_PORT=$port REDIS_URL=$url
}
