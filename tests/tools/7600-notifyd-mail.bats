#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# E-mails: handed to a relay that is not ours, read by a parser that is not ours.

load ../lib/common.bash

python=${PYTHON:-/usr/bin/python3}

setup_file() {
    start_redis
    cd "$BATS_FILE_TMPDIR" || return 1
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Tests -days 2 2>req.err
    openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=relay 2>>req.err
    openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem \
        -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost) 2>>req.err
}
teardown_file() { stop_all; }

# Each test has names of its own in Redis.
setup() {
    "$python" -c 'import aiosmtpd' 2>/dev/null || skip "python3-aiosmtpd is not installed"
    export ARDA_PREFIX="mail$BATS_TEST_NUMBER" ARDA_NOTIFYD_MAIL_FROM="Arda <arda@acme.example>"
    unset SMTP_URL EMAIL_FROM UNSUBSCRIBE_TOKEN_SECRET
    PREFIX=$ARDA_PREFIX
    tenant=$(uuid) user=$(uuid)
    ca=$BATS_FILE_TMPDIR/ca.pem
}
teardown() { stop_all; }

# sink [OPTION]...: a relay (tests/lib/smtp-sink.py); PORT is its own.
sink() {
    start "${SINK:-sink}" "$python" "$top_srcdir/tests/lib/smtp-sink.py" \
        --cert "$BATS_FILE_TMPDIR/cert.pem" --key "$BATS_FILE_TMPDIR/key.pem" "$@"
    wait_for out_has "${SINK:-sink}" '"port"'
    PORT=$(out "${SINK:-sink}" | jq -r 'select(.port).port')
}
# A port where nobody listens now, and that no connection is given.
free_port() { PORT=$((RANDOM % 10000 + 22000)); }

# deliverer [OPTION]...: a daemon with short pauses.
deliverer() { start_notifyd --retry-schedule 0,0.1,0.1,0.1 --smtp "smtp://127.0.0.1:$PORT" "$@"; }

# user_line JSON: loads that user of $tenant.
user_line() {
    jq -nc --arg t "$tenant" --argjson more "$1" \
        '{kind: "user", tenantId: $t, userId: "u", email: "u@works.example", active: true} + $more' |
        arda-directory load -q
}
one_user() { user_line "{\"userId\":\"$user\",\"email\":\"ann@works.example\",\"name\":\"Ann\"}"; }

created() { # [NUMBER]: one e-mail for each user
    arda-publish order.created tenantId="$tenant" orderType=purchase_order orderId="$(uuid)" \
        orderNumber="${1-PO-1}" linkedCardIds=
}

# recorded USERS: an e-mail for each user that has been loaded, u1, u2, and so on; not sent yet.
recorded() {
    local n
    for n in $(seq "$1"); do
        user_line "{\"userId\":\"u$n\",\"email\":\"u$n@works.example\"}"
    done
    start_notifyd --no-deliver
    created "${2-PO-1}"
    wait_for ended pending "$1"
    stop notifyd
}
# raw_user ID EMAIL [NAME]: as texts in JSON, past the checks of the directory.
raw_user() {
    redis hset "$PREFIX:users:$tenant" "$1" \
        "{\"email\":$2,\"active\":true,\"name\":${3-\"N\"}}" >/dev/null
}

mails() { out "${1:-sink}" | "$python" "$top_srcdir/tests/lib/mails.py" >"$RUN_DIR/mails"; }
taken() { [ "$(grep -c '"mail"' "$RUN_DIR/${SINK:-sink}.out")" -ge "$1" ]; }
field() { # NAME: of the only delivery
    local id
    id=$(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1)
    redis --raw hget "$PREFIX:delivery:$tenant:$id" "$1"
}
# ended STATUS N: so many deliveries of the tenant have it.
ended() {
    local id count=0
    for id in $(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1); do
        [ "$(redis --raw hget "$PREFIX:delivery:$tenant:$id" status)" != "$1" ] || count=$((count + 1))
    done
    [ "$count" = "$2" ]
}
# all CONDITION: holds for each of them, and there are some.
all() { jq -s -e "length > 0 and all($1)" "$RUN_DIR/mails" >/dev/null; }

# ---- what arrives ----

@test "an e-mail has all headers and both texts, and says what the notification says" {
    printf '%s\n' a-secret-of-thirty-two-bytes-or-more >"$RUN_DIR/secret"
    sink
    one_user
    deliverer --public-url https://arda.example/app/ --unsubscribe-secret-file "$RUN_DIR/secret"
    created PO-77
    wait_for ended sent 1
    [ "$(field lastError)" = "" ]
    [[ "$(field attempts)" == *"SMTP 250: 2.0.0 taken as 4711"* ]]
    mails
    jq . "$RUN_DIR/mails"
    id=$(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1)
    all '.faults == [] and .from == "arda@acme.example" and .to == ["ann@works.example"]'
    all '.headers.From == "Arda <arda@acme.example>" and .headers.To == "Ann <ann@works.example>"'
    all '.type == "multipart/alternative" and .kinds == ["text/plain", "text/html"]'
    all ".headers[\"Message-ID\"] == \"<$id@acme.example>\""
    all '.headers["Auto-Submitted"] == "auto-generated" and .headers["MIME-Version"] == "1.0"'
    all '.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"'
    all '.headers["List-Unsubscribe"] | test("^<https://arda.example/app/notifications/unsubscribe\\?token=[A-Za-z0-9_.-]+>$")'
    all '.headers.Subject | test("^New .* created$")'
    all '(.plain | contains("Hello Ann")) and (.plain | contains("PO-77 was created."))'
    all '.plain | contains("https://arda.example/app/orders")'
    all '.html | contains("PO-77 was created.")'
    all '[.headers | keys[]] - ["Auto-Submitted", "Content-Type", "Date", "From", "List-Unsubscribe",
        "List-Unsubscribe-Post", "MIME-Version", "Message-ID", "Subject", "To"] == []'
}

@test "without a public URL there are no links; with APP_URL its origin; over http no one-click" {
    sink
    one_user
    export UNSUBSCRIBE_TOKEN_SECRET=a-secret-of-thirty-two-bytes-or-more
    deliverer
    created
    wait_for taken 1
    stop notifyd
    APP_URL=http://app.example:5173/orders/ deliverer
    created
    wait_for taken 2
    mails
    all '.faults == []'
    jq -s -e '.[0].headers["List-Unsubscribe"] == null and (.[0].plain | contains("http") | not)' "$RUN_DIR/mails"
    jq -s -e '(.[1].headers["List-Unsubscribe"] | startswith("<http://app.example:5173/notifications/unsubscribe?token="))
        and .[1].headers["List-Unsubscribe-Post"] == null
        and (.[1].plain | contains("http://app.example:5173/orders"))' "$RUN_DIR/mails"
    run ! err_has notifyd "no --public-url"
}

@test "every recipient gets a message of its own, over connections that are used again" {
    sink
    for n in $(seq 12); do
        user_line "{\"userId\":\"u$n\",\"email\":\"u$n@works.example\"}"
    done
    deliverer --smtp-connections 2
    created
    wait_for ended sent 12
    mails
    all '.faults == [] and (.to | length) == 1 and .to == .to_addresses'
    [ "$(jq -r '.to[0]' "$RUN_DIR/mails" | sort -u | wc -l)" = 12 ]
    [ "$(grep -c '"connection"' "$RUN_DIR/sink.out")" -le 2 ]
    [ "$(grep -c '"rcpt"' "$RUN_DIR/sink.out")" = 12 ]
}

@test "nothing that a field holds becomes a header, a recipient or a command" {
    sink
    recorded 5 "$(printf 'PO\r\nBcc: eve@evil.example\r\n\r\n.\r\nRCPT TO:<eve@evil.example>\r\n<script>x</script>')"
    raw_user u1 '"u1@works.example"' '"Eve\r\nBcc: eve@evil.example\r\n\r\n<b>hi</b>"'
    raw_user u2 '"u2@works.example"' '"\"x\" <eve@evil.example>, y"'
    raw_user u3 '"u3@works.example\r\nRCPT TO:<eve@evil.example>"'
    raw_user u4 '"u4@works.example>\nBcc: eve@evil.example"'
    raw_user u5 '"u5@works.example,eve@evil.example"'
    mkdir "$RUN_DIR/forms"
    printf 'Subject: {{body}}\n\n{{body}}\r\n.\r\nQUIT\r\nMAIL FROM:<eve@evil.example>\n' >"$RUN_DIR/forms/default.txt"
    deliverer --templates "$RUN_DIR/forms"
    wait_for ended failed 3
    wait_for ended sent 2
    mails
    jq . "$RUN_DIR/mails"
    all '.faults == [] and .from == "arda@acme.example"'
    all '.headers.Bcc == null and (.to | length) == 1 and .to == .to_addresses'
    all '.to[0] | test("^u[12]@works.example$")'
    all '.headers.Subject | contains("Bcc: eve@evil.example")'
    all '(.plain | contains("\nQUIT\nMAIL FROM:<eve@evil.example>")) and (.plain | contains("\n.\n"))'
    all '.html | contains("<script>x") | not'
    [ "$(grep -c '"rcpt"' "$RUN_DIR/sink.out")" = 2 ]
    run ! grep -q '"rcpt": "eve' "$RUN_DIR/sink.out"
}

# ---- who gets none ----

@test "a page of bad addresses: each is refused with a clear reason, and nobody is asked" {
    sink
    recorded 26
    local n=0 address
    while IFS= read -r address; do
        n=$((n + 1))
        raw_user "u$n" "$address"
    done <<'EOF2'
"plain"
"@works.example"
"ann@"
"ann@works..example"
"ann@-works.example"
"ann@works.example."
"ann smith@works.example"
"ann@works example"
"\"ann smith\"@works.example"
"ann@[127.0.0.1]"
"ann@works.example>"
"<ann@works.example>"
"Ann <ann@works.example>"
"ann@works.example, eve@evil.example"
"ann@works.example;eve@evil.example"
"ann@@works.example"
".ann@works.example"
"ann.@works.example"
"an..n@works.example"
"ann\u00a0@works.example"
"ann\u202e@works.example"
"ann@wö rks.example"
"ann(comment)@works.example"
"ann@works.example\u0007"
"ann@works.example\r\nDATA"
"|/bin/sh"
EOF2
    [ "$n" = 26 ]
    deliverer
    wait_for ended failed "$n"
    local id
    for id in $(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1); do
        local why
        why=$(redis --raw hget "$PREFIX:delivery:$tenant:$id" lastError)
        echo "$why"
        [[ $why == "the user's e-mail address: "?* ]]
        [ "$(redis --raw hget "$PREFIX:delivery:$tenant:$id" attemptCount)" = 0 ]
    done
    run ! grep -q '"connection"' "$RUN_DIR/sink.out"
}

# headers_of ADDRESS: those of the e-mail to it, byte by byte.
headers_of() { out sink | jq -r "select(.mail and .to == [\"$1\"]) | .raw" | base64 -d | sed '/^\r$/q'; }

@test "a domain with other letters than ASCII is converted, in the envelope and in the headers" {
    sink
    recorded 3
    raw_user u1 '"ann@münchen.example"'
    raw_user u2 '"bob@MÜNCHEN.example"'
    raw_user u3 '"eve@例え.テスト"'
    deliverer --mail-from 'Straße <arda@straße.example>'
    wait_for ended sent 3
    mails
    jq . "$RUN_DIR/mails"
    all '.faults == [] and .utf8 == false and .to == .to_addresses and .from == "arda@xn--strae-oqa.example"'
    [ "$(jq -r '.to[0]' "$RUN_DIR/mails" | sort | paste -sd' ')" = "ann@xn--mnchen-3ya.example bob@xn--mnchen-3ya.example eve@xn--r8jz45g.xn--zckzah" ]
    all '.headers.From | endswith("<arda@xn--strae-oqa.example>")'
    all '.headers["Message-ID"] | endswith("@xn--strae-oqa.example>")'
}

@test "a local part with other letters goes out with SMTPUTF8" {
    sink --utf8
    recorded 3
    raw_user u1 '"jörg@acme.example"'
    raw_user u2 '"jörg@münchen.example"'
    deliverer --smtp-connections 1
    wait_for ended sent 3
    mails
    jq -s -e 'map({(.to[0]): .utf8}) | add == {"jörg@acme.example": true, "jörg@xn--mnchen-3ya.example": true, "u3@works.example": false}' "$RUN_DIR/mails"
    headers_of jörg@acme.example | grep -qx $'To: "N" <jörg@acme.example>\r'
    headers_of u3@works.example | grep -qx $'To: .*<u3@works.example>\r'
    # What is asked before does not cost a connection.
    [ "$(grep -c '"connection"' "$RUN_DIR/sink.out")" = 1 ]
}

@test "a relay without SMTPUTF8 is not sent what needs it, and the delivery says so" {
    sink
    recorded 3
    raw_user u1 '"jörg@acme.example"'
    raw_user u2 '"jürgen@acme.example"'
    deliverer --smtp-connections 1
    wait_for ended failed 2
    wait_for ended sent 1
    local id
    for id in $(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1); do
        redis --raw hmget "$PREFIX:delivery:$tenant:$id" status attemptCount lastError | paste -sd' '
    done >"$RUN_DIR/ends"
    cat "$RUN_DIR/ends"
    [ "$(grep -cx "failed 1 the relay does not offer SMTPUTF8, which the address needs" "$RUN_DIR/ends")" = 2 ]
    [ "$(grep -c '"rcpt"' "$RUN_DIR/sink.out")" = 1 ]
    [ "$(metric arda_notifyd_relay_up)" = 1 ]
}

@test "a user who is gone, not active or without an address by then gets none, with the reason" {
    free_port
    one_user
    start_notifyd --no-deliver
    created
    wait_for has_rows "$tenant" "$user" 1
    stop notifyd
    sink
    redis hdel "$PREFIX:users:$tenant" "$user"
    deliverer
    wait_for ended failed 1
    [ "$(field lastError)" = "the directory has no such user" ]
    [ "$(field attemptCount)" = 0 ]
    stop notifyd
    user_line "{\"userId\":\"$user\",\"active\":false}"
    again() {
        local id
        id=$(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1)
        redis hset "$PREFIX:delivery:$tenant:$id" status pending >/dev/null
        redis zadd "$PREFIX:due:$tenant:email" 1 "$id" >/dev/null
        redis zadd "$PREFIX:due" 1 "$tenant:email" >/dev/null
    }
    again
    deliverer
    wait_for ended failed 1
    [ "$(field lastError)" = "the user is not active" ]
    stop notifyd
    raw_user "$user" null
    again
    deliverer
    wait_for ended failed 1
    [ "$(field lastError)" = "the user has no e-mail address" ]
    run ! grep -q '"connection"' "$RUN_DIR/sink.out"
}

# ---- what the relay says ----

@test "4yz is tried again and sent once; the Message-ID and the Date stay" {
    sink --say '2*RCPT=450 4.2.0 later' --say '1*MESSAGE=451 scan'
    one_user
    deliverer
    created
    wait_for ended sent 1
    [ "$(field attemptCount)" = 4 ]
    [[ "$(field attempts)" == *"SMTP 450 to RCPT TO: 4.2.0 later"*"SMTP 451 to the message: scan"* ]]
    mails
    jq -s -e 'map(has("mail")) == [false, true] and .[0].headers.Date == .[1].headers.Date
        and .[0].headers["Message-ID"] == .[1].headers["Message-ID"]' "$RUN_DIR/mails"
}

@test "5yz for the recipient bounces, other 5yz fail, and others are not touched by it" {
    sink --say 'RCPT:gone@works.example=550 5.1.1 no such user'
    user_line '{"userId":"g","email":"gone@works.example"}'
    user_line '{"userId":"h","email":"here@works.example"}'
    deliverer
    created
    wait_for ended bounced 1
    wait_for ended sent 1
    local id
    for id in $(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1); do
        redis --raw hget "$PREFIX:delivery:$tenant:$id" lastError
    done >"$RUN_DIR/reasons"
    grep -qx "SMTP 550 to RCPT TO: 5.1.1 no such user" "$RUN_DIR/reasons"
}

# refused RULE TEXT: a relay that says so ends it as failed, with that text.
refused() {
    tenant=$(uuid)
    SINK=s$((++sinks)) sink --say "$1"
    one_user
    deliverer
    created
    wait_for ended failed 1
    [ "$(field lastError)" = "$2" ]
    [ "$(field attemptCount)" = 1 ]
    stop notifyd
    stop "s$sinks"
}

@test "5yz at MAIL FROM, DATA and after the message is final" {
    local sinks=0
    refused 'MAIL=550 not from you' "SMTP 550 to MAIL FROM: not from you"
    refused 'DATA=554 no data' "SMTP 554 to DATA: no data"
    refused 'MESSAGE=554 5.7.1 looks like spam' "SMTP 554 to the message: 5.7.1 looks like spam"
}

@test "a relay that hangs, drops the connection or is away: tried again, then sent once" {
    one_user
    SINK=one sink --hang MESSAGE
    port=$PORT
    start_notifyd --retry-schedule 0,0.1,0.1,30s --smtp-timeout 0.5 --smtp "smtp://127.0.0.1:$port"
    created
    tried() { [[ "$(field attempts)" == *"$1"* ]]; }
    wait_for tried "not ended within 500 ms, at the message"
    stop one
    wait_for tried "onnect"
    stop notifyd
    SINK=two sink --port "$port" --drop DATA
    start_notifyd --retry-schedule 0,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1 --smtp "smtp://127.0.0.1:$port"
    id=$(redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1)
    redis zadd "$PREFIX:due:$tenant:email" 1 "$id"
    redis zadd "$PREFIX:due" 1 "$tenant:email"
    wait_for tried ", at DATA"
    stop notifyd
    stop two
    SINK=three sink --port "$port"
    redis hset "$PREFIX:delivery:$tenant:$id" attemptCount 0 status pending
    redis zadd "$PREFIX:due:$tenant:email" 1 "$id"
    redis zadd "$PREFIX:due" 1 "$tenant:email"
    deliverer
    wait_for ended sent 1
    [ "$(grep -c '"mail"' "$RUN_DIR/three.out")" = 1 ]
}

@test "a relay that is down is warned about, with its address and answer, and so is its end" {
    free_port
    local port=$PORT
    one_user
    deliverer --retry-schedule 0,0.2,0.2,0.2,0.2,0.2,0.2,60s
    [ "$(metric arda_notifyd_relay_up)" = 1 ]
    created
    created
    wait_for err_has notifyd "the relay 127.0.0.1:$port fails: "
    [[ "$(err notifyd)" == *"ailed to connect"*"; e-mails are tried again"* ]]
    relay_is() { [ "$(metric arda_notifyd_relay_up)" = "$1" ]; }
    wait_for relay_is 0
    sink --port "$port"
    wait_for err_has notifyd "the relay 127.0.0.1:$port works again"
    wait_for relay_is 1
    wait_for ended sent 2
    # However many attempts there were.
    [ "$(grep -c "the relay " "$RUN_DIR/notifyd.err")" = 2 ]
}

@test "a log-in that is refused is warned about, what a message is refused for is not" {
    sink --auth ann:right
    one_user
    start_notifyd --retry-schedule 0,0.1,60s --smtp "smtp://ann:wr0ng@127.0.0.1:$PORT"
    created
    wait_for err_has notifyd "the relay 127.0.0.1:$PORT fails: SMTP 535 to AUTH"
    [ "$(metric arda_notifyd_relay_up)" = 0 ]
    run ! err_has notifyd wr0ng
    stop notifyd
    tenant=$(uuid)
    one_user
    SINK=picky sink --say 'RCPT=550 no such user' --say 'MAIL=451 not now'
    deliverer --retry-schedule 0,0.1,0.1
    created
    wait_for ended failed 1
    run ! err_has notifyd "the relay 127"
    [ "$(metric arda_notifyd_relay_up)" = 1 ]
}

@test "a relay that hangs keeps nothing else waiting, and the end comes in time" {
    sink --hang MESSAGE
    one_user
    deliverer --drain 0.1
    created
    wait_for out_has sink '"rcpt"'
    SECONDS=0
    curl -sf "$NOTIFYD_ADMIN/healthz" >/dev/null
    stop notifyd
    [ "$status" = 0 ]
    [ "$SECONDS" -lt 20 ]
    ended pending 1
}

# ---- TLS and log-in ----

@test "smtps: the certificate is checked" {
    sink --tls smtps
    one_user
    start_notifyd --retry-schedule 0,1h --smtp "smtps://127.0.0.1:$PORT"
    created
    refused_certificate() { [[ "$(field attempts)" == *certificate* ]]; }
    wait_for refused_certificate
    ended pending 1
    stop notifyd
    tenant=$(uuid)
    one_user
    start_notifyd --smtp "smtps://localhost:$PORT" --smtp-ca "$ca"
    created
    wait_for ended sent 1
    mails
    all '.tls == true and .faults == []'
}

@test "STARTTLS and log-in: percent-encoded, over TLS, and seen nowhere" {
    sink --tls starttls --auth 'ann@acme:p/s:s#1%'
    one_user
    start_notifyd -vv --smtp "smtp://ann%40acme:p%2Fs%3As%231%25@127.0.0.1:$PORT"
    run ! grep -qaF 'p%2Fs' "/proc/$(pid_of notifyd)/cmdline"
    created
    wait_for ended sent 1
    mails
    all '.tls == true and .user == "ann@acme"'
    run ! grep -qE 'p%2Fs|p/s:s' "$RUN_DIR/notifyd.err"
}

@test "a wrong password is tried again, told without it, and right later" {
    sink --auth ann:right
    one_user
    start_notifyd --retry-schedule 0,1h --smtp "smtp://ann:wr0ng@127.0.0.1:$PORT"
    created
    denied() { [[ "$(field attempts)" == *"SMTP 535 to AUTH"* ]]; }
    wait_for denied
    ended pending 1
    [[ "$(field attempts)" != *wr0ng* ]]
    run ! grep -q wr0ng "$RUN_DIR/notifyd.err"
}

# The same computer by a name that is not one of those the daemon takes for it.
@test "without STARTTLS a relay elsewhere gets nothing, no password either, unless it is optional" {
    sink --auth ann:right
    one_user
    start_notifyd --retry-schedule 0,1h --smtp "smtp://ann:right@127.1:$PORT"
    created
    told() { [[ "$(field attempts)" == *"the relay does not offer STARTTLS, without which nothing is sent to it"* ]]; }
    wait_for told
    run ! grep -qE '"login"|"rcpt"' "$RUN_DIR/sink.out"
    stop notifyd
    tenant=$(uuid)
    one_user
    start_notifyd --smtp-tls optional --smtp "smtp://ann:right@127.1:$PORT"
    created
    wait_for ended sent 1
}

# ---- templates ----

@test "templates of a folder are used, read again, and kept when they have become wrong" {
    mkdir "$RUN_DIR/forms"
    printf 'Subject: New: {{title}}\n\nDear {{userName}}, {{body}}\n' >"$RUN_DIR/forms/po_created.txt"
    sink
    one_user
    deliverer --templates "$RUN_DIR/forms"
    created PO-1
    wait_for taken 1
    printf 'Subject: Newer\n\n{{body}}\n' >"$RUN_DIR/forms/po_created.txt"
    kill -HUP "$(pid_of notifyd)"
    wait_for err_has notifyd "reading the directory again"
    created PO-2
    wait_for taken 2
    printf 'Subject: Newest\n\n{{nobody}}\n' >"$RUN_DIR/forms/po_created.txt"
    kill -HUP "$(pid_of notifyd)"
    wait_for err_has notifyd "the templates stay as they were"
    err_has notifyd "--templates: $RUN_DIR/forms/po_created.txt: line 3: "
    created PO-3
    wait_for taken 3
    mails
    jq -s -e 'map(.headers.Subject | sub("New: New .*"; "New: New")) == ["New: New", "Newer", "Newer"]' "$RUN_DIR/mails"
    jq -s -e 'map(.plain) | (.[0] | startswith("Dear Ann, PO-1 was created.")) and (.[2] | startswith("PO-3 was"))' "$RUN_DIR/mails"
    all '.faults == []'
}

# ---- what is refused at the start ----

# refuse STATUS TEXT OPTION...
refuse() {
    local want=$1 text=$2
    shift 2
    run arda-notifyd "$@"
    echo "$output"
    [ "$status" = "$want" ]
    [[ $output == *"arda-notifyd: "*"$text"* ]]
    [[ $output != *s3cret* ]]
}

@test "what makes no sense is refused at the start, with its place" {
    mkdir "$RUN_DIR/forms"
    printf 'Hello\n' >"$RUN_DIR/forms/default.txt"
    printf 'short\n' >"$RUN_DIR/short"
    refuse 78 "--smtp: expected smtp:// or smtps://" --smtp http://u:s3cret@relay
    refuse 78 "--smtp: not a URL: no scheme://" --smtp relay.example
    refuse 78 "--smtp: not a URL: bad port" --smtp smtp://u:s3cret@relay:99999
    refuse 78 "--smtp: the password is not percent-encoded" --smtp smtp://u:s3cret%@relay
    SMTP_URL=nonsense refuse 78 "--smtp: not a URL: no scheme://"
    refuse 78 "--mail-from: " --smtp smtp://relay --mail-from 'Arda <nobody>'
    refuse 78 "--public-url: expected http(s)://HOST" --smtp smtp://relay --public-url ftp://x
    refuse 78 "--public-url: expected http(s)://HOST" --smtp smtp://relay --public-url 'https://x/?a=b'
    APP_URL=nonsense refuse 78 "APP_URL: " --smtp smtp://relay
    APP_URL='https://*.example.com' refuse 78 "APP_URL: " --smtp smtp://relay
    refuse 78 "--templates: $RUN_DIR/none: No such file or directory" --templates "$RUN_DIR/none"
    refuse 78 "--templates: $RUN_DIR/forms/default.txt: line 1: expected \`Subject:' and a text" --templates "$RUN_DIR/forms"
    refuse 78 "--unsubscribe-secret-file: " --smtp smtp://relay --unsubscribe-secret-file "$RUN_DIR/short"
    UNSUBSCRIBE_TOKEN_SECRET=short refuse 78 "UNSUBSCRIBE_TOKEN_SECRET: " --smtp smtp://relay
    refuse 78 "--smtp-ca: cannot read $RUN_DIR/none" --smtp smtp://relay --smtp-ca "$RUN_DIR/none"
    refuse 64 "--smtp-tls" --smtp-tls never
    refuse 64 "--smtp-timeout" --smtp smtp://relay --smtp-timeout 0
    refuse 64 "--smtp-connections" --smtp-connections 0
}
