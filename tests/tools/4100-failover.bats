#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A failover of Redis where an address stands for the primary: it leads to the new one, and the old
# server is a replica now that keeps the connections it has.

load ../lib/common.bash

setup() {
    start_redis --repl-diskless-sync-delay 0
    OLD_PORT=$REDIS_PORT
    unset REDIS_PORT
    mv "$RUN_DIR/redis.pid" "$RUN_DIR/old.pid"
    start_redis --repl-diskless-sync-delay 0 --replicaof 127.0.0.1 "$OLD_PORT"
    NEW_PORT=$REDIS_PORT
    wait_for replica_follows
    lead_to "$OLD_PORT" "$NEW_PORT"
    tenant=$(uuid)
}
teardown() { stop_all; }

old() { redis-cli -p "$OLD_PORT" "$@"; }
replica_follows() { redis info replication | grep -q '^master_link_status:up'; }
old_follows() { old info replication | grep -q '^master_link_status:up'; }

# lead_to PORT...: an address that leads to the first of them; REDIS_URL names it.
lead_to() {
    [ ! -f "$RUN_DIR/switch.pid" ] || stop switch
    start switch python3 "$top_srcdir/tests/lib/switch.py" "$@"
    wait_for lines_of switch 1
    REDIS_URL=redis://127.0.0.1:$(head -n 1 "$RUN_DIR/switch.out")
}

# The roles change, and what the old server has acknowledged is at the new one; the address still
# leads to the old server.
change_roles() {
    old failover
    wait_for old_follows
}
# New connections go to the new primary.
follow() { kill -USR2 "$(pid_of switch)"; }
fail_over() {
    change_roles
    follow
}

# publish_from PIPE NAME [OPTION]...: a publisher that lives on, at the end of a pipe.
publish_from() {
    local pipe=$RUN_DIR/$1 name=$2
    shift 2
    mkfifo "$pipe"
    STDIN=$pipe start "$name" arda-publish --loose-ids "$@"
    exec 9>"$pipe"
}

entries() { redis --raw xlen "arda:stream:$1"; }
has_entries() { [ "$(entries "$1")" -ge "$2" ]; }
in_stream() { [ "$(redis --raw xrange "arda:stream:$1" - + | grep -c "$2")" = 1 ]; }
subscribers_at_old() { [ "$(old pubsub numsub "arda:events:$1" | tail -n 1)" = "$2" ]; }
connections_to_old() { old client list | grep -c "name=$1"; }
asked_for_role() { [ "$(redis info commandstats | sed -n 's/^cmdstat_role:calls=\([0-9]*\).*/\1/p')" -ge "$1" ]; }
none_at_old() { [ "$(connections_to_old "$1")" = 0 ]; }

@test "a publisher that lives on publishes what was refused at the new primary, each once" {
    publish_from in publish --retry-for 60s
    card "$tenant" triggered one >&9
    wait_for has_entries "$tenant" 1
    fail_over
    card "$tenant" triggered two >&9
    card "$tenant" triggered three >&9
    wait_for has_entries "$tenant" 3
    exec 9>&-
    join publish
    [ "$status" = 0 ]
    [ "$(entries "$tenant")" = 3 ]
    in_stream "$tenant" '"cardId":"two"'
    in_stream "$tenant" '"cardId":"three"'
    none_at_old arda-publish
}

@test "while the address leads to a replica nothing is sent there, and it is not asked without a pause" {
    publish_from in publish --retry-for 60s
    card "$tenant" triggered one >&9
    wait_for has_entries "$tenant" 1
    change_roles
    before=$(wc -l <"$RUN_DIR/switch.out") began=${EPOCHREALTIME/./}
    card "$tenant" triggered two >&9
    wait_for err_has publish "a replica, which takes no writes; trying again"
    wait_for lines_of switch $((before + 14)) # two connections with pauses of 50 ms to 1 s each
    [ $((${EPOCHREALTIME/./} - began)) -gt 1200000 ]
    follow
    wait_for has_entries "$tenant" 2
    exec 9>&-
    join publish
    [ "$status" = 0 ]
    [ "$(entries "$tenant")" = 2 ]
}

@test "without the right to call ROLE a publisher says so once, and leaves at the first refusal" {
    for port in "$OLD_PORT" "$NEW_PORT"; do
        redis-cli -p "$port" acl setuser shy on '>secret' '~*' '&*' +@all -role
    done
    REDIS_URL=redis://shy:secret@${REDIS_URL#redis://}
    publish_from in publish --retry-for 60s
    card "$tenant" triggered one >&9
    wait_for has_entries "$tenant" 1
    fail_over
    card "$tenant" triggered two >&9
    wait_for has_entries "$tenant" 2
    exec 9>&-
    join publish
    [ "$status" = 0 ]
    err_has publish "READONLY You can't write against a read only replica"
    [ "$(grep -c "noticed only by what it refuses" "$RUN_DIR/publish.err")" = 1 ]
}

@test "a publisher at a replica gives up with that reason" {
    lead_to "$NEW_PORT" "$OLD_PORT"
    run --separate-stderr arda-publish --retry-for 300ms < <(card "$tenant")
    [ "$status" = 75 ]
    [[ "$stderr" == *"giving up after 0.3 s: redis "*": a replica, which takes no writes"* ]]
}

@test "notifyd notifies of an event at the new primary, and has left the old one" {
    load_users "$tenant" u1
    start_notifyd
    card "$tenant" | arda-publish -q
    wait_for has_rows "$tenant" u1 1
    fail_over
    card "$tenant" received | arda-publish -q
    wait_for has_rows "$tenant" u1 2
    wait_for all_acked "$tenant"
    [ "$(row_count "$tenant" u1)" = 2 ]
    none_at_old arda-notifyd
}

@test "a replay goes on at the new primary and sends each event once" {
    for n in $(seq 60); do card "$tenant" triggered "card-$n"; done >"$RUN_DIR/captured.jsonl"
    start replay arda-replay --rate 20 "$RUN_DIR/captured.jsonl"
    wait_for has_entries "$tenant" 5
    fail_over
    join replay
    [ "$status" = 0 ]
    [ "$(redis --raw xrange "arda:stream:$tenant" - + | grep -o '"cardId":"card-[0-9]*"' | sort | uniq -c |
        awk '$1 == 1' | wc -l)" = 60 ]
    none_at_old arda-replay
}

@test "a tool that asks goes where it can write, once it was refused" {
    lead_to "$NEW_PORT" "$OLD_PORT"
    printf '{"kind":"loop","tenantId":"%s","loopId":"%s"}\n' "$tenant" "$(uuid)" >"$RUN_DIR/lines"
    start load arda-directory load --retry-for 60s "$RUN_DIR/lines"
    wait_for err_has load "READONLY"
    follow
    join load
    [ "$status" = 0 ]
    [ "$(old scard "arda:loops:$tenant")" = 1 ]
}

@test "the gateway serves on at a replica until the address leads to the primary, and moves there" {
    need_node
    start_gateway
    NO_REDIS=1 client one "$tenant"
    wait_for subscribers_at_old "$tenant" 1
    change_roles
    wait_for err_has gateway "it has become a replica; looking for the primary"
    card "$tenant" triggered | env REDIS_URL="redis://127.0.0.1:$NEW_PORT" arda-publish -q
    wait_for got one 1 # by way of the replica
    subscribers_at_old "$tenant" 1
    follow
    wait_for subscribers "$tenant" 1
    none_at_old arda-gateway
    card "$tenant" received | arda-publish -q
    wait_for got one 2
    [ "$(names one)" = "card.transition card.transition" ]
}

@test "arda-subscribe moves to the new primary and prints each event once" {
    start subscribe arda-subscribe "$tenant"
    wait_for subscribers_at_old "$tenant" 1
    card "$tenant" triggered one | arda-publish -q --loose-ids
    wait_for lines_of subscribe 1
    fail_over
    card "$tenant" received two | arda-publish -q --loose-ids
    wait_for lines_of subscribe 2
    wait_for subscribers "$tenant" 1
    none_at_old arda-subscribe
    card "$tenant" received three | arda-publish -q --loose-ids
    wait_for lines_of subscribe 3
    [ "$(jq -r .cardId "$RUN_DIR/subscribe.out" | paste -sd' ')" = "one two three" ]
}

@test "a reader whose first server is a replica stays there" {
    lead_to "$NEW_PORT" "$OLD_PORT"
    start subscribe arda-subscribe "$tenant"
    wait_for subscribers "$tenant" 1
    follow # to the primary; nobody is to go there
    card "$tenant" triggered one | env REDIS_URL="redis://127.0.0.1:$OLD_PORT" arda-publish -q --loose-ids
    wait_for lines_of subscribe 1
    wait_for asked_for_role 5 # of which two are of the greetings
    [ "$(connections_to_old arda-subscribe)" = 0 ]
    run ! err_has subscribe "looking for the primary"
}
