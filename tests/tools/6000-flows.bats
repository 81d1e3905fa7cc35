#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The two diagrams of the catalog's section 9, from the services' events to the browser's, up to the
# notifications.

load ../lib/common.bash

setup_file() {
    start_redis
    start_gateway
}
teardown_file() { stop_all; }

setup() {
    need_node
    tenant=$(uuid) card=$(uuid) second_card=$(uuid) loop=$(uuid) order=$(uuid)
    client browser "$tenant"
    start log arda-subscribe "$tenant"
    wait_for subscribers "$tenant" 2
}
teardown() { stop_all; }

transition() { # CARD FROM TO METHOD
    arda-publish --source kanban card.transition tenantId="$tenant" loopId="$loop" \
        cardId="$1" fromStage="$2" toStage="$3" method="$4"
}

status_changed() { # FROM TO
    arda-publish --source orders order.status_changed tenantId="$tenant" orderType=purchase_order \
        orderId="$order" orderNumber=PO-0001 fromStatus="$1" toStatus="$2"
}

@test "Card Trigger to Order Creation" {
    # A scan on the shop floor: POST /scan/:id/trigger
    transition "$card" created triggered scan
    transition "$second_card" created triggered scan

    # The order queue makes one order of both: POST /queue/create-po
    arda-publish --source orders order.created tenantId="$tenant" orderType=purchase_order \
        orderId="$order" orderNumber=PO-0001 linkedCardIds="$card,$second_card"
    transition "$card" triggered ordered system
    transition "$second_card" triggered ordered system

    wait_for got browser 5
    [ "$(names browser)" = "card.transition card.transition order.created card.transition card.transition" ]
    events browser >"$RUN_DIR/seen"
    [ "$(jq -r 'select(.type == "card.transition") | .toStage' "$RUN_DIR/seen" | paste -sd' ')" = "triggered triggered ordered ordered" ]
    [ "$(jq -r 'select(.type == "order.created") | .linkedCardIds[]' "$RUN_DIR/seen" | paste -sd' ')" = "$card $second_card" ]

    # The log of arda-subscribe and the stream tell the same story.
    wait_for lines_of log 5
    out log | diff - "$RUN_DIR/seen"
    redis --raw xrange "arda:stream:$tenant" - + | sed -n '3~9p' | jq -c .event | diff - <(jq -c . "$RUN_DIR/seen")
}

@test "Purchase Order Lifecycle" {
    # POST /purchase-orders
    arda-publish --source orders order.created tenantId="$tenant" orderType=purchase_order \
        orderId="$order" orderNumber=PO-0001 linkedCardIds=
    # PATCH /:id/status
    status_changed draft sent
    # PATCH /:id/receive, twice
    status_changed sent partially_received
    status_changed partially_received received

    wait_for got browser 4
    [ "$(names browser)" = "order.created order.status_changed order.status_changed order.status_changed" ]
    [ "$(events browser | jq -r 'select(.toStatus) | .toStatus' | paste -sd' ')" = "sent partially_received received" ]
}
