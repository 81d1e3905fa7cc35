#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# How punctual arda-replay is: 1,000 events a second, seen by a subscriber and by its own report.
#   replay.sh BUILD-FOLDER [SECONDS [RATE]]
# Prints a JSON line. On an idle machine the p99 of both is to be within 5 ms.
set -eu

build=$(cd "$1" && pwd)
seconds=${2:-60}
rate=${3:-1000}
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

# On a port that nobody else has.
start_redis() {
    redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
    redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
        >/dev/null &
    redis=$!
    until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do
        kill -0 "$redis" 2>/dev/null || return 1
        sleep 0.05
    done
    kill -0 "$redis" 2>/dev/null
}
tries=0
until start_redis; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || { echo "replay.sh: redis-server does not start" >&2; exit 1; }
done
pids="$redis $pids"

count=$((seconds * rate))
awk -v count="$count" -v rate="$rate" 'BEGIN {
    for (i = 0; i < count; i++) {
        ms = int(i * 1000 / rate)
        printf "{\"type\":\"card.transition\",\"tenantId\":\"bench\",\"cardId\":\"0b9f4b1e-0000-4000-8000-%012d\",", i
        printf "\"loopId\":\"line-4\",\"fromStage\":\"created\",\"toStage\":\"triggered\",\"method\":\"scan\","
        printf "\"dueUs\":%d,", ms * 1000
        printf "\"timestamp\":\"2026-02-08T12:%02d:%02d.%03dZ\"}\n", ms / 60000, ms / 1000 % 60, ms % 1000
    }
}' >"$work/events"

: >"$work/arrivals"
python3 "$here/arrivals.py" "$redis_port" arda:events:bench "$count" >"$work/arrivals" &
subscriber=$!
pids="$subscriber $pids"
until grep -q ready "$work/arrivals"; do sleep 0.05; done
arda-replay --redis "redis://127.0.0.1:$redis_port" --format json "$work/events" 2>"$work/report"
wait "$subscriber"
jq -nc --argjson rate "$rate" --argjson seconds "$seconds" \
    --argjson outside "$(tail -n 1 "$work/arrivals")" --argjson report "$(tail -n 1 "$work/report")" \
    '{bench: "replay", rate: $rate, seconds: $seconds, outside: $outside, own: $report.late,
      sent: $report.sent, met: ($outside.p99Ms <= 5 and $report.late.p99Ms <= 5)}'
