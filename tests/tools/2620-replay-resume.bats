#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-replay --checkpoint: stopped at any moment, it goes on without loss or double.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid) checkpoint=$RUN_DIR/checkpoint kills=0; }
teardown() { stop_all; }

# events FIRST LAST: lines with `n`, a millisecond apart.
events() {
    seq "$1" "$2" | awk -v tenant="$tenant" '{
        printf "{\"type\":\"%s\",\"tenantId\":\"%s\",\"n\":%d,", $1 % 10 ? "x" : "y", tenant, $1
        printf "\"eventId\":\"0b9f4b1e-0000-4000-8000-%012d\",", $1
        printf "\"timestamp\":\"2026-02-08T12:00:%02d.%03dZ\"}\n", $1 / 1000, $1 % 1000 }'
}

envelopes() { redis --raw xrange "arda:stream:$tenant" - + | sed -n '/^envelope$/{n;p;}'; }
numbers() { envelopes | jq -c .event.n; }
length() { redis xlen "arda:stream:$tenant"; }
has_length() { [ "$(length)" -ge "$1" ]; }

# The same command again and again, each killed at some moment, until one has come to its end. The
# first one is killed early: what is fast could otherwise end before it.
# What it prints is appended to $RUN_DIR/printed and errors.err. Its exit status goes into `status`.
through_kills() {
    kills=0
    span=70
    while :; do
        status=0
        { # the shell would say each time that it was killed
            timeout -s KILL "0.$(printf %03d $((RANDOM % span + 30)))" arda-replay -q --checkpoint \
                "$checkpoint" "$@" >>"$RUN_DIR/printed" 2>>"$RUN_DIR/errors.err" || status=$?
        } 2>/dev/null
        [ "$status" = 137 ] || break
        kills=$((kills + 1)) span=220
        [ "$kills" -lt 500 ]
    done
    [ "$kills" -gt 0 ]
}

@test "killed at random, every event is published once and in order" {
    events 1 1000 >"$RUN_DIR/in"
    through_kills "$RUN_DIR/in"
    [ "$status" = 0 ]
    diff <(seq 1000) <(numbers)
    [ "$(envelopes | jq -r .id | sort -u | wc -l)" = 1000 ]
}

@test "also fast, and with the options that change what comes when" {
    { events 1 300; echo '{'; events 301 3000; } >"$RUN_DIR/a"
    { events 3050 3999; events 3001 3049; } >"$RUN_DIR/b"
    through_kills --speed 20 --reorder-window 1s --type x --map-ids --retime --set k=v --shadow .s "$RUN_DIR/a" "$RUN_DIR/b"
    [ "$status" = 65 ]
    tenant=$tenant.s
    diff <(seq 3999 | grep -v '0$') <(numbers)
}

@test "each round is done once" {
    events 1 100 >"$RUN_DIR/in"
    through_kills --repeat 10 --speed 2 "$RUN_DIR/in"
    [ "$status" = 0 ]
    diff <(for _ in $(seq 10); do seq 100; done) <(numbers)
}

@test "--keep-ids, and Redis does not remember ids" {
    events 1 1000 >"$RUN_DIR/in"
    through_kills --keep-ids --dedupe-for 0 "$RUN_DIR/in"
    [ "$status" = 0 ]
    diff <(seq 1000) <(numbers)
}

@test "a stream, into itself" {
    events 1 800 | arda-replay -q --instant
    through_kills --from-stream "$tenant" --rate 800
    [ "$status" = 0 ]
    diff <(seq 800; seq 800) <(numbers)
}

@test "printed: at most the line in flight comes twice" {
    { events 1 500; events 520 1000; events 501 519; } >"$RUN_DIR/in"
    through_kills --stdout --reorder-window 600ms "$RUN_DIR/in"
    [ "$status" = 0 ]
    jq -c .n "$RUN_DIR/printed" >"$RUN_DIR/numbers"
    diff <(seq 1000) <(uniq "$RUN_DIR/numbers")
    [ "$(wc -l <"$RUN_DIR/numbers")" -le $((1000 + kills)) ]
}

@test "printed, standard input: the same lines are given again" {
    events 1 500 >"$RUN_DIR/in"
    for _ in $(seq 500); do
        status=0
        { sed '' "$RUN_DIR/in" | timeout -s KILL 0.2 arda-replay -q --stdout --checkpoint "$checkpoint" >>"$RUN_DIR/printed" || status=$?; } 2>/dev/null
        [ "$status" = 137 ] || break
    done
    [ "$status" = 0 ]
    diff <(seq 500) <(jq -c .n "$RUN_DIR/printed" | uniq)
}

@test "stopped by a signal it repeats nothing, and says in all how much was sent" {
    events 1 1000 >"$RUN_DIR/in"
    start first arda-replay --stdout --checkpoint "$checkpoint" "$RUN_DIR/in"
    wait_for lines_of first 20
    stop first
    [ "$status" = 143 ]
    sent=$(out first | wc -l)
    jq -e --argjson sent "$sent" '.sent == $sent and .complete == false' "$checkpoint"
    start second arda-replay --stdout --speed 5 --checkpoint "$checkpoint" "$RUN_DIR/in"
    join second
    [ "$status" = 0 ]
    diff <(seq 1000) <(cat "$RUN_DIR/first.out" "$RUN_DIR/second.out" | jq -c .n)
    err_has second "sent $((1000 - sent)) in"
    err_has second "sent before: $sent"
    [ "$(sed -n 's/.*run //p' "$RUN_DIR/first.err")" = "$(sed -n 's/.*run //p' "$RUN_DIR/second.err")" ]
}

@test "what is complete is not done again" {
    events 1 3 >"$RUN_DIR/in"
    arda-replay -q --stdout --checkpoint "$checkpoint" "$RUN_DIR/in" >"$RUN_DIR/out"
    cp "$checkpoint" "$RUN_DIR/copy"
    run --separate-stderr arda-replay --stdout --checkpoint "$checkpoint" "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$output" = "" ]
    [ "${stderr_lines[1]}" = "arda-replay: $checkpoint: everything was sent before" ]
    cmp "$checkpoint" "$RUN_DIR/copy"
    # Lines that have come meanwhile are not part of it.
    [ "$(wc -l <"$RUN_DIR/out")" = 3 ]
}

@test "a pause in which it was stopped is waited for to its end" {
    { events 1 1; events 1001 1001; } >"$RUN_DIR/in"
    start=$((${EPOCHREALTIME/./} / 1000))
    start first arda-replay --stdout --checkpoint "$checkpoint" "$RUN_DIR/in"
    wait_for lines_of first 1
    stop first KILL
    start second arda-replay --stdout --max-late 1h --checkpoint "$checkpoint" "$RUN_DIR/in"
    join second
    [ "$status" = 0 ]
    [ $((${EPOCHREALTIME/./} / 1000 - start)) -ge 1000 ]
    # What has passed of it meanwhile counts.
    jq -c '.dueAt -= 3600000 | .complete = false | .done = "1:1-1"' "$checkpoint" >"$RUN_DIR/older"
    run --separate-stderr arda-replay --stdout --checkpoint "$RUN_DIR/older" "$RUN_DIR/in"
    [ "$(jq -c .n <<<"$output")" = 1001 ]
}

@test "entries that were trimmed meanwhile are a gap" {
    events 1 1000 | arda-replay -q --instant
    start replay arda-replay --from-stream "$tenant" --stdout --rate 1000 --checkpoint "$checkpoint"
    wait_for lines_of replay 5
    stop replay KILL
    redis xtrim "arda:stream:$tenant" maxlen 100
    run --separate-stderr arda-replay --from-stream "$tenant" --stdout --instant --checkpoint "$checkpoint"
    [ "$(tail -n 1 <<<"$output" | jq -c .n)" = 1000 ]
    [[ "$stderr" == *"the stream was trimmed while it was read: entries after "*"-"*" may be missing"* ]]
    [[ "$stderr" == *"; gaps in the recording: 1" ]]
}

@test "the format of the file" {
    events 1 3 >"$RUN_DIR/in"
    (cd "$RUN_DIR" && arda-replay -q --stdout --instant --run r1 --checkpoint checkpoint in)
    diff <(sed -E 's/"dueAt":[0-9]+/"dueAt":N/' "$checkpoint") "$top_srcdir/tests/data/replay-checkpoint.json"
    [ "$(echo "$checkpoint"*)" = "$checkpoint" ] # nothing beside it
}

@test "a checkpoint of another command or run, or that is none, is refused with 65" {
    events 1 3 >"$RUN_DIR/in"
    arda-replay -q --stdout --instant --checkpoint "$checkpoint" "$RUN_DIR/in"
    refuses() { # TEXT OPTION...
        local text=$1
        shift
        cp "$checkpoint" "$RUN_DIR/before"
        run --separate-stderr arda-replay --stdout --instant --checkpoint "$checkpoint" "$@"
        [ "$status" = 65 ]
        [ "$stderr" = "arda-replay: $checkpoint: $text" ]
        cmp "$checkpoint" "$RUN_DIR/before"
    }
    refuses "the checkpoint of another command" "$RUN_DIR/other"
    # One that has not come to its end is of use to its own command.
    jq -c '.complete = false' "$checkpoint" >"$RUN_DIR/copy"
    cp "$RUN_DIR/copy" "$checkpoint"
    refuses "the checkpoint of another command" --tenant other "$RUN_DIR/in"
    refuses "the checkpoint of another command" --type y "$RUN_DIR/in"
    refuses "the checkpoint of another run" --run other "$RUN_DIR/in"
    for text in '' '{' '{"checkpoint":2}' "$(jq -c '.checkpoint = 2' "$checkpoint")" "$(jq -c '.also = ["x"]' "$checkpoint")" "$(jq -c '.done = "1:1-1x"' "$checkpoint")" "$(jq -c '.run = "a b"' "$checkpoint")"; do
        echo "$text" >"$checkpoint"
        refuses "not a checkpoint that this version has written" "$RUN_DIR/in"
    done
}

@test "a checkpoint that cannot be made is 73, before anything is sent" {
    events 1 3 >"$RUN_DIR/in"
    run --separate-stderr arda-replay --stdout --instant --checkpoint /nonexistent/file "$RUN_DIR/in"
    [ "$status" = 73 ]
    [ "$output" = "" ]
    [ "${stderr_lines[1]}" = "arda-replay: /nonexistent/file: No such file or directory" ]
    [ "${#stderr_lines[@]}" = 2 ]
    mkfifo "$RUN_DIR/pipe"
    run --separate-stderr timeout 5 arda-replay --stdout --instant --checkpoint "$RUN_DIR/pipe" "$RUN_DIR/in"
    [ "$status:$output" = 73: ]
    [ "$stderr" = "arda-replay: $RUN_DIR/pipe: not a file" ]
    run --separate-stderr arda-replay --stdout --instant --checkpoint "$RUN_DIR" "$RUN_DIR/in"
    [ "$status" = 74 ]
}
