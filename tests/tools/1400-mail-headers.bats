#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The headers of e-mails, read by a parser that is not ours.

load ../lib/common.bash

@test "whatever subject and names hold, Python's e-mail package reads it back and nothing else" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    run python3 "$top_srcdir/tests/lib/mail-headers.py" "${builddir:-.}/tests/mail-headers"
    echo "$output"
    [ "$status" = 0 ]
}
