#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What comes from elsewhere: byte order marks, UTF-16, compressed files, JSON that is not lines.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    mark=$'\xef\xbb\xbf'
    cd "$RUN_DIR" || return
    {
        card "$tenant"
        card "$tenant"
        card "$tenant"
    } >events.jsonl
}
teardown() { stop_all; }

# Each program that reads lines of events or of a directory, its input on standard input.
publish() { arda-publish -n; }
replay() { arda-replay --stdout --instant -q; }
explain() { arda-notifyd --explain; }
store() { arda-directory load; }
readers="publish replay explain store"

# feed NAME: something NAME takes, one object a line, with the line ends of DOS.
feed() {
    if [ "$1" = store ]; then
        printf '{"kind":"user","tenantId":"%s","userId":"u%s","active":true}\r\n' \
            "$tenant" 1 "$tenant" 2 "$tenant" 3
    else
        sed 's/$/\r/' events.jsonl
    fi
}

# taken NAME: how many of the lines that were fed have had an effect.
taken() {
    case $1 in
    store) redis hlen "arda:users:$tenant" ;;
    explain) jq -c 'select(has("channel") | not)' <<<"$output" | wc -l ;;
    *) jq -c . <<<"$output" | wc -l ;;
    esac
}

messages() { [ -z "$stderr" ] || grep -cv ' run ' <<<"$stderr"; }

# ---- encodings ----

@test "a byte order mark of UTF-8 is no part of the first line" {
    for name in $readers; do
        {
            printf %s "$mark"
            feed "$name"
        } >in
        run -0 --separate-stderr "$name" <in
        echo "$name: $stderr $output"
        [ "$(taken "$name")" = 3 ]
        [ "$stderr" = "" ]
    done
}

@test "a mark in pieces, before a file without a last line end, before nothing" {
    run -0 --separate-stderr arda-publish -n < <(
        printf '\xef'
        sleep 0.1
        printf '\xbb'
        sleep 0.1
        printf '\xbf%s' "$(card "$tenant")"
    )
    [ "$(jq -r .tenantId <<<"$output")" = "$tenant" ]
    run -0 --separate-stderr arda-publish -n <<<"$mark"
    [ "$output$stderr" = "" ]
}

@test "UTF-16 and UTF-32 are named once, with what makes UTF-8 of them, and nothing is taken" {
    for name in $readers; do
        feed "$name" >lines
        for encoding in utf-16 utf-16le utf-16be utf-32 utf-32le utf-32be; do
            iconv -f utf-8 -t $encoding lines >in
            run -65 --separate-stderr "$name" <in
            echo "$name $encoding: $stderr"
            [ "$output" = "" ]
            [ "$(messages)" = 1 ]
            [[ "$stderr" == *": UTF-"*"; iconv -f utf-"*" -t utf-8 | arda-"* ]]
            named=${stderr#*iconv -f }
            iconv -f "${named%% *}" -t utf-8 in | cmp - lines
        done
    done
    [ "$(redis exists "arda:users:$tenant")" = 0 ]
}

@test "what is compressed is named once, with what unpacks it, and nothing is taken" {
    for pack in gzip zstd xz; do
        for name in $readers; do
            feed "$name" | $pack -c >in.$pack
            run -65 --separate-stderr "$name" <in.$pack
            echo "$name $pack: $stderr"
            [ "$output" = "" ]
            [ "$(messages)" = 1 ]
            [[ "$stderr" == *": compressed with $pack; "*"cat | arda-"* ]]
        done
    done
}

@test "a file is named with its command, and the other files are read" {
    gzip -c events.jsonl >day.jsonl.gz
    run -65 --separate-stderr arda-publish -n day.jsonl.gz events.jsonl
    [ "$stderr" = "arda-publish: day.jsonl.gz: compressed with gzip; zcat day.jsonl.gz | arda-publish" ]
    [ "${#lines[@]}" = 3 ]
    run -65 --separate-stderr arda-replay --stdout --instant -q day.jsonl.gz
    [[ "$stderr" == *"arda-replay: day.jsonl.gz: compressed with gzip; zcat day.jsonl.gz | arda-replay" ]]
    iconv -t utf-16 events.jsonl >events.utf-16
    run -65 --separate-stderr arda-publish -n events.utf-16
    [ "$stderr" = "arda-publish: events.utf-16: UTF-16; iconv -f utf-16 -t utf-8 events.utf-16 | arda-publish" ]
    feed store | xz -c >users.xz
    run -65 --separate-stderr arda-directory load users.xz
    [ "$stderr" = "arda-directory: users.xz: compressed with xz; xzcat users.xz | arda-directory load" ]
}

@test "with --replace nothing is removed because of a file that cannot be read" {
    feed store | arda-directory load
    feed store | gzip -c >users.gz
    feed store | head -n 1 >one
    run -65 --separate-stderr arda-directory load --replace one users.gz
    [ "$(redis hlen "arda:users:$tenant")" = 3 ]
}

@test "arda-gateway --stdin ends with 65 when there can be no event" {
    gzip -c events.jsonl >in
    JWT_SECRET=$GATEWAY_SECRET STDIN=in start gateway arda-gateway --stdin --listen 127.0.0.1:0
    join gateway
    [ "$status" = 65 ]
    err_has gateway "standard input: compressed with gzip; zcat | arda-gateway --stdin"
}

@test "lists of ids and tokens may begin with a mark, and are refused when compressed" {
    export JWT_SECRET=$GATEWAY_SECRET
    arda-token mint -t acme -u ann >token
    printf '%s%s\r\n' "$mark" "$(cat token)" >marked
    run -0 --separate-stderr arda-token inspect marked
    [ "$(jq .valid <<<"$output")" = true ]
    gzip -kf token
    run -65 --separate-stderr arda-token inspect token.gz
    [ "$stderr" = "arda-token: token.gz: compressed with gzip; zcat token.gz | arda-token inspect" ]
    iconv -t utf-16 token >wide
    run -65 --separate-stderr arda-token inspect <wide
    [ "$stderr" = "arda-token: UTF-16; iconv -f utf-16 -t utf-8 | arda-token inspect" ]
    printf '%sd1\r\n' "$mark" >ids
    run -1 --separate-stderr arda-deliveries show --tenant "$tenant" - <ids
    [[ "$stderr" == *"d1: there is no such delivery" ]]
    gzip -f ids
    run -65 --separate-stderr arda-deliveries show --tenant "$tenant" - <ids.gz
    [ "$stderr" = "arda-deliveries: compressed with gzip; zcat | arda-deliveries show -" ]
}

# ---- whole files ----

@test "a secret is the same with a mark before it, and UTF-16 is named" {
    printf '%s' "$GATEWAY_SECRET" >plain
    printf '%s%s\r\n' "$mark" "$GATEWAY_SECRET" >marked
    arda-token mint -t acme -u ann --jwt-secret-file plain >token
    run -0 --separate-stderr arda-token inspect --jwt-secret-file marked token
    [ "$(jq .valid <<<"$output")" = true ]
    iconv -t utf-16 plain >wide
    run -78 --separate-stderr arda-token inspect --jwt-secret-file wide token
    [ "$stderr" = "arda-token: wide: UTF-16; iconv -f utf-16 -t utf-8 makes text of it" ]
}

@test "the secret between gateways is the same with a mark and with the line end of DOS" {
    printf '%s%s\r\n' "$mark" "0123456789012345678901234567890" >short
    run -78 --separate-stderr env JWT_SECRET="$GATEWAY_SECRET" timeout 10 arda-gateway --listen 127.0.0.1:0 \
        --advertise 127.0.0.1:1 --relay-secret-file short
    [ "$stderr" = "arda-gateway: the secret of the relay has 31 bytes; it needs at least 32" ]
}

@test "a file with a token may begin with a mark; UTF-16 is named" {
    JWT_SECRET=$GATEWAY_SECRET arda-token mint -t acme -u ann >token
    printf %s "$mark" | cat - token >marked
    iconv -t utf-16 token >wide
    run --separate-stderr arda-subscribe --via http://127.0.0.1:1 --token-file marked --timeout 100ms
    [[ "$stderr" != *"not a token"* ]]
    run -78 --separate-stderr timeout 10 arda-subscribe --via http://127.0.0.1:1 --token-file wide
    [ "$stderr" = "arda-subscribe: wide: UTF-16; iconv -f utf-16 -t utf-8 makes text of it" ]
}

@test "a key in PEM may begin with a mark" {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem 2>/dev/null
    arda-token mint -t acme -u ann --jwt-key key.pem >token
    {
        printf %s "$mark"
        openssl pkey -in key.pem -pubout
    } >public.pem
    run -0 --separate-stderr arda-token inspect --jwt-key public.pem token
    [ "$(jq .valid <<<"$output")" = true ]
}

@test "a map of --downgrade may begin with a mark; UTF-16 is named" {
    printf %s "$mark" | cat - "$top_srcdir/tests/data/publish/map.json" >map
    iconv -f utf-8 -t utf-16 map >wide
    run -0 --separate-stderr arda-publish -n --downgrade map /dev/null
    [ "$stderr" = "" ]
    run -78 --separate-stderr arda-publish -n --downgrade wide /dev/null
    [ "$stderr" = "arda-publish: wide: UTF-16; iconv -f utf-16 -t utf-8 makes text of it" ]
}

@test "the value of NAME@=FILE is without the mark" {
    printf '%sAnn\r\n' "$mark" >name
    arda-directory set user "$tenant" u1 name@=name
    [ "$(arda-directory get user "$tenant" u1 | jq -r .name)" = Ann ]
    printf Ann | iconv -t utf-16 >wide
    run -65 --separate-stderr arda-directory set user "$tenant" u1 name@=wide
    [ "$stderr" = "arda-directory: wide: UTF-16; iconv -f utf-16 -t utf-8 makes text of it" ]
}

@test "a cursor and a checkpoint may have passed through an editor that writes a mark" {
    arda-publish events.jsonl
    run -0 arda-subscribe "$tenant" --since=start --cursor=cursor
    [ "${#lines[@]}" = 3 ]
    printf %s "$mark" | cat - cursor >marked
    run -1 --separate-stderr arda-subscribe "$tenant" --since=start --cursor=marked
    [ "$output$stderr" = "" ]
    arda-replay --stdout --instant -q --checkpoint=checkpoint events.jsonl
    printf %s "$mark" | cat - checkpoint >again
    run -0 --separate-stderr arda-replay --stdout --instant -q --checkpoint=again events.jsonl
    [ "$output" = "" ]
}

# ---- JSON that is not lines ----

# helped NAME TEXT: the messages of NAME about a file have TEXT once and are few.
helped() {
    echo "$1: $stderr"
    [ "$(grep -cF "$2" <<<"$stderr")" = 1 ]
    [ "$(messages)" -le 5 ]
}

@test "JSON over several lines is named once, and the messages that follow from it are few" {
    for name in $readers; do
        for _ in 1 2 3 4; do feed "$name"; done | jq . >in
        run -65 --separate-stderr "$name" <in
        helped "$name" "this is JSON over several lines; jq -c . makes lines of it"
        [[ "$stderr" == *" more lines are wrong" ]]
        sed 's/$/\r/' in | head -c -2 >dos
        run -65 --separate-stderr "$name" <dos
        helped "$name" "this is JSON over several lines; jq -c ."
        (jq -c . <in) >lines
        run -0 --separate-stderr "$name" <lines
    done
}

@test "an array is named, on one line and on many" {
    for name in $readers; do
        feed "$name" >lines
        jq -s . lines >in
        run -65 --separate-stderr "$name" <in
        helped "$name" "this is an array; jq -c '.[]'"
        jq -sc . lines >in
        run -65 --separate-stderr "$name" <in
        helped "$name" "this is an array; jq -c '.[]'"
        [ "$(messages)" = 2 ]
        jq -c '.[]' in >lines
        run -0 "$name" <lines
    done
}

@test "an array with an object a line" {
    { echo '['; sed '$!s/$/,/' events.jsonl; echo ']'; } >in
    run -65 --separate-stderr arda-publish -n in
    helped publish "in: this is an array; jq -c '.[]'"
    [ "${#lines[@]}" = 1 ] # the last of them has no comma: a right line
}

@test "objects without a line end between them are named" {
    for name in $readers; do
        feed "$name" | jq -jc . >in
        run -65 --separate-stderr "$name" <in
        helped "$name" "two objects on a line; jq -c ."
        (jq -c . <in) >lines
        run -0 "$name" <lines
    done
}

@test "a comma after each object is named" {
    sed 's/$/,\r/' events.jsonl >in
    run -65 --separate-stderr arda-publish -n <in
    helped publish "a comma follows each object; sed 's/,[[:space:]]*\$//' takes it off"
    sed 's/,[[:space:]]*$//' in >lines
    run -0 --separate-stderr arda-publish -n lines
}

@test "records with U+001E before them are lines" {
    for name in $readers; do
        feed "$name" | sed $'s/^/\x1e/' >in
        run -0 --separate-stderr "$name" <in
        [ "$(taken "$name")" = 3 ]
    done
    jq . events.jsonl | sed $'s/^{/\x1e{/' >in
    run -65 --separate-stderr arda-publish -n <in
    helped publish "this is JSON over several lines"
}

@test "a wrong line among right ones gets its message and no help" {
    for wrong in '{"type":"card.transition",' '{' '{}{}' '[]' '{},' nonsense; do
        for place in 1 2 3; do
            sed "${place}s/^/$wrong\n/" events.jsonl >in
            run -65 --separate-stderr arda-publish -n in
            echo "$wrong at $place: $stderr"
            [[ "$stderr" == "arda-publish: in: line $place: "* ]]
            [ "$(messages)" = 1 ]
            [ "${#lines[@]}" = 3 ]
        done
    done
}

@test "many wrong lines each get their message" {
    for i in 1 2 3 4 5 6 7 8; do echo "nonsense $i"; done >in
    run -65 --separate-stderr arda-publish -n in
    [ "$(messages)" = 8 ]
}

@test "help for each input, with its name, and what is right is published" {
    jq . events.jsonl >spread
    jq -sc . events.jsonl >array
    run -65 --separate-stderr arda-publish -n spread events.jsonl array
    [ "${#lines[@]}" = 3 ]
    [ "$(grep -c 'spread: this is JSON over several lines' <<<"$stderr")" = 1 ]
    [ "$(grep -c 'array: this is an array' <<<"$stderr")" = 1 ]
}

@test "help comes as soon as it shows, though more input may follow" {
    mkfifo pipe
    STDIN=pipe start publish arda-publish -n
    exec 9>pipe
    printf '{\n' >&9
    wait_for err_has publish "line 1: "
    printf '  "type": "card.transition",\n' >&9
    wait_for err_has publish "this is JSON over several lines"
    exec 9>&-
    join publish
    [ "$status" = 65 ]
}

@test "what is left in a named pipe is read, though its writer has gone" {
    mkfifo pipe
    for reader in "arda-publish -n" "arda-replay --stdout --instant -q" "arda-notifyd --explain"; do
        # The pipe is open before the program begins, and nobody writes it any more then.
        # shellcheck disable=SC2086,SC2016
        STDIN=pipe start one bash -c 'until [ -e go ]; do sleep 0.02; done; exec "$@"' bash $reader
        cat events.jsonl >pipe
        touch go
        echo "$reader"
        join one
        [ "$status" = 0 ]
        [ "$(wc -l <"$RUN_DIR/one.out")" -ge 3 ]
        rm go
    done
}

@test "a named pipe may have its writer later" {
    mkfifo pipe
    start one arda-publish -n pipe events.jsonl
    cat events.jsonl >pipe
    join one
    [ "$status" = 0 ]
    [ "$(wc -l <"$RUN_DIR/one.out")" = 6 ]
}

@test "arda-gateway --stdin helps, too" {
    jq . events.jsonl >in
    JWT_SECRET=$GATEWAY_SECRET STDIN=in start gateway arda-gateway --stdin --listen 127.0.0.1:0
    wait_for err_has gateway "standard input has ended"
    [ "$(grep -c 'this is JSON over several lines; jq -c .' <"$RUN_DIR/gateway.err")" = 1 ]
    [ "$(grep -c 'line [0-9]*:' <"$RUN_DIR/gateway.err")" = 3 ]
    err_has gateway "more lines are wrong"
    stop gateway
}
