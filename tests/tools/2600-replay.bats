#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-replay without Redis: what is read, when it is due, how it is rewritten, what is printed.

load ../lib/common.bash

teardown() { stop_all; }

data=$top_srcdir/tests/data

# event SECONDS [TENANT [TYPE]]: a line with the time 2026-02-08T12:00:SECONDSZ and that in `at`.
event() {
    printf '{"type":"%s","tenantId":"%s","at":%s,"eventId":"0b9f4b1e-0000-4000-8000-%012d","timestamp":"2026-02-08T12:00:%06.3fZ"}\n' \
        "${3:-card.transition}" "${2:-acme}" "$1" "$(tr -d . <<<"$1" | sed 's/^0*\(.\)/\1/')" "$1"
}

print() { arda-replay --stdout "$@"; }
# print_into FILE OPTION...: as a program of its own.
print_into() {
    local file=$1
    shift
    exec arda-replay --stdout "$@" >"$file"
}
without_id() { sed 's/"eventId":"[^"]*"/"eventId":""/'; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

@test "events come in the order and text of the recording, with new ids and marked" {
    { event 0; event 1; event 2; } >"$RUN_DIR/in"
    run --separate-stderr print --instant "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c .at <<<"$output" | paste -sd' ')" = "0 1 2" ]
    diff <(without_id <<<"$output") <(sed 's/}$/,"schemaVersion":1}/' "$RUN_DIR/in" | without_id)
    [ "$(jq -r .eventId <<<"$output" | sort -u | wc -l)" = 3 ]
    run ! grep -q "$(head -n 1 "$RUN_DIR/in" | jq -r .eventId)" <<<"$output"
    [[ "${stderr_lines[0]}" =~ ^arda-replay:\ run\ [0-9a-f-]{36}$ ]]
    print --instant --envelope "$RUN_DIR/in" | jq -se 'all(.replayed == true and .source == "arda-replay" and .id == .event.eventId)'
}

@test "pauses are those of the recording, and nothing comes early" {
    { event 0; event 0.2; event 0.2; event 0.7; } >"$RUN_DIR/in"
    start=$(now_ms)
    while read -r line; do
        arrived=$(($(now_ms) - start))
        jq -e --argjson arrived "$arrived" '$arrived >= .at * 1000 - 1' <<<"$line"
    done < <(print "$RUN_DIR/in")
    [ "$arrived" -ge 699 ]
}

@test "what the schedule will be: speed, cut pauses, rate, instant" {
    { event 0; event 1; event 31; event 31.5; } >"$RUN_DIR/in"
    plan() { arda-replay --plan --format json "$@" "$RUN_DIR/in" | jq -c .durationMs; }
    [ "$(plan)" = 31500 ]
    [ "$(plan --speed 10)" = 3150 ]
    [ "$(plan --speed 0.01)" = 3150000 ]
    [ "$(plan --speed 1000)" = 31 ]
    [ "$(plan --max-gap 2s)" = 3500 ]
    [ "$(plan --max-gap 2s --speed 2)" = 2750 ]
    [ "$(plan --rate 2)" = 1500 ]
    [ "$(plan --rate 0.5)" = 6000 ]
    [ "$(plan --instant)" = 0 ]
    [ "$(plan --repeat 3)" = 94500 ]
}

@test "every form that arda-subscribe prints is read; times come from stream id, envelope, event" {
    {
        echo '{"id":"i1","position":"1770552000000-0","channel":"arda:events:acme","timestamp":"2000-01-01T00:00:00Z","event":{"type":"a","n":1,"timestamp":"1999-01-01T00:00:00Z"}}'
        echo '{"id":"i2","timestamp":"2026-02-08T12:00:05Z","source":"orders","correlationId":"c-1","event":{"type":"a","tenantId":"acme","n":2,"timestamp":"1999-01-01T00:00:00Z"}}'
        echo '{"type":"a","tenantId":"acme","n":3,"timestamp":"2026-02-08T12:00:07.5Z"}'
        echo '{"gap":{"tenantId":"acme","from":"1-0","to":"2-0","cause":"trimmed","count":3}}'
        printf '{"type":"a","tenantId":"acme","n":4,"timestamp":"2026-02-08T12:00:08Z"}'
    } >"$RUN_DIR/in"
    arda-replay --plan --format json "$RUN_DIR/in" | jq -e '.events == 4 and .gaps == 1 and .durationMs == 8000 and .tenants == {"acme": 4}'
    run --separate-stderr print --instant --envelope "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c '[.event.n, .source, .correlationId, .event.tenantId]' <<<"$output" | paste -sd' ')" = '[1,"arda-replay",null,"acme"] [2,"orders","c-1","acme"] [3,"arda-replay",null,"acme"] [4,"arda-replay",null,"acme"]' ]
    [[ "$stderr" == *"; gaps in the recording: 1" ]]
}

@test "a line without a time is named and follows the one before it at once" {
    { event 1; echo '{"type":"a","tenantId":"acme","at":2}'; event 3; } >"$RUN_DIR/in"
    run --separate-stderr arda-replay --plan --format json "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$stderr" = "arda-replay: $RUN_DIR/in: line 2: no time; it follows the one before it at once" ]
    jq -e '.durationMs == 2000 and .untimed == 1' <<<"$output"
    [ "$(print --instant --reorder-window 10s "$RUN_DIR/in" | jq -c .at | paste -sd' ')" = "1 2 3" ]
}

@test "out of order: sent at once and counted, or put in order within the window" {
    { event 1; event 3; event 2; event 4; event 0; } >"$RUN_DIR/in"
    run --separate-stderr print --instant "$RUN_DIR/in"
    [ "$(jq -c .at <<<"$output" | paste -sd' ')" = "1 3 2 4 0" ]
    [[ "$stderr" == *"; out of order: 2" ]]
    run --separate-stderr print --instant --reorder-window 2s "$RUN_DIR/in"
    [ "$(jq -c .at <<<"$output" | paste -sd' ')" = "1 2 0 3 4" ]
    [[ "$stderr" == *"; out of order: 1" ]]
    run --separate-stderr print --instant --reorder-window 4s "$RUN_DIR/in"
    [ "$(jq -c .at <<<"$output" | paste -sd' ')" = "0 1 2 3 4" ]
    [[ "$stderr" != *"out of order"* ]]
}

@test "several files follow each other; standard input is read without any, or as -" {
    event 1 >"$RUN_DIR/a"
    event 3 >"$RUN_DIR/b"
    [ "$(event 2 | print --instant "$RUN_DIR/a" - "$RUN_DIR/b" | jq -c .at | paste -sd' ')" = "1 2 3" ]
    [ "$(event 2 | print --instant | jq -c .at)" = 2 ]
}

@test "a line is replayed when it has come, not when input ends" {
    mkfifo "$RUN_DIR/pipe"
    STDIN=$RUN_DIR/pipe start replay arda-replay --stdout
    exec 7>"$RUN_DIR/pipe"
    event 1 >&7
    wait_for lines_of replay 1
    event 1 >&7
    wait_for lines_of replay 2
    exec 7>&-
    join replay
    [ "$status" = 0 ]
}

@test "--type leaves the others out, and pauses stay those of what is left" {
    { event 0; event 1 acme order.created; event 4; } >"$RUN_DIR/in"
    [ "$(print --instant --type 'order.*' "$RUN_DIR/in" | jq -c .at)" = 1 ]
    arda-replay --plan --format json --type 'card.*' "$RUN_DIR/in" | jq -e '.events == 2 and .filtered == 1 and .durationMs == 4000'
}

@test "the same run gives the same ids, another run others; each round has its own" {
    { event 1; echo '{"type":"a","tenantId":"acme"}'; } >"$RUN_DIR/in"
    ids() { print -q --instant "$@" "$RUN_DIR/in" | jq -r .eventId; }
    ids --run one >"$RUN_DIR/one"
    diff "$RUN_DIR/one" <(ids --run one)
    [ "$(cat "$RUN_DIR/one" <(ids --run two) <(ids) | sort -u | wc -l)" = 6 ]
    ids --run one --repeat 3 >"$RUN_DIR/three"
    [ "$(sort -u "$RUN_DIR/three" | wc -l)" = 6 ]
    diff "$RUN_DIR/one" <(head -n 2 "$RUN_DIR/three")
}

@test "--keep-ids keeps the event's id, else the envelope's" {
    { event 1; echo '{"id":"e-2","event":{"type":"a","tenantId":"acme"}}'; } >"$RUN_DIR/in"
    [ "$(print -q --instant --keep-ids "$RUN_DIR/in" | jq -r .eventId | paste -sd' ')" = "0b9f4b1e-0000-4000-8000-000000000001 e-2" ]
}

@test "--repeat reads files again, also one that is standard input" {
    { event 0; event 0.1; } >"$RUN_DIR/in"
    [ "$(print -q --repeat 3 "$RUN_DIR/in" | jq -c .at | paste -sd' ')" = "0 0.1 0 0.1 0 0.1" ]
    [ "$(print -q --repeat 2 <"$RUN_DIR/in" | jq -c .at | paste -sd' ')" = "0 0.1 0 0.1" ]
    piped() { sed '' "$RUN_DIR/in" | print --repeat 2; }
    run --separate-stderr piped
    [ "$status" = 64 ]
    [ "$stderr" = 'arda-replay: --repeat: standard input can be read only once, unless it is a file' ]
    [ "$(print -q --instant --repeat 0 "$RUN_DIR/in" | head -n 999 | wc -l)" = 999 ]
    run --separate-stderr print --repeat 0 --type nothing "$RUN_DIR/in"
    [ "$status" = 1 ]
}

@test "--tenant, --set and --map-ids rewrite, and leave all other bytes" {
    id=$(uuid)
    echo '{"type":"card.transition", "tenantId":"acme","cardId":"card-17","n":1.50e+3,"x":{"orderId":"'"$id"'"},"y":["'"$id"'"],"userId":"'"$(uuid)"'"}' >"$RUN_DIR/in"
    run --separate-stderr print --instant --run r --tenant other --set 'n=[1]' --set 'note=two words' --map-ids "$RUN_DIR/in"
    [ "$status" = 0 ]
    jq -e '.tenantId == "other" and .n == [1] and .note == "two words" and .x.orderId == .y[0]' <<<"$output"
    again=$(print -q --instant --run r --map-ids "$RUN_DIR/in")
    [ "$(jq -r '.x.orderId, .cardId' <<<"$again")" = "$(jq -r '.x.orderId, .cardId' <<<"$output")" ]
    run ! grep -q "$id\|card-17" <<<"$output"
    [[ $again == '{"type":"card.transition", "tenantId":"acme","cardId":"'*'","n":1.50e+3,"x":{"orderId":"'* ]]
}

@test "--retime moves the times of events to now and keeps their distances" {
    { event 1; event 3; event 2; } >"$RUN_DIR/in"
    before=$(now_ms)
    print -q --instant --retime "$RUN_DIR/in" | jq -r .timestamp >"$RUN_DIR/times"
    after=$(now_ms)
    mapfile -t times < <(while read -r time; do date -d "$time" +%s%3N; done <"$RUN_DIR/times")
    [ "${times[0]}" -ge "$before" ]
    [ "${times[0]}" -le "$after" ]
    [ $((times[1] - times[0])) = 2000 ]
    [ $((times[2] - times[0])) = 1000 ]
}

@test "--set that makes it no event is a bad line" {
    event 1 >"$RUN_DIR/in"
    run --separate-stderr print --instant --set type=7 "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${stderr_lines[1]}" = "arda-replay: $RUN_DIR/in: line 1: with --set it is not an event" ]
}

@test "bad lines are named, the others are replayed, the exit status is 65" {
    { event 1; echo '{"type":"a",}'; echo '[]'; echo; event 2; } >"$RUN_DIR/in"
    run --separate-stderr print --instant "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${#lines[@]}" = 2 ]
    [[ "${stderr_lines[1]}" == "arda-replay: $RUN_DIR/in: line 2: column 13: "* ]]
    [ "${stderr_lines[2]}" = "arda-replay: $RUN_DIR/in: line 3: not a JSON object" ]
    [[ "${stderr_lines[3]}" == "arda-replay: sent 2 in "*"; bad lines: 2" ]]
}

@test "a file that is not there is said, and the others are replayed; 74" {
    event 1 >"$RUN_DIR/in"
    run --separate-stderr print --instant /nonexistent "$RUN_DIR/in"
    [ "$status" = 74 ]
    [ "${#lines[@]}" = 1 ]
    [ "${stderr_lines[1]}" = "arda-replay: /nonexistent: No such file or directory" ]
}

@test "empty input, and a line that is too long" {
    run --separate-stderr print </dev/null
    [ "$status" = 1 ]
    [ "$output" = "" ]
    [ "${stderr_lines[1]}" = "arda-replay: sent 0 in 0.000 s" ]
    [ "${stderr_lines[2]}" = "arda-replay: nothing was replayed: the input has no events" ]
    { head -c 17000000 /dev/zero | tr '\0' x; echo; event 1; } >"$RUN_DIR/in"
    run --separate-stderr print --instant "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${#lines[@]}" = 1 ]
    [ "${stderr_lines[1]}" = "arda-replay: $RUN_DIR/in: line 1: longer than 16 MiB" ]
}

@test "the formats of plan and report" {
    {
        event 1 acme order.created
        event 1.25
        event 59 globex
        echo '{"gap":{}}'
        event 2
        echo '{"type":"x"}'
    } >"$RUN_DIR/in"
    arda-replay --plan --format json --stops 10s "$RUN_DIR/in" 2>/dev/null | diff "$data/replay-plan.json" -
    arda-replay --plan --format text --stops 10s "$RUN_DIR/in" 2>/dev/null | diff "$data/replay-plan.txt" -
    run --separate-stderr print --speed 1000 --format json --run r1 "$RUN_DIR/in"
    diff <(sed -E 's/[0-9]+\.[0-9]{3}/N/g' <<<"${stderr_lines[2]}") "$data/replay-report.json"
    run --separate-stderr print --speed 1000 "$RUN_DIR/in"
    [[ "${stderr_lines[2]}" =~ ^arda-replay:\ sent\ 5\ in\ [0-9.]+\ s,\ late\ p50\ [0-9.]+\ ms,\ p99\ [0-9.]+\ ms,\ max\ [0-9.]+\ ms\;\ gaps\ in\ the\ recording:\ 1\;\ without\ a\ time:\ 1\;\ out\ of\ order:\ 1$ ]]
}

@test "a plan goes with all options of the replay and sends nothing" {
    event 1 >"$RUN_DIR/in"
    run --separate-stderr arda-replay --redis redis://127.0.0.1:1 --shadow=-x --map-ids --retime --plan --checkpoint "$RUN_DIR/cp" "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$stderr" = "" ]
    jq -e '.events == 1 and .tenants == {"acme-x": 1}' <<<"$output"
    [ ! -e "$RUN_DIR/cp" ]
    run --separate-stderr arda-replay --plan </dev/null
    [ "$status" = 0 ]
    jq -e '.events == 0 and .first == null and .durationMs == 0' <<<"$output"
}

@test "on a terminal the plan is for people, and progress is shown" {
    command -v script >/dev/null || skip "no script(1)"
    { event 0; event 0.3; event 0.6; } >"$RUN_DIR/in"
    run script -qec "arda-replay --plan $RUN_DIR/in" /dev/null
    [[ "${lines[0]}" == 'events     3'* ]]
    run script -qec "arda-replay --stdout $RUN_DIR/in >/dev/null" /dev/null
    [[ "$output" == *" sent, at 2026-02-08T12:00:00.000Z, late "* ]]
    [[ "$output" == *$'\r\e[K'"arda-replay: sent 3 in"* ]]
    run script -qec "arda-replay -q --stdout $RUN_DIR/in >/dev/null" /dev/null
    [ "$output" = "" ]
}

@test "--max-late turns a missed bound into 1" {
    { event 0; yes "$(event 0.1)" | head -n 2000; } >"$RUN_DIR/in"
    mkfifo "$RUN_DIR/pipe"
    start replay print_into "$RUN_DIR/pipe" --max-late 300ms "$RUN_DIR/in"
    exec 7<"$RUN_DIR/pipe"
    read -r _ <&7 # the schedule has begun; the rest does not fit into the pipe
    began=$(now_ms)
    is_late() { [ $(($(now_ms) - began)) -gt 500 ]; }
    wait_for is_late
    [ "$(wc -l <&7)" = 2000 ]
    exec 7<&-
    join replay
    [ "$status" = 1 ]
    err_has replay "--max-late allows 300 ms"
    print --max-late 1h --speed 1000 "$RUN_DIR/in" >/dev/null
}

@test "a reader that stops reading delays it, and a signal ends it all the same" {
    yes "$(event 0)" | head -n 2000 >"$RUN_DIR/in"
    mkfifo "$RUN_DIR/pipe"
    start replay print_into "$RUN_DIR/pipe" "$RUN_DIR/in"
    exec 7<"$RUN_DIR/pipe"
    read -r _ <&7
    is_there "$(pid_of replay)"
    stop replay
    [ "$status" = 143 ]
    exec 7<&-
}

@test "a reader that goes away ends it quietly, also in the middle of a pause" {
    { event 0; event 59; } >"$RUN_DIR/in"
    first() {
        print -q "$RUN_DIR/in" | head -n 1
        echo "${PIPESTATUS[0]}"
    }
    run --separate-stderr first
    [ "${lines[1]}" = 141 ]
    [ "$stderr" = "" ]
    # Also where the parent ignores SIGPIPE, since that is inherited.
    deaf() (
        trap '' PIPE
        first
    )
    run --separate-stderr deaf
    [ "${lines[1]}" = 141 ]
    [ "$stderr" = "" ]
}

@test "output that cannot be written is 74" {
    [ -c /dev/full ] || skip "no /dev/full"
    event 0 >"$RUN_DIR/in"
    full() { arda-replay "$@" >/dev/full; }
    run --separate-stderr full --stdout "$RUN_DIR/in"
    [ "$status" = 74 ]
    [ "${stderr_lines[1]}" = "arda-replay: cannot write: No space left on device" ]
    run --separate-stderr full --plan "$RUN_DIR/in"
    [ "$status" = 74 ]
}

@test "options that are wrong, and pairs that do not go together" {
    refuses() { # TEXT OPTION...
        local text=$1
        shift
        run --separate-stderr arda-replay "$@" </dev/null
        [ "$status" = 64 ]
        [ "${stderr_lines[0]}" = "arda-replay: $text" ]
    }
    refuses "--speed: expected 0.01 to 1000, got \`0'" --speed 0
    refuses "--speed: expected 0.01 to 1000, got \`1e2'" --speed 1e2
    refuses "--speed: expected 0.01 to 1000, got \`1000.1'" --speed 1000.1
    refuses "--rate: expected 0.001 to 1000000, got \`-1'" --rate -1
    refuses "--rate goes with neither --speed nor --instant" --rate 5 --instant
    refuses "--rate goes with neither --speed nor --instant" --rate 5 --speed 2
    refuses "--instant and --speed exclude each other" --instant --speed 2
    refuses "expected files or --from-stream, not both" --from-stream acme file
    refuses "--since and --until need --from-stream" --since -10m
    refuses "--since and --until need --from-stream" --until start file
    refuses "standard input can be read only once" - -
    refuses "--keep-ids and --repeat exclude each other: what was sent once is known" --keep-ids --repeat 2 file
    refuses "--keep-ids and --run exclude each other" --keep-ids --run x
    refuses "--plan and --repeat=0 exclude each other: the plan would have no end" --plan --repeat 0 file
    refuses "--shadow and --stdout exclude each other: what reads the lines cannot tell that they are of a shadow" --shadow x --stdout
    refuses "--tenant: expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \`global'" --tenant global
    refuses "--shadow: expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \`a b'" --shadow 'a b'
    refuses "--run: expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \`'" --run ''
    refuses "--set: expected FIELD=VALUE in UTF-8, got \`x'" --set x
    refuses "--set: expected FIELD=VALUE in UTF-8, got \`=x'" --set =x
    refuses "--set: --tenant sets tenantId, got \`tenantId=x'" --set tenantId=x
    refuses "--set: --run and --keep-ids decide on eventId, got \`eventId=x'" --set eventId=x
    refuses "--set: --retime sets timestamp, got \`timestamp=x'" --retime --set timestamp=x
    # shellcheck disable=SC2046
    refuses "--set: expected 16 of them at most, got \`s17=1'" $(printf -- '--set s%s=1 ' $(seq 17))
    run --separate-stderr arda-replay --from-stream acme --since yesterday
    [ "$status" = 64 ]
    [[ "${stderr_lines[0]}" == "arda-replay: --since: "*"yesterday"* ]]
    run --separate-stderr arda-replay --redis rediss://x </dev/null
    [ "$status" = 78 ]
}
