# Completion of dag for fish. In ~/.config/fish/config.fish: dag completion fish | source

function __dag_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    # The last word may be in quotes that are still open.
    set -l last (commandline -ct)
    if string match -qr '^[\'"]' -- "$last"
        set last (string sub -s 2 -- "$last")
    else
        set last (string unescape -- "$last"; or echo -- "$last")
    end
    set -l lines ($program __complete $words "$last" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    test (math "bitand($directive, 1)") -eq 0; or return # an error
    set -l flag (string match -r '^-[^=]*=' -- "$last"; or echo) # what is offered is its value alone
    if test (math "bitand($directive, 16)") -ne 0
        __fish_complete_directories "$last"
    else if test (count $lines) -eq 0 -a (math "bitand($directive, 4)") -eq 0
        __fish_complete_path "$last"
    else
        printf '%s\n' $flag$lines
    end
end

complete -c dag -f -k -a '(__dag_complete)'
