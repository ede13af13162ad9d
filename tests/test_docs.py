"""What the documents show is what the program does."""

import os
import re
import runpy
import subprocess
import sys
import wave
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import soundfile

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.server.run import ServerSettings, running
from dgcli.transcript.response import parse
from tests.conftest import BODY, ROOT, SAMPLE
from tests.http_server import QuietHandler, serving

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def test_captions_in_the_documents_are_those_that_are_made() -> None:
    """The 20 s of docs/captions.md, after, stand like that in the captions of the conversation."""
    conversation = runpy.run_path(str(ROOT / "docs" / "html_page.py"))["conversation"]
    text = renderer(by_name("srt"))(parse(conversation()), RenderSettings())
    shown = (ROOT / "docs" / "captions.md").read_text("utf-8").split("as `dg` makes them:\n\n")[1]
    example = "\n".join(line.strip() for line in shown.split("\nThe conversation")[0].split("\n")).strip()
    made = re.sub(r"(?m)^\d+\n(?=\d\d:)", "", text)
    assert len(example) > 400
    assert example in made


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a recording, `talk.wav`: the first seconds of the sample, at 16 kHz in one channel."""
    samples, rate = soundfile.read(SAMPLE, dtype="int16", frames=6 * 16000)
    assert (rate, samples.ndim) == (16000, 1)
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return tmp_path


@pytest.fixture
def web(desk: Path) -> Iterator[str]:
    """A web server that has the recording too."""

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        pass

    with serving(partial(Handler, directory=str(desk))) as url:
        yield url


def run_block(code: str, desk: Path, base_url: str) -> str:
    """What a program prints that uses a server, and succeeds without a word on stderr."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "DGCLI_MODELS")
        if name in os.environ
    }
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=desk,
        env={**kept, "HOME": str(desk), "DEEPGRAM_BASE_URL": base_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    return result.stdout


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[str]:
    """A server of ours that gives a saved response."""
    response = tmp_path / "saved-response.json"
    response.write_bytes(BODY)
    with running(ServerSettings(engine="replay", response=response, allow_private_urls=True)) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_programs_of_the_python_page_run(number: int, desk: Path, web: str, replay: str) -> None:
    """Each block of docs/python.md is a program that runs, and prints no error."""
    code = BLOCKS[number].replace("https://example.com", web)
    printed = run_block(code, desk, replay)
    assert printed or "print(" not in code
    if "diarise" in code:
        assert "There is no parameter 'diarise'. Did you mean: diarize" in printed
        assert "No answer: " in printed


@pytest.mark.slow
def test_the_shortest_programs(desk: Path, replay: str) -> None:
    """A file to SRT takes three lines, and a stream to printed lines four."""
    captions, lines = BLOCKS[:2]
    assert [len([line for line in block.split("\n") if line]) for block in (captions, lines)] == [3, 4]
    assert "-->" in run_block(captions, desk, replay)
    assert re.fullmatch(r"(\d+\.\d\d \S.*\n)+", run_block(lines, desk, replay))


@pytest.mark.usefixtures("models_folder")  # the recogniser has weights
def test_the_shortest_programs_without_a_server(desk: Path) -> None:
    """With `local=True` in them, both hear the recording on this machine."""
    captions, lines = (re.sub(r'("talk\.wav"[^)]*)\)', r"\1, local=True)", block) for block in BLOCKS[:2])
    assert "local=True" in captions
    assert "local=True" in lines
    assert "people" in run_block(captions.replace("diarize=True, ", ""), desk, "http://127.0.0.1:9").lower()
    assert "people" in run_block(lines, desk, "http://127.0.0.1:9").lower()


def test_each_promise_has_its_test() -> None:
    """Every row of docs/reliability.md names a test that exists, and every hostile test stands there."""
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ") and "| What is promised" not in line]
    named = {match for row in rows for match in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)}
    assert all(re.search(r"`tests/[\w/]+\.py::test_\w+` \|$", row) for row in rows)
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"
    for path in (ROOT / "tests" / "hostile").glob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE):
            assert (path.relative_to(ROOT).as_posix(), name) in named


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def test_each_tick_of_the_comparison_has_its_test() -> None:
    """Every row of docs/comparison.md in which dg does something names a test that exists."""
    rows = (ROOT / "docs" / "comparison.md").read_text("utf-8").split("\n")
    cells = [row.split("|")[2].strip() for row in rows if row.startswith("| ") and "| dg |" not in row]
    named = [cell.strip("`").split("::") for cell in cells if cell != "no"]
    assert len(named) > 20
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"


def test_the_readme_is_read_in_minutes() -> None:
    """The README has at most 900 words."""
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link between the documents names a file that is there."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_linked_from_the_readme() -> None:
    """Whoever reads the README finds every page of docs/."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in text] == []


def test_each_threat_has_its_test() -> None:
    """Every row of the threat model in SECURITY.md names a test that exists, and every hostile party has some."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    model = text.split("## Threat model")[1].split("## What is not defended")[0]
    parts = re.split(r"^### ", model, flags=re.MULTILINE)[1:]
    for part in parts:
        rows = [line for line in part.split("\n") if line.startswith("| ") and "| What holds |" not in line]
        assert len(rows) >= 5, part.split("\n")[0]
        for row in rows:
            named = re.search(r"\| `(tests/[\w/]+\.py)::(test_\w+)` \|$", row)
            assert named, row
            assert re.search(
                rf"^(async )?def {named[2]}\(", (ROOT / named[1]).read_text("utf-8"), re.MULTILINE
            ), row
    for party in (
        "network",
        "server",
        "audio URL",
        "media file",
        "file name",
        "transcript",
        "browser",
        "another user",
    ):
        assert any(party.lower() in part.split("\n")[0].lower() for part in parts), party
