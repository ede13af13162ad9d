"""Messages, help pages and progress, as they look on a terminal."""

import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.terminal import harmless
from dgcli.ui.help import HelpEntry, Section, page
from tests.conftest import HANGS_AFTER, Reply, Run, ScriptedServer, dg_path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", "reset"),
        ("a\rb\x08c\x00", "abc"),
        ("\x9b31mcsi", "31mcsi"),
        ("\u202eevil", "evil"),
        ("naïve 日本 👩\u200d🚀", "naïve 日本 👩\u200d🚀"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    """Escape sequences and controls go, text stays, joined emoji too."""
    assert harmless(text) == shown


@given(st.text())
def test_nothing_gets_through(text: str) -> None:
    """Whatever the text, no control character but tab and newline is left."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", harmless(text))


def test_help_fits() -> None:
    """No line of a help page is wider than the window, and no flag is broken in two."""
    entries = [HelpEntry("--[no-]something-rather-long-indeed NAME", "What it does, --no-x included. " * 5)]
    for width in (40, 80, 200):
        lines = page(
            "dg x", "About. " * 30, [Section("Flags", entries)], "", width=width, bold=False
        ).splitlines()
        assert max(map(len, lines)) <= max(42, min(width, 100))
        assert any("--[no-]something-rather-long-indeed NAME" in line for line in lines)
        assert not any(line.rstrip().endswith("--no-") for line in lines)


@pytest.mark.parametrize("width", [46, 60, 80, 200])
def test_help_of_dg_file_fits(dg: Run, width: int) -> None:
    """`dg file --help` fits the window, and shows all panels and no hidden parameter."""
    lines = dg("file", "--help", env={"COLUMNS": str(width)}).stdout.decode().splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    panels = ["Model and language", "Formatting", "Speakers and channels", "Vocabulary", "Intelligence"]
    for heading in [*panels, "Privacy", "Timing", "Delivery", "Output", "Connection", "General"]:
        assert f"{heading}:" in lines
    assert not any("--tier" in line or "--diarize-version" in line for line in lines)


@pytest.mark.parametrize("colour", [True, False])
def test_error_on_a_terminal(environment: dict[str, str], colour: bool) -> None:
    """On a terminal the word "error" is coloured, unless NO_COLOR says otherwise."""
    env = environment if colour else {**environment, "NO_COLOR": "1"}
    child = pexpect.spawn(dg_path(), ["file", "nope.wav"], env=env, timeout=HANGS_AFTER)
    child.expect(pexpect.EOF)
    assert (b"\x1b[1;31merror:\x1b[0m" in child.before) is colour
    assert b"There is no file nope.wav." in child.before


@pytest.mark.parametrize("width", [80, 30])
def test_progress_on_a_terminal(
    environment: dict[str, str], server: ScriptedServer, tmp_path: Path, width: int
) -> None:
    """An upload shows a bar with its bytes, then the wait, and leaves nothing but the transcript behind."""
    import pyte

    large = tmp_path / "large.wav"
    large.write_bytes(b"RIFF" + bytes(20_000_000))
    server.script = [Reply(hold=True)]
    screen = pyte.Screen(width, 24)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(
        dg_path(),
        ["file", str(large), "--base-url", server.url],
        env=environment,
        timeout=HANGS_AFTER,
        dimensions=(24, width),
    )
    seen = b""
    while b"Transcribing" not in seen:
        seen += child.read_nonblocking(4096, timeout=HANGS_AFTER)
    assert b"MB" in seen
    server.released.set()
    child.expect(pexpect.EOF)
    stream.feed(seen + child.before)
    assert [line.rstrip() for line in screen.display if line.strip()] == ["Call Maria at noon."]
    child.close()
    assert child.exitstatus == 0


def test_no_progress_without_a_terminal(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """Where stderr is no terminal, no bar is drawn."""
    assert dg("file", audio, "--base-url", server.url).stderr == b""


@pytest.mark.slow
def test_memory_stays_flat(environment: dict[str, str], server: ScriptedServer, tmp_path: Path) -> None:
    """An upload of 400 MB takes no more memory than its blocks: under 80 MB in all."""
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(400 << 20)
    server.script = [Reply(discard=True)]
    # A small process in between: a child's peak is counted from the memory of whoever started it.
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    result = subprocess.run(
        [sys.executable, "-c", measure, dg_path(), "file", large, "-q", "--base-url", server.url],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert int(result.stdout) < 80 * 1024
    assert server.seen[0].headers["content-length"] == str(400 << 20)
