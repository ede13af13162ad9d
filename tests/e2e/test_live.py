"""`dg live` as it is installed, against a server that numbers the audio it hears."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgcli.transcript.response import parse_body
from tests.conftest import ROOT, Run, dg_path
from tests.live.server import Fault, NumberedServer, numbered
from tests.sources.conftest import wav

RAW = ("--encoding", "linear16", "--sample-rate", "1000")

Serve = Callable[..., NumberedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that end with the test."""
    made: list[NumberedServer] = []

    def start(*plan: Fault, **options: object) -> NumberedServer:
        made.append(NumberedServer(*plan, **options))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for server in made:
        server.close()


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    """Two seconds of numbered, headerless audio."""
    path = tmp_path / "numbered.raw"
    path.write_bytes(numbered(20))
    return path


def base(server: NumberedServer) -> tuple[str, str]:
    """The flags that lead to a server."""
    return "--base-url", f"http://localhost:{server.port}"


def numbers(text: str | bytes) -> list[int]:
    """The numbered words of a text."""
    text = text.decode() if isinstance(text, bytes) else text
    return [int(word) for word in re.findall(r"\b(\d+)\.(?!\d)", text)]


def test_a_file_becomes_lines(dg: Run, serve: Serve, pcm: Path) -> None:
    """Every word comes once and in order on standard output, at real-time pace, with nothing on stderr."""
    server = serve()
    begun = time.monotonic()
    result = dg("live", pcm, *RAW, *base(server))
    assert numbers(result.stdout) == list(range(1, 21))
    assert (result.stderr, result.returncode) == (b"", 0)
    assert time.monotonic() - begun > 1.5
    assert bytes(server.seen[0].audio) == pcm.read_bytes()
    query = server.seen[0].path
    for part in (
        "encoding=linear16",
        "sample_rate=1000",
        "channels=1",
        "interim_results=true",
        "model=nova-3",
    ):
        assert part in query


def test_all_outputs_survive_a_drop(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """Text, captions, JSON, JSON lines and the audio itself are whole, although the connection was reset."""
    server = serve(Fault("reset", 1.0))
    out = {suffix: tmp_path / f"talk.{suffix}" for suffix in ("txt", "srt", "vtt", "json", "jsonl")}
    audio = tmp_path / "sent.wav"
    flags = [flag for path in out.values() for flag in ("-o", path)]
    result = dg("live", pcm, *RAW, *base(server), *flags, "--save-audio", audio, "--stats", "--timestamps")
    expected = list(range(1, 21))
    assert result.returncode == 0
    assert result.stdout == b""
    assert numbers(re.sub(r" \[.*?\]", "", out["txt"].read_text())) == expected
    assert re.search(r" \[\d+\.\d+ - 2\.0\]\n$", out["txt"].read_text())
    for suffix in ("srt", "vtt"):
        assert numbers(out[suffix].read_text()) == expected
    assert numbers(parse_body(out["json"].read_bytes()).channels[0].text) == expected
    lines = [json.loads(line) for line in out["jsonl"].read_text().splitlines()]
    assert {"opened", "message", "notice", "closed"} == {line["kind"] for line in lines}
    assert audio.read_bytes()[80:] == pcm.read_bytes()
    stderr = result.stderr.decode()
    for part in ("Audio sent: 2.000 s", "Words: 20", "Connections: 2", "Gaps: none", "Latency: min "):
        assert part in stderr


def test_lines_on_a_terminal_are_wrapped_at_words(
    environment: dict[str, str], serve: Serve, pcm: Path
) -> None:
    """Plain lines of -f text do not reach the edge of a terminal either."""
    arguments = ["live", str(pcm), *RAW, *base(serve()), "-f", "text"]
    env = {**environment, "TERM": "xterm-256color"}
    child = pexpect.spawn(dg_path(), arguments, env=env, dimensions=(24, 20), timeout=60, encoding="utf-8")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    lines = [
        line for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", child.before)) if line
    ]
    assert max(map(len, lines)) < 20
    assert numbers(" ".join(lines)) == list(range(1, 21))
    assert len(lines) > 3


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is what the documents name")
def test_the_jq_of_the_documents_passes_over_notices(
    dg: Run, serve: Serve, pcm: Path, tmp_path: Path
) -> None:
    """What the documents show for `-f jsonl` prints the finals of a stream with a notice, whose message is a text."""
    events = tmp_path / "talk.jsonl"
    assert dg("live", pcm, *RAW, *base(serve()), "-o", events, "--duration", "1").returncode == 0
    assert '"kind":"notice"' in events.read_text()
    pages = [(ROOT / "docs" / name).read_text() for name in ("json-lines.md", "recipes.md")]
    programs = [re.findall(r"jq -r '(.*is_final.*)'", page) for page in pages]
    assert [len(found) for found in programs] == [1, 1]
    for (program,) in programs:
        printed = subprocess.run(["jq", "-r", program, events], capture_output=True, check=True, timeout=30)
        assert numbers(printed.stdout) == list(range(1, 11))


@pytest.mark.parametrize("format_", ["text", "srt", "vtt", "jsonl", "json"])
def test_formats_on_standard_output(dg: Run, serve: Serve, pcm: Path, format_: str) -> None:
    """-f chooses what standard output carries, and nothing else is on it."""
    result = dg("live", pcm, *RAW, *base(serve()), "-f", format_)
    text = result.stdout.decode()
    assert result.returncode == 0
    match format_:
        case "jsonl":
            kinds = [json.loads(line)["kind"] for line in text.splitlines()]
            assert (kinds[0], kinds[-1]) == ("opened", "closed")
        case "json":
            assert numbers(parse_body(result.stdout).channels[0].text) == list(range(1, 21))
        case _:
            assert numbers(text) == list(range(1, 21))


def test_standard_input(dg: Run, serve: Serve) -> None:
    """A WAV on a pipe tells its own format; raw samples are what the flags say."""
    server = serve()
    result = dg("live", "-", *base(server), stdin=wav(numbered(8), rate=1000, data_size=0xFFFFFFFF))
    assert numbers(result.stdout) == list(range(1, 9))
    assert "sample_rate=1000" in server.seen[0].path
    result = dg("live", "-", *RAW, *base(server), stdin=numbered(8))
    assert numbers(result.stdout) == list(range(1, 9))


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--speed", "1.5"), 2, "--force-speed"),
        (("--duration", "0"), 2, "--duration"),
        (("-f", "xyz"), 2, "jsonl"),
        (("-o", "talk.xyz"), 2, ".jsonl"),
        (("-o", "nowhere/talk.txt"), 8, "folder"),
        (("--utterances",), 2, "--utterances"),
        (("--save-audio", "nowhere/a.wav"), 8, "folder"),
    ],
)  # fmt: skip
def test_mistakes_are_found_before_anything_is_sent(
    dg: Run, serve: Serve, pcm: Path, args: tuple[str, ...], code: int, words: str
) -> None:
    """What is invalid is refused with its exit code and the remedy, without a connection."""
    server = serve()
    result = dg("live", pcm, *RAW, *base(server), *args)
    assert result.returncode == code
    assert words in result.stderr.decode()
    assert not server.requests


def test_a_refusal_is_reported(dg: Run, serve: Serve, pcm: Path) -> None:
    """A handshake that is refused ends at once with the server's words, the request id and exit code 3."""
    refusal = Fault(
        "refuse", status=401, headers={"dg-error": "Invalid credentials.", "dg-request-id": "0198-refused"}
    )
    result = dg("live", pcm, *RAW, *base(serve(refusal)), "--api-key", "k")
    assert result.returncode == 3
    assert "Invalid credentials." in result.stderr.decode()
    assert "0198-refused" in result.stderr.decode()


def test_no_audio_is_an_audio_error(dg: Run, serve: Serve, tmp_path: Path) -> None:
    """Something that is no audio is not sent: exit code 6."""
    path = tmp_path / "note.wav"
    path.write_text("hello " * 100)
    server = serve()
    assert dg("live", path, *base(server)).returncode == 6
    assert dg("live", "-", *base(server)).returncode == 6
    assert dg("live", tmp_path / "none.wav", *base(server)).returncode == 6
    assert not server.requests


def test_the_input_is_never_overwritten(dg: Run, serve: Serve, tmp_path: Path) -> None:
    """--save-audio talk.wav of an MP3 would be talk.mp3: the input, even where it is a redirected one."""
    path = tmp_path / "talk.mp3"
    soundfile.write(path, [0.0] * 16000, 16000)
    before, server = path.read_bytes(), serve()
    with path.open("rb") as file:
        done = subprocess.run(
            [dg_path(), "live", "-", *base(server), "--save-audio", tmp_path / "talk.wav"],
            stdin=file, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 8
    assert b"talk.mp3 is the input" in done.stderr
    assert path.read_bytes() == before
    assert not server.requests


def test_a_signal_while_files_are_finished(
    environment: dict[str, str], serve: Serve, pcm: Path, tmp_path: Path
) -> None:
    """Ctrl-C after the last word, while a file is put into its final shape, leaves it in that shape."""
    out = tmp_path / "talk.json"
    code = """
import os, signal, sys
from dgcli.__main__ import main
from dgcli.sinks.response import ResponseSink
finish = ResponseSink._finish
def interrupted(sink):
    os.kill(os.getpid(), signal.SIGINT)
    finish(sink)
ResponseSink._finish = interrupted
sys.exit(main())
"""
    args = [sys.executable, "-c", code, "live", str(pcm), *RAW, *base(serve()), "-o", str(out)]
    done = subprocess.run(args, env=environment, capture_output=True, timeout=30, check=False)
    assert done.returncode == 130
    assert out.read_text().startswith('{"metadata"')
    assert numbers(parse_body(out.read_bytes()).channels[0].text) == list(range(1, 21))


def test_a_duration_is_a_planned_end(dg: Run, serve: Serve, pcm: Path) -> None:
    """--duration ends after so much audio, with exit code 0 and the words up to there."""
    result = dg("live", pcm, *RAW, *base(serve()), "--duration", "1")
    heard = numbers(result.stdout)
    assert result.returncode == 0
    assert heard == list(range(1, len(heard) + 1))
    assert 9 <= len(heard) <= 12


class Running:
    """`dg live` on a pipe that never ends, run for as long as a test wants."""

    def __init__(self, server: NumberedServer, env: dict[str, str], *args: str | Path, **how: object) -> None:
        self.process = subprocess.Popen(
            [dg_path(), "live", "-", *RAW, *base(server), *map(str, args)],
            stdin=subprocess.PIPE,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": env, **how},  # type: ignore[call-overload]
        )
        self.server = server

    def feed(self, count: int, first: int = 1) -> None:
        """Write so many words, and wait until the server has heard them."""
        assert self.process.stdin
        self.process.stdin.write(numbered(count, first=first))
        self.process.stdin.flush()
        samples = (first + count - 1) * 200
        self.server.wait_for(lambda: bool(self.server.seen) and len(self.server.seen[-1].audio) >= samples)

    def end(self) -> tuple[bytes, bytes, int, float]:
        """Output, messages, exit code, and how long it took from here."""
        begun = time.monotonic()
        self.process.wait(20)
        took = time.monotonic() - begun
        stdout = self.process.stdout.read() if self.process.stdout else b""
        stderr = self.process.stderr.read() if self.process.stderr else b""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return stdout, stderr, self.process.returncode, took


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 14),
    number=st.sampled_from([(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]),
)
def test_ctrl_c_at_any_moment(environment: dict[str, str], count: int, number: tuple[int, int]) -> None:
    """All that was said until the signal is in the output, the exit code is the signal's, within 5 s."""
    server = NumberedServer(tail=3)
    try:
        run = Running(server, environment)
        run.feed(count)
        run.process.send_signal(number[0])
        stdout, _, code, took = run.end()
        assert numbers(stdout) == list(range(1, count + 1))
        assert code == number[1]
        assert took < 5
        assert server.seen[0].finals_after_close == 3
        assert [text["type"] for text in server.seen[0].texts][-1] == "CloseStream"
    finally:
        server.close()


def test_a_second_ctrl_c_leaves_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    """With a server that never finishes, the second signal ends it within a second, with what there is."""
    server = NumberedServer(hang=True, metadata=False)
    try:
        path = tmp_path / "talk.txt"
        run = Running(server, environment, "-o", path, "-f", "text")
        run.feed(8)
        run.process.send_signal(signal.SIGINT)
        server.wait_for(lambda: server.seen[0].finals_after_close == 1)
        run.process.send_signal(signal.SIGINT)
        stdout, _, code, took = run.end()
        assert code == 130
        assert took < 1
        assert numbers(stdout) == numbers(path.read_text())
    finally:
        server.close()


def test_a_closed_pipe_stops_the_stream(environment: dict[str, str], serve: Serve, tmp_path: Path) -> None:
    """When the reader has gone the stream is finished; nothing that was said is lost; exit code 141."""
    path = tmp_path / "talk.txt"
    read, write = os.pipe()
    run = Running(serve(), environment, "-o", path, "-f", "jsonl", stdout=write)
    os.close(write)
    os.close(read)
    run.feed(12)
    _, stderr, code, took = run.end()
    assert code == 141
    assert took < 5
    heard = numbers(path.read_text())
    assert heard == list(range(1, len(heard) + 1))
    assert heard
    kept = re.search(r"kept in (\S+)", stderr.decode())
    assert kept
    lines = [json.loads(line) for line in Path(kept.group(1)).read_text().splitlines()]
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("opened", "closed")


def test_sigusr1_asks_for_a_result(environment: dict[str, str], serve: Serve) -> None:
    """The signal sends Finalize, and what was said so far is printed at once."""
    server = serve(finals=(30.0, 40.0))
    run = Running(server, environment)
    run.feed(9)
    run.process.send_signal(signal.SIGUSR1)
    assert run.process.stdout
    assert numbers(run.process.stdout.readline()) == list(range(1, 9))
    assert {"type": "Finalize"} in server.seen[0].texts
    run.process.send_signal(signal.SIGINT)
    run.end()


def test_a_terminal_shows_and_takes_keys(environment: dict[str, str], serve: Serve, tmp_path: Path) -> None:
    """On a terminal interims and a status line are drawn, and the key f sends Finalize."""
    path = tmp_path / "long.raw"
    path.write_bytes(numbered(200))
    server = serve(finals=(2.0, 3.0))
    child = pexpect.spawn(
        dg_path(), ["live", str(path), *RAW, *base(server)], env=environment, dimensions=(24, 80), timeout=20
    )  # type: ignore[arg-type]
    try:
        child.expect(rb"listening \S+ 00:00:0")
        child.expect(r"4\. 5\.")
        child.send("f")
        server.wait_for(lambda: {"type": "Finalize"} in server.seen[0].texts)
        child.sendintr()
        child.expect("being finished")
        child.expect(pexpect.EOF)
        assert b"\x1b[?25h" in child.before
        child.wait()
        assert child.exitstatus == 130
    finally:
        child.close(force=True)


def test_a_terminal_that_hangs_up_loses_nothing(
    environment: dict[str, str], serve: Serve, tmp_path: Path
) -> None:
    """When the window is closed the stream is finished, its words are put aside, and the exit code is 129."""
    server = serve()
    master, slave = os.openpty()
    run = Running(
        server, environment, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    run.feed(12)
    os.close(master)
    _, _, code, took = run.end()
    assert (code, took < 5) == (129, True)
    (kept,) = Path(environment["HOME"]).rglob("*-live.txt")
    assert numbers(kept.read_text()) == list(range(1, 13))


def test_a_full_disk_does_not_end_the_stream(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """The other outputs are whole, the exit code is 8, and what did not fit is put aside."""
    path = tmp_path / "talk.txt"
    link = tmp_path / "full.txt"
    link.symlink_to("/dev/full")
    result = dg("live", pcm, *RAW, *base(serve()), "-o", path, "-o", link, "-f", "text")
    assert result.returncode == 8
    assert numbers(path.read_text()) == numbers(result.stdout) == list(range(1, 21))
    kept = re.search(r"kept in (\S+)", result.stderr.decode())
    assert kept
    assert numbers(Path(kept.group(1)).read_text()) == list(range(1, 21))
