"""`dg render` as a user runs it, and the flags of captions on every command that has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from dgcli.formats import FORMATS
from tests.conftest import BODY, SHARED, Reply, Run, ScriptedServer

WORDS: list[dict[str, Any]] = [
    {
        "word": word.lower(),
        "punctuated_word": word,
        "start": 0.5 * at,
        "end": 0.5 * at + 0.4,
        "speaker": at // 4,
    }
    for at, word in enumerate("Good morning to you. And good morning too.".split())
]
SAVED = json.dumps(
    {"results": {"channels": [{"alternatives": [{"transcript": "Good morning.", "words": WORDS}]}]}}
).encode()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved response with two speakers."""
    path = tmp_path / "call.json"
    path.write_bytes(SAVED)
    return path


def responses() -> list[bytes]:
    """Responses to try: one of our own, and the shared ones where they are."""
    return [BODY, SAVED, *(path.read_bytes() for path in sorted((SHARED / "responses").glob("*.json")))]


@pytest.mark.parametrize("name", ["srt", "vtt", "text", "html", "ass", "words.jsonl"])
def test_rendering_later_is_rendering_at_once(
    dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path, name: str
) -> None:
    """`dg file -o talk.json` and then `dg render talk.json -f NAME` is `dg file -f NAME`, byte for byte."""
    for body in responses():
        server.script = [Reply(body=body)]
        at_once = dg("file", audio, "--base-url", server.url, "-f", name)
        assert dg("file", audio, "--base-url", server.url, "-o", tmp_path / "talk.json").returncode == 0
        later = dg("render", tmp_path / "talk.json", "-f", name)
        assert (tmp_path / "talk.json").read_bytes() == body
        assert (later.stdout, later.returncode) == (at_once.stdout, 0)
        assert later.stdout


def test_standard_input_and_several_outputs(dg: Run, saved: Path) -> None:
    """`-` reads a response from a pipe; each -o has the format of its suffix."""
    folder = saved.parent
    result = dg("render", "-", "-o", folder / "a.srt", "-o", folder / "a.md", stdin=SAVED)
    assert (result.stdout, result.stderr, result.returncode) == (b"", b"", 0)
    assert (folder / "a.srt").read_text().startswith("1\n00:00:00,000 --> ")
    assert (folder / "a.md").read_text().startswith("# Transcript\n")


def test_names_limits_and_links(dg: Run, saved: Path) -> None:
    """Names, a preset with a limit changed, and the recording reach the formats."""
    page = saved.parent / "pages"
    page.mkdir()
    result = dg(
        "render", saved, "-f", "srt", "--speaker", "0=Anna", "--preset", "social", "--max-chars", "20"
    )
    assert b"[Anna] Good morning" in result.stdout
    assert max(len(line) for line in result.stdout.split(b"\n") if b"-->" not in line) <= 20
    assert dg("render", saved, "-o", page / "call.html", "--audio", saved.parent / "call.mp3").returncode == 0
    assert 'src="../call.mp3"' in (page / "call.html").read_text()


def test_formats_are_listed_without_anything_else(dg: Run) -> None:
    """--list-formats needs no argument and no key, has a line for each format and tells what -o writes beside them."""
    for command, more in (("render", 0), ("file", 0), ("url", 0), ("live", 1), ("mic", 1)):
        result = dg(command, "--list-formats")
        assert result.returncode == 0
        *lines, last = result.stdout.decode().splitlines()
        assert len(lines) == len(FORMATS) + more
        assert lines[0].startswith("text ")
        assert lines[-1].startswith("jsonl " if more else f"{FORMATS[-1].name} ")
        assert ".m3u8" in last


def test_the_short_help_names_the_formats_that_the_command_has(dg: Run) -> None:
    """Streams have jsonl, recordings do not; -f takes what the help lists."""
    listed = ", ".join(format_.name for format_ in FORMATS)
    for command, more in (("file", ""), ("live", ", jsonl"), ("mic", ", jsonl")):
        page = dg(command, "-h").stdout.decode()
        assert f"Formats: {listed}{more}." in " ".join(page.split())


def test_many_responses_go_into_a_folder(dg: Run, saved: Path) -> None:
    """Each response has a file of its name; one that is none does not stop the others and is told at the end."""
    other, broken, out = saved.with_name("b.json"), saved.with_name("c.json"), saved.parent / "out"
    other.write_bytes(BODY)
    broken.write_bytes(b"{}")
    out.mkdir()
    result = dg("render", saved, broken, other, "-f", "vtt", "--output-dir", out)
    assert result.returncode == 7
    assert sorted(path.name for path in out.iterdir()) == ["b.vtt", "call.vtt"]
    assert b"c.json" in result.stderr
    assert b"1 of 3" in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("missing.json",), 6, b"error: There is no file missing.json."),
        ((".",), 6, b". is a directory"),
        (("-",), 4, b"standard input: There is nothing in it."),
        (("a.json", "b.json"), 2, b"--output-dir"),
        (("a.json", "--speaker", "Anna"), 2, b"N=NAME"),
        (("a.json", "--preset", "disney"), 2, b"netflix"),
        (("a.json", "--max-lines", "0"), 2, b"--max-lines"),
        (("a.json", "-f", "doc"), 2, b"words.jsonl"),
        (("-", "--output-dir", "."), 2, b"no name"),
        (("a.json", "--output-dir", "nowhere"), 8, b"mkdir -p nowhere"),
    ],
)
def test_mistakes_are_reported(dg: Run, args: tuple[str, ...], code: int, said: bytes) -> None:
    """Each mistake has its exit code, one message on stderr and nothing on stdout."""
    result = dg("render", *args)
    assert (result.returncode, result.stdout) == (code, b"")
    assert said in result.stderr


def test_text_without_times_is_reported(dg: Run) -> None:
    """Captions of a response that has text but no words are empty and say so; text is text."""
    bare = b'{"results": {"channels": [{"alternatives": [{"transcript": "Hello there.", "words": []}]}]}}'
    captions, text = dg("render", "-", "-f", "srt", stdin=bare), dg("render", "-", stdin=bare)
    assert (captions.stdout, captions.returncode) == (b"", 0)
    assert b"text without timed words: srt cannot show it" in captions.stderr
    assert (text.stdout, text.stderr) == (b"Hello there.\n", b"")


def test_silence_gives_a_valid_file_and_a_note(dg: Run, tmp_path: Path) -> None:
    """An empty transcript is an empty SRT and a WebVTT header, with a note on stderr."""
    empty = json.dumps(
        {"results": {"channels": [{"alternatives": [{"transcript": "", "words": []}]}]}}
    ).encode()
    srt, vtt = dg("render", "-", "-f", "srt", stdin=empty), dg("render", "-", "-f", "vtt", stdin=empty)
    assert (srt.stdout, srt.returncode) == (b"", 0)
    assert vtt.stdout.startswith(b"WEBVTT\n")
    assert b"empty" in srt.stderr


@pytest.mark.parametrize(
    ("body", "does"),
    [
        (b"Good morning.\nGood morning, Ben.\n", "dg file talk.mp3 -o talk.json"),
        (b"1\n00:00:00,100 --> 00:00:00,400\nGood\n", "dg file talk.mp3 -o talk.json"),
        (b"fLaC\x00\x00\x00\x22\xff\xfe", "dg file '{path}'"),
    ],
)
def test_what_is_no_response_says_what_is(dg: Run, tmp_path: Path, body: bytes, does: str) -> None:
    """A text, captions or a recording in the place of a response: what happened and what to do, no parser's words."""
    path = tmp_path / "my talk"
    path.write_bytes(body)
    result = dg("render", path, "-f", "srt")
    assert result.returncode == 4
    first, second = result.stderr.decode().splitlines()
    assert first == f"dg: error: {path}: It is no saved response."
    assert second.endswith(does.format(path=path))


def test_a_response_that_was_cut_off_is_told_where(dg: Run, saved: Path) -> None:
    """What begins as a response does keeps the message with the place at which it ends."""
    saved.write_bytes(BODY[: len(BODY) // 2])
    assert b"is no JSON: " in dg("render", saved, "-f", "srt").stderr
