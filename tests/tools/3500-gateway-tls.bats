#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: https and wss, with certificates of an authority of the file's own.

load ../lib/common.bash

setup_file() {
    start_redis
    cd "$BATS_FILE_TMPDIR" || return
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Tests -days 2 2>req.err
    certify first
    certify second
    certify edwards -newkey ed25519
}
teardown_file() { stop_all; }
setup() {
    need_node
    tenant=$(uuid)
    files=$BATS_FILE_TMPDIR
    ca=$files/ca.pem
    cp "$files/first.pem" "$RUN_DIR/cert.pem"
    cp "$files/first.key" "$RUN_DIR/key.pem"
}
# A leak, or what else a sanitizer finds, is another status.
teardown() {
    status=0
    [ ! -f "$RUN_DIR/gateway.pid" ] || stop gateway
    stop_all
    [ "$status" = 0 ]
}

# certify NAME [OPTION]...: NAME.pem and NAME.key of the authority, for 127.0.0.1; an RSA key, or
# what the options say.
certify() {
    local name=$1
    shift
    [ $# -gt 0 ] || set -- -newkey rsa:2048
    openssl req "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" 2>req.err &&
        openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$name.pem" \
            -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost) 2>req.err
}

start_tls() {
    start_gateway --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem" "$@"
    wait_for err_has gateway "(https, wss)"
    address=${GATEWAY_URL#http://}
    GATEWAY_URL=https://$address
    polling="$GATEWAY_URL/socket.io/?EIO=4&transport=polling"
}

publish() { redis -x publish "arda:events:$tenant" >/dev/null; }
get() { curl -sS --cacert "$ca" "$@" "$polling"; }
s_client() { openssl s_client -connect "$address" -CAfile "$ca" -verify_return_error "$@"; }
# Of the certificate that new connections are shown.
subject() { s_client </dev/null 2>&1 | openssl x509 -noout -subject; }

# big COUNT BYTES: as many events as commands for redis-cli.
big() {
    awk -v channel="arda:events:$tenant" -v count="$1" -v bytes="$2" 'BEGIN {
        for (fill = "a"; length(fill) < bytes;) fill = fill fill
        for (n = 1; n <= count; n++)
            printf "publish %s '\''{\"type\":\"x\",\"n\":%d,\"s\":\"%s\"}'\''\n", channel, n, substr(fill, 1, bytes)
    }'
}

@test "socket.io-client over wss, polling and an upgrade; an event of 1.2 MB" {
    start_tls
    client ws "$tenant" --ca "$ca" --transports websocket
    client polling "$tenant" --ca "$ca" --transports polling
    client upgrade "$tenant" --ca "$ca" --upgrade
    wait_for out_has upgrade '{"transport":"websocket"}'
    { printf '{"type":"x","tenantId":"%s","s":"' "$tenant"; head -c 1200000 /dev/zero | tr '\0' 'a'; printf '"}'; } >"$RUN_DIR/big"
    publish <"$RUN_DIR/big"
    for name in ws polling upgrade; do
        wait_for got "$name" 1
        events "$name" | tr -d '\n' | cmp "$RUN_DIR/big" -
    done
}

@test "a large message of a client" {
    start_tls
    text=$(head -c 100000 /dev/zero | tr '\0' 'b')
    for transport in websocket polling; do
        start one node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --ca "$ca" --transports "$transport" \
            --token "$(token "$tenant" "$(uuid)")" --emit '["unknown","'"$text"'"]' --emit '["ping"]'
        wait_for out_has one '"event":"pong"'
        stop one
    done
}

@test "a client that does not know the authority does not connect" {
    start_tls
    run node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --no-reconnect --token "$(token "$tenant" "$(uuid)")" </dev/null
    [ "$status" = 1 ]
    [[ "$output" != *'"connect"'* ]]
}

@test "TLS 1.2 and 1.3, not 1.1; the key of each kind" {
    for kind in first edwards; do
        cp "$files/$kind.pem" "$RUN_DIR/cert.pem"
        cp "$files/$kind.key" "$RUN_DIR/key.pem"
        start_tls
        [[ "$(get -v --tls-max 1.2 2>&1)" == *"connection using TLSv1.2"*'"sid"'* ]]
        [[ "$(get -v --tlsv1.3 2>&1)" == *"connection using TLSv1.3"*'"sid"'* ]]
        # curl's own library would not even ask at its usual level.
        run get -v --tlsv1.1 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0
        [ "$status" = 35 ]
        [[ "$output" == *"TLS alert, protocol version"* ]]
        stop gateway
    done
}

@test "http/1.1 is chosen by ALPN; who offers other protocols alone is refused" {
    start_tls
    [[ "$(get -v 2>&1)" == *"ALPN: offers h2,http/1.1"*"ALPN: server accepted http/1.1"* ]]
    run s_client -alpn h2 </dev/null
    [ "$status" != 0 ]
    [[ "$output" == *"no application protocol"* ]]
    run s_client </dev/null
    [ "$status" = 0 ]
    [[ "$output" == *"No ALPN negotiated"* ]]
}

@test "the end is said by close_notify; a renegotiation is refused" {
    start_tls
    run s_client -quiet <<<$'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n'
    [[ "$output" == *"404 Not Found"* ]]
    [[ "$output" != *"unexpected eof"* ]]
    run s_client -tls1_2 < <(echo R)
    [[ "$output" == *RENEGOTIATING*"no renegotiation"* ]]
    get >"$RUN_DIR/after"
    grep -q '"sid"' "$RUN_DIR/after"
}

@test "plain HTTP where TLS is expected is answered with 400" {
    start_tls
    run curl -sS -i "http://$address/socket.io/?EIO=4&transport=polling"
    [ "$status" = 0 ]
    [[ "$output" == "HTTP/1.1 400 Bad Request"*"This port speaks HTTPS." ]]
    run curl -sS -X DELETE "http://$address/"
    [ "$status" != 0 ]
}

@test "the gateway's own pages are those of https" {
    start_tls
    [ "$(curl -sS --cacert "$ca" -o /dev/null -w '%{http_code}' -H "Origin: https://$address" "$polling")" = 200 ]
    [ "$(curl -sS --cacert "$ca" -o /dev/null -w '%{http_code}' -H "Origin: http://$address" "$polling")" = 403 ]
}

@test "slow readers get everything, in order, and the others do not wait for them" {
    start_tls --max-queue 64m
    client slow "$tenant" --ca "$ca" --transports websocket
    client lazy "$tenant" --ca "$ca" --transports polling
    client fast "$tenant" --ca "$ca"
    kill -STOP "$(pid_of slow)" "$(pid_of lazy)"
    # More than the kernel takes for a connection (net.ipv4.tcp_wmem and tcp_rmem).
    big 600 20000 | redis >/dev/null
    wait_for got fast 600
    kill -CONT "$(pid_of slow)" "$(pid_of lazy)"
    events fast >"$RUN_DIR/expected"
    [ "$(wc -c <"$RUN_DIR/expected")" -gt 12000000 ]
    for name in slow lazy; do
        wait_for got "$name" 600
        events "$name" | cmp "$RUN_DIR/expected" -
        run ! out_has "$name" '"disconnect"'
    done
}

@test "a burst of small events" {
    start_tls
    client ws "$tenant" --ca "$ca"
    client polling "$tenant" --ca "$ca" --transports polling
    big 5000 200 | redis >/dev/null
    for name in ws polling; do
        wait_for got "$name" 5000
        [ "$(events "$name" | jq -r .n | paste -sd' ')" = "$(seq -s' ' 5000)" ]
    done
}

@test "a slow reader past its bound is disconnected and comes back" {
    start_tls --max-queue 64k
    client slow "$tenant" --ca "$ca"
    client fast "$tenant" --ca "$ca"
    kill -STOP "$(pid_of slow)"
    for _ in $(seq 60); do
        big 10 20000 | redis >/dev/null
        sent=$((${sent:-0} + 10))
        wait_for got fast "$sent"
    done
    kill -CONT "$(pid_of slow)"
    wait_for out_has slow '"disconnect"'
    reconnected() { [ "$(grep -c '"connect"' "$RUN_DIR/slow.out")" = 2 ]; }
    wait_for reconnected
    run ! out_has fast '"disconnect"'
}

@test "SIGHUP: who connects sees the new certificate, who is there stays and gets events" {
    start_tls
    client old "$tenant" --ca "$ca"
    client older "$tenant" --ca "$ca" --transports polling
    [ "$(subject)" = "subject=CN = first" ]
    cp "$files/second.pem" "$RUN_DIR/cert.pem"
    cp "$files/second.key" "$RUN_DIR/key.pem"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the certificate was loaded again"
    [ "$(subject)" = "subject=CN = second" ]
    client new "$tenant" --ca "$ca"
    printf '{"type":"x"}' | publish
    for name in old older new; do
        wait_for got "$name" 1
        run ! out_has "$name" '"disconnect"'
    done
}

@test "SIGHUP: what is broken is logged, and the old certificate stays" {
    start_tls
    client one "$tenant" --ca "$ca"
    complaints() { [ "$(grep -c "the certificate was not loaded again: $1" "$RUN_DIR/gateway.err")" = 1 ]; }
    cp "$files/second.pem" "$RUN_DIR/cert.pem"
    kill -HUP "$(pid_of gateway)"
    wait_for complaints "$RUN_DIR/key.pem: not the key of the certificate in $RUN_DIR/cert.pem"
    echo nonsense >"$RUN_DIR/cert.pem"
    kill -HUP "$(pid_of gateway)"
    wait_for complaints "$RUN_DIR/cert.pem: not a certificate in PEM"
    rm "$RUN_DIR/cert.pem"
    kill -HUP "$(pid_of gateway)"
    wait_for complaints "$RUN_DIR/cert.pem: No such file or directory"
    [ "$(subject)" = "subject=CN = first" ]
    printf '{"type":"x"}' | publish
    wait_for got one 1
    run ! out_has one '"disconnect"'
}

@test "a session is resumed by its ticket, until the certificate is replaced" {
    start_tls
    for version in -tls1_2 -tls1_3; do
        s_client "$version" -sess_out "$RUN_DIR/session$version" -quiet <<<$'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >"$RUN_DIR/first$version" 2>&1
        [[ "$(s_client "$version" -sess_in "$RUN_DIR/session$version" </dev/null 2>&1)" == *"Reused, "* ]]
    done
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the certificate was loaded again"
    for version in -tls1_2 -tls1_3; do
        [[ "$(s_client "$version" -sess_in "$RUN_DIR/session$version" </dev/null 2>&1)" == *"New, "* ]]
    done
}

@test "files that cannot be used: exit 78 with the reason; one without the other: 64" {
    refuse() { # STATUS TEXT OPTION...
        local expected=$1 text=$2
        shift 2
        JWT_SECRET=$GATEWAY_SECRET run --separate-stderr arda-gateway --listen 127.0.0.1:0 "$@"
        [ "$status" = "$expected" ]
        # A variable for all the tests may be reported before.
        # shellcheck disable=SC2154
        [[ $'\n'"$stderr" == *$'\n'"arda-gateway: $text"* ]]
    }
    c=$RUN_DIR/cert.pem k=$RUN_DIR/key.pem
    refuse 64 "--tls-cert and --tls-key need each other" --tls-cert "$c"
    refuse 64 "--tls-cert and --tls-key need each other" --tls-key "$k"
    refuse 78 "/nonexistent/c: No such file or directory" --tls-cert /nonexistent/c --tls-key "$k"
    refuse 78 "/nonexistent/k: No such file or directory" --tls-cert "$c" --tls-key /nonexistent/k
    refuse 78 "$k: not a certificate in PEM" --tls-cert "$k" --tls-key "$k"
    refuse 78 "$c: not a private key in PEM" --tls-cert "$c" --tls-key "$c"
    refuse 78 "$files/second.key: not the key of the certificate in $c" --tls-cert "$c" --tls-key "$files/second.key"
    refuse 78 "$files/edwards.key: not the key of the certificate in $c" --tls-cert "$c" --tls-key "$files/edwards.key"
    openssl rsa -aes128 -passout pass:secret -in "$k" -out "$RUN_DIR/locked.key" 2>"$RUN_DIR/rsa.log"
    refuse 78 "$RUN_DIR/locked.key: not a private key in PEM without a passphrase" --tls-cert "$c" --tls-key "$RUN_DIR/locked.key"
    : >"$RUN_DIR/empty"
    refuse 78 "$RUN_DIR/empty: not a certificate in PEM" --tls-cert "$RUN_DIR/empty" --tls-key "$k"
    refuse 78 "$RUN_DIR: not a certificate in PEM" --tls-cert "$RUN_DIR" --tls-key "$k"
}

@test "garbage and handshakes that stop are closed; the others do not notice" {
    start_tls --header-timeout 3s
    client one "$tenant" --ca "$ca"
    start bad node "$top_srcdir/tests/lib/handshakes.js" "${address%:*}" "${address##*:}"
    printf '{"type":"x"}' | publish
    wait_for got one 1
    join bad
    [ "$status" = 0 ]
    [ "$(out bad | jq -r .name | sort | paste -sd' ')" = "garbage half silent twice unfinished zeros" ]
    # Those that wait run into the time limit for a request's head.
    [ "$(out bad | jq -r 'select(.ms >= 2900) | .name' | sort | paste -sd' ')" = "half silent unfinished" ]
    get >"$RUN_DIR/after"
    grep -q '"sid"' "$RUN_DIR/after"
    printf '{"type":"x"}' | publish
    wait_for got one 2
}

@test "--workers 2: requests of long-polling find their session" {
    start_tls --workers 2
    for n in 1 2 3 4 5 6; do client "c$n" "$tenant" --ca "$ca" --transports polling; done
    client up "$tenant" --ca "$ca" --upgrade
    for n in 1 2 3 4 5 6 7 8 9 10; do
        printf '{"type":"x","n":%s}' "$n" | publish
        for name in c1 c2 c3 c4 c5 c6 up; do wait_for got "$name" "$n"; done
    done
    for name in c1 c2 c3 c4 c5 c6 up; do
        [ "$(events "$name" | jq -r .n | paste -sd' ')" = "1 2 3 4 5 6 7 8 9 10" ]
        run ! out_has "$name" '"disconnect"'
    done
}

@test "at the end clients get what waits" {
    start_tls --workers 2
    client ws "$tenant" --ca "$ca" --no-reconnect
    client polling "$tenant" --ca "$ca" --transports polling --no-reconnect
    big 50 20000 | redis >/dev/null
    wait_for got polling 1
    stop gateway
    [ "$status" = 0 ]
    wait_for got ws 50
    wait_for out_has ws '"disconnect"'
    wait_for out_has polling '"disconnect"'
}
