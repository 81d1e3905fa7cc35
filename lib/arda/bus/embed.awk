# SPDX-License-Identifier: ISC
#
# Embeds a script of Redis in C: awk -f embed.awk prelude.lua FOLDER/NAME.lua writes the definition of
# `const struct arda_script arda_FOLDER_NAME_script`; with -v form=lua, the text that Redis is given.
#
# Comments and indentation are left out, because Redis keeps the text and hashes it, but lines are
# kept, and the parts of the prelude stand in one line: so the line that Redis reports with an error
# is that of NAME.lua.

function fail(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
    failed = 1
    exit 1
}

function emit(line) {
    if (form == "lua") {
        print line
        return
    }
    gsub(/\\/, "&&", line)
    gsub(/"/, "\\\"", line)
    text = text "    \"" line "\\n\"\n"
}

FNR == 1 { files++ }

# The prelude: paragraphs, each with the names that it declares in the first column.
files == 1 && /^ *--/ { next }
files == 1 && /^$/ { last++; next }
files == 1 {
    if (/--/)
        fail("a comment after code")
    if (/^local /) {
        name = $0
        sub(/^local (function )?/, "", name)
        sub(/[ (].*/, "", name)
        names[last] = names[last] " " name " "
    }
    sub(/^ +/, "")
    parts[last] = parts[last] (parts[last] == "" ? "" : " ") $0
    next
}

# The script.
{ sub(/^ +/, "") }
/^-- Prelude: / {
    found = 0
    line = ""
    count = split(substr($0, 13), wanted, /, */)
    for (i = 0; i <= last; i++)
        for (j = 1; j <= count; j++)
            if (index(names[i], " " wanted[j] " ")) {
                line = line (line == "" ? "" : " ") parts[i]
                found++
            }
    if (found != count)
        fail("a name that is not in the prelude, or two of one part")
    emit(line)
    next
}
/^--/ { emit(""); next }
{ emit($0) }

END {
    if (failed || form == "lua")
        exit failed
    count = split(FILENAME, step, "/")
    name = step[count]
    sub(/\.lua$/, "", name)
    if (step[count - 1] != "arda")
        name = step[count - 1] "_" name
    printf "/* Made from %s.lua by embed.awk. */\n#include \"arda/bus/script.h\"\n\n", name
    printf "static const char text[] =\n%s;\n\n", substr(text, 1, length(text) - 1)
    printf "const struct arda_script arda_%s_script = {text, sizeof text - 1};\n", name
}
