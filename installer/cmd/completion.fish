# Completion of slipway for fish; printed by `slipway completion fish`.
# The words of the command so far, without options: at most two. (fish's own __fish_use_subcommand takes the value of an
# option for a command.)
function __slipway_words
    set -l skip 0
    set -l count 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case -e --env -f --file --catalog --timeout --log-format --log-file
                test $count = 0; and set skip 1
            case '-*'
            case '*'
                echo $word
                set count (math $count + 1)
                test $count = 2; and return
        end
    end
end
# Exactly these words, or nothing, have been written.
function __slipway_only
    set -l words (__slipway_words)
    test "$words" = "$argv"
end
# They begin with these.
function __slipway_in
    set -l words (__slipway_words)
    set -l count (count $argv)
    test (count $words) -ge $count
    and test "$words[1..$count]" = "$argv"
end
# What `slipway completion KIND` says, about the environment that is named.
function __slipway_ask
    set -l named
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case -e --env -f --file
                test $i -lt (count $words); and set named $words[$i..(math $i + 1)]
            case '--env=*' '--file=*'
                set named $words[$i]
        end
    end
    slipway --timeout 5s $named completion $argv 2>/dev/null
end
# A component or instance, then its keys.
function __slipway_targets
    set -l words (commandline -opc)
    set -l at (contains -i config $words); or return
    if test (count $words) -gt (math $at + 1)
        slipway completion keys $words[(math $at + 2)] 2>/dev/null
    else
        __slipway_ask targets
    end
end
complete -c slipway -f
