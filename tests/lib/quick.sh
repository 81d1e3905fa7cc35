#!/bin/sh
# SPDX-License-Identifier: ISC
# quick.sh TEST, in a build folder: builds what one test needs, runs it and shows its result. TEST is a
# unit test (arda/filter), a script for Node.js (net/engine) or a bats file (tools/1000-publish), with
# or without tests/ and its suffix.
set -eu
: "${top_srcdir:?}" "${MAKE:=make}"
asked=${1#tests/}
[ -n "$asked" ] || {
    echo "make quick: which one? For example T=arda/filter or T=tools/1000-publish" >&2
    exit 2
}
asked=${asked#unit/}
asked=${asked%.*}

# The tests by these names: sources below tests/.
names() {
    (cd "$top_srcdir/tests" && find unit tools net manual -name '*.c' -o -name '*.bats' -o -name '*.js') | sort
}
found=$(names | grep -E "^(unit/)?$asked\.(c|bats|js)$" || true)
if [ -z "$found" ]; then
    echo "make quick: there is no test $asked; near it are:" >&2
    part=${asked##*/}
    names | grep -F -- "$part" | head -n 12 >&2 || names | grep "^\(unit/\)\{0,1\}${asked%%/*}/" | head -n 60 >&2
    exit 2
fi

# As `make check` sets it for its tests.
builddir=$(pwd)
PATH=$builddir:$PATH
export PATH builddir top_srcdir top_builddir="$builddir" srcdir="$top_srcdir"
[ -n "${ARDA_NODE_MODULES:-}" ] || ARDA_NODE_MODULES=$top_srcdir/build/npm/node_modules
export ARDA_NODE_MODULES

build() {
    $MAKE -s -j"$(($(nproc 2>/dev/null || echo 2) + 1))" "$@"
}

# There may be a unit test and a bats file of one name.
status=0
for file in $found; do
    case $file in
    *.c) build "tests/${file%.c}" && "./tests/${file%.c}" || status=1 ;;
    *.js) build tests/echo-server && node "$top_srcdir/tests/$file" || status=1 ;;
    *.bats) build all check-needs && bats "$top_srcdir/tests/$file" || status=1 ;;
    esac
done
exit "$status"
