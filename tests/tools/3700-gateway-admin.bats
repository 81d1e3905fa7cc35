#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway --admin: metrics, health, readiness.

load ../lib/common.bash

setup() {
    need_node
    tenant=$(uuid)
    start_redis
}
teardown() { stop_all; }

# start_admin [OPTION]...: a gateway whose pages are at ADMIN_URL.
start_admin() {
    start_gateway --admin 127.0.0.1:0 "$@"
    ADMIN_URL=http://$(sed -n 's/^arda-gateway: admin on \([^ ]*\)$/\1/p' "$RUN_DIR/gateway.err")
}

page() { # PATH [CURL OPTION]...
    local path=$1
    shift
    curl -sS --max-time 20 "$@" "$ADMIN_URL$path"
}
status_of() { page "$1" -o /dev/null -w '%{http_code}\n' "${@:2}"; }
openmetrics() { node "$top_srcdir/tests/lib/openmetrics.js"; }

# The value of a sample, named as it stands in the text.
metric() { page /metrics | awk -v name="$1 " 'index($0, name) == 1 { print $NF }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
metric_above() { [ "$(metric "$1")" -gt "$2" ]; }
dropped() { metric_is "arda_gateway_events_dropped_total{cause=\"$1\"}" "$2"; }
publish() { printf '%s' "$1" | redis -x publish "arda:events:$tenant" >/dev/null; }
ready_is() { [ "$(status_of /readyz)" = "$1" ]; }

# A client that is not let in.
refused() { node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --no-reconnect "$@" </dev/null | jq -e .error; }

# As a command of its own, since bats lets a failed `! command` pass.
refuses() { ! printf '%b' "$1" | openmetrics >/dev/null 2>&1; }

@test "the parser takes what OpenMetrics allows, and nothing else" {
    good='# TYPE a counter\n# UNIT a_b b\n'
    printf '# TYPE a_b counter\n# UNIT a_b b\n# HELP a_b x \\\\ \\" \\n\na_b_total{l="\\\\\\"\\n",m="}"} 1.5e3\n# EOF\n' | sed '/^$/d' | openmetrics
    printf '# TYPE a gauge\n# EOF\n' | openmetrics
    for text in "$good# EOF\n" '' '# EOF\n' '# TYPE a gauge\n' '# TYPE a gauge\n# EOF' '# TYPE a gauge\n# EOF\n\n' \
        'a 1\n# EOF\n' '# TYPE a gauge\na 1\na 2\n# EOF\n' '# TYPE a gauge\nb 1\n# EOF\n' \
        '# TYPE a gauge\n\na 1\n# EOF\n' '# TYPE a gauge\r\n# EOF\n' '# TYPE a gauge\n# TYPE a gauge\n# EOF\n' \
        '# TYPE a gauge\na 1\n# HELP a x\n# EOF\n' '# TYPE a gauge\n# TYPE b gauge\n# HELP a x\n# EOF\n' \
        '# HELP a x\n# EOF\n' '# TYPE a gauge\n# HELP a "\n# EOF\n' '# TYPE a gauge\n# HELP a \\x\n# EOF\n' \
        '# TYPE a counter\na 1\n# EOF\n' '# TYPE a_total counter\na_total 1\n# EOF\n' '# TYPE a counter\na_total -1\n# EOF\n' \
        '# TYPE a info\na_info 2\n# EOF\n' '# TYPE a gauge\na  1\n# EOF\n' '# TYPE a gauge\na x\n# EOF\n' \
        '# TYPE a gauge\na{} 1\n# EOF\n' '# TYPE a gauge\na{l="x",} 1\n# EOF\n' '# TYPE a gauge\na{l="x",l="y"} 1\n# EOF\n' \
        '# TYPE a gauge\na{l="\\x"} 1\n# EOF\n' '# TYPE a gauge\na{l=x} 1\n# EOF\n' '# TYPE a gauge\n# UNIT a s\n# EOF\n' \
        '# TYPE a gauge\na 1 \n# EOF\n' '# x\n# EOF\n' '# TYPE a gauge\na{l="\xff"} 1\n# EOF\n'; do
        refuses "$text" || { echo "accepted: $text"; false; }
    done
}

@test "metrics are those of the manual, in both formats" {
    start_admin --workers 2
    wait_for ready_is 200
    page /metrics -D "$RUN_DIR/head" >"$RUN_DIR/text"
    grep -qi $'^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r$' "$RUN_DIR/head"
    openmetrics <"$RUN_DIR/text" >"$RUN_DIR/parsed"
    jq -r '.[] | "\(.name)\t\(.type)\t\(.samples[0].labels | keys[0] // "-")\t\(.help)"' "$RUN_DIR/parsed" >"$RUN_DIR/of-program"
    awk '
        function flush() { if (name) print name "\t" type "\t" label "\t" help; name = "" }
        /^\.Sh/ { flush(); inside = $2 == "METRICS"; next }
        /^\.(It|El)/ { flush() }
        inside && /^\.It Sy/ {
            name = $3; type = $5; label = $7 == "" ? "-" : $7; help = ""
            gsub(/[(),]/, "", type); gsub(/[()]/, "", label)
            next
        }
        name { help = help (help == "" ? "" : " ") $0 }' "$top_srcdir/man/arda-gateway.1" >"$RUN_DIR/of-page"
    [ "$(wc -l <"$RUN_DIR/of-program")" -gt 20 ]
    diff "$RUN_DIR/of-program" "$RUN_DIR/of-page"
    jq -e 'all(.[]; .samples | length > 0)' "$RUN_DIR/parsed"
    # The older format: the same samples, the names of counters in full, no units, no end.
    page /metrics -H 'Accept: text/plain' -D "$RUN_DIR/head" >"$RUN_DIR/older"
    grep -qi $'^content-type: text/plain; version=0.0.4; charset=utf-8\r$' "$RUN_DIR/head"
    [ "$(grep -v '^#' "$RUN_DIR/older" | sed 's/ .*//')" = "$(grep -v '^#' "$RUN_DIR/text" | sed 's/ .*//')" ]
    grep -qx '# TYPE arda_gateway_sessions_opened_total counter' "$RUN_DIR/older"
    [ "$(grep -c '^# \(UNIT\|EOF\)' "$RUN_DIR/older" || true)" = 0 ]
    # What scrapers send.
    page /metrics -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' | openmetrics >/dev/null
    page /metrics -H 'Accept:' | openmetrics >/dev/null
    [ "$(page /metrics -H 'Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1' | grep -c EOF || true)" = 0 ]
    # What needs no client.
    metric_is 'arda_gateway_workers' 2
    metric_is 'arda_gateway_stuck_workers' 0
    metric_is "arda_gateway_build_info{version=\"$(arda-gateway --version | sed 's/.* //')\"}" 1
    metric_above process_resident_memory_bytes 1000000
    metric_above process_open_fds 5
    metric_above process_max_fds "$(metric process_open_fds)"
    jq -e --argjson now "$(date +%s)" '.[] | select(.name == "process_start_time_seconds").samples[0].value | . <= $now + 1 and . > $now - 60' "$RUN_DIR/parsed"
}

@test "clients that come, go and are refused are counted" {
    start_admin --workers 2
    client one "$tenant"
    client two "$tenant" --transports polling
    client three "$(uuid)"
    metric_is arda_gateway_sessions 3
    metric_is arda_gateway_sessions_opened_total 3
    metric_above arda_gateway_connections 2
    metric_is arda_gateway_tenants 2
    metric_is arda_gateway_subscribed_channels 2
    kill -KILL "$(pid_of three)"
    wait_for metric_is 'arda_gateway_disconnects_total{reason="transport_close"}' 1
    wait_for metric_is arda_gateway_tenants 1
    wait_for metric_is arda_gateway_subscribed_channels 1
    stop one
    stop two
    wait_for metric_is arda_gateway_sessions 0
    wait_for metric_is arda_gateway_connections 0
    metric_is arda_gateway_sessions_opened_total 3
    [ "$(page /metrics | awk '/^arda_gateway_disconnects_total/ { sum += $NF } END { print sum }')" = 3 ]

    refused
    metric_is 'arda_gateway_auth_failures_total{kind="missing"}' 1
    metric_is 'arda_gateway_auth_failures_total{kind="invalid"}' 0
    refused --token a.b.c
    metric_is 'arda_gateway_auth_failures_total{kind="missing"}' 1
    metric_is 'arda_gateway_auth_failures_total{kind="invalid"}' 1
    metric_is arda_gateway_request_errors_total 0
    curl -s "$GATEWAY_URL/socket.io/?EIO=3&transport=polling" | grep -q 'Unsupported protocol version'
    curl -s "$GATEWAY_URL/nowhere"
    metric_is arda_gateway_request_errors_total 2
    curl -s "$GATEWAY_URL/" -H "X: $(head -c 20000 /dev/zero | tr '\0' x)"
    metric_is 'arda_gateway_refusals_total{cause="head"}' 1
    metric_is arda_gateway_request_errors_total 3
    [ "$(status_of /nowhere)" = 404 ] # requests to these pages do not count
    [ "$(status_of / -H "X: $(head -c 20000 /dev/zero | tr '\0' x)")" = 431 ]
    metric_is 'arda_gateway_refusals_total{cause="head"}' 1
    metric_is arda_gateway_request_errors_total 3
}

@test "events are counted, and those that are dropped by cause" {
    start_admin --max-event 1k
    client one "$tenant"
    card "$tenant" >"$RUN_DIR/card"
    publish "$(cat "$RUN_DIR/card")"
    wait_for metric_is arda_gateway_events_forwarded_total 1
    publish 'x'
    publish '[]'
    publish '{}'
    publish '{"type":"a","tenantId":"other"}'
    publish '{"type":"connected"}'
    publish '{"type":"security.alert"}'
    publish '{"type":"notification.created"}'
    publish '{"type":"a","eventId":"1"}'
    publish '{"type":"a","eventId":"1"}'
    publish '{"type":"big","s":"'"$(head -c 1100 /dev/zero | tr '\0' x)"'"}'
    publish '{"type":"last"}'
    wait_for metric_is arda_gateway_events_forwarded_total 3
    metric_is arda_gateway_events_received_total 12
    for cause in not_json not_object no_type foreign_tenant duplicate reserved security no_user too_big; do
        dropped "$cause" 1
    done
    dropped out_of_memory 0
    wait_for got one 3
}

@test "with --stdin events are counted as well, there is no Redis, and the gateway is ready" {
    mkfifo "$RUN_DIR/in"
    STDIN=$RUN_DIR/in start gateway env JWT_SECRET="$GATEWAY_SECRET" arda-gateway --stdin --listen 127.0.0.1:0 --admin 127.0.0.1:0
    exec 9>"$RUN_DIR/in"
    wait_for err_has gateway "listening on"
    ADMIN_URL=http://$(sed -n 's/^arda-gateway: admin on //p' "$RUN_DIR/gateway.err")
    stop redis
    printf 'nonsense\n{"type":"a","tenantId":"%s"}\n' "$tenant" >&9
    wait_for metric_is arda_gateway_events_received_total 2
    dropped not_json 1
    [ "$(page /metrics | grep -c '^arda_gateway_redis' || true)" = 0 ]
    page /metrics | openmetrics >/dev/null
    [ "$(page /readyz)" = '{"ready":true}' ]
    exec 9>&-
}

@test "a bound on connections does not keep the operator out" {
    start_admin --max-connections 1
    client one "$tenant"
    run curl -sS --max-time 20 "$GATEWAY_URL/"
    [ "$status" != 0 ]
    metric_is 'arda_gateway_refusals_total{cause="connections"}' 1
    metric_is arda_gateway_connections 1
}

@test "what waits for a slow client is counted" {
    start_admin --workers 2 --max-queue 200m
    client one "$tenant"
    client two "$tenant"
    metric_is arda_gateway_queue_bytes 0
    kill -STOP "$(pid_of one)"
    payload=$(head -c 100000 /dev/zero | tr '\0' x)
    sent=0
    # As much as the kernel takes for it, and then more.
    while metric_is arda_gateway_queue_bytes 0; do
        publish "{\"type\":\"a\",\"payload\":\"$payload\"}"
        sent=$((sent + 1))
        [ "$sent" -lt 1000 ]
    done
    publish "{\"type\":\"a\",\"payload\":\"$payload\"}"
    wait_for got two $((sent + 1))
    metric_above arda_gateway_queue_bytes 99999
    metric_is arda_gateway_largest_queue_bytes "$(metric arda_gateway_queue_bytes)"
    kill -CONT "$(pid_of one)"
    wait_for metric_is arda_gateway_queue_bytes 0
    metric_is arda_gateway_largest_queue_bytes 0
    wait_for got one $((sent + 1))
}

@test "not ready while Redis is away, but healthy" {
    start_admin
    wait_for ready_is 200
    [ "$(page /readyz)" = '{"ready":true}' ]
    [ "$(metric arda_gateway_redis_up)" = 1 ]
    stop redis KILL
    wait_for ready_is 503
    jq -e --arg redis "redis 127.0.0.1:$REDIS_PORT: " \
        '.ready == false and (.reason | startswith($redis)) and length == 2' <<<"$(page /readyz)"
    [ "$(status_of /healthz)" = 200 ]
    [ "$(page /healthz)" = '{"healthy":true}' ]
    [ "$(metric arda_gateway_redis_up)" = 0 ]
    launch_redis
    wait_for ready_is 200
    metric_is arda_gateway_redis_up 1
    metric_above arda_gateway_redis_reconnects_total 0
    stop gateway
    stop redis
    start_admin
    wait_for err_has gateway 'Connection refused'
    [ "$(page /readyz)" = '{"ready":false,"reason":"redis 127.0.0.1:'"$REDIS_PORT"': Connection refused"}' ]
}

@test "not ready while it stops, until its clients have gone" {
    for workers in 1 2; do
        start_admin --workers "$workers" --drain 30s
        wait_for ready_is 200
        client one "$tenant"
        kill -STOP "$(pid_of one)" # does not see that it is to go
        kill "$(pid_of gateway)"
        wait_for ready_is 503
        [ "$(page /readyz)" = '{"ready":false,"reason":"stopping"}' ]
        [ "$(status_of /healthz)" = 200 ]
        page /metrics | openmetrics >/dev/null
        [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/" || true)" = 000 ]
        kill -CONT "$(pid_of one)"
        join gateway
        [ "$status" = 0 ]
        stop one
    done
}

@test "a worker whose loop does not turn is noticed, named and forgiven" {
    command -v python3 >/dev/null || skip "no python3"
    start_admin --workers 2
    mkfifo "$RUN_DIR/hold"
    STDIN=$RUN_DIR/hold start hold python3 "$top_srcdir/tests/lib/hold-thread.py" "$(pid_of gateway)" "worker 1"
    exec 9>"$RUN_DIR/hold"
    wait_for held_or_gone
    if ! out_has hold held; then
        [ "$(id -u)" != 0 ] || skip "$(err hold)"
        return 0 # a daemon lets nobody of its user trace it
    fi
    [ "$(status_of /healthz)" = 503 ]
    [ "$(page /healthz)" = '{"healthy":false,"reason":"worker 1 does not answer"}' ]
    metric_is arda_gateway_stuck_workers 1
    ready_is 503 || ready_is 200 # answers
    exec 9>&-
    wait_for healthy
    [ "$(page /healthz)" = '{"healthy":true}' ]
    metric_is arda_gateway_stuck_workers 0
}
held_or_gone() { out_has hold held || is_gone "$(pid_of hold)"; }
healthy() { [ "$(status_of /healthz)" = 200 ]; }

@test "HEAD has no body; other paths are 404, other methods 405" {
    start_admin
    for path in /metrics /healthz; do
        page "$path" -I >"$RUN_DIR/head"
        head -n 1 "$RUN_DIR/head" | grep -q '^HTTP/1.1 200 OK'
        grep -qi '^content-length: [1-9]' "$RUN_DIR/head"
        [ "$(status_of "$path?x=y")" = 200 ]
        for method in POST PUT DELETE OPTIONS; do
            [ "$(status_of "$path" -X "$method")" = 405 ]
        done
        page "$path" -i -X POST -d body | grep -qi $'^allow: GET, HEAD\r$'
        [ "$(status_of "$path" -X GET -d body)" = 413 ]
    done
    page /healthz -i | grep -qi $'^cache-control: no-store\r$'
    for path in / /metrics/ /healthz/x /favicon.ico '/socket.io/?EIO=4&transport=polling' /socket.io/; do
        [ "$(status_of "$path")" = 404 ]
        [ "$(status_of "$path" -X POST)" = 404 ]
    done
    [ "$(status_of / -H "X: $(head -c 20000 /dev/zero | tr '\0' x)")" = 431 ]
    # A WebSocket is none here either.
    [ "$(status_of '/socket.io/?EIO=4&transport=websocket' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')" = 404 ]
    for path in /metrics /healthz /readyz; do
        [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL$path")" = 404 ]
    done
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY_URL/socket.io/?EIO=4&transport=polling")" = 200 ]
}

@test "off by default; an address that is bad or in use ends the gateway as --listen does" {
    start_gateway
    [ "$(grep -c 'admin on' "$RUN_DIR/gateway.err" || true)" = 0 ]
    taken=${GATEWAY_URL#http://}
    run env JWT_SECRET="$GATEWAY_SECRET" arda-gateway --listen 127.0.0.1:0 --admin "$taken"
    [ "$status" = 69 ]
    [[ $output == *"--admin: cannot listen on $taken: Address already in use"* ]]
    run env JWT_SECRET="$GATEWAY_SECRET" arda-gateway --listen 127.0.0.1:0 --admin nonsense
    [ "$status" = 64 ]
    [[ $output == *"--admin: "*nonsense* ]]
    stop gateway
    ARDA_GATEWAY_ADMIN=127.0.0.1:0 start_gateway
    ADMIN_URL=http://$(sed -n 's/^arda-gateway: admin on //p' "$RUN_DIR/gateway.err")
    [ "$(status_of /healthz)" = 200 ]
}

host_is() { [ "$(status_of "$3" -H "Host: $2")" = "$1" ]; }

@test "on a loopback address a page of a foreign site, whose name leads there, reads nothing" {
    start_admin
    for path in /metrics /healthz /readyz /; do
        host_is 403 evil.example "$path"
        [ "$(page "$path" -H 'Host: evil.example:9100')" = "Not served under this host name." ]
    done
    wait_for err_has gateway "on a loopback address it is not served as evil.example"
    [ "$(status_of /metrics -X POST -d x -H 'Host: evil.example')" = 403 ]
    for host in 127.0.0.1 localhost:9100 '[::1]:1' gateway-1 10.0.0.1 x.localhost ''; do host_is 200 "$host" /metrics; done
    stop gateway
    start_admin --admin-host metrics.example.com --admin-host=other.example
    for host in metrics.example.com:9100 Other.Example localhost; do host_is 200 "$host" /metrics; done
    host_is 403 evil.example /metrics
}

@test "on all addresses a scraper may use any name" {
    start_gateway --admin :0
    ADMIN_URL=http://127.0.0.1:$(sed -n 's/^arda-gateway: admin on .*:\([0-9]*\)$/\1/p' "$RUN_DIR/gateway.err")
    host_is 200 gateway.internal.example:9100 /metrics
}
