#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Headless Chromium with the official client, on a page of another origin.

load ../lib/common.bash

setup_file() {
    page_port=$((RANDOM % 20000 + 12000))
    export page_port
    start_redis
    APP_URL=http://localhost:$page_port/board start_gateway
}
teardown_file() { stop_all; }
setup() {
    need_node
    command -v chromium >/dev/null || skip "chromium is not installed"
    tenant=$(uuid)
}
teardown() { stop_all; }

# Opens the page, publishes two events when it has connected, and expects them on it.
try() { # TRANSPORTS LAST-TRANSPORT
    start page node "$top_srcdir/tests/lib/browser.js" "$GATEWAY_URL" "$(token "$tenant" ann)" "$page_port" "$1" 3
    wait_for out_has page '"event":"connected"'
    wait_for subscribers "$tenant" 1
    printf '{"type":"loop.parameters_changed","tenantId":"%s","reason":"ü 漢字 🦆"}' "$tenant" | redis -x publish "arda:events:$tenant"
    card "$tenant" | arda-publish
    join page
    [ "$status" = 0 ]
    [ "$(out page | jq -r .event | paste -sd' ')" = "connected loop.parameters_changed card.transition" ]
    [ "$(out page | jq -r 'select(.event == "loop.parameters_changed") | .args[0].reason')" = "ü 漢字 🦆" ]
    [ "$(out page | tail -n 1 | jq -r .transport)" = "$2" ]
}

@test "websocket" { try websocket websocket; }
@test "polling" { try polling polling; }
@test "polling, then upgraded" { try polling,websocket websocket; }

@test "websocket with compression, which Chromium offers" {
    APP_URL=http://localhost:$page_port start_gateway --compression on
    try websocket websocket
}

@test "a page of an origin that is not allowed gets nothing by polling" {
    other=$((page_port + 1))
    start page node "$top_srcdir/tests/lib/browser.js" "$GATEWAY_URL" "$(token "$tenant" ann)" "$other" polling 1
    wait_for out_has page '"error"'
    run ! out_has page '"event"'
}
