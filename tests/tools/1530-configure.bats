#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What the switches of configure make of the commands.

load ../lib/common.bash

# flags OPTION...: those of the compiler for a file, as configured so.
flags() {
    mkdir -p "$BATS_TEST_TMPDIR/build"
    cd "$BATS_TEST_TMPDIR/build" || return
    "$top_srcdir/configure" --quiet "$@" >configure.out 2>&1 || { cat configure.out; return 1; }
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -n V=1 lib/base/err.lo
}

@test "--enable-debug builds without optimisation, whatever CFLAGS are" {
    [ -x "$top_srcdir/configure" ] || skip "there is no configure"
    for cflags in '' CFLAGS='-O2 -Wall'; do
        run flags --enable-debug ${cflags:+"$cflags"}
        [ "$status" = 0 ]
        # The last one counts.
        [ "$(grep -oE -- ' -O[0-9a-z]*' <<<"$output" | tail -n 1)" = ' -O0' ]
        [ "$(grep -oE -- ' -g[0-9]*( |$)' <<<"$output" | tail -n 1 | tr -d ' ')" = -g3 ]
        [[ $output != *_FORTIFY_SOURCE=* ]]
    done
}
