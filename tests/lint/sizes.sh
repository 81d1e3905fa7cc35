#!/bin/sh
# SPDX-License-Identifier: ISC
# sizes.sh [ROOT]: prints each .c file, function, program and folder that is over its bound.
set -eu
cd "${1:-$(dirname "$0")/../..}"

# shellcheck disable=SC2016 # awk expands it
find lib bin -name '*.c' | sort | xargs awk '
    FNR == 1 { check_file(); file = FILENAME }
    { lines = FNR }
    /^[a-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); head = FNR }
    /^{$/ { begin = FNR }
    /^}/ && begin {
        if (FNR - begin + 1 > 60)
            print file ":" head ": function " name " has " FNR - begin + 1 " lines, more than 60"
        begin = 0
    }
    END { check_file() }
    function check_file() {
        if (lines > 500)
            print file ": has " lines " lines, more than 500"
        lines = begin = 0
    }'

lines_in() { find "$@" -name '*.[ch]' -exec cat {} + | wc -l; }
bound() { # FOLDER BOUND
    [ -d "$1" ] || return 0
    lines=$(lines_in "$1")
    [ "$lines" -le "$2" ] || echo "$1: has $lines lines, more than $2"
}
for program in bin/arda-*/; do
    bound "${program%/}" 3000
done
bound bin 17000
bound lib/app 3500
