# SPDX-License-Identifier: ISC
#
# Reads an old and a new table of event-table and says what would break a consumer of the old one
# (section 10 of the catalog): a field that is gone or changed, a choice that is gone, or a new
# field of a known type that has to be there. Ends with 1 if there is any.

BEGIN { FS = "\t" }

function blame(text) {
    print text
    wrong = 1
}

function has_choice(list, choice) {
    return index("|" list "|", "|" choice "|") > 0
}

FNR == NR {
    old[$1, $2] = $3 FS $5 FS $6
    choices[$1, $2] = $4
    known[$1] = 1
    next
}

{
    seen[$1, $2] = 1
    if (!(($1, $2) in old)) {
        if ($1 in known && $5 != "optional")
            blame($1 ": " $2 ": new, and not optional")
        next
    }
    if (old[$1, $2] != $3 FS $5 FS $6)
        blame($1 ": " $2 ": changed")
    count = split(choices[$1, $2], wanted, "|")
    for (i = 1; i <= count; i++)
        if (!has_choice($4, wanted[i]))
            blame($1 ": " $2 ": " wanted[i] " is gone")
}

END {
    for (field in old)
        if (!(field in seen)) {
            split(field, part, SUBSEP)
            blame(part[1] ": " part[2] ": gone")
        }
    exit wrong
}
