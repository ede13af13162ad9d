"""The script for bash, from 3.2 (macOS) on: it needs neither bash-completion nor another program.

Sources: the Bash reference manual, "Programmable Completion" and "Bash Variables" (COMP_WORDBREAKS).
"""

import textwrap
from collections.abc import Iterable

from dgcli.ui.completion.tree import Program, Takes

_SCRIPT = r"""# bash completion for @names@. Made by: @program@ completions bash

# What follows a flag ($1: command, $2: flag): kind is words, asked, files, paths, folders or text, or
# empty if nothing follows.
_@program@_value() {
    words="" kind=""
    case $1:$2 in
@values@
    esac
}

# The flags of a command ($1), and what stands without one: kind is as above, or flags where nothing does.
_@program@_command() {
    flags="" words="" kind=text
    case $1 in
@commands@
    esac
}

_@program@() {
    local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} text="" start=""
    local parts=() command="" flag="" only_arguments="" flags="" words="" kind="" word quote cut i
    COMPREPLY=()

    # COMP_WORDS is cut at COMP_WORDBREAKS too, so that --model=nova-3 is three; what has no space between is one.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
            line=${line#"${line%%[![:space:]]*}"}
            parts+=("")
        fi
        ((i == COMP_CWORD)) && word=$line # the part of it before the cursor
        parts[${#parts[@]} - 1]+=$word
        line=${line#"$word"}
    done

    # Where we are: in which command, behind which flag.
    for ((i = 1; i < ${#parts[@]} - 1; i++)); do
        word=${parts[i]}
        if [[ $flag ]]; then
            flag=""
        elif [[ ! $only_arguments && $word == -- ]]; then
            only_arguments=1
        elif [[ ! $only_arguments && $word == -?* ]]; then
            _@program@_value "$command" "$word"
            flag=${kind:+$word}
        elif [[ ! $command ]]; then
            command=$word
        fi
    done
    text=${parts[${#parts[@]} - 1]}

    # What may stand here: `words`, behind `start`.
    if [[ $flag ]]; then
        _@program@_value "$command" "$flag"
    elif [[ ! $only_arguments && $text == --*=* ]]; then
        start=${text%%=*}=
        _@program@_value "$command" "${text%%=*}"
    elif [[ ! $only_arguments && $text == -[!-]?* ]]; then
        start=${text:0:2}
        _@program@_value "$command" "$start"
    else
        _@program@_command "$command"
        # Flags are offered where one begins, and where nothing else can stand.
        [[ ! $only_arguments && ($text == -* || $kind == flags) ]] && words=$flags kind=words
    fi
    text=${text#"$start"}
    quote=${text%%[!\"\']*}
    text=${text#[\"\']}

    # What readline replaces begins after the last character of COMP_WORDBREAKS.
    [[ $start == *= && $COMP_WORDBREAKS == *=* ]] && start=""
    case $kind in
        words)
            type compopt &>/dev/null && compopt -o nosort 2>/dev/null # from bash 4.4 on
            for word in $words; do
                [[ $word == "$text"* ]] && COMPREPLY+=("$start$word")
            done
            ;;
        asked)
            # Which values there are, the program alone knows: a name on each line, what it is behind a tab.
            type compopt &>/dev/null && compopt -o nosort 2>/dev/null
            [[ $quote ]] || text=${text//\\/}
            cut=""
            [[ $COMP_WORDBREAKS == *:* ]] && cut=${text%"${text##*:}"}
            [[ $cut ]] && start=""
            while IFS=$'\t' read -r word _; do
                [[ $word == "$text"* ]] || continue
                word=${word#"$cut"}
                [[ $quote ]] || printf -v word %q "$word"
                COMPREPLY+=("$start$word")
            done < <("${COMP_WORDS[0]}" $words 2>/dev/null)
            ;;
        files)
            # Files with these suffixes, and the folders that may hold some: readline quotes them.
            type compopt &>/dev/null || return # before bash 4, any file
            compopt -o filenames
            [[ $quote ]] || text=${text//\\/}
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <(
                compgen -d -- "$text"
                for word in $words; do compgen -f -X "!*$word" -- "$text"; done
            )
            ;;
        paths) return ;; # readline completes paths, spaces and all, where we offer nothing
        folders) type compopt &>/dev/null && compopt -o dirnames ;;
    esac
    # Where we offer nothing, no path is offered instead; before bash 4 there is no way to say so.
    type compopt &>/dev/null && compopt +o default +o bashdefault
}

complete -o default -o bashdefault -F _@program@ @names@
"""


def _wrapped(text: str, indent: str, hanging: str) -> str:
    """Text over as many lines as it takes; words are never broken."""
    return textwrap.fill(
        text,
        width=110,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _assigned(name: str, words: Iterable[str]) -> str:
    """The assignment of a list of words."""
    return _wrapped(f'{name}="{" ".join(words)}"', " " * 12, "    ")


def _branch(patterns: Iterable[str], body: Iterable[str]) -> str:
    """Write a branch of a `case`."""
    # A bar stays with the pattern before it, and the list goes on only behind a backslash.
    lines = _wrapped("\0| ".join(patterns) + ")", " " * 8, "  ").replace("\0", " ")
    head = lines.replace("\n", " \\\n")
    return "\n".join([head, *body, " " * 12 + ";;"])


def _kind(takes: Takes) -> str:
    if takes.values:
        return "words"
    if takes.asks:
        return "asked"
    if takes.suffixes:
        return "files"
    if takes.paths:
        return "folders" if takes.only_folders else "paths"
    return "text"


def _body(kind: str, words: tuple[str, ...]) -> list[str]:
    """Return the body of a branch: hardly more than the kind of its value, unless there are words."""
    lines = [f"{' ' * 12}kind={kind}"]
    return [*lines, _assigned("words", words)] if words else lines


def _words(takes: Takes) -> tuple[str, ...]:
    return tuple(value.word for value in takes.values) or takes.suffixes or tuple(takes.asks.split())


def _values(program: Program) -> str:
    """The branches of the function of values; flags that take the same share one.

    A flag that takes the same in every command that has it is written once: `*:--model`.
    """
    meanings: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {}  # by flag, then by command
    for command in program.all:
        for flag in command.flags:
            meaning = ("", ()) if flag.takes is None else (_kind(flag.takes), _words(flag.takes))
            for name in flag.names:
                meanings.setdefault(name, {})[command.name] = meaning
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, by_command in meanings.items():
        same = len(set(by_command.values())) == 1
        for command_name, meaning in [("*", next(iter(by_command.values())))] if same else by_command.items():
            if meaning[0]:
                groups.setdefault(meaning, []).append(f"{command_name}:{name}")
    return "\n".join(_branch(patterns, _body(*meaning)) for meaning, patterns in groups.items())


def _commands(program: Program) -> str:
    """The branches of the function of commands."""
    branches = []
    for command in program.all:
        if command is program.root:
            kind, words = "words", tuple(command.name for command in program.commands)
        elif command.arguments:  # bash is told of the first only: no command has several that differ
            kind, words = _kind(command.arguments[0].takes), _words(command.arguments[0].takes)
        else:
            kind, words = "flags", ()
        flags = [name for flag in command.offered for name in flag.names]
        branches.append(_branch([command.name or '""'], [_assigned("flags", flags), *_body(kind, words)]))
    return "\n".join(branches)


def script(program: Program) -> str:
    """The script for bash."""
    return (
        _SCRIPT.replace("@program@", program.names[0])
        .replace("@names@", " ".join(program.names))
        .replace("@values@", _values(program))
        .replace("@commands@", _commands(program))
    )
