#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: a client that takes nothing is disconnected in the middle of whatever it is being
# sent, one that does not send what it has announced is answered, and nothing else happens.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
    start_gateway --max-queue 4096 --max-queue-age 0 --workers 1
}
teardown() { stop_all; }

# open_session: a session that polls; no GET follows the first one.
open_session() {
    url="$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    url+="&sid=$(curl -sS "$url" | sed -n 's/^0{"sid":"\([^"]*\)".*/\1/p')"
}

# packets COUNT TEXT: the text so many times, as packets of one payload.
packets() {
    local i
    for ((i = 0; i < $1; i++)); do printf '%s\x1e' "$2"; done
}
# post [PACKET]: standard input and then the packet, as a payload.
post() {
    { cat && printf '%s' "$1"; } | curl -sS -o "$RUN_DIR/answer" --data-binary @- "$url" && return
    show_logs
    return 1
}

connect() { printf '40{"token":"%s"}' "$(token "$tenant" ann)"; }
dropped() { [ "$(grep -c "tenant $tenant: user ann: .*slow reader disconnected" "$RUN_DIR/gateway.err")" -ge "$1" ]; }

# The gateway serves whoever comes now, and ends in order.
still_serves() {
    client fresh "$tenant"
    card "$tenant" | arda-publish
    wait_for got fresh 1
    stop gateway
    [ "$status" = 0 ]
}

@test "while it is let in" {
    local before
    client other "$tenant"
    # What waits before differs, so that each of the packets is once the one that is too much.
    for before in $(seq 0 4); do
        open_session
        packets "$before" '40/unknown,' | post "$(packets 40 "$(connect)"$'\x1e41')3"
        wait_for dropped "$((before + 1))"
    done
    still_serves
}

@test "while it is let in, having waited for its tenant" {
    local before
    # Each answer takes 44 bytes of the queue: there is room for none of the packets, or for some.
    for before in 90 91 92 93; do
        tenant=$(uuid)
        open_session
        { connect && printf '\x1e' && packets "$before" '40/unknown,'; } | post 3
        wait_for dropped 1
    done
    still_serves
}

@test "while its user is sent to" {
    open_session
    { connect && printf '\x1e'; } | post 3
    wait_for subscribers "$tenant" 1
    for _ in $(seq 8); do
        printf '{"type":"notification.created","tenantId":"%s","userId":"ann","title":"%01000d"}' "$tenant" 0 |
            redis -x publish "arda:events:$tenant" >&2
    done
    wait_for dropped 1
    still_serves
}

@test "while it is told of a loop" {
    local i
    open_session
    { connect && printf '\x1e'; } | post 3
    wait_for subscribers "$tenant" 1
    packets 80 '40/unknown,' | post 3
    # One at a time: each is the only question whose answer is on its way.
    for i in $(seq 12); do
        printf '42["subscribe:loop","%s"]' "$i" | post ''
    done
    wait_for dropped 1
    still_serves
}

@test "a POST whose body does not come is answered, and the session takes another" {
    stop gateway
    start_gateway --request-timeout 100ms
    client other "$tenant"
    open_session
    for _ in 1 2 3; do
        exec 8<>"/dev/tcp/127.0.0.1/${GATEWAY_URL##*:}"
        printf 'POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4' "${url#"$GATEWAY_URL"}" >&8
        read -r -t 20 line <&8
        [[ "$line" == "HTTP/1.1 408 "* ]]
        exec 8>&-
    done
    { connect && printf '\x1e'; } | post 3
    [ "$(cat "$RUN_DIR/answer")" = ok ]
    curl -sS "$url" | grep -q '"connected"'
    still_serves
}
