#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# All programs started with standard descriptors closed: `<&-` is an empty input, `2>&-` loses
# messages and nothing else, `>&-` is a write error where something has to be printed.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    export JWT_SECRET=a-secret-of-thirty-two-bytes-or-more APP_URL=http://app.example
    cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() { stop_all; }

# with CLOSED COMMAND...: its status, with the descriptors closed whose numbers CLOSED has.
with() {
    local closed=$1
    shift
    case $closed in *0*) exec 0<&- ;; esac
    case $closed in *2*) exec 2>&- ;; esac
    case $closed in *1*) exec 1>&- ;; esac
    exec "$@"
}
# ends STATUS CLOSED COMMAND...: its output is in out and err.
ends() {
    local wanted=$1
    shift
    status=0
    (with "$@") >out 2>err 3>&- </dev/null || status=$?
    echo "$*: status $status, $(cat out err)"
    [ "$status" = "$wanted" ]
    ! grep -q -e Abort -e assert err
}

users() {
    load_users "$tenant" ann bob
    card "$tenant" | arda-publish -q
}

@test "nothing is to be printed: any of them may be closed" {
    users
    card "$tenant" >event.jsonl
    printf '{"kind":"loop","tenantId":"%s","loopId":"l"}\n' "$tenant" >loop.jsonl
    for closed in 0 1 2 01 02 12 012; do
        ends 0 $closed arda-publish event.jsonl
        ends 0 $closed arda-directory load loop.jsonl
        ends 0 $closed arda-inbox add --tenant "$tenant" --user ann --type system_alert --title x
        ends 0 $closed arda-replay --instant event.jsonl
    done
    [ "$(redis xlen "arda:stream:$tenant")" = 15 ]
}

@test "standard input or error closed: what is printed stays the same" {
    users
    arda-inbox -q add --tenant "$tenant" --user ann --type system_alert --title x
    token=$(token "$tenant" ann)
    echo "$token" >token
    for closed in 0 2 02; do
        ends 0 $closed arda-subscribe --last=1 "$tenant"
        jq -e '.type == "card.transition"' out
        ends 0 $closed arda-directory dump "$tenant"
        [ "$(wc -l <out)" = 2 ]
        ends 0 $closed arda-inbox list --tenant "$tenant" --user ann
        [ "$(wc -l <out)" -ge 1 ]
        ends 0 $closed arda-deliveries count --tenant "$tenant"
        [ -s out ]
        ends 0 $closed arda-replay --plan --format=json --from-stream="$tenant"
        jq -e . out
        ends 0 $closed arda-notifyd --rules
        [ -s out ]
        ends 0 $closed arda-token inspect token
        jq -e .valid out
        ends 0 $closed arda-gateway --version
        [ -s out ]
        ends 0 $closed arda-publish --schema card.transition
        jq -e . out
    done
    # Standard input is an empty one.
    ends 0 0 arda-publish
    ends 65 0 arda-token inspect
    ends 0 0 arda-directory load
}

@test "standard output closed is a write error where something is to be printed" {
    users
    card "$tenant" >event.jsonl
    arda-inbox -q add --tenant "$tenant" --user ann --type system_alert --title x
    token "$tenant" ann >minted
    for closed in 1 01 12; do
        ends 74 $closed arda-subscribe --last=1 "$tenant"
        ends 74 $closed arda-directory dump "$tenant"
        ends 74 $closed arda-inbox list --tenant "$tenant" --user ann
        ends 74 $closed arda-deliveries count --tenant "$tenant"
        ends 74 $closed arda-publish --dry-run event.jsonl
        ends 74 $closed arda-publish --ack event.jsonl
        ends 74 $closed arda-replay --stdout --instant event.jsonl
        ends 74 $closed arda-replay --plan event.jsonl
        ends 74 $closed arda-notifyd --rules
        ends 74 $closed arda-token inspect minted
        ends 74 $closed arda-token mint --tenant "$tenant" --user ann
        for program in deliveries directory gateway inbox notifyd publish replay subscribe token; do
            ends 74 $closed "arda-$program" --help
        done
    done
    ends 74 1 arda-directory dump "$tenant"
    grep -q 'cannot write: Bad file descriptor' err
}

@test "no message gets into a file of data" {
    card "$tenant" >event.jsonl
    ends 75 2 arda-publish --redis=redis://127.0.0.1:1 --retry-for=200ms --unsent=left.jsonl event.jsonl
    [ "$(wc -l <left.jsonl)" = 1 ]
    jq -e . left.jsonl
    users
    ends 0 2 arda-replay --from-stream="$tenant" --shadow=-test --instant --checkpoint=c.state
    jq -e '.complete' c.state
    ends 1 012 arda-subscribe --since=start --type none --cursor=cursor "$tenant"
    [ "$(jq -s length cursor)" = 2 ]
}

# null PID FD: it has /dev/null there.
null() { [ "$(readlink "/proc/$1/fd/$2")" = /dev/null ]; }

@test "a daemon keeps the three numbers free of its own descriptors" {
    (with 012 arda-gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0) 3>&- &
    echo $! >"$RUN_DIR/gateway.pid"
    (with 012 arda-notifyd) 3>&- &
    echo $! >"$RUN_DIR/notifyd.pid"
    : >"$RUN_DIR/gateway.err"
    for name in gateway notifyd; do
        pid=$(pid_of "$name")
        wait_for has_epoll "$pid"
        if [ -r "/proc/$pid/fd" ]; then
            for fd in 0 1 2; do null "$pid" $fd; done
        fi
        stop "$name"
        [ "$status" = 0 ]
    done
}
# Or it lets nobody look, which a daemon does later than that.
has_epoll() {
    [ ! -r "/proc/$1/fd" ] || find "/proc/$1/fd" -lname '*eventpoll*' 2>/dev/null | grep -q .
}
