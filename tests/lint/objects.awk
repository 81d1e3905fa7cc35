# SPDX-License-Identifier: ISC
# Reads the tables `folders`, `circles` and `prefixes`, then lines "FILE KIND SYMBOL" as nm has them, FILE
# without .c. See objects.sh.

function fields(line) {
    sub(/#.*/, "", line)
    sub(/ +$/, "", line)
    return split(line, part, / *: */)
}

FILENAME ~ /folders$/ {
    if (fields($0) < 2)
        next
    may[part[1], part[1]] = may[part[1], "lib/base"] = 1
    n = split(part[3], word, " ")
    for (i = 1; i <= n; i++)
        may[part[1], word[i]] = 1
    next
}
FILENAME ~ /(circles|libraries)$/ {
    if (fields($0) < 2)
        next
    allowed[++circles] = part[1]
    n = split(part[2], word, " ")
    for (i = 1; i <= n; i++)
        in_circle[circles, part[1] "/" word[i]] = 1
    next
}
FILENAME ~ /prefixes$/ {
    if (fields($0) >= 2)
        extra[part[1]] = extra[part[1]] " " part[2]
    next
}

function parent(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}

function begins(text, start) { return substr(text, 1, length(start)) == start }

# Whether a name may belong to a file: LAYER_FOLDER_ or LAYER_FILE_; the file's name may be without its
# last words, and in the plural. Where the layer is one folder, LAYER_ will do.
function name_fits(file, symbol,    step, n, layer, stem, words, i) {
    n = split(file, step, "/")
    layer = step[2]
    if (n == 3 && layer != "base" && begins(symbol, layer "_"))
        return 1
    if (begins(symbol, layer "_" step[n - 1] "_") || symbol == layer "_" step[n - 1])
        return 1
    for (stem = step[n]; stem != ""; ) {
        if (begins(symbol, layer "_" stem "_") || begins(symbol, layer "_" stem "s_") || symbol == layer "_" stem)
            return 1
        if (!sub(/_[^_]*$/, "", stem))
            break
    }
    n = split(extra[file], words, " ")
    for (i = 1; i <= n; i++)
        if (begins(symbol, words[i]))
            return 1
    return 0
}

$2 ~ /[TDBRVWC]/ {
    home[$3] = $1
    if (!name_fits($1, $3))
        print $1 ".c: the name " $3 " begins with neither its folder nor its file"
}
$2 == "U" { user[++uses] = $1; used[uses] = $3 }

END {
    for (i = 1; i <= uses; i++) {
        from = user[i]
        to = home[used[i]]
        if (to == "" || to == from)
            continue
        if (parent(from) != parent(to)) {
            if (!((parent(from), parent(to)) in may))
                print from ".c: uses " used[i] " of " to ".c, which tests/lint/folders does not allow"
            continue
        }
        calls[from, to] = 1
        if (!(from in number)) { number[from] = ++files; name[files] = from }
        if (!(to in number)) { number[to] = ++files; name[files] = to }
    }
    for (k = 1; k <= files; k++)
        for (i = 1; i <= files; i++)
            if ((name[i], name[k]) in calls)
                for (j = 1; j <= files; j++)
                    if ((name[k], name[j]) in calls)
                        calls[name[i], name[j]] = 1
    for (i = 1; i <= files; i++) {
        if (i in done || !((name[i], name[i]) in calls))
            continue
        circle = ""
        for (j = i; j <= files; j++)
            if ((name[i], name[j]) in calls && (name[j], name[i]) in calls) {
                done[j] = 1
                circle = circle " " name[j]
            }
        check_circle(circle)
    }
    for (c = 1; c <= circles; c++)
        if (!(c in seen))
            print "tests/lint/circles: the entry for " allowed[c] " is no circle any more"
}

function check_circle(circle,    n, member, c, i, fits) {
    n = split(circle, member, " ")
    for (c = 1; c <= circles; c++) {
        fits = 1
        for (i = 1; i <= n; i++)
            fits = fits && (c, member[i]) in in_circle
        if (fits) {
            seen[c] = 1
            return
        }
    }
    print "these files call each other in a circle:" circle
}
