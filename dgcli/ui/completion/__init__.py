"""Completion scripts: a registry of shells, and one small module for each that writes its script.

A script is static text: pressing TAB starts no Python. It is written from a `Program`, which says what can be
typed (`tree`). To add a shell, write a module with a function `script(program: Program) -> str` and give it a
row in `SHELLS`; `dg completions NAME` and the file in `completions/` follow.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from dgcli.ui.completion.tree import Argument, Command, Flag, Program, Takes, Value

__all__ = ["SHELLS", "Argument", "Command", "Flag", "Program", "Shell", "Takes", "Value", "script"]


@dataclass(frozen=True, slots=True)
class Shell:
    """A row of the registry: the shell, which is also its module, and the usual name of its script."""

    name: str
    file: str


SHELLS = (
    Shell("bash", "dg.bash"),
    Shell("zsh", "_dg"),
    Shell("fish", "dg.fish"),
    Shell("powershell", "dg.ps1"),
)


class _ScriptWriter(Protocol):
    """The one function of a shell's module."""

    def __call__(self, program: Program) -> str:
        """The whole script."""


def script(shell: Shell, program: Program) -> str:
    """The script that completes `program` in `shell`."""
    return cast(_ScriptWriter, import_module(f"{__name__}.{shell.name}").script)(program)
