# Completion of shipper and inv for bash. Written by: shipper completion.install

_shipper_complete() {
    local program="${COMP_WORDS[0]/#\~/$HOME}" current="${COMP_WORDS[COMP_CWORD]}" beside=shipper found
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    # In a virtual environment that is not active, shipper stands beside the program that was typed.
    case "$program" in */*) beside="${program%/*}/shipper" ;; esac
    if found="$("$beside" --complete-values -- "${words[@]}" 2>/dev/null)"; then
        compopt +o default 2>/dev/null
        if [ "$current" = "=" ]; then current=""; fi
    else
        found="$("$program" --complete -- "${program##*/}" "${words[@]}" 2>/dev/null)"
    fi
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$found" -- "$current"))
}

complete -F _shipper_complete -o default shipper inv invoke
