# Completion of shipper and inv for fish. Written by: shipper completion.install

function __shipper_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program (string replace --regex '^~' $HOME -- $before[1])
    set -l beside shipper
    # In a virtual environment that is not active, shipper stands beside the program that was typed.
    if string match --quiet '*/*' -- $program
        set beside (string replace --regex '[^/]*$' shipper -- $program)
    end
    set -l found ($beside --complete-values -- $before[2..] "$current" 2>/dev/null)
    if test $status -eq 0
        printf '%s\n' $found
        return
    end
    set found ($program --complete -- (string replace --regex '.*/' '' -- $program) $before[2..] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end

for program in shipper inv invoke
    complete --command $program --no-files --arguments '(__shipper_complete)'
end
