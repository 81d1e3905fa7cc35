#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The two diagrams of the catalog's section 9 to their end: the notifications of each step, in the
# browser of the right user and no other.

load ../lib/common.bash

setup_file() {
    start_redis
    start_gateway
    start_notifyd
}
teardown_file() { stop_all; }

setup() {
    need_node
    tenant=$(uuid) stranger=$(uuid) card=$(uuid) second_card=$(uuid) loop=$(uuid) order=$(uuid)
    first=$(uuid) second=$(uuid) gone=$(uuid) foreign=$(uuid)
    load_users "$tenant" "$first" "$second" "$gone=false"
    load_users "$stranger" "$foreign"
    CLIENT_USER=$first client first "$tenant"
    CLIENT_USER=$second client second "$tenant"
    CLIENT_USER=$gone client gone "$tenant"
    CLIENT_USER=$foreign client foreign "$stranger"
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

created() {
    arda-publish --source orders order.created tenantId="$tenant" orderType=purchase_order \
        orderId="$order" orderNumber=PO-0001 linkedCardIds="$1"
}

# notified NAME: type and title of the notifications that came, in order.
notified() {
    events "$1" | jq -r 'select(.type == "notification.created") | .notificationType + ": " + .title' | paste -sd,
}
# to_others NAME: how many came that are for somebody else.
to_others() { events "$1" | jq -r 'select(.type == "notification.created") | .userId' | grep -cvx "$2"; }

# Everybody saw the tenant's N events; the active users their notifications too, and only theirs.
all_saw() { # N NOTIFICATIONS
    local name count
    count=$(awk -F, '{ print NF }' <<<"$2")
    for name in first second; do
        wait_for got "$name" $(($1 + count))
        [ "$(notified "$name")" = "$2" ]
        [ "$(to_others "$name" "${!name}")" = 0 ]
    done
    # What was published last has reached the others by now, behind anything that were not for them.
    arda-publish loop.parameters_changed tenantId="$tenant" loopId="$loop" changeType=manual reason=end
    wait_for got gone $(($1 + 1))
    [ "$(names gone | tr ' ' '\n' | grep -c notification.created)" = 0 ]
    arda-publish loop.parameters_changed tenantId="$stranger" loopId="$loop" changeType=manual reason=end
    wait_for got foreign 1
    [ "$(names foreign)" = loop.parameters_changed ]
}

@test "Card Trigger to Order Creation" {
    transition "$card" created triggered scan
    transition "$second_card" created triggered scan
    created "$card,$second_card"
    transition "$card" triggered ordered system
    transition "$second_card" triggered ordered system
    all_saw 5 "card_triggered: Kanban card moved to triggered,card_triggered: Kanban card moved to triggered,po_created: New purchase order created"
}

@test "Purchase Order Lifecycle" {
    created ""
    status_changed draft sent
    status_changed sent partially_received
    status_changed partially_received received
    all_saw 4 "po_created: New purchase order created,po_sent: Purchase order sent,po_received: Purchase order partially received,po_received: Purchase order received"
    # The inbox tells the same story, newest first.
    [ "$(redis zcard "arda:inbox:$tenant:$first")" = 4 ]
    [ "$(redis zcard "arda:inbox:$tenant:$gone")" = 0 ]
}
