#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway --stdin: events and directory lines from standard input, no Redis.

load ../lib/common.bash

setup() {
    need_node
    tenant=$(uuid)
    mkfifo "$RUN_DIR/in"
    STDIN=$RUN_DIR/in start_stdin_gateway
}
teardown() { stop_all; }

start_stdin_gateway() {
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example start gateway \
        arda-gateway --stdin --listen 127.0.0.1:0
    exec 9>"$RUN_DIR/in"
    wait_for err_has gateway "listening on"
    GATEWAY_URL=http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/gateway.err")
}

@test "events reach their tenant, loops come from directory lines, serving goes on after the end" {
    loop=$(uuid)
    NO_REDIS=1 client one "$tenant"
    printf '{"kind":"loop","tenantId":"%s","loopId":"%s"}\nnonsense\n' "$tenant" "$loop" >&9
    card "$tenant" >&9
    card "$(uuid)" >&9
    printf '{"id":"i","event":{"type":"end","tenantId":"%s"}}' "$tenant" >&9
    exec 9>&-
    wait_for got one 2
    [ "$(names one)" = "card.transition end" ]
    wait_for err_has gateway "standard input has ended"
    err_has gateway "line 2: not JSON"
    NO_REDIS=1 client two "$tenant" --emit '["subscribe:loop","'"$(uuid)"'"]' --emit '["subscribe:loop","'"$loop"'"]' --emit '["ping"]'
    wait_for out_has two '"event":"pong"'
    [ "$(out two | grep -c 'Loop not found')" = 2 ] # raw and event
}
