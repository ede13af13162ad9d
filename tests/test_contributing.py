"""The recipes of CONTRIBUTING.md, followed block by block in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dgcli.server.run import ServerSettings, running
from tests.conftest import BODY, HANGS_AFTER, ROOT
from tests.test_architecture import name_of, violations

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## Recipe: (.*)\n((?:(?!^## ).*\n)*)", TEXT, re.MULTILINE))
FENCE = re.compile(r"((?:^(?!```).+\n)*)\n?^```(\w+)\n((?:^(?!```).*\n)*)^```\n", re.MULTILINE)
NEW_FILE = re.compile(r"New file `([^`]+)`:\s*$")
INSERTION = re.compile(r"In\s+`([^`]+)`,\s+above\s+`([^`]+)`")
PRINTS = re.compile(r"prints:\s*$")


@dataclass(frozen=True)
class Copy:
    """A copy of the tree, and the environment in which its `dg` is the one that runs."""

    root: Path
    environment: dict[str, str]
    requests: Path  # what the server kept of each

    def run(self, commands: str) -> str:
        """Run commands of a recipe; return what they print."""
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANGS_AFTER,
            check=False,
        )
        assert result.returncode == 0, f"{commands}\n{result.stdout}\n{result.stderr}"
        return result.stdout


@pytest.fixture
def copy(tmp_path: Path, environment: dict[str, str]) -> Iterator[Copy]:
    """A copy of the tree with a recording and a saved response, and a server that answers with it."""
    root, programs, requests = (tmp_path / name for name in ("tree", "bin", "requests"))
    for name in ("dgcli", "tests", "completions", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "LICENSE"):
        shutil.copy(path, root)
    (root / "call.json").write_bytes(BODY)
    with wave.open(str(root / "talk.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    programs.mkdir()
    for name, start in (("python", ""), ("dg", " -m dgcli"), ("ruff", " -m ruff")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{start} "$@"\n')
        (programs / name).chmod(0o755)
    settings = ServerSettings(port=0, engine="replay", response=root / "call.json", record=requests)
    with running(settings) as url:
        yield Copy(
            root,
            {
                **environment,
                "PATH": f"{programs}{os.pathsep}{environment['PATH']}",
                "PYTHONPATH": str(root),
                "DEEPGRAM_BASE_URL": url,
            },
            requests,
        )


def insert(path: Path, anchor: str, block: str) -> None:
    """Put lines above the one line that begins so, as far to the right as it is."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    (at,) = (number for number, line in enumerate(lines) if line.strip().startswith(anchor))
    margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at:at] = [margin + line if line.strip() else line for line in block.splitlines(keepends=True)]
    path.write_text("".join(lines), "utf-8")


def follow(recipe: str, copy: Copy) -> str:
    """Do what a recipe says; return all that its commands print."""
    printed, everything = "", ""
    for lead, language, block in FENCE.findall(recipe):
        paragraph = " ".join(lead.split("\n"))
        if match := NEW_FILE.search(paragraph):
            path = copy.root / match[1]
            assert not path.exists(), path
            path.write_text(block, "utf-8")
        elif matches := INSERTION.findall(paragraph):
            insert(copy.root / matches[-1][0], matches[-1][1], block)
        elif PRINTS.search(paragraph):
            assert printed.endswith(block)
        else:
            assert language == "sh", f"nobody can follow this: {paragraph!r}"
            printed = copy.run(block)
            everything += printed
    return everything


def test_there_is_a_recipe_for_each_thing() -> None:
    """What is added most has a recipe, and each fits on a screen."""
    assert list(RECIPES) == [
        "a parameter of the API",
        "an output format",
        "a source of audio",
        "a sink of a stream",
        "a subcommand",
        "a recogniser",
    ]
    assert max(text.count("\n") for text in RECIPES.values()) <= 80


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_recipe(name: str, copy: Copy) -> None:
    """Whoever follows a recipe gets what it promises, and breaks no rule of the house."""
    printed = follow(RECIPES[name], copy)
    assert printed
    sources = {
        name_of(path, copy.root / "dgcli"): path.read_text("utf-8")
        for path in (copy.root / "dgcli").rglob("*.py")
    }
    assert violations(sources) == []
    copy.run("ruff check --no-cache . && ruff format --no-cache --check .")
    copy.run(
        "python completions/generate.py && python -m pytest -q -n 0 tests/test_completions.py -k up_to_date"
    )
    if name == "a parameter of the API":
        (request,) = copy.requests.glob("*.json")
        assert "whispers=-40" in request.read_text("utf-8")
