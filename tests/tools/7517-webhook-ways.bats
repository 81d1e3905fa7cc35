#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Webhooks to receivers with a certificate of an authority of one's own, and through a proxy.

load ../lib/common.bash

# authority NAME: NAME.ca is its certificate.
authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.cakey" -out "$1.ca" -subj "/CN=Authority $1" -days 2 2>>req.err
}
# certificate AUTHORITY HOST: AUTHORITY-HOST.key and .pem.
certificate() {
    openssl req -newkey rsa:2048 -nodes -keyout "$1-$2.key" -out req.pem -subj "/CN=$2" 2>>req.err
    openssl x509 -req -in req.pem -CA "$1.ca" -CAkey "$1.cakey" -CAcreateserial -days 2 -out "$1-$2.pem" \
        -extfile <(echo "subjectAltName=DNS:$2") 2>>req.err
}

setup_file() {
    need_node
    start_redis
    cd "$BATS_FILE_TMPDIR" || return 1
    authority ours
    authority theirs
    certificate ours localhost
    certificate ours elsewhere
    certificate theirs localhost
}
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid) user=$(uuid)
    load_users "$tenant" "$user"
    files=$BATS_FILE_TMPDIR
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3

receiver_of() { start_receiver 127.0.0.1 "$files/$1.key" "$files/$1.pem"; }
# one_webhook SCHEME HOST [PATH]
one_webhook() {
    arda-directory set webhook "$tenant" "url=$1://$2:$RECEIVER_PORT${3-/ok/x}" "secret=$secret"
    wants_webhooks "$user"
    trigger
}
last_error() { redis --raw hget "arda:delivery:$tenant:$(deliveries "$tenant" | head -n 1)" lastError; }
attempted() { [[ "$(redis --raw hget "arda:delivery:$tenant:$(deliveries "$tenant" | head -n 1)" attempts)" == *"$1"* ]]; }

# ---- authorities ----

@test "an authority of one's own is trusted, and only with the option" {
    receiver_of ours-localhost
    start_deliverer plain --retry-schedule 0,60s
    one_webhook https localhost
    wait_for attempted "unable to get local issuer certificate"
    stop plain
    start_deliverer trusting --retry-schedule 0,0.2 --webhook-ca "$files/ours.ca"
    arda-deliveries redrive "$(deliveries "$tenant")"
    wait_for ended "$tenant" delivered 1
}

@test "the receiver's name is checked, and no other authority is trusted" {
    receiver_of ours-elsewhere
    start_deliverer trusting --retry-schedule 0,0.1 --webhook-ca "$files/ours.ca"
    one_webhook https localhost
    wait_for ended "$tenant" failed 1
    [[ "$(last_error)" == *"no alternative certificate subject name matches target host name 'localhost'"* ]]
    stop receiver
    tenant=$(uuid)
    load_users "$tenant" "$user"
    receiver_of theirs-localhost
    one_webhook https localhost
    wait_for ended "$tenant" failed 1
    [[ "$(last_error)" == *"unable to get local issuer certificate"* ]]
    run ! grep -q '"method"' "$RUN_DIR/receiver.out"
}

@test "a file that cannot be used ends the daemon at the start" {
    run -78 arda-notifyd --webhook-ca "$RUN_DIR/none"
    [[ $output == *"--webhook-ca: $RUN_DIR/none: "* ]]
    echo nothing >"$RUN_DIR/empty"
    run -78 arda-notifyd --webhook-ca "$RUN_DIR/empty"
    [[ $output == *"--webhook-ca: $RUN_DIR/empty: there is no certificate in PEM in it"* ]]
    sed 's/^M.*/MIIBroken/' "$files/ours.ca" >"$RUN_DIR/broken"
    run -78 arda-notifyd --webhook-ca "$RUN_DIR/broken"
    [[ $output == *"--webhook-ca: $RUN_DIR/broken: a certificate in it is malformed"* ]]
}

@test "SIGHUP reads it again; what cannot be used leaves it as it was" {
    cp "$files/theirs.ca" "$RUN_DIR/ca"
    receiver_of ours-localhost
    start_deliverer trusting --retry-schedule 0,60s --webhook-ca "$RUN_DIR/ca"
    one_webhook https localhost
    wait_for attempted "unable to get local issuer certificate"
    echo nothing >"$RUN_DIR/ca"
    kill -HUP "$(pid_of trusting)"
    wait_for err_has trusting "--webhook-ca: $RUN_DIR/ca: there is no certificate in PEM in it; it stays as it was"
    cat "$files/ours.ca" "$files/theirs.ca" >"$RUN_DIR/ca"
    kill -HUP "$(pid_of trusting)"
    read_twice() { [ "$(grep -c "reading the directory again" "$RUN_DIR/trusting.err")" = 2 ]; }
    wait_for read_twice
    arda-deliveries redrive "$(deliveries "$tenant")"
    wait_for ended "$tenant" delivered 1
    [ "$(metric 'arda_notifyd_webhook_attempts_total{outcome="done"}')" = 1 ]
}

# ---- a proxy ----

start_proxy() {
    start proxy node "$top_srcdir/tests/lib/proxy.js" "$@"
    wait_for lines_of proxy 1
    PROXY_PORT=$(head -n 1 "$RUN_DIR/proxy.out" | sed 's/[^0-9]//g')
}
connects() { out proxy | jq -r 'select(.connect).connect' | sort -u | paste -sd' '; }

@test "through a proxy, to the address that was looked at, over http and https alike" {
    local scheme
    start_proxy user:s3cret
    export no_proxy='*' NO_PROXY='*'
    start_deliverer trusting --webhook-ca "$files/ours.ca" \
        --webhook-proxy "http://user:s3cret@127.0.0.1:$PROXY_PORT"
    receiver_of ours-localhost
    one_webhook https localhost
    wait_for ended "$tenant" delivered 1
    [ "$(connects)" = "127.0.0.1:$RECEIVER_PORT" ]
    [ "$(requests /ok/x | jq -r .headers.host)" = "localhost:$RECEIVER_PORT" ]
    stop receiver
    tenant=$(uuid)
    load_users "$tenant" "$user"
    start_receiver
    one_webhook http localhost /ok/y
    wait_for ended "$tenant" delivered 1
    [[ " $(connects) " == *" 127.0.0.1:$RECEIVER_PORT "* ]]
    requests /ok/y | node "$top_srcdir/tests/lib/receiver.js" verify "$secret"
    # What is for the receiver is not for the proxy, and the other way round.
    run ! out_has proxy webhook-signature
    run ! grep -q proxy-authorization "$RUN_DIR/receiver.out"
    run ! out_has proxy plain
    run ! err_has trusting s3cret
}

@test "addresses of inner networks stay refused under a proxy, which is not asked" {
    local url
    start_proxy
    start_receiver
    start_notifyd guarded --webhook-proxy "http://127.0.0.1:$PROXY_PORT"
    for url in "http://localhost:$RECEIVER_PORT/|localhost" "http://127.1:$RECEIVER_PORT/|127.1" \
        "https://[::ffff:10.1.2.3]/|::ffff:10.1.2.3" "http://169.254.169.254/|169.254.169.254"; do
        tenant=$(uuid)
        redis hset "arda:webhook:$tenant" url "${url%|*}" secret "$secret" enabled 1 >/dev/null
        put_delivery "$(uuid)" 1
        wait_for ended "$tenant" failed 1
        [[ "$(last_error)" == "not sent to ${url#*|}: it is a "* ]]
    done
    [ "$(connects)" = "" ]
    [ "$(grep -c connected "$RUN_DIR/receiver.out")" = 0 ]
}

@test "what fails on the way through a proxy is tried again, with the reason" {
    start_proxy other:one
    start_receiver
    start_deliverer asking --retry-schedule 0,60s --webhook-proxy "http://user:s3cret@127.0.0.1:$PROXY_PORT"
    one_webhook http 127.0.0.1
    wait_for attempted "407"
    stop proxy
    stop asking
    tenant=$(uuid)
    load_users "$tenant" "$user"
    start_deliverer lost --retry-schedule 0,60s --webhook-proxy "http://127.0.0.1:$PROXY_PORT"
    one_webhook http 127.0.0.1
    wait_for attempted "ailed to connect to 127.0.0.1 port $PROXY_PORT"
    tenant=$(uuid)
    load_users "$tenant" "$user"
    one_webhook http nobody.invalid
    wait_for attempted "Could not resolve host: nobody.invalid"
    ended "$tenant" pending 1
    run ! err_has asking s3cret
}

@test "a proxy that makes no sense is refused at the start" {
    local url
    for url in 127.0.0.1:3128 socks5://127.0.0.1:1 http://127.0.0.1 http://:3128 http://127.0.0.1:1/x \
        'http://127.0.0.1:1#x' 'http://127.0.0.1:1/#x'; do
        run -78 arda-notifyd --webhook-proxy "$url"
        [[ $output == *"--webhook-proxy: expected http://HOST:PORT, perhaps with USER:PASS@ before HOST"* ]]
    done
    run -78 arda-notifyd --webhook-proxy "http://user:s3cret@127.0.0.1"
    [[ $output != *s3cret* ]]
    for url in 'http://user:s3c/ret@127.0.0.1:1' 'http://user:7/ret@127.0.0.1:1' 'http://user:s3c#ret@127.0.0.1:1'; do
        run -78 arda-notifyd --webhook-proxy "$url"
        [[ $output == *"in a user or a password, @ : / ? # % are written as"* && $output != *ret@* ]]
    done
}
