#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: starting, tokens, connecting on each transport, CORS, control events.

load ../lib/common.bash

setup_file() {
    start_redis
    start_gateway
}
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
    user=$(uuid)
}
teardown() { stop_all; }

# A client with TOKEN that is expected to be refused; prints the error.
refused() {
    node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --no-reconnect "$@" </dev/null | jq -r 'select(.error) | .error'
}

b64() { printf '%s' "$1" | basenc --base64url -w0 | tr -d =; }

# A token of HEADER and CLAIMS with a good HMAC of DIGEST.
forge() {
    local text
    text=$(b64 "$1").$(b64 "$2")
    printf '%s.%s' "$text" "$(printf '%s' "$text" | openssl dgst "-${3:-sha256}" -hmac "$GATEWAY_SECRET" -binary | basenc --base64url -w0 | tr -d =)"
}

@test "connected has exactly its three members, on every transport" {
    for options in "--transports websocket" "--transports polling" "--upgrade"; do
        # shellcheck disable=SC2086
        CLIENT_USER=$user client one "$tenant" $options
        [ "$(out one | jq -c 'select(.event == "connected") | .args | map(keys_unsorted), .[0].tenantId, .[0].userId' | paste -sd' ')" = \
            '[["tenantId","userId","timestamp"]] "'"$tenant"'" "'"$user"'"' ]
        out one | jq -s -e 'map(select(.event == "connected"))[0].args[0].timestamp | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$")'
        stop one
    done
}

@test "polling upgrades to websocket" {
    client one "$tenant" --upgrade
    wait_for out_has one '{"transport":"websocket"}'
    [ "$(out one | jq -r 'select(.transport) | .transport' | paste -sd' ')" = "polling websocket" ]
}

@test "the path with and without a final slash; no other" {
    client one "$tenant" --no-trailing-slash --transports polling
    client two "$tenant" --path /socket.io/ --transports polling
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/socket.io?EIO=4&transport=polling")" = 200 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/other/?EIO=4&transport=polling")" = 404 ]
}

@test "the handshake announces 25 s and 10 s" {
    run curl -s "$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    [ "${output:0:1}" = 0 ]
    [ "$(jq -c '[.pingInterval, .pingTimeout, .maxPayload, .upgrades]' <<<"${output:1}")" = '[25000,10000,1000000,["websocket"]]' ]
}

@test "auth.token comes before the Authorization header, which does as well" {
    good=$(token "$tenant" "$user")
    start one node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$good" --header
    wait_for out_has one '"event":"connected"'
    start two node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$good" --authorization "Bearer nonsense"
    wait_for out_has two '"event":"connected"'
    [ "$(refused --token nonsense --authorization "Bearer $good")" = "Invalid token" ]
}

@test "no token" {
    [ "$(refused)" = "Authentication required" ]
    [ "$(refused --auth '{"token":""}')" = "Authentication required" ]
    [ "$(refused --auth '{"token":null}' --transports polling)" = "Authentication required" ]
}

@test "tokens that are not valid" {
    now=$(date +%s)
    head='{"alg":"HS256","typ":"JWT"}'
    claims='{"sub":"'$user'","tenantId":"'$tenant'","exp":'$((now + 60))'}'
    start good node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$(forge "$head" "$claims")"
    wait_for out_has good '"event":"connected"'
    bad=(
        "$(b64 '{"alg":"none"}').$(b64 "$claims")."
        "$(forge '{"alg":"HS512"}' "$claims" sha512)"
        "$(forge '{"alg":"RS256"}' "$claims")"
        "$(forge "$head" "$claims")x"
        "$(JWT_SECRET=another-secret-of-thirty-two-bytes arda-token mint -t "$tenant" -u "$user")"
        "$(forge "$head" '{"sub":"'"$user"'","tenantId":"'"$tenant"'","exp":'$((now - 1))'}')"
        "$(forge "$head" '{"tenantId":"'"$tenant"'"}')"
        "$(forge "$head" '{"sub":"'"$user"'"}')"
        "$(forge "$head" '{"sub":"'"$user"'","tenantId":"global"}')"
        "$(forge "$head" '{"sub":"'"$user"'","tenantId":"a b"}')"
        "$(forge "$head" '{"sub":"a:b","tenantId":"'"$tenant"'"}')"
        "$(forge "$head" '[]')"
        "not.a.token"
    )
    for token in "${bad[@]}"; do
        [ "$(refused --token "$token")" = "Invalid token" ]
    done
    [ "$(refused --auth '{"token":{"a":1}}')" = "Invalid token" ]
}

@test "CORS allows the origin of APP_URL with credentials, and no other" {
    run curl -s -D- -o /dev/null -H 'Origin: http://app.example:5173' "$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    [[ "$output" == *"ccess-"?"ontrol-"?"llow-"?"rigin: http://app.example:5173"* ]]
    [[ "$output" == *"ccess-"?"ontrol-"?"llow-"?"redentials: true"* ]]
    run curl -s -D- -o /dev/null -X OPTIONS -H 'Origin: http://app.example:5173' -H 'Access-Control-Request-Method: POST' \
        "$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    [[ "$output" == *" 204 "* ]]
    run curl -s -D- -o /dev/null -H 'Origin: http://evil.example' "$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    [[ "$output" != *evil* ]]
}

@test "ping is answered with pong and a timestamp" {
    client one "$tenant" --emit '["ping"]'
    wait_for got one 1
    [ "$(out one | jq -c 'select(.event == "pong") | .args | map(keys)')" = '[["timestamp"]]' ]
}

@test "a loop is checked against the directory" {
    loop=$(uuid) other=$(uuid)
    arda-directory set loop "$tenant" "$loop"
    arda-directory set loop "$(uuid)" "$other"
    client one "$tenant" --emit '["subscribe:loop","'"$loop"'"]' --emit '["subscribe:loop","'"$other"'"]' \
        --emit '["subscribe:loop"]' --emit '["subscribe:loop",7]' --emit '["subscribe:loop",""]' \
        --emit '["subscribe:loop",["'"$loop"'"]]' --emit '["unsubscribe:loop","'"$loop"'"]' --emit '["ping"]'
    wait_for out_has one '"event":"pong"'
    wait_for got one 6
    [ "$(out one | jq -c 'select(.event == "error") | .args')" = "$(printf '[{"message":"Loop not found or access denied"}]\n%.0s' 1 2 3 4 5)" ]
}

@test "events that a client makes up are ignored" {
    client one "$tenant"
    client two "$tenant" --emit '["card.transition",{"type":"card.transition"}]' --emit '["connected",{}]' \
        --emit '["message","x"]' --emit '["ping"]'
    wait_for out_has two '"event":"pong"'
    card "$tenant" | arda-publish
    wait_for got one 1
    [ "$(out one | grep -c '"event"')" = 2 ]
}

@test "an acknowledgement that a client asks for does no harm" {
    start one node -e '
        const s = require("socket.io-client")(process.argv[1], {auth: {token: process.argv[2]}, transports: ["websocket"]});
        s.on("connect", () => s.emit("ping", () => console.log("acknowledged")));
        s.on("pong", (p) => console.log(JSON.stringify(p)));
    ' "$GATEWAY_URL" "$(token "$tenant" "$user")"
    wait_for out_has one timestamp
}

@test "refused at start, exit 78, with the reason" {
    run_gateway() { run --separate-stderr env "$@" arda-gateway --listen 127.0.0.1:0; }
    run_gateway JWT_SECRET=short APP_URL=http://a
    [ "$status" = 78 ]
    [ "$stderr" = "arda-gateway: JWT_SECRET: the secret has 5 bytes; it needs at least 32" ]
    run_gateway APP_URL=http://a
    [ "$status" = 78 ]
    run_gateway JWT_SECRET="$GATEWAY_SECRET" APP_URL=http://a REDIS_URL=rediss://h
    [ "$status" = 78 ]
    [[ "$stderr" == *rediss://* ]]
    run_gateway ARDA_JWT_SECRET_FILE=/nonexistent/secret APP_URL=http://a
    [ "$status" = 78 ]
    [[ "$stderr" == *"/nonexistent/secret: No such file or directory"* ]]
    run_gateway JWT_SECRET="$GATEWAY_SECRET" APP_URL=nonsense
    [ "$status" = 78 ]
    run arda-gateway --nonsense
    [ "$status" = 64 ]
    JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen "${GATEWAY_URL#http://}"
    [ "$status" = 69 ] || [ "$status" = 78 ]
    [[ "$stderr" == *"ddress already in use"* ]]
}

@test "with nothing but the usual variables it is a complete server" {
    env REDIS_URL="$REDIS_URL" JWT_SECRET="$GATEWAY_SECRET" APP_URL=http://localhost:5173/board PORT=0 \
        arda-gateway >"$RUN_DIR/gw.out" 2>"$RUN_DIR/gw.err" 3>&- &
    echo $! >"$RUN_DIR/gw.pid"
    wait_for err_has gw "listening on"
    port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$RUN_DIR/gw.err")
    run curl -s -D- -o /dev/null -H 'Origin: http://localhost:5173' "http://127.0.0.1:$port/socket.io/?EIO=4&transport=polling"
    [[ "$output" == *"llow-"?"rigin: http://localhost:5173"* ]]
    stop gw TERM
    [ "$status" = 0 ]
}
