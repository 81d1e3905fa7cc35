#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-replay and Redis: what is published, what is not published again, shadows, outages.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

# events FIRST LAST: lines with `n`, a millisecond apart.
events() {
    seq "$1" "$2" | awk -v tenant="$tenant" '{
        printf "{\"type\":\"card.transition\",\"tenantId\":\"%s\",\"n\":%d,", tenant, $1
        printf "\"eventId\":\"0b9f4b1e-0000-4000-8000-%012d\",", $1
        printf "\"timestamp\":\"2026-02-08T12:00:%02d.%03dZ\"}\n", $1 / 1000, $1 % 1000 }'
}

# envelopes [TENANT]: those in the stream, one a line.
envelopes() { redis --raw xrange "arda:stream:${1:-$tenant}" - + | sed -n '/^envelope$/{n;p;}'; }
numbers() { envelopes "$@" | jq -c .event.n | paste -sd' '; }
length() { redis xlen "arda:stream:${1:-$tenant}"; }
has_length() { [ "$(length "$1")" -ge "$2" ]; }

@test "events are published on both channels and in the stream, with new ids and marked" {
    events 1 3 >"$RUN_DIR/in"
    start own arda-subscribe --count 3 "$tenant"
    start global redis-cli -p "$REDIS_PORT" subscribe arda:events:global
    wait_for subscribers "$tenant" 1
    wait_for lines_of global 3
    run --separate-stderr arda-replay "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$output" = "" ]
    join own
    [ "$(out own | jq -c .n | paste -sd' ')" = "1 2 3" ]
    wait_for lines_of global 12
    diff <(sed -n '6p;9p;12p' "$RUN_DIR/global.out") "$RUN_DIR/own.out"
    envelopes | jq -se 'length == 3 and all(.replayed == true and .id == .event.eventId)'
    diff <(envelopes | jq -c .event) <(out own | jq -c .)
    run ! grep -q 0b9f4b1e-0000 "$RUN_DIR/own.out"
}

@test "--envelope wraps events on the channels" {
    events 1 1 >"$RUN_DIR/in"
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
    arda-replay --envelope "$RUN_DIR/in"
    wait_for lines_of own 6
    sed -n 6p "$RUN_DIR/own.out" | jq -e '.replayed and .event.n == 1'
}

@test "a run is not published twice, another one is" {
    events 1 5 >"$RUN_DIR/in"
    arda-replay --run r1 --instant "$RUN_DIR/in"
    run --separate-stderr arda-replay --run r1 --instant "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "${stderr_lines[1]}" = "arda-replay: sent 0 in 0.000 s; known already: 5" ]
    [ "$(length)" = 5 ]
    arda-replay --run r2 --instant "$RUN_DIR/in"
    [ "$(length)" = 10 ]
    arda-replay --instant "$RUN_DIR/in"
    [ "$(length)" = 15 ]
}

@test "a run is known by the stream, too, when Redis has forgotten the ids" {
    events 1 5 >"$RUN_DIR/in"
    arda-replay --run r1 --instant --dedupe-for 1ms "$RUN_DIR/in"
    arda-replay --run r1 --instant --dedupe-for 0 "$RUN_DIR/in"
    [ "$(length)" = 5 ]
}

@test "--keep-ids leaves out what is in the stream, whoever has published it" {
    events 1 6 >"$RUN_DIR/in"
    sed -n 2p "$RUN_DIR/in" | sed 's/card.transition/card.moved/' | arda-publish --allow-unknown
    third=$(sed -n 3p "$RUN_DIR/in")
    redis xadd "arda:stream:$tenant" '*' envelope '{"id":"'"$(jq -r .eventId <<<"$third")"'","event":{"type":"x"}}' type x source s timestamp t
    redis xadd "arda:stream:$tenant" '*' envelope 'not JSON' type x source s timestamp t
    redis xadd "arda:stream:$tenant" '*' other field
    run --separate-stderr arda-replay --keep-ids --instant "$RUN_DIR/in"
    [ "$status" = 0 ]
    [[ "$stderr" == "arda-replay: sent 4 in "*"; known already: 2" ]]
    [ "$(envelopes | tail -n 4 | jq -c .event.n | paste -sd' ')" = "1 4 5 6" ]
    diff <(envelopes | tail -n 4 | jq -r .id) <(sed -n '1p;4,6p' "$RUN_DIR/in" | jq -r .eventId)
}

@test "--keep-ids leaves out what is no longer in the stream, as long as its id is remembered" {
    events 1 6 >"$RUN_DIR/in"
    arda-replay --keep-ids --instant "$RUN_DIR/in"
    redis del "arda:stream:$tenant"
    run --separate-stderr arda-replay --keep-ids --instant "$RUN_DIR/in"
    [[ "$stderr" == *"known already: 6" ]]
    [ "$(length)" = 0 ]
}

@test "--keep-ids with an id that is no identifier: kept, known by the stream" {
    echo '{"type":"x","tenantId":"'"$tenant"'","eventId":"no identifier/at all"}' >"$RUN_DIR/in"
    for _ in 1 2; do arda-replay --keep-ids "$RUN_DIR/in"; done
    [ "$(envelopes | jq -r .id)" = "no identifier/at all" ]
}

@test "--shadow: the tenant's shadow gets the events, and is one before the first of them" {
    events 1 3 >"$RUN_DIR/in"
    start monitor redis-cli -p "$REDIS_PORT" monitor
    wait_for out_has monitor OK
    arda-replay --shadow=-shadow --instant "$RUN_DIR/in"
    [ "$(length)" = 0 ]
    [ "$(numbers "$tenant-shadow")" = "1 2 3" ]
    envelopes "$tenant-shadow" | jq -se --arg tenant "$tenant-shadow" 'all(.event.tenantId == $tenant)'
    [ "$(redis sismember arda:shadows "$tenant-shadow")" = 1 ]
    [ "$(redis sismember arda:shadows "$tenant")" = 0 ]
    wait_for out_has monitor XADD
    [[ "$(grep -m 1 -oE 'SADD|XADD|PUBLISH' "$RUN_DIR/monitor.out")" == SADD ]]
}

@test "--shadow: an id that gets too long, and an event without a tenant, are bad lines" {
    {
        events 1 1
        echo '{"type":"x","tenantId":"'"$tenant"'0123456789012345678901234"}'
        echo '{"type":"x"}'
    } >"$RUN_DIR/in"
    run --separate-stderr arda-replay --shadow=-abc --instant "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${stderr_lines[1]}" = "arda-replay: $RUN_DIR/in: line 2: tenantId: with --shadow it is longer than 64 characters" ]
    [ "${stderr_lines[2]}" = "arda-replay: $RUN_DIR/in: line 3: no tenantId, so there is no shadow of it" ]
    [ "$(length "$tenant-abc")" = 1 ]
    redis del "arda:stream:$tenant-abc"
}

@test "a replay of nothing says so, exit 1" {
    run --separate-stderr arda-replay --from-stream=nosuch --instant -q
    [ "$status:$output:$stderr" = "1::arda-replay: nothing was replayed: the stream of nosuch has no such events" ]
    run --separate-stderr arda-replay --from-stream=nosuch --stdout -q
    [ "$status:$output:$stderr" = "1::arda-replay: nothing was replayed: the stream of nosuch has no such events" ]
    run -0 --separate-stderr arda-replay --from-stream=nosuch --plan
    [ "$(jq .events <<<"$output")" = 0 ]
    run --separate-stderr arda-replay --stdout -q </dev/null
    [ "$status:$output:$stderr" = "1::arda-replay: nothing was replayed: the input has no events" ]
    events 1 3 >"$RUN_DIR/in"
    run --separate-stderr arda-replay --instant -q --type 'none*' "$RUN_DIR/in"
    [ "$status:$output:$stderr" = "1::arda-replay: nothing was replayed: no event passes --type" ]
    [ "$(redis exists "arda:stream:$tenant")" = 0 ]
    # What was sent before is not nothing.
    arda-replay --checkpoint "$RUN_DIR/checkpoint" --instant "$RUN_DIR/in"
    arda-replay --checkpoint "$RUN_DIR/checkpoint" --instant "$RUN_DIR/in"
}

@test "--from-stream replays a stream, as it is at the start, into itself or elsewhere" {
    events 1 2500 | arda-replay -q --instant
    arda-replay --from-stream "$tenant" --tenant "$tenant-copy" --instant
    diff <(numbers) <(numbers "$tenant-copy")
    arda-replay --from-stream "$tenant" --instant
    [ "$(length)" = 5000 ]
    arda-replay --from-stream "$tenant" --stdout --instant | jq -c .n >"$RUN_DIR/printed"
    diff "$RUN_DIR/printed" <(numbers | tr ' ' '\n')
    run -1 arda-replay --from-stream "$tenant" --tenant "$tenant-copy" --repeat 2 --instant --type 'none*'
    [ "$(length "$tenant-copy")" = 2500 ]
}

@test "--from-stream: since and until; a stream that is not there is empty, exit 1" {
    for i in 1 2 3 4; do redis xadd "arda:stream:$tenant" "$i-0" envelope '{"id":"0b9f4b1e-0000-4000-8000-00000000000'"$i"'","event":{"type":"x","n":'"$i"'}}'; done
    part() { arda-replay -q --from-stream "$tenant" --stdout --instant "$@" | jq -c .n | paste -sd' '; }
    [ "$(part)" = "1 2 3 4" ]
    [ "$(part --since 2-0 --until 3-0)" = "2 3" ]
    [ "$(part --since 0b9f4b1e-0000-4000-8000-000000000003)" = "3 4" ]
    [ "$(part --until 0b9f4b1e-0000-4000-8000-000000000002)" = "1 2" ]
    [ "$(part --since end)" = "" ]
    [ "$(part --since 4-0 --until 1-0)" = "" ]
    run --separate-stderr arda-replay --from-stream "$(uuid)"
    [ "$status" = 1 ]
    [ "${stderr_lines[1]}" = "arda-replay: sent 0 in 0.000 s" ]
    run --separate-stderr arda-replay -q --from-stream "$tenant" --since "$(uuid)"
    [ "$status" = 1 ]
    [[ "$stderr" == "arda-replay: no event "* ]]
}

@test "--from-stream: entries that are no events are named, the others are replayed" {
    redis xadd "arda:stream:$tenant" 1-0 envelope 'no JSON'
    redis xadd "arda:stream:$tenant" 2-0 envelope '{"event":{"type":"x","n":2}}'
    redis xadd "arda:stream:$tenant" 3-0 other field
    run --separate-stderr arda-replay --from-stream "$tenant" --stdout --instant
    [ "$status" = 65 ]
    [ "$(jq -c .n <<<"$output")" = 2 ]
    [[ "${stderr_lines[1]}" == "arda-replay: stream of $tenant: entry 1-0: column 1: "* ]]
    [[ "${stderr_lines[2]}" == "arda-replay: stream of $tenant: entry 3-0: column 1: "* ]]
}

@test "Redis away: said once, retried, then it is said where it ended, exit 75" {
    events 1 2 >"$RUN_DIR/in"
    run --separate-stderr arda-replay -q --redis redis://127.0.0.1:1 --retry-for 300ms "$RUN_DIR/in"
    [ "$status" = 75 ]
    [ "${stderr_lines[0]}" = "arda-replay: giving up after 0.3 s: redis 127.0.0.1:1: Connection refused" ]
    [ "${stderr_lines[1]}" = "arda-replay: $RUN_DIR/in: line 1: not sent, nor what follows" ]
}

@test "connections that are lost in the middle lose nothing and double nothing" {
    events 1 600 >"$RUN_DIR/in"
    start replay arda-replay --max-late 1h "$RUN_DIR/in"
    for reached in 100 250 400; do
        wait_for has_length "$tenant" "$reached"
        redis client kill type normal >/dev/null
    done
    join replay
    [ "$status" = 0 ]
    [ "$(numbers | tr ' ' '\n' | sort -n | uniq | wc -l)" = 600 ]
    [ "$(length)" = 600 ]
}

@test "what Redis does not permit is 77" {
    events 1 1 >"$RUN_DIR/in"
    redis acl setuser replayer on '>secret' '+@all' -script -eval -evalsha '~*' '&*' >/dev/null
    run --separate-stderr arda-replay --redis "redis://replayer:secret@127.0.0.1:$REDIS_PORT" "$RUN_DIR/in"
    [ "$status" = 77 ]
    redis acl setuser replayer -sadd +script +eval +evalsha >/dev/null
    run --separate-stderr arda-replay --shadow=-x --redis "redis://replayer:secret@127.0.0.1:$REDIS_PORT" "$RUN_DIR/in"
    [ "$status" = 77 ]
    [ "$(length "$tenant-x")" = 0 ]
}

@test "a signal ends it; what is not confirmed is said, and the shell sees the signal" {
    { events 1 1; events 59000 59000; } >"$RUN_DIR/in"
    for signal in INT TERM HUP; do
        start replay arda-replay --run "$signal" "$RUN_DIR/in"
        published() { [ "$(length)" -ge 1 ]; }
        wait_for published
        stop replay "$signal"
        [ "$status" = $((128 + $(kill -l "$signal"))) ]
        err_has replay 'sent 1 in'
        redis del "arda:stream:$tenant"
    done
}
