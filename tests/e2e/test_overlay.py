"""`dg live` with --overlay, --last-lines and a playlist, as it is installed."""

import json
import re
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import HANGS_AFTER, Run, dg_path
from tests.e2e.test_live import RAW, Serve, base, numbers, pcm, serve

__all__ = ["pcm", "serve"]  # fixtures


def test_a_page_shows_what_is_said(environment: dict[str, str], serve: Serve, pcm: Path) -> None:
    """The address stands in one line at the start; the page's events have every word, and the end."""
    command = [dg_path(), "live", str(pcm), *RAW, *base(serve()), "--overlay", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        line = process.stderr.readline().decode()
        url = re.fullmatch(r"dg: Captions for OBS and a second screen: (http://127\.0\.0\.1:\d+/)\n", line)
        assert url, line
        with urllib.request.urlopen(url[1] + "events", timeout=HANGS_AFTER) as events:
            messages = [
                json.loads(row[6:]) for row in events.read().splitlines() if row.startswith(b"data: ")
            ]
        stdout, stderr = process.communicate(timeout=HANGS_AFTER)
    assert (numbers(stdout), stderr, process.returncode) == (list(range(1, 21)), b"", 0)
    assert messages[-1]["stage"] == "ended"
    lines = {line["number"]: line for message in messages for line in message["set"]}
    shown = " ".join(lines[number]["text"] for number in messages[-1]["order"])
    assert numbers(shown) == list(range(1, 21))
    assert any(line["interim"] for message in messages for line in message["set"])


def test_a_port_in_use_costs_nothing(dg: Run, serve: Serve, pcm: Path) -> None:
    """The error comes before the API is reached, and nothing is written."""
    server = serve()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = dg("live", pcm, *RAW, *base(server), "--overlay", str(taken.getsockname()[1]))
    assert result.returncode == 8
    assert b"the port is in use" in result.stderr
    assert b"dg: Choose another port: --overlay " in result.stderr
    assert server.seen == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--overlay", "no.wav"), b"There is no file no.wav"),
        (("no.wav", "--overlay"), b"There is no file no.wav"),
        (("--overlay=70000", "no.wav"), b"--overlay takes a port, 0 to 65535, not '70000'"),
        (("no.wav", "--overlay-host", "0.0.0.0"), b"--overlay-host is the address of --overlay"),
    ],
)
def test_a_port_need_not_be_given(dg: Run, args: tuple[str, ...], message: bytes) -> None:
    """--overlay alone takes nothing of what follows but a number."""
    result = dg("live", *args)
    assert message in result.stderr
    assert result.returncode in (2, 6)


def test_others_on_the_network_are_mentioned(dg: Run, serve: Serve, pcm: Path) -> None:
    """Served beyond this machine, a warning says that there is no key."""
    result = dg("live", pcm, *RAW, *base(serve()), "--overlay", "0", "--overlay-host", "0.0.0.0")
    assert b"Whoever reaches this address can read what is said" in result.stderr
    assert result.returncode == 0


def test_files_for_players_and_text_sources(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """A playlist has its segments beside it; the file of the last lines is empty at the end."""
    last, playlist = tmp_path / "last.txt", tmp_path / "captions.m3u8"
    result = dg(
        "live", pcm, *RAW, *base(serve()), "-o", playlist, "--last-lines", last, "--segment-duration", "1"
    )
    assert (result.stderr, result.returncode) == (b"", 0)
    assert last.read_bytes() == b""
    assert playlist.read_text().endswith("#EXT-X-ENDLIST\n")
    text = "".join(path.read_text() for path in sorted(tmp_path.glob("captions-*.vtt")))
    assert sorted(set(numbers(text))) == list(range(1, 21))


def test_the_last_lines_are_no_other_output(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """A file that is written already, and one that is none, are refused before anything is sent."""
    server = serve()
    twice = dg("live", pcm, *RAW, *base(server), "-o", "notes.txt", "--last-lines", "notes.txt")
    assert b"given twice" in twice.stderr
    assert dg("live", pcm, *RAW, *base(server), "--last-lines", "/dev/null").returncode == 8
    assert server.seen == []
