#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Nothing of one tenant is reachable by another; tests/lib/isolation.js tries each way.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    start_gateway
}
teardown() { stop_all; }

isolation() { timeout 60 node "$top_srcdir/tests/lib/isolation.js" "$1" || { show_logs; false; }; }

@test "tenants whose ids look alike hear of their own events alone" { isolation alike; }
@test "ids that are patterns, channels or commands are refused" { isolation patterns; }
@test "a channel cannot speak for another tenant, nor one tenant's user for another's" { isolation events; }
@test "loops of others, and names that look like them" { isolation loops; }
@test "what a client sends goes nowhere" { isolation emits; }
@test "a session that changes its tenant is in one at a time" { isolation switching; }
@test "whose token counts" { isolation headers; }
@test "session ids of others, guessed, cut, used or foreign" { isolation ids; }
@test "session ids do not tell the next" { isolation randomness; }
@test "refusals tell nothing" { isolation texts; }

@test "between workers, too" {
    stop gateway
    start_gateway --workers 3
    for case in alike switching ids; do isolation "$case"; done
}
