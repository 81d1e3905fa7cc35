#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The rights that arda-redis(5) lists: each program does its work as a user that has no others, and
# Redis has nothing to complain of.

load ../lib/common.bash

programs=(deliveries directory gateway inbox notifyd publish replay subscribe)

setup_file() {
    start_redis
    plain=$REDIS_URL
    for program in "${programs[@]}"; do
        # shellcheck disable=SC2046
        redis acl setuser "$program" '>secret' $("$builddir/tests/key-table" acl "$program") >/dev/null
    done
    export plain
}
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    redis acl log reset >/dev/null
}
teardown() { stop_all; }

# as PROGRAM: the URL of its user.
as() { echo "redis://$1:secret@127.0.0.1:$REDIS_PORT"; }
nothing_denied() {
    run redis acl log
    [ -z "$output" ] || { echo "denied: $output"; return 1; }
}

@test "each program is in the table" {
    for program in "${programs[@]}"; do
        "$builddir/tests/key-table" acl "$program" | grep -q '+role'
    done
}

@test "arda-publish" {
    card "$tenant" triggered | REDIS_URL=$(as publish) arda-publish
    card "$tenant" triggered "$(uuid)" | REDIS_URL=$(as publish) arda-publish --idempotency-key k --dedupe-for 1m
    seq 3 | while read -r _; do card "$tenant" triggered "$(uuid)"; done | REDIS_URL=$(as publish) arda-publish --unsent "$RUN_DIR/unsent"
    nothing_denied
}

@test "arda-directory" {
    export REDIS_URL
    REDIS_URL=$(as directory)
    {
        printf '{"kind":"tenant","tenantId":"%s"}\n' "$tenant"
        printf '{"kind":"user","tenantId":"%s","userId":"ann","email":"ann@example.org","active":true}\n' "$tenant"
        printf '{"kind":"loop","tenantId":"%s","loopId":"%s"}\n' "$tenant" "$(uuid)"
    } >"$RUN_DIR/lines"
    arda-directory load "$RUN_DIR/lines"
    arda-directory load --replace "$RUN_DIR/lines"
    arda-directory dump >/dev/null
    arda-directory set webhook "$tenant" url=https://example.org/ enabled=true secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    arda-directory rm user "$tenant" ann || true
    arda-directory rm tenant "$tenant" || true
    nothing_denied
}

@test "arda-subscribe: live, past, cursor, all, list" {
    card "$tenant" triggered | arda-publish
    printf '{"kind":"tenant","tenantId":"%s"}\n' "$tenant" | arda-directory load
    export REDIS_URL
    REDIS_URL=$(as subscribe)
    arda-subscribe "$tenant" --since start --count 1 >/dev/null
    arda-subscribe "$tenant" --last 1 --count 1 --cursor "$RUN_DIR/cursor" >/dev/null
    arda-subscribe --tenants >/dev/null
    start live arda-subscribe "$tenant" --count 1
    wait_for subscribers "$tenant" 1
    card "$tenant" triggered "$(uuid)" | REDIS_URL=$plain arda-publish
    join live
    [ "$status" = 0 ]
    arda-subscribe --all --since start --count 1 >/dev/null
    nothing_denied
}

@test "arda-replay: into the bus, from a stream, into a shadow" {
    for _ in 1 2 3; do card "$tenant" triggered "$(uuid)"; done | tee "$RUN_DIR/in" | arda-publish
    REDIS_URL=$(as replay) arda-replay -q --instant "$RUN_DIR/in"
    REDIS_URL=$(as replay) arda-replay -q --instant --from-stream "$tenant" --shadow .s
    nothing_denied
}

@test "arda-notifyd, arda-deliveries and arda-inbox" {
    need_node
    load_users "$tenant" ann bob
    start_receiver
    secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    endpoint /ok
    wants_webhooks ann
    REDIS_URL=$(as notifyd) start_deliverer notifyd
    card "$tenant" triggered | arda-publish
    wait_for eval "[ \$(redis --raw keys 'arda:rows:$tenant:*' | wc -l) -ge 1 ]"
    wait_for eval "[ -n \"\$(requests /ok)\" ]"
    user=$(redis --raw keys "arda:rows:$tenant:*" | head -n 1)
    user=${user##*:}
    export REDIS_URL
    REDIS_URL=$(as inbox)
    arda-inbox list --tenant "$tenant" --user "$user" >/dev/null
    arda-inbox count --tenant "$tenant" --user "$user" >/dev/null
    arda-inbox add --tenant "$tenant" --user "$user" --type system_alert --title hello
    arda-inbox read --tenant "$tenant" --user "$user" --all
    arda-inbox unread --tenant "$tenant" --user "$user" --all
    arda-inbox rm --tenant "$tenant" --user "$user" --all
    REDIS_URL=$(as deliveries)
    arda-deliveries list --tenant "$tenant" >/dev/null || [ $? = 1 ]
    arda-deliveries count --tenant "$tenant" >/dev/null || [ $? = 1 ]
    arda-deliveries count >/dev/null || [ $? = 1 ]
    arda-deliveries endpoint --tenant "$tenant" >/dev/null || [ $? = 1 ]
    id=$(deliveries "$tenant" | head -n 1)
    arda-deliveries show --tenant "$tenant" "$id" >/dev/null
    arda-deliveries explain --tenant "$tenant" "$id" >/dev/null
    arda-deliveries redrive --tenant "$tenant" --failed >/dev/null || [ $? = 1 ]
    nothing_denied
}

@test "arda-gateway: a client, a loop, a relay" {
    need_node
    ARDA_RELAY_SECRET=$(uuid) REDIS_URL=$(as gateway) start_gateway --advertise "127.0.0.1:$((REDIS_PORT + 1))" --revocation
    client c "$tenant"
    card "$tenant" triggered | arda-publish
    wait_for got c 1
    nothing_denied
}

@test "a right that is missing is named" {
    redis acl setuser publish -xadd >/dev/null
    run --separate-stderr env REDIS_URL="$(as publish)" arda-publish <<<"$(card "$tenant" triggered)"
    redis acl setuser publish +xadd >/dev/null
    [ "$status" != 0 ]
    [[ $stderr == *xadd* ]]
}
