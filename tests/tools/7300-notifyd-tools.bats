#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What notifyd prints: the rules, explanations, a dry run, each row; its pages; bad usage.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }

setup() {
    export PREFIX="p$BATS_TEST_NUMBER"
    export ARDA_PREFIX=$PREFIX
    tenant=$(uuid) user=$(uuid) idle=$(uuid)
    load_users "$tenant" "$user" "$idle=false"
}
teardown() { stop_all; }

names_of() { redis --scan --pattern "$PREFIX:*" | sort; }

@test "--rules prints the nine rows, for a person and as JSON" {
    run -0 arda-notifyd --rules
    [[ $output == *"Kanban card moved to {stage}"* ]]
    run -0 arda-notifyd --rules --json
    [ "${#lines[@]}" = 9 ]
    [ "$(jq -r .title <<<"$output" | paste -sd,)" = "Kanban card moved to {stage},New {orderType} created,Purchase order sent,Purchase order received,Purchase order partially received,Purchase order status updated,Work order status updated,Transfer order status updated,New ReLoWiSa recommendation" ]
}

@test "--explain says for each user and channel what would happen and why" {
    local event
    arda-directory load -q <<<"{\"kind\":\"preference\",\"tenantId\":\"$tenant\",\"userId\":\"$user\",\"notificationType\":\"po_created\",\"channel\":\"email\",\"enabled\":false}
{\"kind\":\"preference\",\"tenantId\":\"$tenant\",\"userId\":null,\"notificationType\":\"po_created\",\"channel\":\"webhook\",\"enabled\":true}"
    names_of >"$RUN_DIR/before"
    event="{\"type\":\"order.created\",\"tenantId\":\"$tenant\",\"eventId\":\"$(uuid)\",\"orderType\":\"purchase_order\",\"orderId\":\"o1\",\"orderNumber\":\"PO-1\",\"linkedCardIds\":[],\"timestamp\":\"2026-02-08T12:00:00Z\"}"
    arda-notifyd --explain <<<"$event" >"$RUN_DIR/said"
    names_of | diff "$RUN_DIR/before" -
    [ "$(wc -l <"$RUN_DIR/said")" = 7 ]
    [ "$(head -n 1 "$RUN_DIR/said" | jq -r '.rule + "|" + .notificationType + "|" + .title')" = "order.created|po_created|New purchase order created" ]
    said() { jq -r "select(.userId == \"$1\" and .channel == \"$2\") | \"\\(.goes) \\(.because) \\(.address)\"" "$RUN_DIR/said"; }
    [ "$(said "$user" in_app)" = "true the catalog's default $user" ]
    [ "$(said "$user" email)" = "false the user's preference $user@arda.example" ]
    [ "$(said "$user" webhook)" = "false no webhook that is enabled null" ]
    [ "$(said "$idle" in_app)" = "false the user is not active $idle" ]
    redis hset "$PREFIX:users:$tenant" dot '{"email":"dot.@acme.example","active":true}' >/dev/null
    [ "$(arda-notifyd --explain <<<"$event" | jq -r 'select(.userId == "dot" and .channel == "email") | "\(.goes) \(.because)"')" = "false e-mail cannot be sent to this address" ]
    redis hdel "$PREFIX:users:$tenant" dot >/dev/null
    # The ids are those that will be made.
    start_notifyd
    arda-publish -q --loose-ids <<<"$event"
    wait_for has_rows "$tenant" "$user" 1
    [ "$(rows "$tenant" "$user" | jq -r .id)" = "$(jq -r "select(.userId == \"$user\" and .channel == \"in_app\") | .notificationId" "$RUN_DIR/said")" ]
}

@test "--explain of events that make nothing, and of what is no event" {
    run -65 --separate-stderr arda-notifyd --explain <<EOF
$(card "$tenant" ordered)

{"type":"order.created","tenantId":"$tenant","orderType":"sales_order"}
{"type":
{"type":"card.transition"}
EOF
    [ "${#lines[@]}" = 2 ]
    [ "$(jq -r .because <<<"$output" | paste -sd,)" = "no rule for it,an order type that is not known" ]
    [[ $stderr == *"line 4: not JSON"* ]]
    [[ $stderr == *'line 5: no "tenantId"'* ]]
}

@test "--explain and --redrive without Redis say so" {
    run -69 arda-notifyd --explain --redis redis://127.0.0.1:1 <<<"$(card "$tenant")"
    [[ $output == *"Connection refused"* ]]
    run -69 arda-notifyd --redrive --redis redis://127.0.0.1:1
}

# letter TENANT: a dead letter, an event that makes notifications.
letter() {
    redis xadd "$PREFIX:notifyd:dead" '*' reason r tenantId "$1" streamId 1-1 envelope "$(card "$1")" >/dev/null
}

@test "--redrive: a letter that is refused again stays, the others are processed, and it ends" {
    local spoiled blind
    spoiled=$(uuid) blind=$(uuid)
    load_users "$spoiled" "$user"
    redis set "$PREFIX:inbox:$spoiled:$user" "no inbox" >/dev/null
    redis set "$PREFIX:users:$blind" "no users" >/dev/null
    letter "$spoiled"
    letter "$blind"
    letter "$tenant"
    run -1 timeout 20 arda-notifyd --redrive
    [[ $output == *"letter "*" stays: "*WRONGTYPE* ]]
    [[ $output == *"3 dead letters: 1 processed, 2 stay"* ]]
    [ "$(row_count "$tenant" "$user")" = 1 ]
    [ "$(redis xlen "$PREFIX:notifyd:dead")" = 2 ]
    # The last page has nothing but such a letter.
    run -1 timeout 20 arda-notifyd --redrive "tenant=$spoiled"
    [[ $output == *"1 dead letters: 0 processed, 1 stay"* ]]
}

@test "--redrive: what Redis does not take just now leaves the letter, and it ends" {
    letter "$tenant"
    redis config set maxmemory 1 >/dev/null
    run -1 timeout 20 arda-notifyd --redrive
    redis config set maxmemory 0 >/dev/null
    [[ $output == *" stays: "*OOM* ]]
    [ "$(redis xlen "$PREFIX:notifyd:dead")" = 1 ]
    run -0 timeout 20 arda-notifyd --redrive
    [ "$(row_count "$tenant" "$user")" = 1 ]
}

@test "--dry-run prints what would become of events, and leaves no trace" {
    start dry arda-notifyd --dry-run
    wait_for err_has dry ready
    names_of >"$RUN_DIR/before"
    card "$tenant" | arda-publish -q
    card "$tenant" ordered | arda-publish -q
    redis publish "$PREFIX:events:global" "$(card "$tenant" received)" >/dev/null
    wait_for lines_of dry 9
    [ "$(out dry | jq -r 'select(.title) | .title' | sort | paste -sd,)" = "Kanban card moved to received,Kanban card moved to triggered" ]
    [ "$(out dry | jq -r 'select(.goes) | .userId' | sort -u)" = "$user" ]
    stop dry
    [ "$status" = 0 ]
    names_of | grep -v ":stream:" | diff <(grep -v ":stream:" "$RUN_DIR/before") -
    [[ $(redis xinfo consumers "$PREFIX:stream:$tenant" notifyd) == *NOGROUP* ]]
}

@test "--print writes each new row once" {
    start_notifyd one --print
    card "$tenant" | arda-publish -q
    card "$tenant" received | arda-publish -q
    wait_for lines_of one 2
    [ "$(out one | head -n 1 | jq -r 'keys_unsorted | join(" ")')" = "id tenantId userId type title body isRead readAt actionUrl metadata createdAt eventId" ]
    [ "$(out one | jq -r .id | sort | paste -sd,)" = "$(rows "$tenant" "$user" | jq -r .id | sort | paste -sd,)" ]
    stop one
    [ "$status" = 0 ]
}

# Opened for both, a pipe exists without a reader who reads.
start_to_pipe() {
    "$@" >"$RUN_DIR/pipe" 2>"$RUN_DIR/stuck.err" 3>&- 7>&- 9>&- &
    echo $! >"$RUN_DIR/stuck.pid"
}

@test "--print: when nobody reads, events wait; when the reader goes, the daemon ends" {
    local i
    mkfifo "$RUN_DIR/pipe"
    for ((i = 0; i < 40; i++)); do
        printf '{"kind":"user","tenantId":"%s","userId":"u%d","email":"u@arda.example","active":true,"name":"U"}\n' "$tenant" "$i"
    done | arda-directory load -q
    exec 7<>"$RUN_DIR/pipe"
    start_to_pipe arda-notifyd --print --admin 127.0.0.1:0
    wait_for ready_or_gone stuck
    NOTIFYD_ADMIN=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/stuck.err")
    for ((i = 0; i < 400; i++)); do card "$tenant" triggered fixed; done |
        sed '=' | sed 'N; s/^\(.*\)\n\(.*\)}$/\2,"n":\1}/' >"$RUN_DIR/cards"
    arda-publish -q --loose-ids <"$RUN_DIR/cards"
    wait_for err_has stuck "standard output is not read"
    [ "$(curl -s "$NOTIFYD_ADMIN/readyz" | jq -r .reason)" = "standard output is not read" ]
    # It goes on when somebody reads.
    start reader head -n 16400 "$RUN_DIR/pipe"
    join reader
    [ "$(out reader | jq -r .id | sort -u | wc -l)" = 16400 ]
    wait_for all_acked "$tenant"
    exec 7>&-
    card "$tenant" | arda-publish -q
    wait_for err_has stuck "cannot write"
    join stuck
    [ "$status" = 74 ]
}

@test "the pages: healthz, readyz, metrics" {
    start_notifyd
    [ "$(curl -s "$NOTIFYD_ADMIN/healthz")" = '{"healthy":true}' ]
    [ "$(curl -s "$NOTIFYD_ADMIN/readyz")" = '{"ready":true}' ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$NOTIFYD_ADMIN/nothing")" = 404 ]
    card "$tenant" | arda-publish -q
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
    [ "$(metric arda_notifyd_notifications_total)" = 1 ]
    [ "$(metric arda_notifyd_redis_up)" = 1 ]
    need_node
    curl -s "$NOTIFYD_ADMIN/metrics" | node "$top_srcdir/tests/lib/openmetrics.js" >"$RUN_DIR/metrics"
    # Each of them, and nothing else, is in the manual.
    jq -r '.[].name' "$RUN_DIR/metrics" | sort >"$RUN_DIR/names"
    sed -n '/^\.Sh METRICS/,/^\.Sh ENVIRONMENT/s/^\.It Sy \([a-z_]*\) .*/\1/p' "$top_srcdir/man/arda-notifyd.1" | sort | diff "$RUN_DIR/names" -
}

@test "bad usage" {
    run -64 arda-notifyd --retain x
    [[ $output == *"--retain: "* ]]
    run -64 arda-notifyd --retain 90d,0
    run -64 arda-notifyd --since nonsense
    [[ $output == *"--since: "* ]]
    run -64 arda-notifyd --since "$(uuid)"
    [[ $output == *"which all tenants have in common"* ]]
    run -64 arda-notifyd --explain --redrive
    run -64 arda-notifyd something
    run -64 arda-notifyd --admin nonsense
}

@test "reading the directory again at SIGHUP, and SIGTERM ends in order" {
    start_notifyd
    card "$tenant" | arda-publish -q
    wait_for has_rows "$tenant" "$user" 1
    kill -HUP "$(pid_of notifyd)"
    wait_for err_has notifyd "reading the directory again"
    card "$tenant" | arda-publish -q
    wait_for has_rows "$tenant" "$user" 2
    wait_for all_acked "$tenant"
    [ "$(metric arda_notifyd_directory_reads_total)" = 2 ]
    stop notifyd
    [ "$status" = 0 ]
    err_has notifyd "2 events handled: 2 notifications, 0 deliveries"
}
