#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The examples of the manual do what their pages say. Each is found by its introduction, so that
# one that is new, or has lost its test, is noticed.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
teardown() {
    stop_all
    [ -z "${postgres_dir:-}" ] || rm -rf "$postgres_dir"
}

pages=${top_srcdir:?}/man
unset postgres_dir
export JWT_SECRET=only-for-tests-and-at-least-32-bytes-long

# examples PAGE: the introductions of its examples, one a line.
examples() {
    awk '/^\.Sh /{ inside = /EXAMPLES/ } inside && /:$/' "$pages/$1"
}

# example PAGE INTRODUCTION: its lines, as a reader sees them.
example() {
    awk -v wanted="$2" '
        /^\.Sh /{ inside = /EXAMPLES/ }
        inside && $0 == wanted { found = 1 }
        found && /^\.Ed/ { exit }
        shown { gsub(/\\e/, "\\"); print }
        found && /^\.Bd -literal/ { shown = 1 }' "$pages/$1"
}

# try PAGE INTRODUCTION: runs it.
try() {
    local text
    text=$(example "$1" "$2")
    [ -n "$text" ]
    run --separate-stderr bash -c "$text"
    echo "$output" "${stderr:-}"
    [ "$status" -eq 0 ]
}

# launch PAGE INTRODUCTION [SED]: starts it, changed by a script of sed, and goes on.
launch() {
    local text
    text=$(example "$1" "$2" | sed -e "${3:-}")
    [ -n "$text" ]
    # Behind the last command, so that bash does not become it.
    start example bash -c "$text
        exit"
}

# end_child PROGRAM: ends a program that the example has started.
end_child() {
    local child
    child=$(pgrep -P "$(pid_of example)" -x "$1")
    [ -n "$child" ]
    kill "$child"
}

publish_order() { # TENANT
    local tenant=$1
    shift
    arda-publish "$@" --loose-ids order.created tenantId="$tenant" orderType=purchase_order orderId=o1 \
        orderNumber=PO-0001 linkedCardIds=
}

@test "every example of a program's page has a test" {
    for page in "$pages"/arda*.1 "$pages/arda.7"; do
        while read -r text; do
            grep -qF -- "${page##*/} '$text'" "$BATS_TEST_FILENAME" ||
                grep -qF -- "${page##*/} \"$text\"" "$BATS_TEST_FILENAME"
        done < <(examples "${page##*/}")
    done
    [ "$(examples arda-publish.1 | wc -l)" -eq 8 ]
}

@test "arda-publish" {
    try arda-publish.1 "See what a card's way to the next stage looks like:"
    [ "$(jq -r .toStage <<<"$output")" = triggered ]
    [ "$(redis xlen arda:stream:acme)" -eq 0 ]
    try arda-publish.1 'Publish it:'
    [ "$(redis xlen arda:stream:acme)" -eq 1 ]
    try arda-publish.1 'Publish lines of another program, and name it:'
    [ "$(redis xlen arda:stream:acme)" -eq 2 ]
    redis xrevrange arda:stream:acme + - COUNT 1 | grep -qx nightly-import
    try arda-publish.1 'Look up a type:'
    [ "${lines[0]}" = 'order.created (catalog section 6.2)' ]
    cd "$RUN_DIR"
    publish_order acme --dry-run >events.jsonl
    sed 's/,"eventId":"[^"]*"//' events.jsonl >new.jsonl
    mv new.jsonl events.jsonl
    try arda-publish.1 'Publish a file so that it can be done again, whatever happens:'
    try arda-publish.1 'Publish a file so that it can be done again, whatever happens:'
    [ "$(redis xlen arda:stream:acme)" -eq 3 ]
    try arda-publish.1 'Let nothing be lost in an outage, and send it later:'
    [ "$(redis xlen arda:stream:acme)" -eq 4 ]
    try arda-publish.1 'List where in the streams they have gone:'
    [ "$output" = "1 $(redis --raw xrevrange arda:stream:acme + - COUNT 1 | head -n 1)" ]
    try arda-publish.1 'Check events elsewhere:'
    jq -e '.title == "order.created"' order.created.schema.json
    cd "$OLDPWD"
}

@test "arda-subscribe: orders of two tenants" {
    launch arda-subscribe.1 'Watch the orders of two tenants:' 's/jq -r/jq --unbuffered -r/'
    wait_for subscribers globex 1
    wait_for subscribers acme 1
    publish_order globex
    wait_for out_has example PO-0001
    end_child arda-subscribe
    join example
}

@test "arda-subscribe: watching" {
    launch arda-subscribe.1 'Watch a tenant:'
    wait_for subscribers acme 1
    publish_order acme
    wait_for out_has example ' order.created           orderType=purchase_order orderNumber=PO-0001 '
    end_child arda-subscribe
    join example
}

@test "arda-subscribe: purchase orders that are sent" {
    launch arda-subscribe.1 'List the purchase orders that are sent, with tabs between the columns:'
    wait_for subscribers acme 1
    publish_order acme
    for type in work_order purchase_order; do
        arda-publish --loose-ids order.status_changed tenantId=acme orderType=$type orderId=o1 \
            orderNumber=PO-0001 fromStatus=draft toStatus=sent timestamp=2026-02-08T12:00:00Z
    done
    wait_for lines_of example 1
    end_child arda-subscribe
    join example
    [ "$(out example)" = $'2026-02-08T12:00:00Z\tPO-0001' ]
}

@test "arda-subscribe: the next event" {
    launch arda-subscribe.1 'Wait for the next event of any tenant, for ten seconds at most:'
    wait_for subscribers global 1
    publish_order acme
    join example
    [ "$status" -eq 0 ]
    out_has example PO-0001
}

@test "arda-subscribe: the last hour, then what comes" {
    publish_order acme
    launch arda-subscribe.1 'Print the last hour, then what comes:'
    wait_for lines_of example 1
    publish_order acme
    wait_for lines_of example 2
    end_child arda-subscribe
    join example
}

@test "arda-subscribe: everything into a file" {
    redis del arda:stream:acme
    publish_order acme
    arda-directory set loop acme l1
    for lines in 1 2; do
        launch arda-subscribe.1 'Append everything to a file; after a crash, start it again:' \
            "s|/var/[a-z]*|$BATS_TEST_TMPDIR|g"
        has_lines() { [ "$(wc -l <"$BATS_TEST_TMPDIR/events.jsonl")" = "$lines" ]; }
        wait_for has_lines
        end_child arda-subscribe
        join example
        publish_order acme
    done
    redis flushall
}

@test "arda-subscribe: which tenants are alive" {
    publish_order acme
    try arda-subscribe.1 'See which tenants are alive:'
    [[ ${lines[-1]} == *Z$'\t'acme ]]
}

@test "arda-subscribe: a copy for another Redis" {
    launch arda-subscribe.1 'Copy the events of one tenant to another Redis:' \
        's|--redis=.*|--prefix=staging|'
    wait_for subscribers acme 1
    publish_order acme
    copied() { [ "$(redis xlen staging:stream:acme)" -eq 1 ]; }
    wait_for copied
    end_child arda-subscribe
    join example
    [ "$status" -eq 0 ]
}

# gateway_for TENANT: on a free port, and the file `token` for a user of the tenant.
gateway_for() {
    APP_URL='' JWT_SECRET=$JWT_SECRET start gateway arda-gateway --listen 127.0.0.1:0
    wait_for err_has gateway 'listening on'
    address=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$RUN_DIR/gateway.err")
    cd "$RUN_DIR" || return
    arda-token mint --tenant="$1" --user=ann --ttl=1h >token
}

@test "arda-subscribe: what a browser receives" {
    gateway_for acme
    launch arda-subscribe.1 'See what a browser with this token receives:' \
        "s/127.0.0.1:3000/$address/; s/jq -r/jq --unbuffered -r/"
    wait_for out_has example upgrade
    publish_order acme
    wait_for out_has example order.created
    end_child arda-subscribe
    join example
    head -n 1 "$RUN_DIR/example.out" | grep -qx handshake
}

@test "arda-subscribe: a gateway that passes everything on" {
    gateway_for acme
    launch arda-subscribe.1 'Check for a minute that a gateway passes everything on:' \
        "s/127.0.0.1:3000/$address/; s/ exit$/ exit \$?/"
    wait_for err_has example ': comparing'
    publish_order acme
    end_child arda-subscribe
    join example
    [ "$status" -eq 0 ]
    [ ! -s "$RUN_DIR/example.out" ]
}

@test "arda-replay" {
    cd "$BATS_TEST_TMPDIR"
    redis flushall
    arda-publish --loose-ids --dry-run order.created tenantId=acme orderType=purchase_order \
        orderId=o1 orderNumber=PO-0001 linkedCardIds= >day.jsonl
    sed 's/PO-0001/PO-0002/; s/"eventId":"[^"]*"/"eventId":"o-2"/' day.jsonl >second.jsonl
    cat second.jsonl >>day.jsonl
    try arda-replay.1 'Look at a recording before it is replayed:'
    [ "$output" = 0 ]
    try arda-replay.1 'Replay it ten times as fast for trial, without mails and calls to anybody:'
    [ "$(redis xlen arda:stream:acme-trial)" -eq 2 ]
    [ "$(redis smembers arda:shadows)" = acme-trial ]
    head -n 1 day.jsonl | arda-publish --loose-ids
    try arda-replay.1 'Put back what is missing in a stream that was lost, and nothing else:'
    [ "$(redis xlen arda:stream:acme)" -eq 2 ]
    try arda-replay.1 'Copy the stream of a tenant to another, with new ids, and go on after a failure:'
    [ "$(redis xlen arda:stream:demo)" -eq 2 ]
    [ "$(jq .complete copy.state)" = true ]
}

@test "arda-token" {
    try arda-token.1 'Mint a token for an hour:'
    arda-token inspect <<<"$output" | jq -e '.valid and .claims.exp - .claims.iat == 3600'
    try arda-token.1 'See what it says:'
    [ "$(jq -r .role <<<"$output")" = planner ]
    cd "$BATS_TEST_TMPDIR"
    try arda-token.1 "Sign with a key of one's own, and check with its public half:"
    [ "$(jq -c '[.header.alg, .header.kid, .valid]' <<<"$output")" = '["ES256","2026",true]' ]
}

@test "arda-directory" {
    try arda-directory.1 'Add a user and a loop:'
    [ "$(arda-directory dump acme | wc -l)" -eq 2 ]
    try arda-directory.1 "List the addresses of a tenant's active users:"
    [ "$output" = ann@acme.example ]
    try arda-directory.1 'Deactivate the user:'
    arda-directory get user acme ann | jq -e '.active == false and .name == "Ann"'
    try arda-directory.1 'Send her no e-mail when an order was sent, and all e-mails as a daily digest:'
    [ "$(arda-directory get preference acme ann po_sent email | jq .enabled)" = false ]
    [ "$(arda-directory get digest acme '*' '*' | jq -r .schedule)" = daily@08:00 ]
    cd "$BATS_TEST_TMPDIR"
    try arda-directory.1 'Make a secret, and give it to a webhook:'
    [ "$(arda-directory get --secrets webhook acme | jq -r .secret)" = "$(cat secret)" ]
    (printf whsec_ && head -c 24 /dev/zero | base64) >newer
    try arda-directory.1 'Replace it by another one, which receivers learn before the former one goes:'
    arda-directory get --secrets webhook acme | jq -e --arg newer "$(cat newer)" '.secret == $newer and (has("previousSecret") | not)'
    arda-directory set webhook acme enabled=false
    try arda-directory.1 'Enable a webhook again that was disabled because it had failed for days:'
    [ "$(arda-directory get webhook acme | jq .enabled)" = true ]
    try arda-directory.1 'Copy a tenant under another prefix:'
    diff <(arda-directory dump --secrets acme) <(arda-directory --prefix=test dump --secrets)
    try arda-directory.1 "List the addresses of a tenant's active users:"
    [ -z "$output" ]
}

@test "arda-notifyd" {
    arda-directory set user acme ann email=ann@acme.example name=Ann active=true
    try arda-notifyd.1 'Ask why somebody was notified, or was not:'
    [ "$(grep '^ann ' <<<"$output")" = "ann in_app true the catalog's default
ann email true the catalog's default
ann webhook false the catalog's default" ]
    # redis-cli has its own way to name a server, so not by try.
    redis xadd arda:notifyd:dead '*' reason x tenantId acme streamId 1-1 envelope '{' >/dev/null
    text=$(example arda-notifyd.1 'See the dead letters:')
    run -0 bash -c "${text/redis-cli/redis-cli -p $REDIS_PORT}"
    [[ $output == *tenantId* ]]
    redis zadd arda:deliveries:acme 1 d1 2 d2 >/dev/null
    redis hset arda:delivery:acme:d1 status failed lastError 'no answer' >/dev/null
    redis hset arda:delivery:acme:d2 status sent >/dev/null
    text=$(example arda-notifyd.1 'See what became of the latest deliveries of a tenant, and why:')
    run -0 bash -c "${text//redis-cli/redis-cli -p $REDIS_PORT}"
    [ "${lines[0]} ${lines[*]: -2}" = "sent failed no answer" ]
}

@test "arda-deliveries" {
    arda-directory set user acme ann active=true
    arda-directory set webhook acme url=https://acme.example/hook secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3 enabled=false
    arda-inbox add -t acme -u ann --type system_alert --title 'To nobody'
    # As a daemon leaves it that finds no address.
    id=$(arda-deliveries list -t acme -u ann -n 1 --json | jq -r .id)
    redis hset "arda:delivery:acme:$id" status failed lastError 'no e-mail address' >/dev/null
    try arda-deliveries.1 'See what has failed within a day:'
    [[ $output == *"$id"*'no e-mail address' ]]
    try arda-deliveries.1 'Find out why somebody has got no e-mail about orders:'
    [[ $output == *"email     on (the catalog's default)"* ]]
    try arda-deliveries.1 'Count the errors:'
    [ "$(tail -n 1 <<<"$output" | tr -s ' ')" = ' 1 no e-mail address' ]
    try arda-deliveries.1 'Try again what has failed for lack of an address:'
    [ "$output" = '1 redriven' ]
    text=$(example arda-deliveries.1 'Enable a webhook that was disabled, and send what it has missed:')
    run -1 bash -c "$text"
    [ "$output" = 'acme.example, disabled
0 redriven' ]
}

@test "arda-inbox" {
    arda-directory set user acme ann active=true
    arda-directory set user acme bob
    try arda-inbox.1 'Tell everybody of a tenant:'
    [ "$(arda-inbox count -t acme -u bob)" = 1 ]
    try arda-inbox.1 'Warn one person once a day, from a job that runs every minute:'
    try arda-inbox.1 'Warn one person once a day, from a job that runs every minute:'
    [ "$(arda-inbox count -t acme -u ann)" -le 3 ] # midnight may have passed
    arda-inbox add -t acme -u ann --type card_triggered --title 'A card'
    try arda-inbox.1 'Mark as read what is about cards:'
    arda-inbox list -t acme -u ann --unread --json | jq -e -s 'map(.type) | index("card_triggered") == null'
    try arda-inbox.1 'See what is new, and mark it as read:'
    [ "${#lines[@]}" -ge 2 ]
    [ "$(arda-inbox count -t acme -u ann --unread)" = 0 ]
}

@test "arda-inbox: on the desktop" {
    launch arda-inbox.1 'Show what comes on the desktop:' 's/notify-send/echo told/'
    wait_for subscribers acme 1
    arda-inbox add -t acme -u ann --type system_alert --title "It's here"
    wait_for out_has example "told It's here"
    end_child arda-inbox
    join example
}

# A server in a folder of the test's own, reached through its Unix socket alone. It does not run as
# root.
start_postgres() {
    local bin as=()
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
    [ -x "$bin/initdb" ] || skip "PostgreSQL is not installed"
    [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    postgres_dir=$(mktemp -d)
    export PGHOST=$postgres_dir PGUSER=arda PGDATABASE=postgres
    chmod 777 "$PGHOST"
    cd "$PGHOST" || return
    "${as[@]}" "$bin/initdb" --no-sync -A trust -U arda -D "$PGHOST/data" >/dev/null
    start postgres "${as[@]}" "$bin/postgres" -D "$PGHOST/data" -k "$PGHOST" -h '' -F
    wait_for psql -qc 'SELECT 1' >/dev/null 2>&1
}

@test "arda-directory: from PostgreSQL" {
    start_postgres
    psql -q -v ON_ERROR_STOP=1 <<'END'
CREATE SCHEMA auth;
CREATE SCHEMA kanban;
CREATE SCHEMA notifications;
CREATE TYPE notifications.type AS ENUM ('po_sent', 'production_hold');
CREATE TYPE notifications.channel AS ENUM ('in_app', 'email', 'webhook');
CREATE TABLE auth.tenants (id text, is_active boolean, settings jsonb);
CREATE TABLE auth.users (id text, tenant_id text, email text, first_name text, last_name text, is_active boolean);
CREATE TABLE kanban.kanban_loops (id text, tenant_id text, is_active boolean);
CREATE TABLE notifications.notification_preferences (tenant_id text, user_id text,
    notification_type notifications.type, channel notifications.channel, is_enabled boolean);
CREATE TABLE notifications.tenant_default_preferences (tenant_id text,
    notification_type notifications.type, channel notifications.channel, is_enabled boolean);
INSERT INTO auth.tenants VALUES
    ('acme', true, '{"timezone":"Europe/Berlin","webhookUrl":"https://acme.example/hook",
        "webhookSecret":"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}'),
    ('globex', false, '{"webhookUrl":"https://globex.example","webhookSecret":"other"}'), ('new', true, NULL);
INSERT INTO auth.users VALUES ('ann', 'acme', 'ann@acme.example', 'Ann', 'O''Neil "A"', true),
    ('bob', 'globex', 'bob@globex.example', 'Bob', 'B', true);
INSERT INTO kanban.kanban_loops VALUES ('line-4', 'acme', true), ('line-5', 'acme', false);
INSERT INTO notifications.notification_preferences VALUES ('acme', 'ann', 'po_sent', 'email', false),
    ('acme', 'ann', 'production_hold', 'email', true);
INSERT INTO notifications.tenant_default_preferences VALUES ('acme', 'po_sent', 'webhook', true);
END
    try arda-directory.1 "Fill the directory from the tables of the platform's services:"
    arda-directory dump --secrets | diff - <(cat <<'END'
{"kind":"loop","tenantId":"acme","loopId":"line-4"}
{"kind":"preference","tenantId":"acme","userId":null,"notificationType":"po_sent","channel":"webhook","enabled":true}
{"kind":"preference","tenantId":"acme","userId":"ann","notificationType":"po_sent","channel":"email","enabled":false}
{"kind":"user","tenantId":"acme","userId":"ann","email":"ann@acme.example","active":true,"name":"Ann O'Neil \"A\"","timeZone":"Europe/Berlin"}
{"kind":"webhook","tenantId":"acme","url":"https://acme.example/hook","secret":"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3","enabled":true}
{"kind":"user","tenantId":"globex","userId":"bob","email":"bob@globex.example","active":false,"name":"Bob B"}
{"kind":"tenant","tenantId":"new"}
END
    )
    arda-directory dump --secrets >before
    psql -qc 'DROP TABLE notifications.tenant_default_preferences; DELETE FROM auth.users'
    run bash -c "$(example arda-directory.1 "Fill the directory from the tables of the platform's services:")"
    [ "$status" -eq 65 ]
    [[ $output == *"nothing was removed"* ]]
    arda-directory dump --secrets | diff before -
}

@test "arda-gateway: an application in development" {
    launch arda-gateway.1 'Serve an application in development:'
    wait_for err_has example 'listening on 127.0.0.1:'
    end_child arda-gateway
    join example
    [ "$status" -eq 0 ]
}

@test "arda-gateway: the events of another installation" {
    launch arda-gateway.1 'Show the events of one tenant of another installation:'
    wait_for err_has example 'listening on 127.0.0.1:'
    wait_for subscribers acme 1
    end_child arda-subscribe
    wait_for err_has example 'standard input has ended'
    end_child arda-gateway
    join example
    [ "$status" -eq 0 ]
}

@test "arda(7)" {
    redis flushall
    try arda.7 'Make a tenant known, and publish an event of it:'
    [ "$(redis smembers arda:tenants)" = acme ]
    [ "$(redis xlen arda:stream:acme)" -eq 1 ]
    try arda.7 'Mint a token for a browser:'
    [[ $output == ey*.*.* ]]
}

# What the watcher of arda(7) sees of an example: the types, and what has become of things.
seen() {
    awk '{ print $4 }' "$RUN_DIR/example.out" | paste -sd' '
    grep -o -e '-> [a-z_]*' "$RUN_DIR/example.out" | paste -sd' '
}

@test "arda(7): from a card to an order" {
    launch arda.7 'Watch a tenant:'
    wait_for subscribers acme 1
    try arda.7 'From a card that is triggered to an order, which is made for another card too:'
    wait_for lines_of example 6
    [ "$(seen)" = "card.transition notification.created order.created notification.created card.transition card.transition
-> triggered -> ordered -> ordered" ]
    end_child arda-subscribe
    join example
}

@test "arda(7): the life of a purchase order" {
    launch arda.7 'Watch a tenant:'
    wait_for subscribers acme 1
    try arda.7 'The life of a purchase order:'
    wait_for lines_of example 8
    change='order.status_changed notification.created'
    [ "$(seen)" = "order.created notification.created $change $change $change
-> sent -> partially_received -> received" ]
    end_child arda-subscribe
    join example
}
