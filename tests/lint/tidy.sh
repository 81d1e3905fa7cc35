#!/bin/sh
# SPDX-License-Identifier: ISC
# tidy.sh BUILD: clang-tidy over all sources that are compiled, as compile_commands.json of the build folder
# has them; prints what it finds and ends with 1 if there is anything.
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || {
    echo "make tidy: clang-tidy is missing; on Debian: apt-get install clang-tidy" >&2
    exit 1
}

# Of the benches and fuzz targets nobody depends.
find bin lib tests -name '*.c' | grep -vE '^tests/(bench|fuzz)/' | sort |
    xargs -P "$(nproc 2>/dev/null || echo 2)" -n 8 clang-tidy -p "$build" --quiet 2>/dev/null | grep -v '^$' && exit 1
exit 0
