#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How daemons end with attempts under way, who delivers nothing, what is said and counted.

load ../lib/common.bash

setup_file() {
    need_node
    start_redis
    start_receiver
}
teardown_file() { stop_all; }

setup() {
    redis flushall >/dev/null
    tenant=$(uuid) user=$(uuid)
    load_users "$tenant" "$user"
    wants_webhooks "$user"
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

# A path that no other test has.
path() { echo "/$1/$BATS_TEST_NUMBER"; }
requested() { [ "$(requests "$1" | wc -l)" -ge "$2" ]; }
field() { redis --raw hget "arda:delivery:$tenant:$1" "$2"; }
has_lease() { [ -n "$(field "$1" lease)" ]; }
has_status() { [ "$(field "$1" status)" = "$2" ]; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }

@test "SIGTERM: what does not end within --drain is given back, and sent by another at once" {
    local id
    start_deliverer first --drain 100ms
    endpoint "$(path hang,ok)"
    trigger
    wait_for requested "$(path hang,ok)" 1
    id=$(deliveries "$tenant")
    has_lease "$id"
    start_deliverer second
    stop first
    [ "$status" = 0 ]
    err_has first "not everything was finished in time"
    # A lease is longer than what is waited for here.
    wait_for ended "$tenant" delivered 1
    [ "$(field "$id" attemptCount)" = 1 ]
    [ "$(requests "$(path hang,ok)" | jq -r '.headers["webhook-id"]' | sort -u)" = "$id" ]
    [ "$(metric arda_notifyd_deliveries_taken_over_total)" = 0 ]
}

@test "a second signal ends it at once, and the lease says for how long nobody else has it" {
    local id
    start_deliverer notifyd
    endpoint "$(path hang)"
    trigger
    wait_for requested "$(path hang)" 1
    id=$(deliveries "$tenant")
    kill -TERM "$(pid_of notifyd)"
    wait_for err_has notifyd stopping
    stop notifyd
    [ "$status" = 75 ]
    has_lease "$id"
    [ "$(redis zscore "arda:due:$tenant:webhook" "$id")" -gt $(($(date +%s%3N) + 1000)) ]
}

@test "SIGKILL: when the lease is over another sends it, under its id" {
    local id
    start_deliverer first
    endpoint "$(path hang,ok)"
    trigger
    wait_for requested "$(path hang,ok)" 1
    id=$(deliveries "$tenant")
    stop first KILL
    has_lease "$id"
    start_deliverer second
    due_now "$id"
    wait_for ended "$tenant" delivered 1
    [ "$(requests "$(path hang,ok)" | jq -r '.headers["webhook-id"]' | sort -u)" = "$id" ]
    [ "$(requests "$(path hang,ok)" | jq -r .body | sort -u | wc -l)" = 1 ]
    wait_for metric_is arda_notifyd_deliveries_taken_over_total 1
}

# Stopped, and so not dead: it wakes up when another has long had its delivery.
@test "a good end that comes too late is recorded, and counted" {
    local id late_admin
    start_deliverer late --webhook-timeout 60s
    endpoint "$(path wait2000,hang)"
    trigger
    wait_for requested "$(path wait2000,hang)" 1
    kill -STOP "$(pid_of late)"
    id=$(deliveries "$tenant")
    late_admin=$NOTIFYD_ADMIN
    start_deliverer other --drain 10ms
    due_now "$id"
    wait_for requested "$(path wait2000,hang)" 2
    kill -CONT "$(pid_of late)"
    NOTIFYD_ADMIN=$late_admin
    wait_for metric_is arda_notifyd_results_late_total 1
    ended "$tenant" delivered 1
    [ "$(field "$id" attemptCount)" = 1 ]
    stop other
    ended "$tenant" delivered 1
    is_empty arda:due
}

@test "SIGHUP breaks nothing off" {
    start_deliverer notifyd
    endpoint "$(path slow)"
    trigger
    wait_for requested "$(path slow)" 1
    kill -HUP "$(pid_of notifyd)"
    wait_for err_has notifyd "reading the directory again"
    wait_for ended "$tenant" delivered 1
    [ "$(requests "$(path slow)" | wc -l)" = 1 ]
}

@test "--explain, --redrive and --dry-run deliver nothing" {
    local id
    id=$(uuid)
    endpoint "$(path ok)"
    put_delivery "$id" 1
    card "$tenant" | arda-notifyd --explain --webhook-allow 127.0.0.0/8 >"$RUN_DIR/explained"
    jq -se 'map(select(.channel == "webhook")) | length == 1 and .[0].goes' "$RUN_DIR/explained"
    run -1 arda-notifyd --redrive --webhook-allow 127.0.0.0/8
    start_deliverer dry --dry-run
    trigger
    wait_for lines_of dry 2
    stop dry
    record "$id" | jq -e '.status == "pending" and .attemptCount == "0" and .lease == null'
    [ "$(redis zscore "arda:due:$tenant:webhook" "$id")" = 1 ]
    [ -z "$(requests "$(path ok)")" ]
}

@test "connections to Redis that are lost meanwhile do not lose the end" {
    start_deliverer notifyd
    endpoint "$(path slow)"
    trigger
    wait_for requested "$(path slow)" 1
    redis client kill type normal >/dev/null
    wait_for ended "$tenant" delivered 1
    [ "$(field "$(deliveries "$tenant")" attemptCount)" = 1 ]
    [ "$(requests "$(path slow)" | wc -l)" = 1 ]
}

@test "a tenant whose keys make no sense holds up nobody, and is named" {
    local other=$tenant bad
    bad=$(uuid)
    redis set "arda:endpoint:$bad" x
    tenant=$bad
    endpoint "$(path ok)"
    redis set "arda:endpoint:$bad" x
    put_delivery "$(uuid)" 1
    tenant=$other
    endpoint "$(path ok)"
    start_deliverer notifyd
    trigger
    wait_for ended "$tenant" delivered 1
    wait_for err_has notifyd "deliveries of $bad: WRONGTYPE"
}

@test "an answer that is no text, and would move a terminal's cursor, becomes a line" {
    start_deliverer notifyd --retry-schedule 0s
    endpoint "$(path binary)"
    trigger
    wait_for ended "$tenant" failed 1
    field "$(deliveries "$tenant")" lastError >"$RUN_DIR/text"
    [ "$(cat "$RUN_DIR/text")" = 'HTTP 500: ?? \u001b[2J over' ]
    field "$(deliveries "$tenant")" attempts | jq -e '.[0].text == "HTTP 500: ?? \\u001b[2J over"'
}

@test "--retry-schedule may put off the first attempt, too" {
    start_deliverer notifyd --retry-schedule 10m
    endpoint "$(path ok)"
    trigger
    wait_for has_rows "$tenant" "$user" 1
    wait_for put_off
    [ -z "$(requests "$(path ok)")" ]
    [ "$(field "$(deliveries "$tenant")" attemptCount)" = 0 ]
}
put_off() { [ "$(redis zscore arda:due "$tenant:webhook")" -gt $(($(date +%s%3N) + 500000)) ] && ! has_lease "$(deliveries "$tenant")"; }

@test "--retain-deliveries removes records that have ended" {
    start_deliverer notifyd --retain-deliveries 1ms
    endpoint "$(path ok)"
    trigger
    wait_for requested "$(path ok)" 1
    trigger
    wait_for requested "$(path ok)" 2
    wait_for at_most_one_record
}

at_most_one_record() { [ "$(deliveries "$tenant" | wc -l)" -le 1 ] && [ "$(redis keys "arda:delivery:$tenant:*" | grep -c .)" -le 1 ]; }

@test "what is counted" {
    local id
    id=$(uuid)
    endpoint "$(path 410)"
    redis hset "arda:endpoint:$tenant" openUntil $(($(date +%s%3N) + 600000)) >/dev/null
    put_delivery "$id" 1
    start_deliverer notifyd
    # Of what is pending, as it was counted at the start.
    wait_for metric_is arda_notifyd_deliveries_pending 1
    [ "$(metric arda_notifyd_circuits_open)" = 1 ]
    [ "$(metric arda_notifyd_delivery_age_seconds)" = 0 ]
    redis del "arda:endpoint:$tenant" >/dev/null
    due_now "$id"
    wait_for has_status "$id" failed
    wait_for metric_is arda_notifyd_webhooks_disabled_total 1
    [ "$(metric 'arda_notifyd_webhook_attempts_total{outcome="gone"}')" = 1 ]
    endpoint "$(path hang)"
    arda-directory set webhook "$tenant" enabled=true
    trigger
    wait_for requested "$(path hang)" 1
    [ "$(metric 'arda_notifyd_deliveries_in_flight{channel="webhook"}')" = 1 ]
    [ "$(metric 'arda_notifyd_deliveries_in_flight{channel="email"}')" = 0 ]
    curl -s "$NOTIFYD_ADMIN/metrics" | node "$top_srcdir/tests/lib/openmetrics.js" >"$RUN_DIR/metrics"
    jq -e 'map(select(.name == "arda_notifyd_email_attempts" or .name == "arda_notifyd_webhook_attempts")) | length == 2 and
        all(.[].samples; map(.labels.outcome) == ["done", "retry", "slow_down", "gone", "failed", "bounced"])' "$RUN_DIR/metrics"
    stop notifyd KILL
}

@test "how long something has been due" {
    endpoint "$(path ok)"
    # Its endpoint is slowed down, and busy with another.
    redis hset "arda:endpoint:$tenant" pause 1000 single other singleUntil $(($(date +%s%3N) + 600000)) >/dev/null
    put_delivery "$(uuid)" $(($(date +%s%3N) - 5000))
    start_deliverer notifyd
    wait_for metric_is arda_notifyd_deliveries_pending 1
    curl -s "$NOTIFYD_ADMIN/metrics" | awk '$1 == "arda_notifyd_delivery_age_seconds" { exit !($2 >= 5 && $2 < 600) }'
}

@test "bad options are named" {
    local one
    for one in retry-schedule=x retry-schedule= webhook-allow=10.0.0.0/33 webhook-allow=nonsense,10.0.0.0/8 \
        webhook-timeout=0s per-endpoint=0 deliveries-in-flight=1001 retain-deliveries=x; do
        run -64 arda-notifyd "--$one"
        [[ $output == *"--${one%%=*}"* ]]
    done
}
