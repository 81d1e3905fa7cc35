#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway and Redis: subscriptions, absence, restart.

load ../lib/common.bash

setup() {
    need_node
    tenant=$(uuid)
    start_redis
}
teardown() { stop_all; }

@test "one subscription per tenant with a client, and none after the last has left, by whatever way" {
    start_gateway
    client one "$tenant"
    client two "$tenant" --transports polling
    client three "$tenant"
    subscribers "$tenant" 1
    stop one # says goodbye
    kill -KILL "$(pid_of three)" # breaks off
    subscribers "$tenant" 1
    kill -KILL "$(pid_of two)" # leaves a session that polls no more, until its heartbeat fails
    stop gateway
    start_gateway --ping-interval 200ms --ping-timeout 200ms
    client four "$tenant" --transports polling
    client five "$tenant"
    kill -STOP "$(pid_of four)" "$(pid_of five)" # says nothing any more
    wait_for subscribers "$tenant" 0
    kill -KILL "$(pid_of four)" "$(pid_of five)"
}

@test "a client that comes and goes at once leaves no subscription, one that comes back is subscribed" {
    start_gateway
    good=$(token "$tenant" u)
    node -e '
        const { io } = require("socket.io-client");
        const [url, token] = process.argv.slice(1);
        let left = 50;
        const next = () => {
            if (left-- === 0) process.exit(0);
            const s = io(url, { auth: { token }, transports: ["websocket"], forceNew: true });
            s.on("connect", () => { s.disconnect(); next(); });
        };
        next();
    ' "$GATEWAY_URL" "$good"
    wait_for subscribers "$tenant" 0
    client one "$tenant"
    card "$tenant" | arda-publish
    wait_for got one 1
}

@test "Redis away at start: said once, clients connect, events flow when it comes" {
    stop redis
    start_gateway
    wait_for err_has gateway "Connection refused"
    NO_REDIS=1 client one "$tenant"
    launch_redis
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    wait_for got one 1
    [ "$(grep -c 'Connection refused' "$RUN_DIR/gateway.err")" = 1 ]
}

@test "a restart of Redis: clients stay connected, events flow again" {
    start_gateway
    client one "$tenant"
    client two "$tenant" --transports polling
    for round in 1 2 3; do
        stop redis KILL
        launch_redis
        wait_for subscribers "$tenant" 1
        card "$tenant" | arda-publish
        wait_for got one "$round"
        wait_for got two "$round"
    done
    run ! grep -h '"disconnect"' "$RUN_DIR"/one.out "$RUN_DIR"/two.out
}

@test "an unreadable directory: Failed to subscribe to loop" {
    start_gateway
    client one "$tenant"
    redis set "arda:loops:$tenant" "not a set"
    start two node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$(token "$tenant" u)" --emit '["subscribe:loop","l1"]'
    wait_for got two 1
    [ "$(out two | jq -c 'select(.event == "error") | .args')" = '[{"message":"Failed to subscribe to loop"}]' ]
    stop redis
    start three node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$(token "$tenant" u)" --emit '["subscribe:loop","l1"]'
    wait_for got three 1
    [ "$(out three | jq -c 'select(.event == "error") | .args')" = '[{"message":"Failed to subscribe to loop"}]' ]
}

@test "SIGTERM tells clients to go and ends with 0" {
    start_gateway
    client one "$tenant"
    stop gateway
    [ "$status" = 0 ]
    wait_for out_has one '"disconnect"'
}

@test "--notifications=tenant sends them to everyone" {
    start_gateway --notifications=tenant
    client one "$tenant"
    client two "$tenant"
    printf '{"type":"notification.created","userId":"u"}' | redis -x publish "arda:events:$tenant"
    wait_for got one 1
    wait_for got two 1
}

@test "two gateways and a prefix: each serves its own names" {
    start_gateway --prefix other
    NO_REDIS=1 client one "$tenant"
    wait_for other_subscribed
    card "$tenant" | arda-publish
    card "$tenant" received | arda-publish --prefix other
    wait_for got one 1
    [ "$(out one | jq -r 'select(.event == "card.transition") | .args[0].toStage')" = received ]
}
other_subscribed() { [ "$(redis pubsub numsub "other:events:$tenant" | tail -n 1)" = 1 ]; }

@test "a Redis behind a Unix socket that is not there yet" {
    sock=$RUN_DIR/redis.sock
    start_gateway --redis "unix://$sock"
    wait_for err_has gateway "No such file or directory"
    start by_socket redis-server --port 0 --unixsocket "$sock" --save '' --dir "$RUN_DIR"
    wait_for err_has gateway "redis: connected"
}
