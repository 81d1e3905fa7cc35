#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What version 1.0.0 promised about events still holds. Single quotes hold programs of awk.
# shellcheck disable=SC2016

setup() {
    first=${srcdir:-.}/tests/data/events-1.0.0.tsv
    now=$BATS_TEST_TMPDIR/now
    "${builddir:-.}/tests/event-table" table >"$now"
    changed=$BATS_TEST_TMPDIR/changed
}

check() {
    awk -f "${srcdir:-.}/tests/manual/compatible.awk" "$first" "$1"
}

# Changes the table by a program of awk with tabs between the columns.
change() {
    awk -F '\t' -v OFS='\t' "$1" "$now" >"$changed"
    ! cmp -s "$now" "$changed"
}

# The changed table is refused, with this line and no other.
refused() {
    run check "$changed"
    [ "$status" -eq 1 ]
    [ "$output" = "$1" ]
}

@test "the table is compatible with version 1.0.0" {
    [ "$(wc -l <"$first")" -eq 39 ]
    run check "$now"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "a field that is gone is found" {
    change '!($1 == "card.transition" && $2 == "cardId")'
    refused 'card.transition: cardId: gone'
}

@test "a field of another kind is found" {
    change '$1 == "order.created" && $2 == "orderId" { $3 = "text" } { print }'
    refused 'order.created: orderId: changed'
}

@test "a field that has become mandatory is found" {
    change '$1 == "card.transition" && $2 == "userId" { $5 = "-" } { print }'
    refused 'card.transition: userId: changed'
}

@test "a field that may no longer be null is found" {
    change '$2 == "fromStage" { $6 = "-" } { print }'
    refused 'card.transition: fromStage: changed'
}

@test "a choice that is gone is found, also if it is part of another" {
    change '$2 == "method" { sub(/scan/, "scanner", $4) } { print }'
    refused 'card.transition: method: scan is gone'
}

@test "a new mandatory field is found" {
    change '{ print } NR == 1 { print "card.transition", "site", "text", "-", "-", "-" }'
    refused 'card.transition: site: new, and not optional'
}

@test "a new mandatory field of every event is found" {
    change '{ print } NR == 1 { print "*", "region", "text", "-", "-", "-" }'
    refused '*: region: new, and not optional'
}

@test "a new optional field, choice or type is fine" {
    change '$2 == "method" { $4 = $4 "|api" } { print }
        NR == 1 {
            print "card.transition", "site", "text", "-", "optional", "-"
            print "card.retired", "cardId", "uuid", "-", "-", "-"
        }'
    run check "$changed"
    echo "$output"
    [ "$status" -eq 0 ]
}
