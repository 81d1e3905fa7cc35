#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# --max-event: publishers refuse a longer event, the gateway drops it, and the room that Redis keeps
# for a subscriber is looked at.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() {
    redis config set client-output-buffer-limit "pubsub 32mb 8mb 60" >/dev/null
    stop_all
}

# event BYTES [TENANT]: a line of so many bytes.
event() {
    local head='{"type":"x","tenantId":"'${2:-$tenant}'","s":"' tail='"}'
    printf '%s' "$head"
    head -c $(($1 - ${#head} - ${#tail})) /dev/zero | tr '\0' x
    printf '%s\n' "$tail"
}

admin_metric() { curl -s "$ADMIN/metrics" | awk -v sample="$1" '$1 == sample { print $2 }'; }
metric_is() { [ "$(admin_metric "$1")" = "$2" ]; }

@test "arda-publish refuses what is longer, with line and size, and publishes the rest" {
    { event 300; event 5000000; event 400; } >"$RUN_DIR/in"
    run --separate-stderr arda-publish --allow-unknown --loose-ids "$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "$stderr" =~ "in: line 2: the event has 500"[0-9]{4}" bytes, more than --max-event=4194304" ]]
    [ "$(redis xlen "arda:stream:$tenant")" = 2 ]
}

@test "the event is measured as it is published" {
    event 1000 >"$RUN_DIR/in"
    size=$(arda-publish --dry-run --allow-unknown "$RUN_DIR/in" | tr -d '\n' | wc -c)
    arda-publish --allow-unknown --max-event "$size" "$RUN_DIR/in"
    run --separate-stderr arda-publish --allow-unknown --max-event $((size - 1)) "$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "$stderr" == *"line 1: the event has $size bytes, more than --max-event=$((size - 1))"* ]]
    run --separate-stderr arda-publish --allow-unknown --envelope --max-event "$size" "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "$(redis xlen "arda:stream:$tenant")" = 1 ]
}

@test "arda-replay refuses what is longer, to Redis and to standard output" {
    { event 300; event 2000; event 400; } >"$RUN_DIR/in"
    run --separate-stderr arda-replay --instant --max-event 1500 "$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "$stderr" =~ "line 2: the event has 2"[0-9]{3}" bytes, more than --max-event=1500" ]]
    [ "$(redis xlen "arda:stream:$tenant")" = 2 ]
    run --separate-stderr arda-replay --instant --stdout --max-event 1500 "$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "$stderr" =~ "line 2: the event has 2"[0-9]{3}" bytes, more than --max-event=1500" ]]
    [ "$(wc -l <<<"$output")" = 2 ]
}

@test "the gateway drops what another publisher sends, counts and names it" {
    need_node
    start_gateway --admin 127.0.0.1:0
    ADMIN=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/gateway.err")
    client one "$tenant"
    event 5000000 | tr -d '\n' >"$RUN_DIR/big"
    publish_text "$tenant" '{"type":"before"}'
    redis -x publish "arda:events:$tenant" <"$RUN_DIR/big"
    publish_text "$tenant" '{"type":"after"}'
    wait_for got one 2
    [ "$(names one)" = "before after" ]
    err_has gateway "tenant $tenant: event dropped: it has 5000000 bytes, more than --max-event=4194304"
    metric_is 'arda_gateway_events_dropped_total{cause="too_big"}' 1
}

@test "with --stdin the gateway drops it as well" {
    need_node
    unset REDIS_PORT
    mkfifo "$RUN_DIR/in"
    exec 9<>"$RUN_DIR/in"
    STDIN=$RUN_DIR/in start_gateway --stdin --max-event 1500
    client one "$tenant"
    { event 2000; event 1400; } >&9
    wait_for got one 1
    err_has gateway "tenant $tenant: event dropped: it has 2000 bytes, more than --max-event=1500"
}

@test "the gateway warns when Redis keeps too little for a subscriber" {
    redis config set client-output-buffer-limit "pubsub 6mb 0 0"
    start_gateway
    wait_for err_has gateway "client-output-buffer-limit pubsub is 6291456 bytes, less than twice --max-event=4194304"
    stop gateway
    start_gateway -v --max-event 3m
    wait_for err_has gateway "redis: connected"
    wait_for asked
    wait_for ready
    run ! err_has gateway "client-output-buffer-limit"
}
asked() { [ "$(redis info commandstats | sed -n 's/^cmdstat_config|get:calls=\([0-9]*\).*/\1/p')" -ge 2 ]; }
ready() { curl -so /dev/null "$GATEWAY_URL/"; }

@test "who may not ask for the limit is told with -v only" {
    redis config set client-output-buffer-limit "pubsub 6mb 0 0"
    redis acl setuser shy reset on '>secret' '~*' '&*' +@all -config
    REDIS_URL=redis://shy:secret@127.0.0.1:$REDIS_PORT start_gateway -v
    wait_for err_has gateway "what it keeps for a subscriber is not known: NOPERM"
    stop gateway
    REDIS_URL=redis://shy:secret@127.0.0.1:$REDIS_PORT start_gateway
    wait_for err_has gateway "redis: connected"
    stop gateway
    [ "$status" = 0 ]
    run ! err_has gateway NOPERM
}
