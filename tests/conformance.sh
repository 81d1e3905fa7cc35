#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs the official Engine.IO and Socket.IO protocol suites against tests/echo-server:
#   conformance.sh ECHO-SERVER SUITES [ROUNDS]
# SUITES is a checkout of the socket.io repository; its files are copied, and nothing in it changes.
set -eu

server=$1
suites=$2
rounds=${3:-1}
[ -d "$suites/docs/engine.io-protocol/v4-test-suite" ] || {
    echo "conformance: $suites is no checkout of the socket.io repository" >&2
    exit 64
}

work=$(mktemp -d)
pid=''
clean_up() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

: >"$work/log"
PORT=0 "$server" 2>"$work/log" &
pid=$!
until port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$work/log") && [ -n "$port" ]; do
    kill -0 "$pid" || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
done

for suite in engine.io-protocol/v4-test-suite socket.io-protocol/v5-test-suite; do
    folder=$work/$(basename "$suite")
    cp -R "$suites/docs/$suite" "$folder"
    sed -i "s/localhost:3000/127.0.0.1:$port/" "$folder/test-suite.js"
    (cd "$folder" && npm install --no-audit --no-fund --silent)
    round=1
    while [ "$round" -le "$rounds" ]; do
        echo "conformance: $suite, round $round of $rounds"
        (cd "$folder" && npx mocha test-suite.js) >"$work/out" 2>&1 || {
            cat "$work/out"
            exit 1
        }
        grep -E 'passing|failing|pending' "$work/out"
        round=$((round + 1))
    done
done
