#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What all programs do alike with their options, as arda(7) says.

bats_require_minimum_version 1.5.0

setup() {
    unset ARDA_NODE_MODULES
    bin=$(cd "${builddir:-.}" && pwd)
    src=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    programs=("$bin"/arda-{deliveries,directory,gateway,inbox,notifyd,publish,replay,subscribe,token})
}

@test "an unknown option is named" {
    for program in "${programs[@]}"; do
        for option in --no-such-option --no-such=value -X; do
            run "$program" "$option"
            [ "$status" -eq 64 ]
            [ "${lines[0]}" = "${program##*/}: unrecognized option '${option%%=*}'" ]
            [ "${lines[1]}" = "Try '${program##*/} --help' for more information." ]
        done
    done
}

@test "a value that is missing or too many is said of its option" {
    for program in "${programs[@]}"; do
        run "$program" --log-format
        [ "$status" -eq 64 ]
        [ "${lines[0]}" = "${program##*/}: --log-format: expected an argument" ]
        run "$program" --quiet=yes
        [ "$status" -eq 64 ]
        [ "${lines[0]}" = "${program##*/}: --quiet: takes no argument" ]
    done
}

@test "a bad variable is bad configuration, and named" {
    for program in "${programs[@]}"; do
        run env ARDA_LOG_FORMAT=xml "$program"
        [ "$status" -eq 78 ]
        [ "$output" = "${program##*/}: ARDA_LOG_FORMAT: expected one of text|json, got \`xml'" ]
    done
}

@test "an option wins over its variable" {
    run env ARDA_LOG_FORMAT=json "${builddir:-.}/arda-token" --log-format=text
    [ "$status" -eq 64 ]
    [[ $output == arda-token:* ]]
}

# Prints one event without Redis, so that nothing but the environment is reported.
event=(loop.parameters_changed tenantId=acme loopId=l changeType=manual reason=x)
dry() { env "$@" "$bin/arda-publish" --dry-run --loose-ids "${event[@]}"; }

@test "what the environment has set is reported, with its variable" {
    run --separate-stderr dry ARDA_PUBLISH_SOURCE=erp ARDA_PUBLISH_ENVELOPE=yes
    [ "$status" -eq 0 ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [ "${stderr_lines[0]}" = "arda-publish: --source=erp by ARDA_PUBLISH_SOURCE" ]
    [ "${stderr_lines[1]}" = "arda-publish: --envelope by ARDA_PUBLISH_ENVELOPE" ]
    run --separate-stderr dry ARDA_PUBLISH_SOURCE=erp ARDA_LOG_FORMAT=json
    jq -e '.level == "info" and .message == "--source=erp by ARDA_PUBLISH_SOURCE"' <<<"$stderr"
    run --separate-stderr dry ARDA_PUBLISH_SOURCE=erp ARDA_QUIET=yes
    [ "$stderr" = "" ]
}

@test "what changes nothing, and what all programs share, is not" {
    run --separate-stderr dry ARDA_PUBLISH_RATE=0 ARDA_PUBLISH_STRICT=no ARDA_PREFIX=p \
        REDIS_URL=redis://user:pass@127.0.0.1:1 ARDA_PUBLISH_SOURCE=
    [ "$status" -eq 0 ]
    [ "$stderr" = "" ]
    run --separate-stderr env ARDA_PUBLISH_SOURCE=erp "$bin/arda-publish" --dry-run --loose-ids \
        --source=shop "${event[@]}"
    [ "$stderr" = "" ]
}

@test "a password is not reported" {
    run --separate-stderr env ARDA_NOTIFYD_SMTP=smtp://ann:geheim@127.0.0.1:25 "$bin/arda-notifyd" --rules
    [ "$status" -eq 0 ]
    [ "$stderr" = "arda-notifyd: --smtp=smtp://ann:******@127.0.0.1:25 by ARDA_NOTIFYD_SMTP" ]
}

@test "a variable for one program changes no other" {
    run --separate-stderr dry ARDA_REPLAY_TYPE=x ARDA_SUBSCRIBE_USER=ann ARDA_INBOX_TENANT=other \
        ARDA_GATEWAY_WORKERS=4 ARDA_TOKEN_TENANT=other
    [ "$status" -eq 0 ]
    [[ $output == *'"tenantId":"acme"'* ]]
    [ "$stderr" = "" ]
}

@test "an unknown variable is reported with the nearest name, and never its value" {
    run --separate-stderr dry ARDA_PUBLISH_SUORCE=geheim ARDA_REDDIS=geheim ARDA_XYZ_NONE=geheim ARDA_=geheim
    [ "$status" -eq 0 ]
    diff -u - <(printf '%s\n' "${stderr_lines[@]}" | LC_ALL=C sort) <<'END'
arda-publish: unknown variable ARDA_
arda-publish: unknown variable ARDA_PUBLISH_SUORCE; did you mean ARDA_PUBLISH_SOURCE?
arda-publish: unknown variable ARDA_REDDIS; did you mean ARDA_REDIS?
arda-publish: unknown variable ARDA_XYZ_NONE
END
}

@test "a name that counts no more is reported by the programs that had it, with what counts" {
    run --separate-stderr dry ARDA_TENANT=other
    [[ $output == *'"tenantId":"acme"'* ]]
    [ "$stderr" = "arda-publish: ARDA_TENANT is ignored: the variable of --tenant is ARDA_PUBLISH_TENANT" ]
    run --separate-stderr dry ARDA_TENANT=other ARDA_PUBLISH_TENANT=acme
    [ "$stderr" = "arda-publish: --tenant=acme by ARDA_PUBLISH_TENANT" ]
    run --separate-stderr dry ARDA_ALL=yes ARDA_SMTP=x
    [ "$stderr" = "" ]
    run --separate-stderr env ARDA_ALL=yes "$bin/arda-inbox" --tenant a --user b foo
    [ "${stderr_lines[0]}" = "arda-inbox: ARDA_ALL is ignored: --all has no variable" ]
}

@test "every variable of every program, and every secret, is known to all" {
    for program in "${programs[@]}"; do
        "$program" --dump-options | cut -f 5 | tr , '\n' | grep '^ARDA_'
    done | sort -u >"$BATS_TEST_TMPDIR/variables"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/variables")" -gt 100 ]
    # Wherever the sources name one.
    grep -rhoE '"ARDA_[A-Z_]+"' "$src/lib" "$src/bin" | tr -d '"' | sort -u >"$BATS_TEST_TMPDIR/read"
    grep -qx ARDA_JWT_SECRET "$BATS_TEST_TMPDIR/read"
    [ "$(find "$src/bin" -name 'options.h' | wc -l)" -eq "${#programs[@]}" ]
    for program in "${programs[@]}"; do
        own=$(basename "$program" | tr 'a-z-' 'A-Z_')
        grep -v "^${own}_" "$BATS_TEST_TMPDIR/variables" | cat - "$BATS_TEST_TMPDIR/read" |
            grep -vxE 'ARDA_(LOG_FORMAT|VERBOSE|QUIET)' | sed 's/$/=1/' >"$BATS_TEST_TMPDIR/set"
        mapfile -t settings <"$BATS_TEST_TMPDIR/set"
        run env "${settings[@]}" ARDA_NOBODY_HAS=1 "$program" '' </dev/null
        [ "$(grep -c 'unknown variable' <<<"$output")" = 1 ]
        [[ $output == *"unknown variable ARDA_NOBODY_HAS"* ]]
    done
}

@test "--help and --version go to standard output" {
    for program in "${programs[@]}"; do
        "$program" --help 2>/dev/null | grep -q "^usage: ${program##*/} "
        [[ $("$program" --version 2>/dev/null) == "${program##*/} "[0-9]* ]]
    done
}

@test "help that cannot be written is an error" {
    [ -c /dev/full ] || skip "no /dev/full"
    for program in "${programs[@]}"; do
        status=0
        "$program" --help >/dev/full || status=$?
        [ "$status" -eq 74 ]
    done
}
