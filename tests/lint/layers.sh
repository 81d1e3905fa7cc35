#!/bin/sh
# SPDX-License-Identifier: ISC
# layers.sh [ROOT]: who includes what. Prints each #include that the tables `folders` and `libraries`
# (beside this file) do not allow, each folder that is in no table, and each call of malloc and its
# like outside of base/mem.
set -eu
tables=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$tables/../..}"

find lib bin -name '*.[ch]' | sort | xargs grep -n '^#include ' /dev/null |
    sed 's/^\([^:]*\):\([0-9]*\):#include *\([<"][^>"]*[>"]\).*/\1 \2 \3/' |
    awk -f "$tables/layers.awk" "$tables/folders" "$tables/libraries" -
grep -rnE '\b(malloc|calloc|realloc|strdup|strndup)\(' lib bin --include='*.c' |
    grep -vE 'base_|^lib/base/mem\.c:' || true
