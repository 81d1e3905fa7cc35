#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# arda-token: minting, inspecting, and where the secret comes from.

load ../lib/common.bash

setup() { export JWT_SECRET=$GATEWAY_SECRET; }

@test "what is minted is valid and says what was asked" {
    run --separate-stderr bash -c "arda-token mint -t acme -u ann --role admin --email a@b.c --issuer arda-v2 --audience web --ttl 1h | arda-token inspect"
    [ "$status" = 0 ]
    [ "$stderr" = "" ]
    [ "$(jq -c '[.header.alg, .claims.tenantId, .claims.sub, .claims.role, .claims.email, .claims.iss, .claims.aud, .claims.exp - .claims.iat, .valid]' <<<"$output")" = \
        '["HS256","acme","ann","admin","a@b.c","arda-v2","web",3600,true]' ]
}

@test "jsonwebtoken of npm accepts ours, and we accept its" {
    need_node
    node -e 'const c = require("jsonwebtoken").verify(process.argv[1], process.env.JWT_SECRET, {algorithms: ["HS256"]}); if (c.sub !== "ann" || c.tenantId !== "acme") process.exit(1)' \
        "$(arda-token mint -t acme -u ann)"
    node -e 'console.log(require("jsonwebtoken").sign({sub: "ann", tenantId: "acme", role: "user"}, process.env.JWT_SECRET, {expiresIn: "5m"}))' |
        arda-token inspect | jq -e .valid
}

@test "a changed token is not valid, exit 1, and the reason is told" {
    token=$(arda-token mint -t acme -u ann)
    run --separate-stderr arda-token inspect <<<"${token%??}xx"
    [ "$status" = 1 ]
    [ "$(jq -c '[.valid, .reason]' <<<"$output")" = '[false,"the signature is wrong"]' ]
    run --separate-stderr arda-token inspect <<<"$(arda-token mint -t acme -u ann --ttl 1s | sed 's/^[^.]*/eyJhbGciOiJub25lIn0/')"
    [ "$status" = 1 ]
    [ "$(jq .valid <<<"$output")" = false ]
}

@test "several tokens, a Bearer prefix, a last line without newline, a broken one" {
    token=$(arda-token mint -t acme -u ann)
    printf 'Bearer %s\n\nx.y\n  %s' "$token" "$token" >"$RUN_DIR/in"
    run --separate-stderr arda-token inspect "$RUN_DIR/in"
    [ "$status" = 65 ]
    [ "${#lines[@]}" = 2 ]
    [ "$stderr" = 'arda-token: line 3: not three parts' ]
    run --separate-stderr arda-token inspect </dev/null
    [ "$status" = 65 ]
    run --separate-stderr arda-token inspect /nonexistent
    [ "$status" = 74 ]
}

@test "the secret: from a file, from the environment, too short, unreadable, none" {
    printf '%s\n' "$GATEWAY_SECRET" >"$RUN_DIR/secret"
    token=$(JWT_SECRET='' arda-token mint -t acme -u ann --jwt-secret-file "$RUN_DIR/secret")
    arda-token inspect <<<"$token" | jq -e .valid
    JWT_SECRET=short ARDA_JWT_SECRET=$GATEWAY_SECRET arda-token inspect <<<"$token" | jq -e .valid
    JWT_SECRET=short run --separate-stderr arda-token mint -t acme -u ann
    [ "$status" = 78 ]
    [ "$stderr" = "arda-token: JWT_SECRET: the secret has 5 bytes; it needs at least 32" ]
    run --separate-stderr arda-token mint -t acme -u ann --jwt-secret-file /nonexistent
    [ "$status" = 78 ]
    [[ "$stderr" == *"/nonexistent: No such file or directory"* ]]
    JWT_SECRET='' run --separate-stderr arda-token mint -t acme -u ann
    [ "$status" = 78 ]
    JWT_SECRET='' run --separate-stderr arda-token inspect <<<"$token"
    [ "$status" = 0 ]
    [ "$(jq .valid <<<"$output")" = null ]
}

@test "usage" {
    run arda-token
    [ "$status" = 64 ]
    run arda-token mint -u ann
    [ "$status" = 64 ]
    run arda-token mint -t global -u ann
    [ "$status" = 64 ]
    run arda-token mint -t acme -u 'a n'
    [ "$status" = 64 ]
    run arda-token mint -t acme -u ann --ttl 0
    [ "$status" = 64 ]
    run arda-token mint -t acme -u ann --ttl soon
    [ "$status" = 64 ]
    run arda-token --help
    [ "$status" = 0 ]
    run arda-token --version
    [ "$status" = 0 ]
}

@test "a token as an operand is inspected, with a warning, and stands in no message" {
    token=$(arda-token mint -t acme -u ann)
    run --separate-stderr arda-token inspect "$token"
    [ "$status" = 0 ]
    [ "$(jq -r '[.claims.sub, .valid] | @csv' <<<"$output")" = '"ann",true' ]
    [[ "$stderr" == "arda-token: a token as an operand shows in the list of processes"* ]]
    [[ "$stderr" != *"$token"* ]]
    run --separate-stderr arda-token inspect "Bearer ${token%??}xx"
    [ "$status" = 1 ]
    [ "$(jq -r .reason <<<"$output")" = "the signature is wrong" ]
    run --separate-stderr arda-token inspect "${token%.*}"
    [ "$status" = 65 ]
    [ "${stderr##*$'\n'}" = "arda-token: not three parts" ]
    run --separate-stderr env JWT_SECRET= arda-token inspect "$token"
    [ "$status" = 0 ]
    [[ "$stderr" == *"no key is set"* ]]
    cd "$RUN_DIR"
    echo "$token" >"$token"
    run --separate-stderr arda-token inspect "$token"
    [ "$status" = 0 ]
    [ "$stderr" = "" ]
}

@test "a token as an operand is taken out of the list of processes" {
    token=$(arda-token mint -t acme -u ann)
    mkfifo "$RUN_DIR/full.out"
    exec 8<>"$RUN_DIR/full.out"
    # The pipe is full, so that it waits with its line.
    head -c 65536 /dev/zero >&8
    start full arda-token inspect "$token"
    wait_for err_has full "list of processes"
    [ "$(tr '\0' ' ' <"/proc/$(pid_of full)/cmdline" | grep -c xxxxxxxx)" = 1 ]
    run ! grep -qF "$token" "/proc/$(pid_of full)/cmdline"
    stop full
    exec 8>&-
}

@test "no program repeats a token, a secret or a password that is in the wrong place" {
    token=$(arda-token mint -t acme -u ann)
    secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    while read -r call; do
        # shellcheck disable=SC2086
        run timeout 5 $call </dev/null
        echo "$call: $status $output"
        [ "$status" != 0 ]
        [ "$output" != "" ]
        [[ "$output" != *"${token:5}"* && "$output" != *"${secret:8}"* && "$output" != *hunter2* ]]
    done <<EOF
arda-publish $token
arda-publish -n $secret
arda-replay --stdout $token
arda-subscribe $token
arda-subscribe --via http://127.0.0.1:1 --token-file $token
arda-subscribe --via http://ann:hunter2@127.0.0.1:1 --no-reconnect
arda-subscribe --via http://127.0.0.1:1/?token=hunter2 --no-reconnect
arda-directory load $token
arda-directory dump $token
arda-directory set webhook acme $secret
arda-inbox list --tenant $token --user ann
arda-deliveries show $secret
arda-notifyd $token
arda-notifyd --explain --redis redis://u:hunter2@127.0.0.1:1
arda-gateway $token
arda-token $token
arda-token mint $token
arda-token inspect --jwt-key $token
arda-token inspect --jwt-secret-file $token
arda-token inspect --jwt-secret-file 0123456789012345678901hunter2xxxxxxx
arda-gateway --jwt-secret-file 0123456789012345678901hunter2xxxxxxx
arda-publish -n --downgrade $token
EOF
}
