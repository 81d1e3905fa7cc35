#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-gateway and tokens: keys of all kinds and their rotation, issuer and audience, expiry,
# revocation. Keys are made by openssl, tokens are signed by jsonwebtoken of npm.

load ../lib/common.bash

setup_file() {
    start_redis
    cd "$BATS_FILE_TMPDIR" || return 1
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
    openssl ecparam -name prime256v1 -genkey -out ec.key
    openssl pkey -in rsa.key -pubout -out rsa.pub
    openssl pkey -in ec.key -pubout -out ec.pub
    openssl rand -hex 32 >hmac.key
    openssl rand -hex 32 >hmac2.key
    export KEYS=$BATS_FILE_TMPDIR
}
teardown_file() { stop_all; }

setup() {
    need_node
    tenant=$(uuid)
}
teardown() { stop_all; }

# sign KEY ALGORITHM CLAIMS [KID]: the lines of a secret's file end where its text does.
sign() {
    node -e '
        const [file, algorithm, claims, keyid] = process.argv.slice(1);
        const key = require("fs").readFileSync(file, "utf8").replace(/\r?\n$/, "");
        const options = { algorithm, noTimestamp: true, ...(keyid ? { keyid } : {}) };
        console.log(require("jsonwebtoken").sign(JSON.parse(claims), key, options));
    ' "$@"
}

claims() { # USER [MORE]
    printf '{"sub":"%s","tenantId":"%s"%s}' "$1" "$tenant" "${2:-}"
}

# connect NAME TOKEN [OPTION]...: returns when it is let in or refused.
connect() {
    local name=$1 token=$2
    shift 2
    start "$name" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$token" "$@"
    wait_for answered "$name"
}
answered() { out_has "$1" '"event":"connected"' || out_has "$1" '"error":'; }
is_in() { out_has "$1" '"event":"connected"' && ! out_has "$1" '"disconnect"'; }
is_refused() { out_has "$1" '"error":"Invalid token"'; }
# Told to leave for good: its process has nothing left to do.
is_out() {
    join "$1"
    out_has "$1" '{"disconnect":"io server disconnect"}'
    [ "$(grep -c '"connect":' "$RUN_DIR/$1.out")" = 1 ]
}
# Events still reach it.
is_served() { # NAME TENANT
    local before
    before=$(grep -c '"event":"card.transition"' "$RUN_DIR/$1.out" || true)
    wait_for subscribers "$2" 1
    card "$2" | arda-publish
    wait_for got "$1" $((before + 1))
    ! out_has "$1" '"disconnect"'
}

@test "each algorithm with a key of its kind, whoever has signed" {
    start_gateway --jwt-key "$KEYS/rsa.pub" --jwt-key "$KEYS/ec.pub" --jwt-key "$KEYS/hmac.key" \
        --jwt-algorithms HS256,HS512,RS256,ES256
    connect rs256 "$(sign "$KEYS/rsa.key" RS256 "$(claims ann)")"
    connect es256 "$(sign "$KEYS/ec.key" ES256 "$(claims ann)")"
    connect hs512 "$(sign "$KEYS/hmac.key" HS512 "$(claims ann)")"
    connect ours "$(arda-token mint -t "$tenant" -u ann --jwt-key "$KEYS/ec.key")"
    connect secret "$(token "$tenant" ann)"
    for name in rs256 es256 hs512 ours secret; do is_in "$name"; done
    connect rs512 "$(sign "$KEYS/rsa.key" RS512 "$(claims ann)")" --no-reconnect
    connect hs384 "$(sign "$KEYS/hmac.key" HS384 "$(claims ann)")" --no-reconnect
    connect stranger "$(sign "$KEYS/hmac2.key" HS256 "$(claims ann)")" --no-reconnect
    connect none "$(node -e 'console.log(require("jsonwebtoken").sign({sub: "ann", tenantId: process.argv[1]}, "", {algorithm: "none"}))' "$tenant")" --no-reconnect
    for name in rs512 hs384 stranger none; do is_refused "$name"; done
}

@test "the text of a public key signs nothing" {
    start_gateway --jwt-key "$KEYS/rsa.pub"
    forged=$(node -e '
        const { createHmac } = require("crypto"), fs = require("fs");
        const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
        const text = part({ alg: "HS256", typ: "JWT" }) + "." + part(JSON.parse(process.argv[2]));
        console.log(text + "." + createHmac("sha256", fs.readFileSync(process.argv[1])).update(text).digest("base64url"));
    ' "$KEYS/rsa.pub" "$(claims ann)")
    connect forged "$forged" --no-reconnect
    is_refused forged
}

@test "arda-token mints what jsonwebtoken verifies, and inspects what it signs" {
    for kind in RS256:rsa ES256:ec; do
        key=${kind#*:}
        token=$(arda-token mint -t "$tenant" -u ann --jwt-key "k1=$KEYS/$key.key")
        node -e 'const { header } = require("jsonwebtoken").verify(process.argv[1], require("fs").readFileSync(process.argv[2]), { algorithms: [process.argv[3]], complete: true }); if (header.kid !== "k1") process.exit(1)' \
            "$token" "$KEYS/$key.pub" "${kind%:*}"
        arda-token inspect --jwt-key "k1=$KEYS/$key.pub" <<<"$token" | jq -e .valid
        sign "$KEYS/$key.key" "${kind%:*}" "$(claims ann)" | arda-token inspect --jwt-key "$KEYS/$key.pub" | jq -e .valid
    done
    token=$(arda-token mint -t "$tenant" -u ann --jwt-key "$KEYS/hmac.key" --algorithm HS384)
    arda-token inspect --jwt-key "$KEYS/hmac.key" --jwt-algorithms HS384 <<<"$token" | jq -e .valid
    run --separate-stderr arda-token inspect --jwt-key "$KEYS/hmac.key" <<<"$token"
    [ "$status" = 1 ]
    [ "$(jq -r .reason <<<"$output")" = "the algorithm is not HS256" ]
    run --separate-stderr arda-token mint -t "$tenant" -u ann --jwt-key "$KEYS/rsa.pub"
    [ "$status" = 78 ]
    [ "$stderr" = "arda-token: no key that could sign" ]
    run --separate-stderr arda-token mint -t "$tenant" -u ann --jwt-key "$KEYS/rsa.key" --algorithm HS256
    [ "$status" = 78 ]
    run --separate-stderr arda-token mint -t "$tenant" -u ann --jwt-key "$KEYS/rsa.key" --algorithm none
    [ "$status" = 64 ]
}

@test "rotation: SIGHUP reads the files again, and nobody is disconnected" {
    cp "$KEYS/hmac.key" "$RUN_DIR/current"
    cp "$KEYS/hmac2.key" "$RUN_DIR/next"
    JWT_SECRET='' GATEWAY_SECRET='' start_gateway --jwt-key "a=$RUN_DIR/current" --jwt-key "b=$RUN_DIR/next"
    connect old "$(sign "$KEYS/hmac.key" HS256 "$(claims ann)" a)"
    connect polling "$(sign "$KEYS/hmac.key" HS256 "$(claims ann)" a)" --transports polling
    connect both "$(sign "$KEYS/hmac2.key" HS256 "$(claims ann)" b)"
    connect swapped "$(sign "$KEYS/hmac2.key" HS256 "$(claims ann)" a)" --no-reconnect
    connect without "$(sign "$KEYS/hmac.key" HS256 "$(claims ann)")" --no-reconnect
    is_refused swapped
    is_refused without
    cp "$KEYS/rsa.pub" "$RUN_DIR/current"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the keys of tokens were loaded again"
    connect new "$(sign "$KEYS/rsa.key" RS256 "$(claims ann)" a)"
    connect late "$(sign "$KEYS/hmac.key" HS256 "$(claims ann)" a)" --no-reconnect
    is_in new
    is_refused late
    for name in old polling both new; do is_served "$name" "$tenant"; done
}

@test "a file that SIGHUP cannot read: the old keys stay, and it is said" {
    cp "$KEYS/ec.pub" "$RUN_DIR/key"
    start_gateway --jwt-key "$RUN_DIR/key"
    head -c 60 "$KEYS/ec.pub" >"$RUN_DIR/key"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "the keys of tokens were not loaded again: $RUN_DIR/key: no usable PEM of a public key"
    rm "$RUN_DIR/key"
    kill -HUP "$(pid_of gateway)"
    wait_for err_has gateway "not loaded again: cannot read the key file $RUN_DIR/key: No such file or directory"
    connect one "$(sign "$KEYS/ec.key" ES256 "$(claims ann)")"
    is_in one
}

@test "keys that are no good at the start: exit 78 and the name of the file" {
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 | openssl pkey -pubout -out "$RUN_DIR/small.pub"
    openssl genpkey -quiet -algorithm ED25519 | openssl pkey -pubout -out "$RUN_DIR/ed.pub"
    echo too short >"$RUN_DIR/short"
    for file in "$RUN_DIR/small.pub" "$RUN_DIR/ed.pub" "$RUN_DIR/short" "$KEYS/rsa.key" /nonexistent; do
        run --separate-stderr arda-gateway --listen 127.0.0.1:0 --jwt-key "$file"
        [ "$status" = 78 ]
        [[ "$stderr" == *"$file"* ]]
    done
    run --separate-stderr arda-gateway --listen 127.0.0.1:0
    [ "$status" = 78 ]
    run --separate-stderr arda-gateway --listen 127.0.0.1:0 --jwt-key "$KEYS/rsa.pub" --jwt-algorithms HS256
    [ "$status" = 78 ]
    run --separate-stderr arda-gateway --listen 127.0.0.1:0 --jwt-key "$KEYS/rsa.pub" --jwt-algorithms none
    [ "$status" = 64 ]
    run --separate-stderr arda-gateway --listen 127.0.0.1:0 --jwt-key "$KEYS/rsa.pub" --jwt-issuer ''
    [ "$status" = 64 ]
}

@test "issuer, audience and leeway" {
    start_gateway --jwt-issuer arda --jwt-audience web --jwt-leeway 1h
    now=$(date +%s)
    printf '%s' "$GATEWAY_SECRET" >"$RUN_DIR/secret"
    hs() { sign "$RUN_DIR/secret" HS256 "$(claims ann "$1")"; }
    connect both "$(hs ',"iss":"arda","aud":"web"')"
    connect several "$(hs ',"iss":"arda","aud":["api","web"]')"
    connect expired "$(hs ',"iss":"arda","aud":"web","exp":'$((now - 1800)))"
    connect early "$(hs ',"iss":"arda","aud":"web","nbf":'$((now + 1800)))"
    for name in both several expired early; do is_in "$name"; done
    connect iss "$(hs ',"iss":"other","aud":"web"')" --no-reconnect
    connect aud "$(hs ',"iss":"arda","aud":["api"]')" --no-reconnect
    connect neither "$(hs '')" --no-reconnect
    connect long "$(hs ',"iss":"arda","aud":"web","exp":'$((now - 3601)))" --no-reconnect
    for name in iss aud neither long; do is_refused "$name"; done
    [ "$(hs ',"iss":"arda"' | arda-token inspect --jwt-secret-file "$RUN_DIR/secret" --jwt-issuer arda --jwt-audience web | jq -r .reason)" = "aud is not the audience" ]
}

@test "--jwt-require-exp: a token has to expire" {
    start_gateway -v --jwt-require-exp
    printf '%s' "$GATEWAY_SECRET" >"$RUN_DIR/secret"
    forever=$(sign "$RUN_DIR/secret" HS256 "$(claims ann '')")
    connect ends "$(token "$tenant" ann)"
    is_in ends
    connect forever "$forever" --no-reconnect
    is_refused forever
    wait_for err_has gateway "refused: it has no exp"
    [ "$(arda-token inspect --jwt-secret-file "$RUN_DIR/secret" <<<"$forever" | jq -c '[.valid, .reason]')" = '[true,null]' ]
    [ "$(arda-token inspect --jwt-secret-file "$RUN_DIR/secret" --jwt-require-exp <<<"$forever" | jq -c '[.valid, .reason]')" = \
        '[false,"it has no exp"]' ]
    stop gateway
    start_gateway
    connect again "$forever"
    is_in again
}

expired() { # TOKEN [OPTION]...
    local token=$1
    shift
    ! JWT_SECRET=$GATEWAY_SECRET arda-token inspect "$@" <<<"$token" | jq -e .valid >/dev/null
}

@test "a token that expires: nothing happens, as in the catalog" {
    start_gateway
    short=$(token "$tenant" ann --ttl 2s)
    connect one "$short"
    wait_for expired "$short"
    is_served one "$tenant"
}

@test "--token-expiry=disconnect: at exp the client is told to leave, and stays away" {
    start_gateway --token-expiry disconnect --workers 2
    short=$(token "$tenant" ann --ttl 6s)
    connect websocket "$short"
    connect polling "$short" --transports polling
    connect upgraded "$short" --upgrade
    connect later "$(token "$tenant" ann --ttl 1h)"
    connect never "$(sign <(printf '%s' "$GATEWAY_SECRET") HS256 "$(claims ann)")"
    for name in websocket polling upgraded; do is_out "$name"; done
    expired "$short"
    for name in later never; do is_served "$name" "$tenant"; done
    connect again "$short" --no-reconnect
    is_refused again
    stop gateway
    err_has gateway "3 sockets ended: the token has expired"
}

@test "--token-expiry=disconnect counts the leeway in" {
    start_gateway --token-expiry disconnect --jwt-leeway 6s
    short=$(token "$tenant" ann --ttl 1s)
    connect one "$short"
    wait_for expired "$short"
    is_out one
    expired "$short" --jwt-leeway 6s
}

# revoke TYPE USER [TENANT]: as arda-publish does it, or, without tenant, on the global channel.
revoke() {
    if [ -n "${3:-}" ]; then
        printf '{"type":"%s","tenantId":"%s","userId":"%s"}\n' "$1" "$3" "$2" | arda-publish --allow-unknown
    else
        redis publish arda:events:global "$(printf '{"type":"%s","userId":"%s"}' "$1" "$2")"
    fi
}

@test "--revocation cuts the user's sockets, on every transport and worker, and no other" {
    start_gateway --revocation --workers 2
    other=$(uuid)
    for n in 1 2; do
        connect "websocket$n" "$(token "$tenant" ann)"
        connect "polling$n" "$(token "$tenant" ann)" --transports polling
        connect "upgraded$n" "$(token "$tenant" ann)" --upgrade
    done
    connect colleague "$(token "$tenant" bob)"
    connect lister "$(token "$tenant" cid)" --transports polling
    connect namesake "$(token "$other" ann)"
    wait_for subscribers "$tenant" 1
    wait_for subscribers "$other" 1
    wait_for subscribers global 1
    revoke security.token.revoked ann "$tenant"
    for n in 1 2; do
        for name in "websocket$n" "polling$n" "upgraded$n"; do is_out "$name"; done
    done
    is_served colleague "$tenant"
    is_served lister "$tenant"
    is_served namesake "$other"
    revoke security.auth.logout bob "$tenant"
    is_out colleague
    is_served lister "$tenant"
    connect back "$(token "$tenant" ann)" # with another token; which one it was nobody says
    is_served back "$tenant"
    stop gateway
    err_has gateway "7 sockets ended: the token was revoked"
}

@test "--revocation: an event without a tenant is for all tenants" {
    start_gateway --revocation
    other=$(uuid)
    connect one "$(token "$tenant" ann)"
    connect two "$(token "$other" ann)" --transports polling
    connect three "$(token "$other" bob)"
    wait_for subscribers global 1
    revoke security.token.revoked '\u0061nn'
    is_out one
    is_out two
    is_served three "$other"
    # Others of the kind, and those that name nobody, cut nobody.
    revoke security.auth.login bob
    redis publish arda:events:global '{"type":"security.token.revoked"}'
    redis publish arda:events:global '{"type":"security.token.revoked","userId":["bob"]}'
    is_served three "$other"
}

@test "a client that still waits for its tenant is refused, by revocation and by expiry" {
    start_gateway --revocation --token-expiry disconnect
    wait_for subscribers global 1
    redis acl setuser default resetchannels '&arda:events:global'
    short=$(token "$tenant" bob --ttl 2s)
    waiter() { start "$1" node "$top_srcdir/tests/lib/client.js" "$GATEWAY_URL" --token "$2" --no-reconnect; }
    waiter ann "$(token "$tenant" ann --ttl 1h)"
    waiter bob "$short"
    waiter cid "$(token "$tenant" cid --ttl 1h)"
    for name in ann bob cid; do wait_for out_has "$name" '"transport":'; done
    wait_for err_has gateway "subscribe arda:events:$tenant: NOPERM"
    wait_for answered bob
    expired "$short"
    wait_for revoked_until_answered ann
    is_refused ann
    is_refused bob
    redis acl setuser default allchannels
    wait_for answered cid
    is_in cid
}
revoked_until_answered() {
    revoke security.token.revoked "$1" >/dev/null
    answered "$1"
}

@test "--revocation with --stdin" {
    mkfifo "$RUN_DIR/in"
    exec 7<>"$RUN_DIR/in"
    STDIN=$RUN_DIR/in start_gateway --stdin --revocation
    connect one "$(token "$tenant" ann)"
    connect two "$(token "$tenant" bob)"
    connect three "$(token "$tenant" cid)"
    printf '{"type":"security.auth.logout","tenantId":"%s","userId":"ann"}\n' "$tenant" >&7
    is_out one
    printf '{"type":"security.auth.logout","userId":"bob"}\n' >&7
    is_out two
    printf '{"type":"x","tenantId":"%s"}\n' "$tenant" >&7
    wait_for got three 1
    exec 7>&-
}

@test "without --revocation such events cut nobody" {
    start_gateway
    connect one "$(token "$tenant" ann)"
    wait_for subscribers "$tenant" 1
    revoke security.token.revoked ann "$tenant"
    is_served one "$tenant"
    subscribers global 0
}
