#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a bats file for automake's TAP driver; without bats its tests are skipped, and say so.
if command -v bats >/dev/null; then
    exec bats --tap "$@"
fi
echo "1..0 # SKIP bats is not installed"
