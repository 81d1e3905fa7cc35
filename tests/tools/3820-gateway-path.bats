#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway --path: on a host that many services share, behind a proxy that leaves its part of the path.

load ../lib/common.bash

export UNSUBSCRIBE_TOKEN_SECRET=an-unsubscribe-secret-of-32-bytes-or-more

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    redis sadd arda:tenants "$tenant" >/dev/null
}
teardown() { stop_all; }

status_of() { curl -s -o "$RUN_DIR/body" -w '%{http_code}' --max-time 20 "$@"; }
engine="?EIO=4&transport=polling"
preference() { arda-directory get preference "$tenant" "$1" po_created email 2>/dev/null | jq -r .enabled; }
open_at() { curl -sS "$1/$engine" | sed 's/^0//' | jq -r .sid; }

@test "clients are served there, with or without a final slash, and nowhere else" {
    for path in /realtime/socket.io /realtime/socket.io/; do
        start_gateway -v --path="$path"
        [ "$(status_of "$GATEWAY_URL/realtime/socket.io/$engine")" = 200 ]
        [ "$(status_of "$GATEWAY_URL/realtime/socket.io$engine")" = 200 ]
        for other in /socket.io/ /realtime/ /realtime/socket.iox/ /realtime/socket.io/x /realtime//socket.io/ /x/realtime/socket.io/; do
            [ "$(status_of "$GATEWAY_URL$other$engine")" = 404 ]
        done
        wait_for err_has gateway "asked for /socket.io/, but clients are served at /realtime/socket.io/"
        stop gateway
    done
    start_gateway --path=/
    [ "$(status_of "$GATEWAY_URL/$engine")" = 200 ]
    [ "$(status_of "$GATEWAY_URL/socket.io/$engine")" = 404 ]
    stop gateway
    start_gateway
    [ "$(status_of "$GATEWAY_URL/socket.io/$engine")" = 200 ]
}

@test "the official client and arda-subscribe --via, over each transport" {
    need_node
    start_gateway --path=/realtime/socket.io
    client ws "$tenant" --path /realtime/socket.io
    client polling "$tenant" --path /realtime/socket.io/ --transports polling
    client upgraded "$tenant" --path /realtime/socket.io --upgrade
    for transport in upgrade websocket polling; do
        ARDA_TOKEN=$(token "$tenant" ann) start "via-$transport" arda-subscribe --transport "$transport" \
            --via "$GATEWAY_URL/realtime/socket.io"
        wait_for out_has "via-$transport" '"name":"connected"'
    done
    card "$tenant" | arda-publish
    for name in ws polling upgraded; do wait_for got "$name" 1; done
    for transport in upgrade websocket polling; do wait_for out_has "via-$transport" '"name":"card.transition"'; done
}

@test "the pages of unsubscribing follow the path" {
    command -v node >/dev/null || skip "node is not installed"
    start_gateway --path=/realtime/socket.io
    token=$(node "$top_srcdir/tests/lib/unsubscribe.js" "$UNSUBSCRIBE_TOKEN_SECRET" "$tenant" ann po_created)
    [ "$(status_of "$GATEWAY_URL/notifications/unsubscribe?token=$token")" = 404 ]
    [ "$(status_of "$GATEWAY_URL/api/notifications/unsubscribe?token=$token")" = 404 ]
    [ "$(status_of "$GATEWAY_URL/realtime/notifications/unsubscribe?token=$token")" = 200 ]
    [ "$(status_of "$GATEWAY_URL/realtime/api/notifications/unsubscribe?token=$token")" = 200 ]
    [ "$(status_of -d List-Unsubscribe=One-Click "$GATEWAY_URL/realtime/notifications/unsubscribe?token=$token")" = 200 ]
    [ "$(preference ann)" = false ]
}

@test "between gateways: a session is reached at its path through each" {
    export ARDA_RELAY_SECRET=what-the-two-gateways-know-each-other-by
    for name in one two; do
        JWT_SECRET=$GATEWAY_SECRET start "$name" arda-gateway --listen 127.0.0.1:0 --advertise 127.0.0.1:0 \
            --path=/realtime/socket.io -v
        wait_for err_has "$name" "relay: gateway "
        wait_for err_has "$name" "listening on "
    done
    one=http://$(sed -n 's/.*listening on //p' "$RUN_DIR/one.err")/realtime/socket.io
    two=http://$(sed -n 's/.*listening on //p' "$RUN_DIR/two.err")/realtime/socket.io
    sid=$(open_at "$one")
    [ "$(curl -sS --data "40{\"token\":\"$(token "$tenant" ann)\"}" "$two/$engine&sid=$sid")" = ok ]
    curl -sS "$two/$engine&sid=$sid" | grep -q '"connected"'
    wait_for err_has two "link to stands"
}

@test "what is no absolute path ends the start with 78" {
    for path in socket.io '' ./socket.io http://host/socket.io '/a b' '/a?b' '/a#b' //socket.io /a//b /a/../b /a/. \
        '/%2e%2e/a' '/a/.%2E' /a// '/%zz' "/caf"$'\xc3\xa9' $'/a\tb' '/a"b'; do
        JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 "--path=$path"
        [ "$status" = 78 ]
        [[ "$stderr" == *"--path: expected an absolute path, such as /realtime/socket.io, got "* ]]
    done
}
