#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# arda-notifyd and a Node.js service with the same events, in turns:
#   notifyd.sh BUILD-FOLDER [ROUNDS]
# For 1, 10, 100 and 1,000 users of a tenant: events a second, and CPU of the service for each
# notification, as a JSON line per run; at the end the medians and their ratios. Machines differ:
# only figures of one run are to be compared.
set -eu

build=$(cd "$1" && pwd)
rounds=${2:-3}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
pids=''
clean_up() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
PATH=$build:$PATH

modules=$build/bench-npm
if [ -n "${ARDA_NODE_MODULES:-}" ]; then
    export NODE_PATH="$ARDA_NODE_MODULES"
    unset ARDA_NODE_MODULES
else
    mkdir -p "$modules"
    cp "$here/package.json" "$modules/"
    [ -d "$modules/node_modules/ioredis" ] ||
        (cd "$modules" && npm install --no-audit --no-fund --package-lock=false --loglevel=error >/dev/null)
    export NODE_PATH="$modules/node_modules"
fi

redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >/dev/null &
pids="$! $pids"
redis() { redis-cli -p "$redis_port" "$@"; }
until redis ping >/dev/null 2>&1; do sleep 0.05; done
export REDIS_URL=redis://127.0.0.1:$redis_port
tenant=bench

users() { # COUNT
    seq 1 "$1" | sed "s/.*/{\"kind\":\"user\",\"tenantId\":\"$tenant\",\"userId\":\"user-&\",\"email\":\"u@arda.example\",\"active\":true,\"name\":\"U\"}/"
}

cards() { # COUNT
    seq 1 "$1" | sed "s/.*/{\"type\":\"card.transition\",\"tenantId\":\"$tenant\",\"cardId\":\"card-&\",\"loopId\":\"loop-1\",\"fromStage\":\"created\",\"toStage\":\"triggered\",\"method\":\"scan\",\"timestamp\":\"2026-02-08T12:00:00.000Z\"}/"
}

# Nanoseconds that all threads of a process have run.
cpu_ns() { cat "/proc/$1/task"/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'; }

# Whether the last user, whose rows come last, has them all.
all_there() { [ "$(redis zcard "arda:inbox:$tenant:$1")" -ge "$2" ]; }

wait_for_rows() { # PID USER COUNT
    local deadline=$((SECONDS + 120))
    until all_there "$2" "$3"; do
        if ! kill -0 "$1" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            echo "$2 has $(redis zcard "arda:inbox:$tenant:$2") of $3 notifications" >&2
            cat "$work/log" >&2
            exit 1
        fi
        sleep 0.01
    done
}

run() { # SERVER USERS EVENTS
    local server=$1 users=$2 events=$3 pid began ended before last
    redis flushall >/dev/null
    users "$users" | arda-directory load -q
    last=$(seq 1 "$users" | sed 's/^/user-/' | LC_ALL=C sort | tail -n 1)
    : >"$work/log" # here and not there, or what the last one has said would be taken for its own
    case $server in
    arda) arda-notifyd --no-deliver >>"$work/log" 2>&1 & ;;
    node) node "$here/node-notifyd.js" >>"$work/log" 2>&1 & ;;
    esac
    pid=$!
    pids="$pid $pids"
    until grep -q 'ready$' "$work/log"; do sleep 0.02; done
    # Once for all that is made at the first event.
    cards 1 | arda-publish -q --loose-ids
    wait_for_rows "$pid" "$last" 1
    cards "$events" >"$work/cards"
    before=$(cpu_ns "$pid")
    began=$(date +%s%N)
    arda-publish -q --loose-ids <"$work/cards"
    wait_for_rows "$pid" "$last" $((events + 1))
    ended=$(date +%s%N)
    awk -v server="$server" -v users="$users" -v events="$events" -v ns=$((ended - began)) \
        -v cpu=$(($(cpu_ns "$pid") - before)) 'BEGIN {
        printf "{\"server\":\"%s\",\"users\":%d,\"events\":%d,\"events_per_s\":%.0f,\"notifications_per_s\":%.0f,\"cpu_us_per_notification\":%.3f}\n",
            server, users, events, events / ns * 1e9, events * users / ns * 1e9, cpu / 1000 / events / users }' |
        tee -a "$work/results"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

round=0
while [ "$round" -lt "$rounds" ]; do
    for server in arda node; do
        run "$server" 1 4000
        run "$server" 10 2000
        run "$server" 100 500
        run "$server" 1000 60
    done
    round=$((round + 1))
done

jq -cs '
    def median(f): map(f) | sort | .[length / 2 | floor];
    group_by(.users)[] | {users: .[0].users} +
        (group_by(.server) | map({(.[0].server): {events_per_s: median(.events_per_s),
            cpu_us_per_notification: median(.cpu_us_per_notification)}}) | add)
        | .less_cpu = (.node.cpu_us_per_notification / .arda.cpu_us_per_notification * 10 | round / 10)' "$work/results"
