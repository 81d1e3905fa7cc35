# SPDX-License-Identifier: ISC
# Reads the tables `folders` and `libraries`, then lines "FILE LINE-NUMBER INCLUDED", the last one with its
# quotes. See layers.sh.

function fields(line) {
    sub(/^#.*/, "", line)
    return split(line, part, / *: */)
}

FILENAME ~ /folders$/ {
    if (fields($0) < 2)
        next
    folder = part[1]
    known[folder] = 1
    n = split(part[2], word, " ")
    for (i = 1; i <= n; i++)
        owner[word[i] ".h"] = folder
    may[folder, folder] = may[folder, "lib/base"] = 1
    n = split(part[3], word, " ")
    for (i = 1; i <= n; i++)
        may[folder, word[i]] = 1
    next
}
FILENAME ~ /(circles|libraries)$/ {
    if (fields($0) < 2)
        next
    library[++libraries] = "^" part[1] "$"
    users[libraries] = "^(" part[2] ")$"
    next
}

function parent(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}

function folder_of(path,    name) {
    name = path
    sub(/.*\//, "", name)
    if (path ~ /^lib\/include\//)
        return name in owner ? owner[name] : path
    return parent(path)
}

function exists(path,    line, found) {
    found = (getline line < path) >= 0
    close(path)
    return found
}

# The file that INCLUDED stands for in FILE.
function resolve(file, included) {
    if (exists("lib/include/" included)) return "lib/include/" included
    if (exists("lib/" included)) return "lib/" included
    if (exists("bin/" included)) return "bin/" included
    return parent(file) "/" included
}

function complain(text) {
    print $1 ":" $2 ": " text
}

{
    plain = $1
    sub(/\.[ch]$/, "", plain)
    for (i = 1; i <= libraries; i++)
        if ($3 ~ library[i] && plain !~ users[i])
            complain($3 " is for others to include (tests/lint/libraries)")
}
$3 ~ /^"/ && $3 != "\"config.h\"" {
    included = substr($3, 2, length($3) - 2)
    target = resolve($1, included)
    from = folder_of($1)
    to = folder_of(target)
    if (included ~ /(^|\/)internal\.h$/ && from != to && index(from, to "/") != 1)
        complain(included " is internal to " to)
    if (from ~ /^bin/) {
        if (to ~ /^bin\// && to != from && from != "bin")
            complain("a program includes what is another's: " included)
        next
    }
    if (!(from in known) && !(from in told)) {
        told[from] = 1
        complain(from " is not in tests/lint/folders")
    }
    if (!((from, to) in may))
        complain(from " may not include " included " of " to)
}
