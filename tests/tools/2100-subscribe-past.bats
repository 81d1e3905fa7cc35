#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe: the past, past then live, every tenant, and gaps.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

# entry ID EVENTID [TENANT]: an entry of the stream with an id of its own.
entry() {
    redis xadd "arda:stream:${3:-$tenant}" "$1" envelope \
        '{"type":"x.y","tenantId":"'"${3:-$tenant}"'","eventId":"'"$2"'"}' type x.y source s timestamp t >/dev/null
}
# Publishes a line on both channels, without an entry in the stream.
bare() { # TENANT LINE
    redis publish arda:events:global "$2" >/dev/null
    redis publish "arda:events:$1" "$2" >/dev/null
}
entries() { local i; for i in 1 2 3 4 5; do entry "${i}000-0" "e$i"; done; }
ids() { jq -r .eventId | paste -sd' '; }
gap_of() { grep '^{"gap"' "$RUN_DIR/$1.err"; }

@test "--since and --until cut the past; then it ends" {
    entries
    check() { # EXPECTED OPTION...
        local expected=$1
        shift
        run --separate-stderr arda-subscribe "$@" "$tenant"
        [ "$status" = "$([ -z "$expected" ] && echo 1 || echo 0)" ]
        [ "$(ids <<<"$output")" = "$expected" ]
        [ -z "$stderr" ]
    }
    check "e1 e2 e3 e4 e5" --since start
    check "e3 e4 e5" --since 1970-01-01T00:00:03Z
    check "e3 e4 e5" --since 3
    check "e4 e5" --since 3000-1
    check "e2 e3" --since 2000-0 --until 3000-0
    check "e2" --since 1970-01-01T00:00:01.5Z --until 3
    check "e1 e2 e3 e4 e5" --since start --until end
    check "" --since -1m
    check "e4 e5" --last 2
    check "e2 e3" --last 2 --until 3.5
    check "e1 e2 e3 e4 e5" --last 50
    check "e1 e2" --since start --count 2
}

@test "an eventId is a position, for arda-publish's events too" {
    for stage in created triggered ordered received; do card "$tenant" "$stage"; done | arda-publish
    mapfile -t id < <(arda-subscribe --since start "$tenant" | jq -r .eventId)
    [ "${#id[@]}" = 4 ]
    run arda-subscribe --since "${id[1]}" "$tenant"
    [ "$(jq -r .toStage <<<"$output" | paste -sd' ')" = "triggered ordered received" ]
    run arda-subscribe --since "${id[1]}" --until "${id[2]}" "$tenant"
    [ "$(jq -r .toStage <<<"$output" | paste -sd' ')" = "triggered ordered" ]
    run arda-subscribe --since "$(uuid)" "$tenant"
    [ "$status" = 1 ]
    [[ $output == *"$tenant: no event "*" in the stream of $tenant" ]]
}

@test "--last counts what the filters let through" {
    for i in 1 2 3 4 5 6; do
        entry "${i}-0" "e$i"
        redis xadd "arda:stream:$tenant" "$i-1" envelope '{"type":"other"}' >/dev/null
    done
    run arda-subscribe --last 2 --type 'x.*' "$tenant"
    [ "$(ids <<<"$output")" = "e5 e6" ]
}

@test "an empty stream, and one that does not exist, have nothing: status 1" {
    run arda-subscribe --since start "$tenant"
    [ "$status" = 1 ]
    [ -z "$output" ]
    run arda-subscribe --last 3 "$tenant"
    [ "$status" = 1 ]
    entry 1-1 e1
    redis xtrim "arda:stream:$tenant" maxlen 0
    run arda-subscribe --since start "$tenant"
    [ "$status" = 1 ]
    [ -z "$output" ]
}

@test "past then live: --follow goes on where the stream ended" {
    entries
    start sub arda-subscribe --since 3 --follow --count 5 "$tenant"
    wait_for lines_of sub 3
    wait_for subscribers "$tenant" 1
    card "$tenant" created | arda-publish
    bare "$tenant" "$(card "$tenant" received)"
    join sub
    [ "$status" = 0 ]
    [ "$(out sub | head -n 3 | ids)" = "e3 e4 e5" ]
    [ "$(out sub | tail -n 2 | jq -r .toStage | paste -sd' ')" = "created received" ]
}

@test "--follow alone begins at the end; --last goes before it" {
    entries
    start sub arda-subscribe --follow --count 1 "$tenant"
    start last arda-subscribe --follow --last 1 --count 2 "$tenant"
    wait_for subscribers "$tenant" 2
    wait_for lines_of last 1
    card "$tenant" | arda-publish
    join sub
    join last
    [ "$(out sub | jq -r .type)" = card.transition ]
    [ "$(out last | head -n 1 | ids)" = e5 ]
}

@test "--until in the future ends a program that follows" {
    entries
    start sub arda-subscribe --since 4 --follow --until +1s "$tenant"
    wait_for lines_of sub 2
    join sub
    [ "$status" = 0 ]
    start none arda-subscribe --until +300ms "$tenant"
    join none
    [ "$status" = 1 ]
    last=$(uuid)
    start event arda-subscribe --until "$last" "$tenant"
    wait_for subscribers "$tenant" 1
    card "$tenant" | jq -c ".eventId=\"$(uuid)\"" | arda-publish
    card "$tenant" | jq -c ".eventId=\"$last\"" | arda-publish
    join event
    [ "$status" = 0 ]
    [ "$(out event | wc -l)" = 2 ]
    [ "$(out event | tail -n 1 | ids)" = "$last" ]
}

@test "several tenants, each from its own stream" {
    other=$(uuid)
    entries
    entry 1-1 o1 "$other"
    run arda-subscribe --since start "$tenant" "$other" "$tenant"
    [ "$(ids <<<"$output" | tr ' ' '\n' | sort | paste -sd' ')" = "e1 e2 e3 e4 e5 o1" ]
}

@test "--all: the tenants of the directory, past and live, and new ones" {
    redis flushall
    second=$(uuid) third=$(uuid) fourth=$(uuid)
    arda-directory set loop "$tenant" l1
    arda-directory set loop "$second" l1
    entries
    entry 1-1 s1 "$second"
    entry 1-1 t1 "$third"
    run arda-subscribe --all --since start
    [ "$(ids <<<"$output" | tr ' ' '\n' | sort | paste -sd' ')" = "e1 e2 e3 e4 e5 s1" ]
    start sub arda-subscribe --all --since start --follow --check-every 100ms --count 11
    start live arda-subscribe --all --check-every 100ms --count 4
    wait_for lines_of sub 6
    wait_for subscribers "$second" 2
    card "$second" | arda-publish
    wait_for subscribers global 2
    # Unknown until now: once by its event, once by the directory.
    card "$third" | arda-publish
    bare "$fourth" "$(card "$fourth" | jq -c '.eventId="only-global"')"
    wait_for lines_of live 3
    wait_for subscribers "$fourth" 2
    card "$fourth" | arda-publish
    join sub
    join live
    [ "$(out live | jq -r .tenantId | paste -sd' ')" = "$second $third $fourth $fourth" ]
    # t1 is the past of a tenant that was not in the directory at the start.
    [ "$(out sub | grep -c '"t1"')" = 1 ]
}

@test "--all of an empty directory ends with 1, or waits" {
    redis flushall
    run arda-subscribe --all --since start
    [ "$status" = 1 ]
    run arda-subscribe --all --timeout 100ms
    [ "$status" = 124 ]
    run arda-subscribe --all --idle 100ms
    [ "$status" = 1 ]
}

@test "--all finds a tenant that is added to the directory" {
    redis flushall
    start sub arda-subscribe --all --since start --follow --check-every 50ms --count 1
    wait_for subscribers global 1
    redis xadd "arda:stream:$tenant" '*' envelope '{"type":"x"}' >/dev/null
    arda-directory set loop "$tenant" l1
    join sub
    [ "$(out sub)" = '{"type":"x"}' ]
}

@test "--tenants lists what the directory knows and what has a stream" {
    redis flushall
    run arda-subscribe --tenants
    [ "$status" = 1 ]
    entry 1770552000000-3 e1 acme
    entry 1770552000001-0 e2 acme
    arda-directory set loop beta l1
    run --separate-stderr arda-subscribe --tenants
    [ "$status" = 0 ]
    [ "$output" = '{"tenantId":"acme","directory":false,"length":2,"last":"1770552000001-0","time":"2026-02-08T12:00:00.001Z"}
{"tenantId":"beta","directory":true,"length":0,"last":null,"time":null}' ]
    redis set arda:stream:gamma x
    redis xadd arda:stream:global '*' a b
    run --separate-stderr arda-subscribe --tenants
    [ "$status" = 65 ]
    [ "$(wc -l <<<"$output")" = 3 ]
    [[ $stderr == "arda-subscribe: tenant gamma: "*WRONGTYPE* ]]
    run --separate-stderr arda-subscribe --tenants --prefix other
    [ "$status" = 1 ]
    command -v script >/dev/null || skip "no script(1)"
    run script -qec "arda-subscribe --tenants" /dev/null
    [[ $output == *"acme "*"2  2026-02-08T12:00:00.001Z  not in the directory"* ]]
}

@test "what was trimmed is a gap: on standard error, or among the events" {
    entries
    redis xtrim "arda:stream:$tenant" maxlen 2
    start sub arda-subscribe --since 1 "$tenant"
    join sub
    [ "$status" = 0 ]
    [ "$(out sub | ids)" = "e4 e5" ]
    [ "$(gap_of sub)" = '{"gap":{"tenantId":"'"$tenant"'","from":"1000-0","to":"4000-0","cause":"trimmed","count":null}}' ]
    start sub arda-subscribe --since 1 --gaps --fail-on-gap "$tenant"
    join sub
    [ "$status" = 1 ]
    [ "$(out sub | jq -r '.eventId // .gap.cause' | paste -sd' ')" = "trimmed e4 e5" ]
    run ! grep gap "$RUN_DIR/sub.err"
    run --separate-stderr arda-subscribe --since start --fail-on-gap "$tenant"
    [ "$status" = 0 ]
}

@test "an outage is a gap; what the stream has is printed, once" {
    start live arda-subscribe --count 3 --fail-on-gap "$tenant"
    start follow arda-subscribe --follow --count 3 --gaps "$tenant"
    wait_for subscribers "$tenant" 2
    card "$tenant" created | arda-publish
    wait_for lines_of live 1
    wait_for lines_of follow 1
    # In one step: both lose their subscription, and an event is published before they are back.
    envelope=$(card "$tenant" ordered | jq -c '{id:"lost-1",event:.}')
    printf '%s\n' multi "client kill type pubsub" "publish arda:events:$tenant '$envelope'" \
        "xadd arda:stream:$tenant * envelope '$envelope'" exec | redis >/dev/null
    wait_for lines_of live 2
    card "$tenant" received | arda-publish
    join live
    [ "$status" = 1 ]
    [ "$(out live | jq -r .toStage | paste -sd' ')" = "created ordered received" ]
    [[ $(gap_of live) == *'"cause":"redis_away","count":null}}' ]]
    join follow
    [ "$status" = 0 ]
    [ "$(out follow | jq -r '.toStage // .gap.cause' | paste -sd' ')" = "created redis_away ordered received" ]
}

@test "a restart that loses the stream is a gap" {
    port=$REDIS_PORT url=$REDIS_URL
    unset REDIS_PORT
    start_redis
    start sub arda-subscribe --follow --count 2 --gaps "$tenant"
    wait_for subscribers "$tenant" 1
    card "$tenant" created | arda-publish
    wait_for lines_of sub 1
    stop redis KILL
    launch_redis
    wait_for subscribers "$tenant" 1
    card "$tenant" received | arda-publish
    join sub
    told=$(out sub | jq -r '.toStage // .gap.cause' | paste -sd' ')
    echo "$told"
    [ "$told" = "created stream_lost redis_away received" ]
    stop_all
    export REDIS_PORT=$port REDIS_URL=$url
}

@test "--global has no past, and says when it was away" {
    start sub arda-subscribe --global --count 2 --gaps
    wait_for subscribers global 1
    card "$tenant" | arda-publish
    wait_for lines_of sub 1
    redis client kill type pubsub
    wait_for subscribers global 1
    card "$tenant" | arda-publish
    join sub
    [ "$(out sub | jq -r '.type // .gap.cause' | paste -sd' ')" = "card.transition redis_away card.transition" ]
}

@test "events that come without a message are found by the check, and it subscribes anew" {
    start sub arda-subscribe --check-every 100ms --count 3 "$tenant"
    wait_for subscribers "$tenant" 1
    redis xadd "arda:stream:$tenant" '*' envelope '{"type":"a","eventId":"a1"}' >/dev/null
    redis xadd "arda:stream:$tenant" '*' envelope '{"type":"b","eventId":"b1"}' >/dev/null
    wait_for lines_of sub 2
    wait_for err_has sub "subscribing again"
    wait_for subscribers "$tenant" 1
    redis publish "arda:events:$tenant" '{"type":"b","eventId":"b1"}'
    redis publish "arda:events:$tenant" '{"type":"c","eventId":"c1"}'
    join sub
    [ "$(out sub | jq -r .type | paste -sd' ')" = "a b c" ]
}

@test "a stream that is none, or may not be read" {
    redis set "arda:stream:$tenant" x
    run arda-subscribe --since start "$tenant"
    [ "$status" = 65 ]
    [[ $output == *"$tenant: redis "*WRONGTYPE* ]]
    redis acl setuser reader on '>secret' '~arda:*' '&*' +@all -xinfo
    run arda-subscribe --redis "redis://reader:secret@127.0.0.1:$REDIS_PORT" --since start "$tenant"
    [ "$status" = 77 ]
    # The channel alone is enough for what comes.
    start sub arda-subscribe --redis "redis://reader:secret@127.0.0.1:$REDIS_PORT" --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    redis publish "arda:events:$tenant" '{"type":"c"}'
    join sub
    [ "$status" = 0 ]
}

@test "options that contradict each other" {
    refused() { # TEXT OPTION...
        local text=$1
        shift
        run arda-subscribe "$@"
        [ "$status" = 64 ]
        [ "$output" = "arda-subscribe: $text" ]
    }
    sources="expected one or more tenants, or one of --all, --global and --tenants"
    refused "$sources"
    refused "$sources" --all "$tenant"
    refused "$sources" --all --global
    refused "$sources" --tenants "$tenant"
    refused "$sources" --tenants --global
    for option in --since=-1m --until=+1m --last=2 --follow --cursor="$RUN_DIR/c"; do
        refused "--global: this channel has no past; --all reads that of every tenant" --global "$option"
        refused "--tenants: lists tenants, not events" --tenants "$option"
    done
    refused "--since and --last exclude each other" --since start --last 2 "$tenant"
    refused "--since=end: nothing is there without --follow" --since end "$tenant"
    refused "--until=start: nothing is before it" --until start "$tenant"
    refused "--until=end: does not go with following" --until end "$tenant"
    refused "--until=end: does not go with following" --since start --follow --until end "$tenant"
    refused "--since is after --until" --since 3 --until 2 "$tenant"
    refused "--since is after --until" --since 3000-1 --until 3000-0 "$tenant"
    refused "--until is over; --since or --last print the past" --until -1m "$tenant"
    refused "--since: expected a time such as 2026-02-08T12:00:00Z, 1770552000 or -10m, a stream id, an eventId, start or end, got \`noon'" \
        --since noon "$tenant"
    refused "--until: expected a time such as 2026-02-08T12:00:00Z, 1770552000 or -10m, a stream id, an eventId, start or end, got \`'" \
        --until '' "$tenant"
    [ ! -e "$RUN_DIR/c" ]
}
