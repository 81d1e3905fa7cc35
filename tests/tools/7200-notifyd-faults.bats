#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What may go wrong around notifyd: daemons that die or stop, Redis that goes away, streams that
# are lost, trimmed, or hold what is no event. Each test has a prefix of its own.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }

setup() {
    export PREFIX="p$BATS_TEST_NUMBER"
    export ARDA_PREFIX=$PREFIX
    tenant=$(uuid) user=$(uuid)
    load_users "$tenant" "$user"
}
teardown() { stop_all; }

publish() { # TOSTAGE
    card "$tenant" "$1" | arda-publish -q
}
titles() { rows "$tenant" "$user" | jq -r '.title | split(" ") | last' | sort | paste -sd' '; }
consumers() { redis xinfo consumers "$PREFIX:stream:$tenant" notifyd | grep -c name; }
one_consumer() { [ "$(consumers)" = 1 ]; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
metric_at_least() { [ "$(metric "$1")" -ge "$2" ]; }

@test "what was published before the first start is left alone, what comes later is read" {
    publish triggered
    start_notifyd
    publish received
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
    [ "$(titles)" = received ]
}

@test "what was published while no daemon ran is read at the next start" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    stop notifyd
    [ "$status" = 0 ]
    [ "$(redis zcard "$PREFIX:notifyd:daemons")" = 0 ]
    publish received
    start_notifyd
    wait_for has_rows "$tenant" "$user" 2
    [ "$(titles)" = "received triggered" ]
}

@test "a stream that appears while no daemon runs is read from its first entry" {
    start_notifyd
    stop notifyd
    publish triggered
    publish received
    start_notifyd
    wait_for has_rows "$tenant" "$user" 2
}

@test "--since goes back to before the first start" {
    publish triggered
    start_notifyd --since start
    wait_for has_rows "$tenant" "$user" 1
    [ "$(redis get "$PREFIX:notifyd:start")" = 0-0 ]
}

@test "--since with a time" {
    publish triggered
    wait_for has_rows_not "$tenant"
    after=$(redis xrevrange "$PREFIX:stream:$tenant" + - count 1 | head -n 1)
    publish received
    publish restocked
    start_notifyd --since "${after%-*}-$((${after#*-} + 1))"
    wait_for has_rows "$tenant" "$user" 2
    wait_for all_acked "$tenant" || true
    [ "$(titles)" = "received restocked" ]
}
has_rows_not() { [ "$(redis xlen "$PREFIX:stream:$1")" = 1 ]; }

@test "a user's event is his, whatever tenant has one of that name" {
    local other
    other=$(uuid)
    load_users "$other" "$user"
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
    [ "$(row_count "$other" "$user")" = 0 ]
}

@test "a tenant that nobody rings for is found by a sweep" {
    start_notifyd
    redis xadd "$PREFIX:stream:$tenant" '*' envelope "$(card "$tenant")" type x source x timestamp x >/dev/null
    wait_for has_rows "$tenant" "$user" 1
}

@test "entries of a daemon that died are taken over, and it is forgotten" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    # One that has taken an entry and will never come back.
    stop notifyd
    publish received
    redis xreadgroup group notifyd ghost count 1 streams "$PREFIX:stream:$tenant" '>' >/dev/null
    redis zadd "$PREFIX:notifyd:daemons" 1 ghost >/dev/null
    start_notifyd
    wait_for has_rows "$tenant" "$user" 2
    wait_for metric_is arda_notifyd_entries_taken_over_total 1
    wait_for one_consumer
    wait_for no_ghost
}
no_ghost() { [ -z "$(redis zscore "$PREFIX:notifyd:daemons" ghost)" ]; }

@test "a daemon that is stopped is stood in for, and changes nothing when it goes on" {
    start_notifyd one
    start_notifyd two
    kill -STOP "$(pid_of one)"
    publish triggered
    publish received
    wait_for has_rows "$tenant" "$user" 2
    wait_for all_acked "$tenant"
    kill -CONT "$(pid_of one)"
    stop two
    publish restocked
    wait_for has_rows "$tenant" "$user" 3
    wait_for all_acked "$tenant"
    [ "$(titles)" = "received restocked triggered" ]
}

@test "events in no stream with two daemons: once each" {
    local i
    start_notifyd one
    start_notifyd two
    wait_for metric_is arda_notifyd_other_daemons 1
    start heard arda-subscribe "$tenant" --type notification.created
    wait_for subscribed "$tenant"
    for i in 1 2 3 4 5 6 7 8; do
        redis publish "$PREFIX:events:global" "$(card "$tenant" | jq -c ". + {cardId: \"card-$i\"}")" >/dev/null
    done
    wait_for has_rows "$tenant" "$user" 8
    publish received
    wait_for has_rows "$tenant" "$user" 9
    wait_for lines_of heard 9
    # Neither has anything left that might become a tenth.
    wait_for metric_is arda_notifyd_events_heard 0
    [ "$(row_count "$tenant" "$user")" = 9 ]
    [ "$(wc -l <"$RUN_DIR/heard.out")" = 9 ]
}
subscribed() { [ "$(redis pubsub numsub "$PREFIX:events:$1" | tail -n 1)" = 1 ]; }

@test "a group that was lost begins where it was" {
    start_notifyd
    publish triggered
    publish received
    wait_for has_rows "$tenant" "$user" 2
    redis xgroup destroy "$PREFIX:stream:$tenant" notifyd >/dev/null
    publish restocked
    wait_for has_rows "$tenant" "$user" 3
    wait_for all_acked "$tenant"
    [ "$(titles)" = "received restocked triggered" ]
}

@test "a stream that was deleted is read again when it is back" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    redis del "$PREFIX:stream:$tenant" >/dev/null
    publish received
    wait_for has_rows "$tenant" "$user" 2
}

@test "all is lost: the start is recorded again, and new events are read" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    start=$(redis get "$PREFIX:notifyd:start")
    redis --scan --pattern "$PREFIX:*" | xargs redis-cli -p "$REDIS_PORT" del >/dev/null
    load_users "$tenant" "$user"
    publish received
    wait_for has_rows "$tenant" "$user" 1
    [ "$(titles)" = received ]
    [ "$(redis get "$PREFIX:notifyd:start")" = "$start" ]
}

@test "entries that were trimmed before they were read are a gap" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
    stop notifyd
    for stage in triggered received restocked triggered; do publish "$stage"; done
    redis xtrim "$PREFIX:stream:$tenant" maxlen 1 >/dev/null
    start_notifyd
    wait_for has_rows "$tenant" "$user" 2
    wait_for err_has notifyd "a gap: up to 3 entries of its stream were trimmed before they could be read"
    metric_is 'arda_notifyd_entries_missed_total{state="unread"}' 3
    publish received
    wait_for has_rows "$tenant" "$user" 3
    metric_is arda_notifyd_gaps_total 1
}

@test "a stream that was trimmed to nothing is a gap" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
    stop notifyd
    publish received
    publish restocked
    redis xtrim "$PREFIX:stream:$tenant" maxlen 0 >/dev/null
    start_notifyd
    wait_for metric_is 'arda_notifyd_entries_missed_total{state="unread"}' 2
}

@test "what is trimmed after it was read is none" {
    start_notifyd
    publish triggered
    publish received
    wait_for has_rows "$tenant" "$user" 2
    wait_for all_acked "$tenant"
    redis xtrim "$PREFIX:stream:$tenant" maxlen 0 >/dev/null
    publish restocked
    wait_for has_rows "$tenant" "$user" 3
    metric_is arda_notifyd_gaps_total 0
}

@test "entries that were trimmed while a dead daemon had them are a gap" {
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    stop notifyd
    publish received
    publish restocked
    redis xreadgroup group notifyd ghost count 2 streams "$PREFIX:stream:$tenant" '>' >/dev/null
    redis xtrim "$PREFIX:stream:$tenant" maxlen 1 >/dev/null
    start_notifyd
    wait_for has_rows "$tenant" "$user" 2
    wait_for err_has notifyd "1 entries of its stream were trimmed before they were handled"
    wait_for all_acked "$tenant"
    metric_is 'arda_notifyd_entries_missed_total{state="read"}' 1
}

add_entry() { redis xadd "$PREFIX:stream:$tenant" '*' "$@" >/dev/null; }
letters() { redis --raw xrange "$PREFIX:notifyd:dead" - +; }
letters_are() { [ "$(redis xlen "$PREFIX:notifyd:dead")" = "$1" ]; }

@test "poison goes to the dead letters with its reason, and stops nothing" {
    start_notifyd
    add_entry envelope '{"type":' type x
    add_entry envelope '{"id":"1","source":"x"}' type x
    add_entry envelope '[]'
    add_entry envelope "$(card "$(uuid)")"
    add_entry body 'no envelope' other 'field'
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    wait_for letters_are 5
    wait_for all_acked "$tenant"
    letters >"$RUN_DIR/letters"
    [ "$(grep -A1 -x reason "$RUN_DIR/letters" | grep -v -e -- -x -e reason | sort | paste -sd,)" = 'no field "envelope",no string "type",not JSON,not a JSON object,"tenantId" is not the channel'"'"'s' ] ||
        [ "$(grep -A1 -x reason "$RUN_DIR/letters" | grep -vx -e -- -e reason | sort -u | wc -l)" = 5 ]
    [ "$(grep -A1 -x tenantId "$RUN_DIR/letters" | grep -cx "$tenant")" = 5 ]
    grep -qx 'no envelope' "$RUN_DIR/letters"
    metric_is arda_notifyd_dead_letters_total 5
}

@test "--redrive: what has become sound is processed, the rest stays" {
    start_notifyd
    add_entry envelope '{"type":'
    wait_for letters_are 1
    # A letter whose event is fine: it was refused for a reason that has passed.
    event=$(card "$tenant" | jq -c ". + {eventId: \"$(uuid)\"}")
    sound=$(redis xadd "$PREFIX:notifyd:dead" '*' reason gone tenantId "$tenant" streamId 1-1 envelope "$event")
    run -1 arda-notifyd --redrive
    [[ $output == *"stays: not JSON"* ]]
    [[ $output == *"2 dead letters: 1 processed, 1 stay"* ]]
    [ "$(row_count "$tenant" "$user")" = 1 ]
    letters_are 1
    run ! grep -qx "$sound" <<<"$(letters)"
    # By its id; a second time it changes nothing.
    again=$(redis xadd "$PREFIX:notifyd:dead" '*' reason gone tenantId "$tenant" streamId 1-1 envelope "$event")
    run -0 arda-notifyd --redrive "$again"
    [ "$(row_count "$tenant" "$user")" = 1 ]
    letters_are 1
    run -1 arda-notifyd --redrive tenant=other
    letters_are 1
    run -64 arda-notifyd --redrive nonsense
}

@test "a key of another kind in place of a stream harms nobody else" {
    local other
    other=$(uuid)
    load_users "$other" "$user"
    redis set "$PREFIX:stream:$other" x >/dev/null
    start_notifyd
    publish triggered
    wait_for has_rows "$tenant" "$user" 1
    wait_for err_has notifyd "tenant $other: its stream cannot be read: WRONGTYPE"
    # And what is on the channel is processed nevertheless.
    redis publish "$PREFIX:events:global" "$(card "$other")" >/dev/null
    wait_for has_rows "$other" "$user" 1
}

@test "users that cannot be read stop their tenant alone, until they can" {
    local other
    other=$(uuid)
    load_users "$other" "$user"
    start_notifyd
    redis rename "$PREFIX:users:$tenant" "$PREFIX:aside" >/dev/null
    redis set "$PREFIX:users:$tenant" x >/dev/null
    publish triggered
    card "$other" | arda-publish -q
    wait_for has_rows "$other" "$user" 1
    wait_for err_has notifyd "tenant $tenant: its users cannot be read"
    redis rename "$PREFIX:aside" "$PREFIX:users:$tenant" >/dev/null
    wait_for has_rows "$tenant" "$user" 1
    wait_for all_acked "$tenant"
}

@test "what a step is refused for goes to the dead letters" {
    start_notifyd
    redis set "$PREFIX:rows:$tenant:$user" x >/dev/null
    publish triggered
    wait_for letters_are 1
    wait_for all_acked "$tenant"
    [[ $(letters) == *WRONGTYPE* ]]
    redis del "$PREFIX:rows:$tenant:$user" >/dev/null
    run -0 arda-notifyd --redrive
    [ "$(redis hlen "$PREFIX:rows:$tenant:$user")" = 1 ]
    letters_are 0
}

@test "a Redis that takes no writes at the start is waited for, with a line about it" {
    redis config set maxmemory 1 >/dev/null
    start waiting arda-notifyd --prefix "again$BATS_TEST_NUMBER"
    wait_for err_has waiting "the beginning cannot be recorded: "
    redis config set maxmemory 0 >/dev/null
    wait_for err_has waiting ": ready"
}
