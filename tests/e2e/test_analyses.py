"""Analyses and written files as a user sees them: on a terminal, in a pipe, in files."""

import json
import re
from pathlib import Path

import pexpect
import pytest

from dgcli.captions.text import width
from tests.conftest import Reply, Run, ScriptedServer, dg_path
from tests.formats.analyses import BODY

_ESCAPES = re.compile(r"\x1b\[\d*m")
_ALL = "summary, topics, intents, entities, sentiment, search, language"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved response with every analysis."""
    path = tmp_path / "call.json"
    path.write_bytes(BODY)
    return path


def on_terminal(environment: dict[str, str], folder: Path, columns: int, *args: str, **more: str) -> str:
    """What `dg` prints on a terminal of so many columns."""
    child = pexpect.spawn(
        dg_path(), list(args), env={**environment, **more}, cwd=folder, dimensions=(24, columns), encoding="utf-8",
        timeout=60,
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    return str(child.before).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 40])
def test_a_terminal_shows_the_analyses(
    environment: dict[str, str], saved: Path, tmp_path: Path, columns: int
) -> None:
    """After the words stands every analysis, in colour and within the width of the window; NO_COLOR has no escapes."""
    text = on_terminal(environment, tmp_path, columns, "render", str(saved))
    plain = on_terminal(environment, tmp_path, columns, "render", str(saved), NO_COLOR="1")
    assert "\x1b[1mSummary\x1b[0m" in text
    assert "\x1b" not in plain
    assert _ESCAPES.sub("", text) == plain
    sections = plain[plain.index("\nSummary\n") :].splitlines()
    assert [line for line in sections if line and not line.startswith(" ")] == [
        "Summary", "Topics", "Intents", "Entities", "Sentiment", "Search hits", "Language",
    ]  # fmt: skip
    assert max(map(width, sections)) < columns
    assert "Not shown" not in plain
    assert "Topics" not in on_terminal(
        environment, tmp_path, columns, "render", str(saved), "--with", "summary"
    )


@pytest.mark.parametrize("columns", [80, 30, 12])
def test_a_terminal_gets_paragraphs_wrapped_at_words(
    dg: Run, environment: dict[str, str], tmp_path: Path, columns: int
) -> None:
    """No line on a terminal reaches its edge or breaks inside a word; a pipe has a line a paragraph."""
    said = (
        "We hold these truths to be self-evident: that all men are created equal. " * 3
        + "今日は元気です。" * 9
    )
    words = [{"word": word, "start": at, "end": at + 1, "speaker": 0} for at, word in enumerate(said.split())]
    body = {"results": {"channels": [{"alternatives": [{"transcript": said, "words": words}]}]}}
    (tmp_path / "call.json").write_text(json.dumps(body), encoding="utf-8")
    piped = dg("render", str(tmp_path / "call.json")).stdout.decode()
    assert piped == f"Speaker 0: {said}\n"
    text = on_terminal(environment, tmp_path, columns, "render", "call.json")
    assert text.startswith("\x1b[1mSpeaker 0:\x1b[0m")
    lines = _ESCAPES.sub("", text).splitlines()
    assert all(width(line) < columns or " " not in line for line in lines)
    assert {word for line in lines for word in line.split()} >= set(f"Speaker 0: {said}".split()[:-1])
    assert "".join("".join(lines).split()) == "".join(piped.split())


def test_a_pipe_gets_the_words_and_a_line_about_the_rest(
    dg: Run, server: ScriptedServer, audio: Path
) -> None:
    """Plain text in a pipe is the words alone; stderr says in one line what is there and not shown; -q says nothing."""
    server.script = [Reply(body=BODY)]
    flags = ["file", audio, "--base-url", server.url, "--api-key", "k"]
    result = dg(*flags, "--summarize", "--topics", "--detect-entities")
    assert b"Summary" not in result.stdout
    assert "\x1b" not in result.stdout.decode()
    told = [line for line in result.stderr.decode().splitlines() if "Not shown" in line]
    assert told == [f"dg: Not shown: {_ALL}. Plain text shows them --with all; md, html and json always do."]
    assert dg(*flags, "-q").stderr == b""
    for outputs in (["-o", "a.md"], ["-f", "json"], ["-o", "a.txt", "-o", "a.html"], ["--with", "all"]):
        assert b"Not shown" not in dg(*flags, *outputs).stderr


def test_sections_go_anywhere(
    dg: Run, saved: Path, tmp_path: Path, server: ScriptedServer, audio: Path
) -> None:
    """--with adds the named sections in a pipe and in files, of a file, a URL and a saved response alike."""
    server.script = [Reply(body=BODY)]
    api = ["--base-url", server.url, "--api-key", "k"]
    for args in (["render", saved], ["file", audio, *api], ["url", "https://example.com/a.wav", *api]):
        result = dg(*args, "--with", "summary,language", "-f", "text", "-o", "a.txt")
        text = result.stdout.decode()
        assert text.endswith("agrees.\n\nLanguage\n  en 97%\n"), result.stderr
        assert (tmp_path / "work" / "a.txt").read_text() == text
        assert b"Not shown: topics, intents, entities, sentiment, search." in result.stderr
    refused = dg("file", audio, *api, "--with", "topic")
    assert (refused.returncode, len(server.seen)) == (2, 2)
    assert b"There is no section 'topic'." in refused.stderr


def test_sections_of_a_batch(dg: Run, tmp_path: Path, server: ScriptedServer, audio: Path) -> None:
    """A batch writes sections too, and without them says before it begins what its outputs will not show."""
    server.script = [Reply(body=BODY)]
    flags = ["file", audio, "--output-dir", "out", "--base-url", server.url, "--api-key", "k", "--topics"]
    result = dg(*flags)
    assert result.stderr.decode().splitlines()[0] == (
        "dg: Not shown: topics. Plain text shows them --with all; md, html and json always do."
    )
    dg(*flags, "--with", "topics")
    assert "Headphones 50% 1:20" in (tmp_path / "work" / "out" / "talk.txt").read_text()
    assert len(server.seen) == 1, "sections are made of the answer that is there"


def test_what_was_written_is_told_on_a_terminal(
    environment: dict[str, str], saved: Path, tmp_path: Path, dg: Run
) -> None:
    """-o names its files when they are written, where somebody is looking; not with -q, and not in a pipe."""
    files = ["-o", "x.srt", "-o", "x.json"]
    assert (
        on_terminal(environment, tmp_path, 80, "render", str(saved), *files) == "dg: Wrote x.srt, x.json.\n"
    )
    assert json.loads((tmp_path / "x.json").read_bytes())
    assert on_terminal(environment, tmp_path, 80, "render", str(saved), *files, "-q") == ""
    assert dg("render", saved, *files).stderr == b""
