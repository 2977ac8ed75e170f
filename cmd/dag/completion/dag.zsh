#compdef dag
# Completion of dag for zsh. In ~/.zshrc, after compinit: source <(dag completion zsh)

_dag() {
    local -a lines values shown plain
    local directive line flag
    lines=("${(@f)$("${(Q)words[1]/#\~/$HOME}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    [[ ${(Q)PREFIX} == -*=* ]] && flag="${${(Q)PREFIX}%%=*}="   # what is offered is its value alone
    [[ $directive == <-> ]] || return 1
    lines=("${(@)lines[1,-2]}")
    (( directive & 1 )) && return 1   # an error
    for line in "${lines[@]}"; do
        values+=("$flag${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    if (( directive & 16 )); then
        _files -/
        return
    fi
    if (( ${#values} > 0 )); then
        local -a how
        (( directive & 2 )) && how+=(-S '')
        (( directive & 32 )) && how+=(-V dag)
        compadd "${how[@]}" -l -d shown -a values
        return
    fi
    (( directive & 4 )) || _files
}

# Sourced, it registers itself; from a folder of fpath it is the function.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _dag "$@"
else
    compdef _dag dag
fi
