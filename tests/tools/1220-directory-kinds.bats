#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-directory: tenants, preferences, webhooks, digests and quiet hours.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    t=$(uuid)
    export ARDA_PREFIX=test-$BATS_TEST_NUMBER
}
teardown() { stop_all; }

secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
version() { redis get "$ARDA_PREFIX:version:$t"; }
line() { printf '{"kind":"%s","tenantId":"%s"%s}\n' "$1" "$t" "$2"; }
# refuse STATUS TEXT OPERAND...: the only message, without the program's name.
refuse() {
    local want=$1 text=$2
    shift 2
    run --separate-stderr arda-directory "$@"
    echo "$status $stderr"
    [ "$status" = "$want" ]
    [ "$stderr" = "arda-directory: $text" ]
    [ "$output" = "" ]
}

@test "a dump of every kind loads to the same dump, and Redis holds what the manual says" {
    cat >"$RUN_DIR/in" <<EOF
$(line digest ',"userId":null,"notificationType":null,"schedule":"hourly"')
$(line digest ',"userId":"ann","notificationType":"po_sent","schedule":"daily@08:00"')
$(line loop ',"loopId":"l1"')
$(line preference ',"userId":null,"notificationType":"po_sent","channel":"email","enabled":true')
$(line preference ',"userId":"ann","notificationType":"po_sent","channel":"email","enabled":false')
$(line quiet ',"userId":null,"from":"22:00","to":"07:00"')
$(line quiet ',"userId":"ann","from":"12:00","to":"13:30"')
$(line user ',"userId":"ann","active":true,"timeZone":"UTC"')
$(line webhook ',"url":"https://hooks.example/arda?x=1","secret":"'$secret'","enabled":true')
EOF
    shuf "$RUN_DIR/in" | arda-directory load
    arda-directory dump --secrets | diff "$RUN_DIR/in" -
    redis flushall
    arda-directory load --replace "$RUN_DIR/in"
    arda-directory dump --secrets | cmp "$RUN_DIR/in" -
    p=$ARDA_PREFIX
    [ "$(redis hget "$p:preferences:$t" '*:po_sent:email')" = 1 ]
    [ "$(redis hget "$p:preferences:$t" 'ann:po_sent:email')" = 0 ]
    [ "$(redis hmget "$p:webhook:$t" url secret enabled | paste -sd' ')" = "https://hooks.example/arda?x=1 $secret 1" ]
    [ "$(redis hget "$p:digest:$t" '*:*')" = hourly ]
    [ "$(redis hget "$p:digest:$t" 'ann:po_sent')" = daily@08:00 ]
    [ "$(redis hget "$p:quiet:$t" '*')" = 22:00-07:00 ]
    [ "$(version)" = 1 ]
}

@test "a tenant is a line only if it has nothing else" {
    arda-directory set tenant "$t"
    [ "$(arda-directory dump)" = "$(line tenant '')" ]
    arda-directory dump --secrets >"$RUN_DIR/dump"
    redis flushall
    arda-directory load "$RUN_DIR/dump"
    arda-directory dump --secrets | cmp "$RUN_DIR/dump" -
    [ "$(arda-directory get tenant "$t")" = "$(line tenant '')" ]
    arda-directory set loop "$t" l1
    [ "$(arda-directory dump)" = "$(line loop ',"loopId":"l1"')" ]
    [ "$(arda-directory get tenant "$t")" = "$(line tenant '')" ]
}

@test "rm tenant removes all of it, and its version goes on" {
    arda-directory set user "$t" ann
    arda-directory set loop "$t" l1
    arda-directory set preference "$t" ann po_sent email enabled=true
    arda-directory set webhook "$t" url=https://a.example "secret=$secret"
    arda-directory set digest "$t" '*' '*' schedule=hourly
    arda-directory set quiet "$t" '*' from=22:00 to=07:00
    [ "$(version)" = 6 ]
    arda-directory rm tenant "$t"
    [ "$(version)" = 7 ]
    [ "$(redis keys "$ARDA_PREFIX:*")" = "$ARDA_PREFIX:version:$t" ]
    [ "$(arda-directory dump "$t")" = "" ]
    run arda-directory get tenant "$t"
    [ "$status" = 1 ]
    run arda-directory rm tenant "$t"
    [ "$status" = 1 ]
}

@test "preferences: of a user, of the whole tenant" {
    arda-directory set preference "$t" ann po_created email enabled=false
    arda-directory set preference "$t" '*' po_created email enabled:=true
    [ "$(arda-directory get preference "$t" ann po_created email)" = \
        "$(line preference ',"userId":"ann","notificationType":"po_created","channel":"email","enabled":false')" ]
    [ "$(arda-directory get preference "$t" '*' po_created email)" = \
        "$(line preference ',"userId":null,"notificationType":"po_created","channel":"email","enabled":true')" ]
    arda-directory rm preference "$t" ann po_created email
    refuse 1 "not found" get preference "$t" ann po_created email
    refuse 65 "enabled: missing" set preference "$t" ann po_created email
    refuse 65 "enabled: expected true or false, got yes" set preference "$t" ann po_created email enabled=yes
    refuse 64 "channel: sms is not one of in_app, email, webhook" set preference "$t" ann po_created sms enabled=true
    refuse 64 "set: expected preference TENANT USER TYPE CHANNEL" set preference "$t" ann po_created
    run arda-directory set preference "$t" ann po_creatd email enabled=true
    [ "$status" = 64 ]
    [[ "$output" == *"po_creatd is not one of card_triggered, po_created, "* ]]
}

@test "digests and quiet hours" {
    arda-directory set digest "$t" ann po_created schedule=daily@08:00
    arda-directory set digest "$t" ann '*' schedule=hourly
    [ "$(arda-directory get digest "$t" ann '*')" = \
        "$(line digest ',"userId":"ann","notificationType":null,"schedule":"hourly"')" ]
    arda-directory rm digest "$t" ann '*'
    arda-directory set quiet "$t" ann from=22:00 to=07:00
    arda-directory set quiet "$t" ann to=06:30
    [ "$(arda-directory dump)" = \
        "$(line digest ',"userId":"ann","notificationType":"po_created","schedule":"daily@08:00"' &&
            line quiet ',"userId":"ann","from":"22:00","to":"06:30"')" ]
    refuse 65 "to: the same as from" set quiet "$t" ann to=22:00
    refuse 65 "to: missing" set quiet "$t" bob from=22:00
    refuse 65 'schedule: expected "hourly" or "daily@HH:MM", got "weekly"' set digest "$t" '*' '*' schedule=weekly
}

@test "a secret comes from a file or standard input, and is in no message" {
    echo "$secret" >"$RUN_DIR/secret"
    arda-directory set webhook "$t" url=https://a.example "secret@=$RUN_DIR/secret"
    [ "$(arda-directory get --secrets webhook "$t")" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'","enabled":true')" ]
    printf '%s' "${secret}AAAA" | arda-directory set webhook "$t" secret@=- enabled=false
    [ "$(arda-directory get --secrets webhook "$t")" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'AAAA","enabled":false')" ]
    refuse 65 'secret: expected "whsec_" and the base64 of 24 to 64 bytes' set webhook "$t" secret=whsec_c2hvcnQ=
    refuse 65 'url: expected an http or https URL without user, password and fragment' \
        set webhook "$t" url=https://ann:password@a.example
    refuse 74 "$RUN_DIR/nowhere: No such file or directory" set webhook "$t" "secret@=$RUN_DIR/nowhere"
    refuse 65 "/dev/zero: expected a text of up to 64 KiB" set webhook "$t" secret@=/dev/zero
    line webhook ',"url":"https://a.example","secret":"abc"' >"$RUN_DIR/in"
    refuse 65 "$RUN_DIR/in: line 1: secret: expected \"whsec_\" and the base64 of 24 to 64 bytes" load "$RUN_DIR/in"
    arda-directory rm webhook "$t"
    refuse 65 "secret: missing" set webhook "$t" url=https://a.example
}

@test "a secret that is replaced stays as the previous one until it is taken away" {
    arda-directory set webhook "$t" url=https://a.example "secret=$secret"
    arda-directory set webhook "$t" "secret=${secret}AAAA" "previousSecret=$secret"
    [ "$(arda-directory get --secrets webhook "$t")" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'AAAA","previousSecret":"'$secret'","enabled":true')" ]
    [ "$(arda-directory dump)" = "$(line webhook ',"url":"https://a.example","secret":"***","previousSecret":"***","enabled":true')" ]
    refuse 65 'previousSecret: expected "whsec_" and the base64 of 24 to 64 bytes' \
        set webhook "$t" previousSecret=whsec_c2hvcnQ=
    arda-directory dump --secrets >"$RUN_DIR/dump"
    arda-directory load --replace "$RUN_DIR/dump"
    arda-directory dump --secrets | diff - "$RUN_DIR/dump"
    arda-directory set webhook "$t" previousSecret=
    [ "$(arda-directory get --secrets webhook "$t")" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'AAAA","enabled":true')" ]
}

@test "what is known of an endpoint goes when its webhook changes" {
    arda-directory set webhook "$t" url=https://a.example "secret=$secret"
    redis hset "$ARDA_PREFIX:endpoint:$t" failures 5
    arda-directory set user "$t" ann
    [ "$(redis exists "$ARDA_PREFIX:endpoint:$t")" = 1 ]
    arda-directory set webhook "$t" enabled=true
    [ "$(redis exists "$ARDA_PREFIX:endpoint:$t")" = 0 ]
    redis hset "$ARDA_PREFIX:endpoint:$t" failures 5
    # Somebody who loads the whole directory every night changes nothing by that.
    arda-directory dump --secrets >"$RUN_DIR/dump"
    arda-directory load "$RUN_DIR/dump"
    arda-directory load --replace "$RUN_DIR/dump"
    [ "$(redis exists "$ARDA_PREFIX:endpoint:$t")" = 1 ]
    arda-directory rm webhook "$t"
    [ "$(redis exists "$ARDA_PREFIX:endpoint:$t")" = 0 ]
}

@test "secrets are masked in dump and get, and what is masked is not loaded" {
    arda-directory set webhook "$t" url=https://a.example "secret=$secret" "previousSecret=${secret}AAAA"
    masked=$(line webhook ',"url":"https://a.example","secret":"***","previousSecret":"***","enabled":true')
    [ "$(arda-directory dump)" = "$masked" ]
    [ "$(arda-directory get webhook "$t")" = "$masked" ]
    [ "$(ARDA_DIRECTORY_SECRETS=1 arda-directory dump 2>/dev/null)" = "$masked" ]
    arda-directory dump --secrets >"$RUN_DIR/dump"
    [ "$(cat "$RUN_DIR/dump")" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'","previousSecret":"'$secret'AAAA","enabled":true')" ]
    before=$(version)
    refuse 65 "line 1: secret: masked; a dump with --secrets has the secret" load <<<"$masked"
    run --separate-stderr arda-directory load --replace <<<"$masked"
    [ "$status:$output" = "65:" ]
    [ "${stderr_lines[0]}" = "arda-directory: line 1: secret: masked; a dump with --secrets has the secret" ]
    refuse 65 "secret: masked; a dump with --secrets has the secret" set webhook "$t" 'secret=***'
    refuse 65 "previousSecret: masked; a dump with --secrets has the secret" set webhook "$t" 'previousSecret=***'
    [ "$(version)" = "$before" ]
    arda-directory dump --secrets | cmp "$RUN_DIR/dump" -
    arda-directory load --replace "$RUN_DIR/dump"
    [ "$(version)" = "$before" ]
}

@test "fields of a webhook that others add are left alone" {
    arda-directory set webhook "$t" url=https://a.example "secret=$secret"
    redis hset "$ARDA_PREFIX:webhook:$t" failingSince 5
    arda-directory set webhook "$t" enabled=false
    [ "$(redis hget "$ARDA_PREFIX:webhook:$t" failingSince)" = 5 ]
    [ "$(arda-directory dump --secrets)" = \
        "$(line webhook ',"url":"https://a.example","secret":"'$secret'","enabled":false')" ]
}

@test "time zones are looked up where the machine knows any" {
    mkdir "$RUN_DIR/zones"
    printf TZif2 >"$RUN_DIR/zones/Mars"
    TZDIR=$RUN_DIR/zones arda-directory set user "$t" ann timeZone=Mars
    TZDIR=$RUN_DIR/zones refuse 65 'timeZone: expected a time zone such as "Europe/Berlin", got "Venus"' \
        set user "$t" ann timeZone=Venus
    TZDIR=$RUN_DIR/none arda-directory set user "$t" ann timeZone=Venus
    TZDIR=$RUN_DIR/zones arda-directory set user "$t" ann active=false # of hers that is not there
    TZDIR=$RUN_DIR/none refuse 65 'timeZone: expected a time zone such as "Europe/Berlin", got "../etc"' \
        set user "$t" ann timeZone=../etc
    run --separate-stderr env TZDIR="$RUN_DIR/none" arda-directory -v load /dev/null
    [[ "$stderr" == *"this machine knows no time zones"* ]]
}

@test "usage: what names an entry depends on its kind" {
    refuse 64 "expected a kind such as \`user' or \`loop', got \`thing'" get thing "$t"
    refuse 64 "get: expected user TENANT USER" get user "$t"
    refuse 64 "rm: expected digest TENANT USER TYPE" rm digest "$t" ann
    refuse 64 "expected nothing after the id" get webhook "$t" ann
    refuse 64 "expected nothing after the id" set tenant "$t" a=b
    refuse 64 "expected userId, got a:b" get quiet "$t" a:b
    refuse 64 "operand 1 after the id: expected NAME=VALUE" set quiet "$t" ann x
    # A secret that was given without its name is not shown.
    refuse 64 "operand 2 after the id: expected NAME=VALUE" set webhook "$t" url=https://a.example "$secret"
    refuse 64 "loopId: expected an id, got *" get loop "$t" '*'
    refuse 65 "colour: unknown member of a webhook" set webhook "$t" url=https://a.example "secret=$secret" colour=red
    refuse 65 "userId: not to be set" set quiet "$t" ann userId=bob
}

@test "addresses that nobody can send to are refused where they are entered" {
    local address line=0 tenant
    tenant=$(uuid)
    while IFS= read -r address; do
        line=$((line + 1))
        run -65 arda-directory set user "$tenant" u "email=$address"
        [[ $output == *"email: "*"is not an address that e-mail can be sent to: "* ]]
        run -65 arda-directory load <<<"{\"kind\":\"user\",\"tenantId\":\"$tenant\",\"userId\":\"u\",\"email\":\"$address\"}"
        [[ $output == *"line 1: email: "*"is not an address that e-mail can be sent to: "* ]]
    done <<EOF
dot.@acme.example
two..dots@acme.example
$(printf 'x%.0s' {1..65})@acme.example
ann@acme.example.
ann@acme_works.example
ann@-acme.example
ann@xn-ü-.example
ann@acme..example
a,b@acme.example
EOF
    [ "$line" = 9 ]
    run -1 arda-directory get user "$tenant" u
}

@test "addresses with other letters than ASCII are kept as they are written" {
    local address tenant
    tenant=$(uuid)
    for address in ann@münchen.example jörg@acme.example 用户@例え.テスト "o'hara+x@acme.example"; do
        arda-directory set user "$tenant" u "email=$address"
        [ "$(arda-directory get user "$tenant" u | jq -r .email)" = "$address" ]
    done
}

@test "an address that was stored before stays, and so does its user, until it is entered again" {
    local tenant
    tenant=$(uuid)
    redis hset "$ARDA_PREFIX:users:$tenant" u '{"email":"dot.@acme.example","active":true,"name":"U"}' >/dev/null
    arda-directory set user "$tenant" u name=V
    [ "$(arda-directory get user "$tenant" u | jq -r '.email + " " + .name')" = "dot.@acme.example V" ]
    run -65 arda-directory set user "$tenant" u email=dot.@acme.example
}
