#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: what is refused before there is a session is in the log, with the client's address.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { export APP_URL=https://app.example; }
teardown() { stop_all; }

polling() { echo "$GATEWAY_URL/socket.io/?transport=polling&EIO=${1:-4}"; }
status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time 30 "$@"; }
# refused STATUS TEXT [OPTION]... URL: the answer, and the line of the log after the address.
refused() {
    local status=$1 text=$2
    shift 2
    [ "$(status_of "$@")" = "$status" ]
    wait_for err_has gateway ": refused: $text"
}
line_count() { grep -cF -- "$1" "$RUN_DIR/gateway.err"; }
has_lines() { [ "$(line_count "$1")" -ge "$2" ]; }
# send TEXT: as the bytes of a connection; `line` is the first line of the answer.
send() {
    exec 8<>"/dev/tcp/127.0.0.1/${GATEWAY_URL##*:}"
    printf %b "$1" >&8
    line=
    read -r -t 20 line <&8 || true
    exec 8>&-
}
metric_of() { curl -s "http://$(sed -n 's/.*admin on //p' "$RUN_DIR/gateway.err")/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }

@test "origin, address, path, revision and session: each is named with the client's address" {
    start_gateway -v --trusted-proxy=127.0.0.1 --max-per-address=1
    refused 400 "uses revision 3 of Engine.IO, as Socket.IO 2 clients do" "$(polling 3)"
    refused 403 "origin http://localhost:5173 is not allowed" -H 'Origin: http://localhost:5173' "$(polling)"
    [ "$(status_of -H 'X-Forwarded-For: 203.0.113.9' "$(polling)")" = 200 ]
    refused 429 "has 1 session, as --max-per-address allows" -H 'X-Forwarded-For: 203.0.113.9' "$(polling)"
    refused 400 "unknown session" -H 'X-Forwarded-For: 203.0.113.7' "$(polling)&sid=zzz"
    refused 404 "asked for /api/socket.io/" -H 'X-Forwarded-For: 203.0.113.8' \
        "$GATEWAY_URL/api/socket.io/?EIO=4&transport=polling"
    err_has gateway "127.0.0.1: refused: uses revision 3"
    err_has gateway "203.0.113.9: refused: has 1 session"
    err_has gateway "203.0.113.7: refused: unknown session"
    err_has gateway "203.0.113.8: refused: asked for /api/socket.io/"
}

@test "over WebSocket, too, and without the headers of the upgrade" {
    start_gateway -v
    local upgrade=(--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
        -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
    local url="$GATEWAY_URL/socket.io/?transport=websocket"
    refused 403 "origin https://evil.example is not allowed" "${upgrade[@]}" -H 'Origin: https://evil.example' "$url&EIO=4"
    refused 400 "uses revision 3 of Engine.IO" "${upgrade[@]}" "$url&EIO=3"
    refused 400 "asked for a WebSocket without the headers Connection and Upgrade" "$url&EIO=4"
    refused 400 "unknown session" "${upgrade[@]}" "$url&EIO=4&sid=zzz"
    refused 400 "the WebSocket is not of version 13" "${upgrade[@]/13/8}" "$url&EIO=4"
}

@test "what has a counter: head, body, late, malformed, connections" {
    start_gateway -v --max-header=1k --max-payload=2k --header-timeout=200ms --admin=127.0.0.1:0
    refused 431 "request line and headers are longer than --max-header allows, 1024 bytes" \
        -H "X-Long: $(head -c 1100 /dev/zero | tr '\0' a)" "$(polling)"
    sid=$(curl -s "$(polling)" | sed 's/^0//' | jq -r .sid)
    head -c 3000 /dev/zero | tr '\0' a >"$RUN_DIR/long"
    refused 413 "the body is longer than 2048 bytes" --data-binary "@$RUN_DIR/long" "$(polling)&sid=$sid"
    send 'GET /socket.io/ HTTP/1.1\r\nHost: x'
    [[ "$line" == "HTTP/1.1 408 "* ]]
    err_has gateway "127.0.0.1: refused: the head of a request was not complete after 200 ms"
    send 'no request\r\n\r\n'
    [[ "$line" == "HTTP/1.1 400 "* ]]
    err_has gateway "127.0.0.1: refused: what it sent is not an HTTP request"
    refused 400 "transport is neither polling nor websocket" "$GATEWAY_URL/socket.io/?EIO=4&transport=flash"
    refused 400 "a session is opened with GET" -X POST -d x "$(polling)"
    for cause in head body late malformed; do
        [ "$(metric_of "arda_gateway_refusals_total{cause=\"$cause\"}")" = 1 ]
    done
    [ "$(metric_of 'arda_gateway_refusals_total{cause="request"}')" = 2 ]
    stop gateway
    start_gateway -v --max-connections=1
    exec 8<>"/dev/tcp/127.0.0.1/${GATEWAY_URL##*:}"
    run status_of "$(polling)"
    exec 8>&-
    wait_for err_has gateway "127.0.0.1: refused: there is 1 connection, as --max-connections allows"
}

@test "TLS on a port of HTTP, and the other way round" {
    start_gateway -v
    run curl -sk --max-time 20 "https://${GATEWAY_URL#http://}/socket.io/"
    wait_for err_has gateway "127.0.0.1: refused: it uses TLS on a port for plain HTTP"
    stop gateway
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$RUN_DIR/key.pem" \
        -out "$RUN_DIR/cert.pem" -subj /CN=gateway -days 2 2>"$RUN_DIR/req.err"
    start_gateway -v --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem"
    [ "$(status_of "$GATEWAY_URL/socket.io/")" = 400 ]
    wait_for err_has gateway "127.0.0.1: refused: TLS: plain HTTP where TLS is expected"
    run curl -sk --tls-max 1.1 --ciphers 'ALL:@SECLEVEL=0' --max-time 20 "https://${GATEWAY_URL#http://}/socket.io/"
    [ "$status" != 0 ]
    wait_for err_has gateway "127.0.0.1: refused: TLS: unsupported protocol"
}

@test "at the default level the first of each kind is a line, and says where there are more" {
    start_gateway
    for _ in 1 2 3; do
        [ "$(status_of -H 'Origin: http://localhost:5173' "$(polling)")" = 403 ]
        [ "$(status_of "$(polling 3)")" = 400 ]
    done
    wait_for err_has gateway "uses revision 3 of Engine.IO"
    [ "$(line_count "origin http://localhost:5173 is not allowed")" = 1 ]
    [ "$(line_count "uses revision 3 of Engine.IO")" = 1 ]
    [ "$(line_count "the first of its kind; -v shows more")" = 2 ]
}

@test "with -q none of it is shown" {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        GATEWAY_URL=http://127.0.0.1:$((RANDOM % 20000 + 12000))
        JWT_SECRET=$GATEWAY_SECRET start gateway arda-gateway -q --listen "${GATEWAY_URL#http://}"
        wait_for answers_or_gone
        ! is_there "$(pid_of gateway)" || break
    done
    [ "$(status_of -H 'Origin: http://localhost:5173' "$(polling)")" = 403 ]
    [ "$(status_of "$(polling 3)")" = 400 ]
    stop gateway
    [ ! -s "$RUN_DIR/gateway.err" ]
}
answers_or_gone() { is_gone "$(pid_of gateway)" || [ "$(status_of "$(polling)")" = 200 ]; }

@test "a flood of refusals makes few lines, and what was left out is counted" {
    start_gateway -v
    for i in $(seq 300); do
        printf 'url = "%s"\noutput = /dev/null\n' "$GATEWAY_URL/nothing/$i"
    done >"$RUN_DIR/urls"
    curl -s -K "$RUN_DIR/urls"
    wait_for more_is_refused_until_counted
    [ "$(line_count ": refused: asked for ")" -lt 100 ]
}
more_is_refused_until_counted() {
    status_of "$GATEWAY_URL/nothing" >/dev/null
    err_has gateway "more of these were left out"
}

@test "what a client has sent is cut, and forges no line" {
    start_gateway -v
    long=$(head -c 3000 /dev/zero | tr '\0' a)
    [ "$(status_of "$GATEWAY_URL/$long")" = 404 ]
    [ "$(status_of -H "Origin: http://x is fine
" "$(polling)")" != 200 ]
    [ "$(status_of -H $'Origin: http://\xe2\x80\xae\xc2\x9b31m' "$(polling)")" = 403 ]
    wait_for err_has gateway 'origin http://\xe2\x80\xae\xc2\x9b31m is not allowed'
    wait_for err_has gateway 'aaaa..., '
    [ "$(wc -L <"$RUN_DIR/gateway.err")" -lt 400 ]
    run ! grep -qv '^arda-gateway: ' "$RUN_DIR/gateway.err"
    # No secret of a query is in the log.
    [ "$(status_of "$GATEWAY_URL/elsewhere?token=geheim")" = 404 ]
    run ! err_has gateway geheim
}
