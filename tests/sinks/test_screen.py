"""What a terminal shows while a stream runs: real pseudo-terminals, a terminal emulator, and tmux."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from dgcli.errors import BrokenPipe, OutputError
from dgcli.formats import RenderSettings
from dgcli.sinks.screen import ScreenSink
from dgcli.transcript.events import Final
from tests.conftest import HANGS_AFTER, ROOT
from tests.sinks.conftest import final, interim
from tests.sinks.drawing import events

EVENTS = events()
STATUS = re.compile(r"(connecting|listening|reconnecting) · 00:01:01 · \d+ w")


class Terminal:
    """The drawing program in a pseudo-terminal, seen by an emulator that keeps what scrolled away."""

    def __init__(self, tmp_path: Path, columns: int, lines: int) -> None:
        ack = tmp_path / "ack"
        os.mkfifo(ack)
        self.screen = pyte.HistoryScreen(columns, lines, history=5000, ratio=1)
        self._stream = pyte.ByteStream(self.screen)
        self._child = pexpect.spawn(
            sys.executable, ["-m", "tests.sinks.drawing", str(ack)], cwd=str(ROOT), echo=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": ""},
            dimensions=(lines, columns), timeout=HANGS_AFTER,
        )  # fmt: skip
        self._child.delaybeforesend = None
        self._ack = ack.open("rb", buffering=0)

    def step(self, command: str = "") -> None:
        """Let the next event be drawn, and look at the terminal."""
        self._child.sendline(command)
        assert self._ack.read(1) == b"."
        self.look()

    def look(self) -> None:
        """Take in what was written so far."""
        while True:
            try:
                self._stream.feed(self._child.read_nonblocking(65536, timeout=0.02))
            except (pexpect.TIMEOUT, pexpect.EOF):
                return

    def resize(self, columns: int, lines: int) -> None:
        """Change the window as a terminal that cuts lines off does it."""
        self._child.setwinsize(lines, columns)
        self.screen.resize(lines, columns)

    @property
    def visible(self) -> str:
        """The window."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def everything(self) -> str:
        """The window and what scrolled out of it."""
        gone = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*gone, *self.screen.display])

    def close(self) -> None:
        """End the program."""
        self._child.close(force=True)
        self._ack.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[int, int], Terminal]]:
    """Make a terminal of a certain size."""
    made: list[Terminal] = []

    def make(columns: int, lines: int = 24) -> Terminal:
        made.append(Terminal(tmp_path, columns, lines))
        return made[-1]

    yield make
    for open_terminal in made:
        open_terminal.close()


def occurrences(text: str) -> dict[str, int]:
    """How often each numbered word is on a screen; words that a line end broke are put together."""
    counts: dict[str, int] = {}
    for word in re.findall(r"u\d+w\d+", text):
        counts[word] = counts.get(word, 0) + 1
    return counts


def spoken(count: int) -> list[str]:
    """The words of the finals among the first `count` events."""
    return [w.text for event in EVENTS[:count] if isinstance(event, Final) for w in event.words]


@pytest.mark.parametrize("columns", [80, 40])
def test_nothing_is_repeated_or_left_behind(terminal: Callable[[int, int], Terminal], columns: int) -> None:
    """At every step each final is there once, below it the words of the newest interim and one status line."""
    seen = terminal(columns, 24)
    for number, event in enumerate(EVENTS[:-1], 1):
        seen.step()
        counts = occurrences(seen.everything)
        finals = spoken(number)
        expected = set(finals)
        if not isinstance(event, Final):
            expected |= set(getattr(event, "text", "").split())
        assert set(counts) <= expected
        assert set(finals) <= set(counts)
        assert set(counts.values()) <= {1}
        assert len(STATUS.findall(seen.everything)) == 1
    assert "u12w199" in seen.visible
    assert "…" in seen.visible


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (80, 8), (30, 12), (132, 40)])
def test_a_resized_window_is_redrawn(
    terminal: Callable[[int, int], Terminal], columns: int, lines: int
) -> None:
    """After a resize nothing of the old lines stays, and the words fit the new window."""
    seen = terminal(80, 24)
    for _ in EVENTS[:4]:  # the longest interim of the first utterance
        seen.step()
    seen.resize(columns, lines)
    seen.step("tick")
    counts = occurrences(seen.visible)
    assert set(counts.values()) == {1}
    assert "u0w27" in counts
    assert len(STATUS.findall(seen.visible)) == 1


def tmux(socket: str, *args: str) -> str:
    """Run a tmux command on a server of our own."""
    return subprocess.run(["tmux", "-L", socket, *args], capture_output=True, text=True, check=True).stdout


@pytest.mark.system
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize(("before", "after"), [(80, 40), (40, 80), (80, 55), (120, 61)])
def test_tmux_shows_no_leftovers(tmp_path: Path, before: int, after: int) -> None:
    """A terminal that wraps lines anew shows every word once too, in its window and its history."""
    ack, socket = tmp_path / "ack", f"dg-{os.getpid()}-{before}-{after}"
    os.mkfifo(ack)
    steps = tmp_path / "steps"
    os.mkfifo(steps)
    # Some lines are there before, as on any terminal: of a window that is empty, tmux moves rows that it wraps
    # anew out of the top, where nobody can erase them.
    command = (
        f"seq 10; cd {ROOT} && PYTHONPATH={ROOT} {sys.executable} -m tests.sinks.drawing {ack} < {steps}; cat"
    )
    tmux(socket, "-f", "/dev/null", "new-session", "-d", "-x", str(before), "-y", "24", command)
    try:
        with steps.open("wb", buffering=0) as say, ack.open("rb", buffering=0) as drawn:

            def step(line: str = "") -> None:
                say.write(f"{line}\n".encode())
                assert drawn.read(1) == b"."

            def settled(word: str) -> str:
                deadline = time.monotonic() + 5
                while time.monotonic() < deadline:
                    text = tmux(socket, "capture-pane", "-p", "-J", "-S", "-")
                    if word in text and STATUS.search(text.replace("\n", "")):
                        return text
                raise AssertionError(f"{word} never came")

            for number in range(1, len(EVENTS) - 1):
                if number in (4, 18, 31):  # in the longest interims
                    width = after if number != 18 else before
                    tmux(socket, "resize-window", "-x", str(width), "-y", "24" if number < 31 else "16")
                    step("tick")
                step()
            counts = occurrences(settled("u11w23"))
            assert set(counts.values()) == {1}
            assert set(counts) == set(spoken(len(EVENTS)))
    finally:
        tmux(socket, "kill-server")


def test_the_terminal_is_left_clean(terminal: Callable[[int, int], Terminal]) -> None:
    """At the end everything that was said is there, the status line is not, and the cursor is."""
    seen = terminal(80, 24)
    for _ in EVENTS:
        seen.step()
    seen.look()
    assert not STATUS.search(seen.visible)
    assert not seen.screen.cursor.hidden
    assert set(occurrences(seen.everything)) == set(spoken(len(EVENTS)))
    assert not seen.visible.splitlines()[seen.screen.cursor.y].strip()


def written(master: int) -> str:
    """All that was written to a pseudo-terminal."""
    os.set_blocking(master, False)
    output = b""
    while True:
        try:
            output += os.read(master, 65536)
        except BlockingIOError:
            return output.decode()


def drawn(*sent: object, **options: object) -> str:
    """What a screen writes to a pseudo-terminal for some events, then `close`."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        sink = ScreenSink(stream, RenderSettings(), status=False, **options)  # type: ignore[arg-type]
        for event in sent:
            sink.handle(event)  # type: ignore[arg-type]
        sink.close()
        stream.flush()
        text = written(master)
    os.close(master)
    return text


def test_text_of_the_server_cannot_draw() -> None:
    """Escape sequences in words are gone, and rich's markup stays what was said."""
    said = final("x", 0.0).words[0].__class__("\x1b]0;pwned\x07\x1b[31mred[/] [bold]bold[/bold]\u202e", 0, 1)
    text = drawn(final("", said=(said,)))
    assert "pwned" not in text
    assert "\x1b[31m" not in text
    assert "red[/] [bold]bold[/bold]" in text


def test_colour_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speakers are coloured, unless NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert re.search(r"\x1b\[1;3\dmSpeaker 1: ", drawn(final("Hello", speaker=1)))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", drawn(final("Hello", speaker=1)))


def test_drawing_is_bounded() -> None:
    """A hundred interims in a second are drawn ten times, and the newest is not forgotten."""
    now = 0.0
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        sink = ScreenSink(stream, RenderSettings(), status=False, clock=lambda: now)
        for number in range(100):
            sink.handle(interim(f"word{number}"))
            now += 0.01
        now += 1
        sink.tick(now)
        stream.flush()
        text = written(master)
        sink.close()
    os.close(master)
    assert 9 <= text.count("word") <= 13
    assert "word99" in text


def test_words_are_counted_as_they_are_heard() -> None:
    """The status line counts provisional words, in a first utterance as well, and no word twice."""
    now = 0.0
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        sink = ScreenSink(stream, RenderSettings(), finals=False, clock=lambda: now)
        for event, count in (
            (interim("hello there"), b"2 words"),
            (interim("hello there you"), b"3 words"),
            (final("Hello there, you."), b"3 words"),
            (interim("and", 5.0), b"4 words"),
        ):
            now += 1.0
            sink.handle(event)
            now += 1.0
            sink.tick(now)
            stream.flush()
            assert count in os.read(master, 65536)
        sink.close()
    os.close(master)


def test_a_pipe_to_the_same_terminal_gets_its_turn() -> None:
    """Before utterances go to a pipe, the lines below are erased, and not drawn again at once."""
    now = 0.0
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        sink = ScreenSink(stream, RenderSettings(), finals=False, clock=lambda: now)
        sink.handle(interim("hello there"))
        os.read(master, 65536)
        sink.handle(final("Hello there."))
        assert os.read(master, 65536).endswith(b"\x1b[J\r\r")
        now = 0.2
        sink.tick(now)
        assert b"words" in os.read(master, 65536)
        sink.close()
    os.close(master)


def test_a_terminal_that_is_gone_gives_back_what_it_did_not_show() -> None:
    """After a hang-up the sink fails, and `left` has the utterances for another place."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8", closefd=False) as stream:
        sink = ScreenSink(stream, RenderSettings())
        sink.handle(final("Not ended", ends=False))
        os.close(master)
        with pytest.raises((OutputError, BrokenPipe)):
            sink.close()
        assert [utterance.text.split()[0] for utterance in sink.left()][:1] == ["Not"]
    os.close(slave)
