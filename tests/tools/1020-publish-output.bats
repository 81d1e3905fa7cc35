#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-publish: what it prints, how it ends, what its options change in Redis.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

data=${top_srcdir:?}/tests/data/publish
golden_tenant=0a1b2c3d-0000-4000-8000-000000000001

entries() { redis xlen "arda:stream:$tenant"; }
envelopes() { redis --raw xrange "arda:stream:$tenant" - + | grep '^{'; }
dry() { arda-publish --dry-run "$@"; }
numbered() { # COUNT: events of a type that is not in the table
    seq -f '{"type":"x","tenantId":"'"$tenant"'","n":%.0f}' "$1"
}
loop_event=(loop.parameters_changed loopId=0a1b2c3d-0000-4000-8000-000000000003
    changeType=manual reason=x)

# ---- what is printed ----

# Stream ids and times of publication differ from run to run.
without_times() {
    sed -E 's/"[0-9]+-[0-9]+"/"STREAM"/; s/("source":"[^"]*",("correlationId":"[^"]*",)?"timestamp":)"[^"]*"/\1"NOW"/'
}

golden() { diff -u "$data/$1" "$RUN_DIR/got"; }

@test "--dry-run: the events as they would be sent, byte for byte" {
    dry --tenant "$golden_tenant" "$data/in.jsonl" >"$RUN_DIR/got"
    golden dry-run.jsonl
}

@test "--dry-run --envelope: the envelopes as they would be sent" {
    dry --envelope --tenant "$golden_tenant" "$data/in.jsonl" | without_times >"$RUN_DIR/got"
    golden envelope.jsonl
}

@test "--dry-run --downgrade: the new form, then the old one" {
    dry --downgrade "$data/map.json" "$data/v2.jsonl" >"$RUN_DIR/got"
    golden downgrade.jsonl
}

@test "--ack: a line per confirmed event; of several files it names which, of duplicates that they are" {
    redis del "arda:stream:$golden_tenant" >/dev/null
    redis eval "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end" 0 \
        "arda:dedupe:$golden_tenant:*"
    cd "$data"
    arda-publish --ack --tenant "$golden_tenant" in.jsonl | without_times >"$RUN_DIR/got"
    golden ack.jsonl
    cp in.jsonl "$RUN_DIR/in.jsonl"
    arda-publish --ack --tenant "$golden_tenant" in.jsonl - <"$RUN_DIR/in.jsonl" | without_times >"$RUN_DIR/got"
    golden ack-files.jsonl
}

@test "--ack: the stream id is that of the entry; there is none without a stream" {
    run --separate-stderr arda-publish --ack "${loop_event[@]}" tenantId="$tenant"
    [ "$status" = 0 ]
    [ "$(jq -r .streamId <<<"$output")" = "$(redis --raw xrange "arda:stream:$tenant" - + | head -n 1)" ]
    [ "$(jq -r .eventId <<<"$output")" = "$(envelopes | jq -r .id)" ]
    [ "$(jq -c 'keys_unsorted' <<<"$output")" = '["eventId","streamId"]' ]
    run --separate-stderr arda-publish --ack --no-stream "${loop_event[@]}" tenantId="$tenant"
    [ "$(jq -c .streamId <<<"$output")" = null ]
    [ "$(entries)" = 1 ]
}

@test "--schema: a JSON Schema that accepts what arda-publish accepts, and refuses what it refuses" {
    python3 -c 'import jsonschema' || skip "python3-jsonschema is not installed"
    for loose in '' --loose-ids; do
        # shellcheck disable=SC2086
        python3 "$top_srcdir/tests/lib/schema.py" arda-publish $loose
    done
}

# ---- options ----

@test "--tenant is for events that name none" {
    dry --tenant "$tenant" "${loop_event[@]}" | jq -e '.tenantId == "'"$tenant"'"'
    dry --tenant "$tenant" "${loop_event[@]}" tenantId= | jq -e '.tenantId == "'"$tenant"'"'
    dry --tenant "$(uuid)" "${loop_event[@]}" tenantId="$tenant" | jq -e '.tenantId == "'"$tenant"'"'
    for bad in global '' 'a b' "$(printf 'x%.0s' {1..65})"; do
        run --separate-stderr dry --tenant "$bad" "${loop_event[@]}"
        [ "$status" = 64 ]
        [[ "$stderr" == "arda-publish: --tenant: expected "* ]]
    done
}

@test "--source and --correlation-id stand in the envelope, before what was there" {
    line='{"source":"orders","correlationId":"c-1","event":{"type":"x","tenantId":"'$tenant'"}}'
    arda-publish --allow-unknown --source 'a"b' --correlation-id c-2 <<<"$line"
    [ "$(envelopes | jq -c '[.source, .correlationId]')" = '["a\"b","c-2"]' ]
    for option in --source --correlation-id; do
        for bad in '' $'\xff'; do
            run --separate-stderr dry "$option=$bad" "${loop_event[@]}"
            [ "$status" = 64 ]
            [ "$stderr" = "arda-publish: $option: expected UTF-8 that is not empty" ]
        done
    done
}

@test "--envelope: the channels carry the envelope, the same text as the stream" {
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
    arda-publish --envelope "${loop_event[@]}" tenantId="$tenant"
    wait_for lines_of own 6
    [ "$(sed -n 6p "$RUN_DIR/own.out")" = "$(envelopes)" ]
}

@test "--no-stream: the channels alone" {
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
    arda-publish --no-stream "${loop_event[@]}" tenantId="$tenant"
    wait_for lines_of own 6
    [ "$(entries)" = 0 ]
}

@test "--stream-maxlen bounds the stream, for new ids and for given ones" {
    numbered 500 | arda-publish --allow-unknown --stream-maxlen 100
    [ "$(entries)" -lt 300 ]
    numbered 500 | arda-publish --allow-unknown --stream-maxlen 100 -k once
    [ "$(entries)" -lt 300 ]
    run arda-publish --stream-maxlen 0
    [ "$status" = 64 ]
}

@test "--rate: not faster than it says" {
    numbered 100 >"$RUN_DIR/in"
    arda-publish --allow-unknown --rate 250 "$RUN_DIR/in"
    mapfile -t ids < <(redis --raw xrange "arda:stream:$tenant" - + | grep -E '^[0-9]+-[0-9]+$')
    [ "${#ids[@]}" = 100 ]
    # 99 steps of 4 ms, by the clock of Redis, which tells whole milliseconds. The first may be late.
    [ "$((${ids[99]%-*} - ${ids[0]%-*}))" -ge 290 ]
    start dry arda-publish --dry-run --allow-unknown --rate 1 "$RUN_DIR/in"
    wait_for lines_of dry 2
    run ! lines_of dry 50
}

# ---- input and output ----

@test "empty input, blank lines, a last line without its end" {
    run --separate-stderr arda-publish --ack </dev/null
    [ "$status $output $stderr" = '0  ' ]
    printf '\n  \n\n' >"$RUN_DIR/in"
    run --separate-stderr arda-publish --ack "$RUN_DIR/in"
    [ "$status $output $stderr" = '0  ' ]
    numbered 2 | head -c -1 >"$RUN_DIR/in"
    run --separate-stderr arda-publish --allow-unknown --ack "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c .line <<<"$output" | paste -sd' ')" = '1 2' ]
}

@test "standard input is read where - is named, and files in their order" {
    numbered 1 | sed 's/"n":1/"n":2/' >"$RUN_DIR/b"
    numbered 1 >"$RUN_DIR/a"
    arda-publish --allow-unknown "$RUN_DIR/a" - "$RUN_DIR/a" <"$RUN_DIR/b"
    [ "$(envelopes | jq .event.n | paste -sd' ')" = '1 2 1' ]
}

@test "a line is published when it has been read, and its ack printed" {
    mkfifo "$RUN_DIR/pipe"
    STDIN=$RUN_DIR/pipe start publish arda-publish --allow-unknown --ack
    exec 9>"$RUN_DIR/pipe"
    for n in 1 2 3; do
        numbered 1 >&9
        wait_for lines_of publish "$n"
        [ "$(entries)" = "$n" ]
    done
    exec 9>&-
    join publish
    [ "$status" = 0 ]
}

@test "a reader that goes away ends a dry run quietly" {
    numbered 20000 >"$RUN_DIR/in"
    dry --allow-unknown "$RUN_DIR/in" 2>"$RUN_DIR/err" | head -n 1 >"$RUN_DIR/out"
    statuses=("${PIPESTATUS[@]}")
    [ "${statuses[0]}" = 141 ]
    [ "$(jq .n "$RUN_DIR/out")" = 1 ]
    [ ! -s "$RUN_DIR/err" ]
}

@test "a reader of acks that goes away: no more is read, what was begun is confirmed" {
    mkfifo "$RUN_DIR/pipe" "$RUN_DIR/acks"
    STDIN=$RUN_DIR/acks start head head -n 1
    arda-publish --allow-unknown --ack <"$RUN_DIR/pipe" >"$RUN_DIR/acks" 2>"$RUN_DIR/publish.err" 3>&- &
    echo $! >"$RUN_DIR/publish.pid"
    exec 9>"$RUN_DIR/pipe"
    numbered 1 >&9
    join head
    numbered 5 >&9
    join publish
    exec 9>&-
    [ "$status" = 141 ]
    [ "$(err publish)" = "" ]
    [ "$(entries)" -ge 2 ]
}

@test "a reader that stops reading: it waits for it, and a signal still ends it" {
    numbered 30000 >"$RUN_DIR/in"
    for ending in '' term; do
        rm -f "$RUN_DIR/acks"
        mkfifo "$RUN_DIR/acks"
        exec 8<>"$RUN_DIR/acks" # somebody has it open and does not read
        arda-publish --allow-unknown --ack --stream-maxlen 100 "$RUN_DIR/in" \
            2>"$RUN_DIR/publish.err" 3>&- 8>&- >"$RUN_DIR/acks" &
        echo $! >"$RUN_DIR/publish.pid"
        wait_for pipe_is_full
        if [ "$ending" = term ]; then
            kill -TERM "$(pid_of publish)"
            wait_for is_gone "$(pid_of publish)"
            exec 8<&-
            join publish
            [ "$status" = 143 ] || [ "$status" = 75 ]
        else
            # All acks come once somebody reads.
            [ "$(head -n 30000 <&8 | jq .line | sort -n | uniq | wc -l)" = 30000 ]
            exec 8<&-
            join publish
            [ "$status" = 0 ]
        fi
        [ ! -s "$RUN_DIR/publish.err" ] || [ "$ending" = term ]
    done
}
# Descriptor 8 is a pipe that takes nothing more.
pipe_is_full() {
    python3 -c 'import select, sys
poll = select.poll()
poll.register(8, select.POLLOUT)
sys.exit(bool(poll.poll(0)))'
}

# ---- how it ends ----

@test "exit status 0, 64, 65, 70, 73, 74, 75, 77 and 78" {
    ends() { # STATUS MESSAGE COMMAND...
        local want=$1 message=$2
        shift 2
        run --separate-stderr "$@"
        [ "$status" = "$want" ]
        [[ "$stderr" == *"$message"* ]]
    }
    event=("${loop_event[@]}" tenantId="$tenant")
    ends 0 '' arda-publish "${event[@]}"
    ends 64 "unrecognized option" arda-publish --nonsense "${event[@]}"
    ends 64 "--rate: expected 0 to 1000000, got \`fast'" arda-publish --rate fast "${event[@]}"
    ends 64 "--ack: nothing is confirmed with --dry-run" arda-publish --ack --dry-run "${event[@]}"
    ends 64 "--idempotency-key: expected a key that is not empty" arda-publish -k '' "${event[@]}"
    ends 64 "--idempotency-key: needs a --dedupe-for" arda-publish -k x --dedupe-for 0 "${event[@]}"
    ends 64 "--schema: expected an event type" arda-publish --schema nonsense
    ends 65 "reason: missing" arda-publish "${event[@]/reason=*/x=y}"
    redis set arda:stream:wrong x >/dev/null
    ends 70 "WRONGTYPE" arda-publish --loose-ids "${loop_event[@]}" tenantId=wrong
    ends 73 "/nonexistent/x: No such file" arda-publish --unsent /nonexistent/x "${event[@]}"
    ends 74 "/nonexistent: No such file" arda-publish /nonexistent
    ends 74 "Is a directory" arda-publish /
    ends 75 "not confirmed" arda-publish --redis redis://127.0.0.1:1 --retry-for 100ms "${event[@]}"
    redis acl setuser reader on nopass '~*' '&*' +@all -xadd >/dev/null
    ends 77 "NOPERM" arda-publish --redis "redis://reader:x@127.0.0.1:$REDIS_PORT" "${event[@]}"
    ends 77 "" arda-publish -k x --redis "redis://reader:x@127.0.0.1:$REDIS_PORT" "${event[@]}"
    ends 78 "rediss://" arda-publish --redis rediss://h "${event[@]}"
    ends 78 "prefix" arda-publish --prefix 'a b' "${event[@]}"
    ARDA_PUBLISH_RATE=fast ends 78 "ARDA_PUBLISH_RATE" arda-publish "${event[@]}"
    [ "$(entries)" = 1 ]
}

@test "standard output that cannot be written is an error, and what was begun is published" {
    numbered 3 >"$RUN_DIR/in"
    run --separate-stderr bash -c "arda-publish --allow-unknown --dry-run '$RUN_DIR/in' >/dev/full"
    [ "$status" = 74 ]
    [ "$stderr" = "arda-publish: cannot write: No space left on device" ]
    run --separate-stderr bash -c "arda-publish --allow-unknown --ack '$RUN_DIR/in' >/dev/full"
    [ "$status" = 74 ]
    [ "$stderr" = "arda-publish: cannot write: No space left on device" ]
    [ "$(entries)" = 3 ]
    run --separate-stderr bash -c "arda-publish --schema card.transition >/dev/full"
    [ "$status" = 74 ]
}

@test "of the options that end it, whichever comes first does, and help before all" {
    bad='{"type":'
    good='{"type":"x","tenantId":"'$tenant'"}'
    nowhere=(--allow-unknown --redis redis://127.0.0.1:1)
    both() { printf '%s\n%s\n' "$1" "$2"; }
    # --help, --version and --schema, in any order; the first two are for parsing's end
    for other in --version '--schema card.transition' --strict --dry-run '--retry-for 1ms' --ack; do
        # shellcheck disable=SC2086
        run --separate-stderr arda-publish $other --help
        [ "$status" = 0 ]
        case $other in
        --version) [[ "${lines[0]}" == "arda-publish "* ]] ;;
        *) [[ "${lines[0]}" == "usage: arda-publish "* ]] ;;
        esac
    done
    for other in '--schema card.transition' --strict --dry-run '--retry-for 1ms'; do
        # shellcheck disable=SC2086
        run --separate-stderr arda-publish $other --version
        [ "$status" = 0 ]
        [[ "${lines[0]}" == "arda-publish "* ]]
    done
    for other in --strict --dry-run '--retry-for 1ms' --ack; do
        # shellcheck disable=SC2086
        run --separate-stderr arda-publish "${nowhere[@]}" $other --schema card.transition
        [ "$status" = 0 ]
        jq -e '.title == "card.transition"' <<<"$output"
    done
    # --strict and --dry-run: the bad line
    run --separate-stderr arda-publish --strict --dry-run "${nowhere[@]}" < <(both "$bad" "$good")
    [ "$status" = 65 ]
    [ "$output" = "" ]
    # --strict and --retry-for: the bad line ends reading, the time ends the rest
    both "$bad" "$good" >"$RUN_DIR/bad-first"
    run --separate-stderr arda-publish --strict --retry-for 500ms "${nowhere[@]}" "$RUN_DIR/bad-first"
    [ "$status" = 65 ]
    both "$good" "$bad" >"$RUN_DIR/bad-last"
    run --separate-stderr arda-publish --strict --retry-for 500ms "${nowhere[@]}" "$RUN_DIR/bad-last"
    [ "$status" = 75 ]
    [[ "$stderr" == *"line 2: column"*"line 1: not confirmed"* ]]
    # --dry-run and --retry-for: nothing is tried, so nothing is given up
    mkfifo "$RUN_DIR/pipe"
    STDIN=$RUN_DIR/pipe start dry arda-publish --dry-run --retry-for 1ms "${nowhere[@]}"
    exec 9>"$RUN_DIR/pipe"
    echo "$good" >&9
    wait_for lines_of dry 1
    echo "$good" >&9
    wait_for lines_of dry 2
    exec 9>&-
    join dry
    [ "$status" = 0 ]
}
