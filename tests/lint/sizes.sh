#!/bin/sh
# SPDX-License-Identifier: ISC
# sizes.sh [ROOT]: prints each .c file, function, program and folder that is over its bound, unless the
# table `sizes` (beside this file) allows it more.
set -eu
tables=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$tables/../..}"

# bound PATH LINES: what the table allows, else LINES.
bound_of() {
    allowed=$(sed -n "s|^$1 *: *\\([0-9]*\\).*|\\1|p" "$tables/sizes")
    echo "${allowed:-$2}"
}

# PATH LINES BOUND
complain() {
    bound=$(bound_of "$1" "$3")
    [ "$2" -le "$bound" ] || echo "$1: has $2 lines, more than $bound"
}

find lib bin -name '*.c' | sort | while read -r file; do
    complain "$file" "$(wc -l <"$file")" 500
done

# shellcheck disable=SC2016 # awk expands it
find lib bin -name '*.c' | sort | xargs awk '
    FNR == 1 { begin = 0 }
    /^[a-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); head = FNR }
    /^{$/ { begin = FNR }
    /^}/ && begin {
        if (FNR - begin + 1 > 60)
            print FILENAME ":" head ": function " name " has " FNR - begin + 1 " lines, more than 60"
        begin = 0
    }'

lines_in() { find "$1" -name '*.[ch]' -exec cat {} + | wc -l; }
for program in bin/arda-*/; do
    complain "${program%/}" "$(lines_in "$program")" 3000
done
complain bin "$(lines_in bin)" 17000
[ ! -d lib/app ] || complain lib/app "$(lines_in lib/app)" 3500
