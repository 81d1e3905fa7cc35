#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# arda-gateway and a Node.js gateway under the same loads, in turns, on loopback:
#   gateway.sh BUILD-FOLDER [ROUNDS]
# Prints a JSON line per run, and at the end the medians' ratios. Machines differ: only figures of one
# run are to be compared.
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
ulimit -n "$(ulimit -H -n)"
PATH=$build:$PATH

modules=$build/bench-npm
mkdir -p "$modules"
cp "$here/package.json" "$modules/"
[ -d "$modules/node_modules/socket.io" ] ||
    (cd "$modules" && npm install --no-audit --no-fund --package-lock=false --loglevel=error >/dev/null)
export NODE_PATH="$modules/node_modules"

redis_port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >/dev/null &
pids="$! $pids"
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.05; done
REDIS_URL=redis://127.0.0.1:$redis_port
JWT_SECRET=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export REDIS_URL JWT_SECRET APP_URL=http://localhost

tokens() { # TENANTS
    i=0
    while [ "$i" -lt "$1" ]; do
        echo "bench-$i $(arda-token mint --tenant="bench-$i" --user=bench --ttl=1d)"
        i=$((i + 1))
    done
}

run() { # SCENARIO SERVER CLIENTS TENANTS STALLED EVENTS BYTES PER-SECOND
    scenario=$1 server=$2
    shift 2
    case $server in
    arda) arda-gateway --listen 127.0.0.1:0 --ping-interval 10m 2>"$work/log" & ;;
    node) node "$here/node-gateway.js" 2>"$work/log" & ;;
    esac
    pid=$!
    pids="$pid $pids"
    until port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$work/log") && [ -n "$port" ]; do
        kill -0 "$pid" || { cat "$work/log" >&2; exit 1; }
        sleep 0.05
    done
    tokens "$2" >"$work/tokens"
    result=$("$build/tests/bench/fanout" "$port" "$pid" "$redis_port" "$@" <"$work/tokens") || true
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    echo "{\"scenario\":\"$scenario\",\"server\":\"$server\",${result#\{}" | tee -a "$work/results"
}

round=0
while [ "$round" -lt "$rounds" ]; do
    for server in arda node; do
        run burst-one-tenant "$server" 1000 1 0 1000 420 1000000
        run burst-100-tenants "$server" 5000 100 0 200 420 1000000
        run steady "$server" 1000 10 0 200 420 20
    done
    round=$((round + 1))
done
# A tenth of the clients stops reading: the others are not to notice.
run none-stalled arda 4500 50 0 400 10240 10
run some-stalled arda 5000 50 10 400 10240 10

jq -rs '
    def median(f): map(f) | sort | .[length / 2 | floor];
    group_by(.scenario)[] | .[0].scenario as $name |
    (map(select(.server == "arda"))) as $arda | (map(select(.server == "node"))) as $node |
    if ($node | length) == 0 then
        "\($name): p99 \($arda | median(.p99_ms)) ms, at most \($arda | median(.most_kb)) KB, \($arda[0].stalled_cut) of \($arda[0].stalled) stalled cut"
    else
        "\($name): CPU per delivery \($arda | median(.cpu_us_per_delivery)) us, Node \($node | median(.cpu_us_per_delivery)) us; p99 \($arda | median(.p99_ms)) ms, Node \($node | median(.p99_ms)) ms; memory \($arda | median(.most_kb)) KB, Node \($node | median(.most_kb)) KB"
    end' "$work/results"
