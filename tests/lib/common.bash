# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What the bats files share: a Redis of their own, programs in the background, waiting for
# conditions, and a client of Socket.IO. Everything that was started ends with the file.
#
#     setup_file() { start_redis; }
#     teardown_file() { stop_all; }
#     teardown() { stop_all_of_test; }

bats_require_minimum_version 1.5.0

# A variable of the tests, which the programs would report as unknown.
export NODE_PATH="${ARDA_NODE_MODULES:-${NODE_PATH:-/nonexistent}}"
unset ARDA_NODE_MODULES
# Programs warn of secrets that others may read.
umask 0077
: "${top_srcdir:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
export top_srcdir
# script(1) runs commands in this shell, quoted by %q for bash.
export SHELL=$BASH
unset JWT_SECRET APP_URL PORT
[ -n "${REDIS_PORT:-}" ] || unset REDIS_URL

need_node() {
    [ -d "$NODE_PATH/socket.io-client" ] || skip "the npm packages are not installed"
}

uuid() { cat /proc/sys/kernel/random/uuid; }

# Until COMMAND succeeds; fails after ten seconds, thirty under sanitizers and load.
wait_for() {
    local deadline=$((SECONDS + 30))
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "waited in vain for: $*" >&2
            show_logs
            return 1
        fi
        sleep 0.02
    done
}

show_logs() {
    local file
    for file in "$RUN_DIR"/*.err; do
        [ ! -s "$file" ] || sed "s|^|${file##*/}: |" "$file" >&2
    done
}

# preset PROGRAM [OPTION VARIABLE]...: in this test it gets the options whose variables are set. (By
# the variables of the program itself each call would report them.)
preset() {
    local program=$1 real
    shift
    real=$(type -P "$program") || return 1
    mkdir -p "$BATS_TEST_TMPDIR/preset"
    {
        printf '#!/bin/sh\nexec "%s"' "$real"
        while [ $# -ge 2 ]; do
            # shellcheck disable=SC2016
            printf ' ${%s:+%s="$%s"}' "$2" "$1" "$2"
            shift 2
        done
        printf ' "$@"\n'
    } >"$BATS_TEST_TMPDIR/preset/$program"
    chmod +x "$BATS_TEST_TMPDIR/preset/$program"
    PATH=$BATS_TEST_TMPDIR/preset:$PATH
}

# ---- programs in the background ----

# Those started in setup_file live as long as the file, others as long as their test.
if [ -n "${BATS_TEST_TMPDIR:-}" ]; then RUN_DIR=$BATS_TEST_TMPDIR; else RUN_DIR=$BATS_FILE_TMPDIR; fi

# start NAME COMMAND...: output goes to $RUN_DIR/NAME.out and .err, the process id to NAME.pid.
start() {
    local name=$1
    shift
    # One of the same name that still runs is ended by stop_all.
    [ ! -f "$RUN_DIR/$name.pid" ] || mv "$RUN_DIR/$name.pid" "$RUN_DIR/$name.$(cat "$RUN_DIR/$name.pid").pid"
    # Here and not there, or what an earlier one has written would be taken for its output.
    : >"$RUN_DIR/$name.out"
    : >"$RUN_DIR/$name.err"
    "$@" >"$RUN_DIR/$name.out" 2>"$RUN_DIR/$name.err" <"${STDIN:-/dev/null}" 3>&- 9>&- &
    echo $! >"$RUN_DIR/$name.pid"
}

pid_of() { cat "$RUN_DIR/$1.pid" 2>/dev/null || cat "$BATS_FILE_TMPDIR/$1.pid"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
is_there() { kill -0 "$1" 2>/dev/null; }

# stop NAME [SIGNAL]: ends it and puts its exit status into `status`.
stop() {
    local pid
    pid=$(pid_of "$1")
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    join "$1"
}

# join NAME: waits until it ends by itself, with `status` as above.
# shellcheck disable=SC2034
join() {
    local pid
    pid=$(pid_of "$1")
    wait_for is_gone "$pid" || return 1
    status=0
    wait "$pid" || status=$?
    rm -f "$RUN_DIR/$1.pid"
}

stop_all() {
    local file
    for file in "$RUN_DIR"/*.pid; do
        [ -f "$file" ] || continue
        kill "$(cat "$file")" 2>/dev/null || true
    done
    for file in "$RUN_DIR"/*.pid; do
        [ -f "$file" ] || continue
        wait_for is_gone "$(cat "$file")" || kill -KILL "$(cat "$file")" 2>/dev/null || true
        rm -f "$file"
    done
}

out() { cat "$RUN_DIR/$1.out"; }
err() { cat "$RUN_DIR/$1.err"; }
lines_of() { [ "$(wc -l <"$RUN_DIR/$1.out")" -ge "$2" ]; }
err_has() { grep -qF -- "$2" "$RUN_DIR/$1.err"; }
out_has() { grep -qF -- "$2" "$RUN_DIR/$1.out"; }

# ---- Redis ----

# A server of the file's own on a free port; REDIS_URL and REDIS_PORT name it. The port is none that
# the kernel gives to connections, or one could sit on it while a test has Redis restarted.
start_redis() {
    local tries
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        REDIS_PORT=${REDIS_PORT:-$((RANDOM % 20000 + 12000))}
        launch_redis "$@" && return 0
        unset REDIS_PORT
    done
    echo "redis-server does not start after $tries tries" >&2
    return 1
}

launch_redis() {
    export REDIS_PORT REDIS_URL="redis://127.0.0.1:$REDIS_PORT"
    start redis redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' --appendonly no \
        --dir "$RUN_DIR" --loglevel warning "$@"
    local pid
    pid=$(pid_of redis)
    wait_for redis_or_gone "$pid"
    redis_is "$pid" && return 0
    kill "$pid" 2>/dev/null
    return 1
}

# Itself, and not a server of another test on the same port.
redis_is() {
    [ "$(redis ping 2>/dev/null)" = PONG ] &&
        [ "$(redis info server | sed -n 's/^process_id:\([0-9]*\).*/\1/p')" = "$1" ]
}
redis_or_gone() { is_gone "$1" || redis_is "$1"; }
redis() { redis-cli -p "$REDIS_PORT" "$@"; }
subscribers() { [ "$(redis pubsub numsub "arda:events:$1" | tail -n 1)" = "$2" ]; }

# ---- events ----

# card TENANT [TOSTAGE [CARD]]: a card.transition as a line.
card() {
    printf '{"type":"card.transition","tenantId":"%s","cardId":"%s","loopId":"%s",' \
        "$1" "${3:-$(uuid)}" "$(uuid)"
    printf '"fromStage":"created","toStage":"%s","method":"scan",' "${2:-triggered}"
    printf '"timestamp":"2026-02-08T12:00:00.000Z"}\n'
}

# ---- the gateway and its clients ----

export GATEWAY_SECRET=a-secret-of-thirty-two-bytes-or-more

# start_gateway [OPTION]...: GATEWAY_URL names it.
start_gateway() {
    JWT_SECRET=$GATEWAY_SECRET APP_URL=${APP_URL-http://app.example:5173} \
        start gateway arda-gateway --listen 127.0.0.1:0 "$@"
    wait_for listening_or_gone gateway
    GATEWAY_URL=http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/gateway.err")
    export GATEWAY_URL
    is_there "$(pid_of gateway)"
}

listening_or_gone() { err_has "$1" "listening on" || is_gone "$(pid_of "$1")"; }

token() { # TENANT USER [OPTION]...
    local tenant=$1 user=$2
    shift 2
    JWT_SECRET=$GATEWAY_SECRET arda-token mint --tenant "$tenant" --user "$user" "$@"
}

# client NAME TENANT [OPTION]...: a socket.io-client (tests/lib/client.js) for a new user; returns
# when it has been told `connected` and the tenant's subscription stands.
client() {
    local name=$1 tenant=$2
    shift 2
    start "$name" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" \
        --token "$(token "$tenant" "${CLIENT_USER:-$(uuid)}")" "$@"
    wait_for out_has "$name" '"event":"connected"'
    [ -z "${REDIS_PORT:-}" ] || [ -n "${NO_REDIS:-}" ] || wait_for subscribers "$tenant" 1
}

# got NAME N: NAME has printed N events or more, `connected` not counted.
got() { [ "$(grep '"event":' "$RUN_DIR/$1.out" | grep -cv '"event":"connected"')" -ge "$2" ]; }
# events NAME: their JSON texts as they stood on the wire, in order.
events() {
    node -e '
        for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
            const { raw } = JSON.parse(line);
            const match = raw && /^\["[^"]*",(\{"type"[^]*)\]$/.exec(raw);
            if (match) console.log(match[1]);
        }' <"$RUN_DIR/$1.out"
}
# names NAME: the events it was told of, in order, on one line; `connected` left out.
names() { sed -n 's/^{"event":"\([^"]*\)".*/\1/p' "$RUN_DIR/$1.out" | grep -vx connected | paste -sd' '; }

# ---- notifications ----

# start_notifyd [NAME] [OPTION]...: NOTIFYD_ADMIN is where its pages are.
start_notifyd() {
    local name=notifyd
    case ${1:-} in [a-z]*) name=$1 && shift ;; esac
    start "$name" arda-notifyd --admin 127.0.0.1:0 "$@"
    wait_for ready_or_gone "$name"
    NOTIFYD_ADMIN=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/$name.err")
    export NOTIFYD_ADMIN
    is_there "$(pid_of "$name")"
}

ready_or_gone() { grep -qx "arda-notifyd: ready" "$RUN_DIR/$1.err" || is_gone "$(pid_of "$1")"; }

# load_users TENANT USER[=ACTIVE]...
load_users() {
    local tenant=$1 one
    shift
    for one in "$@"; do
        printf '{"kind":"user","tenantId":"%s","userId":"%s","email":"%s@arda.example","active":%s,"name":"U"}\n' \
            "$tenant" "${one%%=*}" "${one%%=*}" "$([ "${one##*=}" = false ] && echo false || echo true)"
    done | arda-directory load -q --prefix "${PREFIX:-arda}"
}

# rows TENANT USER: the rows of an inbox, as Redis has them; has_rows and row_count say how many.
rows() { redis --raw hvals "${PREFIX:-arda}:rows:$1:$2"; }
row_count() { redis zcard "${PREFIX:-arda}:inbox:$1:$2"; }
has_rows() { [ "$(row_count "$1" "$2")" -ge "$3" ]; }

# all_acked TENANT: everything in its stream has been read, and nothing is pending.
all_acked() {
    local key="${PREFIX:-arda}:stream:$1" last
    last=$(redis --raw xrevrange "$key" + - count 1 | head -n 1)
    [[ " $(redis xinfo groups "$key" 2>/dev/null | paste -sd' ') " == *" name notifyd "*" pending 0 last-delivered-id $last "* ]]
}

# metric SAMPLE: its value on NOTIFYD_ADMIN.
metric() { curl -s "$NOTIFYD_ADMIN/metrics" | awk -v sample="$1" '$1 == sample { print $2 }'; }

# publish_text TENANT TEXT: on both channels and in the stream, in one step, as it stands.
publish_text() {
    redis eval "redis.call('PUBLISH', 'arda:events:global', ARGV[2])
        redis.call('PUBLISH', 'arda:events:' .. ARGV[1], ARGV[2])
        return redis.call('XADD', 'arda:stream:' .. ARGV[1], '*', 'envelope', ARGV[2], 'type', 'x',
            'source', 'test', 'timestamp', '2026-02-08T12:00:00.000Z')" 0 "$1" "$2" >/dev/null
}

# ---- deliveries ----

# start_receiver [HOST [KEY CERTIFICATE]]: tests/lib/receiver.js; RECEIVER_PORT is its port.
start_receiver() {
    start receiver node "$top_srcdir/tests/lib/receiver.js" serve "$@"
    wait_for lines_of receiver 1
    RECEIVER_PORT=$(head -n 1 "$RUN_DIR/receiver.out" | sed 's/[^0-9]//g')
    export RECEIVER_PORT
}

# start_deliverer NAME [OPTION]...: a daemon that may send to this machine.
start_deliverer() {
    local name=$1
    shift
    start_notifyd "$name" --webhook-allow 127.0.0.0/8 "$@"
}

# requests PATH: what the receiver has got for it, as lines.
requests() { grep -F "\"path\":\"$1\"" "$(file_of receiver out)"; }
file_of() { if [ -f "$RUN_DIR/$1.$2" ]; then echo "$RUN_DIR/$1.$2"; else echo "$BATS_FILE_TMPDIR/$1.$2"; fi; }
err_file() { cat "$(file_of "$1" err)"; }

# endpoint PATH: the webhook of $tenant, at the receiver, with $secret.
# shellcheck disable=SC2154
endpoint() {
    arda-directory set webhook "$tenant" "url=http://127.0.0.1:$RECEIVER_PORT$1" "secret=$secret"
}
# wants_webhooks USER: of the type card_triggered.
# shellcheck disable=SC2154
wants_webhooks() {
    arda-directory set preference "$tenant" "$1" card_triggered webhook enabled=true
}
trigger() { card "$tenant" | arda-publish --tenant "$tenant"; }

deliveries() { redis --raw zrange "arda:deliveries:$1" 0 -1; }
# record ID: a delivery of $tenant as an object of strings.
record() {
    redis --raw hgetall "arda:delivery:$tenant:$1" |
        jq -Rn '[inputs] as $all | reduce range(0; $all | length; 2) as $i ({}; .[$all[$i]] = $all[$i + 1])'
}
# ended TENANT STATUS N: so many deliveries have it.
ended() {
    local id count=0
    for id in $(deliveries "$1"); do
        [ "$(redis hget "arda:delivery:$1:$id" status)" != "$2" ] || count=$((count + 1))
    done
    [ "$count" = "$3" ]
}
is_empty() { [ "$(redis exists "$1")" = 0 ]; }
has_field() { [ "$(redis hexists "$1" "$2")" = 1 ]; }
lane_is() { [ "$(redis zscore arda:due "$1:webhook")" = "$2" ]; }

# put_delivery ID DUE: a webhook of $tenant and $user, as the notification step records it.
# shellcheck disable=SC2154
put_delivery() {
    redis hset "arda:delivery:$tenant:$1" id "$1" tenantId "$tenant" notificationId n1 userId "$user" \
        channel webhook type card_triggered status pending attemptCount 0 \
        createdAt 2026-02-08T12:00:00.000Z updatedAt 2026-02-08T12:00:00.000Z notification '{"id":"n1"}' cause none
    redis zadd "arda:deliveries:$tenant" "$(date +%s%3N)" "$1"
    redis zadd "arda:due:$tenant:webhook" "$2" "$1"
    redis zadd arda:due LT "$2" "$tenant:webhook"
} >/dev/null
# due_now ID: its time has come.
due_now() {
    redis zadd "arda:due:$tenant:webhook" 1 "$1"
    redis zadd arda:due 1 "$tenant:webhook"
} >/dev/null
