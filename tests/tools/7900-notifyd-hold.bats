#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Quiet hours and digests: e-mails that wait, by the clock of the person's time zone.

load ../lib/common.bash

python=${PYTHON:-/usr/bin/python3}

setup_file() { start_redis; }
teardown_file() { stop_all; }

# A relay, which daemons use: one without leaves e-mails to others, and does not hold them either.
start_relay() {
    "$python" -c 'import aiosmtpd' 2>/dev/null || skip "python3-aiosmtpd is not installed"
    start sink "$python" "$top_srcdir/tests/lib/smtp-sink.py" --tls none
    wait_for out_has sink '"port"'
    SMTP_URL=smtp://127.0.0.1:$(out sink | jq -r 'select(.port).port')
    export SMTP_URL ARDA_NOTIFYD_MAIL_FROM=arda@acme.example ARDA_NOTIFYD_PUBLIC_URL=https://arda.example
    export UNSUBSCRIBE_TOKEN_SECRET=a-secret-of-thirty-two-bytes-or-more
}

setup() {
    tenant=$(uuid) ann=ann-$(uuid) bob=bob-$(uuid)
    person "$ann" ,\"timeZone\":\"Asia/Kathmandu\"
    start_relay
}
teardown() { stop_all; }

directory() { printf '%s\n' "$@" | arda-directory load -q; }

# person USER [MORE]
person() {
    directory '{"kind":"user","tenantId":"'"$tenant"'","userId":"'"$1"'","email":"'"$1"'@arda.example"'"${2:-}"'}'
}
# quiet USER|null FROM TO
quiet() {
    local user=$1
    [ "$user" = null ] || user="\"$user\""
    directory '{"kind":"quiet","tenantId":"'"$tenant"'","userId":'"$user"',"from":"'"$2"'","to":"'"$3"'"}'
}
# digest TYPE|null SCHEDULE
digest() {
    local type=$1
    [ "$type" = null ] || type="\"$type\""
    directory '{"kind":"digest","tenantId":"'"$tenant"'","userId":null,"notificationType":'"$type"',"schedule":"'"$2"'"}'
}

# In so many minutes, full ones, which may be negative: on the clock of Kathmandu, as Redis has it.
in_minutes() { echo $((($(date +%s) / 60 + $1) * 60)); }
clock() { TZ=Asia/Kathmandu date -d "@$1" +%H:%M; }
stamp() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%S.000Z; }

order_created() { # NUMBER
    arda-publish -q order.created tenantId="$tenant" orderType=purchase_order orderId="$(uuid)" \
        orderNumber="$1" linkedCardIds=
}
alert() { # an e-mail of another type
    arda-publish -q order.status_changed tenantId="$tenant" orderType=purchase_order \
        orderId="$(uuid)" orderNumber=PO-9 fromStatus=draft toStatus=approved
}

# Ids of the tenant's records whose FIELD has VALUE.
records() { # FIELD VALUE
    local id
    for id in $(redis zrange "arda:deliveries:$tenant" 0 -1); do
        [ "$(field "$id" "$1")" != "$2" ] || echo "$id"
    done
}
field() { redis --raw hget "arda:delivery:$tenant:$1" "$2"; }
count_is() { [ "$(records "$1" "$2" | wc -l)" = "$3" ]; }
held() { count_is heldUntil "$1" "$2"; }
recorded() { [ "$(redis zcard "arda:deliveries:$tenant")" = "$1" ]; }
due_at() { [ "$(redis zscore "arda:due:$tenant:email" "$1")" = "$2" ]; } # ID MS
none_waits() { [ "$(redis zcard "arda:due:$tenant:email")" = 0 ]; }

# What waits in the tenant's lane is due, as if its moment had come.
make_due() {
    redis eval "for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            redis.call('ZADD', KEYS[1], 1, id)
        end
        return redis.call('ZADD', 'arda:due', 1, ARGV[1])" 1 "arda:due:$tenant:email" \
        "$tenant:email" >/dev/null
}

# The tenant's records are as old as if they had been made so many hours ago.
grow_old() { # HOURS
    local id ms=$((($(date +%s) - $1 * 3600) * 1000))
    for id in $(redis zrange "arda:deliveries:$tenant" 0 -1); do
        redis zadd "arda:deliveries:$tenant" "$ms" "$id" >/dev/null
    done
}

@test "quiet hours hold an e-mail in the person's time zone, and no other" {
    local end id
    end=$(in_minutes 120)
    person "$bob"
    quiet null "$(clock "$(in_minutes -60)")" "$(clock "$end")"
    start_notifyd
    order_created PO-1
    wait_for held "$(stamp "$end")" 1
    id=$(records userId "$ann")
    [ "$(field "$id" heldUntil)" = "$(stamp "$end")" ]
    [ "$(field "$id" nextAttemptAt)" = "$(stamp "$end")" ]
    due_at "$id" "${end}000"
    wait_for count_is status pending 1
    [ "$(field "$id" status)" = pending ]
    # Too early it is held anew, and over it goes.
    make_due
    wait_for due_at "$id" "${end}000"
    [ "$(field "$id" status)" = pending ]
    quiet null "$(clock "$(in_minutes 60)")" "$(clock "$(in_minutes 120)")"
    make_due
    wait_for none_waits
    count_is status pending 0
}

@test "of quiet hours, a person's own count" {
    quiet null "$(clock "$(in_minutes -60)")" "$(clock "$(in_minutes 120)")"
    quiet "$ann" "$(clock "$(in_minutes 60)")" "$(clock "$(in_minutes 120)")"
    start_notifyd
    order_created PO-1
    wait_for recorded 1
    wait_for none_waits
    count_is status pending 0
}

@test "a digest collects, goes once, and the next one is another" {
    local moment first
    moment=$(in_minutes 120)
    digest null "daily@$(clock "$moment")"
    start_notifyd a
    start_notifyd b
    for n in 1 2 3 4 5; do order_created "PO-$n"; done
    alert
    wait_for held "$(stamp "$moment")" 7
    first=$(records items 6)
    [ -n "$first" ]
    count_is digestId "$first" 6
    [ "$(field "$first" schedule)" = "daily@$(clock "$moment")" ]
    [ "$(redis zrange "arda:due:$tenant:email" 0 -1)" = "$first" ]
    make_due
    wait_for none_waits
    count_is status pending 0
    [ "$(records status "$(field "$first" status)" | wc -l)" = 7 ]
    order_created PO-6
    wait_for held "$(stamp "$moment")" 9
    [ -n "$(records items 1)" ]
    [ "$(records items 1)" != "$first" ]
}

@test "a digest of one type leaves the others alone" {
    local moment
    moment=$(in_minutes 120)
    digest po_created "daily@$(clock "$moment")"
    start_notifyd
    order_created PO-1
    alert
    wait_for held "$(stamp "$moment")" 2
    wait_for count_is status pending 2
    [ "$(records type system_alert | wc -l)" = 1 ]
    [ "$(field "$(records type system_alert)" digestId)" = "" ]
}

@test "a moment that passed while nobody delivered: one digest at the start" {
    digest null hourly
    start_notifyd notes --no-deliver
    for n in 1 2 3 4 5; do order_created "PO-$n"; done
    wait_for recorded 5
    grow_old 2
    start_notifyd a
    wait_for recorded 6
    start_notifyd b
    wait_for none_waits
    count_is status pending 0
    [ "$(records items 5 | wc -l)" = 1 ]
    count_is digestId "$(records items 5)" 5
}

@test "a digest whose daemons were killed goes when one is back" {
    local moment
    moment=$(in_minutes 120)
    digest null "daily@$(clock "$moment")"
    start_notifyd a
    order_created PO-1
    order_created PO-2
    wait_for held "$(stamp "$moment")" 3
    stop a KILL
    make_due
    start_notifyd b
    wait_for none_waits
    count_is status pending 0
    [ "$(records items 2 | wc -l)" = 1 ]
}

@test "a digest whose time lies in quiet hours is sent after them" {
    local end
    end=$(in_minutes 180)
    digest null "daily@$(clock "$(in_minutes 120)")"
    quiet null "$(clock "$(in_minutes 60)")" "$(clock "$end")"
    start_notifyd
    order_created PO-1
    order_created PO-2
    wait_for held "$(stamp "$end")" 3
    due_at "$(records items 2)" "${end}000"
}

@test "what was tried before goes into no digest" {
    start_notifyd notes --no-deliver
    order_created PO-1
    wait_for recorded 1
    redis hset "arda:delivery:$tenant:$(redis zrange "arda:deliveries:$tenant" 0 -1)" attemptCount 1
    digest null hourly
    start_notifyd
    wait_for none_waits
    recorded 1
    count_is digestId "" 1
}

# ---- what is sent ----

mails() { out sink | "$python" "$top_srcdir/tests/lib/mails.py"; }
taken() { [ "$(grep -c '"mail"' "$RUN_DIR/sink.out")" -ge "$1" ]; }

@test "a digest is one e-mail with all of it, by whichever of two daemons" {
    local moment digest
    moment=$(in_minutes 120)
    digest null "daily@$(clock "$moment")"
    start_notifyd a
    start_notifyd b
    order_created PO-1
    order_created PO-2
    alert
    wait_for held "$(stamp "$moment")" 4
    digest=$(records items 3)
    run ! taken 1
    make_due
    wait_for count_is status sent 4
    mails >"$RUN_DIR/mails"
    [ "$(wc -l <"$RUN_DIR/mails")" = 1 ]
    jq -e --arg to "$ann@arda.example" --arg id "$digest" '
        .faults == [] and .to == [$to] and .headers.Subject == "[Arda] 3 notifications"
        and (.headers["Message-ID"] | contains($id))
        and (.headers | has("List-Unsubscribe") | not)' "$RUN_DIR/mails"
    jq -r .plain "$RUN_DIR/mails" >"$RUN_DIR/plain"
    [ "$(grep -c '^\* ' "$RUN_DIR/plain")" = 3 ]
    [ "$(grep -c '^To get no more of ' "$RUN_DIR/plain")" = 2 ]
    # Those in it were tried as often as it was.
    count_is attemptCount 1 4
}

@test "a digest of one type can be ended with one click" {
    local moment
    moment=$(in_minutes 120)
    digest null "daily@$(clock "$moment")"
    start_notifyd
    order_created PO-1
    order_created PO-2
    wait_for held "$(stamp "$moment")" 3
    make_due
    wait_for count_is status sent 3
    mails | jq -e '.headers.Subject == "[Arda] 2 notifications"
        and (.headers["List-Unsubscribe"] | startswith("<https://arda.example/"))
        and .headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"'
}

@test "a digest of one notification is the e-mail it would have been" {
    local moment
    moment=$(in_minutes 120)
    digest null "daily@$(clock "$moment")"
    start_notifyd
    order_created PO-1
    wait_for held "$(stamp "$moment")" 2
    make_due
    wait_for count_is status sent 2
    mails | jq -e --arg id "$(records items 1)" '.headers.Subject == "New purchase order created"
        and (.headers["Message-ID"] | contains($id))'
}

@test "an e-mail that quiet hours held is sent after them, once" {
    local end
    end=$(in_minutes 120)
    quiet null "$(clock "$(in_minutes -60)")" "$(clock "$end")"
    start_notifyd a
    start_notifyd b
    order_created PO-1
    wait_for held "$(stamp "$end")" 1
    run ! taken 1
    quiet null "$(clock "$(in_minutes 60)")" "$(clock "$end")"
    make_due
    wait_for count_is status sent 1
    [ "$(mails | wc -l)" = 1 ]
}

@test "a moment that passed while nobody delivered: one e-mail" {
    digest null hourly
    start_notifyd notes --no-deliver
    for n in 1 2 3; do order_created "PO-$n"; done
    wait_for recorded 3
    grow_old 2
    start_notifyd a
    wait_for count_is status sent 4
    [ "$(mails | jq -r .headers.Subject)" = "[Arda] 3 notifications" ]
}

@test "what is switched off while it waits does not go" {
    local end id
    end=$(in_minutes 120)
    quiet null "$(clock "$(in_minutes -60)")" "$(clock "$end")"
    start_notifyd
    order_created PO-1
    wait_for held "$(stamp "$end")" 1
    id=$(records userId "$ann")
    directory '{"kind":"preference","tenantId":"'"$tenant"'","userId":"'"$ann"'","notificationType":"po_created","channel":"email","enabled":false}'
    make_due
    wait_for count_is status failed 1
    [ "$(field "$id" lastError)" = "it was switched off meanwhile" ]
    [ "$(field "$id" attemptCount)" = 0 ]
}
