#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-inbox: notifications of users, added, listed, counted, marked and watched.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    export ARDA_PREFIX=test-$BATS_TEST_NUMBER INBOX_TENANT=acme INBOX_USER=ann
    preset arda-inbox --tenant INBOX_TENANT --user INBOX_USER
    golden=$top_srcdir/tests/data
}
teardown() { stop_all; }

# Ann and bob take part, cid does not.
people() {
    arda-directory load <<'EOF'
{"kind":"user","tenantId":"acme","userId":"bob"}
{"kind":"user","tenantId":"acme","userId":"ann"}
{"kind":"user","tenantId":"acme","userId":"cid","active":false}
{"kind":"user","tenantId":"globex","userId":"dan"}
EOF
}

# add [OPTION]...: for ann alone.
add() { arda-inbox add --type system_alert --title Title "$@"; }
# add_all [OPTION]...: for all active users.
add_all() { INBOX_USER='' add "$@"; }
# rows COUNT: that many rows of ann, straight into Redis, n001 the oldest.
rows() {
    local i id
    for i in $(seq "$1"); do
        id=$(printf 'n%03d' "$i")
        echo "ZADD $ARDA_PREFIX:inbox:acme:ann $((1770552000000 + i / 4)) $id"
        echo "ZADD $ARDA_PREFIX:unread:acme:ann $((1770552000000 + i / 4)) $id"
        printf "HSET %s:rows:acme:ann %s '{\"id\":\"%s\",\"title\":\"T %s\",\"body\":null," \
            "$ARDA_PREFIX" "$id" "$id" "$i"
        printf "\"createdAt\":\"2026-02-08T12:00:00.000Z\"}'\n"
    done | redis >/dev/null
}
ids() { jq -r .id; }
unread() { arda-inbox count --unread; }
# timeless: with one time in place of all others.
timeless() { sed -E 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/2026-02-08T12:00:00.000Z/g'; }

@test "rows are as they were promised, for all active users" {
    people
    add_all --id 019c3d5e-8a00-7abc-8def-0123456789ab --json --title 'Stock "low"' \
        --body 'Only 3 left.' --action-url /loops/l1 --metadata '{"left": 3,
 "loop":"l1"}' | timeless | diff "$golden/inbox-added.jsonl" -
    arda-inbox list --json | timeless | diff <(head -n 1 "$golden/inbox-added.jsonl") -
    [ "$(arda-inbox count --user cid)" = 0 ]
    [ "$(arda-inbox count --tenant globex --user dan)" = 0 ]
}

@test "a list for a person" {
    rows 3
    redis hset "$ARDA_PREFIX:rows:acme:ann" n003 \
        '{"id":"n003","title":"a\u001b[31m\nb\ud800","body":null,"createdAt":"yesterday"}'
    arda-inbox read n002
    TZ=Asia/Tokyo arda-inbox list | diff "$golden/inbox-list.txt" -
}

@test "what was read, as JSON" {
    rows 2
    arda-inbox read n001
    arda-inbox list --json | sed 's/"readAt":"[^"]*"/"readAt":"then"/' |
        diff "$golden/inbox-read.jsonl" -
}

@test "one recipient, active or not; one who is not known is not added to" {
    people
    run --separate-stderr add --user bob
    [ "$status:$output:$stderr" = "0::" ]
    run --separate-stderr add --user cid
    [ "$status:$output:$stderr" = "0::" ]
    run --separate-stderr add --user zoe
    [ "$status:$output" = "1:" ]
    [ "$stderr" = "arda-inbox: user zoe of tenant acme is not in the directory" ]
    [ "$(redis keys "$ARDA_PREFIX:*zoe")" = "" ]
    run --separate-stderr add --tenant nosuch --user ann
    [ "$status:$output" = "1:" ]
    [ "$stderr" = "arda-inbox: user ann of tenant nosuch is not in the directory" ]
    [ "$(redis keys "$ARDA_PREFIX:*nosuch*")" = "" ]
    for user in bob cid; do
        [ "$(arda-inbox count --user "$user")" = 1 ]
    done
    [ "$(arda-inbox count)" = 0 ]
}

@test "an id is added once" {
    people
    add_all --id stock-7
    run --separate-stderr add_all --id stock-7 --json
    [ "$status:$output" = "0:" ]
    [ "$stderr" = "arda-inbox: stock-7 was added before" ]
    add_all --id stock-8
    [ "$(arda-inbox count)" = 2 ]
    [ "$(arda-inbox count --user bob)" = 2 ]
}

@test "channels are those of the preferences" {
    people
    due() { [ "$(redis zcard "$ARDA_PREFIX:deliveries:acme")" = "$1" ]; }
    preference() { # USER CHANNEL ENABLED
        echo '{"kind":"preference","tenantId":"acme","userId":'"$1"',"channel":"'"$2"'",' \
            '"notificationType":"system_alert","enabled":'"$3"'}' | arda-directory load
    }
    due 0
    add_all
    due 2
    preference null email false
    preference '"ann"' in_app false
    preference '"ann"' webhook true
    add_all
    [ "$(arda-inbox count)" = 1 ]
    [ "$(arda-inbox count --user bob)" = 2 ]
    due 3
    add --user cid
    [ "$(arda-inbox count --user cid)" = 1 ]
    due 3
    preference '"ann"' webhook false
    run --separate-stderr add
    [ "$status:$output" = "1:" ]
    [ "$stderr" = "arda-inbox: nobody has a channel on for system_alert" ]
}

@test "a tenant without active users: exit 1" {
    people
    arda-directory set user globex dan active=false
    run --separate-stderr add_all --tenant globex
    [ "$status:$output" = "1:" ]
    [ "$stderr" = "arda-inbox: tenant globex has no active users" ]
}

@test "pages join, read or unread" {
    rows 50
    arda-inbox list --json --limit 0 | ids >"$RUN_DIR/all"
    seq -f 'n%03.0f' 50 -1 1 | diff - "$RUN_DIR/all"
    : >"$RUN_DIR/pages"
    before=
    while page=$(arda-inbox list --json -n 7 ${before:+--before "$before"}); do
        ids <<<"$page" >>"$RUN_DIR/pages"
        before=$(ids <<<"$page" | tail -n 1)
        arda-inbox read "$before"
    done
    diff "$RUN_DIR/all" "$RUN_DIR/pages"
    [ "$(unread)" = $((50 - 8)) ]
    arda-inbox list --unread --json -n 0 | ids >"$RUN_DIR/unread"
    grep -vxE 'n(044|037|030|023|016|009|002|001)' "$RUN_DIR/all" | diff - "$RUN_DIR/unread"
    [ "$(arda-inbox list --unread --json -n 2 --before n044 | ids | paste -sd' ')" = "n043 n042" ]
    run --separate-stderr arda-inbox list --before n999
    [ "$status:$output" = "1:" ]
    [ "$stderr" = "arda-inbox: there is no such row to begin after" ]
}

@test "a list longer than one answer" {
    for i in $(seq 1234); do
        echo "ZADD $ARDA_PREFIX:inbox:acme:ann 5 m$i"
        echo "HSET $ARDA_PREFIX:rows:acme:ann m$i '{\"id\":\"m$i\",\"body\":1}'"
    done | redis >/dev/null
    [ "$(arda-inbox list --json -n 0 | ids | sort -u | wc -l)" = 1234 ]
    [ "$(arda-inbox list --json -n 1100 | wc -l)" = 1100 ]
    [ "$(arda-inbox list --json | wc -l)" = 50 ]
}

@test "an empty list exits 1, a count of nothing 0" {
    run arda-inbox list
    [ "$status:$output" = "1:" ]
    run arda-inbox list --unread --json
    [ "$status:$output" = "1:" ]
    run arda-inbox count
    [ "$status:$output" = "0:0" ]
}

@test "read, unread, rm" {
    rows 5
    arda-inbox read n002 n003
    [ "$(arda-inbox count --json)" = '{"all":5,"unread":3}' ]
    [ "$(arda-inbox count) $(unread)" = "5 3" ]
    arda-inbox read n002
    arda-inbox unread n002
    [ "$(unread)" = 4 ]
    arda-inbox rm n002 n001
    [ "$(arda-inbox list --json | ids | paste -sd' ')" = "n005 n004 n003" ]
    arda-inbox read --all
    [ "$(unread)" = 0 ]
    arda-inbox unread --all
    [ "$(unread)" = 3 ]
    arda-inbox rm --all
    [ "$(redis keys "$ARDA_PREFIX:*")" = "" ]
}

@test "of a user without notifications none is marked: exit 1, and nothing is written" {
    rows 1
    for command in read unread rm; do
        run --separate-stderr arda-inbox "$command" --user nosuch --all
        [ "$status:$output" = "1:" ]
        [ "$stderr" = "arda-inbox: user nosuch has no notifications" ]
        run --separate-stderr arda-inbox "$command" --user nosuch n001
        [ "$status:$output" = "1:" ]
        [ "$stderr" = "arda-inbox: n001: there is no such notification" ]
    done
    [ "$(redis keys "$ARDA_PREFIX:*nosuch*")" = "" ]
    arda-inbox read --all
    arda-inbox read --all # there is one, which is so already
}

@test "many are marked, and the longest step is short" {
    redis eval "for i = 1, 20000 do
        local id = string.format('n%05d', i)
        redis.call('ZADD', KEYS[1], i, id) redis.call('ZADD', KEYS[2], i, id)
        redis.call('HSET', KEYS[3], id, '{}')
    end" 3 "$ARDA_PREFIX":{inbox,unread,rows}:acme:ann
    redis config resetstat
    for command in read unread; do
        arda-inbox "$command" --all
    done
    [ "$(unread)" = 20000 ]
    [ "$(redis info commandstats | sed -n 's/^cmdstat_evalsha:calls=\([0-9]*\),.*/\1/p')" -ge 40 ]
    arda-inbox read --all
    [ "$(unread)" = 0 ]
    [ "$(redis hlen "$ARDA_PREFIX:rows:acme:ann")" = 40000 ]
    arda-inbox rm --all
    [ "$(redis keys "$ARDA_PREFIX:*")" = "" ]
}

@test "ids that are unknown are said, the others changed, exit 1" {
    rows 3
    for command in read unread rm; do
        run --separate-stderr arda-inbox "$command" n002 x n003.read
        [ "$status:$output" = "1:" ]
        [ "${stderr_lines[0]}" = "arda-inbox: x: there is no such notification" ]
        [ "${stderr_lines[1]}" = "arda-inbox: n003.read: there is no such notification" ]
    done
    [ "$(arda-inbox list --json | ids | paste -sd' ')" = "n003 n001" ]
}

watched() { [ "$(redis pubsub numsub "$ARDA_PREFIX:events:acme" | tail -n 1)" = 1 ]; }

@test "watch prints what comes for the user, and ends after --limit" {
    people
    start watch arda-inbox watch --json --limit 3
    wait_for watched
    add_all --title one
    INBOX_USER=bob add --title two
    add --title three
    add_all --tenant globex --title four
    add --title five
    join watch
    [ "$status" = 0 ]
    [ "$(jq -r '.userId + " " + .title' "$RUN_DIR/watch.out" | paste -sd,)" = \
        "ann one,ann three,ann five" ]
    diff "$RUN_DIR/watch.out" <(arda-inbox list --json | tac)
}

@test "watch says when it may have missed something, and goes on" {
    people
    start watch arda-inbox watch
    wait_for watched
    redis client kill type pubsub
    wait_for err_has watch "going on; what has come meanwhile is in the list"
    add --title 'still there'
    wait_for out_has watch 'still there'
    stop watch
    [ "$status" = 143 ]
}

@test "watch ends after --timeout with 124" {
    run arda-inbox watch --timeout 10ms
    [ "$status:$output" = "124:" ]
}

@test "what is added reaches the browser of its user alone" {
    need_node
    unset ARDA_PREFIX
    people
    start_gateway
    CLIENT_USER=ann client ann acme
    CLIENT_USER=bob client bob acme
    add --title 'for ann'
    add --user bob --title 'for bob'
    wait_for got ann 1
    wait_for got bob 1
    events ann >"$RUN_DIR/event"
    [ "$(jq -r .title "$RUN_DIR/event")" = 'for ann' ]
    [ "$(jq -r .notificationId "$RUN_DIR/event")" = "$(arda-inbox list --json | ids)" ]
    [ "$(events bob | jq -r .title)" = 'for bob' ]
}

@test "what is no row is said, the others are listed, exit 65" {
    rows 3
    redis hset "$ARDA_PREFIX:rows:acme:ann" n002 nonsense
    run --separate-stderr arda-inbox list --json -n 0
    [ "$status:${#lines[@]}" = 65:2 ]
    [ "$stderr" = "arda-inbox: n002: what Redis holds is no notification" ]
}

@test "an error of Redis is told, exit 70" {
    people
    redis set "$ARDA_PREFIX:inbox:acme:ann" x
    for command in list count 'rm x' add; do
        # shellcheck disable=SC2086
        run --separate-stderr arda-inbox $command --type po_sent --title x -q
        [ "$status:$output" = "70:" ]
        [[ "$stderr" == *WRONGTYPE* ]]
    done
}

@test "Redis away: exit 75" {
    for command in list count 'read x' add; do
        # shellcheck disable=SC2086
        run --separate-stderr arda-inbox $command --redis redis://127.0.0.1:1 --retry-for 100ms \
            --type po_sent --title x
        [ "$status:$output" = "75:" ]
        [ "${stderr_lines[-1]}" = "arda-inbox: not confirmed" ]
    done
}

@test "usage" {
    for operands in "" foo "list x" "count x" "add x" "watch x" read rm "read a --all" \
        "read 'a b'" "list --limit -1" "list --before 'a b'" "list --tenant global" \
        "list --user 'a b'"; do
        eval "run arda-inbox $operands"
        [ "$status" = 64 ]
    done
    for variable in INBOX_TENANT INBOX_USER; do
        run env -u "$variable" arda-inbox list
        [ "$status" = 64 ]
    done
    for wrong in "--type po_lost" "--title ''" "--metadata '[1]'" "--metadata '{'" "--id 'a b'" \
        "--body \$'\\xff'"; do
        eval "run --separate-stderr arda-inbox add --type po_sent --title x $wrong"
        [ "$status" = 64 ]
        [[ "$stderr" == "arda-inbox: --"* ]]
    done
    run arda-inbox add --title x
    [ "$status" = 64 ]
    # shellcheck disable=SC2046
    run arda-inbox read $(seq 1001)
    [ "$status" = 64 ]
}
