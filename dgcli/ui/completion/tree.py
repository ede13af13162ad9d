"""A command line as plain data: programs, commands, flags, and the values they take.

Values that only a run can know (microphones, say) are asked for when they are wanted: `Takes.asks` names a
hidden call of the program that prints one value on each line, its description after a tab. No other flag
starts Python.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and its help where that is known."""

    word: str
    help: str = ""

    def __post_init__(self) -> None:
        # Everything else would have to be quoted when it is inserted, in each shell by other rules.
        assert re.fullmatch(r"[\w.+-]+", self.word, re.ASCII), f"{self.word!r} is no plain word"


@dataclass(frozen=True, slots=True)
class Takes:
    """The value of a flag or an argument: known words, words asked for, a path, or any text."""

    name: str  # as --help shows it: TAG, FILE
    values: tuple[Value, ...] = ()
    paths: bool = False
    only_folders: bool = False
    suffixes: tuple[str, ...] = ()  # of the files among the paths; folders always are
    asks: str = ""  # arguments with which the program prints the values there are now


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag in all its spellings; `takes` is None where it has no value."""

    names: tuple[str, ...]
    help: str = ""
    takes: Takes | None = None
    repeats: bool = False
    hidden: bool = False  # understood, so that its value is not taken for a file; never offered
    opposite: tuple[str, ...] = ()  # other flags that it takes back

    @property
    def short(self) -> tuple[str, ...]:
        """Its spellings with one dash."""
        return tuple(name for name in self.names if not name.startswith("--"))

    @property
    def long(self) -> tuple[str, ...]:
        """Its spellings with two dashes."""
        return tuple(name for name in self.names if name.startswith("--"))


@dataclass(frozen=True, slots=True)
class Argument:
    """The arguments that stand on the command line without a flag."""

    takes: Takes
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand, or the program itself before one is named (an empty name)."""

    name: str
    help: str
    flags: tuple[Flag, ...]
    arguments: tuple[Argument, ...] = ()

    @property
    def offered(self) -> tuple[Flag, ...]:
        """The flags that are shown."""
        return tuple(flag for flag in self.flags if not flag.hidden)


@dataclass(frozen=True, slots=True)
class Program:
    """A program under all the names it is installed as; the first is what its messages say."""

    names: tuple[str, ...]
    root: Command
    commands: tuple[Command, ...]

    @property
    def all(self) -> Sequence[Command]:
        """The program itself, and its commands."""
        return (self.root, *self.commands)
