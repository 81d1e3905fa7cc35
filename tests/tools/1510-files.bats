#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
#
# Files with data of tenants, those of --cursor, --checkpoint and --unsent: who may read them, and
# where they cannot be replaced by renaming.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }
setup() {
    tenant=$(uuid)
    work=$(mktemp -d) events=$(mktemp)
    chmod 755 "$work" "$events" # for programs of another user
    cd "$work" || return 1
    umask 0022
}
teardown() {
    stop_all
    rm -rf "$work" "$events"
}

entries() { redis xlen "arda:stream:$tenant"; }
mode() { stat -c %a "$1"; }
# there NAME...: what is in the folder, and nothing beside it.
there() { [ "$(echo *)" = "$*" ]; }

publish_two() { { card "$tenant"; card "$tenant"; } | arda-publish -q; }
# In vain, with COMMAND... before it.
unsent() { # FILE [COMMAND]...
    local file=$1
    shift
    { card "$tenant"; card "$tenant"; } >"$events"
    run --separate-stderr "$@" arda-publish --redis redis://127.0.0.1:1 --retry-for 100ms \
        --unsent "$file" "$events"
}

# mounted FILE COMMAND...: FILE is a mount of its own, as containers make of single files.
mounted() { (exec_mounted "$@"); }
# In place of this shell, so that who has started it can end it.
exec_mounted() {
    local file=$1
    shift
    exec unshare "${namespaces[@]}" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh \
        "$BATS_TEST_TMPDIR/host" "$file" "$@"
}
# False where the system lets nobody mount, as in many containers: that is no part of this test.
need_mounts() {
    : >"$BATS_TEST_TMPDIR/host"
    : >file
    namespaces=(--mount)
    ! mounted file true 2>/dev/null || return 0
    namespaces=(--mount --map-root-user)
    ! mounted file true 2>/dev/null || return 0
    echo "# no mount namespaces here" >&3
    return 1
}
cannot() { echo "$1: cannot be replaced ($2), so it is overwritten; a crash meanwhile may damage it"; }

@test "what is made is for its owner alone" {
    publish_two
    run -0 arda-subscribe --since start --cursor cursor "$tenant"
    run -0 arda-replay --from-stream "$tenant" --shadow=-test --instant --checkpoint checkpoint
    unsent left
    [ "$status" = 75 ]
    there checkpoint cursor left
    [ "$(mode cursor) $(mode checkpoint) $(mode left)" = "600 600 600" ]
}

@test "the mode of what is replaced stays" {
    publish_two
    : >cursor
    arda-replay -q --from-stream "$tenant" --shadow=-test --instant --checkpoint checkpoint
    : >left
    for mode in 600 640; do
        chmod $mode cursor checkpoint left
        run arda-subscribe --since start --cursor cursor "$tenant"
        run -0 arda-replay --from-stream "$tenant" --shadow=-test --instant --checkpoint checkpoint
        unsent left
        [ "$(mode cursor) $(mode checkpoint) $(mode left)" = "$mode $mode $mode" ]
    done
}

@test "a link that lies beside the file is not followed" {
    publish_two
    echo precious >"$BATS_TEST_TMPDIR/precious"
    for file in cursor checkpoint left; do
        ln -s "$BATS_TEST_TMPDIR/precious" $file.new
        ln -s "$BATS_TEST_TMPDIR/precious" $file.tmp
    done
    run -0 arda-subscribe --since start --cursor cursor "$tenant"
    run -0 arda-replay --from-stream "$tenant" --shadow=-test --instant --checkpoint checkpoint
    unsent left
    [ "$(cat "$BATS_TEST_TMPDIR/precious")" = precious ]
    [ "$(wc -l <left)" = 2 ]
}

@test "a cursor that is mounted by itself is overwritten, with one warning" {
    need_mounts || return 0
    publish_two
    run --separate-stderr mounted file arda-subscribe --since start --cursor file "$tenant"
    [ "$status" = 0 ]
    [ "${#lines[@]}" = 2 ]
    [ "$stderr" = "arda-subscribe: $(cannot "$work/file" 'Device or resource busy')" ]
    there file
    cp "$BATS_TEST_TMPDIR/host" cursor
    rm file
    [ "$(jq -c '[.cursor, .tenantId]' cursor | paste -sd' ')" = "[1,null] [null,\"$tenant\"]" ]
    : >file
    run --separate-stderr mounted file arda-subscribe --since start --cursor file "$tenant"
    [ "$status:$output" = "1:" ]
    # While it runs, too, for longer than the second after which it would be replaced.
    start sub exec_mounted file arda-subscribe --follow --cursor file "$tenant"
    wait_for subscribers "$tenant" 1
    for more in 3 4; do
        card "$tenant" | arda-publish -q
        wait_for lines_of sub $((more - 2))
        last=$(redis --raw xrevrange "arda:stream:$tenant" + - count 1 | head -n 1)
        wait_for grep -qF "\"$last\"" "$BATS_TEST_TMPDIR/host"
    done
    stop sub
    there cursor file
}

@test "a checkpoint that is mounted by itself is overwritten, and is gone on from" {
    need_mounts || return 0
    publish_two
    rm file
    arda-replay -q --from-stream "$tenant" --shadow=-test --instant --checkpoint c.state
    sed 's/"complete":true/"complete":false/' c.state >"$BATS_TEST_TMPDIR/host"
    chmod 640 "$BATS_TEST_TMPDIR/host"
    card "$tenant" | arda-publish -q
    rm c.state && : >c.state
    run --separate-stderr mounted c.state arda-replay --from-stream "$tenant" --shadow=-test --instant \
        --checkpoint c.state
    echo "$stderr"
    [ "$status" = 0 ]
    [ "$(grep -c 'cannot be replaced' <<<"$stderr")" = 1 ]
    jq -e '.complete' "$BATS_TEST_TMPDIR/host"
    [ "$(mode "$BATS_TEST_TMPDIR/host")" = 640 ]
    there c.state
    # The first one: nothing is in it.
    : >"$BATS_TEST_TMPDIR/host"
    run -0 mounted c.state arda-replay -q --from-stream "$tenant" --shadow=-other --instant --checkpoint c.state
    jq -e '.complete' "$BATS_TEST_TMPDIR/host"
}

@test "--unsent into a file that is mounted by itself keeps every line" {
    need_mounts || return 0
    printf 'what was there was longer than two lines; %.0s' {1..100} >"$BATS_TEST_TMPDIR/host"
    unsent file mounted file
    [ "$status" = 75 ]
    [[ "$stderr" == *"$(cannot "$work/file" 'Device or resource busy')"*"file: 2 lines for the next run" ]]
    there file
    [ "$(jq -r .event.tenantId "$BATS_TEST_TMPDIR/host" | sort | uniq -c | tr -s ' ')" = " 2 $tenant" ]
}

# nobody COMMAND...: as a user who may write the files and not the folder.
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
# False where there is no other user to be, or none that reaches the programs.
need_nobody() {
    [ "$(id -u)" = 0 ] && nobody arda-publish --version >/dev/null 2>&1
}

@test "a folder that is closed to writing: what is there is overwritten, the rest refused at the start" {
    need_nobody || return 0
    publish_two
    : >file
    chmod 666 file
    unsent file nobody
    echo "$stderr"
    [ "$status" = 75 ]
    [[ "$stderr" == *"$(cannot "$work/file" 'Permission denied')"* ]]
    [ "$(wc -l <file)" = 2 ]
    unsent left nobody
    [ "$status:$stderr" = "73:arda-publish: left: Permission denied" ]
    run --separate-stderr nobody arda-replay --from-stream "$tenant" --shadow=-test --instant --checkpoint c.state
    [ "$status" = 73 ]
    [[ "$stderr" == *"c.state: Permission denied" ]]
    [ "$(redis exists "arda:stream:$tenant-test")" = 0 ]
    run --separate-stderr nobody arda-subscribe --since start --cursor cursor "$tenant"
    [ "$status:$output" = "73:" ]
    [[ "$stderr" == *"cursor: Permission denied" ]]
    there file
}

@test "--unsent: what cannot be put in its place in the end goes to standard error" {
    # The folder is there at the start, and gone when the lines are to be written.
    mkdir folder
    card "$tenant" >"$events"
    start publish arda-publish --redis redis://127.0.0.1:1 --retry-for 1h --unsent folder/left \
        "$events"
    wait_for err_has publish "trying again"
    rmdir folder
    stop publish
    [ "$status" = 74 ]
    err_has publish "folder/left: No such file or directory; the unsent lines follow here"
    [ "$(grep '^{' "$RUN_DIR/publish.err" | jq -r .event.tenantId)" = "$tenant" ]
    # And they are complete input.
    grep '^{' "$RUN_DIR/publish.err" | arda-publish -q
    [ "$(entries)" = 1 ]
}

@test "--unsent: the disk is full in the middle, and every line is somewhere once" {
    need_mounts || return 0
    unshare "${namespaces[@]}" sh -c 'mount -t tmpfs -o size=256k tmpfs "$1"' sh "$work" 2>/dev/null ||
        return 0
    # More than 64 KiB at a time are written, so some lines are in the draft when it is full.
    i=0
    while [ $((i += 1)) -le 2000 ]; do
        echo "{\"type\":\"x\",\"tenantId\":\"$tenant\",\"n\":$i,\"text\":\"$(printf '%0100d' 0)\"}"
    done >"$events"
    run --separate-stderr unshare "${namespaces[@]}" sh -c '
        mount -t tmpfs -o size=256k tmpfs "$1" && cd "$1" && shift && "$@"; status=$?; ls | sed "s/^/left: /" >&2; exit $status' \
        sh "$work" arda-publish --allow-unknown --redis redis://127.0.0.1:1 --retry-for 100ms \
        --unsent left "$events"
    [ "$status" = 74 ]
    [[ "$stderr" == *"left: No space left on device; the unsent lines follow here"* ]]
    [ "$(grep '^{' <<<"$stderr" | jq .event.n | sort -n | paste -sd' ')" = "$(seq 2000 | paste -sd' ')" ]
    [[ "$stderr" != *"left: left"* ]] # and there is no file
}

# warned TEXT FILE...: TEXT has a warning of each FILE and no other.
warned() {
    local text=$1
    shift
    [ "$(grep -o '[^ ]*: everybody on this computer can read this secret' <<<"$text" | cut -d: -f1 | LC_ALL=C sort | paste -sd' ')" = "$*" ]
}

@test "a secret that everybody can read is warned about, whatever reads it" {
    printf '%s' "$GATEWAY_SECRET" >secret
    cp secret relay
    cp secret links
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 \
        -keyout tls.key -out tls.crt 2>/dev/null
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private.pem
    openssl pkey -in private.pem -pubout -out public.pem
    token "$tenant" ann >minted
    for mode in 644 640; do
        chmod $mode ./*
        local secret="" tls="" key="" links="" minted=""
        [ $mode = 640 ] || {
            secret=secret tls="links relay secret tls.key" key=private.pem links=links minted=minted
        }
        run -0 --separate-stderr arda-token mint --jwt-secret-file secret --tenant a --user b
        warned "$stderr" ${secret:+"$secret"}
        run -0 --separate-stderr arda-token mint --jwt-key private.pem --tenant a --user b
        warned "$stderr" ${key:+"$key"}
        # Nothing is secret about this one.
        run --separate-stderr arda-token inspect --jwt-key public.pem minted
        [[ $output == *'"valid":'* ]]
        warned "$stderr"
        start gateway arda-gateway --listen 127.0.0.1:0 --app-url http://a --jwt-secret-file secret \
            --tls-cert tls.crt --tls-key tls.key --advertise 127.0.0.1:0 --relay-secret-file relay \
            --unsubscribe-secret-file links
        wait_for listening_or_gone gateway
        stop gateway
        [ "$status" = 0 ]
        warned "$(err gateway)" ${tls:+"$tls"}
        start notifyd arda-notifyd --smtp smtp://127.0.0.1:1 --public-url http://a --unsubscribe-secret-file links
        wait_for ready_or_gone notifyd
        stop notifyd
        warned "$(err notifyd)" ${links:+"$links"}
        run --separate-stderr arda-subscribe --via http://127.0.0.1:1 --no-reconnect --token-file minted
        warned "$stderr" ${minted:+"$minted"}
    done
    chmod 602 secret
    run --separate-stderr arda-token mint --jwt-secret-file secret --tenant a --user b
    [ "$stderr" = "arda-token: secret: everybody on this computer can change this secret" ]
    # A pipe is nobody's file.
    run -0 --separate-stderr arda-token mint --jwt-secret-file <(cat secret) --tenant a --user b
    [ "$stderr" = "" ]
}
