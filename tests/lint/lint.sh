#!/bin/sh
# SPDX-License-Identifier: ISC
# What can be said of the sources without building them: format, shell, pages, layers,
# scripts of Redis.
set -u
build=${1:+$(cd "$1" && pwd)}
cd "$(dirname "$0")/../.." || exit 1

found=0
complain() {
    found=1
    printf 'lint: %s\n' "$1"
    sed 's/^/    /'
}

# Runs a command; what it prints, or its failure, is a complaint.
must_be_silent() { # TEXT COMMAND...
    text=$1
    shift
    output=$("$@" 2>&1)
    status=$?
    if [ "$status" != 0 ] || [ -n "$output" ]; then
        printf '%s\n' "$output" | complain "$text"
    fi
}

sources=$(find bin lib tests \( -name '*.c' -o -name '*.h' \) ! -name '*_lua.c' | sort)
scripts="bootstrap .ci/run $(find tests completions \( -name '*.sh' -o -name '*.bash' -o -name generate \) 2>/dev/null | sort)"
tests=$(find tests -name '*.bats' | sort)
pages=$(find man -name '*.[1-9]' 2>/dev/null | sort)
scripts=$(for file in $scripts; do [ -f "$file" ] && printf '%s ' "$file"; done)

# shellcheck disable=SC2086
{
    must_be_silent "clang-format would write these otherwise" clang-format --dry-run -Werror $sources
    must_be_silent "shellcheck" shellcheck $scripts
    # Of the bats files it does not see what bats and common.bash set, and that tests are subshells.
    [ -z "$tests" ] || must_be_silent "shellcheck of the bats files" \
        shellcheck --shell=bats --exclude=SC2030,SC2031,SC2034,SC2119,SC2120,SC2154 $tests
    [ -z "$pages" ] || must_be_silent "mandoc" mandoc -Tlint -Wwarning $pages
    must_be_silent "what a folder may include" sh tests/lint/layers.sh
    must_be_silent "sizes" sh tests/lint/sizes.sh
    must_be_silent "paths in documents" sh tests/lint/paths.sh
    if [ -n "$build" ]; then
        must_be_silent "who uses whom, and names" sh tests/lint/objects.sh "$build"
        must_be_silent "what libarda exports" sh tests/lint/exports.sh "$build"
    fi
    must_be_silent "scripts of Redis" sh tests/lint/scripts.sh
    must_be_silent "keys of Redis" sh tests/lint/keys.sh
}
exit "$found"
