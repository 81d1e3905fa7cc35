#!/bin/sh
# SPDX-License-Identifier: ISC
# watch.sh TEST, in a build folder: quick.sh, again after each change of a source, until Ctrl-C.
set -eu
: "${top_srcdir:?}"
here=$(dirname "$0")
stamp=$(mktemp)
trap 'rm -f "$stamp"' EXIT
trap 'exit 130' INT TERM

changed() {
    (cd "$top_srcdir" && find bin lib tests man completions Makefile.am -type f -newer "$stamp" -print) | grep -q .
}

while :; do
    touch "$stamp"
    clear 2>/dev/null || true
    sh "$here/quick.sh" "$1" || [ $? != 2 ] || exit 2
    date '+-- %H:%M:%S, waiting for a change'
    until changed; do sleep 0.3; done
done
