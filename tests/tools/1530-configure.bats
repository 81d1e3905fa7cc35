#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What the switches of configure make of the commands, and what it reports as missing.

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

# without NAME [VARIABLE=VALUE]: configure, for which a library that pkg-config or the compiler finds is not there.
without() {
    mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/build"
    cat >"$BATS_TEST_TMPDIR/bin/pkg-config" <<EOF2
#!/bin/sh
case "\$*" in *"$1 >="*|*"$1") exit 1 ;; esac
exec $(command -v pkg-config) "\$@"
EOF2
    chmod +x "$BATS_TEST_TMPDIR/bin/pkg-config"
    cd "$BATS_TEST_TMPDIR/build" || return
    # What the compiler can do is asked once for all of them; what pkg-config has, each time.
    [ ! -f ../cache ] || sed -i '/^pkg_cv_/d' ../cache
    "$top_srcdir/configure" --quiet --cache-file=../cache PKG_CONFIG="$BATS_TEST_TMPDIR/bin/pkg-config" "${@:2}"
}

@test "a library that is missing is named, with Debian's package" {
    [ -x "$top_srcdir/configure" ] || skip "there is no configure"
    while read -r name package; do
        run without "$name"
        [ "$status" != 0 ]
        [[ $output == *"$name "*"was not found"*"apt-get install $package"* ]]
    done <<'EOF2'
libcrypto libssl-dev
libssl libssl-dev
libuv libuv1-dev
hiredis libhiredis-dev
jansson libjansson-dev
libjwt libjwt-dev
zlib zlib1g-dev
libidn2 libidn2-dev
libcurl libcurl4-openssl-dev
EOF2
    run without nothing ac_cv_header_wslay_wslay_h=no
    [ "$status" != 0 ]
    [[ $output == *"wslay was not found"*"apt-get install libwslay-dev"* ]]
    run without libllhttp ac_cv_header_http_parser_h=no
    [ "$status" != 0 ]
    [[ $output == *"neither llhttp nor http-parser was found"*"apt-get install libhttp-parser-dev"* ]]
}
