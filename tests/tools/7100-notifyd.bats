#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# From events to notifications: the rows, who gets them, and what makes nothing.

load ../lib/common.bash

setup_file() {
    start_redis
    start_notifyd --no-deliver
}
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid) user=$(uuid) idle=$(uuid) order=$(uuid) card=$(uuid) loop=$(uuid)
    load_users "$tenant" "$user" "$idle=false"
}
teardown() { stop_all; }

# order_created TYPE
order_created() {
    arda-publish order.created tenantId="$tenant" orderType="$1" orderId="$order" \
        orderNumber=PO-1 linkedCardIds=
}

# status_changed TYPE FROM TO
status_changed() {
    arda-publish order.status_changed tenantId="$tenant" orderType="$1" orderId="$order" \
        orderNumber=PO-1 fromStatus="$2" toStatus="$3"
}

transition() { # TO
    arda-publish card.transition tenantId="$tenant" cardId="$card" loopId="$loop" \
        fromStage=created toStage="$1" method=scan userId="$idle"
}

# told TYPE TITLE: the user's inbox has exactly that, and the inactive one has nothing.
told() {
    wait_for has_rows "$tenant" "$user" 1
    rows "$tenant" "$user" >"$RUN_DIR/rows"
    [ "$(jq -r .type "$RUN_DIR/rows")" = "$1" ]
    [ "$(jq -r .title "$RUN_DIR/rows")" = "$2" ]
    [ "$(row_count "$tenant" "$idle")" = 0 ]
}

@test "card.transition to triggered, received, restocked: card_triggered" {
    local stage
    for stage in triggered received restocked; do
        tenant=$(uuid)
        load_users "$tenant" "$user" "$idle=false"
        transition "$stage"
        told card_triggered "Kanban card moved to $stage"
    done
    [ "$(jq -r .actionUrl "$RUN_DIR/rows")" = "/loops/$loop/cards/$card" ]
    [ "$(jq -c .metadata "$RUN_DIR/rows")" = "{\"cardId\":\"$card\",\"loopId\":\"$loop\",\"fromStage\":\"created\",\"toStage\":\"restocked\",\"method\":\"scan\",\"userId\":\"$idle\"}" ]
}

@test "order.created: po_created, for each type of order" {
    local type
    for type in purchase_order work_order transfer_order; do
        tenant=$(uuid)
        load_users "$tenant" "$user" "$idle=false"
        order_created "$type"
        told po_created "New ${type/_/ } created"
    done
    [ "$(jq -r .actionUrl "$RUN_DIR/rows")" = "/orders/$order" ]
}

@test "order.status_changed of a purchase order: sent" {
    status_changed purchase_order draft sent
    told po_sent "Purchase order sent"
}

@test "order.status_changed of a purchase order: received" {
    status_changed purchase_order sent received
    told po_received "Purchase order received"
}

@test "order.status_changed of a purchase order: partially received" {
    status_changed purchase_order sent partially_received
    told po_received "Purchase order partially received"
}

@test "order.status_changed of a purchase order: any other status" {
    status_changed purchase_order draft approved
    told system_alert "Purchase order status updated"
}

@test "order.status_changed of a work order" {
    status_changed work_order draft received
    told wo_status_change "Work order status updated"
}

@test "order.status_changed of a transfer order" {
    status_changed transfer_order draft sent
    told transfer_status_change "Transfer order status updated"
}

@test "relowisa.recommendation" {
    arda-publish relowisa.recommendation tenantId="$tenant" loopId="$loop" \
        recommendationId="$(uuid)" confidenceScore=80
    told relowisa_recommendation "New ReLoWiSa recommendation"
    [ "$(jq -r .actionUrl "$RUN_DIR/rows")" = "/loops/$loop" ]
}

@test "a row has its members in order, and its event on both channels" {
    start global arda-subscribe --global
    start own arda-subscribe "$tenant"
    wait_for subscribers global 2
    wait_for subscribers "$tenant" 1
    transition triggered
    told card_triggered "Kanban card moved to triggered"
    [ "$(jq -r 'keys_unsorted | join(" ")' "$RUN_DIR/rows")" = "id tenantId userId type title body actionUrl metadata createdAt eventId" ]
    wait_for lines_of own 2
    wait_for out_has global '"notification.created"'
    out own | jq -c 'select(.type == "notification.created")' >"$RUN_DIR/created"
    [ "$(wc -l <"$RUN_DIR/created")" = 1 ]
    out global | jq -c 'select(.type == "notification.created")' | diff - "$RUN_DIR/created"
    [ "$(jq -r .notificationId "$RUN_DIR/created")" = "$(jq -r .id "$RUN_DIR/rows")" ]
    [ "$(jq -r .correlationId "$RUN_DIR/created")" = "$(jq -r .eventId "$RUN_DIR/rows")" ]
    [ "$(jq -r .eventId "$RUN_DIR/created")" != "$(jq -r .correlationId "$RUN_DIR/created")" ]
    [ "$(jq -r '.userId + " " + .notificationType + " " + .title' "$RUN_DIR/created")" = "$user card_triggered Kanban card moved to triggered" ]
    # The stream has the cause alone.
    [ "$(redis xlen "arda:stream:$tenant")" = 1 ]
}

@test "what makes nothing, makes nothing" {
    local before
    before=$(metric 'arda_notifyd_events_skipped_total{cause="order_type"}')
    transition created
    transition ordered
    transition in_transit
    arda-publish loop.parameters_changed tenantId="$tenant" loopId="$loop" changeType=manual reason=x
    publish_text "$tenant" '{"type":"order.created","tenantId":"'"$tenant"'","orderType":"sales_order","orderId":"o1","timestamp":"2026-02-08T12:00:00Z"}'
    publish_text "$tenant" '{"type":"order.status_changed","tenantId":"'"$tenant"'","orderId":"o1","timestamp":"2026-02-08T12:00:01Z"}'
    publish_text "$tenant" '{"type":"somebody.elses","tenantId":"'"$tenant"'"}'
    publish_text "$tenant" '{"type":"notification.created","tenantId":"'"$tenant"'","userId":"u","notificationId":"n","notificationType":"po_sent","title":"x"}'
    transition triggered # behind all of them
    told card_triggered "Kanban card moved to triggered"
    [ "$(redis xlen "arda:stream:$tenant")" = 9 ]
    wait_for all_acked "$tenant"
    [ "$(($(metric 'arda_notifyd_events_skipped_total{cause="order_type"}') - before))" = 2 ]
    [ "$(row_count "$tenant" "$user")" = 1 ]
}

@test "preferences: the user's, the tenant's, the catalog's" {
    local other
    other=$(uuid)
    load_users "$tenant" "$other"
    arda-directory load <<<"{\"kind\":\"preference\",\"tenantId\":\"$tenant\",\"userId\":null,\"notificationType\":\"po_created\",\"channel\":\"in_app\",\"enabled\":false}
{\"kind\":\"preference\",\"tenantId\":\"$tenant\",\"userId\":\"$user\",\"notificationType\":\"po_created\",\"channel\":\"in_app\",\"enabled\":true}
{\"kind\":\"preference\",\"tenantId\":\"$tenant\",\"userId\":\"$user\",\"notificationType\":\"po_created\",\"channel\":\"email\",\"enabled\":false}"
    order_created purchase_order
    told po_created "New purchase order created"
    [ "$(row_count "$tenant" "$other")" = 0 ]
    # The other one's e-mail goes out under the id that the row would have had.
    [ "$(redis zcard "arda:deliveries:$tenant")" = 1 ]
    delivery=arda:delivery:$tenant:$(redis zrange "arda:deliveries:$tenant" 0 0)
    [ "$(redis hget "$delivery" userId) $(redis hget "$delivery" channel) $(redis hget "$delivery" status)" = "$other email pending" ]
    event=$(jq -r .eventId "$RUN_DIR/rows")
    id=$(redis --raw xrange "arda:stream:$tenant" - + | sed -n 3p | arda-notifyd --explain |
        jq -r 'select(.userId == "'"$other"'" and .channel == "email") | .notificationId')
    [ "$(redis hget "$delivery" notificationId)" = "$id" ]
    [ "$(redis hget "$delivery" cause)" = "$event" ]
}

@test "what load has returned from is known at the next event" {
    local i one
    transition triggered
    told card_triggered "Kanban card moved to triggered"
    for i in 1 2 3 4 5; do
        one=$(uuid)
        load_users "$tenant" "$one"
        transition received
        wait_for has_rows "$tenant" "$one" 1
    done
    [ "$(row_count "$tenant" "$user")" = 6 ]
    arda-directory set user "$tenant" "$user" active=false
    transition restocked
    wait_for has_rows "$tenant" "$one" 2
    [ "$(row_count "$tenant" "$user")" = 6 ]
}

@test "a bare publisher's event, in no stream, is taken from the channel" {
    redis publish arda:events:global "$(card "$tenant")" >/dev/null
    told card_triggered "Kanban card moved to triggered"
    [ "$(jq -r .eventId "$RUN_DIR/rows")" = null ]
    [ "$(redis exists "arda:stream:$tenant")" = 0 ]
}

@test "the same event twice, with and without an id, counts once" {
    local text with
    text=$(card "$tenant")
    with=$(card "$tenant" received | jq -c ". + {eventId: \"$(uuid)\"}")
    publish_text "$tenant" "$text"
    publish_text "$tenant" "$text"
    publish_text "$tenant" "$with"
    redis publish arda:events:global "$text" >/dev/null
    redis publish arda:events:global "$with" >/dev/null
    publish_text "$tenant" "$with"
    transition restocked
    wait_for has_rows "$tenant" "$user" 3
    wait_for all_acked "$tenant"
    [ "$(row_count "$tenant" "$user")" = 3 ]
}

@test "envelopes as services of TypeScript publish them, an empty id too" {
    local event id
    event=$(card "$tenant")
    id=$(uuid)
    publish_text "$tenant" "{\"id\":\"$id\",\"schemaVersion\":1,\"source\":\"kanban\",\"timestamp\":\"2026-02-08T12:00:00.000Z\",\"event\":$event}"
    event=$(card "$tenant" received)
    publish_text "$tenant" "{\"id\":\"\",\"schemaVersion\":1,\"source\":\"kanban\",\"timestamp\":\"2026-02-08T12:00:00.000Z\",\"event\":$event}"
    wait_for has_rows "$tenant" "$user" 2
    wait_for all_acked "$tenant"
    [ "$(row_count "$tenant" "$user")" = 2 ]
    [ "$(rows "$tenant" "$user" | jq -r 'select(.title | endswith("triggered")) | .eventId')" = "$id" ]
    [ "$(rows "$tenant" "$user" | jq -r 'select(.title | endswith("received")) | .eventId')" = null ]
}

@test "a tenant of 1,200 users: each is told once" {
    local i
    for ((i = 0; i < 1200; i++)); do
        printf '{"kind":"user","tenantId":"%s","userId":"u%d","email":"u%d@arda.example","active":true,"name":"U"}\n' \
            "$tenant" "$i" "$i"
    done | arda-directory load -q
    transition triggered
    wait_for all_acked "$tenant"
    wait_for has_rows "$tenant" u999 1
    for ((i = 0; i < 1200; i += 37)); do
        [ "$(row_count "$tenant" "u$i")" = 1 ]
    done
    [ "$(redis --scan --pattern "arda:inbox:$tenant:*" | wc -l)" = 1201 ]
    [ "$(redis --scan --pattern "arda:progress:$tenant:*" | wc -l)" = 0 ]
}

# crowd PREFIX: the inbox of the user has 10,400 rows.
crowd() {
    redis eval "for i = 1, 10400 do
        redis.call('ZADD', KEYS[1], i, 'n' .. i) redis.call('HSET', KEYS[2], 'n' .. i, '{}')
    end" 2 "$1:inbox:$tenant:$user" "$1:rows:$tenant:$user"
}

@test "retention: 10,000 of each user unless told otherwise" {
    local prefix
    start_notifyd plain --prefix r2
    start_notifyd aged --prefix r3 --retain 36500d
    start_notifyd none --prefix r4 --retain none
    start_notifyd agednone --prefix r5 --retain 36500d,none
    for prefix in r2 r3 r4 r5; do
        PREFIX=$prefix load_users "$tenant" "$user"
        crowd "$prefix"
        arda-publish --prefix "$prefix" card.transition tenantId="$tenant" cardId="$card" loopId="$loop" \
            fromStage=created toStage=triggered method=scan
        PREFIX=$prefix wait_for all_acked "$tenant"
        case $prefix in
            r2 | r3) [ "$(redis zcard "$prefix:inbox:$tenant:$user")" = 10000 ] ;;
            *) [ "$(redis zcard "$prefix:inbox:$tenant:$user")" = 10401 ] ;;
        esac
    done
}

@test "retention by count and by age" {
    start_notifyd retain --prefix r1 --retain 90d,2
    PREFIX=r1 load_users "$tenant" "$user"
    for i in triggered received restocked; do
        arda-publish --prefix r1 card.transition tenantId="$tenant" cardId="$card" loopId="$loop" \
            fromStage=created toStage="$i" method=scan
    done
    PREFIX=r1 wait_for all_acked "$tenant"
    [ "$(redis zcard "r1:inbox:$tenant:$user")" = 2 ]
    [ "$(redis hlen "r1:rows:$tenant:$user")" = 2 ]
    [ "$(PREFIX=r1 rows "$tenant" "$user" | jq -r .title | sort | paste -sd,)" = "Kanban card moved to received,Kanban card moved to restocked" ]
}
