#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a script of tests/net for automake's TAP driver; without Node.js its cases are skipped, and
# say so.
if command -v node >/dev/null; then
    exec node "$@"
fi
echo "1..0 # SKIP node is not installed"
