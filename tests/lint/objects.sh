#!/bin/sh
# SPDX-License-Identifier: ISC
# objects.sh BUILD [ROOT]: who calls whom, by the symbols of the objects in a build folder. Prints
#   - each use of a folder that the table `folders` does not allow,
#   - each circle of files inside a folder that is not in the table `circles`, and each entry there
#     that is no circle any more,
#   - each global symbol whose name does not begin with its layer and its folder or file, unless
#     the table `prefixes` has it.
set -eu
tables=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
cd "${2:-$tables/../..}"

# What is left of sources that are gone does not count.
find lib -name '*.c' | sed 's/c$/o/' | sort | (cd "$build" && xargs ls 2>/dev/null | xargs nm -A -g) |
    sed -n 's/^\([^:]*\)\.o:[0-9a-f ]* \([A-Za-z]\) \([^ ]*\)$/\1 \2 \3/p' |
    awk -f "$tables/objects.awk" "$tables/folders" "$tables/circles" "$tables/prefixes" -
