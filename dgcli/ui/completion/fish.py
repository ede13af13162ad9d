"""The script for fish: a `complete` for each flag, under the condition that its command is being typed.

Source: the fish documentation, "complete", "commandline" and "Writing your own completions".
"""

from collections.abc import Iterable

from dgcli.ui.completion.tree import Command, Flag, Program, Takes

_SCRIPT = r"""# fish completion for @names@. Made by: @program@ completions fish

# Whether the command on the line is one of the arguments; without any, whether none is typed yet.
function __@program@_in
    for word in (commandline -opc)[2..]
        if not string match -q -- '-*' $word
            contains -- $word $argv
            return
        end
    end
    test (count $argv) -eq 0
end

# Values that the program alone knows, one on each line, what it is behind a tab.
function __@program@_asked
    set -l program (commandline -opc)[1]
    $program $argv 2>/dev/null
end

# Files with these suffixes, and folders.
function __@program@_files
    for row in (complete -C "'' "(commandline -ct))
        set -l path (string split \t -- $row)[1]
        for suffix in / $argv
            string match -q -- "*$suffix" $path; and echo $path
        end
    end
end

set -l dg @programs@
complete $dg -e
complete $dg -f
@lines@
"""


def _quoted(text: str) -> str:
    """Quote a word for the shell."""
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"


def _taken(takes: Takes) -> str:
    """Return the arguments of `complete` for a value."""
    if takes.values:
        # Without a description of its own, fish would show that of the flag with every word.
        words = (rf"{value.word}\t{_quoted(value.help)}" for value in takes.values)
        return f"-k -x -a {_quoted(' '.join(words))}"
    if takes.asks:
        return f"-k -x -a '(__@program@_asked {takes.asks})'"
    if takes.suffixes:
        return f"-x -a '(__@program@_files {' '.join(takes.suffixes)})'"
    if takes.only_folders:
        return "-x -a '(__fish_complete_directories)'"
    return "-r -F" if takes.paths else "-x"


def _flag(flag: Flag) -> str:
    spellings = [f"-s {name[1:]}" for name in flag.short] + [f"-l {name[2:]}" for name in flag.long]
    taken = [_taken(flag.takes)] if flag.takes is not None else []
    return " ".join([*spellings, *taken, f"-d {_quoted(flag.help)}"])


def _described(command: Command) -> Iterable[str]:
    """Yield the arguments of `complete` for the arguments and the flags of a command."""
    for argument in command.arguments:
        taken = _taken(argument.takes)
        if taken != "-x":
            yield taken.replace("-x ", "").replace("-r ", "")  # these are for what follows a flag
    for flag in command.offered:
        yield _flag(flag)


def _lines(program: Program) -> Iterable[str]:
    """All the calls of `complete`; commands that share a flag share its call."""
    for command in program.commands:
        yield f"-n __@program@_in -a {_quoted(command.name)} -d {_quoted(command.help)}"
    for described in _described(program.root):
        yield f"-n __@program@_in {described}"
    shared: dict[str, list[str]] = {}
    for command in program.commands:
        for described in _described(command):
            shared.setdefault(described, []).append(command.name)
    for described, names in shared.items():
        yield f"-n '__@program@_in {' '.join(names)}' {described}"


def script(program: Program) -> str:
    """The script for fish."""
    assert all(flag.takes is None for flag in program.root.flags), "else its value passes for the command"
    lines = "\n".join(f"complete $dg {line}" for line in _lines(program))
    return (
        _SCRIPT.replace("@lines@", lines)
        .replace("@programs@", " ".join(f"-c {name}" for name in program.names))
        .replace("@program@", program.names[0])
        .replace("@names@", " ".join(program.names))
    )
