#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The clients that people have: each version over each transport, with all that a client does.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
    python=${PYTHON:-/usr/bin/python3}
    start_gateway
}
teardown() { stop_all; }

transports=(polling websocket "polling,websocket")
last_transport=(polling websocket websocket)

need_module() { [ -d "$NODE_PATH/$1" ] || skip "the npm package $1 is not installed"; }

# The events that client NUMBER was told of, by name, in order; and its last transport.
told() { jq -r 'select(.event) | .event' "$RUN_DIR/c$1.out" | grep -c "^$2\$"; }
told_at_least() { [ "$(told "$1" "$2")" -ge "$3" ]; }
uses() { [ "$(jq -r 'select(.transport) | .transport' "$RUN_DIR/c$1.out" | tail -n 1)" = "$2" ]; }
cards() { jq -r 'select(.event == "card.transition") | .args[0].cardId' "$RUN_DIR/c$1.out" | paste -sd' '; }
all() { # COMMAND...: with each client's number behind the command's name
    local i command=$1
    shift
    for i in 0 1 2; do wait_for "$command" "$i" "$@"; done
}

# check START: START NUMBER starts a client over transports[NUMBER], which emits `ping` and
# `subscribe:loop` of an unknown loop whenever it is connected.
check_client() {
    local i ids=()
    for i in 0 1 2; do "$1" "$i"; done
    all told_at_least connected 1
    all told_at_least pong 1
    all told_at_least error 1
    for i in 0 1 2; do
        wait_for uses "$i" "${last_transport[$i]}"
        jq -s -e 'map(select(.event == "error"))[0].args == [{"message":"Loop not found or access denied"}]' "$RUN_DIR/c$i.out"
        jq -s -e --arg tenant "$tenant" 'map(select(.event == "connected"))[0].args[0].tenantId == $tenant' "$RUN_DIR/c$i.out"
    done
    wait_for subscribers "$tenant" 1
    for i in 1 2 3 4 5; do ids+=("$(uuid)"); done
    for i in "${ids[@]}"; do card "$tenant" triggered "$i"; done | arda-publish
    { printf '{"type":"big","tenantId":"%s","text":"' "$tenant"; head -c 300000 /dev/zero | tr '\0' x; printf 'ü"}\n'; } | arda-publish --allow-unknown
    all told_at_least big 1
    for i in 0 1 2; do
        [ "$(cards "$i")" = "${ids[*]}" ]
        [ "$(jq -r 'select(.event == "big") | .args[0].text | length' "$RUN_DIR/c$i.out")" = 300001 ]
    done
    check_return
}

# The gateway restarts; everybody comes back and hears of what happens from then on.
check_return() {
    local i id
    id=$(uuid)
    stop gateway
    [ "$status" = 0 ]
    start_gateway --listen "${GATEWAY_URL#http://}"
    all told_at_least connected 2
    wait_for subscribers "$tenant" 1
    card "$tenant" triggered "$id" | arda-publish
    all told_at_least card.transition 6
    for i in 0 1 2; do
        [ "$(cards "$i" | grep -o '[^ ]*$')" = "$id" ]
        stop "c$i"
    done
    wait_for subscribers "$tenant" 0
}

start_js() {
    start "c$1" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --module "$module" --token "$(token "$tenant" "$(uuid)")" \
        --transports "${transports[$1]}" --emit '["ping"]' --emit '["subscribe:loop","nowhere"]'
}
start_python() {
    start "c$1" "$python" "$top_srcdir/tests/lib/client.py" "$GATEWAY_URL" "$(token "$tenant" "$(uuid)")" \
        "${transports[$1]}" '["ping"]' '["subscribe:loop","nowhere"]'
}

@test "the newest socket.io-client" {
    module=socket.io-client
    check_client start_js
}

@test "socket.io-client 3.0" {
    module=socket.io-client-3
    need_module "$module"
    check_client start_js
}

@test "Debian's python3-socketio" {
    "$python" -c 'import socketio, aiohttp' 2>/dev/null || skip "python3-socketio and python3-aiohttp are not installed"
    check_client start_python
}

@test "clients without a token, or with a bad one, are told so" {
    "$python" -c 'import socketio, aiohttp' 2>/dev/null || skip "python3-socketio and python3-aiohttp are not installed"
    need_module socket.io-client-3
    run node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --module socket.io-client-3 --no-reconnect
    [[ "$output" == *'{"error":"Authentication required"'* ]]
    run node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --module socket.io-client-3 --no-reconnect --token nonsense --transports polling
    [[ "$output" == *'{"error":"Invalid token"'* ]]
    run "$python" "$top_srcdir/tests/lib/client.py" "$GATEWAY_URL" nonsense websocket
    [[ "$output" == *'{"error": "Invalid token"}'* ]]
}

@test "EIO=3 is refused in the reference's words" {
    run curl -s -w '%{http_code} %{content_type}' "$GATEWAY_URL/socket.io/?EIO=3&transport=polling"
    [ "$output" = '{"code":5,"message":"Unsupported protocol version"}400 application/json' ]
    run curl -s --http1.1 -w '%{http_code} %{content_type}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
        -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$GATEWAY_URL/socket.io/?EIO=3&transport=websocket"
    [ "$output" = 'Unsupported protocol version400 text/html' ]
}

@test "socket.io-client 2 never connects, and goes on trying" {
    need_module socket.io-client-2
    for i in 0 1 2; do
        start "c$i" node -e '
            const socket = require("socket.io-client-2")(process.argv[1], {
              transports: process.argv[3].split(","), query: { token: process.argv[2] }, reconnectionDelay: 10, reconnectionDelayMax: 50 });
            socket.on("connect", () => console.log("connect"));
            socket.on("connect_error", () => console.log("refused"));
            socket.on("reconnect_error", () => console.log("refused again"));
        ' "$GATEWAY_URL" "$(token "$tenant" ann)" "${transports[$i]}"
    done
    for i in 0 1 2; do
        wait_for out_has "c$i" "refused again"
        run ! grep -qx connect "$RUN_DIR/c$i.out"
    done
    is_there "$(pid_of gateway)"
    subscribers "$tenant" 0
}
