#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# URLs that a tenant should not have got away with, from the directory's line and an event to the record
# of what became of it: each is refused with its reason, and whoever listens there hears nothing.
#
# An address is judged where libcurl is about to open the socket to it, behind all spelling and resolving.
# So a name that resolves to something else the second time gains nothing: the address that is judged is
# the one that is connected to.

load ../lib/common.bash

setup_file() {
    need_node
    start_redis
    start_receiver ::
}
teardown_file() { stop_all; }

setup() { user=$(uuid); }
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

connections() { grep -c '"connected"' "$(file_of receiver out)" || true; }

# person TENANT: who wants webhooks there, as lines.
person() {
    printf '{"kind":"user","tenantId":"%s","userId":"%s","email":"u@arda.example","active":true,"name":"U"}\n' "$1" "$user"
    printf '{"kind":"preference","tenantId":"%s","userId":"%s","notificationType":"card_triggered","channel":"webhook","enabled":true}\n' "$1" "$user"
}
# webhook TENANT URL
webhook() { printf '{"kind":"webhook","tenantId":"%s","url":"%s","secret":"%s","enabled":true}\n' "$1" "$2" "$secret"; }

# try_all: lines of "URL|REASON", where the reason may be "delivered"; each has a tenant of its own, and one
# event.
try_all() {
    local url reason tenant text
    rm -f "$RUN_DIR/lines" "$RUN_DIR/events" "$RUN_DIR/tried"
    while IFS='|' read -r url reason; do
        url=${url//PORT/$RECEIVER_PORT} tenant=$(uuid)
        { webhook "$tenant" "$url" && person "$tenant"; } >>"$RUN_DIR/lines"
        card "$tenant" >>"$RUN_DIR/events"
        printf '%s|%s|%s\n' "$tenant" "$url" "$reason" >>"$RUN_DIR/tried"
    done
    arda-directory load "$RUN_DIR/lines"
    arda-publish <"$RUN_DIR/events"
    while IFS='|' read -r tenant url reason; do
        if [ "$reason" = delivered ]; then
            wait_for ended "$tenant" delivered 1
            continue
        fi
        wait_for ended "$tenant" failed 1
        text=$(redis --raw hget "arda:delivery:$tenant:$(deliveries "$tenant")" lastError)
        [ "$text" = "$reason" ] || { echo "$url: $text, and not $reason" && return 1; }
    done <"$RUN_DIR/tried"
}

@test "refused where the socket would be opened, whatever the spelling" {
    start_notifyd
    try_all <<EOF
http://127.0.0.1:PORT/|not sent to 127.0.0.1: it is a loopback address
HTTP://127.0.0.1:PORT/|not sent to 127.0.0.1: it is a loopback address
http://127.1:PORT/|not sent to 127.1: it is a loopback address
http://127.0.1:PORT/|not sent to 127.0.1: it is a loopback address
http://2130706433:PORT/|not sent to 2130706433: it is a loopback address
http://017700000001:PORT/|not sent to 017700000001: it is a loopback address
http://0177.0.0.01:PORT/|not sent to 0177.0.0.01: it is a loopback address
http://0x7f.1:PORT/|not sent to 0x7f.1: it is a loopback address
http://0x7F000001:PORT/|not sent to 0x7F000001: it is a loopback address
http://127.9.8.7:PORT/|not sent to 127.9.8.7: it is a loopback address
http://0:PORT/|not sent to 0: it is an address of this host
http://0.0.0.0:PORT/|not sent to 0.0.0.0: it is an address of this host
http://localhost:PORT/|not sent to localhost: it is a loopback address
http://LOCALHOST:PORT/|not sent to LOCALHOST: it is a loopback address
http://127.0.0.1:$REDIS_PORT/|not sent to 127.0.0.1: it is a loopback address
http://127.0.0.1:25/|not sent to 127.0.0.1: it is a loopback address
https://127.0.0.1:PORT/|not sent to 127.0.0.1: it is a loopback address
http://[::1]:PORT/|not sent to ::1: it is a loopback address
http://[0:0:0:0:0:0:0:1]:PORT/|not sent to 0:0:0:0:0:0:0:1: it is a loopback address
http://[::]:PORT/|not sent to ::: it is an address of this host
http://[::ffff:127.0.0.1]:PORT/|not sent to ::ffff:127.0.0.1: it is a loopback address
http://[::FFFF:7F00:1]:PORT/|not sent to ::FFFF:7F00:1: it is a loopback address
http://[::127.0.0.1]:PORT/|not sent to ::127.0.0.1: it is a loopback address
EOF
    [ "$(connections)" = 0 ]
}

@test "networks of one's own, what clouds tell their machines, and addresses of nobody" {
    start_notifyd
    try_all <<'EOF'
http://10.0.0.1/|not sent to 10.0.0.1: it is a private address
http://10.255.255.255:8080/|not sent to 10.255.255.255: it is a private address
http://172.16.0.1/|not sent to 172.16.0.1: it is a private address
https://192.168.1.1/|not sent to 192.168.1.1: it is a private address
http://100.100.100.200/|not sent to 100.100.100.200: it is an address shared by a provider
http://169.254.169.254/latest/meta-data/|not sent to 169.254.169.254: it is a link-local address
http://2852039166/latest/meta-data/|not sent to 2852039166: it is a link-local address
http://[::ffff:169.254.169.254]/|not sent to ::ffff:169.254.169.254: it is a link-local address
http://[64:ff9b::a9fe:a9fe]/|not sent to 64:ff9b::a9fe:a9fe: it is a link-local address
http://[2002:a9fe:a9fe::]/|not sent to 2002:a9fe:a9fe::: it is a link-local address
http://[fd00:ec2::254]/|not sent to fd00:ec2::254: it is a private address
http://[fdff::1]/|not sent to fdff::1: it is a private address
http://[fe80::1]/|not sent to fe80::1: it is a link-local address
http://224.0.0.1/|not sent to 224.0.0.1: it is a multicast address
http://[ff02::1]/|not sent to ff02::1: it is a multicast address
http://255.255.255.255/|not sent to 255.255.255.255: it is a reserved address
EOF
    # None is to be tried again.
    [ -z "$(redis keys 'arda:due*')" ]
}

@test "a line with a URL that is none is refused with its number and member, and shows nothing of it" {
    local url number=2 expected='expected an http or https URL without user, password and fragment'
    tenant=$(uuid)
    person "$tenant" >"$RUN_DIR/in"
    while IFS= read -r url; do
        number=$((number + 1))
        printf '{"kind":"webhook","tenantId":"%s","url":%s,"secret":"%s"}\n' "$tenant" "$url" "$secret" >>"$RUN_DIR/in"
        echo "arda-directory: $RUN_DIR/in: line $number: url: $expected" >>"$RUN_DIR/expected"
    done <<EOF
"file:///etc/passwd"
"file://localhost/etc/passwd"
"gopher://127.0.0.1:6379/_FLUSHALL"
"ftp://a.example/"
"dict://a.example:11211/stat"
"javascript:alert(1)"
"//a.example/"
"a.example"
""
"http://"
"http:///path"
"http://:80/"
"https://?x"
"http://me@a.example/"
"http://me:s3cr3t@a.example/"
"http://a.example:65536/"
"http://a.example:80a/"
"http://a.example:-1/"
"http://a.example/#fragment"
"http://a.example/a b"
" http://a.example/"
"http://a.example/\\r\\nHost: b.example"
"http://a.example/\\n"
"http://a.example\\u0000.b.example/"
"http://a.example/<script>"
"http://m\\u00fcller.example/"
"http://a.example\\\\@127.0.0.1/"
"http://a.example/$(printf 'x%.0s' {1..2048})"
EOF
    # One byte less would be right.
    webhook "$tenant" "http://a.example/$(printf 'x%.0s' {1..2032})" >>"$RUN_DIR/in"
    printf '{"kind":"webhook","tenantId":"%s","secret":"%s"}\n' "$tenant" "$secret" >>"$RUN_DIR/in"
    printf "arda-directory: $RUN_DIR/in: line %d: url: %s\n" $((number + 1)) "$expected" $((number + 2)) missing >>"$RUN_DIR/expected"
    run --separate-stderr arda-directory load "$RUN_DIR/in"
    # shellcheck disable=SC2154
    [ "$status" = 65 ]
    diff "$RUN_DIR/expected" - <<<"$stderr"
    [ "$(redis exists "arda:webhook:$tenant")" = 0 ]
    webhook "$tenant" "http://a.example/$(printf 'x%.0s' {1..2031})" | arda-directory load
}

@test "a redirect is not followed, wherever it leads" {
    start_notifyd --webhook-allow 127.0.0.1
    try_all <<'EOF'
http://127.0.0.1:PORT/redirect/a?to=http://127.0.0.2:PORT/ok/stolen|HTTP 302, redirects are not followed
http://127.0.0.1:PORT/redirect/b?to=http://[::1]:PORT/ok/stolen|HTTP 302, redirects are not followed
http://127.0.0.1:PORT/redirect/c?to=http://169.254.169.254/latest/|HTTP 302, redirects are not followed
http://127.0.0.1:PORT/redirect/d?to=http://127.0.0.1:PORT/ok/stolen|HTTP 302, redirects are not followed
http://127.0.0.1:PORT/redirect/e?to=file:///etc/passwd|HTTP 302, redirects are not followed
EOF
    [ "$(grep -c '"path":"/redirect/' "$(file_of receiver out)")" = 5 ]
    [ -z "$(requests /ok/stolen)" ]
}

@test "proxies of the environment are not used, though their address is allowed" {
    local proxy=http://127.0.0.1:$RECEIVER_PORT
    http_proxy=$proxy HTTP_PROXY=$proxy https_proxy=$proxy HTTPS_PROXY=$proxy all_proxy=$proxy ALL_PROXY=$proxy \
        start_notifyd --webhook-allow 127.0.0.1
    try_all <<'EOF'
http://127.0.0.1:PORT/ok/direct|delivered
http://127.0.0.2:PORT/ok/by-proxy|not sent to 127.0.0.2: it is a loopback address
http://10.0.0.1/ok/by-proxy|not sent to 10.0.0.1: it is a private address
https://10.0.0.1/ok/by-proxy|not sent to 10.0.0.1: it is a private address
EOF
    [ "$(requests /ok/direct | wc -l)" = 1 ]
    run ! grep -E 'by-proxy|CONNECT' "$(file_of receiver out)"
}

@test "--webhook-allow: an address, a block, IPv6, several" {
    start_notifyd first --webhook-allow 127.0.0.1,::1 --webhook-allow 127.0.4.0/22
    try_all <<'EOF'
http://127.0.0.1:PORT/ok/v4|delivered
http://[::1]:PORT/ok/v6|delivered
http://[::ffff:127.0.0.1]:PORT/ok/mapped|delivered
http://localhost:PORT/ok/name|delivered
http://2130706433:PORT/ok/number|delivered
http://127.0.7.255:PORT/ok/block|delivered
http://127.0.8.0:PORT/ok/beyond|not sent to 127.0.8.0: it is a loopback address
http://127.0.0.2:PORT/ok/beyond|not sent to 127.0.0.2: it is a loopback address
http://10.0.0.1:PORT/ok/beyond|not sent to 10.0.0.1: it is a private address
EOF
    stop first
    start_notifyd second --webhook-allow ::1/128
    try_all <<'EOF'
http://[::1]:PORT/ok/v6|delivered
http://127.0.0.1:PORT/ok/beyond|not sent to 127.0.0.1: it is a loopback address
http://[::ffff:127.0.0.1]:PORT/ok/beyond|not sent to ::ffff:127.0.0.1: it is a loopback address
EOF
    [ "$(requests /ok/v6 | wc -l)" = 2 ]
    [ -z "$(requests /ok/beyond)" ]
}

@test "--webhook-allow: what is no address is refused with its place" {
    local value
    while IFS= read -r value; do
        run --separate-stderr arda-notifyd "--webhook-allow=$value"
        echo "$value: $status $stderr"
        [ "$status" = 64 ] || [ "$status" = 65 ]
        [[ $stderr == "arda-notifyd: --webhook-allow: "* ]]
    done <<'EOF'
10.0.0.0/33
::1/129
fd00::/
10.0.0.0/8,here
localhost
127.1
10.0.0.0/8,,::1
http://127.0.0.1
EOF
}
