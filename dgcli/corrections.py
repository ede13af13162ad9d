"""Command lines that are not quite ours: flags before the command, `dg help X`, other programs' names, misspellings,
and values that an option does not take.
"""

import os
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

_EVERYWHERE = frozenset({"-v", "--verbose", "-q", "--quiet"})
_WITH_VALUE = frozenset({"--base-url", "--profile"})

_COMMANDS = MappingProxyType(
    {
        "transcribe": "file", "upload": "file", "prerecorded": "file", "stream": "live", "microphone": "mic",
        "record": "mic", "server": "serve", "convert": "render", "export": "render", "signin": "login", "auth": "login",
        "keys": "login", "signout": "logout", "settings": "config", "completion": "completions", "billing": "balance",
        "balances": "balance", "projects": "whoami", "diagnose": "doctor",
    }
)  # fmt: skip
_OPTIONS = MappingProxyType(
    {
        "--subtitles": "-f srt", "--captions": "-f srt", "--srt": "-f srt", "--vtt": "-f vtt", "--webvtt": "-f vtt",
        "--json": "-f json", "--text": "-f text", "--output-format": "--format", "--lang": "--language",
        "--speakers": "--diarize", "--speaker-labels": "--diarize", "--key": "--api-key", "--token": "--access-token",
        "--host": "--base-url", "--keywords": "--keyterm", "--parallel": "--jobs", "--concurrency": "--jobs",
    }
)  # fmt: skip
_MEDIA_SUFFIXES = (
    ".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm", ".mkv", ".mov",
    ".aiff", ".amr", ".wma", ".avi",
)  # fmt: skip

_SURPLUS = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<rest>.*)\)\.", re.DOTALL)
_MISSING_VALUE = re.compile(r"Option '(?P<option>[^']+)' requires an argument\.")
_INVALID_VALUE = re.compile(
    r"Invalid value for (?P<names>'.+?'): (?P<value>.*) "
    r"is not (?:a valid (?P<type>int|integer|float)(?: range)?|in the range (?P<limits>\S+))\.",
    re.DOTALL,
)
_LIMITS = re.compile(r"(?P<least>[\d.]+)<=x<=(?P<most>[\d.]+)|x>=(?P<only_least>[\d.]+)")


def reordered(args: Sequence[str], commands: Collection[str]) -> Sequence[str]:
    """Return a command line with the command first: flags that may stand anywhere follow it, `help X` is `X --help`."""
    position = 0
    while position < len(args) and args[position] != "help":
        name, equals, _ = args[position].partition("=")
        if name in _WITH_VALUE:
            position += 1 if equals else 2
        elif name in _EVERYWHERE:
            position += 1
        else:
            break
    before, rest = args[:position], args[position:]
    if rest and rest[0] == "help":
        return [rest[1], "--help"] if len(rest) > 1 and rest[1] in commands else ["--help", *rest[2:]]
    return [rest[0], *before, *rest[1:]] if rest and rest[0] in commands else args


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://", "s3://", "gs://"))


def _is_recording(text: str) -> bool:
    return text == "-" or text.lower().endswith(_MEDIA_SUFFIXES) or os.path.isfile(text)


def _command_for(name: str) -> str | None:
    """Return the command that takes what `name` names, where that is an input at all."""
    if _is_url(name):
        return "url"
    if name.lower().endswith((".json", ".jsonl")):
        return "render"
    return "file" if _is_recording(name) else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]


def command_line_for(args: Sequence[str], commands: Sequence[str]) -> str | None:
    """Return the command line that somebody probably wanted whose command there is not."""
    first, rest = args[0], args[1:]
    if command := _command_for(first):
        return shlex.join(["dg", command, *args])
    name = first.lower()
    if name == "listen":  # the official program's, for everything
        source = next((arg for arg in rest if not arg.startswith("-")), None)
        if source is None:
            return "dg mic"
        command = "url" if _is_url(source) else "file"
    else:
        close = get_close_matches(name, [*commands, *_COMMANDS], n=1, cutoff=0.6)
        if not close:
            return None
        command = _COMMANDS.get(close[0], close[0])
    if command == "file" and rest and _is_url(rest[0]):
        command = "url"
    return shlex.join(["dg", command, *rest])


def option_advice(
    option: str, command: str, options_of: Callable[[str], Mapping[str, bool]], commands: Sequence[str]
) -> tuple[str, str]:
    """Return message and hint for an option that a command does not have.

    `options_of` gives the flags of a command, each with whether it is shown in its help.
    """
    own = [name for name, is_visible in options_of(command).items() if is_visible]
    wanted = _OPTIONS.get(option)
    has_formats = "--format" in own
    if wanted is not None and (wanted in own or (has_formats and wanted.startswith("-f "))):
        return f"There is no option {option}.", f"Did you mean: {wanted}"
    others = [name for name in commands if name != command and option in options_of(name)]
    if others:
        return f"{option} is only on {_listed(others)}, not on {command}.", f"See: dg {command} --help"
    close = get_close_matches(option, own, n=1, cutoff=0.7)
    hint = f"Did you mean: {close[0]}" if close else f"See: dg {command} --help"
    if option[1:].replace(".", "").isdecimal():
        hint = f"A value that begins with a dash stands behind two: dg {command} ... -- VALUE"
    return f"There is no option {option}.", hint


def root_option_advice(
    option: str,
    args: Sequence[str],
    options_of: Callable[[str], Mapping[str, bool]],
    takes_value: Callable[[str, str], bool],
    commands: Sequence[str],
) -> tuple[str, str]:
    """Return message and hint for an option that stands before any command.

    `takes_value` tells of a command and its option whether a value follows it.
    """
    having = [name for name in commands if option in options_of(name)]
    if not having:
        return f"There is no option {option}.", "See: dg --help"
    message = f"The command comes before {option}."
    named = next((arg for arg in args if arg in commands), None)
    if named is not None:
        rest = list(args)
        rest.remove(named)
        return message, f"Did you mean: {shlex.join(['dg', named, *rest])}"
    inputs = {
        at: command
        for at, arg in enumerate(args)
        if (command := _command_for(arg))
        and not any(at and takes_value(name, args[at - 1]) for name in having[:1])
    }
    if not inputs:
        return message, f"Commands with {option}: {_listed(having)}."
    wanted = next(iter(inputs.values()))
    command = wanted if wanted in having else having[0]
    rest = [arg for at, arg in enumerate(args) if at not in inputs]
    return message, f"Did you mean: {shlex.join(['dg', command, *(args[at] for at in inputs), *rest])}"


def value_advice(message: str, placeholder: str | None) -> str:
    """Return Typer's message about a missing or invalid value in words that name no type of Python.

    `placeholder` stands for the value in the help of the option.
    """
    if missing := _MISSING_VALUE.fullmatch(message):
        return f"{missing['option']} needs a value{f': {placeholder}' if placeholder else ''}."
    invalid = _INVALID_VALUE.fullmatch(message)
    if invalid is None:
        return message
    limits = _LIMITS.fullmatch(invalid["limits"] or "")
    if limits is None:
        takes = "a number" if invalid["type"] == "float" else "a whole number"
    elif limits["least"] is not None:
        takes = f"{limits['least']} to {limits['most']}"
    else:
        takes = f"{limits['only_least']} or more"
    name = invalid["names"].partition(" / ")[0].strip("'[]")
    return f"{name} takes {takes}, not {invalid['value']}."


def surplus_advice(message: str, command: str) -> tuple[str, str] | None:
    """Return message and hint where Typer's message is about more arguments than a command takes, else None."""
    surplus = _SURPLUS.fullmatch(message)
    if surplus is None:
        return None
    if command == "login":  # what is too much is the key: it is not printed once more
        return (
            "dg login takes no key on the command line, which other programs can read.",
            "Run dg login alone, and paste the key where it asks.",
        )
    return f"Too many arguments: {surplus['rest']}.", f"See: dg {command} --help"
