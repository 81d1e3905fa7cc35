#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe --cursor: what was printed is known to the next run.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    cursor=$BATS_TEST_TMPDIR/cursor
}
teardown() { stop_all; }

entry() { # ID EVENTID [TENANT]
    redis xadd "arda:stream:${3:-$tenant}" "$1" envelope '{"type":"x.y","eventId":"'"$2"'"}' >/dev/null
}
ids() { jq -r .eventId | paste -sd' '; }
position() { sed 1d "$cursor" | jq -r 'select(.tenantId == "'"${1:-$tenant}"'") | .position'; }

@test "a run goes on where the last one has ended; the cursor wins over --since" {
    entry 1-0 a
    entry 2-0 b
    run arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ "$status" = 0 ]
    [ "$(ids <<<"$output")" = "a b" ]
    [ "$(position)" = 2-0 ]
    run arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ "$status" = 1 ]
    entry 3-0 c
    entry 4-0 d
    run arda-subscribe --cursor "$cursor" --since start --count 1 "$tenant"
    [ "$(ids <<<"$output")" = c ]
    run arda-subscribe --cursor "$cursor" --last 9 "$tenant"
    [ "$(ids <<<"$output")" = d ]
}

@test "without --since it follows, from the end the first time" {
    entry 1-0 a
    start sub arda-subscribe --cursor "$cursor" --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    entry 2-0 b
    redis publish "arda:events:$tenant" '{"type":"x.y","eventId":"b"}'
    join sub
    [ "$(out sub | ids)" = b ]
    entry 3-0 c
    run arda-subscribe --cursor "$cursor" --count 1 "$tenant"
    [ "$(ids <<<"$output")" = c ]
}

@test "the end is remembered before anything has come" {
    entry 1-0 a
    start sub arda-subscribe --cursor "$cursor" "$tenant"
    wait_for subscribers "$tenant" 1
    wait_for test -s "$cursor"
    stop sub KILL
    entry 2-0 b
    run arda-subscribe --cursor "$cursor" --count 1 "$tenant"
    [ "$(ids <<<"$output")" = b ]
}

@test "what filters leave out is behind the cursor, too" {
    entry 1-0 a
    redis xadd "arda:stream:$tenant" 2-0 envelope '{"type":"other","eventId":"b"}'
    redis xadd "arda:stream:$tenant" 3-0 envelope 'no json'
    run --separate-stderr arda-subscribe --cursor "$cursor" --since start --type 'x.*' "$tenant"
    [ "$(ids <<<"$output")" = a ]
    [ "$(position)" = 3-0 ]
}

@test "each tenant has its own position, also those that are not asked for" {
    other=$(uuid)
    entry 1-0 a
    entry 5-0 z "$other"
    run arda-subscribe --cursor "$cursor" --since start "$tenant" "$other"
    entry 2-0 b
    run arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ "$(ids <<<"$output")" = b ]
    [ "$(position)" = 2-0 ]
    [ "$(position "$other")" = 5-0 ]
    jq -e . "$cursor" >/dev/null
}

@test "the file is replaced by renaming; what a link leads to is replaced" {
    entry 1-0 a
    ln -s real "$cursor"
    arda-subscribe --cursor "$cursor" --since start "$tenant"
    inode=$(stat -c %i "$BATS_TEST_TMPDIR/real")
    exec 8<"$BATS_TEST_TMPDIR/real"
    entry 2-0 b
    arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ "$(stat -c %i "$BATS_TEST_TMPDIR/real")" != "$inode" ]
    [ -L "$cursor" ]
    [ "$(sed 1d <&8 | jq -r .position)" = 1-0 ]
    exec 8<&-
    [ "$(position)" = 2-0 ]
    [ ! -e "$BATS_TEST_TMPDIR/real.tmp" ]
}

@test "a trimmed or lost stream is a gap, with its size" {
    for i in 1 2 3 4 5; do entry "$i-0" "e$i"; done
    arda-subscribe --cursor "$cursor" --since start --count 2 "$tenant"
    redis xtrim "arda:stream:$tenant" maxlen 1
    run --separate-stderr arda-subscribe --cursor "$cursor" --since start --fail-on-gap "$tenant"
    [ "$status" = 1 ]
    [ "$(ids <<<"$output")" = e5 ]
    [ "$stderr" = '{"gap":{"tenantId":"'"$tenant"'","from":"2-0","to":"5-0","cause":"trimmed","count":2}}' ]
    redis del "arda:stream:$tenant"
    run --separate-stderr arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ "$status" = 1 ]
    [ "$stderr" = '{"gap":{"tenantId":"'"$tenant"'","from":"5-0","to":null,"cause":"stream_lost","count":null}}' ]
    run --separate-stderr arda-subscribe --cursor "$cursor" --since start "$tenant"
    [ -z "$stderr" ]
}

@test "a file that is no cursor is left alone: 65" {
    for text in 'notes' '{"cursor":2}' '{"cursor":1}
{"tenantId":"t","position":"1-1","number":1}
{"tenantId":"t","position":"1-1","number":1}' '{"cursor":1}
{"tenantId":"t","position":"1","number":1}' '{"cursor":1}
{"tenantId":"t","position":"1-1","num'; do
        printf '%s' "$text" >"$cursor"
        [ "${text: -1}" != '}' ] || echo >>"$cursor"
        cp "$cursor" "$cursor.before"
        run arda-subscribe --cursor "$cursor" "$tenant"
        [ "$status" = 65 ]
        [[ $output == "arda-subscribe: $cursor: line "[123]": not a line of a cursor file" ]]
        cmp "$cursor" "$cursor.before"
    done
}

@test "a file that cannot be made or replaced is 73, one in use 75" {
    run arda-subscribe --cursor "$BATS_TEST_TMPDIR/none/cursor" "$tenant"
    [ "$status" = 73 ]
    run arda-subscribe --cursor "$BATS_TEST_TMPDIR" "$tenant"
    [ "$status" = 73 ]
    start sub arda-subscribe --cursor "$cursor" "$tenant"
    wait_for subscribers "$tenant" 1
    run arda-subscribe --cursor "$cursor" "$tenant"
    [ "$status" = 75 ]
    [ "$output" = "arda-subscribe: $cursor: another process uses it" ]
    stop sub
    start sub arda-subscribe --cursor "$cursor" --count 1 "$tenant"
    wait_for subscribers "$tenant" 1
    mv "$cursor" "$cursor.moved" && mkdir "$cursor"
    entry 1-0 a
    redis publish "arda:events:$tenant" '{"type":"x.y","eventId":"a"}'
    join sub
    [ "$status" = 73 ]
    err_has sub "$cursor: Is a directory"
    # What was written in place is known all the same.
    rmdir "$cursor" && mv "$cursor.moved" "$cursor"
    [ "$(position)" = 1-0 ]
}

# grew BYTES: the output has at least that many, or everything.
grew() { [ "$(stat -c %s "$RUN_DIR/lines")" -ge "$1" ] || grep -q "\"n\":$total," "$RUN_DIR/lines"; }

# follow_under_kills: a tenant's events are followed by a program that is killed, adds to `kills`.
follow_under_kills() {
    local total=9000 before=$kills
    tenant=$(uuid) cursor=$RUN_DIR/cursor.$before
    seq 1 "$total" | sed "s/.*/{\"type\":\"x\",\"tenantId\":\"$tenant\",\"n\":&}/" >"$RUN_DIR/events"
    : >"$RUN_DIR/lines"
    # Half of it is there; the other half flows while it is killed.
    head -n $((total / 2)) "$RUN_DIR/events" | arda-publish --allow-unknown
    follow() {
        arda-subscribe -q --cursor "$cursor" --since start --follow "$@" "$tenant" \
            >>"$RUN_DIR/lines" 2>>"$RUN_DIR/follow.err" 3>&- &
        echo $! >"$RUN_DIR/follow.pid"
    }
    STDIN="$RUN_DIR/events" start flow bash -c "tail -n $((total / 2)) | while read -r line; do
        echo \"\$line\"; done | arda-publish --allow-unknown"
    until grep -q "\"n\":$total," "$RUN_DIR/lines"; do
        follow
        pid=$!
        wait_for grew $(($(stat -c %s "$RUN_DIR/lines") + RANDOM % 8000 + 1))
        kill -KILL "$pid"
        wait "$pid" || true
        kills=$((kills + 1))
    done
    follow --idle 200ms
    join follow
    join flow
    [ ! -s "$RUN_DIR/follow.err" ]
    # A line that was cut is followed by the next one without a line end.
    sed 's/\(.\){"type"/\1\n{"type"/g' "$RUN_DIR/lines" | jq -R 'fromjson? | .n' >"$RUN_DIR/numbers"
    echo "$((kills - before)) kills, $(uniq -d "$RUN_DIR/numbers" | wc -l) lines came again"
    # In order without a hole, and never more than the one line again.
    awk 'NR > 1 && $1 != last + 1 && ($1 != last || $1 == again) { exit 1 }
        $1 == last { again = $1 } { last = $1 } END { if (last != '"$total"') exit 1 }' "$RUN_DIR/numbers"
    [ "$(head -n 1 "$RUN_DIR/numbers")" = 1 ]
    [ "$(uniq -d "$RUN_DIR/numbers" | wc -l)" -le $((kills - before)) ]
}

@test "kill -9 at any moment: nothing is lost, and one line at most comes again" {
    kills=0
    while [ "$kills" -lt 5 ]; do # each time is one kill at least
        follow_under_kills
    done
}
