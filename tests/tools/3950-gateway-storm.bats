#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: clients that do everything at random, events meanwhile (tests/storm). It neither dies
# nor keeps anything, nobody receives what is not his, and who comes afterwards is served. STORM_SECONDS
# for a long run of each; TEST_SEED repeats one.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    need_node
    export ARDA_RELAY_SECRET=what-the-gateways-know-each-other-by
    # What was freed must not look like memory that is kept.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8
    for tenant in storm-a storm-b storm-c; do
        printf '{"kind":"loop","tenantId":"%s","loopId":"known"}\n' "$tenant"
    done | arda-directory load -q
    gateways=() tls=0
}
teardown() { stop_all; }

# one NAME [OPTION]...: a gateway with short times and small queues.
one() {
    local name=$1
    shift
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example:5173 start "$name" arda-gateway \
        --listen 127.0.0.1:0 --admin 127.0.0.1:0 --ping-interval 500ms --ping-timeout 500ms \
        --connect-timeout 700ms --upgrade-timeout 300ms --idle-timeout 1s --header-timeout 500ms \
        --request-timeout 700ms --max-queue-age 300ms --max-payload 64k "$@"
    wait_for listening_or_gone "$name"
    gateways+=("$(port "$name" 'listening on'),$(pid_of "$name"),$(port "$name" 'admin on'),$(port "$name" 'relay on'),$tls")
}
port() {
    local found
    found=$(sed -n "s/.*$2 [^ ]*:\([0-9]*\).*/\1/p" "$RUN_DIR/$1.err")
    echo "${found:-0}"
}

# How much memory may be left after the second part of a storm; the thread sanitizer's own is no measure.
growth() {
    if grep -q __tsan_init "$(command -v arda-gateway)"; then echo 4000000000; else echo 32000000; fi
}

# storm [WANT]...: beside what any storm brings about, these have to happen.
storm() {
    local wants="disconnects.slow_consumer disconnects.protocol_error disconnects.transport_close auth_failures.invalid $*"
    run --separate-stderr env STORM_GROWTH="$(growth)" STORM_WANTS="$wants" \
        node "$top_srcdir/tests/storm/main.js" "${STORM_SECONDS:-6}" "${gateways[@]}"
    # shellcheck disable=SC2154
    echo "$stderr" && echo "$output ($status)"
    [ "$status" = 0 ] || show_logs
    [ "$status" = 0 ]
    [ -z "${STORM_SECONDS:-}" ] || echo "# $output" >&3
    jq -e '.connected > 0' <<<"$output"
}

# after NAME...: each gateway serves a well-behaved client, and ends in order.
after() {
    local name scheme=http
    [ "$tls" = 0 ] || scheme=https
    for name in "$@"; do
        tenant=$(uuid)
        GATEWAY_URL=$scheme://127.0.0.1:$(port "$name" 'listening on')
        client "fresh-$name" "$tenant" --upgrade
        card "$tenant" | arda-publish
        wait_for got "fresh-$name" 1
        stop "fresh-$name"
    done
    for name in "$@"; do end "$name"; done
}
end() {
    stop "$1"
    [ "$status" = 0 ] || show_logs
    [ "$status" = 0 ]
    ! grep -E 'Sanitizer|runtime error' "$RUN_DIR/$1.err"
}

@test "one worker, nothing but the smallest queue" {
    one gateway --max-queue 4096
    storm
    after gateway
}

@test "several workers, compression, revocation, expiry, every bound" {
    one gateway --workers 3 --compression on --revocation --token-expiry disconnect --jwt-leeway 0 \
        --max-queue 8192 --max-events 200 --max-events-burst 300 --max-per-user 2 --max-connections 60 \
        --max-joining 10
    storm cuts.revoked cuts.expired disconnects.event_rate disconnects.limit refusals.joining
    after gateway
}

@test "two gateways, and each request to either" {
    one first --workers 2 --compression on --revocation --advertise 127.0.0.1:0 --max-queue 8192
    one second --token-expiry disconnect --advertise 127.0.0.1:0 --max-queue 16384
    storm relay_requests.in relay_requests.out
    after first second
}

@test "over TLS, with workers" {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$RUN_DIR/key.pem" -out "$RUN_DIR/cert.pem" \
        -subj /CN=storm -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
    export NODE_EXTRA_CA_CERTS=$RUN_DIR/cert.pem
    tls=1
    one gateway --workers 2 --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem" --revocation --max-queue 8192
    storm refusals.tls
    after gateway
}

has_sessions() {
    [ "$(curl -sS "http://127.0.0.1:$(port "$1" 'admin on')/metrics" | sed -n 's/^arda_gateway_sessions \([0-9]*\)$/\1/p')" -ge "$2" ]
}

@test "ended in the middle of one" {
    local round
    for round in 1 2 3; do
        gateways=()
        one first --workers 3 --compression on --advertise 127.0.0.1:0 --drain 300ms
        one second --workers 2 --revocation --advertise 127.0.0.1:0 --drain 300ms
        start clients node "$top_srcdir/tests/storm/main.js" 600 "${gateways[@]}"
        wait_for has_sessions first "$((8 + round))"
        end first
        end second
        stop clients KILL
    done
}
