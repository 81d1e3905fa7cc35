#!/bin/sh
# SPDX-License-Identifier: ISC
# coverage.sh BUILD: of a build folder that was configured with --enable-coverage and whose tests have run,
# the lines and branches that they reached, for each folder of lib and bin and in all.
set -eu
cd "$1"
find lib bin -name '*.gcda' | grep -q . || {
    echo "make coverage: nothing was counted; configure with --enable-coverage" >&2
    exit 1
}

find lib bin -name '*.gcno' | grep -v '/\.libs/' | sort | while read -r notes; do
    printf '%s\t' "$(dirname "$notes")"
    gcov -n -b "$notes" 2>/dev/null | awk '
        /^File / { ours = $0 ~ /\.c\x27$/ }
        ours && /^Lines executed:/ { lines = amount($0) }
        ours && /^Taken at least once:/ { branches = amount($0); ours = 0 }
        function amount(text,    part) {
            sub(/.*:/, "", text)
            split(text, part, "% of ")
            return part[1] * part[2] / 100 "\t" part[2]
        }
        END { print (lines ? lines : "0\t0") "\t" (branches ? branches : "0\t0") }'
done | awk -F '\t' '
    { for (i = 2; i <= 5; i++) { of[$1, i] += $i; all[i] += $i }
      if (!($1 in known)) { known[$1] = 1; name[++count] = $1 } }
    function percent(part, whole) { return whole ? 100 * part / whole : 100 }
    function row(text, a, b, c, d) { printf "%-28s %7.0f %6.1f %% %9.0f %6.1f %%\n", text, b, percent(a, b), d, percent(c, d) }
    END {
        printf "%-28s %7s %8s %9s %8s\n", "folder", "lines", "reached", "branches", "taken"
        for (i = 1; i <= count; i++)
            row(name[i], of[name[i], 2], of[name[i], 3], of[name[i], 4], of[name[i], 5])
        row("all", all[2], all[3], all[4], all[5])
    }'
