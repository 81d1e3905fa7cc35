#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The checks of `make lint` that are the project's own: each finds a violation, and nothing in a clean tree.

load ../lib/common.bash

# A small tree with the tables of the real one, which tests may change.
setup() {
    root=$BATS_TEST_TMPDIR/root lint=$BATS_TEST_TMPDIR/lint
    cp -r "$top_srcdir/tests/lint" "$lint"
    mkdir -p "$root"/lib/{base,app,include/arda,arda/bus,arda/name} "$root"/bin/arda-{publish,replay} "$root/build/.libs"
    cd "$root" || return
    : >lib/include/arda/bus.h
    : >lib/arda/bus/internal.h
    : >lib/arda/name/sample.h
    : >bin/arda-publish/publish.h
    put lib/arda/bus/bus.c '#include "arda/bus.h"' '#include "arda/bus/internal.h"' '#include "arda/name/sample.h"'
    put bin/arda-publish/main.c '#include "arda/bus.h"' '#include "arda-publish/publish.h"'
    : >"$lint/circles"
    : >"$lint/prefixes"
    : >"$lint/sizes"
}

put() { # FILE LINE...
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}

# compile FILE: into the build folder, where its object would be.
compile() {
    mkdir -p "build/$(dirname "$1")"
    cc -c -o "build/${1%.c}.o" "$1"
}

finds() { # TEXT COMMAND...: the command prints one line, which has the text
    text=$1
    shift
    run "$@"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"$text"* ]]
}

silent() {
    run "$@"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

layers() { sh "$lint/layers.sh" "$root"; }
objects() { sh "$lint/objects.sh" "$root/build" "$root"; }
sizes() { sh "$lint/sizes.sh" "$root"; }
exports() { sh "$lint/exports.sh" "$root/build" "$root"; }

@test "includes: what the table of folders allows" {
    silent layers
}

@test "includes: upwards" {
    put lib/base/buf.c '#include <stdio.h>' '#include "arda/bus.h"'
    finds "lib/base/buf.c:2: lib/base may not include arda/bus.h of lib/arda/bus" layers
}

@test "includes: a folder that is in no table" {
    mkdir lib/arda/new
    put lib/arda/new/new.c '#include "arda/bus.h"'
    run layers
    [[ $output == *"lib/arda/new is not in tests/lint/folders"* ]]
}

@test "includes: what is internal to another folder, what is another program's" {
    put lib/app/tool.c '#include "arda/bus/internal.h"'
    finds "lib/app/tool.c:1: arda/bus/internal.h is internal to lib/arda/bus" layers
    rm lib/app/tool.c
    put bin/arda-replay/main.c '#include "arda-publish/publish.h"'
    finds "bin/arda-replay/main.c:1: a program includes what is another's: arda-publish/publish.h" layers
}

@test "includes: a library that another file wraps" {
    put lib/arda/name/sample.c '#include <curl/curl.h>'
    finds "lib/arda/name/sample.c:1: <curl/curl.h> is for others to include" layers
}

@test "malloc outside of base/mem" {
    put lib/arda/name/sample.c 'void *text(void) { return malloc(1); }'
    finds "lib/arda/name/sample.c:1:" layers
}

@test "symbols: a clean tree" {
    put lib/arda/name/sample.c 'int arda_sample_len(void) { return 0; }'
    put lib/arda/bus/bus.c 'int arda_sample_len(void);' 'int arda_bus_len(void) { return arda_sample_len(); }'
    compile lib/arda/name/sample.c
    compile lib/arda/bus/bus.c
    silent objects
}

@test "symbols: a use upwards, though nothing is included" {
    put lib/arda/bus/bus.c 'int arda_bus_len(void) { return 0; }'
    put lib/arda/name/sample.c 'int arda_bus_len(void);' 'int arda_sample_len(void) { return arda_bus_len(); }'
    compile lib/arda/name/sample.c
    compile lib/arda/bus/bus.c
    finds "lib/arda/name/sample.c: uses arda_bus_len of lib/arda/bus/bus.c" objects
}

@test "symbols: a circle inside a folder, unless it is listed; a list that is out of date" {
    put lib/arda/bus/bus.c 'int arda_bus_b(void);' 'int arda_bus_a(void) { return arda_bus_b(); }'
    put lib/arda/bus/step.c 'int arda_bus_a(void);' 'int arda_bus_b(void) { return arda_bus_a(); }'
    compile lib/arda/bus/bus.c
    compile lib/arda/bus/step.c
    finds "in a circle: lib/arda/bus/bus lib/arda/bus/step" objects
    put "$lint/circles" 'lib/arda/bus : bus step # one object'
    silent objects
    put "$lint/circles" 'lib/arda/bus : bus step # one object' 'lib/arda/name : text when # no more'
    finds "the entry for lib/arda/name is no circle any more" objects
}

@test "symbols: a name that begins with neither its folder nor its file, unless it is listed" {
    put lib/arda/bus/bus.c 'int find_channel(void) { return 0; }' 'int arda_buses = 1;'
    compile lib/arda/bus/bus.c
    run objects
    [ "${#lines[@]}" -eq 2 ]
    [[ $output == *"lib/arda/bus/bus.c: the name find_channel begins with"* ]]
    put "$lint/prefixes" 'lib/arda/bus/bus : find_ # why' 'lib/arda/bus/bus : arda_buses # why'
    silent objects
}

@test "sizes: files, functions, programs" {
    silent sizes
    yes '/* */' | head -n 501 >lib/base/long.c
    finds "lib/base/long.c: has 501 lines, more than 500" sizes
    { echo 'int f(void)'; echo '{'; yes '    ;' | head -n 59; echo '}'; } >lib/base/long.c
    finds "lib/base/long.c:1: function f has 61 lines, more than 60" sizes
    yes '/* */' | head -n 510 >lib/base/long.c
    put "$lint/sizes" 'lib/base/long.c : 505 # why'
    finds "lib/base/long.c: has 510 lines, more than 505" sizes
    put "$lint/sizes" 'lib/base/long.c : 510'
    silent sizes
    rm lib/base/long.c
    yes '/* */' | head -n 3001 >bin/arda-replay/replay.h
    finds "bin/arda-replay: has 3001 lines, more than 3000" sizes
    rm bin/arda-replay/replay.h
    yes '/* */' | head -n 3501 >lib/app/app.h
    finds "lib/app: has 3501 lines, more than 3500" sizes
}

# library TEXT: a libarda.so of these definitions.
library() { echo "$1" | cc -shared -fPIC -x c -o build/.libs/libarda.so -; }

@test "exports: what the installed headers declare, and no more" {
    put lib/include/arda/bus.h '#define ARDA_API' '/* arda_bus_comment() is none. */' \
        'ARDA_API int arda_bus_len(const char *text,' '    int max);'
    library 'int arda_bus_len(const char *text, int max) { return *text + max; }'
    silent exports
    library 'int arda_bus_len; int arda_bus_more;'
    finds "arda_bus_more: exported, and no installed header declares it" exports
    library ''
    finds "arda_bus_len: declared with ARDA_API, and not exported" exports
    put lib/include/arda/bus.h 'int arda_bus_len(void);'
    finds "arda_bus_len: declared in an installed header without ARDA_API" exports
}

@test "documents: paths that are not there" {
    mkdir doc
    put README.md 'See lib/arda/bus/bus.c, lib/arda/bus/ and bin/PROGRAM/options.h.'
    put HACKING.md ''
    silent sh "$lint/paths.sh" "$root"
    put doc/architecture.md '' 'a (lib/arda/bus/gone.c)'
    finds "doc/architecture.md:2: there is no lib/arda/bus/gone.c" sh "$lint/paths.sh" "$root"
}

@test "scripts: keys that the table does not have" {
    put lib/arda/name/key_table.h '    X(STREAM, "stream", "TENANT",' '    X(NOTIFYD_DEAD, "notifyd:dead", "",'
    put lib/arda/bus/a.lua "call('XADD', key('stream', tenant))" "local dead = prefix .. ':notifyd:dead'" \
        "local one = prefix .. ':stream:' .. tenant"
    silent sh "$lint/keys.sh" "$root"
    put lib/arda/bus/a.lua '' "call('GET', key('streams', tenant))"
    finds "lib/arda/bus/a.lua:2: the table of keys has no streams" sh "$lint/keys.sh" "$root"
    put lib/arda/bus/a.lua "call('GET', prefix .. ':gone')"
    finds "lib/arda/bus/a.lua:1: the table of keys has no gone" sh "$lint/keys.sh" "$root"
}
