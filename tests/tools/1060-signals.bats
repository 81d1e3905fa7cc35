#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# SIGINT and SIGTERM end each program promptly, whatever it waits for: input that does not come, a
# reader that does not read, a Redis that is away or does not answer.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    cd "$RUN_DIR" || return
    export JWT_SECRET=$GATEWAY_SECRET
}
teardown() {
    exec 8>&- 9>&-
    stop_all
}

# A program in the background would inherit that SIGINT is ignored.
begin() { # NAME COMMAND...
    local name=$1
    shift
    start "$name" env --default-signal=INT,PIPE "$@"
}

# ends NAME SIGNAL STATUS...: it ends within three seconds of the signal with one of the statuses.
ends() {
    local name=$1 signal=$2 from=$EPOCHREALTIME
    shift 2
    stop "$name" "$signal"
    local took=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
    echo "$name, $signal: $status after $took ms"
    [ "$took" -lt 3000 ]
    [[ " $* " == *" $status "* ]]
}

is_program() { [ "$(cat "/proc/$(pid_of "$1")/comm")" != env ]; }
# It sleeps, in whatever it waits for, and no signal is its death unless it has asked for that.
waits() { is_program "$1" && [[ "$(cut -d')' -f2 <"/proc/$(pid_of "$1")/stat")" == " S "* ]]; }

# waiting_for_input NAME COMMAND...: its standard input is a pipe that stays open.
waiting_for_input() {
    local name=$1
    shift
    rm -f in
    mkfifo in
    exec 9<>in
    STDIN=in begin "$name" "$@"
    wait_for has_read_input "$name"
}

# Its input is the pipe's empty end, and it waits.
has_read_input() { [ "$(unread 9)" = 0 ] && waits "$1"; }
unread() { python3 -c 'import array,fcntl,sys,termios; n=array.array("i",[0]); fcntl.ioctl(int(sys.argv[1]),termios.FIONREAD,n); print(n[0])' "$1"; }

@test "waiting for input" {
    for signal in INT TERM; do
        number=$([ $signal = INT ] && echo 130 || echo 143)
        for call in "arda-publish -n" "arda-publish" "arda-replay --stdout --instant -q" "arda-replay" \
            "arda-directory load" "arda-directory set user $tenant u1 name@=-" "arda-token inspect" \
            "arda-deliveries show --tenant $tenant -" "arda-notifyd --explain"; do
            # shellcheck disable=SC2086
            waiting_for_input one $call
            echo "$call"
            ends one $signal "$number"
        done
    done
}

@test "waiting for the rest of the input, and the right lines were published" {
    waiting_for_input one arda-publish
    card "$tenant" >&9
    wait_for published 1
    ends one TERM 143
}
published() { [ "$(redis xlen "arda:stream:$tenant")" = "$1" ]; }

@test "arda-gateway --stdin ends in order" {
    waiting_for_input one arda-gateway --stdin --listen 127.0.0.1:0
    wait_for err_has one "listening on"
    ends one INT 0
}

@test "waiting for the writer of a named pipe" {
    mkfifo pipe
    card "$tenant" >line
    for signal in INT TERM; do
        number=$([ $signal = INT ] && echo 130 || echo 143)
        for call in "arda-publish pipe" "arda-publish --downgrade pipe line" "arda-replay pipe" "arda-directory load pipe" \
            "arda-token inspect pipe" "arda-token inspect --jwt-secret-file pipe" \
            "arda-gateway --listen 127.0.0.1:0 --jwt-secret-file pipe" "arda-notifyd --webhook-ca pipe" \
            "arda-subscribe --via http://127.0.0.1:1 --token-file pipe" \
            "arda-subscribe --via http://127.0.0.1:1 --token-file pipe --compare $tenant"; do
            # shellcheck disable=SC2086
            begin one $call
            wait_for waits_for_pipe one
            echo "$call"
            ends one $signal "$number"
        done
    done
}
# It sleeps in open(2), or has opened the pipe and waits on its loop.
waits_for_pipe() {
    local pid
    pid=$(pid_of "$1")
    waits "$1" && { [[ $(cat "/proc/$pid/wchan") == @(wait_for_partner|0) ]] || has_open "$pid" pipe; }
}
has_open() { find "/proc/$1/fd" -lname "*/$2" | grep -q .; }

# ---- a reader that does not read ----

# unread_output NAME COMMAND...: its standard output is a pipe that nobody reads, and is full.
unread_output() {
    local name=$1
    shift
    rm -f "$RUN_DIR/$name.out"
    mkfifo "$RUN_DIR/$name.out"
    exec 8<>"$RUN_DIR/$name.out"
    STDIN=${STDIN:-/dev/null} begin "$name" "$@"
    wait_for is_full
    wait_for waits "$name"
}
# By its pages: lines that came one at a time fill them with fewer bytes.
is_full() { python3 -c 'import select,sys; sys.exit(len(select.select([],[8],[],0)[1]))' 8>&8; }

# Enough for a pipe, in each place that is read.
fill() {
    local i
    yes "$(card "$tenant")" | head -n 600 >events
    arda-publish -q events
    for ((i = 0; i < 900; i++)); do
        printf '{"kind":"user","tenantId":"%s","userId":"u%d","active":true,"name":"%0100d"}\n' "$tenant" $i $i
    done | arda-directory load
    arda-inbox add -q --tenant "$tenant" --user u1 --type=po_created --title="$(printf %0100d 1)"
    redis --raw eval 'local id, row = unpack(redis.call("hgetall", KEYS[1]))
        for i = 1, 700 do
            redis.call("hset", KEYS[1], id .. i, (row:gsub("\"id\":\"[^\"]*", "\"id\":\"" .. id .. i, 1)))
            redis.call("zadd", KEYS[2], i, id .. i)
        end' 2 "arda:rows:$tenant:u1" "arda:inbox:$tenant:u1" >/dev/null
}

@test "writing to a pipe that is not read" {
    fill
    for signal in INT TERM; do
        number=$([ $signal = INT ] && echo 130 || echo 143)
        for call in "arda-publish -n events" "arda-replay --stdout --instant -q events" \
            "arda-subscribe $tenant --since=start" "arda-directory dump $tenant" \
            "arda-inbox list --json --limit=0 --tenant $tenant --user u1"; do
            # shellcheck disable=SC2086
            unread_output one $call
            echo "$call"
            ends one $signal "$number"
        done
        STDIN=events unread_output one arda-notifyd --explain
        ends one $signal "$number"
    done
}

# Supervisors give their programs sockets.
@test "writing to a socket that is not read" {
    fill
    for call in "arda-publish -n events" "arda-replay --stdout --instant -q events" \
        "arda-subscribe $tenant --since=start" "arda-directory dump $tenant"; do
        echo "$call"
        # shellcheck disable=SC2086
        python3 "$top_srcdir/tests/lib/socket-output.py" $call
    done
}

@test "what was written before a reader reads is whole" {
    fill
    for call in "arda-directory dump $tenant" "arda-inbox list --json --limit=0 --tenant $tenant --user u1"; do
        # shellcheck disable=SC2086
        unread_output one $call
        cat <"$RUN_DIR/one.out" >all 8>&- &
        reader=$!
        join one
        [ "$status" = 0 ]
        exec 8>&-
        wait $reader
        # shellcheck disable=SC2086
        $call | cmp - all
    done
    head -n 3 events >some
    STDIN=some unread_output one arda-notifyd --explain
    cat <"$RUN_DIR/one.out" >all 8>&- &
    reader=$!
    join one
    [ "$status" = 0 ]
    exec 8>&-
    wait $reader
    arda-notifyd --explain <some >again
    [ "$(wc -l <all)" = "$(wc -l <again)" ]
}

# What is published earlier is not for this client, though the gateway has subscribed.
has_joined() {
    local line
    while read -r -t 30 -u 8 line; do
        [[ $line != *'"name":"connected"'* ]] || return 0
    done
    return 1
}

@test "--via with a reader that does not read" {
    need_node
    start_gateway
    rm -f "$RUN_DIR/one.out"
    mkfifo "$RUN_DIR/one.out"
    exec 8<>"$RUN_DIR/one.out"
    token "$tenant" u1 >as-u1
    begin one arda-subscribe --via "$GATEWAY_URL" --token-file as-u1
    has_joined
    yes "$(card "$tenant")" | head -n 600 | arda-publish -q
    wait_for is_full
    wait_for waits one
    ends one TERM 143
}

# ---- Redis ----

calls_of_redis() {
    printf '%s\n' "arda-publish line" "arda-replay --instant line" "arda-subscribe $tenant" \
        "arda-directory dump" "arda-directory load users" "arda-inbox count --tenant $tenant --user u1" \
        "arda-inbox watch --tenant $tenant --user u1" "arda-deliveries count --tenant $tenant" \
        "arda-notifyd --redrive tenant=$tenant"
}

@test "a Redis that is away" {
    card "$tenant" >line
    echo '{"kind":"user","tenantId":"'"$tenant"'","userId":"u1","active":true}' >users
    for signal in INT TERM; do
        number=$([ $signal = INT ] && echo 130 || echo 143)
        while read -r call; do
            case $call in *--redrive*) continue ;; esac
            # shellcheck disable=SC2086
            begin one $call --redis redis://127.0.0.1:1
            wait_for err_has one "trying again"
            echo "$call"
            ends one $signal "$number" 75
        done < <(calls_of_redis)
    done
}

@test "a Redis that does not answer" {
    card "$tenant" >line
    echo '{"kind":"user","tenantId":"'"$tenant"'","userId":"u1","active":true}' >users
    kill -STOP "$(pid_of redis)"
    for signal in INT TERM; do
        number=$([ $signal = INT ] && echo 130 || echo 143)
        while read -r call; do
            # shellcheck disable=SC2086
            begin one $call
            wait_for catches_term one
            wait_for waits one
            echo "$call"
            ends one $signal "$number" 75 || failed=$call
        done < <(calls_of_redis)
    done
    kill -CONT "$(pid_of redis)"
    [ "${failed:-none}" = none ]
}
# The loop runs: a handler is there, or the signal is blocked for a descriptor.
catches_term() {
    is_there "$(pid_of "$1")" && is_program "$1" && (($(sed -n 's/^SigCgt:\t/0x/p' "/proc/$(pid_of "$1")/status") & 0x4000))
}
