#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What endpoints that fail cost those that work: 50 tenants with a webhook each, of which five do not
# answer, answer 500, reset, refuse, or answer after ten seconds, beside a run with the other 45 alone:
#   deliveries.sh BUILD-FOLDER [ROUNDS [RATE [EACH]]]
# RATE events a second (1000), EACH of a tenant (200); the same for a Node.js service with a queue. A JSON
# line per run; at the end the medians, and how much the latency from publication to arrival grows by the
# five. Machines differ: only figures of one run are to be compared. Everything stays on loopback.
set -eu

build=$(cd "$1" && pwd)
rounds=${2:-3}
rate=${3:-1000}
each=${4:-200}
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

# Ports that the kernel gives to no connection.
redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 10000 + 12000))
RECEIVER_PORT=$((redis_port + 10000))
export RECEIVER_PORT REDIS_URL=redis://127.0.0.1:$redis_port
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >/dev/null &
pids="$! $pids"
redis() { redis-cli -p "$redis_port" "$@"; }
until redis ping >/dev/null 2>&1; do sleep 0.05; done

run() { # SERVER FAILING
    local server=$1 failing=$2 pid
    redis flushall >/dev/null
    LOAD=1 node "$here/deliveries.js" 0 0 0 45 "$failing" | arda-directory load -q
    : >"$work/log" # here and not there, or what the last one has said would be taken for its own
    case $server in
    arda) arda-notifyd --webhook-allow 127.0.0.0/8 --drain 0s >>"$work/log" 2>&1 & ;;
    node) node "$here/node-deliver.js" >>"$work/log" 2>&1 & ;;
    esac
    pid=$!
    pids="$pid $pids"
    until grep -q 'ready$' "$work/log"; do sleep 0.02; done
    node "$here/deliveries.js" "$pid" "$rate" "$each" 45 "$failing" |
        sed "s/^{/{\"server\":\"$server\",/" | tee -a "$work/results"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

round=0
while [ "$round" -lt "$rounds" ]; do
    for server in ${SERVERS:-arda node}; do
        run "$server" 0
        run "$server" 5
    done
    round=$((round + 1))
done

jq -rs '
    def median(f): map(f) | sort | .[length / 2 | floor];
    def figures: {p50: median(.p50_ms), p99: median(.p99_ms), cpu: median(.cpu_us)};
    "server  failing  p50 ms  p99 ms  CPU us per request",
    (group_by(.server)[] | .[0].server as $server |
        (map(select(.failing == 0)) | figures) as $without | (map(select(.failing > 0)) | figures) as $with |
        "\($server)          0  \($without.p50)  \($without.p99)  \($without.cpu)",
        "\($server)          5  \($with.p50)  \($with.p99)  \($with.cpu)",
        "\($server): p99 with the five is \($with.p99 / $without.p99 * 100 | round / 100) times that without")' \
    "$work/results"
