#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Completions as a shell asks for them. Words are given as bash parts them, "=" being a word.

setup() {
    build=$(cd "${builddir:-.}" && pwd)
    src=$(cd "${srcdir:-.}" && pwd)
    cd "$BATS_TEST_TMPDIR" || return 1
}

# candidates WORD...: what bash would offer for the last word, sorted, on one line.
candidates() {
    bash -c '
        . "$1/completions/bash/$2" || exit
        shift
        function=$(complete -p "$1") || exit
        function=${function#*-F }
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        "${function%% *}"
        if [ ${#COMPREPLY[@]} -gt 0 ]; then printf "%s\n" "${COMPREPLY[@]}"; fi' \
        bash "$build" "$@" | LC_ALL=C sort | paste -sd' '
}

offers() { # WORDS EXPECTED
    local -a words
    read -ra words <<<"$1"
    [[ $1 != *' ' ]] || words+=('')
    local got
    got=$(candidates "${words[@]}")
    echo "$1: got: $got, expected: $2"
    [ "$got" = "$2" ]
}

programs() {
    echo arda-deliveries arda-directory arda-gateway arda-inbox arda-notifyd arda-publish arda-replay arda-subscribe arda-token
}

types='card.transition loop.parameters_changed notification.created order.created'
types+=' order.status_changed relowisa.recommendation'

@test "every option of every program is offered, and no other" {
    for program in $(programs); do
        all=$("$build/$program" --dump-options |
            awk -F '\t' '{ print "--" $2 ($4 == "-" ? "" : "=") }' | LC_ALL=C sort | paste -sd' ')
        offers "$program --" "$all"
        offers "$program -" "$all"
    done
}

@test "options are offered by their beginning" {
    offers 'arda-publish --lo' '--log-format= --loose-ids'
    offers 'arda-gateway --stdin --ping' '--ping-interval= --ping-timeout='
    offers 'arda-publish --xyz' ''
}

@test "every choice of an option is offered" {
    for program in $(programs); do
        "$build/$program" --dump-options | awk -F '\t' '$3 == "choice" { print $2, $6 }' >choices
        [ -s choices ]
        while read -r name list; do
            offers "$program --$name = " "$(tr '|' '\n' <<<"$list" | sort | paste -sd' ')"
        done <choices
    done
}

@test "a choice is offered by its beginning, however the words are parted" {
    offers 'arda-gateway --notifications = t' 'tenant'
    offers 'arda-gateway --notifications t' 'tenant'
    offers 'arda-gateway --notifications=t' '--notifications=tenant'
    offers 'arda-gateway --notifications =' 'tenant user'
}

@test "a FILE is completed with files" {
    touch secret.txt second other
    offers 'arda-token --jwt-secret-file = se' 'second secret.txt'
    offers 'arda-token --jwt-secret-file se' 'second secret.txt'
    offers 'arda-token --jwt-secret-file=se' \
        '--jwt-secret-file=second --jwt-secret-file=secret.txt'
}

@test "a file with a blank in its name stays one candidate" {
    touch 'a b'
    [ "$(candidates arda-directory load a)" = 'a b' ]
}

@test "nothing is offered for a value that nobody can know" {
    touch file
    offers 'arda-publish --redis = ' ''
    offers 'arda-publish -s ' ''
    offers 'arda-subscribe --type ' ''
    offers 'arda-subscribe ' ''
    offers 'arda-gateway ' ''
}

@test "event types and files for arda-publish" {
    offers 'arda-publish ' "$types"
    offers 'arda-publish order' 'order.created order.status_changed'
    offers 'arda-publish -n --redis = x --source y card' 'card.transition'
    touch order.jsonl
    offers 'arda-publish order' 'order.created order.jsonl order.status_changed'
    offers 'arda-publish order.jsonl ' 'order.jsonl'
    offers 'arda-publish order.created ' ''
}

@test "event types are those the program knows" {
    [ "$("$build/arda-publish" --help types | awk '{ print $1 }' | sort | paste -sd' ')" = "$types" ]
}

@test "commands of arda-directory, and what they take" {
    touch users.jsonl
    offers 'arda-directory ' 'dump get load rm set'
    offers 'arda-directory --strict lo' 'load'
    offers 'arda-directory load us' 'users.jsonl'
    offers 'arda-directory get ' 'digest loop preference quiet tenant user webhook'
    offers 'arda-directory --prefix = t set u' 'user'
    offers 'arda-directory rm user ' ''
    offers 'arda-directory set preference t ann po_sent ' 'email in_app webhook'
    offers 'arda-directory set digest t ann po_sent ' ''
    offers 'arda-directory dump ' ''
}

@test "commands of arda-deliveries" {
    offers 'arda-deliveries ' 'count endpoint explain list redrive show'
    offers 'arda-deliveries --channel = ' 'any email webhook'
    offers 'arda-deliveries redrive ' ''
}

@test "commands of arda-inbox" {
    offers 'arda-inbox ' 'add count list read rm unread watch'
    offers 'arda-inbox -t acme --user = ann re' 'read'
    offers 'arda-inbox read ' ''
}

@test "commands of arda-token, and what they take" {
    touch tokens
    offers 'arda-token ' 'inspect mint'
    offers 'arda-token --ttl 1h -t acme m' 'mint'
    offers 'arda-token inspect ' 'tokens'
    offers 'arda-token mint ' ''
}

@test "after -- there are no options" {
    touch ./--strict
    offers 'arda-directory load -- --' '--strict'
    offers 'arda-publish -- order.c' 'order.created'
}

@test "the generated files are sound" {
    for program in $(programs); do
        bash -n "$build/completions/bash/$program"
        if command -v shellcheck >/dev/null; then
            shellcheck "$build/completions/bash/$program"
        fi
    done
    command -v zsh >/dev/null || skip "no zsh"
    zsh -n "$build/completions/zsh/_arda"
}

zsh_offers() { # LINE EXPECTED
    command -v zsh >/dev/null || skip "no zsh"
    local got
    got=$(timeout 60 zsh -f "$src/tests/manual/complete.zsh" "$build/completions/zsh" "$1" |
        LC_ALL=C sort -u | paste -sd' ')
    echo "$1: got: $got, expected: $2"
    [ "$got" = "$2" ]
}

@test "zsh offers every option of every program" {
    for program in $(programs); do
        zsh_offers "$program --" "$("$build/$program" --dump-options |
            awk -F '\t' '{ print "--" $2 }' | LC_ALL=C sort | paste -sd' ')"
    done
}

@test "zsh offers choices, event types, commands and files" {
    zsh_offers 'arda-gateway --notifications=' 'tenant user'
    zsh_offers 'arda-publish order' 'order.created order.status_changed'
    zsh_offers 'arda-publish order.created ' ''
    zsh_offers 'arda-token ' 'inspect mint'
    zsh_offers 'arda-deliveries ' 'count endpoint explain list redrive show'
    zsh_offers 'arda-inbox ' 'add count list read rm unread watch'
    zsh_offers 'arda-directory ' 'dump get load rm set'
    zsh_offers 'arda-directory --strict set ' 'digest loop preference quiet tenant user webhook'
    zsh_offers 'arda-directory set preference t ann po_sent ' 'email in_app webhook'
    touch tokens
    zsh_offers 'arda-token inspect to' 'tokens'
    zsh_offers 'arda-token --jwt-secret-file=to' 'tokens'
}

@test "a program that cannot dump its options gives no completion" {
    printf '#!/bin/sh\nexit 1\n' >arda-token
    chmod +x arda-token
    run sh "$src/completions/generate" bash ./arda-token
    [ "$status" -ne 0 ]
    run sh "$src/completions/generate" zsh ./arda-token
    [ "$status" -ne 0 ]
}

@test "a program whose operands are not known gives no completion" {
    cp "$build/arda-token" arda-new
    run sh "$src/completions/generate" bash ./arda-new
    [ "$status" -ne 0 ]
    [[ $output == *'arda-new: what are its operands?'* ]]
}
