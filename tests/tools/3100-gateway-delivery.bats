#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: events from Redis to clients, on every transport, unchanged, in order, for their
# tenant alone.

load ../lib/common.bash

setup_file() {
    start_redis
    start_gateway
}
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

publish() { redis -x publish "arda:events:$tenant" >/dev/null; }

# One event of every type of the catalog, with traps for whoever takes JSON apart and together.
every_type() {
    local ids
    ids="\"tenantId\":\"$tenant\",\"loopId\":\"$(uuid)\""
    printf '%s\n' \
        '{"type":"card.transition",'"$ids"',"cardId":"'"$(uuid)"'","fromStage":null,"toStage":"created","method":"manual","timestamp":"2026-02-08T12:00:00Z"}' \
        '{"type":"order.created",'"$ids"',"orderType":"purchase_order","orderId":"'"$(uuid)"'","orderNumber":"PO-\u0030001 \"x\" \\ \/","linkedCardIds":[],"timestamp":"2026-02-08T12:00:00.123456+01:00"}' \
        '{"type":"order.status_changed","n":[1.0,1e400,-0,123456789012345678901234567890,1.10],"tenantId":"'"$tenant"'"}' \
        '{"type":"loop.parameters_changed","reason":"Überprüfung 漢字 🦆 \ud83e\udd86 \ud800","tenantId":"'"$tenant"'"}' \
        '{"type":"relowisa.recommendation","confidenceScore":87.50,"unknown":{"a":{"b":[]}},"tenantId":"'"$tenant"'"}' \
        '{"type":"some.later_type","tenantId":"'"$tenant"'"}'
}

@test "every type arrives verbatim and in order, over websocket, polling and through an upgrade" {
    client ws "$tenant" --transports websocket
    client polling "$tenant" --transports polling
    client upgrade "$tenant" --upgrade
    every_type >"$RUN_DIR/sent"
    while read -r line; do printf '%s' "$line" | publish; done <"$RUN_DIR/sent"
    while read -r line; do printf '{"id":"%s","schemaVersion":1,"source":"t","timestamp":"2026-02-08T12:00:00Z","event":%s}' "$(uuid)" "$line" | publish; done <"$RUN_DIR/sent"
    cat "$RUN_DIR/sent" "$RUN_DIR/sent" >"$RUN_DIR/expected"
    for name in ws polling upgrade; do
        wait_for got "$name" 12
        events "$name" | diff "$RUN_DIR/expected" -
        [ "$(names "$name")" = "$(sed 's/.*"type":"\([^"]*\)".*/\1/' "$RUN_DIR/expected" | paste -sd' ')" ]
    done
}

@test "the event's name is its type, its one argument the event" {
    client one "$tenant"
    card "$tenant" | arda-publish
    wait_for got one 1
    [ "$(out one | jq -c 'select(.event == "card.transition") | [(.args | length), .args[0].type, .args[0].toStage]')" = '[1,"card.transition","triggered"]' ]
}

@test "1.2 MB in one event" {
    client ws "$tenant" --transports websocket
    client polling "$tenant" --transports polling
    { printf '{"type":"x","tenantId":"%s","s":"' "$tenant"; head -c 1200000 /dev/zero | tr '\0' 'a'; printf '"}'; } >"$RUN_DIR/big"
    publish <"$RUN_DIR/big"
    for name in ws polling; do
        wait_for got "$name" 1
        events "$name" | tr -d '\n' | cmp "$RUN_DIR/big" -
    done
}

@test "50 tenants, random events: each client sees its own, all of them, in order" {
    run node "$top_srcdir/tests/lib/tenants.js" "$GATEWAY_URL" 50 2 2000
    [ "$status" = 0 ]
    [ "$output" = "50 tenants, 100 clients, 2000 events, 4000 deliveries" ]
}

@test "notification.created reaches its user only, in order with the others" {
    ann=$(uuid) bob=$(uuid)
    CLIENT_USER=$ann client ann "$tenant" --transports websocket
    CLIENT_USER=$ann client ann2 "$tenant" --transports polling
    CLIENT_USER=$bob client bob "$tenant"
    for n in 1 2 3; do
        printf '{"type":"x","n":%s}' "$n" | publish
        printf '{"type":"notification.created","tenantId":"%s","userId":"%s","n":%s}' "$tenant" "$ann" "$n" | publish
    done
    printf '{"type":"end"}' | publish
    wait_for got ann 7
    wait_for got ann2 7
    wait_for got bob 4
    for name in ann ann2; do
        [ "$(names $name)" = \
            "x notification.created x notification.created x notification.created end" ]
    done
    [ "$(names bob)" = "x x x end" ]
}

@test "ids are understood however they are written: of a notification's user, of a loop, of an event" {
    arda-directory set loop "$tenant" loop-1
    CLIENT_USER=ann client ann "$tenant"
    CLIENT_USER=bob client bob "$tenant"
    printf '{"type":"notification.created","userId":"\\u0061n\\u006e","n":1}' | publish
    printf '{"type":"notification\\u002ecreated","userId":"ann","n":2}' | publish
    printf '{"type":"x","eventId":"\\u0065-1"}' | publish
    printf '{"type":"x","eventId":"e-1"}' | publish
    printf '{"type":"end"}' | publish
    wait_for got ann 4
    wait_for got bob 2
    [ "$(names ann)" = "notification.created notification.created x end" ]
    [ "$(names bob)" = "x end" ]
    # A loop that is not found is answered with an error.
    sid=$(curl -sS "$GATEWAY_URL/socket.io/?EIO=4&transport=polling" | sed 's/^0//' | jq -r .sid)
    poll="$GATEWAY_URL/socket.io/?EIO=4&transport=polling&sid=$sid"
    curl -sS --data-raw "40{\"token\":\"$(token "$tenant" ann)\"}" "$poll"
    curl -sS "$poll" | grep -q connected
    curl -sS --data-raw '42["subscribe:loop","\u006coop-1"]' "$poll"
    curl -sS --data-raw '42["ping"]' "$poll"
    run curl -sS "$poll"
    [[ "$output" == *'"pong"'* && "$output" != *'"error"'* ]]
}

@test "security events, reserved and control names are never forwarded" {
    client one "$tenant"
    for type in security.token.revoked connect connect_error disconnect disconnecting newListener removeListener \
        connected pong error; do
        printf '{"type":"%s"}' "$type" | publish
    done
    printf '{"type":"end"}' | publish
    wait_for got one 1
    [ "$(names one)" = end ]
}

@test "what is no event of the tenant is dropped, the next one is delivered; an id counts once" {
    client one "$tenant"
    id=$(uuid)
    for text in 'no json' '' '7' '[]' '{}' '{"type":7}' '{"type":"x","tenantId":"other"}' '{"event":{"tenantId":"other","type":"x"}}' \
        '{"type":"a"}' '{"type":"b","eventId":"'"$id"'"}' '{"type":"b","eventId":"'"$id"'"}' '{"id":"'"$id"'","event":{"type":"b"}}' '{"type":"end","tenantId":""}'; do
        printf '%s' "$text" | publish
    done
    wait_for got one 3
    [ "$(names one)" = "a b end" ]
}
