#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe: which events are printed, and as what.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid) other=$(uuid)
    export TZ=UTC
    unset NO_COLOR
}
teardown() { stop_all; }

publish() { redis -x publish "arda:events:${1:-$tenant}" >/dev/null; }

# subscribe NAME [OPTION]...: starts it, as the tenant's only one, and returns when its subscription
# stands.
subscribe() {
    local name=$1
    shift
    wait_for subscribers "$tenant" 0
    start "$name" arda-subscribe "$@" "$tenant"
    wait_for subscribers "$tenant" 1
}

# The end of what the tests publish: every filter here lets one of these through.
last() { printf '{"type":"last","loopId":"l1","cardId":"c1","orderId":"o1","userId":"u1","correlationId":"r1","a":"1","b":{"c":true}}' | publish; }

# one EVENT [OPTION]...: how it is printed.
one() {
    local event=$1
    shift
    subscribe sub --count 1 "$@"
    printf '%s' "$event" | publish
    join sub
    [ "$status" -eq 0 ]
    out sub
}

# printed FILTER...: the types of those of three events that pass, and `last`.
printed() {
    subscribe sub --format '%{type}' "$@"
    printf '{"type":"a.one","loopId":"l1","cardId":"c1","userId":"u1","a":"1","b":{"c":true},"n":null}' | publish
    printf '{"type":"a.two","loopId":"l2","orderId":"o1","orderNumber":"PO-1","linkedCardIds":["c2","c1"],"a":"","b":{"c":false}}' | publish
    printf '{"correlationId":"r1","event":{"type":"b.three","a":1,"userId":"u2"}}' | publish
    last
    wait_for out_has sub last
    stop sub
    out sub | paste -sd' '
}

@test "--type: one of several patterns is enough" {
    [ "$(printed --type 'a.*' --type last)" = "a.one a.two last" ]
    [ "$(printed --type '*')" = "a.one a.two b.three last" ]
    [ "$(printed --type '?.t*' --type last)" = "a.two b.three last" ]
}

@test "--loop, --card, --order, --user, --correlation" {
    [ "$(printed --loop l1)" = "a.one last" ]
    [ "$(printed --loop l1 --loop l2)" = "a.one a.two last" ]
    [ "$(printed --card c1)" = "a.one a.two last" ]
    [ "$(printed --order o1)" = "a.two last" ]
    [ "$(printed --order PO-1 --type 'a.*' --order o1 --type last)" = "a.two last" ]
    [ "$(printed --user u1)" = "a.one last" ]
    [ "$(printed --user u1 --user u2)" = "a.one b.three last" ]
    [ "$(printed --correlation r1)" = "b.three last" ]
}

@test "--match: values of one field are alternatives, several fields must all fit" {
    [ "$(printed --match a=1)" = "a.one b.three last" ]
    [ "$(printed --match a=1 --match a=)" = "a.one a.two b.three last" ]
    [ "$(printed --match b.c=true)" = "a.one last" ]
    [ "$(printed --match a=1 --match b.c=true)" = "a.one last" ]
    [ "$(printed --match 'n!=null' --match 'b.c!=false')" = "b.three last" ]
}

@test "filters of different kinds must all fit" {
    [ "$(printed --type 'a.*' --type last --card c1 --match a=1)" = "a.one last" ]
}

@test "filters may come from the environment" {
    export ARDA_SUBSCRIBE_TYPE='b.*,last' ARDA_SUBSCRIBE_FORMAT='<%{type}>'
    subscribe sub
    unset ARDA_SUBSCRIBE_TYPE ARDA_SUBSCRIBE_FORMAT
    printf '{"type":"a.one"}' | publish
    printf '{"type":"b.two"}' | publish
    last
    wait_for out_has sub last
    [ "$(out sub | paste -sd' ')" = "<b.two> <last>" ]
}

@test "what no filter lets through is not counted" {
    subscribe sub --count 2 --type last
    for _ in 1 2 3; do printf '{"type":"x"}' | publish; done
    last
    wait_for lines_of sub 1
    printf '{"type":"x"}' | publish
    last
    join sub
    [ "$status" -eq 0 ]
    [ "$(out sub | jq -r .type | paste -sd' ')" = "last last" ]
}

@test "nothing fits: nothing is printed" {
    start sub arda-subscribe --timeout 500ms --card nobody --format pretty "$tenant"
    until is_gone "$(pid_of sub)"; do last; done
    join sub
    [ "$status" -eq 124 ]
    [ -z "$(out sub)" ]
}

@test "--format=json is the event as it was published, on one line" {
    [ "$(one '{"type":"x","n":1.50}' --format json)" = '{"type":"x","n":1.50}' ]
    [ "$(one "$(printf '{\n"type":"x",\r\n\t"n":1.50}')" --format=json)" = $'{ "type":"x",  \t"n":1.50}' ]
}

@test "--format=envelope tells the id, the channel, and what an envelope says" {
    [ "$(one '{"type":"x","eventId":"e1"}' --format envelope)" = \
        '{"id":"e1","position":null,"channel":"arda:events:'"$tenant"'","event":{"type":"x","eventId":"e1"}}' ]
    [ "$(one '{"event":{"type":"x"},"source":"s","k":1,"id":"i1","schemaVersion":1}' --format envelope)" = \
        '{"id":"i1","position":null,"channel":"arda:events:'"$tenant"'","schemaVersion":1,"source":"s","k":1,"event":{"type":"x"}}' ]
    start all arda-subscribe --global --format envelope --count 1
    wait_for subscribers global 1
    card "$tenant" | arda-publish
    join all
    [ "$(out all | jq -r '.channel + " " + .event.tenantId')" = "arda:events:global $tenant" ]
}

@test "--format=envelope under another prefix" {
    start sub arda-subscribe --prefix plant:7 --format envelope --count 1 "$tenant"
    stands() { [ "$(redis pubsub numsub "plant:7:events:$tenant" | tail -n 1)" = 1 ]; }
    wait_for stands
    card "$tenant" | arda-publish --prefix plant:7
    join sub
    [ "$(out sub | jq -r .channel)" = "plant:7:events:$tenant" ]
}

@test "--format=ws is what web clients get; the others are counted" {
    subscribe sub --format ws --count 2
    printf '{"type":"queue.risk_detected"}' | publish
    printf '{"type":"loop.parameters_changed"}' | publish
    printf '{"type":"card.transition","toStage":"triggered","timestamp":"now","eventId":"e1"}' | publish
    printf '{"type":"order.status_changed","orderType":"work_order"}' | publish
    join sub
    [ "$status" -eq 0 ]
    [ "$(out sub)" = '{"type":"card:triggered","tenantId":"'"$tenant"'","payload":{"type":"card.transition","toStage":"triggered","timestamp":"now","eventId":"e1"},"timestamp":"now","eventId":"e1"}
{"type":"wo:status_changed","tenantId":"'"$tenant"'","payload":{"type":"order.status_changed","orderType":"work_order"},"timestamp":null,"eventId":null}' ]
    err_has sub 'arda-subscribe: 2 events have no name for web clients and were left out'
}

@test "--format=ws: one is one, and --quiet says nothing" {
    subscribe sub --format ws --count 1
    printf '{"type":"x"}' | publish
    printf '{"type":"user.activity"}' | publish
    join sub
    err_has sub 'arda-subscribe: 1 event has no name for web clients and was left out'
    subscribe quiet --format ws --count 1 --quiet
    printf '{"type":"x"}' | publish
    printf '{"type":"user.activity"}' | publish
    join quiet
    [ -z "$(err quiet)" ]
}

@test "--format=pretty is for a person" {
    [ "$(one '{"type":"card.transition","fromStage":"created","toStage":"triggered","method":"scan","timestamp":"2026-02-08T12:00:00.000Z"}' --format pretty)" = \
        "2026-02-08 12:00:00.000 ${tenant%%-*} card.transition         created -> triggered method=scan" ]
    export TZ=UTC-2
    [ "$(one '{"type":"x","timestamp":"2026-02-08T12:00:00.000Z"}' --format pretty)" = \
        "2026-02-08 14:00:00.000 ${tenant%%-*} x" ]
}

@test "--format=pretty: nothing in an event reaches the terminal as a command" {
    one '{"type":"x\u001b[2J","v":"\u001b]0;owned\u0007\u009b31m\u202e\n\r","\u001bk":"'$'\xc2\x9b\x7f''"}' --format pretty >"$RUN_DIR/shown"
    run ! grep -aqP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$RUN_DIR/shown"
    [ "$(wc -l <"$RUN_DIR/shown")" -eq 1 ]
    grep -qF '\u001b]0;owned\u0007\u009b31m\u202e\n\r' "$RUN_DIR/shown"
}

# on_terminal NAME [VARIABLE=VALUE]... -- [OPTION]...: as subscribe, but standard output is a terminal.
on_terminal() {
    local name=$1 variables=()
    shift
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    wait_for subscribers "$tenant" 0
    start "$name" env TERM=xterm "${variables[@]}" script -qec "arda-subscribe --count 1 $(printf '%q ' "$@") $tenant" /dev/null
    wait_for subscribers "$tenant" 1
    printf '{"type":"x"}' | publish
    join "$name"
    [ "$status" -eq 0 ]
}

colored() { grep -q $'\e\\[' "$RUN_DIR/$1.out"; }

@test "colors: on a terminal, unless the user or the terminal is against it" {
    command -v script >/dev/null || skip "no script(1)"
    on_terminal plain -- --format json
    run ! colored plain
    on_terminal auto -- --format pretty
    colored auto
    on_terminal empty NO_COLOR= -- --format pretty
    colored empty
    on_terminal no NO_COLOR=1 -- --format pretty
    run ! colored no
    on_terminal dumb TERM=dumb -- --format pretty
    run ! colored dumb
    on_terminal never -- --format pretty --color=never
    run ! colored never
    on_terminal always NO_COLOR=1 -- --format pretty --color=always
    colored always
}

@test "colors: in a pipe only when asked for" {
    one '{"type":"x"}' --format pretty
    run ! colored sub
    one '{"type":"x"}' --format pretty --color=always
    colored sub
    NO_COLOR=1 one '{"type":"x"}' --format pretty --color=always
    colored sub
    one '{"type":"x"}' --format '%{type}' --color=always
    [ "$(out sub)" = x ]
}

@test "--format: a template" {
    event='{"type":"order.created","timestamp":"2026-02-08T12:00:00.000Z","orderId":"o1","orderType":"work_order","payload":{"list":[1,{"a":"b\tc"}]}}'
    [ "$(one "$event" --format '%{timestamp} %{type} %{event.orderId}')" = "2026-02-08T12:00:00.000Z order.created o1" ]
    [ "$(one "$event" --format '%{tenantId}|%{wsType}|%{id}|%{event.payload.list.1.a}|%%|%{event.none}|')" = "$tenant|wo:status_changed||b\\tc|%||" ]
    [ "$(one "$event" --format 'a\tb\n%{channel}')" = $'a\tb\narda:events:'"$tenant" ]
    [ "$(one "$event" --format '%{event}')" = "$event" ]
    one "$event" --format '%{event.none}' # a line, with nothing in it
    [ "$(wc -l <"$RUN_DIR/sub.out")" -eq 1 ]
    [ "$(one '{"id":"i","source":"s","correlationId":"c","event":{"type":"x"}}' --format '%{id} %{source} %{correlationId} %{envelope.event.type}')" = "i s c x" ]
}

@test "what is printed can be published again" {
    for format in json envelope; do
        wait_for subscribers "$tenant" 0
        start again bash -c "arda-subscribe --format $format --count 1 $tenant | arda-publish --prefix again --allow-unknown
            exit"
        wait_for subscribers "$tenant" 1
        card "$tenant" | arda-publish
        join again
        [ "$status" -eq 0 ]
    done
    [ "$(redis xlen "again:stream:$tenant")" -eq 2 ]
}

@test "misuse is named" {
    refused() { # MESSAGE OPTION...
        local message=$1
        shift
        run arda-subscribe "$@" "$tenant"
        echo "$output"
        [ "$status" -eq 64 ]
        [ "${lines[0]}" = "arda-subscribe: $message" ]
    }
    refused "--format: expected json, envelope, ws, pretty or a template with %{NAME}, got \`xml'" --format xml
    refused '--format: column 6: expected %{NAME} or %%' --format 'type=%s'
    refused '--format: column 3: %{ without }' --format 'ü %{type'
    refused '--format: column 3: expected type, tenantId, timestamp, id, position, channel, source, correlationId, wsType, event, envelope, event.FIELD or envelope.FIELD' --format '%{orderId}'
    refused '--format: column 9: expected a name in a path' --format '%{event.}'
    refused "--format: column 1: expected \\n, \\t, \\r or \\\\" --format '\x41 %{type}'
    refused "--color: expected one of auto|always|never, got \`yes'" --color=yes
    refused "--match: expected FIELD=VALUE, got \`toStage'" --match toStage
    refused "--match: \`a..b' is no path to a field" --match a..b=1
    refused "--loop: expected an identifier, got \`'" --loop=
    refused "--correlation: expected an identifier, got \`'" --correlation=
}
