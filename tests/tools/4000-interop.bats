#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Beside services written in TypeScript: ioredis, envelopes on both channels, the same text in the
# stream (tests/lib/service.js has their conventions).

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

service() { node "$top_srcdir/tests/lib/service.js" "$@"; }

@test "their subscriber reads what we publish, on both channels" {
    start theirs service subscribe "$tenant" 2
    wait_for subscribers "$tenant" 1
    wait_for subscribers global 1
    arda-publish loop.parameters_changed tenantId="$tenant" loopId="$tenant" changeType=manual reason=ü
    join theirs
    [ "$(out theirs | jq -r '.channel + " " + .event.type + " " + .event.reason' | sort | paste -sd'|')" = \
        "arda:events:$tenant loop.parameters_changed ü|arda:events:global loop.parameters_changed ü" ]
}

@test "their reader of the stream reads our entries" {
    card "$tenant" | arda-publish --source kanban
    run service read "$tenant"
    [ "$status" = 0 ]
    [ "$(jq -c '[.source, .schemaVersion, .event.type, (.id == .event.eventId)]' <<<"$output")" = '["kanban",1,"card.transition",true]' ]
}

@test "arda-subscribe reads what they publish, the gateway forwards it" {
    start_gateway
    client browser "$tenant"
    start ours arda-subscribe --count 1 "$tenant"
    start all arda-subscribe --count 1 --global
    wait_for subscribers "$tenant" 2
    wait_for subscribers global 1
    event=$(card "$tenant")
    service publish "$event"
    join ours
    join all
    wait_for got browser 1
    [ "$(out ours)" = "$event" ]
    [ "$(out all)" = "$event" ]
    [ "$(events browser)" = "$event" ]
}

@test "what they publish goes on through our pipes with its id" {
    start ours arda-subscribe --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    service publish "$(card "$tenant")"
    join ours
    id=$(redis --raw xrange "arda:stream:$tenant" - + | sed -n 3p | jq -r .id)
    redis --raw xrange "arda:stream:$tenant" - + | sed -n 3p | arda-publish --dry-run | jq -e '.eventId == "'"$id"'"'
}
