#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The examples of the manual do what their pages say. Each is found by its introduction, so that
# one that is new, or has lost its test, is noticed.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
teardown() { stop_all; }

pages=${top_srcdir:?}/man
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
    arda-publish --loose-ids order.created tenantId="$1" orderType=purchase_order orderId=o1 \
        orderNumber=PO-0001 linkedCardIds=
}

@test "every example of a program's page has a test" {
    for page in "$pages"/arda*.1 "$pages/arda.7"; do
        while read -r text; do
            grep -qF -- "${page##*/} '$text'" "$BATS_TEST_FILENAME" ||
                grep -qF -- "${page##*/} \"$text\"" "$BATS_TEST_FILENAME"
        done < <(examples "${page##*/}")
    done
    [ "$(examples arda-publish.1 | wc -l)" -eq 4 ]
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

@test "arda-subscribe: the next event" {
    launch arda-subscribe.1 'Wait for the next event of any tenant, for ten seconds at most:'
    wait_for subscribers global 1
    publish_order acme
    join example
    [ "$status" -eq 0 ]
    out_has example PO-0001
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
    try arda-directory.1 'Let her rest:'
    arda-directory get user acme ann | jq -e '.active == false and .name == "Ann"'
    try arda-directory.1 'Copy a tenant under another prefix:'
    diff <(arda-directory dump acme) <(arda-directory --prefix=test dump)
    try arda-directory.1 "List the addresses of a tenant's active users:"
    [ -z "$output" ]
}

@test "arda-notifyd" {
    arda-directory set user acme ann email=ann@acme.example name=Ann active=true
    try arda-notifyd.1 'Ask why somebody was told, or was not:'
    [ "$(grep '^ann ' <<<"$output")" = "ann in_app true the catalog's default
ann email true the catalog's default
ann webhook false the catalog's default" ]
    # redis-cli has its own way to name a server, so not by try.
    redis xadd arda:notifyd:dead '*' reason x tenantId acme streamId 1-1 envelope '{' >/dev/null
    text=$(example arda-notifyd.1 'See the dead letters:')
    run -0 bash -c "${text/redis-cli/redis-cli -p $REDIS_PORT}"
    [[ $output == *tenantId* ]]
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
