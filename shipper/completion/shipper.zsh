# Completion of shipper and inv for zsh. Written by: shipper completion.install

_shipper_complete() {
    local program="${words[1]/#\~/$HOME}" beside=shipper found
    # In a virtual environment that is not active, shipper stands beside the program that was typed.
    [[ "$program" == */* ]] && beside="${program:h}/shipper"
    if found="$("$beside" --complete-values -- "${(@)words[2,CURRENT]}" 2>/dev/null)"; then
        compadd -- "${(@f)found}"
        return
    fi
    found="$("$program" --complete -- "${program:t}" "${(@)words[2,CURRENT]}" 2>/dev/null)"
    if [[ -n "$found" ]]; then
        compadd -- "${(@f)found}"
    else
        _files
    fi
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _shipper_complete shipper inv invoke
