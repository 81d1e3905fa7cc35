#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-publish: each event once, whatever is lost on the way, and what could not be sent.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

entries() { redis xlen "arda:stream:$tenant"; }
has_entries() { [ "$(entries)" -ge "$1" ]; }
keys() { redis eval "return #redis.call('KEYS', ARGV[1])" 0 "$1"; }
# The numbers n of the events in the stream, in its order.
numbers() {
    redis --raw xrange "arda:stream:$tenant" - + | sed -n '/^{/p' | jq .event.n
}

# lines COUNT [ID]: events that are numbered, with ids of their own on request.
lines() {
    awk -v count="$1" -v tenant="$tenant" -v ids="${2:-}" 'BEGIN {
        for (n = 1; n <= count; n++) {
            id = ids ? sprintf(",\"eventId\":\"%s%012d\"", substr(tenant, 1, 24), n) : ""
            printf "{\"type\":\"x\",\"tenantId\":\"%s\",\"n\":%d%s}\n", tenant, n, id
        }
    }'
}

publish() { arda-publish --allow-unknown --stream-maxlen=100000 "$@"; }

# cutter MODE [COUNT [SEED]]: CUT_URL leads to Redis.
cutter() {
    start cutter python3 "$top_srcdir/tests/lib/cutter.py" "$REDIS_PORT" "$@"
    wait_for lines_of cutter 1
    CUT_URL=redis://127.0.0.1:$(out cutter)
}

listen() {
    start own redis-cli -p "$REDIS_PORT" subscribe "arda:events:$tenant"
    wait_for lines_of own 3
}

# Each of COUNT events is in the stream and was heard on the channel, once.
arrived_once() {
    redis publish "arda:events:$tenant" '{"last":1}' >/dev/null
    wait_for out_has own '{"last":1}'
    [ "$(grep -c '"n":' "$RUN_DIR/own.out")" = "$1" ]
    [ "$(entries)" = "$1" ]
    [ "$(numbers | sort -n | uniq | wc -l)" = "$1" ]
}

@test "an eventId is published once, for --dedupe-for; the second counts as success" {
    lines 2 ids >"$RUN_DIR/in"
    run --separate-stderr publish --ack --dedupe-for=1h "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c '[.line, .duplicate]' <<<"$output" | paste -sd' ')" = '[1,null] [2,null]' ]
    first=$output
    run --separate-stderr publish --ack --dedupe-for=1h "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c '[.line, .duplicate]' <<<"$output" | paste -sd' ')" = '[1,true] [2,true]' ]
    [ "$(jq -c .streamId <<<"$output")" = "$(jq -c .streamId <<<"$first")" ]
    [ "$(numbers | paste -sd' ')" = '1 2' ]
    left=$(redis pttl "arda:dedupe:$tenant:${tenant:0:24}000000000001")
    [ "$left" -gt 3000000 ]
    [ "$left" -le 3600000 ]
}

@test "what the id of an envelope says is published once, too" {
    line='{"id":"'$(uuid)'","event":{"type":"x","tenantId":"'$tenant'","n":1}}'
    publish <<<"$line"
    publish <<<"$line"
    [ "$(entries)" = 1 ]
}

@test "--dedupe-for=0 remembers nothing" {
    lines 1 ids >"$RUN_DIR/in"
    publish --dedupe-for=0 "$RUN_DIR/in"
    publish --dedupe-for=0 "$RUN_DIR/in"
    [ "$(entries)" = 2 ]
    [ "$(keys "arda:dedupe:$tenant:*")" = 0 ]
}

@test "a tenant's ids are its own" {
    id=$(uuid)
    other=$(uuid)
    for whose in "$tenant" "$other"; do
        publish x tenantId="$whose" eventId="$id"
    done
    [ "$(redis xlen "arda:stream:$tenant") $(redis xlen "arda:stream:$other")" = '1 1' ]
}

@test "--idempotency-key: the same run again changes nothing; identical lines are events of their own" {
    { lines 2; lines 2; lines 1; } >"$RUN_DIR/in"
    publish -k may "$RUN_DIR/in"
    [ "$(numbers | paste -sd' ')" = '1 2 1 2 1' ]
    run --separate-stderr publish -k may --ack "$RUN_DIR/in"
    [ "$status" = 0 ]
    [ "$(jq -c .duplicate <<<"$output" | sort | uniq -c | tr -s ' ')" = ' 5 true' ]
    [ "$(entries)" = 5 ]
    publish -k june "$RUN_DIR/in"
    [ "$(entries)" = 10 ]
    # From two files it is the same run.
    split -l 2 "$RUN_DIR/in" "$RUN_DIR/part."
    publish -k may "$RUN_DIR"/part.*
    [ "$(entries)" = 10 ]
}

@test "--idempotency-key: ids are UUIDs of version 8 made by HMAC-SHA-256, as arda-publish(1) says" {
    lines 1 >"$RUN_DIR/line"
    line=$(cat "$RUN_DIR/line")
    printf '%s\n%s' "$line" "$line" >"$RUN_DIR/in"
    for text in "$line" "$line
2"; do
        printf '%s' "$text" | openssl dgst -sha256 -hmac may | sed 's/.* //'
    done >"$RUN_DIR/hashes"
    run --separate-stderr publish -k may --dry-run "$RUN_DIR/in"
    [ "$status" = 0 ]
    jq -r .eventId <<<"$output" | tr -d - >"$RUN_DIR/ids"
    [ "$(cut -c1-12,14-16,18-32 "$RUN_DIR/ids")" = "$(cut -c1-12,14-16,18-32 "$RUN_DIR/hashes")" ]
    [ "$(grep -Ec '^.{12}8.{3}[89ab].{15}$' "$RUN_DIR/ids")" = 2 ]
    [ "$(wc -l <"$RUN_DIR/ids")" = 2 ]
}

@test "a run that was confirmed leaves no marks of its own" {
    lines 5 | publish
    [ "$(entries)" = 5 ]
    [ "$(keys 'arda:run:*')" = 0 ]
    [ "$(keys "arda:dedupe:$tenant:*")" = 0 ]
}

@test "new ids: answers get lost, connections are cut, and every event arrives once" {
    listen
    lines 5000 >"$RUN_DIR/in"
    cutter some 25 "$RANDOM"
    run --separate-stderr publish --ack --redis "$CUT_URL" "$RUN_DIR/in"
    [ "$status" = 0 ]
    arrived_once 5000
    [ "$(jq .line <<<"$output" | sort -n | uniq | wc -l)" = 5000 ]
    [ "$(wc -l <<<"$output")" = 5000 ]
    [[ "$stderr" == *"trying again"* ]]
    run ! grep -q duplicate <<<"$output"
}

@test "given ids: the same" {
    listen
    lines 3000 ids >"$RUN_DIR/in"
    cutter some 15 "$RANDOM"
    run --separate-stderr publish --ack --redis "$CUT_URL" "$RUN_DIR/in"
    [ "$status" = 0 ]
    arrived_once 3000
    [ "$(jq .line <<<"$output" | sort -n | uniq | wc -l)" = 3000 ]
    run ! grep -q duplicate <<<"$output"
    publish --redis "$CUT_URL" "$RUN_DIR/in"
    arrived_once 3000
}

@test "Redis dies in the middle and comes back with its log: every event arrives once" {
    lines 6000 >"$RUN_DIR/in"
    port=$REDIS_PORT
    unset REDIS_PORT
    start_redis --appendonly yes --appendfsync always
    start publish arda-publish --allow-unknown --stream-maxlen=100000 --rate 6000 "$RUN_DIR/in"
    wait_for has_entries 1000
    stop redis KILL
    launch_redis --appendonly yes --appendfsync always
    join publish
    [ "$status" = 0 ]
    err_has publish "trying again"
    [ "$(entries)" = 6000 ]
    [ "$(numbers | sort -n | uniq | wc -l)" = 6000 ]
    stop_all
    REDIS_PORT=$port
}

@test "Redis forgets its scripts meanwhile: it is given them again" {
    lines 2000 ids >"$RUN_DIR/in"
    start publish arda-publish --allow-unknown --rate 2000 "$RUN_DIR/in"
    while is_there "$(pid_of publish)"; do redis script flush >/dev/null; done
    join publish
    [ "$status" = 0 ]
    [ "$(numbers | sort -n | uniq -c | grep -c ' 1 ')" = 2000 ]
}

@test "--unsent: nothing could be sent; the file is complete and brings each event once" {
    lines 6000 >"$RUN_DIR/in" # more than are held
    run --separate-stderr publish --redis redis://127.0.0.1:1 --retry-for 200ms \
        --unsent "$RUN_DIR/left" "$RUN_DIR/in"
    [ "$status" = 75 ]
    [[ "$stderr" == *"giving up"*"in: lines 1-"*": not confirmed"*"left: 6000 lines for the next run" ]]
    [ "$(jq .event.n "$RUN_DIR/left" | paste -sd' ')" = "$(seq 6000 | paste -sd' ')" ]
    [ "$(echo "$RUN_DIR"/left*)" = "$RUN_DIR/left" ] # nothing beside it
    publish "$RUN_DIR/left"
    [ "$(entries)" = 6000 ]
    run --separate-stderr publish --ack "$RUN_DIR/left"
    [ "$status" = 0 ]
    [ "$(grep -c '"duplicate":true' <<<"$output")" = 6000 ]
    [ "$(numbers | sort -n | uniq -c | grep -c ' 1 ')" = 6000 ]
}

@test "--unsent: all was published and no answer came; the file doubles nothing" {
    for ids in '' ids; do
        lines 500 $ids >"$RUN_DIR/in"
        cutter all
        run --separate-stderr publish --redis "$CUT_URL" --retry-for 500ms --unsent "$RUN_DIR/left" \
            "$RUN_DIR/in"
        [ "$status" = 75 ]
        [ "$(wc -l <"$RUN_DIR/left")" = 500 ]
        [ "$(entries)" = 500 ]
        # Once more in vain, from the file into the same file.
        run --separate-stderr publish --redis "$CUT_URL" --retry-for 500ms --unsent "$RUN_DIR/left" \
            "$RUN_DIR/left"
        [ "$status" = 75 ]
        [ "$(wc -l <"$RUN_DIR/left")" = 500 ]
        stop cutter
        run --separate-stderr publish --ack --unsent "$RUN_DIR/left" "$RUN_DIR/left"
        [ "$status" = 0 ]
        [ "$(grep -c '"duplicate":true' <<<"$output")" = 500 ]
        [ "$(entries)" = 500 ]
        tenant=$(uuid)
    done
}

@test "--unsent keeps what the event was made of" {
    line='{"id":"'$(uuid)'","source":"orders","correlationId":"c-1","event":{"type":"x","n":1.50}}'
    { echo "$line"; echo '{"type":"x","n":2}'; echo '{"type":"x","tenantId":'; } >"$RUN_DIR/in"
    run --separate-stderr publish --redis redis://127.0.0.1:1 --retry-for 100ms --tenant "$tenant" \
        --unsent "$RUN_DIR/left" <"$RUN_DIR/in"
    [ "$status" = 75 ]
    [[ "$stderr" == *"line 3: column"* ]]
    publish --ack "$RUN_DIR/left"
    [ "$(jq -c '[.source, .correlationId, .id == .event.eventId, .event.tenantId == "'"$tenant"'"]' \
        <(redis --raw xrange "arda:stream:$tenant" - + | grep '^{') | paste -sd' ')" = \
        '["orders","c-1",true,true] ["arda-publish",null,true,true]' ]
    [ "$(redis --raw xrange "arda:stream:$tenant" - + | grep -c '"n":1.50,')" = 1 ]
}

@test "--unsent: SIGTERM in the middle of a file; the two runs make a whole" {
    lines 3000 >"$RUN_DIR/in"
    start publish arda-publish --allow-unknown --rate 1000 --unsent "$RUN_DIR/left" "$RUN_DIR/in"
    wait_for has_entries 100
    stop publish TERM
    [ "$status" = 75 ]
    [ "$(($(entries) + $(wc -l <"$RUN_DIR/left")))" -ge 3000 ]
    publish "$RUN_DIR/left"
    [ "$(numbers | sort -n | uniq -c | grep -c ' 1 ')" = 3000 ]
}

@test "--unsent: what cannot be written is said, before the first event where possible" {
    run --separate-stderr publish --unsent /nonexistent/left x tenantId="$tenant"
    [ "$status" = 73 ]
    [ "$stderr" = "arda-publish: /nonexistent/left: No such file or directory" ]
    [ "$(entries)" = 0 ]
    run --separate-stderr publish --redis redis://127.0.0.1:1 --retry-for 100ms --unsent /dev/full \
        x tenantId="$tenant"
    [ "$status" = 74 ]
    [[ "$stderr" == *"/dev/full: No space left on device; the unsent lines follow here"* ]]
    [ "$(grep '^{' <<<"$stderr" | jq -r .event.tenantId)" = "$tenant" ]
}

@test "--unsent: when all is confirmed there is no file" {
    publish --unsent "$RUN_DIR/left" x tenantId="$tenant"
    [ "$(echo "$RUN_DIR"/left*)" = "$RUN_DIR/left*" ]
    [ "$(entries)" = 1 ]
}

@test "a pipe is not read to its end when it ends early, and that is said" {
    mkfifo "$RUN_DIR/pipe"
    STDIN=$RUN_DIR/pipe start publish arda-publish --allow-unknown --unsent "$RUN_DIR/left" \
        --redis redis://127.0.0.1:1
    exec 9>"$RUN_DIR/pipe"
    lines 2 >&9
    wait_for pipe_is_empty
    stop publish INT
    exec 9>&-
    [ "$status" = 75 ]
    err_has publish "nothing after line 2 was read"
    [ "$(wc -l <"$RUN_DIR/left")" = 2 ]
}
# What was written to descriptor 9 has been read.
pipe_is_empty() {
    python3 -c 'import fcntl, sys, termios
sys.exit(any(fcntl.ioctl(9, termios.FIONREAD, bytes(4))))'
}
