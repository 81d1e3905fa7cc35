#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a terminal would obey reaches none: ESC, C1 controls, directions of writing, separators. A
# pipe gets the text as it is.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    cd "$RUN_DIR" || return
    csi=$'\xc2\x9b' turn=$'\xe2\x80\xae' isolate=$'\xe2\x81\xa6' line=$'\xe2\x80\xa8'
    evil="x${csi}31m${turn}y${isolate}${line}z"
    {
        printf '{"type":"order.created","tenantId":"%s","orderNumber":"%s",' "$tenant" "$evil"
        printf '"orderId":"%s","orderType":"purchase_order","linkedCardIds":[],' "$(uuid)"
        printf '"eventId":"e1","timestamp":"2026-02-08T12:00:00.000Z"}\n'
    } >event
}
teardown() { stop_all; }

# on_terminal COMMAND...: what it writes to a terminal goes to `screen`, its messages too.
on_terminal() {
    local call
    printf -v call '%q ' "$@"
    script -qec "$call <in" /dev/null </dev/null >screen
}

# No byte of ESC, C1 in UTF-8, U+202A to U+202E, U+2066 to U+2069, U+2028 or U+2029.
is_clean() {
    ! LC_ALL=C grep -qP '\x1b|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$1"
}

# The lines of JSON on the screen are those of the pipe.
same_json() { diff <(tr -d '\r' <"$1" | jq -cS .) <(jq -cS . <"$2"); }

# both PROGRAM...: on a terminal clean and the same JSON, in a pipe as it was; standard input: in.
both() {
    on_terminal "$@"
    "$@" <in >piped
    [ -s screen ]
    is_clean screen
    run ! is_clean piped
    same_json screen piped
}

@test "arda-publish" {
    cp event in
    both arda-publish -n --allow-unknown --loose-ids
}

@test "arda-replay" {
    cp event in
    both arda-replay --stdout --instant -q --keep-ids
}

@test "arda-replay --plan" {
    jq -c --arg evil "$evil" '.type = $evil' event >in
    both arda-replay --plan --format=json
    printf '{"type":"a\\u001b[31mb\\u009bc","tenantId":"%s"}\n' "$tenant" >in
    arda-replay --plan --format=text <in >piped
    is_clean piped
    grep -qF 'a\u001b[31mb\u009bc 1' piped
}

@test "arda-subscribe, and its formats for people" {
    : >in
    arda-publish -q --loose-ids --allow-unknown event
    both arda-subscribe "$tenant" --since=start
    on_terminal arda-subscribe "$tenant" --since=start --format='{{orderNumber}}' || true
    is_clean screen
    on_terminal arda-subscribe "$tenant" --since=start --format=pretty --color=never
    is_clean screen
}

@test "arda-directory" {
    printf '{"kind":"user","tenantId":"%s","userId":"u1","active":true,"name":"%s"}\n' \
        "$tenant" "$evil" >in
    arda-directory load <in
    both arda-directory get user "$tenant" u1
    both arda-directory dump "$tenant"
}

@test "arda-inbox" {
    load_users "$tenant" u1
    : >in
    arda-inbox add --tenant "$tenant" --user u1 --type=system_announcement --title="$evil" >/dev/null ||
        arda-inbox add --tenant "$tenant" --user u1 --type=po_created --title="$evil" >/dev/null
    both arda-inbox list --tenant "$tenant" --user u1 --json
    on_terminal arda-inbox list --tenant "$tenant" --user u1
    is_clean screen
    grep -qF 'x\u009b31m\u202ey' screen
}

@test "arda-notifyd --explain" {
    load_users "$tenant" u1
    cp event in
    both arda-notifyd --explain
}

@test "arda-deliveries explain" {
    : >in
    load_users "$tenant" u1
    on_terminal arda-deliveries explain --tenant "$tenant" --user u1 --event $'e\e[31m\xc2\x9b' || true
    is_clean screen
    grep -qF 'e\u001b[31m\u009b' screen
    run -64 arda-deliveries explain --tenant "$tenant" --user $'u\e[31m' --event e
    is_clean <(printf %s "$output")
}

@test "arda-token inspect, one line each" {
    export JWT_SECRET=$GATEWAY_SECRET
    header=$(printf '{"alg":"HS256",\n"typ":"JWT"}' | basenc --base64url -w0 | tr -d =)
    claims=$(printf '{"sub":"%s","tenantId":"acme"}' "$evil" | basenc --base64url -w0 | tr -d =)
    printf '%s.%s.AAAA\n' "$header" "$claims" >in
    on_terminal arda-token inspect || true
    arda-token inspect <in >piped || true
    [ "$(wc -l <piped)" = 1 ]
    is_clean screen
    run ! is_clean piped
    same_json screen piped
}

@test "messages, on a terminal or not, as text and as JSON" {
    printf '{"type":"%s","tenantId":"acme"}\n' "$evil" >in
    run -65 --separate-stderr arda-publish -n <in
    is_clean <(printf %s "$stderr")
    [[ "$stderr" == *'"x\u009b31m\u202ey\u2066\u2028z"'* ]]
    run -65 --separate-stderr arda-publish -n --log-format=json <in
    is_clean <(printf %s "$stderr")
    jq -e --arg evil "$evil" '.message | contains($evil)' <<<"$stderr"
    run -74 --separate-stderr arda-publish -n $'no\e[31m'"$evil"
    is_clean <(printf %s "$stderr")
}
