#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A directory that is written all the time, or is spoiled, while events are processed.

load ../lib/common.bash

export UNSUBSCRIBE_TOKEN_SECRET=an-unsubscribe-secret-of-32-bytes-or-more
USERS=4000

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid) other=$(uuid); }
# A leak, or what else a sanitizer finds, is another status.
teardown() {
    local code=0
    for name in notifyd gateway; do
        [ ! -f "$RUN_DIR/$name.pid" ] || { stop "$name" && [ "$status" = 0 ] || code=1; }
    done
    stop_all
    [ "$code" = 0 ]
}

load_many() {
    awk -v tenant="$tenant" -v count="$USERS" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "{\"kind\":\"user\",\"tenantId\":\"%s\",\"userId\":\"u%d\",\"active\":true}\n", tenant, i
    }' | arda-directory load -q
}
version() { redis get "arda:version:$tenant"; }
# All users of $tenant have got it.
is_done() { [ "$(metric arda_notifyd_notifications_total)" -ge "$1" ]; }
changed() { [ "$(version)" -gt "$1" ]; }

# write_always: a user of $tenant gets another name every few milliseconds.
write_always() {
    start writer redis-cli -p "$REDIS_PORT" -r -1 -i 0.003 eval "
        local version = redis.call('INCR', 'arda:version:' .. ARGV[1])
        redis.call('HSET', 'arda:users:' .. ARGV[1], 'writer', '{\"name\":\"' .. version .. '\"}')
        return version" 0 "$tenant"
    wait_for changed "${1:-1}"
}

@test "a link that is posted 32 times a second raises no version, and holds up nothing" {
    need_node
    load_many
    start_gateway
    start_notifyd --no-deliver
    link=$(node "$top_srcdir/tests/lib/unsubscribe.js" "$UNSUBSCRIBE_TOKEN_SECRET" "$tenant" u1 card_triggered)
    link="$GATEWAY_URL/notifications/unsubscribe?token=$link"
    node "$top_srcdir/tests/lib/clicks.js" "$link" 1 1 >"$RUN_DIR/first"
    [ "$(cat "$RUN_DIR/first")" = 200 ]
    before=$(version)
    start clicks node "$top_srcdir/tests/lib/clicks.js" "$link" 96 31
    wait_for lines_of clicks 3
    trigger
    wait_for is_done "$USERS"
    join clicks
    [ "$(sort -u "$RUN_DIR/clicks.out")" = 200 ]
    [ "$(wc -l <"$RUN_DIR/clicks.out")" = 96 ]
    [ "$(version)" = "$before" ]
    [ "$(metric arda_notifyd_directory_reads_total)" -le 2 ]
}

@test "a directory that changes all the time: each event is done, with few readings, and others are not held up" {
    load_many
    load_users "$other" ann
    start_notifyd --no-deliver
    write_always
    trigger
    card "$other" | arda-publish --tenant "$other"
    wait_for has_rows "$other" ann 1
    wait_for is_done "$((USERS + 2))"
    reads=$(metric arda_notifyd_directory_reads_total)
    echo "$reads readings for two events" >&2
    [ "$reads" -le 4 ]

    # One after the other, each with a copy that is out of date.
    for round in 1 2 3; do
        trigger
        wait_for is_done "$((USERS + 2 + round * (USERS + 1)))"
    done
    [ "$(metric arda_notifyd_directory_reads_total)" -le $((reads + 6)) ]
    [ "$(metric arda_notifyd_directory_stale_total)" -le 5 ]
    stop writer
    [ "$(row_count "$tenant" u1)" = 4 ]
    [ "$(row_count "$tenant" "u$((USERS - 1))")" = 4 ]
}

@test "what was written before an event counts for it, though the directory changes all the time" {
    local i
    load_users "$tenant" ann
    start_notifyd --no-deliver
    write_always
    for i in 1 2 3 4 5; do
        load_users "$tenant" "u$i"
        trigger
        wait_for has_rows "$tenant" "u$i" 1
    done
    arda-directory set user "$tenant" ann active=false
    trigger
    wait_for has_rows "$tenant" u5 2
    [ "$(row_count "$tenant" ann)" = 5 ]
}

@test "a webhook is reported as disabled though the directory changes all the time" {
    load_many
    write_always
    redis hset arda:disabled "$tenant" "$(date +%s%3N) it has answered 410 Gone" >/dev/null
    start_notifyd
    wait_for has_rows "$tenant" u1 1
    [ "$(rows "$tenant" u1 | jq -r .title)" = "Webhook disabled" ]
    noted() { [ "$(redis hexists arda:disabled "$tenant")" = 0 ]; }
    wait_for noted
}

@test "arda-inbox add ends though the directory changes all the time" {
    load_many
    write_always
    run -0 --separate-stderr arda-inbox add --tenant "$tenant" --type system_alert --title Hello
    [ "$(row_count "$tenant" u1)" = 1 ]
    [ "$(row_count "$tenant" writer)" = 1 ]
}

@test "a version that is no number: the tenant waits and is named, others do not, and the next change mends it" {
    load_users "$tenant" ann
    load_users "$other" bob
    for spoiled in "set arda:version:$tenant 07" "set arda:version:$tenant seven" "lpush arda:version:$tenant 7"; do
        redis flushall >/dev/null
        load_users "$tenant" ann
        load_users "$other" bob
        start_notifyd --no-deliver
        redis del "arda:version:$tenant" >/dev/null
        # shellcheck disable=SC2086
        redis $spoiled >/dev/null
        trigger
        card "$other" | arda-publish --tenant "$other"
        wait_for has_rows "$other" bob 1
        wait_for err_has notifyd "tenant $tenant: its users cannot be read: its version is not a number"
        [ "$(row_count "$tenant" ann)" = 0 ]
        # With a pause: no request after the other.
        calls=$(redis info commandstats | sed -n 's/^cmdstat_exec:calls=\([0-9]*\),.*/\1/p')
        trigger
        wait_for has_queued 2
        [ "$(($(redis info commandstats | sed -n 's/^cmdstat_exec:calls=\([0-9]*\),.*/\1/p') - calls))" -le 20 ]

        run -0 --separate-stderr arda-directory set user "$tenant" eve
        [[ "$stderr" == *"tenant $tenant: arda:version:$tenant was not a number; it begins again" ]]
        wait_for has_rows "$tenant" ann 2
        wait_for has_rows "$tenant" eve 2
        run -0 --separate-stderr arda-directory set user "$tenant" eve name=Eve
        [ "$stderr" = "" ]
        stop notifyd
        [ "$status" = 0 ]
    done
}
has_queued() { [ "$(redis xpending "arda:stream:$tenant" notifyd | head -n 1)" -ge "$1" ]; }

@test "a version that is spoiled after the users were read makes no dead letter" {
    load_users "$tenant" ann
    start_notifyd --no-deliver
    trigger
    wait_for has_rows "$tenant" ann 1
    redis del "arda:version:$tenant" >/dev/null
    redis lpush "arda:version:$tenant" 1 >/dev/null
    trigger
    wait_for err_has notifyd "its version is not a number"
    [ "$(redis exists arda:notifyd:dead)" = 0 ]
    arda-directory set user "$tenant" eve 2>/dev/null
    wait_for has_rows "$tenant" eve 1
    wait_for has_rows "$tenant" ann 2
}
