"""What acts on a running stream, as it is installed: the key `k` at a terminal, and `--control` from scripts."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pexpect
import pytest

from dgcli.errors import UsageError
from dgcli.live.streamer import Streamer
from dgcli.tasks.actions import Actions
from dgcli.tasks.control_file import ControlFile
from tests.conftest import Run, dg_path
from tests.e2e.test_live import RAW, Running, base, numbers
from tests.live.server import Fault, NumberedServer, numbered


@pytest.fixture
def server() -> Iterator[NumberedServer]:
    """A server that numbers audio."""
    made = NumberedServer()
    yield made
    made.close()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "control"
    os.mkfifo(path)
    return path


def texts(server: NumberedServer, kind: str) -> list[dict[str, Any]]:
    """The messages of a type that came on all connections."""
    return [text for seen in server.seen for text in seen.texts if text["type"] == kind]


def wait_for(server: NumberedServer, message: dict[str, Any]) -> None:
    """Wait until a message came."""
    server.wait_for(lambda: message in texts(server, message["type"]))


def notices(path: Path, *kinds: str) -> list[dict[str, Any]]:
    """The notices of these kinds in a file of JSON lines."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "notice" and line["notice"] in kinds]


def test_lines_of_many_writers(
    environment: dict[str, str], server: NumberedServer, fifo: Path, tmp_path: Path
) -> None:
    """Writers come and go at a named pipe; each line does what it says, and is in the notices and the text."""
    log, text = tmp_path / "talk.jsonl", tmp_path / "talk.txt"
    run = Running(server, environment, "--control", fifo, "-o", log, "-o", text)
    run.feed(5)
    for line in (
        '{"type": "configure", "keyterms": ["Anna", "Ben"], "numerals": true}\n',
        '{"type": "finalize"}\n{"type": "finalize", "channel": 0}\n',
        '{"type": "marker", "label": "Question \\u001b[31m2"}',  # no newline: the writer has gone
        '{"type": "pause"}\n{"type": "resume"}\n',
    ):
        fifo.write_text(line)
    wait_for(server, {"type": "Finalize", "channel": 0})
    wait_for(server, {"type": "Configure", "keyterms": ["Anna", "Ben"], "features": {"numerals": True}})
    run.feed(5, first=6)
    fifo.write_text('{"type": "stop"}\n')
    _, stderr, code, took = run.end()
    assert (code, took < 10) == (0, True)
    kinds = ("configured", "marker", "paused", "resumed")
    assert sorted(notice["notice"] for notice in notices(log, *kinds)) == sorted(kinds)
    assert re.search(r"^\[Marker 1 at 00:00:\S+: Question .*2\]$", text.read_text(), re.MULTILINE)
    assert "\x1b" not in text.read_text()
    assert b"key terms Anna, Ben" in stderr
    assert numbers(text.read_text()) == list(range(1, 11))


def test_a_file_is_followed(environment: dict[str, str], server: NumberedServer, tmp_path: Path) -> None:
    """Lines that are in a file, those that are added, and those after it was emptied are done, each once."""
    control = tmp_path / "control.jsonl"
    control.write_text('{"type": "configure", "keyterms": ["early"]}\n')
    run = Running(server, environment, "--control", control)
    run.feed(3)
    wait_for(server, {"type": "Configure", "keyterms": ["early"]})
    with control.open("a") as file:
        file.write('{"type": "finalize", "chan')
        file.flush()
        file.write('nel": 3}\n{"type": "configure", "keyterms": []}')  # whole, without its newline
    wait_for(server, {"type": "Configure", "keyterms": []})
    control.write_text("")
    control.write_text('{"type":"finalize","channel":1}\n')
    wait_for(server, {"type": "Finalize", "channel": 1})
    with control.open("a") as file:
        file.write('{"type": "stop"}\n')
    assert run.end()[2] == 0
    assert [text["keyterms"] for text in texts(server, "Configure")] == [["early"], []]
    assert texts(server, "Finalize")[0] == {"type": "Finalize", "channel": 3}


def test_bad_lines_are_told_with_their_number(
    environment: dict[str, str], server: NumberedServer, fifo: Path, tmp_path: Path
) -> None:
    """What is invalid is told with its line and what would be valid; the stream goes on, and is whole."""
    log = tmp_path / "talk.jsonl"
    run = Running(server, environment, "--control", fifo, "-o", log, "-f", "text")
    run.feed(5)
    bad = [
        "hello",
        '["stop"]',
        '{"type": "halt"}',
        '{"type": "marker", "text": "x"}',
        '{"type": "finalize", "channel": -1}',
        '{"type": "configure"}',
        '{"type": "configure", "keyterms": "Anna"}',
        json.dumps({"type": "configure", "keyterms": [f"term{n}" for n in range(101)]}),
        '{"type": "configure", "thresholds": {"eot_threshold": 0.8}}',
        "[" * 50_000,
        "x" * 100_000,
        '{"type": "marker", "label": "\xff"}',
    ]
    pipe = os.open(fifo, os.O_WRONLY)
    for line in ["", *bad]:
        data = line.encode("latin-1") + b"\n"
        while data:
            data = data[os.write(pipe, data) :]
    os.close(pipe)
    fifo.write_text('{"type": "finalize"}\n')
    wait_for(server, {"type": "Finalize"})
    run.feed(5, first=6)
    fifo.write_text('{"type": "stop"}\n')
    stdout, _, code, _ = run.end()
    told = [notice["message"] for notice in notices(log, "control")]
    assert code == 0
    assert numbers(stdout) == list(range(1, 11))
    assert [re.findall(r"line (\d+):", message) for message in told] == [
        [str(n + 2)] for n in range(len(bad))
    ]
    for message, words in zip(
        told,
        ["no JSON object", "no JSON object", "'halt'", "label", "channel", "nothing to configure", "list of texts",
         "100 times", "Flux", "no JSON object", "longer", "no JSON object"],
        strict=True,
    ):  # fmt: skip
        assert words in message
    assert not texts(server, "Configure")


def test_a_writer_that_left_in_a_line_that_is_too_long(fifo: Path) -> None:
    """A line without end is told once; what the next writer says is a line of its own, and is done."""
    control = ControlFile(fifo)
    try:
        writer = os.open(fifo, os.O_WRONLY)
        lines: list[tuple[int, bytes]] = []
        for _ in range(3):
            os.write(writer, b"x" * 60_000)
            lines += control.lines()
        os.close(writer)
        assert [number for number, _ in lines] == [1]
        assert not list(control.lines())  # that it has gone
        writer = os.open(fifo, os.O_WRONLY)
        os.write(writer, b'{"type": "stop"}\n')
        assert list(control.lines()) == [(2, b'{"type": "stop"}')]
        os.close(writer)
    finally:
        control.close()


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_line_of_megabytes_delays_nothing(fifo: Path, tmp_path: Path, kind: str) -> None:
    """What follows ten megabytes without a line feed is there at once, not after a look for each 64 KiB."""
    said = b"x" * 10_000_000 + b'\n{"type": "pause"}\n'
    path = fifo if kind == "pipe" else tmp_path / "file"
    path.touch()
    control = ControlFile(path)
    writer = threading.Thread(target=path.write_bytes, args=(said,))
    writer.start()
    lines: list[tuple[int, bytes]] = []
    looks = 0
    while len(lines) < 2:
        lines += control.lines()
        looks += bool(lines)
    writer.join()
    control.close()
    assert [(number, line[:20]) for number, line in lines] == [(1, b"x" * 20), (2, b'{"type": "pause"}')]
    assert looks < 40  # of 160


def test_half_a_character_in_a_label(
    environment: dict[str, str], server: NumberedServer, fifo: Path, tmp_path: Path
) -> None:
    """JSON can name half a character, which no file can hold: the marker stands in every output, and nothing ends."""
    log, text, captions = tmp_path / "talk.jsonl", tmp_path / "talk.txt", tmp_path / "talk.vtt"
    run = Running(server, environment, "--control", fifo, "-o", log, "-o", text, "-o", captions, "-f", "text")
    run.feed(2)
    fifo.write_text('{"type": "marker", "label": "\\ud800 two"}\n')
    run.feed(2, first=3)
    fifo.write_text('{"type": "stop"}\n')
    stdout, stderr, code, _ = run.end()
    assert code == 0, stderr
    assert numbers(stdout) == [1, 2, 3, 4]
    assert "? two" in text.read_text()
    assert "? two" in captions.read_text()


@pytest.mark.parametrize("value", ['"0.8"', "null", "true"])
def test_a_threshold_is_a_number(value: str) -> None:
    """A threshold that is no number is refused here, as the API would."""
    asked: list[object] = []
    actions = Actions(
        cast(Streamer, SimpleNamespace(configure=asked.append)), lambda _: None, {"model": "flux-general-en"}
    )
    with pytest.raises(UsageError, match="number"):
        actions.configure(thresholds={"eot_threshold": json.loads(value)})
    assert not asked


def test_many_terms_are_warned_of_and_sent(
    environment: dict[str, str], server: NumberedServer, fifo: Path, tmp_path: Path
) -> None:
    """Terms that are about 600 tokens are warned of in the notices and sent all the same: it is an estimate."""
    log = tmp_path / "talk.jsonl"
    terms = [f"unpronounceable designation {n:02}" for n in range(60)]
    run = Running(server, environment, "--control", fifo, "-o", log)
    run.feed(3)
    fifo.write_text(json.dumps({"type": "configure", "keyterms": terms}) + "\n")
    server.wait_for(lambda: bool(texts(server, "Configure")))
    fifo.write_text('{"type": "stop"}\n')
    assert run.end()[2] == 0
    (warning,) = notices(log, "control")
    assert re.search(r"about \d{3} tokens", warning["message"])
    assert texts(server, "Configure")[0]["keyterms"] == terms


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--keyterm", "a"] * 101, 2, b"--keyterm may be given 100 times at most, not 101"),
        (
            [flag for n in range(90) for flag in ("--keyterm", f"EZS93AV{n:02}")],
            0,
            b"tokens, and the API takes 500",
        ),
        (["--keyterm", "Anna"], 0, b""),
    ],
)
def test_flags_have_the_same_limits(
    dg: Run, server: NumberedServer, tmp_path: Path, flags: list[str], code: int, words: bytes
) -> None:
    """--keyterm more than 100 times is refused before anything is sent; about 450 tokens or more are warned of."""
    path = tmp_path / "numbered.raw"
    path.write_bytes(numbered(5))
    result = dg("live", path, *RAW, *base(server), *flags)
    assert result.returncode == code
    assert words in result.stderr
    assert bool(result.stderr) is bool(words)
    assert bool(server.requests) is (code == 0)


@pytest.mark.parametrize("kind", ["missing", "folder", "device"])
def test_what_cannot_be_followed_is_refused(
    dg: Run, server: NumberedServer, tmp_path: Path, kind: str
) -> None:
    """--control of nothing, of a folder or of a device is refused before anything is sent."""
    path = {"missing": tmp_path / "none", "folder": tmp_path, "device": Path("/dev/null")}[kind]
    audio = tmp_path / "numbered.raw"
    audio.write_bytes(numbered(5))
    result = dg("live", audio, *RAW, *base(server), "--control", path)
    assert result.returncode == 2
    assert b"--control" in result.stderr
    assert not server.requests


def test_no_writer_is_left_waiting(environment: dict[str, str], server: NumberedServer, fifo: Path) -> None:
    """A script that writes before the stream begins goes on when it does, and the end waits for no writer."""
    writer = threading.Thread(target=fifo.write_text, args=('{"type": "finalize"}\n',))
    writer.start()
    run = Running(server, environment, "--control", fifo)
    run.feed(3)
    wait_for(server, {"type": "Finalize"})
    writer.join(10)
    assert not writer.is_alive()
    idle = os.open(fifo, os.O_WRONLY)  # it never writes, and never leaves
    run.process.stdin.close()  # type: ignore[union-attr]
    assert run.process.wait(10) == 0
    os.close(idle)
    run.end()


def test_scripts_from_standard_input_of_a_shell(
    environment: dict[str, str], server: NumberedServer, tmp_path: Path
) -> None:
    """In a pipeline whose standard input is audio, another descriptor of the shell may be the control file."""
    audio = tmp_path / "numbered.raw"
    audio.write_bytes(numbered(300))
    command = (
        f'(printf \'{{"type":"marker","label":"first"}}\\n\'; sleep 1; printf \'{{"type":"stop"}}\\n\') | '
        f"{dg_path()} live {audio} {' '.join(RAW)} {' '.join(base(server))} --control /dev/stdin -f text"
    )
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert b": first]" in done.stdout
    assert 0 < len(numbers(done.stdout)) < 300


_running: list["pexpect.spawn[bytes]"] = []


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """End what a test that failed has left at its terminal."""
    yield
    while _running:
        _running.pop().close(force=True)


class Terminal:
    """`dg live` of a long file at a pseudo-terminal."""

    def __init__(
        self, server: NumberedServer, env: dict[str, str], tmp_path: Path, *flags: str, columns: int = 100
    ) -> None:
        path = tmp_path / "long.raw"
        path.write_bytes(numbered(600))
        args = ["live", str(path), *RAW, *base(server), *flags]
        self.child = pexpect.spawn(dg_path(), args, env=env, dimensions=(24, columns), timeout=30)  # type: ignore[arg-type]
        _running.append(self.child)
        self.child.expect(rb"listening \S+ 00:00:0")

    def end(self) -> bytes:
        """Ctrl-C; what was written until the end."""
        self.child.sendintr()
        self.child.expect(pexpect.EOF)
        self.child.wait()
        self.child.close(force=True)
        return bytes(self.child.before)


def test_k_asks_for_key_terms(environment: dict[str, str], server: NumberedServer, tmp_path: Path) -> None:
    """Enter replaces all terms, + adds to them; letters are text while it asks, and the stream goes on below it."""
    terminal = Terminal(server, environment, tmp_path, "--keyterm", "Maria")
    child = terminal.child
    child.send("k")
    child.expect(b"Enter replaces, \\+ in front adds, Esc leaves. Now: Maria")
    child.send("Anna Fink, Ké")
    child.expect("Anna Fink, Ké_".encode())
    child.send("\x7fen ,\r")
    wait_for(server, {"type": "Configure", "keyterms": ["Anna Fink", "Ken"]})
    child.expect(b"In force now: key terms Anna Fink, Ken")
    child.send("k+Ben\r")  # as a paste, at once
    wait_for(server, {"type": "Configure", "keyterms": ["Anna Fink", "Ken", "Ben"]})
    child.send("krefused\r")
    child.expect(b"CONFIGURE_KEYTERM_LIMIT_EXCEEDED")
    child.send("k")
    child.expect(b"Now: Anna Fink, Ken, Ben")
    child.send("f")
    child.expect(b"f_")
    child.send("\x1b")
    child.expect(rb"listening \S+ 00:00:")
    assert not texts(server, "Finalize")  # it was a letter
    child.send("f")
    wait_for(server, {"type": "Finalize"})
    left = terminal.end()
    assert len(texts(server, "Configure")) == 3
    assert b"\x1b[?25h" in left  # the cursor is given back


def test_q_ends_a_stream_and_m_marks_it(
    environment: dict[str, str], server: NumberedServer, tmp_path: Path
) -> None:
    """The keys of dg mic are those of dg live: m marks, q ends with exit code 0, and what was sent is answered."""
    terminal = Terminal(server, environment, tmp_path)
    child = terminal.child
    child.send("m")
    child.expect(b"Marker 1 at")
    child.send("q")
    child.expect(b"being finished")
    child.expect(pexpect.EOF)
    child.wait()
    child.close()
    assert child.exitstatus == 0
    assert {"type": "CloseStream"} in server.seen[0].texts


@pytest.mark.parametrize("columns", [80, 40])
def test_the_question_for_key_terms_is_whole(
    environment: dict[str, str], server: NumberedServer, tmp_path: Path, columns: int
) -> None:
    """In a window that is narrower than the question it has several lines, and nothing of it is cut off."""
    terminal = Terminal(server, environment, tmp_path, "--keyterm", "Maria", columns=columns)
    terminal.child.send("k")
    question = "Key terms, commas between. Enter replaces, + in front adds, Esc leaves. Now: Maria"
    # Between two words there is a space, or the end of a line with what draws the next one.
    terminal.child.expect(
        rb"(?: |\x1b\[[\d;?]*[a-zA-Z]|[\r\n])+".join(map(re.escape, question.encode().split()))
    )
    terminal.child.send("\x1b")
    terminal.end()


@pytest.mark.parametrize("keys", ["\r", "abc\x1b", "abc\x15\r", " \x1b[A\x1b[D, ,\r", "\x04"])
def test_a_prompt_that_is_left_changes_nothing(
    environment: dict[str, str], server: NumberedServer, tmp_path: Path, keys: str
) -> None:
    """Nothing typed, Esc, everything erased, arrows and commas alone, or Ctrl-D: nothing is sent."""
    terminal = Terminal(server, environment, tmp_path)
    terminal.child.send("k")
    terminal.child.expect(b"Now: none")
    terminal.child.send(keys)
    for _ in range(2):  # what is drawn after the keys were read: an f right behind Esc would be Alt-f
        terminal.child.expect(rb"listening \S+ 00:00:")
    terminal.child.send("f")
    wait_for(server, {"type": "Finalize"})
    terminal.end()
    assert not texts(server, "Configure")


def test_what_was_asked_for_outlives_a_drop(environment: dict[str, str], tmp_path: Path, fifo: Path) -> None:
    """Several changes, then a drop: the new connection is told the merged whole, once."""
    server = NumberedServer(Fault("reset", 2.0))
    try:
        run = Running(server, environment, "--control", fifo)
        run.feed(5)
        lines = ['{"type":"configure","keyterms":["a"]}', '{"type":"configure","numerals":true}']
        fifo.write_text("\n".join([*lines, '{"type":"configure","keyterms":["b","c"]}\n']))
        server.wait_for(lambda: len(texts(server, "Configure")) == 3)
        assert run.process.stdin
        run.process.stdin.write(numbered(25, first=6))
        run.process.stdin.close()
        stdout, _, code, _ = run.end()
        assert code == 0
        assert numbers(stdout) == list(range(1, 31))
        assert [text for text in server.seen[1].texts if text["type"] == "Configure"] == [
            {"type": "Configure", "keyterms": ["b", "c"], "features": {"numerals": True}}
        ]
    finally:
        server.close()
