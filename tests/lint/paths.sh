#!/bin/sh
# SPDX-License-Identifier: ISC
# paths.sh [ROOT]: prints each path of a source that a document names and that is not there. Names in capitals
# stand for others.
set -eu
cd "${1:-$(dirname "$0")/../..}"

find README.md HACKING.md doc lib -name '*.md' | sort | while read -r document; do
    grep -onE '(lib|bin|tests|doc|man|completions)/[A-Za-z0-9_./-]*[a-z0-9_]' "$document" | while IFS=: read -r line path; do
        case $path in *[A-Z][A-Z]*) [ "${path##*/}" != README.md ] && continue ;; esac
        [ -e "$path" ] || [ -e "$path.c" ] || echo "$document:$line: there is no $path"
    done
done
