#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# No delivery is lost: two daemons are killed at random instants while webhooks are sent, and Redis is
# shut down and started again in the middle. KILLS=500 for the long run; TEST_SEED repeats one.

load ../lib/common.bash

setup() { need_node; }

@test "killed at any instant, and Redis restarted: each webhook arrives under its one id" {
    run --separate-stderr node "$top_srcdir/tests/lib/deliver-kills.js" "$BATS_TEST_TMPDIR" "${KILLS:-25}"
    echo "# $output" >&3
    # shellcheck disable=SC2154
    echo "$stderr"
    [ "$status" = 0 ]
    jq -e '.deliveries == 2 * .events and .arrivals >= .deliveries and .restarts == 2' <<<"$output"
}
