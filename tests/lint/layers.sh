#!/bin/sh
# SPDX-License-Identifier: ISC
# The layer rule: base includes no sibling, net includes base only, arda includes base only, and a
# library of others appears only in the files that wrap it. Prints what breaks it.

# Prints the includes of files under FOLDER that match the one expression and not the other.
includes() { # FOLDER MATCHING EXCEPT
    grep -rnE '^#include ' "$1" | grep -E "$2" | grep -vE "$3"
}

includes lib/base '"' '"base/|"config\.h"'
includes lib/net '"' '"(base|net)/|"config\.h"'
includes lib/arda '"' '"(base|arda)/|"config\.h"'
includes lib '<uv\.h>' '^lib/(net/loop|arda/(bus|bus_internal|curl_loop|input|mail_send|outbox|output|redis_conn|tool))\.[ch]:'
includes lib '<hiredis/' '^lib/arda/(bus|bus_[a-z]+|delivery[a-z_]*|directory[a-z_]*|inbox[a-z_]*|notify_(ack|intake|step)|redis_greeting|reply|reply_reader)\.[ch]:'
includes lib '<jwt\.h>' '^lib/arda/token_mint\.c:'
includes lib '<jansson\.h>' '^$'
includes lib '<openssl/' '^lib/(base/(ca|crypto|pkey)|net/tls)\.c:'
includes lib '<(llhttp|http_parser)\.h>' '^lib/net/http1(_head)?\.c:'
includes lib '<zlib\.h>' '^lib/net/deflate\.c:'
includes lib '<curl/' '^lib/arda/(curl_loop\.h|mail_(send|transfer)\.c):'
includes lib '<idn2\.h>' '^lib/arda/mail_address\.c:'
includes lib '"arda/curl_loop' '^lib/arda/(curl_loop|[a-z]+_send)\.c:'
includes bin '"arda/curl_loop' '^bin/arda-subscribe/via_net\.h:'
includes bin '<wslay/' '^bin/arda-subscribe/via_ws\.c:'
includes bin '<(hiredis/|jwt|jansson|openssl/|zlib|curl/|idn2)' '^$'
grep -rnE '\b(malloc|calloc|realloc|strdup|strndup)\(' lib bin --include='*.c' | grep -vE 'base_|lib/base/mem\.c'
exit 0
