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
