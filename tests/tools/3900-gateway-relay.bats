#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: three of them behind HAProxy, which gives each request to the next one.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    command -v haproxy >/dev/null || PATH=$PATH:/usr/sbin
    command -v haproxy >/dev/null || skip "haproxy is not installed"
    export ARDA_RELAY_SECRET=what-the-three-gateways-know-each-other-by
    tenant=$(uuid)
    redis flushall
}
teardown() { stop_all; }

# start_one NAME [OPTION]...: a gateway that is known to the others when this returns.
start_one() {
    local name=$1
    shift
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example:5173 \
        start "$name" arda-gateway --listen 127.0.0.1:0 --advertise 127.0.0.1:0 -v "$@"
    wait_for err_has "$name" "listening on"
    wait_for err_has "$name" "relay: gateway "
}

url_of() { echo "http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/$1.err")"; }
id_of() { sed -n 's/.*relay: gateway \([0-9]*\) at .*/\1/p' "$RUN_DIR/$1.err"; }

start_three() {
    start_one one "$@"
    start_one two "$@"
    start_one three "$@"
    start_proxy
}

# GATEWAY_URL names it. Connections to gateways are used again for other clients.
start_proxy() {
    local port name
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((RANDOM % 20000 + 12000))
        {
            printf 'global\n maxconn 2000\ndefaults\n mode http\n balance roundrobin\n'
            printf ' timeout connect 5s\n timeout client 60s\n timeout server 60s\n'
            printf ' timeout tunnel 60s\n retries 3\n option redispatch 1\n http-reuse always\n'
            printf 'listen all\n bind 127.0.0.1:%s\n' "$port"
            for name in one two three; do
                printf ' server %s %s\n' "$name" "$(url_of "$name" | cut -d/ -f3)"
            done
        } >"$RUN_DIR/haproxy.cfg"
        start haproxy haproxy -db -f "$RUN_DIR/haproxy.cfg"
        export GATEWAY_URL=http://127.0.0.1:$port
        wait_for proxy_answers_or_gone
        ! is_there "$(pid_of haproxy)" || return 0
    done
    return 1
}
proxy_answers_or_gone() {
    is_gone "$(pid_of haproxy)" || [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/nothing")" = 404 ]
}

metric_is() { # GATEWAY NAME VALUE
    [ "$(curl -sS "http://$(sed -n 's/.*admin on //p' "$RUN_DIR/$1.err")/metrics" |
        awk -v name="arda_gateway_$2 " 'index($0, name) == 1 { print $NF }')" = "$3" ]
}

poll_at() { curl -sS --max-time 30 "$1/socket.io/?EIO=4&transport=polling&sid=$2"; }
post_at() { curl -sS --max-time 30 --data-binary "${3:-@-}" "$1/socket.io/?EIO=4&transport=polling&sid=$2"; }

# open_at URL: `sid` is that of a session that has been told `connected`.
open_at() {
    sid=$(curl -sS "$1/socket.io/?EIO=4&transport=polling" | sed -n 's/^0{"sid":"\([^"]*\)".*/\1/p')
    [ -n "$sid" ]
    post_at "$1" "$sid" "40{\"token\":\"$(token "$tenant" ann)\"}" | grep -qx ok
    poll_at "$1" "$sid" | grep -q '"connected"'
}

unknown='{"code":1,"message":"Session ID unknown"}'

many_clients() {
    start_three --ping-interval=1s "$@"
    run node "$top_srcdir/tests/lib/tenants.js" "$GATEWAY_URL" 5 8 100 3
    echo "$output"
    [ "$status" = 0 ]
    for name in one two three; do err_has "$name" "link to stands"; done
    end_gateways
}

# In order, with no complaint of a sanitizer; what they have told Redis is gone.
end_gateways() {
    for name in one two three; do
        [ -f "$RUN_DIR/$name.pid" ] || continue
        stop "$name"
        [ "$status" = 0 ]
    done
    [ -z "$(redis keys 'arda:gateway:*')" ]
    stop_all
}

@test "many clients of several tenants: every event once and in order" {
    need_node
    many_clients
}

@test "the same with two workers" {
    need_node
    many_clients --workers 2
}

@test "a session is reached through any gateway, and a request that was relayed ends its connection" {
    start_three --workers 2 --admin 127.0.0.1:0
    open_at "$(url_of one)"
    for name in two three one two; do
        post_at "$(url_of "$name")" "$sid" '42["ping"]' | grep -qx ok
        poll_at "$(url_of three)" "$sid" | grep -q '"pong"'
    done
    run curl -sS -o /dev/null -D- --data '3' -H 'Origin: http://app.example:5173' \
        "$(url_of two)/socket.io/?EIO=4&transport=polling&sid=$sid"
    [[ "$output" == *" 200 OK"*"Access-Control-Allow-Origin: http://app.example:5173"*"Connection: close"* ]]
    run curl -sS -H 'Origin: http://evil.example' "$(url_of two)/socket.io/?EIO=4&transport=polling&sid=$sid"
    [ "$output" = '{"code":4,"message":"Forbidden"}' ]
    wait_for metric_is one relay_streams 0
    metric_is one relay_links 2
    metric_is one 'relay_requests_total{direction="in"}' 8
    metric_is three 'relay_requests_total{direction="out"}' 5
    metric_is three 'relay_failures_total{cause="unreachable"}' 0
    end_gateways
}

@test "unknown sessions, and those of a gateway that has gone: code 1" {
    start_three
    for sid in AAAAAAAAAAAAAAAAAAAA abcdefghijklmnopqrst short 'a%2f'; do
        for name in one two three; do
            [ "$(poll_at "$(url_of "$name")" "$sid")" = "$unknown" ]
            [ "$(post_at "$(url_of "$name")" "$sid" 3)" = "$unknown" ]
        done
    done
    open_at "$(url_of one)"
    stop one
    [ "$status" = 0 ]
    [ "$(poll_at "$(url_of two)" "$sid")" = "$unknown" ]
    open_at "$(url_of two)"
    poll_at "$(url_of three)" "$sid" >/dev/null &
    wait_for err_has three "gateway $(id_of two): link to stands"
    kill -KILL "$(pid_of two)"
    wait $! || true
    [ "$(poll_at "$(url_of three)" "$sid")" = "$unknown" ]
    rm "$RUN_DIR/two.pid"
    redis del "arda:gateway:$(id_of two)"
    end_gateways
}

@test "a gateway is killed: its clients, and those that it served for others, go on" {
    need_node
    start_three --ping-interval 300ms --ping-timeout 300ms
    for n in 1 2 3 4 5 6; do
        options=(--upgrade)
        [ $((n % 2)) = 0 ] || options=(--transports polling)
        start "client$n" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" \
            --token "$(token "$tenant" "user$n")" "${options[@]}"
    done
    for n in 1 2 3 4 5 6; do wait_for out_has "client$n" '"event":"connected"'; done
    kill -KILL "$(pid_of two)"
    rm "$RUN_DIR/two.pid"
    for n in 1 2 3 4 5 6; do wait_for publish_until_got "client$n"; done
}

publish_until_got() {
    card "$tenant" | arda-publish
    got "$1" 1
}

@test "a large POST and a large answer go through" {
    start_three --ping-interval 1h
    open_at "$(url_of one)"
    {
        printf '42["ping","'
        head -c 999000 /dev/zero | tr '\0' x
        printf '"]'
    } | post_at "$(url_of two)" "$sid" | grep -qx ok
    poll_at "$(url_of three)" "$sid" | grep -q '"pong"'
    {
        printf '{"type":"big","tenantId":"%s","x":"' "$tenant"
        head -c 3000000 /dev/zero | tr '\0' y
        printf '"}'
    } >"$RUN_DIR/big"
    redis -x publish "arda:events:$tenant" <"$RUN_DIR/big"
    poll_at "$(url_of two)" "$sid" >"$RUN_DIR/answer"
    { printf '42["big",' && cat "$RUN_DIR/big" && printf ']'; } | cmp - "$RUN_DIR/answer"
    end_gateways
}

@test "over TLS: a gateway with a certificate passes on what it has deciphered" {
    need_node
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$RUN_DIR/key.pem" -out "$RUN_DIR/cert.pem" \
        -subj /CN=relay -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
    start_one one --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem" --ping-interval 1h
    start_one two --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem" --ping-interval 1h
    export CURL_CA_BUNDLE=$RUN_DIR/cert.pem NODE_EXTRA_CA_CERTS=$RUN_DIR/cert.pem
    one=$(url_of one | sed s/http/https/) two=$(url_of two | sed s/http/https/)
    open_at "$one"
    post_at "$two" "$sid" '42["ping"]' | grep -qx ok
    run curl -sS -H "Origin: $two" "$two/socket.io/?EIO=4&transport=polling&sid=$sid"
    [[ "$output" == *'"pong"'* ]]
    {
        printf '{"type":"big","tenantId":"%s","x":"' "$tenant"
        head -c 3000000 /dev/zero | tr '\0' y
        printf '"}'
    } >"$RUN_DIR/big"
    redis -x publish "arda:events:$tenant" <"$RUN_DIR/big"
    poll_at "$two" "$sid" >"$RUN_DIR/answer"
    { printf '42["big",' && cat "$RUN_DIR/big" && printf ']'; } | cmp - "$RUN_DIR/answer"
    end_gateways
}

@test "a client that reads slowly is noticed by the session's owner" {
    need_node
    start_three --max-queue=64k --ping-interval=1h
    open_at "$(url_of one)"
    start stalled node "$top_srcdir/tests/lib/relay.js" stall "$(url_of two)" "$sid"
    wait_for out_has stalled stalled
    local text published=0
    text=$(head -c 500000 /dev/zero | tr '\0' z)
    until err_has one "slow reader disconnected"; do
        redis -x publish "arda:events:$tenant" <<<"{\"type\":\"big\",\"tenantId\":\"$tenant\",\"x\":\"$text\"}"
        [ $((published += 1)) -lt 100 ]
    done
    kill "$(pid_of stalled)"
    end_gateways
}

pass_on() { # SECRET FROM TO
    node "$top_srcdir/tests/lib/relay.js" link \
        "$(sed -n 's/.*relay on //p' "$RUN_DIR/one.err")" "$2" "$3" "$1" \
        $'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n'
}

@test "without the secret nothing is taken from a link" {
    need_node
    start_one one
    run pass_on "$ARDA_RELAY_SECRET" 7 "$(id_of one)"
    [[ "$output" == '{"up":true}'*'HTTP/1.1 200 OK'*'pingInterval'* ]]
    run pass_on another-secret 7 "$(id_of one)"
    [ "$output" = $'{"up":false}\n{"answer":""}' ]
    err_has one "the other side does not know the secret"
    run pass_on "$ARDA_RELAY_SECRET" 7 "$(($(id_of one) ^ 1))"
    [ "$output" = $'{"up":false}\n{"answer":""}' ]
    run curl -sS --max-time 5 "http://$(sed -n 's/.*relay on //p' "$RUN_DIR/one.err")/metrics"
    [ "$status" != 0 ]
    end_gateways
}

@test "without the secret nothing is sent over a link" {
    need_node
    start_one one
    start_one two
    open_at "$(url_of two)"
    start impostor node "$top_srcdir/tests/lib/relay.js" impostor
    wait_for out_has impostor port
    redis set "arda:gateway:$(id_of two)" "127.0.0.1:$(out impostor | jq .port)"
    [ "$(poll_at "$(url_of one)" "$sid")" = "$unknown" ]
    wait_for out_has impostor received
    [ "$(out impostor | jq 'select(.received) | .received')" = 72 ]
    kill "$(pid_of impostor)"
    ARDA_RELAY_SECRET=a-secret-that-the-other-two-do-not-know start_one three
    open_at "$(url_of two)"
    [ "$(poll_at "$(url_of three)" "$sid")" = "$unknown" ]
    end_gateways
}

relay_of() { sed -n 's/.*relay on //p' "$RUN_DIR/$1.err"; }

silent_beside_gateways() { # N LOCAL...
    start_one one
    start_one two
    open_at "$(url_of two)"
    start silent node "$top_srcdir/tests/lib/relay.js" silent "$(relay_of two)" "$@"
    wait_for out_has silent '"silent":'
    post_at "$(url_of one)" "$sid" '42["ping"]' | grep -qx ok
    poll_at "$(url_of one)" "$sid" | grep -q '"pong"'
    err_has one "gateway $(id_of two): link to stands"
    wait_for out_has silent "\"closed\":$(($1 * ($# - 1)))"
    end_gateways
}

@test "silent strangers at a relay's port keep no gateway away, and are soon dropped" {
    need_node
    silent_beside_gateways 100 127.0.0.1
}

@test "nor do those of many addresses" {
    need_node
    silent_beside_gateways 2 127.0.{1,2,3,4,5,6,7,8,9,10}.{1,2,3,4,5,6,7,8,9,10}
}

commands() { # NAME: how often Redis has been told so
    redis info commandstats | sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p" | grep . || echo 0
}

@test "sessions of gateways that there are not cost Redis next to nothing" {
    start_one one --workers 2
    start_one two
    local from count=500 pids=() pid n
    for n in 1 2 3 4 5 6 7 8 9 10; do
        for _ in $(seq $((count / 10))); do
            printf 'url = "%s/socket.io/?EIO=4&transport=polling&sid=%s"\n' "$(url_of one)" \
                "$(head -c 15 /dev/urandom | base64 | tr '/+' '_-')"
        done >"$RUN_DIR/urls.$n"
    done
    redis config resetstat
    from=$SECONDS
    for n in 1 2 3 4 5 6 7 8 9 10; do
        curl -sS -K "$RUN_DIR/urls.$n" >"$RUN_DIR/answers.$n" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    [ "$(cat "$RUN_DIR"/answers.* | grep -oF "$unknown" | wc -l)" = "$count" ]
    # All that are asked for within 20 ms are asked of Redis at once.
    asked=$(($(commands get) + $(commands mget)))
    [ "$asked" -le $((50 * (SECONDS - from + 1) + 2)) ]
    # One that is not there is answered from memory.
    redis config resetstat
    from=$SECONDS
    for i in $(seq $count); do
        printf 'url = "%s/socket.io/?EIO=4&transport=polling&sid=%s"\noutput = /dev/null\n' "$(url_of one)" AAAAAAAAAAAAAAAAAAAA
    done >"$RUN_DIR/urls"
    curl -sS -K "$RUN_DIR/urls"
    [ "$(($(commands get) + $(commands mget)))" -le $((2 * (SECONDS - from + 1) + 1)) ]
    # And one that is there is found.
    open_at "$(url_of two)"
    post_at "$(url_of one)" "$sid" '42["ping"]' | grep -qx ok
    end_gateways
}

@test "Redis away at the start, and while it is away later" {
    JWT_SECRET=$GATEWAY_SECRET start one arda-gateway --listen 127.0.0.1:0 --advertise 127.0.0.1:0 \
        --redis "unix://$RUN_DIR/redis.sock" -v
    wait_for err_has one "trying again"
    wait_for err_has one "listening on"
    start own_redis redis-server --port 0 --unixsocket "$RUN_DIR/redis.sock" --save '' --dir "$RUN_DIR"
    wait_for err_has one "relay: gateway "
    key=arda:gateway:$(id_of one)
    [ "$(redis-cli -s "$RUN_DIR/redis.sock" get "$key")" = "$(sed -n 's/.*relay on //p' "$RUN_DIR/one.err")" ]
    stop own_redis KILL
    start own_redis redis-server --port 0 --unixsocket "$RUN_DIR/redis.sock" --save '' --dir "$RUN_DIR"
    wait_for has_key "$key"
    [ "$(redis-cli -s "$RUN_DIR/redis.sock" ttl "$key")" -gt 0 ]
    stop one
    [ "$status" = 0 ]
    run ! has_key "$key"
}
@test "a number that is taken is left to whom it belongs" {
    redis eval 'for i = 1, 65535 do
        if i % 64 ~= 0 then redis.call("set", "arda:gateway:" .. i, "other") end
    end' 0
    start_one one
    id=$(id_of one)
    [ $((id % 64)) = 0 ]
    [ "$(redis get "arda:gateway:$id")" = "$(sed -n 's/.*relay on //p' "$RUN_DIR/one.err")" ]
    [ "$(redis dbsize)" = $((65535 - 65535 / 64 + 1)) ]
    start_one two
    [ "$(id_of two)" != "$id" ]
    open_at "$(url_of two)"
    post_at "$(url_of one)" "$sid" '42["ping"]' | grep -qx ok
    redis flushall
    end_gateways
}

has_key() { [ "$(redis-cli -s "$RUN_DIR/redis.sock" exists "$1" 2>/dev/null)" = 1 ]; }

refuse() { # STATUS TEXT OPTION...
    local code=$1 text=$2
    shift 2
    JWT_SECRET=$GATEWAY_SECRET run -"$code" arda-gateway --listen 127.0.0.1:0 "$@"
    [[ "$output" == *"$text"* ]]
}

@test "options that do not go together, secrets that do not do" {
    refuse 64 "--advertise needs Redis" --advertise 127.0.0.1:0 --stdin
    refuse 64 "--advertise: expected HOST:PORT, got \`7000'" --advertise 7000
    refuse 64 "--advertise: " --advertise 127.0.0.1
    ARDA_RELAY_SECRET=short refuse 78 "has 5 bytes; it needs at least 32" --advertise 127.0.0.1:0
    unset ARDA_RELAY_SECRET
    refuse 78 "--advertise needs --relay-secret-file or ARDA_RELAY_SECRET" --advertise 127.0.0.1:0
    refuse 78 "cannot read /nonexistent/s: No such file" --advertise 127.0.0.1:0 --relay-secret-file /nonexistent/s
    head -c 5000 /dev/zero >"$RUN_DIR/long"
    refuse 78 "is longer than 4096 bytes" --advertise 127.0.0.1:0 --relay-secret-file "$RUN_DIR/long"
    uuid >"$RUN_DIR/secret"
    start_one one --relay-secret-file "$RUN_DIR/secret"
    refuse 69 "--advertise: cannot listen on 127.0.0.1:" --relay-secret-file "$RUN_DIR/secret" \
        --advertise "$(sed -n 's/.*relay on //p' "$RUN_DIR/one.err")"
}
