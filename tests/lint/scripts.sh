#!/bin/sh
# SPDX-License-Identifier: ISC
# The scripts of Redis below FOLDER: whether Lua can compile them, whether they use no other globals
# than Redis has, and whether their heads are right (scripts.awk). Prints what is wrong.
set -u
folder=${1:-lib}
here=$(dirname "$0")
makers=$(find "$folder" -name embed.awk)
prelude=$(find "$folder" -name prelude.lua)
globals=" ARGV KEYS redis math string table ipairs next pairs pcall select tonumber tostring type unpack "

command -v luac5.1 >/dev/null || {
    echo "there is no luac5.1 (Debian: lua5.1)"
    exit 1
}
for script in $(find "$folder" -name '*.lua' | sort); do
    luac5.1 -p "$script" 2>&1 || continue
    [ "$script" != "$prelude" ] || continue
    awk -f "$here/scripts.awk" "$script"
    # As Redis gets it, with the parts of the prelude.
    awk -v form=lua -f "$makers" "$prelude" "$script" | luac5.1 -l -p - 2>&1 |
        awk -v script="$script" -v globals="$globals" '
            /^luac5.1:/ { print script ": " $0 }
            $3 == "SETGLOBAL" || $3 == "GETGLOBAL" && !index(globals, " " $NF " ") {
                line = $2
                gsub(/[][]/, "", line)
                print script ":" line ": `" $NF "'"'"' is no local, nor a global of Redis"
            }' 2>&1
done
