#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: what waits for a client that polls is bounded, also while it does not.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
teardown() { stop_all; }

poll() { curl -sS "$GATEWAY_URL/socket.io/?EIO=4&transport=polling&sid=$1"; }

# connect TENANT: `sid` is that of a session whose client has been told `connected`.
connect() {
    sid=$(curl -sS "$GATEWAY_URL/socket.io/?EIO=4&transport=polling" |
        sed -n 's/^0{"sid":"\([^"]*\)".*/\1/p')
    [ -n "$sid" ]
    curl -sS --data "40{\"token\":\"$(token "$1" ann)\"}" \
        "$GATEWAY_URL/socket.io/?EIO=4&transport=polling&sid=$sid" | grep -qx ok
    poll "$sid" | grep -q '"connected"'
    wait_for subscribers "$1" 1
}

publish() { # TENANT COUNT
    local text
    text=$(printf 'x%.0s' {1..1000})
    for _ in $(seq "$2"); do echo "{\"type\":\"big\",\"tenantId\":\"$1\",\"x\":\"$text\"}"; done |
        arda-publish --allow-unknown
}

@test "a client that does not poll is dropped when too much waits for it" {
    tenant=$(uuid)
    start_gateway --max-queue=64k --ping-interval=1h -v
    connect "$tenant"
    publish "$tenant" 100
    wait_for err_has gateway "tenant $tenant: user ann: 127.0.0.1: slow reader disconnected, "
    [ "$(poll "$sid")" = '{"code":1,"message":"Session ID unknown"}' ]
}

@test "what is within the bound waits for the next poll" {
    tenant=$(uuid)
    start_gateway --max-queue=64k --ping-interval=1h -v
    connect "$tenant"
    publish "$tenant" 40
    body=$(poll "$sid")
    while [ "$(tr -dc $'\x1e' <<<"$body" | wc -c)" -lt 39 ]; do
        body+=$'\x1e'$(poll "$sid")
    done
    [ "$(grep -o '"type":"big"' <<<"$body" | wc -l)" -eq 40 ]
}

@test "an answer takes the time that its reader needs" {
    tenant=$(uuid)
    start_gateway --ping-interval=1h --max-event=32m
    connect "$tenant"
    {
        printf '{"type":"big","x":"'
        head -c 24000000 /dev/zero | tr '\0' x
        printf '"}'
    } >"$RUN_DIR/event"
    redis -x publish "arda:events:$tenant" <"$RUN_DIR/event"
    # Eight seconds; a connection that closes has five, but from its last byte on.
    curl -sS -H 'Connection: close' --limit-rate 3000k \
        "$GATEWAY_URL/socket.io/?EIO=4&transport=polling&sid=$sid" >"$RUN_DIR/body"
    [ "$(sed 's/^42\["big",\(.*\)\]$/\1/' "$RUN_DIR/body" | cksum)" = "$(cksum <"$RUN_DIR/event")" ]
}
