#!/bin/sh
# SPDX-License-Identifier: ISC
# keys.sh [ROOT]: prints each key of Redis that a script names and that the table of keys
# (lib/arda/name/key_table.h) does not have.
set -eu
cd "${1:-$(dirname "$0")/../..}"

families=$(sed -n 's/^    X([A-Z_]*, "\([a-z:-]*\)",.*/\1/p' lib/arda/name/key_table.h)
[ -n "$families" ] || echo "lib/arda/name/key_table.h: no table of keys was found"
find lib -name '*.lua' | sort | while read -r script; do
    # key('FAMILY' and prefix .. ':FAMILY'
    grep -onE "key\('[a-z:-]+'|prefix \.\. ':[a-z:-]+'" "$script" | while IFS= read -r hit; do
        line=${hit%%:*}
        family=$(printf '%s\n' "$hit" | sed "s/.*':*\([a-z:-]*\)'/\1/; s/:$//")
        printf '%s\n' "$families" | grep -qxF "$family" || echo "$script:$line: the table of keys has no $family"
    done
done
