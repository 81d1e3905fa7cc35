#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Webhooks from the event to the receiver: what arrives, what is tried again, and what is not.

load ../lib/common.bash

setup_file() {
    need_node
    start_redis
    start_receiver
    start_deliverer notifyd --retry-schedule 0s,50ms,50ms
}
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid) user=$(uuid)
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

@test "one webhook for each person whose preference says so, signed by the specification" {
    local other
    other=$(uuid)
    load_users "$tenant" "$user" "$other"
    endpoint /ok/a
    wants_webhooks "$user"
    arda-publish card.transition tenantId="$tenant" cardId="$(uuid)" loopId="$(uuid)" fromStage=created \
        toStage=triggered method=scan note="Grüße 日本"
    wait_for ended "$tenant" delivered 1
    requests /ok/a >"$RUN_DIR/got"
    [ "$(wc -l <"$RUN_DIR/got")" = 1 ]
    [ "$(node "$top_srcdir/tests/lib/receiver.js" verify "$secret" <"$RUN_DIR/got")" = "$(deliveries "$tenant")" ]
    jq -r .body "$RUN_DIR/got" >"$RUN_DIR/body"
    [ "$(jq -c keys_unsorted "$RUN_DIR/body")" = '["type","timestamp","notification","event"]' ]
    [ "$(jq -r .type "$RUN_DIR/body")" = notification.created ]
    [ "$(jq -c .notification "$RUN_DIR/body")" = "$(rows "$tenant" "$user" | jq -c .)" ]
    jq -e --arg user "$user" '.notification.userId == $user and .notification.type == "card_triggered"
        and .event.fromStage == "created" and .event.note == "Grüße 日本"
        and .event.eventId == .notification.eventId' "$RUN_DIR/body"
    jq -e '.method == "POST" and .headers["content-type"] == "application/json"
        and (.headers["user-agent"] | startswith("Arda/"))' "$RUN_DIR/got"
    record "$(deliveries "$tenant")" >"$RUN_DIR/record"
    jq -e '.status == "delivered" and .attemptCount == "1" and .deliveredAt != null and .lastError == null
        and (.attempts | fromjson | length == 1 and .[0].status == 204 and .[0].durationMs >= 0)' "$RUN_DIR/record"
}

@test "a secret of somebody else does not verify; during a rotation both secrets do" {
    local new=whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4
    load_users "$tenant" "$user"
    endpoint /ok/b
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" delivered 1
    requests /ok/b >"$RUN_DIR/got"
    run ! node "$top_srcdir/tests/lib/receiver.js" verify "$new" <"$RUN_DIR/got"
    arda-directory set webhook "$tenant" "secret=$new" "previousSecret=$secret"
    trigger
    wait_for ended "$tenant" delivered 2
    requests /ok/b | tail -n 1 >"$RUN_DIR/got"
    node "$top_srcdir/tests/lib/receiver.js" verify "$new" <"$RUN_DIR/got"
    node "$top_srcdir/tests/lib/receiver.js" verify "$secret" <"$RUN_DIR/got"
    [ "$(jq -r '.headers["webhook-signature"] | split(" ") | length' "$RUN_DIR/got")" = 2 ]
}

@test "tried again with the same id and body: statuses, resets, connections that are closed" {
    load_users "$tenant" "$user"
    endpoint /500,reset,ok/c
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" delivered 1
    requests /500,reset,ok/c >"$RUN_DIR/got"
    [ "$(wc -l <"$RUN_DIR/got")" = 3 ]
    [ "$(jq -r '.headers["webhook-id"]' "$RUN_DIR/got" | sort -u)" = "$(deliveries "$tenant")" ]
    [ "$(jq -r .body "$RUN_DIR/got" | sort -u | wc -l)" = 1 ]
    record "$(deliveries "$tenant")" | jq -e '.attempts | fromjson | .[0].status == 500 and .[-1].status == 204'
}

@test "the schedule ends, and the delivery has failed" {
    load_users "$tenant" "$user"
    endpoint /500/d
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" failed 1
    [ "$(requests /500/d | wc -l)" = 3 ]
    record "$(deliveries "$tenant")" | jq -e '.lastError == "HTTP 500: status 500 \\u0007 of mine" and .attemptCount == "3"
        and .nextAttemptAt == null and .deliveredAt == null'
}

@test "final at once: 4xx and redirects, which are not followed" {
    local path
    for path in 400 401 404 redirect; do
        tenant=$(uuid)
        load_users "$tenant" "$user"
        endpoint "/$path/e$path"
        wants_webhooks "$user"
        trigger
        wait_for ended "$tenant" failed 1
        [ "$(requests "/$path/e$path" | wc -l)" = 1 ]
    done
    record "$(deliveries "$tenant")" | jq -e '.lastError == "HTTP 302, redirects are not followed"'
    [ -z "$(requests /ok/redirected)" ]
}

@test "408 and 425 are tried again; a huge body is not read, and not kept" {
    load_users "$tenant" "$user"
    endpoint /408,425,ok/f
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" delivered 1
    tenant=$(uuid)
    load_users "$tenant" "$user"
    endpoint /huge,ok/f
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" delivered 1
    [ "$(record "$(deliveries "$tenant")" | jq '.attempts | fromjson | .[0].text | length')" -lt 256 ]
}

@test "429 with Retry-After: not before, and one at a time after that" {
    local i
    load_users "$tenant" "$user"
    endpoint /busy,ok/g
    wants_webhooks "$user"
    trigger
    wait_for ended "$tenant" delivered 1
    requests /busy,ok/g >"$RUN_DIR/got"
    [ "$(jq -s '.[1].at - .[0].at >= 1000' "$RUN_DIR/got")" = true ]
    record "$(deliveries "$tenant")" | jq -e '.attempts | fromjson | map(.status) == [429, 204]'
}

@test "410 disables the webhook, and the tenant's users are told once" {
    load_users "$tenant" "$user"
    endpoint /410/h
    wants_webhooks "$user"
    arda-directory set preference "$tenant" '*' system_alert email enabled=false
    trigger
    wait_for ended "$tenant" failed 1
    wait_for has_rows "$tenant" "$user" 2
    [ "$(arda-directory get webhook "$tenant" | jq .enabled)" = false ]
    rows "$tenant" "$user" | jq -s -e 'map(select(.type == "system_alert")) | length == 1 and .[0].title == "Webhook disabled"
        and .[0].body == "Nothing more is sent to your webhook: it has answered 410 Gone."
        and .[0].metadata.reason == "it has answered 410 Gone"'
    wait_for is_empty arda:disabled
    # What comes now has no webhook any more; what was recorded before fails with that reason.
    trigger
    wait_for has_rows "$tenant" "$user" 3
    [ "$(deliveries "$tenant" | wc -l)" = 1 ]
    [ "$(requests /410/h | wc -l)" = 1 ]
    err_file notifyd | grep -F "the webhook of $tenant was disabled: HTTP 410"
}

@test "what waits for a webhook that is gone or disabled fails with that reason" {
    load_users "$tenant" "$user"
    endpoint /ok/i
    wants_webhooks "$user"
    waiting="$(uuid)"
    put_delivery "$waiting" $(($(date +%s%3N) + 600000))
    arda-directory set webhook "$tenant" enabled=false
    due_now "$waiting"
    wait_for ended "$tenant" failed 1
    record "$waiting" | jq -e '.lastError == "the tenant'"'"'s webhook is disabled" and .attemptCount == "0"'
    arda-directory rm webhook "$tenant"
    waiting="$(uuid)"
    put_delivery "$waiting" 1
    wait_for ended "$tenant" failed 2
    record "$waiting" | jq -e '.lastError == "the tenant has no webhook" and .notificationId == "n1"'
    [ -z "$(requests /ok/i)" ]
}

@test "ten failures in a row open the circuit, and what is left waits" {
    local i
    load_users "$tenant" "$user"
    endpoint /500/j
    wants_webhooks "$user"
    for i in 1 2 3 4 5 6; do trigger; done
    wait_for has_field "arda:endpoint:$tenant" openUntil
    wait_for has_rows "$tenant" "$user" 6
    [ "$(redis hget "arda:endpoint:$tenant" failures)" -ge 10 ]
    # Each would have been tried three times.
    [ "$(requests /500/j | wc -l)" -lt 18 ]
    [ "$(redis zcard "arda:due:$tenant:webhook")" -gt 0 ]
    [ "$(redis hget "arda:endpoint:$tenant" openUntil)" -gt $(($(date +%s%3N) + 30000)) ]
    [ "$(redis hget "arda:endpoint:$tenant" openFor)" = 60000 ]
}

@test "an open circuit keeps everything, and half open lets one through, then all" {
    local i now
    load_users "$tenant" "$user"
    endpoint /slow,ok/k
    wants_webhooks "$user"
    now=$(date +%s%3N)
    redis hset "arda:endpoint:$tenant" failures 10 openUntil $((now + 600000)) openFor 60000
    for i in 1 2 3 4 5; do trigger; done
    wait_for has_rows "$tenant" "$user" 5
    wait_for lane_is "$tenant" $((now + 600000))
    [ -z "$(requests /slow,ok/k)" ]
    redis hset "arda:endpoint:$tenant" openUntil 1
    redis zadd arda:due 1 "$tenant:webhook"
    wait_for ended "$tenant" delivered 5
    requests /slow,ok/k >"$RUN_DIR/got"
    # The second was sent when the first had been answered.
    [ "$(jq -s '.[1].at - .[0].at >= 290' "$RUN_DIR/got")" = true ]
    [ -z "$(redis hget "arda:endpoint:$tenant" openUntil)" ]
}
