#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What all programs do alike with their options, as arda(7) says.

setup() {
    programs=("${builddir:-.}"/arda-{directory,gateway,notifyd,publish,replay,subscribe,token})
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
