"""What messages, hints and documents tell people to type can be typed: each command is one, each flag is one of it."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from dgcli import app as application
from tests.conftest import ROOT

PACKAGE = ROOT / "dgcli"
# What stands for a value in an f-string: no flag and no command goes on through it.
VALUE = "\0"
# Scripts for shells and a page for browsers are in languages of their own, in which -- means other things.
NOT_PROSE = ("ui/completion/", "formats/html", "tasks/show_request")
# Flags of other programs, by what stands before them.
FOREIGN = re.compile(r"\b(systemctl|pip|pipx|uv|ffmpeg|yt-dlp|apt|brew|mkdir)\b[^`;|\n]*")

# A command line ends at the end of a clause, of a pair of backticks or of a line.
_COMMAND_LINE = re.compile(r"\bdg (?=[a-z-])((?:[^`;|\n\0,.]|[.,](?=\S)|\0)*)")
# Words after which the program is the subject or the object of a sentence.
_SENTENCE = frozenset({"is", "in", "has", "says"})
# A string that is a flag and nothing else is an argument of another program, or declares one of ours.
_ARGUMENT = re.compile(r"--[\w-]+(=.*)?")
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Known:
    """A command: its flags, and the words that may follow it where only some may."""

    flags: frozenset[str]
    words: frozenset[str]


def _known(command: Any, context: Any) -> Known:
    flags: set[str] = set()
    words: set[str] = set()
    for param in command.get_params(context):
        if param.param_type_name == "option":
            flags |= {*param.opts, *param.secondary_opts}
        elif "|" in (param.metavar or ""):
            words |= set(param.metavar.strip("[]").split("|"))
    return Known(frozenset(flags), frozenset(words))


@pytest.fixture(scope="module")
def commands() -> Mapping[str, Known]:
    """Every command by its name, the program itself under an empty one."""
    root: Any = typer.main.get_command(application.app)
    context = root.make_context("dg", [], resilient_parsing=True)
    known = {"": _known(root, context)}
    for name in root.list_commands(context):
        own = root.get_command(context, name).make_context(name, [], context, resilient_parsing=True)
        known[name] = _known(own.command, own)
    return known


def faults(text: str, commands: Mapping[str, Known], *, everywhere: bool = True) -> Iterator[str]:
    """What in a text cannot be typed. `everywhere`: flags outside of command lines must be somebody's, too."""
    if _ARGUMENT.fullmatch(text):
        return
    text = FOREIGN.sub("", text)
    for line in _COMMAND_LINE.finditer(text):
        words = line[1].split()
        name = words[0].strip("().:?!\"'") if words else ""
        if name in _SENTENCE:
            continue
        known = commands.get("" if name.startswith("-") else name)
        if known is None:
            yield f"dg {name}"
            continue
        action = words[1] if len(words) > 1 and known.words else ""
        if re.fullmatch(r"[a-z]+", action) and action not in known.words:
            yield f"dg {name} {action}"
        yield from (f"dg {name}: {flag}" for flag in _flags(line[1]) if flag not in known.flags)
    if everywhere:
        anybody = frozenset().union(*(known.flags for known in commands.values()))
        yield from (flag for flag in _flags(text) if flag not in anybody)


def _flags(text: str) -> Iterator[str]:
    for match in _FLAG.finditer(text):
        if not match[0].endswith("-") and text[match.end() : match.end() + 1] != VALUE:
            yield match[0]


def _text(node: ast.AST) -> str | None:
    """A string, whole; of an f-string what is fixed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or VALUE for part in node.values)
    return None


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Every string of a module but its docstrings and the pieces of others, with its line."""
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(node.value)  # a docstring: the help of commands has tests of its own
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
        text = None if node in skipped else _text(node)
        if text is not None:
            yield getattr(node, "lineno", 0), text


def modules() -> list[Path]:
    """Every module whose strings are prose."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if not str(path.relative_to(PACKAGE)).startswith(NOT_PROSE)
    ]


def test_messages_name_what_there_is(commands: Mapping[str, Known]) -> None:
    """Each `dg X` in a string of the package is a command, each --flag one of it, or of any where none is named."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}: {fault}"
        for path in modules()
        for line, text in texts(path.read_text("utf-8"))
        for fault in faults(text, commands)
    ]
    assert wrong == []


def code_of(page: str) -> str:
    """What in a page is to be typed: code blocks and code in the text, a line each."""
    page = re.sub(r"\\\n\s*", " ", page)
    blocks = re.findall(r"```\w*\n(.*?)```", page, re.DOTALL)
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line for line in prose.splitlines() if line.startswith("    ")]
    return "\n".join([*(line.partition(" # ")[0] for line in lines), *re.findall(r"`([^`\n]+)`", prose)])


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_documents_name_what_there_is(page: Path, commands: Mapping[str, Known]) -> None:
    """Each command line of a page can be typed: the command exists, and each of its flags."""
    code = code_of(page.read_text("utf-8"))
    assert list(faults(code, commands, everywhere=False)) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Check the key: `dg settings`.", ["dg settings"]),
        ("Use `dg file --force-speed`.", ["dg file: --force-speed"]),
        ("Use `dg file`, or --force-speed.", []),
        ("Leave out --no-such-thing.", ["--no-such-thing"]),
        (f"Use --no-{VALUE}.", []),
        ("Did you mean: dg url https://example.com/a.wav --diarize", []),
        ("dg models fetch small", ["dg models fetch"]),
        ("dg --version", []),
        ("dg --verison", ["dg --verison: --verison", "--verison"]),
        ("systemctl --user restart pipewire", []),
    ],
)
def test_a_planted_fault_is_seen(text: str, wrong: list[str], commands: Mapping[str, Known]) -> None:
    """The walk sees a command that there is not, a flag of another command, and a flag of none."""
    assert list(faults(text, commands)) == wrong


def test_a_planted_message_is_seen(commands: Mapping[str, Known]) -> None:
    """Messages are found in errors, in constants and in the fixed parts of f-strings."""
    source = (
        '"""dg nothing"""\nHINTS = {1: "Try `dg signin`."}\n'
        'def f(x):\n    raise UsageError(f"No {x}.", hint=f"See: dg {x} or dg file --wat{x} --what")'
    )
    found = [fault for _, text in texts(source) for fault in faults(text, commands)]
    assert found == ["dg signin", "dg file: --what", "--what"]
