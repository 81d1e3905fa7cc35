#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-publish: what goes in, what reaches Redis, what is said.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

stream() { redis --raw xrange "arda:stream:$tenant" - +; }
dry() { arda-publish --dry-run "$@"; }

@test "a line without timestamp, eventId and schemaVersion gets them, and stays as it was before them" {
    line='{"type" : "loop.parameters_changed","tenantId":"'$tenant'","loopId":"'$tenant'","changeType":"manual","reason":"caf\u00e9 \/ 1.50","n":1.50e+3}'
    run --separate-stderr dry <<<"$line"
    [ "$status" = 0 ]
    [ "$stderr" = "" ]
    [[ "$output" == "${line%\}},\"timestamp\":\""*'","eventId":"'*'","schemaVersion":1}' ]]
    jq -e '.timestamp | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$")' <<<"$output"
    jq -e '.eventId | test("^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")' <<<"$output"
}

@test "what the input has of them is kept" {
    line='{"type":"loop.parameters_changed","tenantId":"'$tenant'","loopId":"'$tenant'","changeType":"manual","reason":"","timestamp":"2026-02-08T13:00:00+01:00","eventId":"'$tenant'","schemaVersion":2}'
    run --separate-stderr dry <<<"$line"
    [ "$output" = "$line" ]
}

@test "one step: both channels carry the event, the stream its envelope" {
    start global redis-cli -p "$REDIS_PORT" subscribe arda:events:global
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of global 3
    wait_for lines_of own 3
    card "$tenant" >"$RUN_DIR/line"
    arda-publish --source kanban "$RUN_DIR/line"
    wait_for lines_of global 6
    wait_for lines_of own 6
    message=$(sed -n 6p "$RUN_DIR/own.out")
    [ "$message" = "$(sed -n 6p "$RUN_DIR/global.out")" ]
    [[ "$message" == "$(sed 's/}$//' "$RUN_DIR/line"),\"eventId\""* ]]
    mapfile -t entry < <(stream)
    [ "${entry[1]} ${entry[3]} ${entry[5]} ${entry[7]}" = "envelope type source timestamp" ]
    [ "${entry[4]}" = card.transition ]
    [ "${entry[6]}" = kanban ]
    [ "$(jq -c 'keys_unsorted' <<<"${entry[2]}")" = '["id","schemaVersion","source","timestamp","event"]' ]
    [[ "${entry[2]}" == *",\"event\":$message}" ]]
    [ "$(jq -r .id <<<"${entry[2]}")" = "$(jq -r .eventId <<<"$message")" ]
    [ "$(jq -r .timestamp <<<"${entry[2]}")" = "${entry[8]}" ]
}

@test "notification.created goes to the channels and not to the stream" {
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
    arda-publish notification.created tenantId="$tenant" userId="$(uuid)" notificationId="$(uuid)" \
        notificationType=po_sent title="Purchase order sent"
    wait_for lines_of own 6
    [ "$(redis exists "arda:stream:$tenant")" = 0 ]
}

@test "an event without a tenant goes to the global channel alone" {
    start global redis-cli -p "$REDIS_PORT" subscribe arda:events:global
    wait_for lines_of global 3
    keys=$(redis dbsize)
    arda-publish --allow-unknown security.auth.login_failed user=mallory
    wait_for lines_of global 6
    [ "$(redis dbsize)" = "$keys" ]
}

@test "an envelope is unwrapped; its id, source and correlation are kept" {
    id=$(uuid)
    echo '{"id":"'"$id"'","schemaVersion":1,"source":"orders","correlationId":"c-1","timestamp":"2026-02-08T12:00:00Z","event":'"$(card "$tenant")"'}' |
        arda-publish
    [ "$(stream | sed -n 3p | jq -r '.id, .source, .correlationId' | paste -sd' ')" = "$id orders c-1" ]
    [ "$(stream | sed -n 3p | jq -r .event.eventId)" = "$id" ]
}

@test "bad lines are named, the others are published, the exit status is 65" {
    {
        card "$tenant" created
        echo '{"type":"card.transition",}'
        card "$tenant" tirggered
        printf '\n[1]\n{"no":"type"}\n'
        card "$tenant" received | tr -d '\n'
    } >"$RUN_DIR/in"
    run --separate-stderr arda-publish <"$RUN_DIR/in"
    [ "$status" = 65 ]
    [[ "${stderr_lines[0]}" == 'arda-publish: line 2: column 27: '* ]]
    [ "${stderr_lines[1]}" = 'arda-publish: line 3: toStage: "tirggered" is not one of created, triggered, ordered, in_transit, received, restocked' ]
    [ "${stderr_lines[2]}" = 'arda-publish: line 5: not a JSON object' ]
    [ "${stderr_lines[3]}" = 'arda-publish: line 6: no string "type"' ]
    [ "${#stderr_lines[@]}" = 4 ]
    [ "$(redis xlen "arda:stream:$tenant")" = 2 ]
}

@test "with files the place names the file; a file that is not there is said and the rest is read" {
    echo '{' >"$RUN_DIR/bad.jsonl"
    card "$tenant" >"$RUN_DIR/good.jsonl"
    run --separate-stderr arda-publish "$RUN_DIR/bad.jsonl" /nonexistent "$RUN_DIR/good.jsonl"
    [ "$status" = 74 ]
    [[ "${stderr_lines[0]}" == "arda-publish: $RUN_DIR/bad.jsonl: line 1: column 2: "* ]]
    [ "${stderr_lines[1]}" = "arda-publish: /nonexistent: No such file or directory" ]
    [ "$(redis xlen "arda:stream:$tenant")" = 1 ]
}

@test "--strict ends at the first bad line" {
    { card "$tenant"; echo '{}'; card "$tenant"; } >"$RUN_DIR/in"
    run --separate-stderr arda-publish --strict "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "$(redis xlen "arda:stream:$tenant")" = 1 ]
}

@test "every field that is wrong is named" {
    run --separate-stderr dry card.transition tenantId="$tenant" cardId=x toStage=triggered
    [ "$status" = 65 ]
    [ "${stderr_lines[0]}" = 'arda-publish: cardId: expected a UUID, got "x"' ]
    [ "${stderr_lines[1]}" = 'arda-publish: loopId: missing' ]
    [ "${stderr_lines[2]}" = 'arda-publish: fromStage: missing' ]
    [ "${stderr_lines[3]}" = 'arda-publish: method: missing' ]
}

@test "arguments: lists, numbers and JSON values" {
    run --separate-stderr dry order.created tenantId="$tenant" orderType=work_order orderId="$tenant" \
        orderNumber=WO-0001 linkedCardIds="$tenant,$tenant" note:='{"a":[1]}'
    [ "$status" = 0 ]
    [ "$(jq -c '[.orderNumber, (.linkedCardIds|length), .note]' <<<"$output")" = '["WO-0001",2,{"a":[1]}]' ]
    run --separate-stderr dry order.created tenantId="$tenant" orderType=work_order orderId="$tenant" \
        orderNumber=WO-0001 linkedCardIds=
    [ "$(jq -c .linkedCardIds <<<"$output")" = '[]' ]
    run --separate-stderr dry relowisa.recommendation tenantId="$tenant" loopId="$tenant" \
        recommendationId="$tenant" confidenceScore=99.5
    [ "$(jq -c .confidenceScore <<<"$output")" = 99.5 ]
    run --separate-stderr dry relowisa.recommendation tenantId="$tenant" loopId="$tenant" \
        recommendationId="$tenant" confidenceScore=100.5
    [ "$stderr" = 'arda-publish: confidenceScore: expected a number from 0 to 100, got 100.5' ]
    run --separate-stderr dry card.transition note:='{'
    [ "$status" = 65 ]
    [[ "$stderr" == 'arda-publish: note: expected JSON '* ]]
}

@test "unknown types are refused unless allowed, identifiers are loose when asked" {
    run --separate-stderr dry kpi.refreshed tenantId=t1
    [ "$status" = 65 ]
    [[ "$stderr" == 'arda-publish: type: "kpi.refreshed" is not one of card.transition, '* ]]
    dry --allow-unknown kpi.refreshed tenantId=t1
    run --separate-stderr dry --allow-unknown kpi.refreshed tenantId=global
    [ "$status" = 65 ]
    run --separate-stderr dry loop.parameters_changed tenantId=t1 loopId=l1 changeType=manual reason=x
    [ "$status" = 65 ]
    dry --loose-ids loop.parameters_changed tenantId=t1 loopId=l1 changeType=manual reason=x
    run --separate-stderr dry --loose-ids loop.parameters_changed tenantId=t1 loopId='l 1' changeType=manual reason=x
    [ "$stderr" = 'arda-publish: loopId: expected an identifier, got "l 1"' ]
}

@test "--help TYPE explains a type, --help types lists them" {
    run arda-publish --help order.created
    [ "$status" = 0 ]
    [[ "$output" == *"purchase_order, work_order, transfer_order"* ]]
    [[ "$output" == *"po:status_changed when orderType is purchase_order"* ]]
    run arda-publish --help types
    [ "${#lines[@]}" = 6 ]
    run arda-publish --help nonsense
    [ "$status" = 64 ]
}

@test "order is kept through the window, with more lines than it holds" {
    for i in $(seq 10000); do
        echo '{"type":"x","tenantId":"'"$tenant"'","n":'"$i"'}'
    done >"$RUN_DIR/in"
    start own arda-subscribe --count 10000 "$tenant"
    wait_for subscribers "$tenant" 1
    arda-publish --allow-unknown "$RUN_DIR/in"
    join own
    [ "$(out own | jq .n | sort -nc && out own | jq .n | uniq | wc -l)" = 10000 ]
}

@test "Redis away: said once, retried, then the lines are listed, exit 75" {
    { card "$tenant"; card "$tenant"; } >"$RUN_DIR/in"
    run --separate-stderr arda-publish --redis redis://127.0.0.1:1 --retry-for 300ms "$RUN_DIR/in"
    [ "$status" = 75 ]
    [ "${stderr_lines[0]}" = 'arda-publish: redis 127.0.0.1:1: Connection refused; trying again' ]
    [ "${stderr_lines[1]}" = 'arda-publish: giving up after 0.3 s: redis 127.0.0.1:1: Connection refused' ]
    [ "${stderr_lines[2]}" = "arda-publish: $RUN_DIR/in: lines 1-2: not confirmed" ]
    [ "${#stderr_lines[@]}" = 3 ]
}

@test "a Redis that comes later gets everything" {
    port=$REDIS_PORT
    unset REDIS_PORT
    RUN_DIR=$BATS_TEST_TMPDIR/own
    mkdir -p "$RUN_DIR"
    start_redis
    stop redis
    card "$tenant" >"$RUN_DIR/in"
    start publish arda-publish "$RUN_DIR/in"
    wait_for err_has publish "trying again"
    launch_redis
    join publish
    [ "$status" = 0 ]
    [ "$(redis xlen "arda:stream:$tenant")" = 1 ]
    stop_all
    REDIS_PORT=$port
}

@test "SIGINT with unconfirmed lines lists them; without, it dies of the signal" {
    mkfifo "$RUN_DIR/pipe"
    STDIN=$RUN_DIR/pipe start publish arda-publish --redis redis://127.0.0.1:1
    exec 9>"$RUN_DIR/pipe"
    card "$tenant" >&9
    wait_for err_has publish "trying again"
    stop publish INT
    [ "$status" = 75 ]
    err_has publish "line 1: not confirmed"
    exec 9>&-
    STDIN=/dev/zero start publish arda-publish
    stop publish TERM
    [ "$status" = 143 ] || [ "$status" = 65 ]
}

@test "usage and configuration errors" {
    run --separate-stderr arda-publish --nonsense
    [ "$status" = 64 ]
    run --separate-stderr arda-publish --redis rediss://h </dev/null
    [ "$status" = 78 ]
    [[ "$stderr" == *"rediss://"* ]]
    run --separate-stderr arda-publish --retry-for soon </dev/null
    [ "$status" = 64 ]
    ARDA_RETRY_FOR=soon run --separate-stderr arda-publish </dev/null
    [ "$status" = 78 ]
    run arda-publish </dev/null
    [ "$status" = 0 ]
}

@test "a reader that closes the pipe ends a dry run quietly" {
    for i in $(seq 5000); do echo '{"type":"x","n":'"$i"'}'; done >"$RUN_DIR/in"
    run --separate-stderr bash -c "arda-publish --dry-run --allow-unknown '$RUN_DIR/in' | head -n 1"
    [ "${#lines[@]}" = 1 ]
    [ "$stderr" = "" ]
}
