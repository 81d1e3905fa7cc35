#!/bin/sh
# SPDX-License-Identifier: ISC
# exports.sh BUILD [ROOT]: compares what libarda.so of a build folder exports with what the installed
# headers declare with ARDA_API, and prints the difference. A function that such a header declares
# without ARDA_API is one, too.
set -eu
build=$(cd "$1" && pwd)
cd "${2:-$(dirname "$0")/../..}"

headers() { find lib/include -name '*.h' | sort; }
# The declarations of a header, each in one line, without comments, bodies and macros.
# shellcheck disable=SC2046
declarations() {
    sed 's|//.*||; /^#/d; /\\$/d' $(headers) | tr '\n' ' ' | sed 's|/\*|\n/*|g; s|\*/|*/\n|g' | sed '/^\/\*.*\*\/$/d' |
        tr '\n' ' ' | sed 's/static inline[^{]*{[^}]*}//g; s/;/;\n/g'
}
names() { sed -n 's/.*[ *]\(\(arda\|base\)_[a-z0-9_]*\)(.*/\1/p; s/.*extern .*[ *]\(\(arda\|base\)_[a-z0-9_]*\)\(\[[^]]*\]\)\{0,1\};.*/\1/p' | sort -u; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declarations >"$work/all"
grep -w ARDA_API "$work/all" | names >"$work/declared" || true
names <"$work/all" >"$work/any"
nm -D --defined-only "$build/.libs/libarda.so" | awk '{ print $NF }' | sort -u >"$work/exported"
comm -13 "$work/declared" "$work/exported" | sed 's/$/: exported, and no installed header declares it/'
comm -23 "$work/declared" "$work/exported" | sed 's/$/: declared with ARDA_API, and not exported/'
comm -13 "$work/declared" "$work/any" | sed 's/$/: declared in an installed header without ARDA_API/'
