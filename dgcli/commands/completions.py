"""`dg completions`: print the script that completes `dg` in a shell, made from the commands as they are."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_stdout
from dgcli.ui.completion import SHELLS, Argument, Command, Flag, Program, Takes, Value, script

# How --help calls what is a path; a type of path says so itself.
_ASKED = {
    "DEVICE": "devices --names",
    "MODEL": "models --names",
    "PROFILE": "config profiles",
}  # what only a run knows
_SUFFIXES = {"RESPONSE": (".json", ".jsonl", ".csv", ".tsv")}  # what dg render reads
_PATHS, _FOLDERS = {"FILE", "PATH", "SOURCE", "RESPONSE"}, {"DIR", "FOLDER"}


def _takes(param: Any, context: Any) -> Takes:
    """Return what a Typer option or argument takes: its own completion decides, then its type and name."""
    name = (param.metavar or param.name.upper().replace("_", "-")).removesuffix("...")
    values = tuple(Value(item.value, item.help or "") for item in param.shell_complete(context, ""))
    words = set(re.findall(r"[A-Z]+", name))
    only_folders = param.type.name == "directory" or bool(words & _FOLDERS)
    paths = only_folders or param.type.name in ("path", "file", "filename") or bool(words & _PATHS)
    asks = _ASKED.get(name, "")
    return Takes(
        name,
        values,
        paths=paths and not values,
        only_folders=only_folders and not values,
        suffixes=_SUFFIXES.get(name, ()),
        asks=asks,
    )


def _flags(param: Any, context: Any) -> Iterator[Flag]:
    """Convert an option of Typer: one flag, or two where it can be negated."""
    # Short names first: those of --help come out of a set, in another order each time.
    on = tuple(sorted(param.opts, key=lambda name: name.startswith("--")))
    off = tuple(param.secondary_opts)
    flag = Flag(
        on,
        " ".join((param.help or "").split()),
        None if param.is_flag or param.count else _takes(param, context),
        repeats=param.multiple,
        hidden=param.hidden,
        opposite=off,
    )
    yield flag
    if off:
        yield replace(flag, names=off, help=f"The opposite of {flag.long[0]}.", opposite=on)


def _read(name: str, help: str, context: Any) -> Command:  # noqa: A002 - as Command calls it
    """Convert a command of Typer to plain data."""
    params = context.command.get_params(context)
    return Command(
        name,
        help,
        flags=tuple(
            flag for param in params if param.param_type_name == "option" for flag in _flags(param, context)
        ),
        arguments=tuple(
            Argument(_takes(param, context), repeats=param.nargs == -1)
            for param in params
            if param.param_type_name == "argument"
        ),
    )


def _program(root: Any) -> Program:
    """Describe all that can be typed; every command is imported for it."""
    commands = []
    for name in root.command.list_commands(root):
        row = root.command.get_command(root, name)
        if not row.hidden:
            context = row.make_context(name, [], root, resilient_parsing=True)  # nothing need be given
            commands.append(_read(name, row.help or "", context))
    return Program(("dg", "dgcli"), _read("", root.command.help or "", root), tuple(commands))


def _shells() -> list[str]:
    return [shell.name for shell in SHELLS]


@command()
def completions(
    context: typer.Context,
    shell: Annotated[
        str,
        typer.Argument(help=f"One of {', '.join(_shells())}.", metavar="SHELL", autocompletion=_shells),
    ],
    general: GeneralOptions,  # noqa: ARG001 - -q and -v are taken everywhere
) -> None:
    """Print the script that completes commands, flags and values in a shell.

    Load it when the shell starts:

        bash, in ~/.bashrc:       eval "$(dg completions bash)"
        zsh, in ~/.zshrc:         eval "$(dg completions zsh)"    (below compinit)
        fish, in config.fish:     dg completions fish | source
        PowerShell, in $PROFILE:  dg completions powershell | Out-String | Invoke-Expression
    """
    chosen = next((row for row in SHELLS if row.name == shell.lower()), None)
    if chosen is None:
        raise UsageError(
            f"There are no completions for {shell!r}.", hint=f"There are some for {', '.join(_shells())}."
        )
    write_stdout(script(chosen, _program(context.find_root())).encode())
