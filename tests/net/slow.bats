#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A client that does not read is dropped alone: tests/lib/slow.py has 500 clients in ten tenants, of
# which 22 stall, and publishes 4 MB per tenant.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
teardown() { stop_all; }

python=${PYTHON:-/usr/bin/python3}

stalls() { # MAX-QUEUE
    "$python" -c '' 2>/dev/null || skip "python3 is not installed"
    # What a sanitizer keeps of freed memory would count as the gateway's.
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    # A ping would be no part of the stream that the readers compare.
    start_gateway --max-queue "$1" --ping-interval 10m
    run --separate-stderr timeout 120 "$python" "$top_srcdir/tests/lib/slow.py" "$(pid_of gateway)" "$RUN_DIR/gateway.err" "$1"
    echo "$output $stderr"
    [ "$status" = 0 ]
}

# Beyond max-queue in each tenant's log there is what one turn takes from Redis (2 MB), what is on its
# way to those that read (a window of 128 KB in each tenant), and the answers to those that poll.
slack=$((8 << 20))

@test "those that read get everything in order, those that stall go with 1013, memory stays bounded" {
    stalls 262144
    jq -e '.readers == 480 and .stalled == {"1013": 20} and .dropped == 22' <<<"$output"
    jq -e '.polling == ["{\"code\":1,\"message\":\"Session ID unknown\"}", "{\"code\":1,\"message\":\"Session ID unknown\"}"]' <<<"$output"
    jq -e --argjson slack "$slack" '.grown < .bound + $slack' <<<"$output"
    for i in 0 1 2 3 4 5 6 7 8 9; do
        [ "$(grep -cE "tenant tenant-$i: user stalled-[01]: 127\.0\.0\.1:[0-9]+: slow reader disconnected, [0-9]+ bytes behind for [0-9.]+ s" "$RUN_DIR/gateway.err")" = 2 ]
    done
    err_has gateway "tenant tenant-0: user silent: "
    err_has gateway "tenant tenant-1: user deaf: "
}

@test "within the bound those that stall catch up, and nothing is lost" {
    stalls 8388608
    jq -e '.readers == 480 and .stalled == {"caught up": 20} and .dropped == 0 and .polling[0] == 1024' <<<"$output"
}
