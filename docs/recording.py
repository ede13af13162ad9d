"""Makes docs/images/terminal.svg: a terminal in which `dg` works, recorded as it happens.

    python docs/recording.py

The commands run in a pseudo-terminal, against a server on this machine that answers with the conversation of
docs/html_page.py. What the terminal showed, and when, becomes one SVG: each line with the time in which it stood,
switched by a style sheet, without a script. Waits of more than a second are shortened to one.
"""

import json
import os
import pty
import select
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pyte  # noqa: E402 - found by the line above, as is all that follows

from dgcli.server.run import ServerSettings, running  # noqa: E402
from docs.html_page import conversation  # noqa: E402

COLUMNS, LINES = 84, 26
CELL_WIDTH, CELL_HEIGHT, MARGIN, TITLE = 8.4, 18, 14, 26
LONGEST_WAIT, TYPING, LAST = 1.0, 0.045, 4.0  # seconds
COMMANDS = (
    "dg file harbour.mp3 --diarize --speaker 0=Anna --summarize",
    "dg last -q -f srt | head -11",
    "dg live harbour.wav --diarize --duration 16",
)
COLOURS = {
    "default": "#d7dae0", "black": "#5c6370", "red": "#ef8a80", "green": "#9fd08a", "brown": "#e5c07b",
    "blue": "#7fb4f0", "magenta": "#cf9bea", "cyan": "#6fc7d1", "white": "#ffffff",
}  # fmt: skip


def record(desk: Path, url: str) -> Iterator[tuple[float, bytes]]:
    """Run the commands in a pseudo-terminal; yield what came, and how long after the last."""
    main, terminal = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    for command in COMMANDS:
        yield 0.6, b"\x1b[32m$\x1b[0m "
        for letter in command:
            yield TYPING, letter.encode()
        yield 0.4, b"\r\n"
        environment = {
            **os.environ, "HOME": str(desk), "TERM": "xterm-256color", "DEEPGRAM_BASE_URL": url,
            "DEEPGRAM_API_KEY": "local", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=desk,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        last = time.monotonic()
        while True:
            ready, _, _ = select.select([main], [], [], 0.05)
            if ready:
                data = os.read(main, 65536)
                now = time.monotonic()
                yield min(now - last, LONGEST_WAIT), data
                last = now
            elif process.poll() is not None:
                break
    yield LAST, b""


def row(line: "dict[int, pyte.screens.Char]", top: float) -> str:
    """One line of the terminal as text elements, a piece for each style."""
    cells = [(column, line[column]) for column in range(COLUMNS)]
    parts = []
    for (colour, bold), piece in groupby(cells, lambda cell: (cell[1].fg, cell[1].bold)):
        run = list(piece)
        padded = "".join(cell.data for _, cell in run).rstrip()
        text = padded.lstrip()
        if not text:
            continue
        left = MARGIN + (run[0][0] + len(padded) - len(text)) * CELL_WIDTH
        fill = COLOURS.get(colour, f"#{colour}" if len(colour) == 6 else COLOURS["default"])
        weight = ' font-weight="bold"' if bold else ""
        length = len(text) * CELL_WIDTH
        parts.append(
            f'<text x="{left:g}" y="{top:g}" fill="{fill}"{weight} textLength="{length:g}">{escape(text)}</text>'
        )
    return "".join(parts)


def drawing(events: Iterator[tuple[float, bytes]]) -> str:
    """All frames of a recording as one animated SVG."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    shown = [""] * LINES  # what each line shows, and since when
    since = [0.0] * LINES
    pieces: list[tuple[float, float, str]] = []
    at = drawn = 0.0
    for waited, data in events:
        at += waited
        stream.feed(data)
        if at - drawn < 0.03 and data:
            continue  # what no eye would see
        drawn = at
        for number in range(LINES):
            now = row(screen.buffer[number], TITLE + MARGIN + (number + 0.75) * CELL_HEIGHT)
            if now != shown[number] or not data:
                if shown[number]:
                    pieces.append((since[number], at, shown[number]))
                shown[number], since[number] = now, at
    width, height = 2 * MARGIN + COLUMNS * CELL_WIDTH, TITLE + 2 * MARGIN + LINES * CELL_HEIGHT
    spans = {span: f"k{number}" for number, span in enumerate(dict.fromkeys(piece[:2] for piece in pieces))}
    rules = "".join(
        f"@keyframes {name}{{0%,100%{{visibility:hidden}}{100 * begin / at:.3f}%{{visibility:visible}}"
        f"{100 * end / at:.3f}%{{visibility:hidden}}}}.{name}{{animation:{name} {at:.1f}s step-end infinite}}"
        for (begin, end), name in spans.items()
    )
    groups = [
        f'<g class="{spans[begin, end]}{" last" if end == at else ""}" visibility="hidden">{text}</g>'
        for begin, end, text in pieces
    ]
    dots = "".join(
        f'<circle cx="{MARGIN + 4 + 16 * i}" cy="14" r="5" fill="{colour}"/>'
        for i, colour in enumerate(("#ef8a80", "#e5c07b", "#9fd08a"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        'aria-label="dg transcribes a recording, writes captions of it, and transcribes a stream" '
        'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14" '
        'style="white-space:pre" xml:space="preserve">'
        # Whoever asked for less motion gets the last picture.
        f"<style>{rules}@media (prefers-reduced-motion:reduce){{g{{animation:none!important}}"
        ".last{visibility:visible!important}}</style>"
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#1e2127"/>{dots}{"".join(groups)}</svg>\n'
    )


def main() -> None:
    """Write the recording."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        history = desk / ".local" / "state" / "dgcli" / "history"
        history.mkdir(parents=True)
        (history / ".announced").touch()
        response = desk / "harbour.json"
        response.write_text(json.dumps(conversation()))
        duration = conversation()["metadata"]["duration"]
        with wave.open(str(desk / "harbour.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(bytes(32000 * int(duration + 1)))
        import soundfile

        samples, rate = soundfile.read(desk / "harbour.wav")
        soundfile.write(desk / "harbour.mp3", samples, rate)
        with running(ServerSettings(engine="replay", response=response)) as url:
            text = drawing(record(desk, url))
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    (ROOT / "docs" / "images" / "terminal.svg").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
