#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway: the link at the end of an e-mail, opened by a person, a scanner and a mail program.

load ../lib/common.bash

export UNSUBSCRIBE_TOKEN_SECRET=an-unsubscribe-secret-of-32-bytes-or-more

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    command -v node >/dev/null || skip "node is not installed"
    tenant=$(uuid)
    redis sadd arda:tenants "$tenant" >/dev/null
    curl_options=()
}
# A leak, or what else a sanitizer finds, is another status.
teardown() {
    local code
    status=0
    [ ! -f "$RUN_DIR/gateway.pid" ] || stop gateway
    code=$status
    stop_all
    [ "$code" = 0 ]
}

# link USER [TYPE [CLAIM=JSON]...]: a token; LINK_SECRET signs it.
link() {
    local user=$1 type=${2:-po_created}
    shift
    [ $# -eq 0 ] || shift
    node "$top_srcdir/tests/lib/unsubscribe.js" "${LINK_SECRET-$UNSUBSCRIBE_TOKEN_SECRET}" "$tenant" "$user" "$type" "$@"
}
# ask QUERY [CURL OPTION]...: the answer's head, in lower case and without CRs, in $RUN_DIR/head, its
# body in $RUN_DIR/body; prints the status.
ask() {
    local query=$1
    shift
    curl -sS --max-time 20 ${curl_options[@]+"${curl_options[@]}"} -D "$RUN_DIR/raw" -o "$RUN_DIR/body" -w '%{http_code}\n' "$@" \
        "$GATEWAY_URL${UNSUBSCRIBE_PATH:-/notifications/unsubscribe}$query"
    tr -d '\r' <"$RUN_DIR/raw" | tr '[:upper:]' '[:lower:]' >"$RUN_DIR/head"
}
one_click() { ask "?token=$1" -d List-Unsubscribe=One-Click "${@:2}"; }
says() { grep -qF -- "$1" "$RUN_DIR/body"; }
header() { sed -n "s/^$1: //p" "$RUN_DIR/head"; }
# preference USER [TYPE [CHANNEL]]: what the directory has; nothing when there is none.
preference() { arda-directory get preference "$tenant" "$1" "${2:-po_created}" "${3:-email}" 2>/dev/null | jq -r .enabled; }
version() { redis get "arda:version:$tenant"; }

is_page() {
    [ "$(header content-type)" = "text/html; charset=utf-8" ]
    [ "$(header cache-control)" = no-store ]
    [ "$(header referrer-policy)" = no-referrer ]
    [ "$(header x-robots-tag)" = "noindex, nofollow" ]
    [ "$(header x-content-type-options)" = nosniff ]
    [[ "$(header content-security-policy)" == "default-src 'none'; style-src 'sha256-"*"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" ]]
    [ -z "$(header set-cookie)$(header location)$(header access-control-allow-origin)" ]
    says '<!DOCTYPE html>'
    says '<html lang="en">'
    says '<title>'
    [ "$(grep -ciE '<script|<link|<img|src=|url\(|http' "$RUN_DIR/body")" = 0 ]
}

@test "opening the link changes nothing; asking as a mail program does switches it off, as often as one likes" {
    start_gateway
    token=$(link ann)
    for method in GET HEAD GET; do
        [ "$(if [ $method = HEAD ]; then ask "?token=$token" -I; else ask "?token=$token"; fi)" = 200 ]
    done
    is_page
    says "<strong>e-mails</strong> about <strong>new orders</strong>"
    says '<form method="post">'
    says '<button>Unsubscribe</button>'
    [ "$(grep -cF -e "$tenant" -e ann -e "$token" "$RUN_DIR/body")" = 0 ]
    [ -z "$(preference ann)" ]
    [ -z "$(version)" ]

    [ "$(one_click "$token")" = 200 ]
    is_page
    says "You are unsubscribed"
    says "no more <strong>e-mails</strong> about <strong>new orders</strong>"
    says "To switch them on again, open the application"
    run ! says "<form"
    [ "$(preference ann)" = false ]
    first=$(version)
    [ "$first" -ge 1 ]
    [ "$(one_click "$token")" = 200 ]
    [ "$(preference ann)" = false ]
    [ "$(version)" = "$first" ]
    [ "$(arda-directory dump "$tenant" | grep -c preference)" = 1 ]

    arda-directory set preference "$tenant" ann po_created email enabled=true
    [ "$(ask "?token=$token")" = 200 ]
    [ "$(preference ann)" = true ]
    [ "$(one_click "$token")" = 200 ]
    [ "$(preference ann)" = false ]
}

@test "a link of the service beside us works; one of a tenant that was removed does not bring it back" {
    start_gateway
    token=$(link ann)
    [ "$(UNSUBSCRIBE_PATH=/api/notifications/unsubscribe ask "?token=$token")" = 200 ]
    [ "$(UNSUBSCRIBE_PATH=/api/notifications/unsubscribe one_click "$token")" = 200 ]
    [ "$(preference ann)" = false ]
    arda-directory rm tenant "$tenant"
    [ "$(one_click "$token")" = 410 ]
    is_page
    [ -z "$(arda-directory dump "$tenant")" ]
    [ "$(redis sismember arda:tenants "$tenant")" = 0 ]
}

@test "each type has words of its own, and the channel is that of the token" {
    start_gateway
    : >"$RUN_DIR/all"
    for type in card_triggered po_created po_sent po_received stockout_warning relowisa_recommendation exception_alert \
        wo_status_change transfer_status_change system_alert; do
        [ "$(ask "?token=$(link ann "$type")")" = 200 ]
        grep -o 'about <strong>[^<]*' "$RUN_DIR/body" >>"$RUN_DIR/all"
    done
    [ "$(sort -u "$RUN_DIR/all" | wc -l)" = 10 ]
    token=$(link ann system_alert 'channel="webhook"')
    [ "$(ask "?token=$token")" = 200 ]
    says "webhook calls"
    [ "$(one_click "$token")" = 200 ]
    [ "$(preference ann system_alert webhook)" = false ]
    [ -z "$(preference ann system_alert)" ]
}

@test "the forms of the body; others change nothing" {
    start_gateway
    token=$(link ann)
    # As in section 8.2 of RFC 8058.
    printf -- '-----Form\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n-----Form--\r\n' >"$RUN_DIR/parts"
    forms=(-F List-Unsubscribe=One-Click -d 'x=y&List-Unsubscribe=One-Click' -d 'List%2DUnsubscribe=One%2DClick')
    for ((i = 0; i < ${#forms[@]}; i += 2)); do
        [ "$(ask "?token=$(link "user$i")" "${forms[i]}" "${forms[i + 1]}")" = 200 ]
        [ "$(preference "user$i")" = false ]
    done
    [ "$(ask "?token=$(link parts)" -H 'Content-Type: multipart/form-data; boundary=---Form' --data-binary "@$RUN_DIR/parts")" = 200 ]
    [ "$(preference parts)" = false ]
    [ "$(ask "?token=$(link chunks)" -H 'Transfer-Encoding: chunked' -d List-Unsubscribe=One-Click)" = 200 ]
    [ "$(preference chunks)" = false ]

    for body in '' List-Unsubscribe List-Unsubscribe= List-Unsubscribe=one-click List-Unsubscribe=One-Clicks \
        'List-Unsubscribe=no&List-Unsubscribe=One-Click' list-unsubscribe=One-Click '%=' One-Click; do
        [ "$(ask "?token=$token" -d "$body")" = 400 ]
        is_page
    done
    [ "$(ask "?token=$token" -H 'Content-Type: multipart/form-data; boundary=x' --data-binary "@$RUN_DIR/parts")" = 400 ]
    for type in application/json text/plain ''; do
        [ "$(ask "?token=$token" -H "Content-Type:$type" -d List-Unsubscribe=One-Click)" = 415 ]
        is_page
    done
    [ "$(ask '' -d "List-Unsubscribe=One-Click&token=$token")" = 400 ]
    head -c 4097 /dev/zero | tr '\0' a >"$RUN_DIR/long"
    [ "$(ask "?token=$token" --data-binary "@$RUN_DIR/long")" = 413 ]
    [ "$(ask "?token=$token" -H 'Transfer-Encoding: chunked' --data-binary "@$RUN_DIR/long")" = 413 ]
    for method in PUT DELETE PATCH OPTIONS TRACE; do
        [ "$(ask "?token=$token" -X "$method")" = 405 ]
        [ "$(header allow)" = "get, head, post" ]
    done
    [ -z "$(preference ann)" ]
}

# refused TOKEN STATUS WORDS: by both methods, with nothing changed.
refused() {
    [ "$(ask "?token=$1")" = "$2" ] || return 1
    says "$3" || return 1
    [ "$(one_click "$1")" = "$2" ] || return 1
    is_page && says "$3" || return 1
    ! says "<form"
}

@test "tokens that are no good" {
    start_gateway -v
    good=$(link ann)
    now=$(date +%s)
    refused "$(link ann po_created "exp=$now")" 410 "This link has expired"
    refused "$(link ann po_created "exp=$((now - 86400))")" 410 "work for 30 days"
    denied=(
        "$(LINK_SECRET=another-secret-of-thirty-two-bytes-or-more link ann)"
        "$(LINK_SECRET='' link ann)"
        "$(LINK_SECRET=$GATEWAY_SECRET link ann)"
        "$(link ann po_created 'iss="somebody"')"
        "$(link ann po_created iss=null)"
        "$(link ann po_created 'alg="none"' sig=)"
        "$(link ann po_created 'alg="none"')"
        "$(link ann po_created 'alg="HS512"')"
        "$(link ann po_created 'alg="hs256"')"
        "$(link ann po_created exp=null)"
        "$(link ann po_created 'exp="x"')"
        "$(link ann po_created exp=1e400)"
        "$(link ann po_created exp=1e300)"
        "$(link ann po_created "exp=$((now + 31 * 86400))")"
        "$(link ann party)"
        "$(link ann po_created 'channel="pigeon"')"
        "$(link ann po_created channel=null)"
        "$(link 'a b')"
        "$(link ann po_created userId=null)"
        "$(link ann po_created tenantId=null)"
        "$(link ann po_created 'tenantId="global"')"
        "$(link ann po_created 'tenantId="*"')"
        "$(token "$tenant" ann)"
        "${good%?}" "${good}A" "${good%.*}" "${good%.*}." ".$good" "x.y.z" "a" "%00" "$good%00" "%20$good"
        '%3Cscript%3Ealert(1)%3C/script%3E'
        "$(head -c 12000 /dev/zero | tr '\0' a)"
    )
    for token in "${denied[@]}"; do
        refused "$token" 403 "This link is not valid" || {
            echo "token: $token"
            false
        }
    done
    run ! says alert
    for query in '' '?' '?token' '?token=' '?token=&x' "?Token=$good" "?x=$good" '?token=%' '?token=%zz'; do
        [ "$(ask "$query")" = 400 ]
        says "This link is not complete"
        is_page
        [ "$(ask "$query" -d List-Unsubscribe=One-Click)" = 400 ]
        is_page
    done
    [ "$(ask "?token=$good&token=x")" = 200 ] # the first counts
    [ "$(ask "?token=x&token=$good" -d List-Unsubscribe=One-Click)" = 403 ]
    [ "$(ask "?token=$(head -c 20000 /dev/zero | tr '\0' a)")" = 431 ]
    [ -z "$(preference ann)" ]
    [ "$(one_click "$good")" = 200 ]
    [ "$(preference ann)" = false ]
    # No part of one in the log, however much it says.
    wait_for err_has gateway "unsubscribe: refused: "
    wait_for err_has gateway "tenant $tenant: user ann: unsubscribed from po_created by email"
    [ "$(grep -cF -e "$(cut -d. -f2 <<<"$good")" -e "$(cut -d. -f3 <<<"$good")" -e eyJ -e script "$RUN_DIR/gateway.err")" = 0 ]
}

@test "other paths, and a gateway without the secret" {
    start_gateway
    token=$(link ann)
    for path in /notifications /notifications/ /notifications/unsubscribe/ /notifications/unsubscribe/x /notifications/Unsubscribe; do
        [ "$(curl -sS -o /dev/null -w '%{http_code}' "$GATEWAY_URL$path?token=$token")" = 404 ]
    done
    stop gateway
    UNSUBSCRIBE_TOKEN_SECRET='' start_gateway
    [ "$(ask "?token=$token")" = 404 ]
    [ "$(one_click "$token")" = 404 ]
    stop gateway
    start_gateway --stdin
    [ "$(ask "?token=$token")" = 404 ]
    [ "$(one_click "$token")" = 404 ]
    [ -z "$(preference ann)" ]
}

@test "secrets that will not do" {
    export JWT_SECRET=$GATEWAY_SECRET
    echo short >"$RUN_DIR/short"
    run -78 arda-gateway -l 127.0.0.1:0 --unsubscribe-secret-file "$RUN_DIR/short"
    [[ "$output" == *"--unsubscribe-secret-file: $RUN_DIR/short: the secret has 5 bytes; it needs at least 32"* ]]
    run -78 arda-gateway -l 127.0.0.1:0 --unsubscribe-secret-file "$RUN_DIR/none"
    [[ "$output" == *"$RUN_DIR/none: No such file or directory"* ]]
    UNSUBSCRIBE_TOKEN_SECRET=short run -78 arda-gateway -l 127.0.0.1:0
    [[ "$output" == *"arda-gateway: UNSUBSCRIBE_TOKEN_SECRET: the secret has 5 bytes"* ]]
    ARDA_UNSUBSCRIBE_TOKEN_SECRET=short run -78 arda-gateway -l 127.0.0.1:0
    [[ "$output" == *"arda-gateway: ARDA_UNSUBSCRIBE_TOKEN_SECRET: the secret has 5 bytes"* ]]
    run -64 arda-gateway -l 127.0.0.1:0 --stdin --unsubscribe-secret-file "$RUN_DIR/short"
    [[ "$output" == *"--unsubscribe-secret-file needs Redis: not with --stdin"* ]]
}

@test "a secret from a file is read again at SIGHUP; one that will not do leaves the old one in force" {
    next=the-next-unsubscribe-secret-of-32-bytes
    printf '%s\n' "$UNSUBSCRIBE_TOKEN_SECRET" >"$RUN_DIR/secret"
    UNSUBSCRIBE_TOKEN_SECRET=$GATEWAY_SECRET start_gateway --unsubscribe-secret-file "$RUN_DIR/secret"
    old=$(link ann)
    new=$(LINK_SECRET=$next link ann)
    [ "$(ask "?token=$old")" = 200 ]
    [ "$(ask "?token=$new")" = 403 ]
    echo "$next" >"$RUN_DIR/secret"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the secret of links in e-mails was loaded again"
    [ "$(ask "?token=$old")" = 403 ]
    [ "$(ask "?token=$new")" = 200 ]
    echo short >"$RUN_DIR/secret"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the secret of links in e-mails was not loaded again: $RUN_DIR/secret: the secret has 5 bytes"
    [ "$(one_click "$new")" = 200 ]
    [ "$(preference ann)" = false ]
}

@test "Redis away: 503, and when to try again; the page is shown nevertheless" {
    start_gateway
    wait_for err_has gateway "redis: connected"
    token=$(link ann)
    port=$REDIS_PORT
    kill "$(cat "$BATS_FILE_TMPDIR/redis.pid")"
    wait_for is_gone "$(cat "$BATS_FILE_TMPDIR/redis.pid")"
    wait_for err_has gateway "trying again until it is back"
    [ "$(ask "?token=$token")" = 200 ]
    [ "$(one_click "$token")" = 503 ]
    is_page
    [ "$(header retry-after)" = 30 ]
    says "Please try again"
    says '<form method="post">'
    [ "$(ask "?token=x" -d List-Unsubscribe=One-Click)" = 403 ]
    RUN_DIR=$BATS_FILE_TMPDIR REDIS_PORT=$port launch_redis
    redis sadd arda:tenants "$tenant" >/dev/null # nothing was kept on disk
    wait_for done_again
    [ "$(preference ann)" = false ]

    # One that only replicates refuses to be written to.
    redis replicaof 127.0.0.1 1
    other=$(link bob)
    [ "$(one_click "$other")" = 503 ]
    wait_for err_has gateway "READONLY"
    redis replicaof no one
    wait_for done_by_bob
    [ "$(preference bob)" = false ]
}
done_again() { [ "$(one_click "$token")" = 200 ]; }
done_by_bob() { [ "$(one_click "$other")" = 200 ]; }

@test "a gateway that is stopped while Redis does not answer" {
    redis_pid=$(cat "$BATS_FILE_TMPDIR/redis.pid")
    for workers in 1 3; do
        start_gateway --workers "$workers" --drain 0 --admin 127.0.0.1:0
        wait_for err_has gateway "redis: connected"
        ADMIN_URL=http://$(sed -n 's/^arda-gateway: admin on \([^ ]*\)$/\1/p' "$RUN_DIR/gateway.err")
        token=$(link "ann$workers")
        kill -STOP "$redis_pid"
        for i in 1 2 3; do
            start "curl$i" curl -sS -d List-Unsubscribe=One-Click "$GATEWAY_URL/notifications/unsubscribe?token=$token"
        done
        wait_for connections_are 3
        kill -TERM "$(pid_of gateway)"
        wait_for err_has gateway stopping
        for i in 1 2 3; do
            join "curl$i"
            [ "$status" != 0 ]
        done
        kill -CONT "$redis_pid"
        join gateway
        [ "$status" = 0 ]
    done
}
connections_are() { curl -s "$ADMIN_URL/metrics" | grep -qx "arda_gateway_connections $1"; }

@test "several workers, connections that go on, and what is counted" {
    start_gateway --workers 4 --admin 127.0.0.1:0
    ADMIN_URL=http://$(sed -n 's/^arda-gateway: admin on \([^ ]*\)$/\1/p' "$RUN_DIR/gateway.err")
    for i in 1 2 3 4 5 6 7 8; do
        token=$(link "user$i")
        url="$GATEWAY_URL/notifications/unsubscribe?token=$token"
        done='write-out="%{http_code} %{num_connects}\n"'
        post='data="List-Unsubscribe=One-Click"'
        cat >"$RUN_DIR/config$i" <<END
url="$url"
$post
output="$RUN_DIR/one$i"
$done
next
url="$url"
output="$RUN_DIR/two$i"
$done
next
url="$url"
$post
output="$RUN_DIR/three$i"
$done
END
        start "curl$i" curl -sS -K "$RUN_DIR/config$i"
    done
    for i in 1 2 3 4 5 6 7 8; do
        join "curl$i"
        [ "$(paste -sd' ' "$RUN_DIR/curl$i.out")" = "200 1 200 0 200 0" ]
        [ "$(preference "user$i")" = false ]
        grep -qF "You are unsubscribed" "$RUN_DIR/three$i"
    done
    [ "$(ask "?token=$(link ann po_created exp=1)")" = 410 ]
    [ "$(ask "?token=x")" = 403 ]
    [ "$(ask '')" = 400 ]
    curl -s "$ADMIN_URL/metrics" >"$RUN_DIR/metrics"
    for line in shown=8 done=16 expired=1 refused=2 failed=0; do
        grep -qxF "arda_gateway_unsubscribes_total{outcome=\"${line%=*}\"} ${line#*=}" "$RUN_DIR/metrics"
    done
    # Sessions are served beside it.
    need_node
    client ws "$tenant"
    card "$tenant" | arda-publish
    wait_for got ws 1
}

@test "over TLS" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$RUN_DIR/key.pem" -out "$RUN_DIR/cert.pem" \
        -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
    start_gateway --tls-cert "$RUN_DIR/cert.pem" --tls-key "$RUN_DIR/key.pem" --workers 2
    GATEWAY_URL=https://${GATEWAY_URL#http://}
    curl_options=(--cacert "$RUN_DIR/cert.pem")
    token=$(link ann)
    [ "$(ask "?token=$token")" = 200 ]
    is_page
    [ -z "$(preference ann)" ]
    [ "$(one_click "$token")" = 200 ]
    is_page
    [ "$(preference ann)" = false ]
    [ "$(one_click "$token" -H 'Expect: 100-continue')" = 200 ]
}

@test "a daemon that runs sends no further e-mail" {
    start_gateway
    start_notifyd
    load_users "$tenant" ann
    created=(order.created "tenantId=$tenant" orderType=purchase_order orderNumber=PO-1 'linkedCardIds:=[]')
    arda-publish "${created[@]}" "orderId=$(uuid)"
    wait_for has_rows "$tenant" ann 1
    [ "$(emails)" = 1 ]
    [ "$(one_click "$(link ann)")" = 200 ]
    arda-publish "${created[@]}" "orderId=$(uuid)"
    wait_for has_rows "$tenant" ann 2
    [ "$(emails)" = 1 ]
}
# The e-mails that were recorded.
emails() {
    local id count=0
    for id in $(deliveries "$tenant"); do
        [ "$(redis hget "arda:delivery:$tenant:$id" channel)" != email ] || count=$((count + 1))
    done
    echo "$count"
}

@test "a person clicks the button in Chromium, by day and by night" {
    command -v chromium >/dev/null || skip "chromium is not installed"
    start_gateway
    night=false
    for option in --no-default-browser-check --blink-settings=preferredColorScheme=0; do
        user=ann-$night
        url="$GATEWAY_URL/notifications/unsubscribe?token=$(link "$user" po_received)"
        start page node "$top_srcdir/tests/lib/click.js" "$url" "$option"
        wait_for out_has page '"title":"Unsubscribe"'
        join page
        [ "$status" = 0 ]
        [ "$(preference "$user" po_received)" = false ]
        out page | jq -s -e --argjson night $night '
            map(select(.title)) as [$first, $second]
            | $first.lang == "en" and $first.button == "Unsubscribe"
            and ($first.text | contains("switch off e-mails about purchase orders that were received"))
            and $second.title == "You are unsubscribed" and $second.button == null
            and ($first, $second | .styled and .fits and .dark == $night)
            and (map(select(.request and .of == "Document") | .request) == ["GET", "POST"])
            and (map(select(.referer)) == [])
            and (map(select(.complaint)) == [])' >/dev/null
        night=true
    done
}
