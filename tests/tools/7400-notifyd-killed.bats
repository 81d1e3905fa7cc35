#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Exactly once: two daemons are killed at random instants while events flow, and Redis is shut down
# and started again in the middle. KILLS=500 for the long run; TEST_SEED repeats one.

load ../lib/common.bash

setup() { need_node; }

@test "killed at any instant, and Redis restarted: each event once for each active user" {
    run --separate-stderr node "$top_srcdir/tests/lib/kills.js" "$BATS_TEST_TMPDIR" "${KILLS:-25}"
    echo "# $output" >&3
    # shellcheck disable=SC2154
    echo "$stderr"
    [ "$status" = 0 ]
    jq -e '.rows == .created and .events > 0 and .restarts == 2' <<<"$output"
}
