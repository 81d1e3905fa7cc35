#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What arda-gateway does for a fixed input, counted and not timed, so that two builds can be compared
# on a busy machine:
#   calls.sh BUILD-FOLDER
# Prints a JSON line: instructions (callgrind) and system calls (strace) for each delivery, and for
# each client that connects, joins and is closed at the end. Events go one by one, each when the one
# before it has arrived. Each figure is the difference of two runs that differ in nothing else, so
# start and end of the program are in none. The build should be optimised and without sanitizers.
set -eu

build=$(cd "$1" && pwd)
work=$(mktemp -d)
pids=''
clean_up() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
PATH=$build:$PATH

redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >/dev/null &
pids="$! $pids"
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.05; done
REDIS_URL=redis://127.0.0.1:$redis_port
JWT_SECRET=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export REDIS_URL JWT_SECRET APP_URL=http://localhost
echo "bench-0 $(arda-token mint --tenant=bench-0 --user=bench --ttl=1d)" >"$work/tokens"

# The gateway under a tool, with so many clients and events of 420 bytes; the tool's count goes to
# $work/count.
run() { # TOOL CLIENTS EVENTS
    gateway=("$build/arda-gateway" --listen 127.0.0.1:0 --ping-interval 10m)
    case $1 in
    instructions)
        gateway=(valgrind -q --tool=callgrind "--callgrind-out-file=$work/out" "${gateway[@]}") ;;
    calls)
        gateway=(strace -f -q -c -U calls -o "$work/out" "${gateway[@]}") ;;
    esac
    "${gateway[@]}" 2>"$work/log" &
    pid=$!
    pids="$pid $pids"
    until port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$work/log") && [ -n "$port" ]; do
        kill -0 "$pid" || { cat "$work/log" >&2; exit 1; }
        sleep 0.05
    done
    "$build/tests/bench/fanout" "$port" "$pid" "$redis_port" "$2" 1 0 "$3" 420 0 <"$work/tokens" >"$work/result"
    # strace passes no signal on, so its child is told.
    kill -TERM "$(pgrep -P "$pid" -x arda-gateway || echo "$pid")"
    wait "$pid" || { cat "$work/log" >&2; exit 1; }
    pids=${pids#"$pid "}
    case $1 in
    instructions) sed -n 's/^totals: //p' "$work/out" ;;
    calls) awk '$1 ~ /^[0-9]+$/ && $NF != "total" { sum += $1 } END { print sum }' "$work/out" ;;
    esac >"$work/count"
}

CLIENTS=50 MORE_CLIENTS=150 EVENTS=20 MORE_EVENTS=220
count() { # TOOL: prints per delivery, per client
    run "$1" $CLIENTS $EVENTS && base=$(cat "$work/count")
    run "$1" $CLIENTS $MORE_EVENTS && events=$(cat "$work/count")
    run "$1" $MORE_CLIENTS $EVENTS && clients=$(cat "$work/count")
    awk -v base="$base" -v events="$events" -v clients="$clients" -v c=$CLIENTS -v mc=$MORE_CLIENTS \
        -v e=$EVENTS -v me=$MORE_EVENTS 'BEGIN {
        delivery = (events - base) / (c * (me - e))
        printf "%.2f %.1f\n", delivery, (clients - base) / (mc - c) - delivery * e
    }'
}
read -r delivery client <<<"$(count instructions)"
read -r delivery_calls client_calls <<<"$(count calls)"
printf '{"instructions_per_delivery":%s,"instructions_per_client":%s,' "$delivery" "$client"
printf '"calls_per_delivery":%s,"calls_per_client":%s}\n' "$delivery_calls" "$client_calls"
