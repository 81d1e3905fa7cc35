#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-deliveries: what goes out, listed, counted, explained, and redriven. Records are those of a
# daemon, which fails to deliver some of them.

load ../lib/common.bash

setup_file() {
    need_node
    start_redis
    start_receiver
    start_deliverer notifyd --retry-schedule 0s,50ms
}
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid) user=$(uuid)
    export DELIVERIES_TENANT=$tenant
    preset arda-deliveries --tenant DELIVERIES_TENANT
    load_users "$tenant" "$user"
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

# fails [N]: N webhooks of $user that have failed for good, for answers of 500.
fails() {
    local i
    endpoint "/500/$user"
    wants_webhooks "$user"
    for i in $(seq "${1:-1}"); do trigger; done
    wait_for ended "$tenant" failed "${1:-1}"
}
repair() { endpoint "/ok/$user"; }
said() { jq -r "$1" "$RUN_DIR/said"; }
# explained [OPTION]...: as JSON, in said.
explained() { arda-deliveries explain --json "$@" >"$RUN_DIR/said"; }

@test "of all tenants: one that cannot be read is named, the others are listed and counted" {
    load_users "zz-$tenant" "$user"
    for one in "$tenant" "zz-$tenant"; do
        redis hset "arda:delivery:$one:d1" id d1 tenantId "$one" channel email status failed >/dev/null
        redis zadd "arda:deliveries:$one" 1 d1 >/dev/null
    done
    load_users "a-$tenant" "$user"
    redis set "arda:deliveries:a-$tenant" x >/dev/null
    for command in list count; do
        DELIVERIES_TENANT='' run --separate-stderr arda-deliveries "$command" --json
        [ "$status" = 70 ]
        [[ "${stderr_lines[0]}" == "arda-deliveries: tenant a-$tenant: "*WRONGTYPE* ]]
        [ "${#stderr_lines[@]}" = 1 ]
        [ $command = count ] || [ "$(jq -r .tenantId <<<"$output" | grep -c -e "^$tenant" -e "^zz-$tenant")" = 2 ]
        [ $command = list ] || [ "$(jq .failed <<<"$output")" -ge 2 ]
    done
    redis del "arda:deliveries:a-$tenant" >/dev/null
    DELIVERIES_TENANT='' run -0 --separate-stderr arda-deliveries list
}

@test "a list, newest first, for a person and as JSON" {
    local id
    fails 2
    arda-deliveries list --json >"$RUN_DIR/said"
    [ "$(said .id | sort)" = "$(deliveries "$tenant" | sort)" ]
    [ "$(said .createdAt | sort -r)" = "$(said .createdAt)" ]
    [ "$(head -n 1 "$RUN_DIR/said" | jq -c keys_unsorted)" = '["id","tenantId","notificationId","userId","channel","type","status","attemptCount","lastAttemptAt","lastError","deliveredAt","nextAttemptAt","leasedUntil","obstacle","heldUntil","createdAt","updatedAt","digestId","items","attempts","notification","cause"]' ]
    jq -es --arg user "$user" 'all(.userId == $user and .channel == "webhook" and .status == "failed"
        and .attemptCount == 2 and .attempts[1].status == 500 and .nextAttemptAt == null
        and .notification.type == .type and .notification.id == .notificationId)' "$RUN_DIR/said"
    id=$(head -n 1 "$RUN_DIR/said" | jq -r .id)
    run -0 arda-deliveries list --limit 1
    [[ $output == *"  $id  $user  webhook  failed      2  "* ]]
    [ "${#lines[@]}" = 1 ]
    arda-deliveries show "$id" | diff <(head -n 1 "$RUN_DIR/said") -
    run -0 env -u DELIVERIES_TENANT arda-deliveries show "$id"
    diff <(head -n 1 "$RUN_DIR/said") - <<<"$output"
}

@test "filters, and what matches nothing" {
    local event
    fails
    event=$(arda-deliveries list --json | jq -r .cause)
    one() { run -0 arda-deliveries list "$@" && [ "${#lines[@]}" = 1 ]; }
    one --failed --channel webhook --type card_triggered --user "$user" --event "$event" --since -10m
    one --status sent,failed --notification "$(arda-deliveries list --json | jq -r .notificationId)"
    for option in --user=zoe --channel=email --type=po_created --event=e2 --status=pending --until=-10m --since=+1m \
        --notification=n2 --tenant=nobody; do
        run -1 arda-deliveries list "$option"
        [ -z "$output" ]
    done
}

@test "counts, by status and of a filter" {
    fails 2
    run -0 arda-deliveries count
    [ "$output" = "pending   0
sent      0
delivered 0
failed    2
bounced   0" ]
    [ "$(arda-deliveries count --failed)" = 2 ]
    [ "$(arda-deliveries count --user zoe --failed)" = 0 ]
    [ "$(arda-deliveries count --json)" = '{"pending":0,"sent":0,"delivered":0,"failed":2,"bounced":0,"unattended":0}' ]
    [ "$(env -u DELIVERIES_TENANT arda-deliveries count --failed --user "$user")" = 2 ]
}

@test "dead letters are redriven, and arrive under the id they have had" {
    local id
    fails 2
    id=$(deliveries "$tenant" | head -n 1)
    repair
    run -0 arda-deliveries redrive --failed --dry-run
    [ "${#lines[@]}" = 2 ]
    [ "$(arda-deliveries count --failed)" = 2 ]
    run -0 arda-deliveries redrive --failed
    [ "$output" = "2 redriven" ]
    wait_for ended "$tenant" delivered 2
    [ "$(requests "/ok/$user" | jq -r '.headers["webhook-id"]' | sort)" = "$(deliveries "$tenant" | sort)" ]
    arda-deliveries show "$id" | jq -e '.attemptCount == 1 and .lastError == null
        and ([.attempts[].status] == [500, 500, 204])'
    run -1 arda-deliveries redrive --failed
    [ "$output" = "0 redriven" ]
}

@test "those that are named are redriven, of any tenant, from standard input too" {
    local ids
    fails 2
    repair
    mapfile -t ids < <(deliveries "$tenant")
    run -1 --separate-stderr arda-deliveries redrive "${ids[0]}" nobody
    [ "$output" = "1 redriven" ]
    [ "$stderr" = "arda-deliveries: nobody: there is no such delivery" ]
    wait_for ended "$tenant" delivered 1
    run -0 env -u DELIVERIES_TENANT arda-deliveries redrive --json - <<<"${ids[1]}"
    [ "$output" = '{"redriven":1,"underWay":0}' ]
    wait_for ended "$tenant" delivered 2
    run -1 arda-deliveries redrive - </dev/null
}

@test "a pending delivery is tried now, unless that is under way" {
    local id far
    id=$(uuid)
    far=$(($(date +%s%3N) + 3600000))
    endpoint "/ok/$user"
    put_delivery "$id" "$far"
    redis hset "arda:delivery:$tenant:$id" lease l1 >/dev/null
    run -1 --separate-stderr arda-deliveries redrive "$id"
    [ "$output:$stderr" = "0 redriven:arda-deliveries: $id: it is being attempted just now" ]
    arda-deliveries show "$id" | jq -e '.leasedUntil != null and .nextAttemptAt == null'
    redis hdel "arda:delivery:$tenant:$id" lease >/dev/null
    arda-deliveries redrive "$id"
    wait_for ended "$tenant" delivered 1
}

@test "explain: each attempt, and the way to it" {
    local id
    fails
    id=$(deliveries "$tenant")
    run -0 env -u DELIVERIES_TENANT arda-deliveries explain "$id"
    [[ $output == *"user      $user"*"card.transition"*"rule      card.transition"*"notified  "*"type      card_triggered"* ]]
    [[ $output == *"in_app    on (the catalog's default), in the inbox"* ]]
    [[ $output == *"email     off (the catalog's default), to $user@arda.example"* ]]
    [[ $output == *"webhook   on (the user's preference), to 127.0.0.1, enabled"*"  $id  failed, 2 attempts"*"  500  "*" ms)"* ]]
    [[ $output != *"$secret"* && $output != */500/* ]]
    explained "$id"
    [ "$(said '.channels[2].deliveries[0].id')" = "$id" ]
    explained --user "$user" --event "$(said .event)"
    [ "$(said '.channels[2].deliveries[0].id')" = "$id" ]
    explained --user "$user" "$(said .notificationId)"
    [ "$(said '.channels[2].deliveries[0].id')" = "$id" ]
    explained --user "$user" --type card_triggered
    [ "$(said '.channels[2].deliveries | length')" = 1 ]
}

# obstacle CHANNEL [TYPE]
obstacle() {
    explained --user "${2:-$user}" --type "${3:-exception_alert}"
    said ".channels[] | select(.channel == \"$1\") | .obstacle"
}

@test "explain: why there is nothing" {
    [ "$(obstacle webhook)" = "the tenant has no webhook" ]
    endpoint /ok/x
    arda-directory set webhook "$tenant" enabled=false
    [ "$(obstacle webhook)" = "the webhook is disabled" ]
    [ "$(obstacle email zoe)" = "there is no such user" ]
    arda-directory set preference "$tenant" "$user" exception_alert email enabled=false
    [ "$(obstacle email)" = "the channel is off" ]
    [ "$(said '.channels[1].because')" = "the user's preference" ]
    arda-directory set user "$tenant" bob active=true
    [ "$(obstacle email bob)" = "no e-mail address" ]
    arda-directory set user "$tenant" bob active=false
    [ "$(obstacle in_app bob)" = "the user is not active" ]
    redis sadd arda:shadows "$tenant" >/dev/null
    [ "$(obstacle email "$user" po_created)" = "nothing goes out for a shadow tenant" ]
}

@test "explain: an address that was stored before it was checked, and cannot be sent to" {
    redis hset "arda:users:$tenant" "$user" '{"email":"dot.@acme.example","active":true}' >/dev/null
    run -0 arda-deliveries explain --user "$user" --type po_created
    [[ $output == *"email     on "*", to dot.@acme.example: e-mail cannot be sent to this address"* ]]
}

@test "explain: an event that makes nothing, one that made no delivery, and one that nobody knows" {
    local event
    event=$(uuid)
    card "$tenant" ordered | with_id "$event" | arda-publish
    explained --user "$user" --event "$event"
    [ "$(said .rule)" = null ]
    [ "$(said .eventType)" = card.transition ]
    run -0 arda-deliveries explain --user "$user" --event "$event"
    [[ $output == *"no delivery: the event makes no notification"* ]]
    event=$(uuid)
    card "$tenant" | with_id "$event" | arda-publish
    wait_for has_rows "$tenant" "$user" 1
    explained --user "$user" --event "$event"
    [ "$(said '"\(.type) \(.inInbox)"')" = "card_triggered true" ]
    [ "$(said .notificationId)" = "$(rows "$tenant" "$user" | jq -r .id)" ]
    [ "$(said '.channels[1].obstacle')" = "the channel is off" ]
    run -0 arda-deliveries explain --user "$user" --event "$(uuid)"
    [[ $output == *"no delivery: no such event is known"* ]]
}
with_id() { jq -c --arg id "$1" '.eventId = $id'; }

@test "explain: quiet hours and digests, the most exact line" {
    arda-directory load -q <<EOF
{"kind":"digest","tenantId":"$tenant","userId":null,"notificationType":null,"schedule":"hourly"}
{"kind":"digest","tenantId":"$tenant","userId":"$user","notificationType":null,"schedule":"daily@08:00"}
{"kind":"quiet","tenantId":"$tenant","userId":"$user","from":"22:00","to":"07:00"}
{"kind":"quiet","tenantId":"$tenant","userId":null,"from":"01:00","to":"02:00"}
EOF
    explained --user "$user" --type po_created
    [ "$(said '.channels[1] | "\(.digest) \(.quiet)"')" = "daily@08:00 22:00-07:00" ]
    run -0 arda-deliveries explain --user "$user" --type po_created
    [[ $output == *"email     on (the catalog's default), to $user@arda.example, digest daily@08:00, quiet hours 22:00-07:00"* ]]
}

is_disabled() { arda-deliveries endpoint | grep -q disabled; }

@test "the endpoint" {
    run -1 arda-deliveries endpoint
    [ "$output" = "the tenant has no webhook" ]
    fails
    run -0 arda-deliveries endpoint
    [[ $output == "127.0.0.1, enabled, 2 failures in a row, failing since 20"* ]]
    endpoint "/410/$user"
    trigger
    wait_for is_disabled
    run -0 arda-deliveries endpoint
    [[ $output == "127.0.0.1, disabled 20"*": "*"410"* ]]
    arda-deliveries endpoint --json | jq -e '.host == "127.0.0.1" and .enabled == false and .disabledAt != null'
}

@test "records that make no sense are named" {
    redis zadd "arda:deliveries:$tenant" 1 odd >/dev/null
    run -65 arda-deliveries list
    [ "$output" = "arda-deliveries: odd: what Redis holds is no delivery" ]
}

misused() { # MESSAGE ARGUMENT...
    local message=$1
    shift
    run -64 arda-deliveries "$@"
    [[ $output == "arda-deliveries: $message"* ]]
}

@test "bad usage" {
    misused "expected list, count, show, explain, redrive or endpoint" lists
    misused "expected ids of deliveries" show
    misused "expected ids of deliveries, or filters such as --failed" redrive
    misused "expected either ids of deliveries or filters" redrive x --failed
    misused "there is an operand too many" list x
    misused "there is an operand too many" explain x y
    misused "\`a b' is not the id of a delivery" show 'a b'
    misused "--status and --failed exclude each other" list --failed --status sent
    misused "--status: expected pending, sent, delivered, failed or bounced, got \`late'" list --status sent,late
    misused "--type: expected a type" list --type late
    misused "--since: expected" list --since never
    misused "--since: expected a time" list --since end
    misused "--tenant: expected" list --tenant 'a b'
    misused "--user: expected" list --user 'a b'
    misused "expected the id of a delivery, or --tenant and --user" explain --user "$user"
    run -64 env -u DELIVERIES_TENANT arda-deliveries endpoint
    [ "$output" = "arda-deliveries: --tenant is missing" ]
    run -75 arda-deliveries list --redis redis://127.0.0.1:1 --retry-for 10ms
}

# put_digest STATUS: the digest D of two e-mails, M1 and M2, as a daemon keeps it.
put_digest() {
    local id
    for id in D M1 M2; do
        redis hset "arda:delivery:$tenant:$id" id "$id" tenantId "$tenant" userId "$user" channel email \
            type po_created status "$1" attemptCount 1 createdAt 2026-02-08T12:00:00.000Z \
            updatedAt 2026-02-08T12:00:00.000Z heldUntil 2026-02-08T13:00:00.000Z
        redis zadd "arda:deliveries:$tenant" "$(date +%s000)" "$id"
    done
    redis hset "arda:delivery:$tenant:D" items 2 schedule hourly
    for id in M1 M2; do
        redis hset "arda:delivery:$tenant:$id" digestId D notificationId "n-$id" cause "e-$id"
        redis zadd "arda:digest-items:$tenant:D" 1 "$id"
    done
} >/dev/null

@test "a digest is redriven as a whole, and a member of it alone" {
    put_digest failed
    run -0 arda-deliveries explain M1
    [[ $output == *"  M1  failed, 1 attempt, in digest D"* ]]
    run -0 arda-deliveries explain D
    [[ $output == *"  D  failed, 1 attempt"* ]]
    run -0 arda-deliveries redrive --event e-M1
    [ "$output" = "1 redriven" ]
    # There is no way out for e-mails, so all three fail once more.
    wait_for ended "$tenant" failed 3
    [ "$(redis hget "arda:delivery:$tenant:M2" lastError)" = "$(redis hget "arda:delivery:$tenant:D" lastError)" ]
    [ -n "$(redis hget "arda:delivery:$tenant:M2" lastError)" ]
    run -0 arda-deliveries redrive --failed
    [ "$output" = "1 redriven" ]
    wait_for ended "$tenant" failed 3
    run -0 arda-deliveries redrive M1
    arda-deliveries show M1 | jq -e '.digestId == null'
    arda-deliveries show D | jq -e '.items == 1'
}

@test "a tenant of the directory whose id makes no sense is named, and the others are listed" {
    local command
    unset DELIVERIES_TENANT
    fails
    redis sadd arda:tenants "no tenant" >/dev/null
    for command in list count; do
        run -65 timeout 20 arda-deliveries $command
        [[ $output == *"\`no tenant' is not the id of a tenant"* ]]
        [[ $output == *failed* ]]
    done
    run -1 timeout 20 arda-deliveries show "$(uuid)"
    redis srem arda:tenants "no tenant" >/dev/null
}
