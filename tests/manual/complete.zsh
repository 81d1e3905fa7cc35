# SPDX-License-Identifier: ISC
#
# zsh -f complete.zsh FOLDER LINE: what zsh would offer behind the line, with the functions of the
# folder, one candidate a line. A shell on a terminal of its own is asked, since zsh completes
# nowhere else.

zmodload zsh/zpty
zpty shell zsh -f -i

# In the inner shell compadd prints what matches, which keeps it from the screen.
zpty -w shell "
PS1= PS2= RPS1=
unset zle_bracketed_paste
fpath=(${(q)1} \$fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
    local -a matches
    builtin compadd -A matches \"\$@\"
    local match
    for match in \$matches; do print -rn -- \"<<\$match>>\"; done
    builtin compadd \"\$@\"
}
offer() { zle complete-word; print -rn -- '<<''end''>>'; }
zle -N offer
bindkey '^I' offer
print -r -- 'is-''ready'"
zpty -r -m shell ignored $'*is-ready*'
zpty -w -n shell "$2"$'\t'
zpty -r -m shell text '*<<end>>*'
zpty -d shell
print -r -- "$text" | grep -ao '<<[^<>]*>>' | tr -d '<>' | sed '$d'
