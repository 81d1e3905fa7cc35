#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# arda-publish and arda-subscribe beside what one would take without them, in turns, on loopback:
#   tools.sh BUILD-FOLDER [ROUNDS [EVENTS]]
# Prints a JSON line per run, and at the end the medians. Machines differ: only figures of one run are
# to be compared. CPU is that of the tool, per event.
#
#   arda-publish      JSON lines in, checked, completed, both channels and the stream in one step
#   redis-cli         `--pipe`, commands made beforehand: two PUBLISH an event
#   redis-cli-step    the same with MULTI, two PUBLISH, XADD, EXEC: what arda-publish has Redis do
#   node              ioredis, two PUBLISH an event, neither checked nor logged (node-publish.js)
#   arda-subscribe, redis-cli-subscribe      a tenant's events into a file
set -eu

build=$(cd "$1" && pwd)
rounds=${2:-3}
events=${3:-200000}
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
mkdir -p "$modules"
cp "$here/package.json" "$modules/"
[ -d "$modules/node_modules/ioredis" ] ||
    (cd "$modules" && npm install --no-audit --no-fund --package-lock=false --loglevel=error >/dev/null)
export NODE_PATH="$modules/node_modules"

redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
    --client-output-buffer-limit 'pubsub 0 0 0' >/dev/null &
pids="$! $pids"
redis() { redis-cli -p "$redis_port" "$@"; }
until redis ping >/dev/null 2>&1; do sleep 0.05; done
export REDIS_URL=redis://127.0.0.1:$redis_port

# ---- the events, as lines and as commands ----

tenant=0a1b2c3d-0000-4000-8000-000000000001
event='{"type":"card.transition","tenantId":"'$tenant'","cardId":"%08x-0000-4000-8000-000000000002"'
event+=',"loopId":"'$tenant'","fromStage":"created","toStage":"triggered","method":"scan"'
event+=',"userId":"'$tenant'","timestamp":"2026-02-08T12:00:00.000Z"}'
published=${event%\}}',"eventId":"%08x-0000-7000-8000-000000000003","schemaVersion":1}'

awk -v count="$events" -v event="$event" 'BEGIN {
    for (i = 0; i < count; i++) printf event "\n", i
}' >"$work/lines"

# commands WHAT: `publish`, `step`, or `tenant` for the tenant's channel alone.
commands() {
    awk -v count="$events" -v event="$published" -v tenant="$tenant" -v what="$1" '
    function bulk(text) { return "$" length(text) "\r\n" text "\r\n" }
    BEGIN {
        for (i = 0; i < count; i++) {
            text = sprintf(event, i, i)
            own = "*3\r\n" bulk("PUBLISH") bulk("arda:events:" tenant) bulk(text)
            both = "*3\r\n" bulk("PUBLISH") bulk("arda:events:global") bulk(text) own
            envelope = "{\"id\":\"" sprintf("%08x", i) "-0000-7000-8000-000000000003\"," \
                "\"schemaVersion\":1,\"source\":\"bench\",\"timestamp\":\"2026-02-08T12:00:00.000Z\"," \
                "\"event\":" text "}"
            if (what == "tenant")
                printf "%s", own
            else if (what == "publish")
                printf "%s", both
            else
                printf "%s", "*1\r\n" bulk("MULTI") both "*14\r\n" bulk("XADD") \
                    bulk("arda:stream:" tenant) bulk("MAXLEN") bulk("~") bulk("10000") bulk("*") \
                    bulk("envelope") bulk(envelope) bulk("type") bulk("card.transition") \
                    bulk("source") bulk("bench") bulk("timestamp") bulk("2026-02-08T12:00:00.000Z") \
                    "*1\r\n" bulk("EXEC")
        }
    }'
}
for what in publish step tenant; do commands "$what" >"$work/$what"; done

# ---- measuring ----

report() { # TOOL SECONDS CPU-SECONDS
    jq -nc --arg tool "$1" --argjson s "$2" --argjson cpu "$3" --argjson events "$events" \
        '{tool: $tool, events: $events, per_second: ($events / $s | round),
          cpu_us: ($cpu / $events * 1e8 | round / 100)}' | tee -a "$work/results"
}

# publisher TOOL: its commands come from the function of its name.
publisher() {
    local TIMEFORMAT='%R %U %S'
    redis flushall >/dev/null
    { time "run-$1" >"$work/out" 2>&1; } 2>"$work/times" || { cat "$work/out" >&2; exit 1; }
    read -r elapsed user system <"$work/times"
    report "$1" "$elapsed" "$(jq -n "$user + $system")"
}
run-arda-publish() {
    arda-publish "$work/lines" && [ "$(redis xlen "arda:stream:$tenant")" -ge 10000 ]
}
run-redis-cli() { redis --pipe <"$work/publish"; }
run-redis-cli-step() { redis --pipe <"$work/step"; }
run-node() { node "$here/node-publish.js" <"$work/lines"; }

# CPU seconds so far.
cpu_of() {
    local stat ticks
    stat=$(cat "/proc/$1/stat")
    ticks=$(cut -d' ' -f12,13 <<<"${stat##*) }")
    jq -n "(${ticks/ / + }) / $(getconf CLK_TCK)"
}
until_subscribed() {
    until [ "$(redis pubsub numsub "arda:events:$tenant" | tail -n 1)" = 1 ]; do sleep 0.02; done
}
until_written() { # BYTES
    until [ "$(stat -c %s "$work/heard")" -ge "$1" ]; do sleep 0.01; done
}
# It stays until it has been measured: told to wait for one event more than there is, or by a signal.
subscriber() { # TOOL BYTES-OF-ONE COMMAND...
    local tool=$1 bytes=$(($2 * events)) begun pid feeder
    shift 2
    "$@" >"$work/heard" &
    pid=$!
    pids="$pid $pids"
    until_subscribed
    begun=$(date +%s.%N)
    redis --pipe <"$work/tenant" >/dev/null &
    feeder=$!
    until_written "$bytes"
    report "$tool" "$(jq -n "$(date +%s.%N) - $begun")" "$(cpu_of "$pid")"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    wait "$feeder"
}

# shellcheck disable=SC2059
text=$(printf "$published" 0 0)
of_arda=$((${#text} + 1))
of_redis=$((${#text} + 1 + ${#tenant} + 13 + 8)) # message, channel and text, a line each
round=0
while [ "$round" -lt "$rounds" ]; do
    for tool in arda-publish redis-cli redis-cli-step node; do publisher "$tool"; done
    subscriber arda-subscribe "$of_arda" arda-subscribe --quiet "$tenant" --count "$((events + 1))"
    subscriber redis-cli-subscribe "$of_redis" redis-cli -p "$redis_port" subscribe "arda:events:$tenant"
    round=$((round + 1))
done

jq -rs '
    def median(f): map(f) | sort | .[length / 2 | floor];
    group_by(.tool)[] | "\(.[0].tool): \(median(.per_second)) events/s, \(median(.cpu_us)) us of CPU an event"
    ' "$work/results"
