"""The script for zsh: a function for each command, which says its flags to `_arguments`.

Sources: zshcompsys(1), `_arguments` and `_describe`; zshmisc(1), "Autoloading functions".
"""

import re

from dgcli.ui.completion.tree import Command, Flag, Program, Takes, Value

_SCRIPT = r"""#compdef @names@
# zsh completion for @names@. Made by: @program@ completions zsh

@functions@

# Values that the program alone knows ($@: how to ask it): one on each line, what it is behind a tab.
_@program@_asked() {
    local -a rows
    local line
    for line in ${(f)"$($service $@ 2>/dev/null)"}; do
        rows+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe -V -t values value rows
}

_@program@() {
    local curcontext=$curcontext state line ret=1
    local -A opt_args
    local -a commands

    _arguments -C -S -A '-*' \
@root@ \
        '1:command:->command' \
        '*::argument:->argument' && ret=0

    case $state in
        command)
            commands=(
@commands@
            )
            _describe -t commands command commands && ret=0
            ;;
        argument)
            curcontext=${curcontext%:*:*}:@program@-$words[1]:
            (( $+functions[_@program@_$words[1]] )) && _@program@_$words[1] && ret=0
            ;;
    esac
    return ret
}

if [[ $funcstack[1] == _@program@ ]]; then
    _@program@ "$@" # from a folder of $fpath: the whole file is the function at its first call
else
    compdef _@program@ @names@
fi
"""


_IN_QUOTES = '\\"$`'  # what means something between double quotes
_IN_BRACKETS = "[]:\\"  # and in the explanation of a spec


def _quoted(text: str) -> str:
    """Quote a word for the shell."""
    return "'" + text.replace("'", r"'\''") + "'"


def _escaped(text: str, special: str) -> str:
    """Escape what would mean something to `_arguments`."""
    return re.sub(f"[{re.escape(special)}]", r"\\\g<0>", text)


def _described(value: Value) -> str:
    """`WORD:"HELP"` as `_describe` gets it after an evaluation, inside a spec of `_arguments`."""
    text = _escaped(value.help, "\\")
    return _escaped(f'{value.word}:"{_escaped(text, _IN_QUOTES)}"', ":")


def _taken(takes: Takes) -> str:
    """`:MESSAGE:ACTION` for what a flag or an argument takes."""
    if any(value.help for value in takes.values):
        action = f"(({' '.join(map(_described, takes.values))}))"
    elif takes.values:
        # In their own order: a plain list of words would be sorted.
        action = f"{{compadd -V values - {' '.join(value.word for value in takes.values)}}}"
    elif takes.asks:
        action = f"{{_@program@_asked {takes.asks}}}"
    elif takes.paths:
        action = "_files -/" if takes.only_folders else "_files"
        if takes.suffixes:
            action += f' -g "*({"|".join(takes.suffixes)})(-.)"'
    else:
        action = " "
    return f":{_escaped(takes.name, ':')}:{action}"


def _flag(flag: Flag) -> str:
    """The spec of a flag, under all its names: `(EXCLUDED)NAME[HELP]:MESSAGE:ACTION`."""
    before = "!" if flag.hidden else ""
    excluded = flag.opposite if flag.repeats else (*flag.names, *flag.opposite)
    if len(excluded) > 1 or flag.opposite:
        before += f"({' '.join(excluded)})"
    before += "*" if flag.repeats else ""
    after = f"[{_escaped(flag.help, _IN_BRACKETS)}]"
    names = list(flag.names)
    if flag.takes is not None:
        names = [name + ("=" if name.startswith("--") else "+") for name in names]
        after += _taken(flag.takes)
    if len(names) == 1:
        return _quoted(before + names[0] + after)
    return f"{_quoted(before) if before else ''}{{{','.join(names)}}}{_quoted(after)}"


def _specs(command: Command) -> str:
    """Write the arguments of `_arguments` for a command, on lines that go on."""
    specs = [_flag(flag) for flag in command.flags]
    for number, argument in enumerate(command.arguments, 1):
        specs.append(_quoted(f"{'*' if argument.repeats else number}{_taken(argument.takes)}"))
    return " \\\n".join(" " * 8 + spec for spec in specs)


def _row(command: Command) -> str:
    """Write a command for `_describe`."""
    text = _escaped(command.help, "\\")
    return " " * 16 + _quoted(f"{command.name}:{text}")


def script(program: Program) -> str:
    """The script for zsh."""
    functions = "\n\n".join(
        f"_@program@_{command.name}() {{\n    _arguments -s -S \\\n{_specs(command)}\n}}"
        for command in program.commands
    )
    return (
        _SCRIPT.replace("@functions@", functions)
        .replace("@root@", _specs(program.root))
        .replace("@commands@", "\n".join(map(_row, program.commands)))
        .replace("@program@", program.names[0])
        .replace("@names@", " ".join(program.names))
    )
