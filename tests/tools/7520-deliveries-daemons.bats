#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Deliveries when daemons come and go, and Redis with them.

load ../lib/common.bash

setup_file() {
    need_node
    start_receiver
}
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid) user=$(uuid) id=$(uuid)
    start_redis
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

is_claimed() { has_field "arda:delivery:$tenant:$1" lease; }
asked() { [ "$(requests "$1" | wc -l)" -ge "$2" ]; }

@test "SIGTERM gives back what does not end in time, and the next daemon has it at once" {
    endpoint /hang,ok/term
    start_deliverer first --drain 100ms
    put_delivery "$id" 1
    wait_for asked /hang,ok/term 1
    stop first
    # shellcheck disable=SC2154
    [ "$status" = 0 ]
    record "$id" | jq -e '.status == "pending" and .lease == null and .attemptCount == "0"'
    start_deliverer second
    wait_for ended "$tenant" delivered 1
    [ "$(requests /hang,ok/term | jq -r '.headers["webhook-id"]' | sort -u)" = "$id" ]
}

@test "an attempt that ends within --drain counts" {
    endpoint /slow/drain
    start_deliverer first
    put_delivery "$id" 1
    wait_for asked /slow/drain 1
    stop first
    record "$id" | jq -e '.status == "delivered" and .attemptCount == "1"'
}

@test "a killed daemon's work is leased, and taken over when that ends" {
    endpoint /hang,ok/kill
    start_deliverer first
    put_delivery "$id" 1
    wait_for asked /hang,ok/kill 1
    stop first KILL
    is_claimed "$id"
    [ "$(redis zscore "arda:due:$tenant:webhook" "$id")" -gt $(($(date +%s%3N) + 30000)) ]
    start_deliverer second
    due_now "$id" # as if the lease were over
    wait_for ended "$tenant" delivered 1
    [ "$(requests /hang,ok/kill | jq -r '.headers["webhook-id"]' | uniq -c | awk '{print $1, $2}')" = "2 $id" ]
}

@test "two daemons share the work, and nothing arrives twice" {
    local i ids
    endpoint /ok/share
    start_deliverer first --per-endpoint 4
    start_deliverer second --per-endpoint 4
    ids=$(for i in $(seq 100); do uuid; done)
    for i in $ids; do put_delivery "$i" 1; done
    wait_for ended "$tenant" delivered 100
    [ "$(requests /ok/share | jq -r '.headers["webhook-id"]' | sort)" = "$(sort <<<"$ids")" ]
}

@test "no more than --per-endpoint and --deliveries-in-flight at a time" {
    local i
    endpoint /hang/many
    start_deliverer first --per-endpoint 3 --drain 100ms
    for i in 1 2 3 4 5 6; do put_delivery "$(uuid)" 1; done
    wait_for asked /hang/many 3
    [ "$(metric 'arda_notifyd_deliveries_in_flight{channel="webhook"}')" = 3 ]
    tenant=$(uuid)
    endpoint /ok/others
    put_delivery "$(uuid)" 1
    wait_for ended "$tenant" delivered 1
    [ "$(requests /hang/many | wc -l)" = 3 ]
}

@test "Redis is away when an attempt ends: the result is recorded when it is back" {
    endpoint /slow/away
    stop redis
    start redis redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' --appendonly yes \
        --appendfsync always --dir "$RUN_DIR" --loglevel warning
    wait_for redis_is "$(pid_of redis)"
    endpoint /slow/away
    start_deliverer first
    put_delivery "$id" 1
    wait_for asked /slow/away 1
    stop redis
    wait_for err_has first "trying again until it is back"
    start redis redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' --appendonly yes \
        --dir "$RUN_DIR" --loglevel warning
    wait_for ended "$tenant" delivered 1
    [ "$(requests /slow/away | wc -l)" = 1 ]
}

@test "--no-deliver leaves them alone; without SMTP_URL an e-mail is left, and the webhook goes" {
    endpoint /ok/none
    load_users "$tenant" "$user"
    arda-directory set preference "$tenant" "$user" card_triggered email enabled=true
    wants_webhooks "$user"
    start_deliverer first --no-deliver
    trigger
    wait_for has_rows "$tenant" "$user" 1
    [ "$(deliveries "$tenant" | wc -l)" = 2 ]
    stop first
    ended "$tenant" pending 2
    start_deliverer second
    wait_for ended "$tenant" delivered 1
    for id in $(deliveries "$tenant"); do
        record "$id" | jq -e '.status == "delivered" or (.channel == "email" and .status == "pending" and .attemptCount == "0")'
    done
    [ "$(metric 'arda_notifyd_webhook_attempts_total{outcome="done"}')" = 1 ]
    [ "$(metric 'arda_notifyd_email_attempts_total{outcome="failed"}')" = 0 ]
}
