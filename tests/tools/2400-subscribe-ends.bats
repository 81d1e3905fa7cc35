#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe: how it ends, and readers that stop reading.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() { tenant=$(uuid); }
teardown() { stop_all; }

entry() { # ID EVENTID
    redis xadd "arda:stream:$tenant" "$1" envelope '{"type":"x.y","eventId":"'"$2"'"}' >/dev/null
}

@test "--idle ends when nothing is printed for that long" {
    run arda-subscribe --idle 100ms "$tenant"
    [ "$status" = 1 ]
    entry 1-0 a
    run arda-subscribe --idle 100ms --since start --follow "$tenant"
    [ "$status" = 0 ]
    run arda-subscribe --idle 100ms --global
    [ "$status" = 1 ]
    # What the filters leave out does not count.
    run arda-subscribe --idle 100ms --since start --follow --type none "$tenant"
    [ "$status" = 1 ]
}

@test "--idle does not count while Redis is away" {
    run arda-subscribe --redis redis://127.0.0.1:1 --idle 50ms --timeout 500ms "$tenant"
    [ "$status" = 124 ]
}

# What each option needs to come first, and what it needs to come never.
first() {
    case $1 in
    count) echo --count 1 ;;
    idle) echo --idle 200ms ;;
    until) echo --until +500ms ;;
    timeout) echo --timeout 600ms ;;
    esac
}
never() {
    case $1 in
    count) echo --count 100 ;;
    idle) echo --idle 1h ;;
    until) echo --until +1h ;;
    timeout) echo --timeout 1h ;;
    esac
}

@test "of every two options that end it the one that comes first does" {
    entry 1-0 a
    entry 2-0 b
    for winner in count idle until timeout; do
        for loser in count idle until timeout; do
            [ "$winner" != "$loser" ] || continue
            # shellcheck disable=SC2046
            start "$winner-$loser" arda-subscribe --since start --follow $(first "$winner") \
                $(never "$loser") "$tenant"
        done
    done
    for winner in count idle until timeout; do
        for loser in count idle until timeout; do
            [ "$winner" != "$loser" ] || continue
            join "$winner-$loser"
            [ "$status" = "$([ "$winner" = timeout ] && echo 124 || echo 0)" ]
            [ "$(out "$winner-$loser" | wc -l)" = "$([ "$winner" = count ] && echo 1 || echo 2)" ]
        done
    done
}

@test "the end of the past comes before any of them" {
    entry 1-0 a
    for option in --count=100 --idle=1h --until=+1h --timeout=1h; do
        run arda-subscribe --since start "$option" "$tenant"
        [ "$status" = 0 ]
        [ "$(wc -l <<<"$output")" = 1 ]
    done
}

@test "--fail-on-gap wins over --timeout" {
    entry 1-0 a
    entry 2-0 b
    redis xtrim "arda:stream:$tenant" maxlen 1
    run arda-subscribe --since 0.001 --follow --timeout 500ms --fail-on-gap "$tenant"
    [ "$status" = 1 ]
}

@test "signals end it, and the shell sees them" {
    for signal in INT TERM HUP; do
        start sub env --default-signal=INT arda-subscribe "$tenant"
        wait_for subscribers "$tenant" 1
        stop sub "$signal"
        [ "$status" = $((128 + $(kill -l "$signal"))) ]
    done
}

@test "output that cannot be written is 74" {
    entry 1-0 a
    run bash -c "arda-subscribe --since start $tenant 2>&1 >/dev/full"
    [ "$status" = 74 ]
    [ "$output" = "arda-subscribe: cannot write: No space left on device" ]
    run bash -c "arda-subscribe --since start $tenant 2>&1 >&-"
    [ "$status" = 74 ]
}

@test "a reader that has gone ends it at once, not with the next event" {
    entry 1-0 a
    mkfifo "$RUN_DIR/pipe"
    for ignored in '' "trap '' PIPE;"; do
        start sub bash -c "$ignored exec arda-subscribe --since start --follow $tenant >'$RUN_DIR/pipe'"
        head -n 1 "$RUN_DIR/pipe" >"$RUN_DIR/line"
        join sub
        [ "$status" = "$([ -n "$ignored" ] && echo 0 || echo 141)" ]
        [ -s "$RUN_DIR/line" ]
        run ! grep -v 'not in the directory' "$RUN_DIR/sub.err"
    done
}

@test "the flags of a shared standard output stay as they are" {
    entry 1-0 a
    mkfifo "$RUN_DIR/pipe"
    exec 9<>"$RUN_DIR/pipe"
    arda-subscribe --since start "$tenant" >&9
    read -r flags < <(sed -n 's/^flags:\s*0*//p' "/proc/$$/fdinfo/9")
    [ $((0$flags & 04000)) = 0 ]
    exec 9<&-
}

# ---- readers that stop reading ----

# stuck OPTION...: a program whose reader has opened the pipe and reads nothing; fd 9 reads.
stuck() {
    mkfifo "$RUN_DIR/pipe"
    exec 9<>"$RUN_DIR/pipe"
    arda-subscribe "$@" >"$RUN_DIR/pipe" 2>"$RUN_DIR/sub.err" 3>&- 9>&- &
    echo $! >"$RUN_DIR/sub.pid"
}

# lines N: reads so many from the reader's end.
lines() { head -n "$1" <&9; }

many() { # COUNT BYTES: events of that size
    local filler
    filler=$(head -c "$2" /dev/zero | tr '\0' x)
    seq 1 "$1" | sed "s/.*/{\"type\":\"x\",\"tenantId\":\"$tenant\",\"n\":&,\"s\":\"$filler\"}/"
}

sent_bytes() { redis info stats | sed -n 's/^total_net_output_bytes:\([0-9]*\).*/\1/p'; }

# still: nobody has asked Redis for anything for a second.
still() { redis client list type normal | grep 'name=arda-subscribe ' | grep -q 'idle=[1-9]'; }

@test "the past waits for its reader: Redis is not asked for more" {
    many 1500 20000 | arda-publish --allow-unknown
    before=$(sent_bytes)
    stuck --since start "$tenant"
    wait_for still
    # 30 MB are there; what it takes is a few pages of a megabyte.
    [ $(($(sent_bytes) - before)) -lt 12000000 ]
    lines 1500 | jq .n >"$RUN_DIR/numbers"
    exec 9<&-
    join sub
    [ "$status" = 0 ]
    diff "$RUN_DIR/numbers" <(seq 1 1500)
}

@test "live events wait in the stream for their reader" {
    stuck --check-every 100ms "$tenant"
    wait_for subscribers "$tenant" 1
    many 400 20000 | arda-publish --allow-unknown
    lines 400 | jq .n >"$RUN_DIR/numbers"
    diff "$RUN_DIR/numbers" <(seq 1 400)
    [ "$(grep -c gap "$RUN_DIR/sub.err")" = 0 ]
    stop sub
    exec 9<&-
}

@test "what has no stream to wait in is dropped beyond 8 MB, and a gap" {
    stuck --global --gaps
    wait_for subscribers global 1
    filler=$(head -c 100000 /dev/zero | tr '\0' x)
    for ((i = 0; i < 150; i++)); do
        printf "publish arda:events:global '{\"type\":\"x\",\"s\":\"%s\"}'\n" "$filler"
    done | redis >/dev/null
    sub=$(pid_of sub)
    # Redis has nothing left to send to it.
    sent() { redis client list type pubsub | grep -q ' omem=0 '; }
    wait_for sent
    timeout 60 sed '/^{"gap"/q' <&9 | cut -c 1-200 >"$RUN_DIR/lines"
    line=$(tail -n 1 "$RUN_DIR/lines")
    count=$(grep -c '^{"type":"x","s":"x' "$RUN_DIR/lines")
    [ "$(jq -c '.gap | [.tenantId, .cause]' <<<"$line")" = '[null,"buffer_full"]' ]
    [ "$((count + $(jq .gap.count <<<"$line")))" = 150 ]
    [ "$count" -lt 100 ]
    is_there "$sub"
    stop sub
    exec 9<&-
}

@test "signals and --timeout end it although nobody reads" {
    many 200 20000 | arda-publish --allow-unknown
    stuck --since start "$tenant"
    wait_for still
    stop sub TERM
    [ "$status" = 143 ]
    rm "$RUN_DIR/pipe"
    stuck --since start --timeout 300ms "$tenant"
    join sub
    [ "$status" = 124 ]
    exec 9<&-
}

@test "a last line without a line end does not exist: every line has one" {
    entry 1-0 a
    arda-subscribe --since start --count 1 "$tenant" >"$RUN_DIR/out"
    [ "$(tail -c 1 "$RUN_DIR/out" | od -An -c | tr -d ' ')" = '\n' ]
}
