#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: what it holds for a peer is bounded as a whole, on every way to the wire and before the
# peer has shown a token; tests/lib/bounds.js tries each way.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

# bounds CASE: while the gateway serves another.
bounds() {
    TOKEN=$(token "$tenant" ann) GATEWAY_PID=$(pid_of gateway) \
        timeout 120 node "$top_srcdir/tests/lib/bounds.js" "$1" || { show_logs; false; }
}

@test "a probe that sends pings and reads nothing makes nothing wait" {
    start_gateway --max-events 0 --upgrade-timeout 3s
    bounds 'pings of a probe that reads nothing'
}

@test "what a client may send a second holds for control frames and probes" {
    start_gateway --max-events 10 --max-events-burst 50
    bounds 'pings of a probe that reads'
    bounds 'unasked pongs count'
}

@test "an answer has no more time than what waits for a session" {
    start_gateway --max-queue-age 500ms
    bounds 'an answer that is taken slowly'
}

@test "attachments are refused before joining, and bounded as a whole" {
    start_gateway --compression on
    bounds 'attachments before joining'
    bounds 'attachments in sum'
    bounds 'attachments that are compressed'
}

@test "a packet that comes in parts has one time to be complete" {
    start_gateway --request-timeout 400ms --max-events 0
    bounds 'attachments that do not come'
    bounds 'a message that does not end'
    bounds 'messages without a pause'
}

metric_of() { curl -s "http://$(sed -n 's/.*admin on //p' "$RUN_DIR/gateway.err")/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }

@test "--max-joining: those who have not shown a token make room for others, the oldest first" {
    start_gateway --workers 1 --max-joining 3 --admin 127.0.0.1:0
    bounds 'the oldest makes room'
    err_has gateway "127.0.0.1: refused: has not shown a token, and has to make room for others: --max-joining allows 3"
    [ "$(metric_of 'arda_gateway_refusals_total{cause="joining"}')" = 3 ]
    [ "$(metric_of 'arda_gateway_disconnects_total{reason="limit"}')" = 3 ]
    [ "$(metric_of arda_gateway_joining_sessions)" = 3 ]
    stop gateway
    start_gateway --workers 1 --max-joining 3
    bounds 'the refused count again'
    stop gateway
    start_gateway --workers 1 --max-joining 3
    bounds 'the refused keep their place'
}

@test "--max-joining over workers" {
    start_gateway --max-joining 100 --workers 3 --admin 127.0.0.1:0
    bounds 'all come back'
    [ "$(metric_of 'arda_gateway_refusals_total{cause="joining"}')" = 0 ]
    bounds 'a crowd'
    [ "$(metric_of arda_gateway_joining_sessions)" -le 100 ]
}

@test "a header of Authorization is kept until it was of use, and only if it can be a token" {
    # What is freed is to be used again, as without a sanitizer.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1
    start_gateway --max-joining 0
    bounds 'headers that are too long are not kept'
    bounds 'a header is forgotten after joining'
    stop gateway
    start_gateway --max-joining 1000
    bounds 'headers of thousands'
}

@test "a message before joining is no longer than a token needs" {
    start_gateway
    bounds 'messages before joining are short'
}

# few_descriptors [OPTION]...: a gateway of four threads with 128 descriptors and an admin page.
few_descriptors() {
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example start gateway bash -c 'ulimit -n 128; exec arda-gateway "$@"' - \
        --listen 127.0.0.1:0 --workers 4 --admin 127.0.0.1:0 --header-timeout 60s "$@"
    wait_for listening_or_gone gateway
    GATEWAY_URL=http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/gateway.err")
    ADMIN_URL=http://$(sed -n 's/.*admin on //p' "$RUN_DIR/gateway.err")
    export GATEWAY_URL ADMIN_URL
}
lines_of() { grep -c "$1" "$RUN_DIR/gateway.err"; }

@test "out of descriptors: clients are refused before the last ones are gone" {
    few_descriptors
    bounds 'clients leave some descriptors'
    err_has gateway "connection refused: no file descriptors left"
}

@test "out of descriptors: clients wait, nothing spins, and service resumes" {
    few_descriptors
    bounds 'no descriptor is left'
    [ "$(lines_of "connections wait to be accepted: Too many open files")" = 1 ]
    wait_for err_has gateway "connections are accepted again"
    [ "$(lines_of "connections are accepted again")" = 1 ]
}

@test "out of descriptors: a link from another gateway waits, too" {
    export ARDA_RELAY_SECRET=what-the-gateways-know-each-other-by
    few_descriptors --advertise 127.0.0.1:0
    RELAY_PORT=$(sed -n 's/.*relay on .*://p' "$RUN_DIR/gateway.err") bounds 'no descriptor is left for a link'
    err_has gateway "relay: connections wait to be accepted: Too many open files"
    stop gateway
    [ "$status" = 0 ]
}
