# SPDX-License-Identifier: ISC
#
# Whether the head of a script of Redis lists what the script uses: awk -f scripts.awk NAME.lua.
# The form of a head, and of the lines after it:
#
#     -- NAME: what it does
#     -- Called: when
#     -- KEYS: none                     or a row for each: number, name, text
#     -- ARGV:                          a row for each: number, name, type, text
#     --   1   prefix  text   of all keys
#     --   2   limit   count  types are text, id, count, flag, time, json
#     --   3+  id      id     what is repeated until the end has a plus after its number
#     -- Result: what it returns
#
#     local prefix = ARGV[1]            each row has a line, in this order
#     local limit = tonumber(ARGV[2])   a count is made a number, a flag is compared with '1'

function complain(text) {
    printf "%s: %s\n", FILENAME, text
    bad = 1
}

function add_row(list, line,    words, number) {
    split(line, words, " ")
    number = words[2]
    count[list]++
    if (number + 0 != count[list] || number !~ /^[0-9]+\+?$/)
        complain(list ": expected row " count[list] ", got `" number "'")
    if (list == "KEYS" && words[4] == "" || list == "ARGV" && words[5] == "")
        complain(list ": a row has number, name, " (list == "ARGV" ? "type, " : "") "text")
    if (list == "ARGV" && words[4] !~ /^(text|id|count|flag|time|json)$/)
        complain(list ": `" words[4] "' is no type")
    if (number ~ /\+$/) {
        if (!repeated)
            repeated = number + 0
    } else {
        if (repeated)
            complain(list ": a single one after repeated ones")
        name[list, number] = words[3]
        type[number] = words[4]
        single[list]++
    }
}

function check_section(text, at) {
    if (section != at - 1)
        complain("`" text "' is not where a head has it")
    section = at
}

# The line that gives a row its name.
function line_of(list, number,    value) {
    value = list "[" number "]"
    if (list == "ARGV" && type[number] == "count")
        value = "tonumber(" value ")"
    if (list == "ARGV" && type[number] == "flag")
        value = value " == '1'"
    return "local " name[list, number] " = " value
}

function check_names(list,    i, rest, uses) {
    for (i = 1; i <= single[list]; i++) {
        if (index(code, "\n" line_of(list, i) "\n") == 0)
            complain("expected the line `" line_of(list, i) "'")
        rest = code
        gsub(/[^A-Za-z0-9_]+/, "  ", rest)
        uses = gsub(" " name[list, i] " ", "", rest)
        if (uses < 2 && !(prelude && name[list, i] ~ /^(prefix|tenant)$/))
            complain(list "[" i "], `" name[list, i] "', is not used")
    }
}

# Repeated ones are used by a loop with `at`, or all at once.
function check_repeated(    size, loop, i) {
    size = count["ARGV"] - repeated + 1
    loop = "for at = " repeated ", #ARGV" (size > 1 ? ", " size : "") " do"
    if (index(code, "unpack(ARGV, " repeated ")"))
        return
    if (!index(code, loop))
        complain("expected `" loop "' or `unpack(ARGV, " repeated ")'")
    for (i = 0; i < size; i++)
        if (!index(code, "ARGV[at" (i ? " + " i : "") "]"))
            complain("ARGV[" repeated + i "+] is not used")
}

# Nothing else is taken: by number, or beyond a group.
function check_uses(list,    rest, index_, size) {
    rest = code
    size = repeated ? count["ARGV"] - repeated : -1
    while (match(rest, list "\\[[^]]*\\]")) {
        index_ = substr(rest, RSTART + 5, RLENGTH - 6)
        rest = substr(rest, RSTART + RLENGTH)
        if (index_ ~ /^[0-9]+$/ && index_ + 0 <= single[list] && !taken[list, index_]++)
            continue
        if (list == "ARGV" && index_ == "at" && size >= 0)
            continue
        if (list == "ARGV" && index_ ~ /^at \+ [0-9]+$/ && substr(index_, 6) + 0 <= size)
            continue
        complain(list "[" index_ "] is not in the head, or taken twice")
    }
    if (list == "ARGV" && !repeated && code ~ /#ARGV|unpack\(ARGV/)
        complain("ARGV has no repeated row")
}

FNR == 1 {
    steps = split(FILENAME, step, "/")
    file = step[steps]
    sub(/\.lua$/, "", file)
    if (step[steps - 1] != "arda")
        file = step[steps - 1] "_" file
    code = "\n"
    if ($0 != "-- SPDX-License-Identifier: ISC")
        complain("the first line is not the licence")
}
FNR == 3 && index($0, "-- " file ": ") != 1 { complain("the head does not begin with `" file ":'") }
/^-- Called: ./ { check_section("Called:", 1) }
/^-- KEYS:( none)?$/ { check_section("KEYS:", 2) }
/^-- ARGV:( none)?$/ { check_section("ARGV:", 3) }
/^-- Result: ./ { check_section("Result:", 4) }
section == 2 && /^--   [0-9]/ { add_row("KEYS", $0) }
section == 3 && /^--   [0-9]/ { add_row("ARGV", $0) }
/^-- Prelude: / { prelude = 1 }
/^ *--/ { next }
{
    sub(/ *-- .*/, "")
    code = code $0 "\n"
}

END {
    if (section != 4)
        complain("the head lacks Called, KEYS, ARGV or Result")
    check_names("KEYS")
    check_names("ARGV")
    if (repeated)
        check_repeated()
    check_uses("KEYS")
    check_uses("ARGV")
    exit bad
}
