#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What Redis answers at the connection, and later, and whether that passes by waiting.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }

setup() {
    tenant=$(uuid)
    AT=127.0.0.1:$REDIS_PORT
    redis acl setuser app reset on '>right' '~*' '&*' +@all
    redis acl setuser guest reset on '>right' '~*' '&*' +@all -select
}
teardown() {
    redis config set maxmemory 0 requirepass '' maxclients 10000 >/dev/null
    stop_all
}

ready() { curl -s "$1/readyz"; }
ready_says() { [[ "$(ready "$1")" == *"$2"* ]]; }

has_entries() { [ "$(redis xlen "arda:stream:$tenant")" = "$1" ]; }

# each_tool URL STATUS TEXT: every tool, with input that would keep it busy, and what it answers.
each_tool() {
    local url=$1 wanted=$2 text=$3 tool
    card "$tenant" >"$RUN_DIR/in"
    printf '{"kind":"loop","tenantId":"%s","loopId":"l"}\n' "$tenant" >"$RUN_DIR/lines"
    for tool in \
        "arda-publish --loose-ids $RUN_DIR/in" \
        "arda-replay $RUN_DIR/in" \
        "arda-subscribe $tenant" \
        "arda-subscribe --tenants" \
        "arda-subscribe --global" \
        "arda-subscribe --since start $tenant" \
        "arda-inbox list --tenant=$tenant --user=ann" \
        "arda-directory load $RUN_DIR/lines" \
        "arda-directory dump" \
        "arda-deliveries list --tenant=$tenant" \
        "arda-notifyd --redrive tenant=$tenant" \
        "arda-notifyd --explain"; do
        echo "$tool" >&2
        # shellcheck disable=SC2086
        REDIS_URL=$url run --separate-stderr timeout 20 $tool <"$RUN_DIR/in"
        echo "$status: $stderr" >&2
        [ "$status" = "$wanted" ]
        [[ "$stderr" == *"redis $AT: $text"* ]]
        [[ "$stderr" != *"giving up"* ]]
        [[ "$stderr" != *wrong@* ]]
    done
}

@test "a wrong password ends every tool at once with 77 and the answer of Redis" {
    each_tool "redis://app:wrong@$AT" 77 "WRONGPASS "
}

@test "a missing password ends a tool at once with 77" {
    redis config set requirepass secret
    run --separate-stderr timeout 20 arda-publish < <(card "$tenant")
    redis-cli -p "$REDIS_PORT" -a secret config set requirepass ''
    [ "$status" = 77 ]
    [[ "$stderr" == *"redis $AT: NOAUTH "* ]]
}

@test "a database that Redis does not have ends every tool at once with 78" {
    each_tool "redis://$AT/99" 78 "ERR DB index is out of range"
}

@test "without the right to choose a database a tool ends at once with 77" {
    run --separate-stderr timeout 20 arda-inbox list --redis "redis://guest:right@$AT/1" --tenant="$tenant" --user=ann
    [ "$status" = 77 ]
    [[ "$stderr" == *"redis $AT: NOPERM "*"select"* ]]
}

@test "what a tool that was refused has not published is listed, and kept with --unsent" {
    card "$tenant" >"$RUN_DIR/in"
    run --separate-stderr timeout 20 arda-publish --redis "redis://app:wrong@$AT" --unsent "$RUN_DIR/left" "$RUN_DIR/in"
    [ "$status" = 77 ]
    [[ "$stderr" == *"not confirmed"* || "$stderr" == *"lines for the next run"* ]]
    [ "$(wc -l <"$RUN_DIR/left")" = 1 ]
}

@test "a Redis that comes later and refuses then ends a tool, too" {
    port=$((REDIS_PORT + 1))
    card "$tenant" >"$RUN_DIR/in"
    start publish arda-publish --redis "redis://app:wrong@127.0.0.1:$port" --retry-for 60s "$RUN_DIR/in"
    wait_for err_has publish "Connection refused; trying again"
    start later redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --loglevel warning
    join publish
    [ "$status" = 77 ]
    err_has publish "WRONGPASS"
}

@test "a tool that had been connected goes on trying when its password is changed" {
    mkfifo "$RUN_DIR/in"
    STDIN=$RUN_DIR/in start publish arda-publish --redis "redis://app:right@$AT" --retry-for 60s
    exec 9>"$RUN_DIR/in"
    card "$tenant" >&9
    wait_for has_entries 1
    redis acl setuser app resetpass '>other'
    redis client kill user app
    wait_for err_has publish "WRONGPASS"
    card "$tenant" >&9
    redis acl setuser app '>right'
    wait_for has_entries 2
    exec 9>&-
    join publish
    [ "$status" = 0 ]
}

@test "the last line of a tool that gives up names the last cause" {
    card "$tenant" >"$RUN_DIR/in"
    redis config set maxmemory 1
    for tool in arda-publish arda-replay; do
        run --separate-stderr $tool --retry-for 300ms "$RUN_DIR/in"
        [ "$status" = 75 ]
        [[ "$stderr" == *"$tool: giving up after 0.3 s: OOM command not allowed"* ]]
    done
    printf '{"kind":"loop","tenantId":"%s","loopId":"l"}\n' "$tenant" >"$RUN_DIR/lines"
    run --separate-stderr arda-directory load --retry-for 300ms "$RUN_DIR/lines"
    [ "$status" = 75 ]
    [[ "$stderr" == *"arda-directory: giving up after 0.3 s: OOM command not allowed"* ]]
}

@test "too many clients is named, and passes" {
    # The one place is taken, until this connection gives it back.
    exec 9<>"/dev/tcp/127.0.0.1/$REDIS_PORT"
    printf 'config set maxclients 1\r\n' >&9
    read -r -u 9 answer
    [ "$answer" = $'+OK\r' ]
    run --separate-stderr arda-publish --retry-for 500ms < <(card "$tenant")
    printf 'config set maxclients 10000\r\n' >&9
    read -r -u 9 answer
    exec 9>&-
    [ "$status" = 75 ]
    [[ "$stderr" == *"ERR max number of clients reached"* ]]
}

@test "daemons go on trying, and say in /readyz and in the log what Redis answers" {
    JWT_SECRET=$GATEWAY_SECRET APP_URL=http://app.example REDIS_URL=redis://app:new@$AT \
        start gateway arda-gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0
    REDIS_URL=redis://app:new@$AT start notifyd arda-notifyd --admin 127.0.0.1:0
    for one in gateway notifyd; do
        wait_for err_has "$one" "redis $AT: WRONGPASS "
        wait_for err_has "$one" "admin on"
        admin=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/$one.err")
        wait_for ready_says "$admin" WRONGPASS
    done
    redis acl setuser app '>new'
    for one in gateway notifyd; do
        admin=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/$one.err")
        wait_for err_has "$one" "redis: connected"
        wait_for ready_says "$admin" ready
        [ "$(grep -c WRONGPASS "$RUN_DIR/$one.err")" = 1 ]
    done
}

@test "a daemon that found no Redis reports what Redis answers when it is there" {
    port=$((REDIS_PORT + 1))
    REDIS_URL=redis://app:wrong@127.0.0.1:$port start notifyd arda-notifyd --admin 127.0.0.1:0
    wait_for err_has notifyd "Connection refused"
    start later redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --loglevel warning
    wait_for err_has notifyd "WRONGPASS"
    admin=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/notifyd.err")
    wait_for ready_says "$admin" WRONGPASS
}

# ---- URLs ----

@test "?db=N of a URL over TCP is the database" {
    card "$tenant" | arda-publish --redis "redis://$AT?db=3"
    [ "$(redis -n 3 xlen "arda:stream:$tenant")" = 1 ]
    [ "$(redis -n 0 xlen "arda:stream:$tenant")" = 0 ]
}

@test "parts of a URL that would be ignored end every program with 78 and are named" {
    while read -r url text; do
        for program in "arda-publish" "arda-subscribe $tenant" "arda-directory dump" "arda-notifyd"; do
            # shellcheck disable=SC2086
            REDIS_URL=$url run --separate-stderr timeout 20 $program </dev/null
            [ "$status" = 78 ]
            [[ "$stderr" == *"$text"* ]]
            [[ "$stderr" != *p@ss* && "$stderr" != *w/rd* ]]
        done
    done <<END
redis://$AT?ssl=true the parameter \`ssl'
redis://$AT/2?db=3 two different databases
redis://$AT/orders a number
redis://$AT#3 a fragment
redis://app:p@ss#w/rd@$AT %40 %3A %2F %3F %23 %25
redis://app:w/rd@$AT %40 %3A %2F %3F %23 %25
END
}

@test "the URL of a relay tells how a password is written" {
    run --separate-stderr timeout 20 arda-notifyd --smtp "smtp://app:w/rd@127.0.0.1"
    [ "$status" = 78 ]
    [[ "$stderr" == *"--smtp: "*"%40 %3A %2F %3F %23 %25"* ]]
    [[ "$stderr" != *w/rd* ]]
}

@test "a user without a password is not ignored" {
    redis acl setuser open reset on nopass '~*' '&*' +@all
    card "$tenant" | arda-publish --redis "redis://open@$AT"
    run --separate-stderr timeout 20 arda-publish --redis "redis://nobody@$AT" < <(card "$tenant")
    [ "$status" = 77 ]
    [[ "$stderr" == *WRONGPASS* ]]
}

# ---- channels ----

@test "a channel that may not be subscribed ends a tool with 77, and not a daemon" {
    redis acl setuser deaf reset on '>right' '~*' +@all
    deaf=redis://deaf:right@$AT
    for tool in "arda-subscribe $tenant" "arda-subscribe --global" "arda-subscribe --since start --follow $tenant" \
        "arda-inbox watch --tenant=$tenant --user=ann"; do
        # shellcheck disable=SC2086
        REDIS_URL=$deaf run --separate-stderr timeout 20 $tool
        [ "$status" = 77 ]
        [[ "$stderr" == *"subscribe arda:events:"*": NOPERM "* ]]
    done
    REDIS_URL=$deaf start notifyd arda-notifyd --admin 127.0.0.1:0
    wait_for err_has notifyd "subscribe arda:events:global: NOPERM"
    admin=http://$(sed -n 's/.*admin on \([^ ]*\).*/\1/p' "$RUN_DIR/notifyd.err")
    wait_for ready_says "$admin" NOPERM
    redis acl setuser deaf '&*'
    wait_for ready_says "$admin" ready
}

@test "a channel that was subscribed and may not be any more is tried again" {
    redis acl setuser deaf reset on '>right' '~*' '&*' +@all
    start subscribe arda-subscribe --redis "redis://deaf:right@$AT" "$tenant"
    wait_for subscribers "$tenant" 1
    redis acl setuser deaf resetchannels
    wait_for err_has subscribe "NOPERM"
    redis acl setuser deaf '&*'
    wait_for subscribers "$tenant" 1
    card "$tenant" | arda-publish -q
    wait_for lines_of subscribe 1
}
