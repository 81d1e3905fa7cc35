#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lib/client and lib/net without anything of Arda's: a client that watches, and a server that echoes.

load ../lib/common.bash

setup() {
    need_node
    [ -d "$NODE_PATH/socket.io" ] || skip "the npm package socket.io is not installed"
    unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
}
teardown() {
    exec 8>&-
    stop_all
}

# Symbols of Arda or Redis in a program.
of_arda() { nm "$1" | awk '$3 ~ /^(arda_|redis|jwt)/ { print $3 }'; }

reference() {
    mkfifo "$RUN_DIR/orders"
    STDIN=$RUN_DIR/orders start reference node "$top_srcdir/tests/lib/reference.js" 8>&- "$@"
    exec 8>"$RUN_DIR/orders"
    wait_for out_has reference '"port":'
    URL=http://127.0.0.1:$(jq -r .port <"$RUN_DIR/reference.out")
}
say() { printf '%s\n' "$1" >&8; }
kinds() { jq -r .kind <"$RUN_DIR/$1.out" | paste -sd' '; }

@test "they have nothing of Arda's in them" {
    [ -z "$(of_arda "$builddir/tests/watch")" ]
    [ -z "$(of_arda "$builddir/tests/echo-server")" ]
}

@test "the client, with the reference server over each transport" {
    reference
    for transport in '' websocket polling; do
        start "w$transport" "$builddir/tests/watch" "$URL" $transport
        wait_for out_has "w$transport" '"kind":"connect"'
        [ -n "$transport" ] || wait_for out_has w '"kind":"upgrade"'
        say '["emit", "news", {"n": 1}]'
        wait_for out_has "w$transport" '"news"'
    done
    say '["bytes"]'
    for transport in '' websocket polling; do
        wait_for eval "[ \$(grep -c '\"kind\":\"event\"' '$RUN_DIR/w$transport.out') -ge 2 ]"
        stop "w$transport" INT
    done
    [ "$(kinds w | cut -d' ' -f 1-3)" = "handshake connect upgrade" ]
    [ "$(kinds wpolling | cut -d' ' -f 1-3)" = "handshake connect event" ]
}

@test "the client comes back when the server was away, and ends when it is sent off" {
    reference
    start w "$builddir/tests/watch" "$URL"
    wait_for out_has w '"kind":"upgrade"'
    exec 8>&-
    stop reference KILL
    rm "$RUN_DIR/orders"
    wait_for out_has w '"kind":"disconnect"'
    reference --port "${URL##*:}"
    wait_for eval "[ \$(grep -c '\"kind\":\"connect\"' '$RUN_DIR/w.out') = 2 ]"
    say '["emit", "again"]'
    wait_for out_has w '"again"'
    say '["kick"]'
    join w
    [ "$status" = 77 ]
}

@test "the client, with the server of lib/net" {
    PORT=0 start echo "$builddir/tests/echo-server"
    wait_for err_has echo 'listening on'
    port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$RUN_DIR/echo.err")
    start w "$builddir/tests/watch" "http://127.0.0.1:$port"
    wait_for out_has w '"kind":"upgrade"'
    wait_for out_has w '"auth"'
}
