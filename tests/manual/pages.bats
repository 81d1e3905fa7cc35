#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The manual against the programs: options, environment, defaults, exit statuses, event types.

bats_require_minimum_version 1.5.0

setup() {
    unset ARDA_NODE_MODULES
    build=$(cd "${builddir:-.}" && pwd)
    cd "${srcdir:-.}" || return 1
    here=$BATS_TEST_TMPDIR
}

programs() {
    sed -n 's/^\.It Xr \(arda-[a-z]*\) 1$/\1/p' man/arda.7
}

# As a command of its own, since bats lets a failed `! command` pass.
differ() {
    ! cmp -s "$1" "$2"
}

# What a page says of each option: short, long, variables, default.
options_of_page() {
    awk '
        function flush() {
            if (long != "")
                print short "\t" long "\t" (env == "" ? "-" : env) "\t" (value == "" ? "-" : value)
            long = ""
        }
        /^\.It Fl / {
            flush()
            short = $3 == "Fl" ? "-" : $3
            long = $0
            sub(/.*Fl Fl /, "", long)
            sub(/ .*/, "", long)
            env = value = ""
            next
        }
        /^\.(El|It|S[hs])/ { flush() }
        /^\.Pq Ev ARDA_/ {
            env = $0
            sub(/^\.Pq Ev /, "", env)
            sub(/ (;|, No|: ).*/, "", env)
            gsub(/ /, "", env)
        }
        /^\.Pq (Ev ARDA_.*; )?No default Ql [^ ]+$/ { value = $NF }
        END { flush() }' "$1" | sort
}

# The same of the program. A default of several words is one for people.
options_of_program() {
    "$build/$1" --help | awk '/^  (-.,|   ) --/ { print "" } { printf "%s ", $0 }' | tr -s ' ' |
        sed -n 's/^ \(-., \)\{0,1\}--\([a-z-]*\).*(default: \([^ )]*\))\( \[ARDA_.*\)\{0,1\} *$/\2\t\3/p' \
            >"$here/defaults"
    "$build/$1" --dump-options | awk -F '\t' -v OFS='\t' '
        FILENAME != "-" { value[$1] = $2; next }
        { print $1, $2, $5, ($2 in value ? value[$2] : "-") }' "$here/defaults" - | sort
}

@test "mandoc has nothing to say about any page" {
    command -v mandoc >/dev/null || skip "no mandoc"
    for page in man/*.[1-9]; do
        run mandoc -Tlint -Wwarning "$page"
        echo "$output"
        [ "$status" -eq 0 ]
        [ -z "$output" ]
    done
}

@test "mandoc would say something about a page that is wrong" {
    command -v mandoc >/dev/null || skip "no mandoc"
    sed 's/^\.El$/.Ed/' man/arda-token.1 >"$here/arda-token.1"
    run mandoc -Tlint -Wwarning "$here/arda-token.1"
    [ "$status" -ne 0 ]
}

@test "every program has a page, and arda(7) names it" {
    for program in "$build"/arda-*; do
        [ -f "$program" ] && [ -x "$program" ] || continue
        name=${program##*/}
        [ -f "man/$name.1" ]
        programs | grep -qx "$name"
    done
    for name in $(programs); do
        [ -x "$build/$name" ]
    done
}

@test "a page lists the options of its program: letters, variables, defaults" {
    for name in $(programs); do
        options_of_program "$name" >"$here/program"
        options_of_page "man/$name.1" >"$here/page"
        [ "$(wc -l <"$here/program")" -gt 3 ]
        grep -q '	[^-	]*$' "$here/program"
        diff -u "$here/program" "$here/page"
    done
}

@test "an option that is missing, renamed or has another default is found" {
    options_of_program arda-publish >"$here/program"
    for change in '/^\.It Fl Fl strict/d' 's/Fl Fl loose-ids$/Fl Fl lax-ids/' \
        's/default Ql 30s/default Ql 60s/' 's/ARDA_PUBLISH_SOURCE/ARDA_PUBLISH_PRODUCER/' 's/^\.It Fl n ,/.It Fl N ,/'; do
        sed "$change" man/arda-publish.1 >"$here/changed"
        differ "$here/changed" man/arda-publish.1
        options_of_page "$here/changed" >"$here/page"
        differ "$here/program" "$here/page"
    done
}

@test "a variable works as the page says" {
    run --separate-stderr env ARDA_PUBLISH_DRY_RUN=yes ARDA_PUBLISH_LOOSE_IDS=1 "$build/arda-publish" \
        loop.parameters_changed tenantId=acme loopId=l changeType=manual reason=x
    [ "$status" -eq 0 ]
    [[ $output == '{"type":"loop.parameters_changed",'* ]]
}

# The statuses in the section EXIT STATUS of a page.
statuses_of_page() {
    awk '/^\.Sh /{ inside = /EXIT STATUS/ } inside && /^\.It [0-9]+$/ { print $2 }' "$1"
}

statuses_of_header() {
    sed -n 's/^ *X(BASE_EXIT_[A-Z]*, \([0-9]*\),.*/\1/p' lib/base/exit.h
}

@test "every exit status of a page is one of exit.h" {
    statuses_of_header | sort >"$here/known"
    [ "$(wc -l <"$here/known")" -ge 12 ]
    for page in man/*.1; do
        statuses_of_page "$page" | sort >"$here/listed"
        grep -qx 0 "$here/listed"
        grep -qx 64 "$here/listed"
        [ -z "$(comm -23 "$here/listed" "$here/known")" ]
    done
}

@test "arda(7) lists all exit statuses" {
    diff -u <(statuses_of_header) <(statuses_of_page man/arda.7)
}

@test "every page has its sections in order" {
    for page in man/*.1; do
        # One section more, of daemons, comes before ENVIRONMENT.
        grep '^\.Sh ' "$page" | sed '/^\.Sh METRICS$/{N;/ENVIRONMENT$/s/.*\n//;}' >"$here/sections"
        diff -u - "$here/sections" <<'END'
.Sh NAME
.Sh SYNOPSIS
.Sh DESCRIPTION
.Sh ENVIRONMENT
.Sh EXIT STATUS
.Sh EXAMPLES
.Sh SEE ALSO
.Sh STANDARDS
.Sh CAVEATS
END
    done
}

@test "a reference to a page of ours leads to one" {
    sed -n 's/^\.\(It \)\{0,1\}Xr \(arda[a-z-]*\) \([0-9]\).*/\2.\3/p' man/* | sort -u >"$here/names"
    [ "$(wc -l <"$here/names")" -ge 7 ]
    while read -r name; do
        [ -f "man/$name" ]
    done <"$here/names"
}

@test "arda-events(5) describes the event types as the library has them" {
    "$build/tests/event-table" mdoc >"$here/types"
    [ -s "$here/types" ]
    sed '1,/^\.\\" event types: begin$/d; /^\.\\" event types: end$/,$d' man/arda-events.5 \
        >"$here/part"
    diff -u "$here/types" "$here/part"
}

@test "arda-redis(5) describes the keys and rights as the library has them" {
    "$build/tests/key-table" mdoc >"$here/keys"
    [ -s "$here/keys" ]
    sed '1,/^\.\\" keys: begin$/d; /^\.\\" keys: end$/,$d' man/arda-redis.5 >"$here/part"
    diff -u "$here/keys" "$here/part"
}

@test "arda-events(5) tells of the version of the lines that the library writes" {
    version=$(sed -n 's/^#define ARDA_RECORD_VERSION "\(.*\)"$/\1/p' lib/include/arda/record.h)
    [ -f "tests/data/records-$version/envelope.jsonl" ]
    grep -qx "This is version $version of these forms\." man/arda-events.5
    grep -qx "\.It $version" man/arda-events.5
}
