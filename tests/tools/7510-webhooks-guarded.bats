#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Where webhooks do not go: each address with its reason, and nobody there hears of it.

load ../lib/common.bash

setup_file() {
    need_node
    start_redis
    start_receiver ::
    # Whoever minds these sends it all to the receiver.
    export http_proxy=http://127.0.0.1:$RECEIVER_PORT HTTP_PROXY=http://127.0.0.1:$RECEIVER_PORT
    export https_proxy=$http_proxy all_proxy=$http_proxy ALL_PROXY=$http_proxy
    start notifyd arda-notifyd
    wait_for ready_or_gone notifyd
    unset http_proxy HTTP_PROXY https_proxy all_proxy ALL_PROXY
}
teardown_file() { stop_all; }

setup() { user=$(uuid); }
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

connections() { grep -c connected "$(file_of receiver out)" || true; }

# refused_all: lines of URL and reason; each is tried once, and fails with that.
refused_all() {
    local url reason id
    while IFS='|' read -r url reason; do
        url=${url/PORT/$RECEIVER_PORT}
        tenant=$(uuid) id=$(uuid)
        redis hset "arda:webhook:$tenant" url "$url" secret "$secret" enabled 1 >/dev/null
        put_delivery "$id" 1
        printf '%s|%s|%s|%s\n' "$tenant" "$id" "$url" "$reason" >>"$RUN_DIR/tried"
    done
    while IFS='|' read -r tenant id url reason; do
        wait_for ended "$tenant" failed 1
        text=$(redis --raw hget "arda:delivery:$tenant:$id" lastError)
        [ "$text" = "$reason" ] || { echo "$url: $text, and not $reason" && return 1; }
    done <"$RUN_DIR/tried"
    [ "$(connections)" = 0 ]
}

@test "addresses of this machine, its network, and nowhere, however they are spelled" {
    refused_all <<'EOF'
http://127.0.0.1:PORT/|not sent to 127.0.0.1: it is a loopback address
http://127.1:PORT/|not sent to 127.1: it is a loopback address
http://2130706433:PORT/|not sent to 2130706433: it is a loopback address
http://0x7f000001:PORT/|not sent to 0x7f000001: it is a loopback address
http://0177.0.0.1:PORT/|not sent to 0177.0.0.1: it is a loopback address
http://127.255.255.254:PORT/|not sent to 127.255.255.254: it is a loopback address
http://0.0.0.0:PORT/|not sent to 0.0.0.0: it is an address of this host
http://10.1.2.3/|not sent to 10.1.2.3: it is a private address
http://172.31.255.255/|not sent to 172.31.255.255: it is a private address
https://192.168.0.1/|not sent to 192.168.0.1: it is a private address
http://169.254.169.254/latest/meta-data/|not sent to 169.254.169.254: it is a link-local address
http://0xa9fea9fe/|not sent to 0xa9fea9fe: it is a link-local address
http://100.64.0.1/|not sent to 100.64.0.1: it is an address shared by a provider
http://224.0.0.1/|not sent to 224.0.0.1: it is a multicast address
http://255.255.255.255/|not sent to 255.255.255.255: it is a reserved address
EOF
}

@test "the same as IPv6, and IPv4 that IPv6 carries" {
    refused_all <<'EOF'
http://[::1]:PORT/|not sent to ::1: it is a loopback address
http://[::]:PORT/|not sent to ::: it is an address of this host
http://[::ffff:127.0.0.1]:PORT/|not sent to ::ffff:127.0.0.1: it is a loopback address
http://[::ffff:7f00:1]:PORT/|not sent to ::ffff:7f00:1: it is a loopback address
http://[::ffff:a9fe:a9fe]/|not sent to ::ffff:a9fe:a9fe: it is a link-local address
http://[64:ff9b::7f00:1]:PORT/|not sent to 64:ff9b::7f00:1: it is a loopback address
http://[2002:7f00:1::]:PORT/|not sent to 2002:7f00:1::: it is a loopback address
http://[fd00::1]/|not sent to fd00::1: it is a private address
http://[fe80::1]/|not sent to fe80::1: it is a link-local address
http://[ff02::1]/|not sent to ff02::1: it is a multicast address
EOF
}

@test "a name that resolves to this machine" {
    refused_all <<'EOF'
http://localhost:PORT/|not sent to localhost: it is a loopback address
http://LocalHost:PORT/|not sent to LocalHost: it is a loopback address
EOF
}

@test "what is no URL of a webhook, whoever has written it into Redis" {
    refused_all <<'EOF'
ftp://127.0.0.1:PORT/|bad URL: neither http nor https
file:///etc/passwd|bad URL: expected http://HOST or https://HOST
gopher://127.0.0.1:PORT/x|bad URL: neither http nor https
http://ann:secret@127.0.0.1:PORT/|bad URL: it has a user or a password
http://127.0.0.1:PORT/a b|bad URL: a character that a URL cannot have
http://|bad URL: expected http://HOST or https://HOST
nonsense|bad URL: expected http://HOST or https://HOST
EOF
}

@test "a secret that makes no sense is not shown" {
    tenant=$(uuid) id=$(uuid)
    redis hset "arda:webhook:$tenant" url http://a.example secret whsec_c2hvcnQ= enabled 1
    put_delivery "$id" 1
    wait_for ended "$tenant" failed 1
    record "$id" | jq -e '.lastError | startswith("the webhook'"'"'s secret: ")'
    run ! grep -r c2hvcnQ "$(file_of notifyd err)"
    record "$id" >"$RUN_DIR/record"
    run ! grep c2hvcnQ "$RUN_DIR/record"
}

@test "--webhook-allow lets blocks through; others stay refused" {
    tenant=$(uuid) id=$(uuid)
    stop notifyd
    start allowing arda-notifyd --webhook-allow 10.0.0.0/8,127.0.0.1
    wait_for ready_or_gone allowing
    endpoint /ok/allowed
    put_delivery "$id" 1
    wait_for ended "$tenant" delivered 1
    [ "$(requests /ok/allowed | wc -l)" = 1 ]
    tenant=$(uuid) id=$(uuid)
    arda-directory set webhook "$tenant" "url=http://127.0.0.2:$RECEIVER_PORT/" "secret=$secret"
    put_delivery "$id" 1
    wait_for ended "$tenant" failed 1
    [ "$(record "$id" | jq -r .lastError)" = "not sent to 127.0.0.2: it is a loopback address" ]
}

@test "options that make no sense are refused" {
    local one
    while IFS='|' read -r one text; do
        run arda-notifyd "$one"
        # shellcheck disable=SC2154
        [ "$status" = 64 ] || [ "$status" = 65 ] || { echo "$one: $status" && return 1; }
        [[ $output == *"${one%%=*}"* ]]
    done <<'EOF'
--webhook-allow=10.0.0.0/33
--webhook-allow=10.0.0.0/8,
--webhook-allow=here
--webhook-timeout=0
--webhook-timeout=soon
--retry-schedule=5s,
--retry-schedule=0s,often
--per-endpoint=0
--deliveries-in-flight=1001
--retain-deliveries=-1
EOF
}
