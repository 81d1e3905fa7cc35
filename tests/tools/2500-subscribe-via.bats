#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-subscribe --via: what a browser sees, through arda-gateway and through the reference server.

load ../lib/common.bash

setup_file() {
    start_redis
    cd "$BATS_FILE_TMPDIR" || return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
        -subj /CN=gateway -addext subjectAltName=IP:127.0.0.1 -days 2 2>req.err
}
teardown_file() { stop_all; }
setup() {
    need_node
    [ -d "$NODE_PATH/socket.io" ] || skip "the npm package socket.io is not installed"
    unset ARDA_TOKEN http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
    tenant=$(uuid)
    cert=$BATS_FILE_TMPDIR/cert.pem
    key=$BATS_FILE_TMPDIR/key.pem
}
teardown() {
    exec 8>&-
    stop_all
}

publish() { redis -x publish "arda:events:$tenant" >/dev/null; }

# via NAME [OPTION]...: a reader through the gateway, or through $VIA, with a token of its own.
via() {
    local name=$1
    shift
    ARDA_TOKEN=${VIA_TOKEN-$(token "$tenant" ann)} \
        start "$name" arda-subscribe --via "${VIA:-$GATEWAY_URL}" "$@"
}

# reference [OPTION]...: VIA names it, `say` tells it what to do.
reference() {
    mkfifo "$RUN_DIR/orders"
    STDIN=$RUN_DIR/orders start_node reference 8>&- "$@"
    exec 8>"$RUN_DIR/orders"
    wait_for out_has reference '"port":'
    VIA=http://127.0.0.1:$(jq -r .port <"$RUN_DIR/reference.out")
    VIA_TOKEN=t
}
start_node() { start "$1" node "$top_srcdir/tests/lib/$1.js" "${@:2}"; }
say() { printf '%s\n' "$1" >&8; }

# stranger KIND: VIA names it.
stranger() {
    start "$1" node "$top_srcdir/tests/lib/strangers.js" "$1"
    wait_for out_has "$1" '"port":'
    VIA=http://127.0.0.1:$(jq -r '.port // empty' <"$RUN_DIR/$1.out")
    VIA_TOKEN=
}

kinds() { jq -r .kind <"$RUN_DIR/$1.out" | paste -sd' '; }
# bus NAME: the events as they stood, `connected` left out.
bus() { grep '"kind":"event"' "$RUN_DIR/$1.out" | sed -n 's/.*"args":\[\({"type".*\)\]}$/\1/p'; }
# seen NAME TEXT N: it stands in N of its lines.
seen() { [ "$(grep -cF -- "$2" "$RUN_DIR/$1.out")" = "$3" ]; }
gone_from() { subscribers "$tenant" 0; }

@test "every transport: handshake, events with their text unchanged, a clean end" {
    start_gateway
    event='{"type":"x.y","tenantId":"'$tenant'","n":1.50e+3,"big":123456789012345678901234567890,"s":"\u00e9\/ü"}'
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --count 2
        wait_for out_has "$transport" '"name":"connected"'
    done
    wait_for out_has upgrade '"kind":"upgrade"'
    wait_for subscribers "$tenant" 1
    printf '%s' "$event" | publish
    printf '{"id":"i1","event":\n%s}' "$event" | publish
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 0 ]
        [ "$(bus "$transport")" = "$event
$event" ]
        [ ! -s "$RUN_DIR/$transport.err" ]
    done
    [ "$(kinds websocket)" = "handshake connect event event event" ]
    [ "$(kinds polling)" = "handshake connect event event event" ]
    [[ $(kinds upgrade) == handshake\ *upgrade* ]]
    # Left, and not lost: the gateway does not wait for its clock.
    wait_for gone_from
}

@test "the form of the lines" {
    reference --ping-interval 20000 --ping-timeout 5000
    via one --transport polling --count 4
    wait_for out_has one '"kind":"connect"'
    say '["text","2[\"text\", {\"n\":1.0} ,\"\\u00e9\"]"]'
    say '["emit","none"]'
    say '["ask"]'
    say '["bytes"]'
    join one
    [ "$status" = 0 ]
    sed -E -e 's/"at":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"/"at":"TIME"/' \
        -e 's/"sid":"[A-Za-z0-9_-]{20}"/"sid":"SID"/' -e 's|"http://127.0.0.1:[0-9]+/|"http://HOST/|' \
        <"$RUN_DIR/one.out" | diff -u "$top_srcdir/tests/data/via-1.jsonl" -
    wait_for out_has reference '"left":"client namespace disconnect"'
    run ! out_has reference acked
}

@test "the reference server: upgrade, heartbeats, floods in order, large events" {
    for transport in websocket polling upgrade; do
        rm -f "$RUN_DIR/orders"
        reference --ping-interval 60 --ping-timeout 20000
        via "$transport" --transport "$transport" --count 3001
        wait_for out_has "$transport" '"kind":"connect"'
        [ "$transport" != upgrade ] || say '["flood",1000]'
        pongs() { [ "$(grep -c pong "$RUN_DIR/reference.out")" -ge 5 ]; }
        wait_for pongs
        [ "$transport" = upgrade ] || say '["flood",1000]'
        say '["flood",1000]'
        say '["emit","large","'"$(head -c 300000 /dev/zero | tr '\0' 'a')"'"]'
        say '["flood",1000]'
        join "$transport"
        [ "$status" = 0 ]
        [ "$(kinds "$transport" | tr ' ' '\n' | sort | uniq -c | awk '/disconnect|error/')" = "" ]
        [ "$(jq -c 'select(.name == "n") | .args[0].n' <"$RUN_DIR/$transport.out" | md5sum)" = \
            "$({ seq 0 999; seq 0 999; seq 0 999; } | md5sum)" ]
        [ "$(jq 'select(.name == "large") | .args[0] | length' <"$RUN_DIR/$transport.out")" = 300000 ]
        wait_for out_has reference '"left":"client namespace disconnect"'
        stop reference
        exec 8>&-
    done
    out_has upgrade '"kind":"upgrade","transport":"websocket"'
}

@test "a server without WebSocket, and one without polling" {
    reference --transports polling
    via upgrade
    wait_for out_has upgrade '"kind":"connect"'
    say '["emit","x"]'
    wait_for out_has upgrade '"name":"x"'
    via ws --transport websocket
    join ws
    [ "$status" = 65 ]
    err_has ws "Transport unknown"
    stop upgrade INT
    run ! out_has upgrade '"kind":"upgrade"'
    run ! out_has upgrade '"kind":"error"'
}

@test "tokens: from the environment or a file, refused, missing, unreadable" {
    start_gateway
    token "$tenant" ann >"$RUN_DIR/token"
    VIA_TOKEN='' via file --token-file "$RUN_DIR/token"
    wait_for out_has file '"userId":"ann"'
    stop file
    VIA_TOKEN='' via pipe --token-file <(token "$tenant" ann)
    wait_for out_has pipe '"userId":"ann"'
    stop pipe
    for transport in websocket polling upgrade; do
        VIA_TOKEN=wrong via "bad$transport" --transport "$transport"
        join "bad$transport"
        [ "$status" = 77 ]
        [ "$(kinds "bad$transport")" = "handshake error" ]
        out_has "bad$transport" '"kind":"error","reason":"refused","message":"Invalid token"}'
        err_has "bad$transport" "refused: Invalid token"
        VIA_TOKEN='' via "no$transport" --transport "$transport"
        join "no$transport"
        [ "$status" = 77 ]
        out_has "no$transport" '"message":"Authentication required"}'
    done
    via lost --token-file "$RUN_DIR/none"
    join lost
    [ "$status" = 78 ]
    err_has lost "cannot read the token file $RUN_DIR/none: No such file"
    printf ' \n' >"$RUN_DIR/blank"
    via blank --token-file "$RUN_DIR/blank"
    join blank
    [ "$status" = 78 ]
    printf 'a b\n' >"$RUN_DIR/odd"
    via odd --token-file "$RUN_DIR/odd"
    join odd
    [ "$status" = 78 ]
    [ ! -s "$RUN_DIR/odd.out" ]
}

@test "a refusal of the reference server, with its data" {
    reference --token t
    VIA_TOKEN=u via bad
    join bad
    [ "$status" = 77 ]
    out_has bad '"message":"Invalid token","data":{"code":7}}'
    via good --count 1
    wait_for out_has good '"kind":"connect"'
    out_has reference '{"connected":{"token":"t"},'
    say '["emit","x"]'
    join good
    [ "$status" = 0 ]
}

@test "https and wss, with a certificate that is trusted and one that is not" {
    start_gateway --tls-cert "$cert" --tls-key "$key"
    VIA=https://${GATEWAY_URL#http://}
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --cacert "$cert" --count 1
        wait_for out_has "$transport" '"name":"connected"'
        via "un$transport" --transport "$transport"
        join "un$transport"
        [ "$status" = 69 ]
        err_has "un$transport" "SSL certificate problem"
        [ "$(kinds "un$transport")" = error ]
    done
    wait_for out_has upgrade '"kind":"upgrade"'
    { printf '{"type":"x","tenantId":"%s","s":"' "$tenant"; head -c 900000 /dev/zero | tr '\0' 'a'; printf '"}'; } >"$RUN_DIR/big"
    publish <"$RUN_DIR/big"
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 0 ]
        bus "$transport" | tr -d '\n' | cmp "$RUN_DIR/big" -
    done
    via none --cacert "$RUN_DIR/none"
    join none
    [ "$status" = 78 ]
    VIA=${VIA/127.0.0.1/localhost} via name --cacert "$cert"
    join name
    [ "$status" = 69 ]
    VIA=ws${VIA#http} via alias --cacert "$cert" --transport websocket
    wait_for out_has alias '"url":"https://'
}

@test "a restart of the gateway: disconnect, handshake, events again" {
    start_gateway
    port=${GATEWAY_URL##*:}
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --count 1
        wait_for out_has "$transport" '"name":"connected"'
    done
    wait_for out_has upgrade '"kind":"upgrade"'
    stop gateway
    [ "$status" = 0 ]
    for transport in websocket polling upgrade; do
        wait_for out_has "$transport" '"kind":"disconnect"'
    done
    out_has websocket '"reason":"transport close","message":"the WebSocket was closed: 1001","code":1001}'
    start_gateway --listen "127.0.0.1:$port"
    for transport in websocket polling upgrade; do wait_for seen "$transport" '"name":"connected"' 2; done
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 0 ]
        [ "$(grep -c 'trying again until it is back' "$RUN_DIR/$transport.err")" = 1 ]
    done
}

@test "a gateway that is killed; --no-reconnect ends with 69" {
    start_gateway
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --no-reconnect
        wait_for out_has "$transport" '"name":"connected"'
    done
    wait_for out_has upgrade '"kind":"upgrade"'
    stop gateway KILL
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 69 ]
        [ "$(tail -n 1 "$RUN_DIR/$transport.out" | jq -r .kind)" = disconnect ]
    done
}

@test "a connection that ends with its token, or that the server ends, is not made again" {
    start_gateway --revocation
    for transport in websocket polling; do
        via "$transport" --transport "$transport"
        wait_for out_has "$transport" '"name":"connected"'
    done
    wait_for subscribers "$tenant" 1
    redis publish "arda:events:$tenant" '{"type":"security.token.revoked","userId":"ann","tenantId":"'"$tenant"'"}'
    for transport in websocket polling; do
        join "$transport"
        [ "$status" = 77 ]
        out_has "$transport" '"kind":"disconnect","reason":"io server disconnect"'
        err_has "$transport" "may have expired"
    done
    reference
    via kicked
    wait_for out_has kicked '"kind":"connect"'
    say '["kick"]'
    join kicked
    [ "$status" = 77 ]
    via cut --no-reconnect
    wait_for out_has cut '"kind":"upgrade"'
    say '["cut"]'
    join cut
    [ "$status" = 77 ]
}

@test "a token that expires ends its connection" {
    start_gateway --token-expiry disconnect
    VIA_TOKEN=$(token "$tenant" ann --ttl 3s) via one
    join one
    [ "$status" = 77 ]
    out_has one '"reason":"io server disconnect"'
}

@test "a server that falls silent is given up, and looked for again" {
    reference --ping-interval 100 --ping-timeout 300
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --no-reconnect
        wait_for out_has "$transport" '"kind":"connect"'
    done
    via faithful
    wait_for out_has faithful '"kind":"connect"'
    kill -STOP "$(pid_of reference)"
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 69 ]
        out_has "$transport" '"kind":"disconnect","reason":"ping timeout"'
    done
    wait_for out_has faithful '"reason":"ping timeout"'
    kill -CONT "$(pid_of reference)"
    wait_for seen faithful '"kind":"connect"' 2
}

@test "a server that never answers" {
    stranger silent
    for transport in websocket polling upgrade; do
        via "$transport" --transport "$transport" --connect-timeout 200ms --no-reconnect
    done
    via faithful --connect-timeout 50ms --timeout 700ms
    for transport in websocket polling upgrade; do
        join "$transport"
        [ "$status" = 69 ]
        out_has "$transport" '"kind":"error","reason":"timeout","message":"no answer in time"}'
    done
    join faithful
    [ "$status" = 124 ]
    [ "$(kinds faithful)" = error ]
    via stopped
    wait_for test -s "$RUN_DIR/stopped.pid"
    stop stopped
    [ "$status" = 143 ]
}

@test "what is no Socket.IO server is said at once" {
    for kind in page empty; do
        stranger "$kind"
        for transport in websocket polling upgrade; do
            via "$transport" --transport "$transport"
            join "$transport"
            [ "$status" = 65 ]
            [ "$(kinds "$transport")" = error ]
        done
        stop "$kind"
    done
    err_has upgrade "what answers is no Socket.IO server"
    stranger ssh
    for transport in websocket polling; do
        via "$transport" --transport "$transport"
        join "$transport"
        [ "$status" = 65 ]
    done
    stranger accept
    via accepted --transport websocket
    join accepted
    [ "$status" = 65 ]
    err_has accepted "Sec-WebSocket-Accept"
    start_gateway
    VIA='' VIA_TOKEN=t
    VIA=$GATEWAY_URL/elsewhere via elsewhere
    join elsewhere
    [ "$status" = 65 ]
    out_has elsewhere '"message":"HTTP 404'
    out_has elsewhere '"status":404}'
}

@test "trouble that may pass is tried again" {
    stranger busy
    for transport in websocket polling; do
        via "$transport" --transport "$transport" --no-reconnect
        join "$transport"
        [ "$status" = 69 ]
        out_has "$transport" '"status":503}'
    done
    out_has polling '"message":"HTTP 503: come back later","status":503}'
    stranger frames
    via frames --transport websocket --no-reconnect
    join frames
    [ "$status" = 69 ]
    err_has frames "a frame that WebSockets do not allow"
}

@test "a gateway that is not there yet" {
    start_gateway
    stop gateway
    VIA=$GATEWAY_URL
    via now --no-reconnect
    join now
    [ "$status" = 69 ]
    via late --count 1
    wait_for err_has late "trying again until it is back"
    start_gateway --listen "127.0.0.1:${VIA##*:}"
    wait_for out_has late '"name":"connected"'
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    join late
    [ "$status" = 0 ]
    [ "$(kinds late | sed 's/ upgrade//')" = "error handshake connect event event" ]
}

@test "through an HTTP proxy" {
    start_gateway
    stranger proxy
    http_proxy=$VIA
    VIA=$GATEWAY_URL VIA_TOKEN=$(token "$tenant" ann)
    http_proxy=$http_proxy via one
    wait_for out_has one '"kind":"upgrade"'
    out_has proxy '"proxied":"GET"'
    out_has proxy '"proxied":"POST"'
    out_has proxy '"proxied":"CONNECT"'
    card "$tenant" | arda-publish
    wait_for out_has one '"name":"card.transition"'
    stop one
    : >"$RUN_DIR/proxy.out"
    http_proxy=$http_proxy no_proxy=127.0.0.1 via two
    wait_for out_has two '"kind":"connect"'
    [ ! -s "$RUN_DIR/proxy.out" ]
}

@test "packets that no server may send end the connection" {
    reference
    for packet in '2{}' 'abc' '9' '2["disconnect"]' '51-["x"]'; do
        via one --no-reconnect --transport websocket
        wait_for out_has one '"kind":"connect"'
        say "$(jq -cn --arg text "$packet" '["text", $text]')"
        [ "$packet" != '51-["x"]' ] || say '["emit","x"]'
        join one
        [ "$status" = 65 ]
        out_has one '"kind":"disconnect","reason":"parse error"'
    done
    # What belongs to nobody is passed over.
    via one --count 1 --transport websocket
    wait_for out_has one '"kind":"connect"'
    say '["text","2/other,[\"x\"]"]'
    say '["text","37[1]"]'
    say '["emit","x"]'
    join one
    [ "$status" = 0 ]
}

@test "--type and --loop choose among the events; what the gateway says itself does not count" {
    start_gateway
    loop=$(uuid)
    via types --type 'order.*' --count 1
    via loops --loop "$loop" --count 1
    wait_for out_has types '"name":"connected"'
    wait_for out_has loops '"name":"connected"'
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish
    arda-publish loop.parameters_changed tenantId="$tenant" loopId="$loop" changeType=manual reason=x
    echo '{"type":"order.x","tenantId":"'"$tenant"'"}' | arda-publish --allow-unknown
    join types
    join loops
    [ "$(bus types | jq -r .type)" = order.x ]
    [ "$(bus loops | jq -r .type)" = loop.parameters_changed ]
}

@test "it ends quietly when the reader closes the pipe" {
    start_gateway
    for scheme in websocket polling; do
        ARDA_TOKEN=$(token "$tenant" ann) arda-subscribe --via "$GATEWAY_URL" --transport "$scheme" 2>"$RUN_DIR/sub.err" 3>&- \
            > >(head -n 3 >"$RUN_DIR/head.out") &
        pid=$!
        wait_for grep -q '"name":"connected"' "$RUN_DIR/head.out"
        until is_gone "$pid"; do card "$tenant" | arda-publish; done
        [ ! -s "$RUN_DIR/sub.err" ]
        : >"$RUN_DIR/head.out"
    done
}

@test "an output that cannot be written ends with 74" {
    [ -c /dev/full ] || skip "no /dev/full"
    start_gateway
    status=0
    ARDA_TOKEN=$(token "$tenant" ann) arda-subscribe --via "$GATEWAY_URL" >/dev/full 2>"$RUN_DIR/sub.err" || status=$?
    [ "$status" = 74 ]
}

@test "--timeout ends with 124, a signal as such" {
    start_gateway
    via timed --timeout 300ms
    join timed
    [ "$status" = 124 ]
    via signalled
    wait_for out_has signalled '"name":"connected"'
    stop signalled INT
    [ "$status" = 130 ]
    wait_for gone_from
}

@test "usage" {
    for arguments in "--via http://h $tenant" "--via http://h --global" "--via ftp://h" "--via h:3000" \
        "--via http://u:p@h" "--via http://h/?a=b" "--via http://h#f" "--via http://" "--via http://h --transport tcp" \
        "--via http://h --grace x" "--compare $tenant" "--via http://h --compare" "--via http://h --compare a b" \
        "--via http://h --compare global" "--via http://h --compare --type x $tenant"; do
        # shellcheck disable=SC2086
        run arda-subscribe $arguments
        echo "$arguments: $status: $output"
        [ "$status" = 64 ]
        [[ $output == arda-subscribe:* ]]
    done
}
