# Completion of casehook for fish.
function __casehook_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (casehook complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = ":file"
        __fish_complete_path "$current"
    else
        printf '%s\n' $lines
    end
end
complete -c casehook -f -a '(__casehook_complete)'
