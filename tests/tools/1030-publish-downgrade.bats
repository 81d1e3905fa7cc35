#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-publish --downgrade: a new form of a type and its old one in one step.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    card=$(uuid)
}
teardown() { stop_all; }

# map [JQ]: the map of these tests, changed.
map() {
    jq "${1:-.}" "${top_srcdir:?}/tests/data/publish/map.json" >"$RUN_DIR/map.json"
}

v2() { # [TO]
    echo '{"type":"card.transition.v2","tenantId":"'"$tenant"'","card":"'"$card"'","loopId":"'"$card"'",
        "from":"created","to":"'"${1:-triggered}"'","operator":{"shift":2}}' | tr -d '\n'
    echo
}
publish() { arda-publish --downgrade "$RUN_DIR/map.json" "$@"; }
dry() { publish --dry-run "$@"; }
envelopes() { redis --raw xrange "arda:stream:$tenant" - + | grep '^{'; }

# refuse_map MESSAGE [JQ]
refuse_map() {
    [ -z "${2:-}" ] || map "$2"
    run --separate-stderr dry </dev/null
    [ "$status" = 78 ]
    [ "$stderr" = "arda-publish: $RUN_DIR/map.json: $1" ]
}

@test "both forms are published in one step, on the channels and in the stream" {
    map
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
    v2 | publish --source kanban --correlation-id c-1
    wait_for lines_of own 9
    [ "$(envelopes | jq -r .event.type | paste -sd' ')" = 'card.transition.v2 card.transition' ]
    [ "$(sed -n '6p;9p' "$RUN_DIR/own.out" | jq -c .)" = "$(envelopes | jq -c .event)" ]
    [ "$(envelopes | jq -c '[.source, .correlationId, .id == .event.eventId]' | uniq)" = \
        '["kanban","c-1",true]' ]
    [ "$(envelopes | jq -r .id | uniq | wc -l)" = 2 ]
    [ "$(envelopes | jq -r .event.timestamp | uniq | wc -l)" = 1 ]
    [ "$(envelopes | tail -n 1 | jq -c '.event | [.fromStage, .toStage, .method, .schemaVersion]')" = \
        '["created","triggered","system",1]' ]
    [ "$(redis --raw xrange "arda:stream:$tenant" - + | grep -c '^card.transition$')" = 1 ]
}

@test "the old form has an id that follows from the new one's; a second run doubles neither" {
    map
    v2 | publish -k once
    v2 | publish -k once
    [ "$(envelopes | wc -l)" = 2 ]
    id=$(envelopes | head -n 1 | jq -r .id)
    hash=$(printf card.transition | openssl dgst -sha256 -hmac "$id" | sed 's/.* //')
    got=$(envelopes | tail -n 1 | jq -r .id | tr -d -)
    [ "${got:0:12}${got:13:3}" = "${hash:0:12}${hash:13:3}" ]
    [ "${got:12:1}" = 8 ]
}

@test "answers get lost: both forms arrive once" {
    map
    v2 >"$RUN_DIR/line"
    for i in $(seq 500); do cat "$RUN_DIR/line"; done >"$RUN_DIR/in"
    start cutter python3 "$top_srcdir/tests/lib/cutter.py" "$REDIS_PORT" some 5 "$RANDOM"
    wait_for lines_of cutter 1
    publish --redis "redis://127.0.0.1:$(out cutter)" "$RUN_DIR/in"
    [ "$(redis xlen "arda:stream:$tenant")" = 1000 ]
    [ "$(envelopes | jq -r .id | sort | uniq | wc -l)" = 1000 ]
    [ "$(envelopes | jq -r .event.type | sort | uniq -c | tr -s ' ' | paste -sd,)" = \
        ' 500 card.transition, 500 card.transition.v2' ]
}

@test "other types pass as they are; without a map the new type is unknown" {
    map
    card "$tenant" | dry | jq -e '.type == "card.transition"'
    run --separate-stderr arda-publish --dry-run < <(v2)
    [ "$status" = 65 ]
    [[ "$stderr" == *'"card.transition.v2" is not one of'* ]]
}

@test "an old form that is not right keeps both back, and says so" {
    map
    run --separate-stderr publish < <(v2 tirggered)
    [ "$status" = 65 ]
    [[ "$stderr" == 'arda-publish: line 1: as card.transition: toStage: "tirggered" is not one of '* ]]
    [ "$(redis exists "arda:stream:$tenant")" = 0 ]
}

@test "members: renamed ones win over those that had the name, constants over all, swaps work" {
    map '.rename = {"card":"cardId","from":"fromStage","to":"toStage","loopId":"spare","spare":"loopId"}'
    line='{"type":"card.transition.v2","tenantId":"'$tenant'","card":"'$card'","cardId":"old",'
    line+='"method":"auto","from":null,"to":"ordered","loopId":"x","spare":"'$card'","userId":"'$card'"}'
    run --separate-stderr dry <<<"$line"
    [ "$status" = 0 ]
    [ "$(jq -c 'del(.timestamp, .eventId)' <<<"${lines[1]}")" = \
        '{"type":"card.transition","tenantId":"'"$tenant"'","cardId":"'"$card"'","fromStage":null,"toStage":"ordered","spare":"x","loopId":"'"$card"'","userId":"'"$card"'","method":"system","schemaVersion":1}' ]
    # Without its source a name stays with who has it.
    [ "$(jq -r .cardId <<<"$(dry <<<"${line/\"card\":\"$card\",\"cardId\":\"old\"/\"cardId\":\"$tenant\"}" | tail -n 1)")" = "$tenant" ]
}

@test "past untilDate: a warning, and the new form alone" {
    map '.fromDate = "2020-01-01" | .untilDate = "2020-12-31"'
    run --separate-stderr publish < <(v2; v2)
    [ "$status" = 0 ]
    [ "$stderr" = "arda-publish: $RUN_DIR/map.json: untilDate is past: card.transition is not published any more" ]
    [ "$(envelopes | jq -r .event.type | uniq)" = card.transition.v2 ]
}

@test "less than 90 days are refused; a date is a day or a moment" {
    refuse_map 'untilDate: expected 90 days or more after fromDate, got 89' \
        '.fromDate = "2026-01-01" | .untilDate = "2026-03-31"'
    map '.fromDate = "2026-01-01" | .untilDate = "2026-04-01T00:00:00Z"'
    dry </dev/null
    refuse_map 'untilDate: expected 90 days or more after fromDate, got 89' \
        '.fromDate = "2026-01-01" | .untilDate = "2026-03-31T23:59:59Z"'
    refuse_map 'fromDate: expected a date such as "2026-02-08", got "2026-02-30"' '.fromDate = "2026-02-30"'
    refuse_map 'untilDate: expected a date such as "2026-02-08", got 5' '.untilDate = 5'
    refuse_map 'fromDate: missing' 'del(.fromDate)'
}

@test "a map that is wrong is refused with its place" {
    printf '{\n  "from": card' >"$RUN_DIR/map.json"
    refuse_map 'line 2: column 11: expected a value'
    printf '' >"$RUN_DIR/map.json"
    refuse_map 'line 1: column 1: expected a value'
    echo '[]' >"$RUN_DIR/map.json"
    refuse_map 'expected a JSON object'
    echo '{"from":"a","from":"b"}' >"$RUN_DIR/map.json"
    refuse_map 'from: is there twice'
    rm "$RUN_DIR/map.json"
    refuse_map 'No such file or directory'
    refuse_map '"remane": is not one of from, to, fromDate, untilDate, rename, drop, constant' '.remane = {}'
    refuse_map 'from: missing' 'del(.from)'
    refuse_map 'from: expected an event type' '.from = ""'
    refuse_map 'to: missing' 'del(.to)'
    refuse_map 'to: expected a type of the catalog (see --help types)' '.to = "card.moved"'
    refuse_map 'to: is the same type as from' '.from = .to'
    refuse_map 'rename: expected an object' '.rename = []'
    refuse_map 'rename.a: expected a name that is not empty, got 5' '.rename = {"a":5}'
    refuse_map 'rename: expected names of members that are not empty' '.rename = {"":"a"}'
    refuse_map 'drop: expected an array of names' '.drop = {}'
    refuse_map 'drop: expected names of members that are not empty' '.drop = [5]'
    refuse_map 'constant: expected an object' '.constant = 5'
    refuse_map "drop: \`card' is renamed or dropped twice" '.drop = ["card"]'
    refuse_map "rename.b: \`cardId' would be there twice" '.rename.b = "cardId"'
    refuse_map "constant.cardId: \`cardId' would be there twice" '.constant.cardId = 1'
    for change in '.rename = {"type":"a"}' '.rename = {"a":"eventId"}' '.drop = ["tenantId"]' \
        '.constant = {"timestamp":1}'; do
        map "$change"
        run --separate-stderr dry </dev/null
        [ "$status" = 78 ]
        [[ "$stderr" == *'type, tenantId, eventId, schemaVersion and timestamp cannot be changed' ]]
    done
    map
    cp "$RUN_DIR/map.json" "$RUN_DIR/other.json"
    run --separate-stderr dry --downgrade "$RUN_DIR/other.json" </dev/null
    [ "$status" = 78 ]
    [ "$stderr" = "arda-publish: $RUN_DIR/other.json: from: $RUN_DIR/map.json has a map for \`card.transition.v2', too" ]
}

@test "maps of two types; the older form of each" {
    map
    jq '.from = "loop.parameters_changed.v2" | .to = "loop.parameters_changed" | .rename = {} | .drop = []
        | .constant = {"reason":"see v2"}' "$RUN_DIR/map.json" >"$RUN_DIR/other.json"
    { v2; echo '{"type":"loop.parameters_changed.v2","tenantId":"'"$tenant"'","loopId":"'"$card"'","changeType":"manual","why":{"code":7}}'; } |
        dry --downgrade "$RUN_DIR/other.json" >"$RUN_DIR/out"
    [ "$(jq -r .type "$RUN_DIR/out" | paste -sd' ')" = \
        'card.transition.v2 card.transition loop.parameters_changed.v2 loop.parameters_changed' ]
    [ "$(tail -n 1 "$RUN_DIR/out" | jq -r .reason)" = 'see v2' ]
}

@test "--unsent carries the new form, and the next run makes the old one of it" {
    map
    v2 >"$RUN_DIR/in"
    run --separate-stderr publish --redis redis://127.0.0.1:1 --retry-for 100ms \
        --unsent "$RUN_DIR/left" "$RUN_DIR/in"
    [ "$status" = 75 ]
    [ "$(jq -r .event.type "$RUN_DIR/left")" = card.transition.v2 ]
    publish "$RUN_DIR/left"
    publish "$RUN_DIR/left"
    [ "$(envelopes | jq -r .event.type | paste -sd' ')" = 'card.transition.v2 card.transition' ]
}
