# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154,SC2194,SC2207,SC2309
# Completion of slipway for bash and zsh; printed by `slipway completion bash`.
_slipway() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]-}
    local cmd='' words='' kind=none i w first='' before='' count=0 env=()
    #: options
    [[ $prev != = ]] || prev=${COMP_WORDS[COMP_CWORD - 2]-}
    [[ $cur != = ]] || cur=''
    # bash divides --env=x, zsh does not.
    [[ $cur != --*=* ]] || { prev=${cur%%=*} before=${cur%%=*}=; cur=${cur#*=}; }
    # What came before this word: the command, and of its operands the first one and how many.
    for ((i = 1; i < COMP_CWORD; i++)); do
        w=${COMP_WORDS[i]}
        case $w in
        -e | --env | -f | --file)
            [[ ${COMP_WORDS[i + 1]-} == = ]] && i=$((i + 1))
            [[ $((i + 1)) -ge COMP_CWORD ]] || env+=("$w" "${COMP_WORDS[i + 1]}")
            i=$((i + 1))
            ;;
        =) i=$((i + 1)) ;;
        --env=* | --file=*) env+=("$w") ;;
        -*)
            # Its argument is the next word.
            [[ $with != *" $w "* || ${COMP_WORDS[i + 1]-} == = ]] || i=$((i + 1))
            ;;
        *)
            case $cmd in
            '') cmd=$w ;;
            #: groups
            *) [[ $((count++)) != 0 ]] || first=$w ;;
            esac
            ;;
        esac
    done
    case $cmd in
    #: commands
    esac
    case $cmd:$prev in
    #: arguments
    esac
    case :$prev in
    #: common-arguments
    esac
    case $cur in
    -*) words="$words $globals" ;;
    *)
        [[ $kind != targets || $count == 0 ]] || kind=keys
        case $kind in
        files)
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -f -- "$cur"))
            return
            ;;
        environments | instances | components | targets | checks | volumes | drivers | pools)
            words=$(slipway --timeout 5s "${env[@]}" completion "$kind" 2>/dev/null)
            ;;
        keys) words=$(slipway completion keys "$first" 2>/dev/null) ;;
        words) ;;
        none) words='' ;;
        *) words=$kind ;;
        esac
        ;;
    esac
    # A space follows each word but "--size="; both shells take it from the word under nospace.
    COMPREPLY=()
    for w in $(compgen -W "$words" -- "$cur"); do
        [[ $w == *= ]] || w="$w "
        COMPREPLY+=("$before$w")
    done
}
complete -o nospace -F _slipway slipway
