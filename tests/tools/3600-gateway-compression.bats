#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway --compression: who asks for it gets the same events, in fewer bytes.

load ../lib/common.bash

AGREED="permessage-deflate; server_no_context_takeover; client_no_context_takeover"

setup_file() {
    start_redis
    start_gateway --compression on
}
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

publish() { redis -x publish "arda:events:$tenant" >/dev/null; }
deflate() { node "$top_srcdir/tests/lib/deflate.js" "$GATEWAY_URL" "$@"; }
offer() { deflate offer "$1"; }

# padded N LEN: an event with a number and a text of that length.
padded() {
    printf '{"type":"x","n":%s,"text":"' "$1"
    head -c "$2" /dev/zero | tr '\0' 'a'
    printf ' Überprüfung 漢字 🦆 \\ud83e\\udd86"}\n'
}

# Those with compression and those without, over every transport.
all_clients() {
    client ws "$tenant" --transports websocket
    client plain "$tenant" --transports websocket --no-compression
    client polling "$tenant" --transports polling
    client fetch "$tenant" --fetch
    client upgrade "$tenant" --upgrade
    client upgrade_plain "$tenant" --upgrade --no-compression
}
everybody="ws plain polling fetch upgrade upgrade_plain"

@test "an offer is taken, declined, or the next one is taken" {
    [ "$(offer '')" = none ]
    [ "$(offer permessage-deflate)" = "$AGREED" ]
    [ "$(offer 'permessage-deflate; client_max_window_bits')" = "$AGREED" ]
    [ "$(offer 'permessage-deflate; server_max_window_bits=15')" = "$AGREED; server_max_window_bits=15" ]
    [ "$(offer 'permessage-deflate; server_max_window_bits=10')" = none ]
    [ "$(offer 'permessage-deflate; server_max_window_bits=10, permessage-deflate')" = "$AGREED" ]
    [ "$(offer 'permessage-deflate; server_max_window_bits=99')" = none ]
    [ "$(offer 'permessage-deflate; what=ever, x-webkit-deflate-frame')" = none ]
    [ "$(offer ';;;')" = none ]
}

@test "it is off by default: no offer is taken, no answer compressed, by no variable but its own" {
    start_gateway
    [ "$(offer permessage-deflate)" = none ]
    [ "$(deflate frames permessage-deflate wYEAAAAA8g==)" = 1002 ]
    stop gateway
    ARDA_GATEWAY_COMPRESSION=on start_gateway
    [ "$(offer permessage-deflate)" = "$AGREED" ]
    stop gateway
    ARDA_GATEWAY_COMPRESSION=on start_gateway --compression=off
    [ "$(offer permessage-deflate)" = none ]
}

@test "a client of the package ws agrees, sends compressed and receives compressed" {
    for compression in true false; do
        start "raw-$compression" node "$top_srcdir/tests/lib/deflate.js" "$GATEWAY_URL" receive \
            "$(token "$tenant" "$(uuid)")" 4 "$compression"
        wait_for out_has "raw-$compression" '"connected"'
    done
    for n in 1 2 3; do padded "$n" 5000 | publish; done
    join raw-true
    [ "$status" = 0 ]
    join raw-false
    [ "$status" = 0 ]
    [ "$(out raw-true | head -n 1)" = "{\"extensions\":\"permessage-deflate\"}" ]
    [ "$(out raw-false | head -n 1)" = '{"extensions":""}' ]
    [ "$(out raw-true | sed -n '3,5p')" = "$(out raw-false | sed -n '3,5p')" ]
    [ "$(out raw-true | jq -c 'arrays | .[1].n // empty' | paste -sd' ')" = "1 2 3" ]
    # Compressed: a tenth at most; without: a little more than all of it.
    out raw-true | tail -n 1 | jq -e '.size > 15000 and .read < .size / 5'
    out raw-false | tail -n 1 | jq -e '.size > 15000 and .read > .size'
}

@test "clients with and without compression get the same, verbatim and in order" {
    all_clients
    : >"$RUN_DIR/expected"
    for n in $(seq 1 20); do
        padded "$n" $((n * n * 50)) >>"$RUN_DIR/expected"
        card "$tenant" >>"$RUN_DIR/expected"
    done
    while read -r line; do printf '%s' "$line" | publish; done <"$RUN_DIR/expected"
    for name in $everybody; do
        wait_for got "$name" 40
        events "$name" | diff "$RUN_DIR/expected" -
    done
}

@test "1.2 MB in one event, and what comes after it" {
    all_clients
    padded 1 1200000 >"$RUN_DIR/expected"
    padded 2 10 >>"$RUN_DIR/expected"
    while read -r line; do printf '%s' "$line" | publish; done <"$RUN_DIR/expected"
    for name in $everybody; do
        wait_for got "$name" 2
        events "$name" | cmp "$RUN_DIR/expected" -
    done
}

@test "nothing is lost or comes twice while a session goes from polling to a compressed WebSocket" {
    for n in 1 2 3 4 5 6; do
        start "c$n" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --upgrade \
            --token "$(token "$tenant" "$(uuid)")"
    done
    for n in $(seq 1 300); do padded "$n" $((n % 7 * 400)); done >"$RUN_DIR/lines"
    upgraded() {
        for n in 1 2 3 4 5 6; do out_has "c$n" '"transport":"websocket"' || return 1; done
    }
    # Until all of them have moved, and then some.
    count=0
    until upgraded; do
        count=$((count + 1))
        [ "$count" -le 300 ]
        sed -n "${count}p" "$RUN_DIR/lines" | tr -d '\n' | publish
    done
    for more in 1 2 3 4 5; do
        sed -n "$((count + more))p" "$RUN_DIR/lines" | tr -d '\n' | publish
    done
    for n in 1 2 3 4 5 6; do
        wait_for out_has "c$n" "\"n\":$((count + 5)),"
        out "c$n" | jq -c 'select(.event == "x") | .args[0].n' >"$RUN_DIR/numbers"
        seq "$(head -n 1 "$RUN_DIR/numbers")" "$((count + 5))" | diff - "$RUN_DIR/numbers"
    done
}

@test "notification.created reaches its user only, in order with the others" {
    ann=$(uuid) bob=$(uuid)
    CLIENT_USER=$ann client ann "$tenant" --transports websocket
    CLIENT_USER=$ann client ann2 "$tenant" --transports websocket --no-compression
    CLIENT_USER=$bob client bob "$tenant"
    pad=$(head -c 3000 /dev/zero | tr '\0' 'b')
    for n in 1 2 3; do
        padded "$n" 2000 | publish
        printf '{"type":"notification.created","tenantId":"%s","userId":"%s","n":%s,"pad":"%s"}' \
            "$tenant" "$ann" "$n" "$pad" | publish
        printf '{"type":"small","n":%s}' "$n" | publish
    done
    printf '{"type":"end"}' | publish
    wait_for got ann 10
    wait_for got ann2 10
    wait_for got bob 7
    order="x notification.created small"
    for name in ann ann2; do
        [ "$(names $name)" = "$order $order $order end" ]
        [ "$(events $name | jq -c '.pad | length' | grep -c 3000)" = 3 ]
    done
    [ "$(names bob)" = "x small x small x small end" ]
}

@test "what official clients send compressed is understood" {
    pad=$(head -c 100000 /dev/zero | tr '\0' 'p')
    client one "$tenant" --emit "[\"ping\",{\"pad\":\"$pad\"}]" --emit '["ping"]'
    wait_for got one 2
    [ "$(names one)" = "pong pong" ]
}

@test "compressed messages that are too large, broken or not agreed on close with 1009, 1007, 1002" {
    # 2 MB of zeros; a reserved type of block; text that is no UTF-8; a control frame.
    bomb=$(node -e '
        const { deflateRawSync, constants } = require("zlib");
        const data = deflateRawSync(Buffer.alloc(2e6), { finishFlush: constants.Z_SYNC_FLUSH });
        const head = Buffer.from([0xc2, 0xfe, 0, 0, 0, 0, 0, 0]);
        head.writeUInt16BE(data.length - 4, 2);
        console.log(Buffer.concat([head, data.subarray(0, -4)]).toString("base64"))')
    [ "$(deflate frames permessage-deflate "$bomb")" = 1009 ]
    [ "$(deflate frames permessage-deflate wYEAAAAABg==)" = 1007 ]
    [ "$(deflate frames permessage-deflate wYMAAAAA+g8A)" = 1007 ]
    [ "$(deflate frames permessage-deflate yYAAAAAA)" = 1002 ]
    [ "$(deflate frames '' wYMAAAAAMwYA)" = 1002 ]
}

# The answer to a GET that finds events waiting: its head in `head`, its body in `body`.
poll_with() { # HEADER...
    local sid url="$GATEWAY_URL/socket.io/?EIO=4&transport=polling" args=()
    for header in "$@"; do args+=(-H "$header"); done
    sid=$(curl -s "$url" | sed 's/.*"sid":"\([^"]*\)".*/\1/')
    curl -s -o /dev/null --data-binary "40{\"token\":\"$(token "$tenant" "$(uuid)")\"}" "$url&sid=$sid"
    until grep -q connected "$RUN_DIR/body.first" 2>/dev/null; do
        curl -s -o "$RUN_DIR/body.first" "$url&sid=$sid"
    done
    rm -f "$RUN_DIR/body.first"
    padded 1 "${SIZE:-5000}" | publish
    curl -s "${args[@]}" -D "$RUN_DIR/head" -o "$RUN_DIR/body" "$url&sid=$sid"
}

@test "a long answer to a GET is gzip'd for a client that accepts it" {
    padded 1 5000 | tr -d '\n' >"$RUN_DIR/event"
    { printf '42["x",'; cat "$RUN_DIR/event"; printf ']'; } >"$RUN_DIR/expected"
    for accepts in 'gzip' 'deflate, gzip;q=0.5' '*'; do
        poll_with "Accept-Encoding: $accepts"
        grep -qi '^content-encoding: gzip' "$RUN_DIR/head"
        [ "$(wc -c <"$RUN_DIR/body")" -lt 500 ]
        grep -qi "^content-length: $(wc -c <"$RUN_DIR/body")" "$RUN_DIR/head"
        gunzip <"$RUN_DIR/body" | cmp - "$RUN_DIR/expected"
    done
    for accepts in 'gzip;q=0' 'br' '*, gzip;q=0.0' ''; do
        poll_with "Accept-Encoding: $accepts"
        run ! grep -qi '^content-encoding' "$RUN_DIR/head"
        cmp "$RUN_DIR/body" "$RUN_DIR/expected"
    done
    SIZE=500 poll_with 'Accept-Encoding: gzip'
    run ! grep -qi '^content-encoding' "$RUN_DIR/head"
    url="$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
    run ! grep -qi '^content-encoding' <(curl -s --compressed -D - "$url")
}

@test "curl --compressed, and none of it without --compression" {
    poll_with 'Accept-Encoding: deflate, gzip'
    grep -qi '^content-encoding: gzip' "$RUN_DIR/head"
    start_gateway
    poll_with 'Accept-Encoding: gzip'
    run ! grep -qi '^content-encoding' "$RUN_DIR/head"
    grep -q '^42' "$RUN_DIR/body"
}
