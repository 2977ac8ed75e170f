# Completion of dag for bash. In ~/.bashrc: source <(dag completion bash)

_dag() {
    # The words up to the cursor, as the shell will read them: bash's own splitting
    # at = and : would take selectors apart.
    local line=${COMP_LINE:0:COMP_POINT} words=() word= quote= begun= c i
    local kept=0 # letters of word that stand before what bash replaces
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        if [[ -n $quote ]]; then
            if [[ $c == "$quote" ]]; then quote=; else word+=$c; fi
        elif [[ $c == \' || $c == \" ]]; then
            quote=$c begun=1 kept=${#word}
        elif [[ $c == \\ ]]; then
            ((i++))
            word+=${line:i:1}
        elif [[ $c == [[:space:]] ]]; then
            [[ -n $word$begun ]] && words+=("$word")
            word= begun= kept=0
        else
            word+=$c
            [[ $COMP_WORDBREAKS == *"$c"* ]] && kept=${#word}
        fi
    done

    local lines directive flag=
    [[ $word == -*=* ]] && flag=${word%%=*}= # what is offered is its value alone
    mapfile -t lines < <("${words[0]/#\~/$HOME}" __completeNoDesc "${words[@]:1}" "$word" 2>/dev/null)
    ((${#lines[@]} > 0)) || return
    directive=${lines[-1]#:}
    unset 'lines[-1]'
    ((directive & 1)) && return   # an error
    ((directive & 2)) && compopt -o nospace
    ((directive & 32)) && compopt -o nosort
    if ((directive & 16)); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "${word:kept}")
        return
    fi
    COMPREPLY=()
    for c in "${lines[@]}"; do
        c=$flag$c
        [[ $c == "$word"* ]] || continue
        c=${c:kept}
        [[ -z $quote ]] && printf -v c %q "$c"
        COMPREPLY+=("$c")
    done
    if ((${#COMPREPLY[@]} == 0 && !(directive & 4))); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "${word:kept}")
    fi
}

complete -F _dag dag
