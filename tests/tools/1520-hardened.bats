#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What configure has found to make a fault harder to use is in every program, as readelf shows it.
# Not in a build with sanitizers: then this file is no test (Makefile.am).
# shellcheck disable=SC2016

load ../lib/common.bash

setup() {
    bin=${top_builddir:-$(dirname "$(type -P arda-gateway)")}
    programs=("$bin"/arda-{deliveries,directory,gateway,inbox,notifyd,publish,replay,subscribe,token})
    library=$bin/.libs/libarda.so
}

symbols() { readelf --wide --dyn-syms "$1"; }

@test "programs are position-independent" {
    for program in "${programs[@]}"; do
        readelf --wide --file-header "$program" | grep -q 'Type: *DYN'
    done
}

@test "what the loader has filled in is read-only afterwards, and filled in at the start" {
    for file in "${programs[@]}" "$library"; do
        readelf --wide --program-headers "$file" | grep -q GNU_RELRO
        readelf --wide --dynamic "$file" | grep -Eq 'BIND_NOW|FLAGS_1.*NOW'
    done
}

@test "no stack is executable" {
    for file in "${programs[@]}" "$library"; do
        readelf --wide --program-headers "$file" | grep -Eq 'GNU_STACK.* RW +0x'
    done
}

@test "stacks are protected" {
    for file in "${programs[@]}" "$library"; do
        symbols "$file" | grep -q __stack_chk_fail
    done
}

@test "calls of the C library are checked" {
    # Without optimisation there is none, and glibc would warn.
    ! grep -Eq '^CFLAGS = .*-O0' "$bin/Makefile" || return 0
    for file in "${programs[@]}" "$library"; do
        symbols "$file" | grep -Eq '__(snprintf|vsnprintf|memcpy|read|fread|printf)_chk'
    done
}

@test "a large frame does not jump over the guard of the stack" {
    [ "$(uname -m)" = x86_64 ] || return 0
    # A page at a time is taken, and touched.
    objdump --disassemble "$bin/arda-gateway" >"$BATS_TEST_TMPDIR/code"
    grep -E -A1 'sub +\$0x1000,%rsp' "$BATS_TEST_TMPDIR/code" |
        grep -Eq '(or[ql]|mov[ql]|test) +.*\(%rsp\)'
}

@test "jumps lead to where jumps may lead" {
    [ "$(uname -m)" = x86_64 ] || return 0
    # The note of the whole program is missing where the C library's part of it has none.
    for program in "${programs[@]}"; do
        objdump --disassemble=main "$program" | grep -A1 '<main>:' | grep -q endbr64
    done
}

# owner FILE of a running daemon.
owner() { stat -c %u "$1"; }

@test "a daemon cannot be looked into by others of its user, nor leave its memory behind" {
    [ "$(id -u)" = 0 ] || return 0
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    "${as[@]}" arda-gateway --version >/dev/null 2>&1 || return 0
    start_redis
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://a start gateway "${as[@]}" arda-gateway --listen 127.0.0.1:0
    start notifyd "${as[@]}" arda-notifyd
    start publish "${as[@]}" arda-subscribe --follow "$(uuid)"
    wait_for err_has gateway "listening on"
    wait_for err_has notifyd ready
    [ "$(owner "/proc/$(pid_of publish)/environ")" = 65534 ]
    for name in gateway notifyd; do
        [ "$(owner "/proc/$(pid_of $name)/environ")" = 0 ]
        run "${as[@]}" cat "/proc/$(pid_of $name)/environ"
        [ "$status" = 1 ]
        [[ $output == *"Permission denied"* ]]
    done
    stop_all
}
