#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: three of them behind HAProxy, which gives each request to the next one.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    command -v haproxy >/dev/null || PATH=$PATH:/usr/sbin
    command -v haproxy >/dev/null || skip "haproxy is not installed"
    export ARDA_RELAY_SECRET=what-the-three-gateways-know-each-other-by
    tenant=$(uuid)
}
teardown() { stop_all; }

# start_one NAME [OPTION]...: a gateway that is known to the others when this returns.
start_one() {
    local name=$1
    shift
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example:5173 \
        start "$name" arda-gateway --listen 127.0.0.1:0 --advertise 127.0.0.1:0 -v "$@"
    wait_for err_has "$name" "listening on"
    wait_for err_has "$name" "relay: gateway "
}

url_of() { echo "http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/$1.err")"; }
id_of() { sed -n 's/.*relay: gateway \([0-9]*\) at .*/\1/p' "$RUN_DIR/$1.err"; }

start_three() {
    start_one one "$@"
    start_one two "$@"
    start_one three "$@"
    start_proxy
}

# GATEWAY_URL names it. Connections to gateways are used again for other clients.
start_proxy() {
    local port name
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$(((RANDOM * 32768 + RANDOM) % 25000 + 20000))
        {
            printf 'global\n maxconn 2000\ndefaults\n mode http\n balance roundrobin\n'
            printf ' timeout connect 5s\n timeout client 60s\n timeout server 60s\n'
            printf ' timeout tunnel 60s\n retries 3\n option redispatch 1\n http-reuse always\n'
            printf 'listen all\n bind 127.0.0.1:%s\n' "$port"
            for name in one two three; do
                printf ' server %s %s\n' "$name" "$(url_of "$name" | cut -d/ -f3)"
            done
        } >"$RUN_DIR/haproxy.cfg"
        start haproxy haproxy -db -f "$RUN_DIR/haproxy.cfg"
        export GATEWAY_URL=http://127.0.0.1:$port
        wait_for proxy_answers_or_gone
        ! is_there "$(pid_of haproxy)" || return 0
    done
    return 1
}
proxy_answers_or_gone() {
    is_gone "$(pid_of haproxy)" || [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/nothing")" = 404 ]
}

poll_at() { curl -sS --max-time 30 "$1/socket.io/?EIO=4&transport=polling&sid=$2"; }
post_at() { curl -sS --max-time 30 --data-binary "${3:-@-}" "$1/socket.io/?EIO=4&transport=polling&sid=$2"; }

# open_at URL: `sid` is that of a session that has been told `connected`.
open_at() {
    sid=$(curl -sS "$1/socket.io/?EIO=4&transport=polling" | sed -n 's/^0{"sid":"\([^"]*\)".*/\1/p')
    [ -n "$sid" ]
    post_at "$1" "$sid" "40{\"token\":\"$(token "$tenant" ann)\"}" | grep -qx ok
    poll_at "$1" "$sid" | grep -q '"connected"'
}

unknown='{"code":1,"message":"Session ID unknown"}'

for_workers() { for workers in 1 2; do "$@" --workers "$workers" && stop_all; done; }

many_clients() {
    need_node
    start_three --ping-interval=1s "$@"
    run node "$top_srcdir/tests/lib/tenants.js" "$GATEWAY_URL" 5 8 100 3
    [ "$status" = 0 ] || { echo "$output"; show_logs; return 1; }
    for name in one two three; do err_has "$name" "link to stands" || return 1; done
}

@test "many clients of several tenants: every event once, in order, with one worker and two" {
    for_workers many_clients
}

@test "a session is reached through any gateway" {
    start_three
    open_at "$(url_of one)"
    for name in two three one two; do
        post_at "$(url_of "$name")" "$sid" '42["ping"]' | grep -qx ok
        poll_at "$(url_of three)" "$sid" | grep -q '"pong"'
    done
}
