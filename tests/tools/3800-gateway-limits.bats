#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: what a peer can take is bounded; who goes past a bound goes alone.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

status_of() { curl -s -o "$RUN_DIR/body" -w '%{http_code}' "$@"; }
answers() { [ "$(status_of "$2")" = "$1" ]; }
polling() { echo "$GATEWAY_URL/socket.io/?EIO=4&transport=polling"; }
host() { echo "${GATEWAY_URL#http://}"; }

@test "--max-events: too many at once close a client with 1008, others stay" {
    start_gateway --max-events 10 --max-events-burst 50
    client other "$tenant"
    start one node "$top_srcdir/tests/lib/flood.js" "$GATEWAY_URL" "$(token "$tenant" u)" 40
    wait_for out_has one '"pongs":40'
    stop one
    start two node "$top_srcdir/tests/lib/flood.js" "$GATEWAY_URL" "$(token "$tenant" u)" 200
    wait_for out_has two '"close":1008'
    card "$tenant" | arda-publish
    wait_for got other 1
    run ! out_has other '"disconnect"'
}

@test "--max-payload over both transports" {
    start_gateway --max-payload 2048
    sid=$(curl -s "$(polling)" | sed 's/^0//' | jq -r .sid)
    [ "$(head -c 2049 /dev/zero | tr '\0' 4 | status_of --data-binary @- "$(polling)&sid=$sid")" = 413 ]
    [[ "$(curl -s "$(polling)")" == *'"maxPayload":2048'* ]]
    start one node "$top_srcdir/tests/lib/flood.js" "$GATEWAY_URL" "$(token "$tenant" u)" 1 3000
    wait_for out_has one '"close":1009'
}

@test "--max-header" {
    start_gateway --max-header 1k
    [ "$(status_of "$(polling)")" = 200 ]
    [ "$(status_of -H "X-Long: $(head -c 1100 /dev/zero | tr '\0' a)" "$(polling)")" = 431 ]
}

@test "--max-connections: one more is closed at once, a free place is used again" {
    start_gateway --max-connections 2
    client one "$tenant"
    client two "$tenant"
    run status_of "$(polling)"
    [ "$output" = 000 ]
    stop two
    wait_for answers 200 "$(polling)"
}

@test "--max-per-address counts sessions on every transport, and forgets those that end" {
    start_gateway --max-per-address 2
    client one "$tenant"
    client two "$tenant" --transports polling
    [ "$(status_of "$(polling)")" = 429 ]
    stop one
    wait_for answers 200 "$(polling)"
    [ "$(status_of "$(polling)")" = 429 ]
}

@test "--trusted-proxy: the address is what a proxy of ours says, nobody else's word counts" {
    start_gateway --max-per-address 1 --trusted-proxy 127.0.0.0/8
    for address in 192.0.2.1 192.0.2.2 2001:db8::1; do
        [ "$(status_of -H "X-Forwarded-For: 6.6.6.6, $address" "$(polling)")" = 200 ]
        [ "$(status_of -H "X-Forwarded-For: 7.7.7.7, $address" "$(polling)")" = 429 ]
    done
    stop gateway
    start_gateway --max-per-address 1
    [ "$(status_of -H "X-Forwarded-For: 192.0.2.1" "$(polling)")" = 200 ]
    [ "$(status_of -H "X-Forwarded-For: 192.0.2.2" "$(polling)")" = 429 ]
}

@test "--max-per-address: the /64 of an IPv6 address is one, however it is written" {
    start_gateway --max-per-address 2 --trusted-proxy 127.0.0.1
    from() { status_of -H "X-Forwarded-For: $1" "$(polling)"; }
    [ "$(from 2001:db8:0:1::1)" = 200 ]
    [ "$(from 2001:DB8::1:ffff:ffff:ffff:ffff)" = 200 ]
    [ "$(from 2001:db8:0:1:2::3)" = 429 ]
    [ "$(from 2001:db8:0:2::1)" = 200 ]
    # IPv4 counts by address, in both of its forms.
    [ "$(from 192.0.2.1)" = 200 ]
    [ "$(from ::ffff:192.0.2.1)" = 200 ]
    [ "$(from ::ffff:c000:201)" = 429 ]
    [ "$(from 192.0.2.2)" = 200 ]
}

@test "--max-per-address: what is forgotten is what was counted" {
    start_gateway --max-per-address 1 --trusted-proxy 127.0.0.1 --connect-timeout 200ms
    [ "$(status_of -H "X-Forwarded-For: 2001:db8::1" "$(polling)")" = 200 ]
    again() { [ "$(status_of -H "X-Forwarded-For: 2001:db8::2" "$(polling)")" = "$1" ]; }
    again 429
    wait_for again 200
}

@test "--max-per-user: over all workers, with a code after which clients come back" {
    start_gateway --max-per-user 2 --workers 2
    CLIENT_USER=ann client one "$tenant"
    CLIENT_USER=ann client two "$tenant" --transports polling
    start three node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$(token "$tenant" ann)"
    wait_for out_has three '"disconnect":"transport close"'
    CLIENT_USER=bob client four "$tenant"
    stop one
    wait_for out_has three '"event":"connected"'
}

@test "an Origin that is absent, listed or the request's own is served, another gets 403" {
    start_gateway --cors-origin http://a.example --cors-origin https://b.example/
    for origin in http://a.example https://b.example "http://$(host)"; do
        [ "$(status_of -H "Origin: $origin" "$(polling)")" = 200 ]
    done
    [ "$(status_of "$(polling)")" = 200 ]
    for origin in http://c.example https://a.example http://a.example:81 null "https://$(host)" http://app.example:5173; do
        [ "$(status_of -H "Origin: $origin" "$(polling)")" = 403 ]
        [ "$(cat "$RUN_DIR/body")" = '{"code":4,"message":"Forbidden"}' ]
        [ "$(status_of -H "Origin: $origin" -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
            -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' --http1.1 "$GATEWAY_URL/socket.io/?EIO=4&transport=websocket")" = 403 ]
    done
    run curl -s -D- -o /dev/null -H 'Origin: https://b.example' "$(polling)"
    [[ "$output" == *"Access-Control-Allow-Origin: https://b.example"* ]]
    [[ "$output" == *"Vary: Origin"* ]]
}

origin_is() { # STATUS ORIGIN: over both transports; the answer that allows it names it.
    local upgrade=(--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
        -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' --max-time 1)
    local polled upgraded
    polled=$(curl -s -D- -o /dev/null -H "Origin: $2" "$(polling)")
    upgraded=$(curl -s -D- -o /dev/null -H "Origin: $2" "${upgrade[@]}" "$GATEWAY_URL/socket.io/?EIO=4&transport=websocket" || true)
    if [ "$1" = 200 ]; then
        [[ "$polled" == *" 200 OK"* && "$upgraded" == *" 101 "* ]]
        [[ "$polled" == *"Access-Control-Allow-Origin: $2"$'\r'* && "$polled" == *"Access-Control-Allow-Credentials: true"* ]]
        [[ "$upgraded" == *"Access-Control-Allow-Origin: $2"$'\r'* ]]
    else
        [[ "$polled" == *" 403 "* && "$upgraded" == *" 403 "* && "$polled" != *"Allow-Origin"* ]]
    fi
    [[ "$polled" == *"Vary: Origin"* ]]
}

@test "a pattern allows the hosts of a domain, and the answer names the one that asked" {
    start_gateway --cors-origin='https://*.Example.com' --cors-origin='https://*.other.example:8443'
    for origin in https://acme.example.com https://a.b.example.com https://x.other.example:8443; do origin_is 200 "$origin"; done
    for origin in https://example.com https://evilexample.com http://acme.example.com https://acme.example.com:444 \
        https://evil.com/.example.com 'https://*.example.com' https://x.other.example null; do origin_is 403 "$origin"; done
    stop gateway
    APP_URL='https://*.example.com/path' start_gateway
    origin_is 200 https://acme.example.com
    origin_is 403 https://example.com
    run curl -s -D- -o /dev/null "$(polling)"
    [[ "$output" == *"Vary: Origin"* && "$output" != *"Allow-Origin"* ]]
    run curl -s -D- -o /dev/null -X OPTIONS -H 'Origin: https://a.example.com' "$(polling)"
    [[ "$output" == *" 204 "*"Access-Control-Allow-Origin: https://a.example.com"* ]]
}

@test "a waiting GET, several workers and a connection used again keep the origin that asked" {
    start_gateway --cors-origin='https://*.example.com' --workers=4 --ping-interval=200ms
    for n in 1 2 3 4 5 6 7 8; do
        sid=$(curl -s -H "Origin: https://a$n.example.com" "$(polling)" | sed 's/^0//' | jq -r .sid)
        curl -s -D- -H "Origin: https://b$n.example.com" "$(polling)&sid=$sid" --next \
            -s -D- -H "Origin: https://c$n.example.com" --data 3 "$(polling)&sid=$sid" --next \
            -s -D- -o /dev/null "$GATEWAY_URL/elsewhere" --next \
            -s -D- "$(polling)&sid=$sid" >"$RUN_DIR/answers"
        [ "$(sed -n 's/^Access-Control-Allow-Origin: //p' "$RUN_DIR/answers" | tr -d '\r' | paste -sd' ')" = \
            "https://b$n.example.com https://c$n.example.com" ]
    done
}

@test "pages of applications: other schemes, and null" {
    start_gateway --cors-origin=https://app.example --cors-origin=capacitor://localhost --cors-origin=app://. \
        --cors-origin=chrome-extension://abcdef --cors-origin=tauri://localhost:1420 --cors-origin=app://MyApp
    for origin in https://app.example capacitor://localhost app://. chrome-extension://abcdef tauri://localhost:1420 app://MyApp; do
        origin_is 200 "$origin"
    done
    for origin in ionic://localhost capacitor://localhost:1 tauri://localhost null; do origin_is 403 "$origin"; done
    stop gateway
    start_gateway --cors-origin=null --cors-origin=HTTPS://APP.example:443/
    origin_is 200 null
    origin_is 200 https://app.example
    origin_is 403 https://null
}

@test "what can match no origin ends the start with 78" {
    for origin in 'https://*' 'https://app.*.example' 'https://a*.example' '*' 'https://*.*.example' https:// app.example \
        'https://app example' https://caf$'\xc3\xa9'.example https://1.2.3; do
        JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 "--cors-origin=$origin"
        [ "$status" = 78 ]
        [[ "$stderr" == *"--cors-origin: $origin: "* ]]
        JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 "--app-url=$origin"
        [ "$status" = 78 ]
        [[ "$stderr" == *"--app-url: $origin: "* ]]
    done
    JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 --cors-origin=https://user:geheim@
    [ "$status" = 78 ]
    [[ "$stderr" != *geheim* ]]
}

@test "what no origin has ends the start with 78, and an application's address may have a path" {
    for origin in https://b.example/app file:///srv https://b.example/?a=1 https://b.example# https://user:geheim@b.example; do
        JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 "--cors-origin=$origin"
        [ "$status" = 78 ]
        [[ "$stderr" == *"--cors-origin: "*"no origin has"* && "$stderr" != *geheim* ]]
    done
    JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 --app-url=https://user:geheim@b.example/
    [ "$status" = 78 ]
    [[ "$stderr" == *"--app-url: "*"no origin has"* && "$stderr" != *geheim* ]]
    start_gateway --app-url=https://b.example/app/#/boards
    origin_is 200 https://b.example
}

@test "behind a proxy that ends TLS the own origin is https" {
    start_gateway --trusted-proxy 127.0.0.1
    [ "$(status_of -H "Origin: https://$(host)" -H 'X-Forwarded-Proto: https' "$(polling)")" = 200 ]
    [ "$(status_of -H "Origin: https://$(host)" "$(polling)")" = 403 ]
    stop gateway
    start_gateway
    [ "$(status_of -H "Origin: https://$(host)" -H 'X-Forwarded-Proto: https' "$(polling)")" = 403 ]
}

@test "--connect-timeout and --header-timeout" {
    start_gateway --connect-timeout 200ms --header-timeout 200ms
    sid=$(curl -s "$(polling)" | sed 's/^0//' | jq -r .sid)
    wait_for answers 400 "$(polling)&sid=$sid"
    exec 8<>"/dev/tcp/127.0.0.1/${GATEWAY_URL##*:}"
    printf 'GET /socket.io/ HTTP/1.1\r\nHost: x' >&8
    read -r -t 20 line <&8
    [[ "$line" == "HTTP/1.1 408 "* ]]
    exec 8>&-
}

@test "a slow reader is disconnected by age, named with what it lags, and nobody else notices" {
    start_gateway --max-queue-age 1s --max-queue 64m
    client fine "$tenant"
    user=$(uuid)
    start slow node "$top_srcdir/tests/lib/stall.js" "$GATEWAY_URL" "$(token "$tenant" "$user")"
    wait_for out_has slow '"stalled":true'
    { printf '{"type":"big","s":"'; head -c 900000 /dev/zero | tr '\0' a; printf '"}'; } >"$RUN_DIR/big"
    for _ in $(seq 20); do redis -x publish "arda:events:$tenant" <"$RUN_DIR/big"; done
    wait_for err_has gateway "tenant $tenant: user $user: 127.0.0.1:"
    grep -qE "slow reader disconnected, [0-9]{6,8} bytes behind for [1-9][0-9.]* s" "$RUN_DIR/gateway.err"
    wait_for got fine 20
    run ! out_has fine '"disconnect"'
}

@test "a bad value is refused with the option's name" {
    for option in --trusted-proxy=nonsense --header-timeout=0 --max-queue-age=2d --max-events=-1 --max-header=1; do
        APP_URL=http://a JWT_SECRET=$GATEWAY_SECRET run --separate-stderr \
            env -u ARDA_GATEWAY_WORKERS arda-gateway --listen 127.0.0.1:0 "$option"
        [ "$status" = 64 ]
        [[ "$stderr" == "arda-gateway: ${option%%=*}: "* ]]
    done
    JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 --cors-origin nonsense
    [ "$status" = 78 ]
}
