#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Daemons of which not each can send everything: what one leaves, another sends; what none sends
# waits, in sight.

load ../lib/common.bash

python=${PYTHON:-/usr/bin/python3}

setup_file() { start_redis; }
teardown_file() { stop_all; }

setup() {
    "$python" -c 'import aiosmtpd' 2>/dev/null || skip "python3-aiosmtpd is not installed"
    export ARDA_PREFIX="leaves$BATS_TEST_NUMBER" EMAIL_FROM="arda@acme.example"
    unset SMTP_URL UNSUBSCRIBE_TOKEN_SECRET
    PREFIX=$ARDA_PREFIX
    tenant=$(uuid)
}
teardown() { stop_all; }

sink() {
    start sink "$python" "$top_srcdir/tests/lib/smtp-sink.py" "$@"
    wait_for out_has sink '"port"'
    RELAY=smtp://127.0.0.1:$(out sink | jq -r 'select(.port).port')
}
created() { # one e-mail for each user
    arda-publish -q order.created tenantId="$tenant" orderType=purchase_order orderId="$(uuid)" \
        orderNumber=PO-1 linkedCardIds=
}
ids() { redis --raw zrange "$PREFIX:deliveries:$tenant" 0 -1; }
# statuses: of all deliveries of the tenant, each with how many have it, on one line.
statuses() {
    local id
    for id in $(ids); do redis --raw hget "$PREFIX:delivery:$tenant:$id" status; done |
        sort | uniq -c | awk '{ print $2 "=" $1 }' | paste -sd' '
}
statuses_are() { [ "$(statuses)" = "$1" ]; }
# due_since SECONDS: what waits has been due for so long.
due_since() {
    local id at
    at=$(($(date +%s%3N) - $1 * 1000))
    for id in $(ids); do redis zadd "$PREFIX:due:$tenant:email" "$at" "$id"; done
    redis zadd "$PREFIX:due" "$at" "$tenant:email"
} >/dev/null
metric_is() { [ "$(metric "$1")" = "$2" ]; }
field() { redis --raw hget "$PREFIX:delivery:$tenant:$(ids | head -n 1)" "$1"; }
# forgotten: the sign that somebody sends e-mails is over.
forgotten() { [ "$(redis exists "$PREFIX:attended:email")" = 0 ]; }
attended() { [ "$(redis exists "$PREFIX:attended:email")" = 1 ]; }

@test "a daemon without a relay leaves e-mails to one that has one, and says so once" {
    local user round
    sink
    start_notifyd alone
    SMTP_URL=$RELAY start_notifyd relayed
    for user in a b c d; do load_users "$tenant" "$user"; done
    for round in 1 2 3; do created; done
    wait_for statuses_are sent=12
    [ "$(grep -c '"mail"' "$RUN_DIR/sink.out")" = 12 ]
    stop alone
    stop relayed
    [ "$(err alone | grep -c "leaves e-mails")" = 1 ]
    run ! err_has relayed "leaves e-mails"
    run ! err_has alone "no daemon"
}

@test "e-mails that no daemon takes wait, in sight, until one comes" {
    load_users "$tenant" ann
    start_notifyd alone
    created
    wait_for statuses_are pending=1
    # What others do goes on meanwhile, and nothing is attempted.
    wait_for metric_is 'arda_notifyd_deliveries_unattended{channel="email"}' 1
    [ "$(metric 'arda_notifyd_deliveries_unattended{channel="webhook"}')" = 0 ]
    [ "$(metric 'arda_notifyd_email_attempts_total{outcome="failed"}')" = 0 ]
    [ "$(field attemptCount)" = 0 ]
    due_since 7300
    run -0 arda-deliveries list --tenant "$tenant"
    [[ $output == *"  pending     0  due for 2 h: no daemon takes e-mails: no relay is given ("* ]]
    run -0 arda-deliveries list --tenant "$tenant" --json
    [[ $(jq -r .obstacle <<<"$output") == "no daemon takes e-mails: no relay is given (--smtp"* ]]
    [ "$(jq -r '.nextAttemptAt | length' <<<"$output")" = 24 ]
    run -0 arda-deliveries explain --tenant "$tenant" --user ann --type po_created
    [[ $output == *"  pending, 0 attempts, due since "*" (2 h): no daemon takes e-mails: no relay"* ]]
    run -0 arda-deliveries count --tenant "$tenant"
    [ "$(tail -n 1 <<<"$output" | xargs)" = "unattended 1" ]
    [ "$(arda-deliveries count --tenant "$tenant" --json | jq -c '[.pending, .unattended]')" = "[1,1]" ]
    wait_for err_has alone "1 e-mail is due and no daemon takes it, for 2 h: no relay is given (--smtp"
    sink
    start_notifyd relayed --smtp "$RELAY"
    wait_for statuses_are sent=1
    [ "$(arda-deliveries count --tenant "$tenant" --json | jq -c '[.sent, .unattended]')" = "[1,0]" ]
    # However long it lasts, the next warning comes minutes later.
    [ "$(err alone | grep -c "no daemon takes")" = 1 ]
}

@test "daemons that deliver nothing at all tell of what waits, too" {
    load_users "$tenant" ann
    start_notifyd silent --no-deliver
    created
    wait_for statuses_are pending=1
    due_since 60
    wait_for err_has silent "1 e-mail is due and no daemon takes it, for 1 min"
    metric_is 'arda_notifyd_deliveries_unattended{channel="email"}' 1
    run -0 arda-deliveries list --tenant "$tenant"
    [[ $output == *"due for 1 min: no daemon takes e-mails" ]]
}

@test "an e-mail that no daemon takes fails when its schedule is over, and not while one does" {
    load_users "$tenant" ann
    sink
    start_notifyd recorder --no-deliver
    created
    wait_for statuses_are pending=1
    stop recorder
    redis set "$PREFIX:attended:email" another px 600000 >/dev/null
    start_notifyd alone --retry-schedule 0s,1h,2h
    due_since 14400
    created # which is claimed for, and so is what is due before it
    wait_for statuses_are pending=2
    wait_for metric_is arda_notifyd_deliveries_pending 2
    [ "$(statuses)" = pending=2 ]
    due_since 10000
    redis del "$PREFIX:attended:email" >/dev/null
    wait_for metric_is 'arda_notifyd_deliveries_unattended{channel="email"}' 2
    [ "$(statuses)" = pending=2 ]
    due_since 10900
    wait_for statuses_are failed=2
    [[ "$(field lastError)" == "no daemon has taken it within the retry schedule: no relay is given ("* ]]
    [ "$(field attemptCount)" = 0 ]
    [ "$(metric 'arda_notifyd_email_attempts_total{outcome="failed"}')" = 2 ]
    run ! out_has sink '"connection"'
}

@test "a daemon that cannot read its templates or its secret ends, and its e-mails are another's" {
    local folder=$RUN_DIR/texts
    load_users "$tenant" ann
    sink
    start_notifyd recorder --no-deliver
    created
    wait_for statuses_are pending=1
    stop recorder
    run -78 arda-notifyd --smtp "$RELAY" --templates "$folder"
    mkdir "$folder"
    printf 'no subject\n' >"$folder/default.txt"
    run -78 arda-notifyd --smtp "$RELAY" --templates "$folder"
    run -78 arda-notifyd --smtp "$RELAY" --public-url https://a.example --unsubscribe-secret-file "$RUN_DIR/none"
    [[ $output == *"--unsubscribe-secret-file"* ]]
    [ "$(statuses)" = pending=1 ]
    [ "$(field attemptCount)" = 0 ]
    start_notifyd relayed --smtp "$RELAY"
    wait_for statuses_are sent=1
}

@test "what a daemon may not read in the directory is left to others, not put off and not failed" {
    load_users "$tenant" ann
    sink
    start_notifyd recorder --no-deliver
    created
    wait_for statuses_are pending=1
    stop recorder
    redis acl setuser blind on nopass '~*' '&*' +@all resetkeys "%RW~$PREFIX:[^u]*" "%RW~$PREFIX:unread*" >/dev/null
    start_notifyd blind --smtp "$RELAY" --redis "redis://blind:x@127.0.0.1:$REDIS_PORT"
    wait_for err_has blind "deliveries: delivery $(ids) of $tenant: "
    [ "$(field lease)" = "" ]
    [ "$(field status)" = pending ]
    start_notifyd seeing --smtp "$RELAY"
    wait_for statuses_are sent=1
    [ "$(field attemptCount)" = 1 ]
    redis acl deluser blind >/dev/null
}
