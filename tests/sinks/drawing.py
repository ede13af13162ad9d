"""A program for the tests of the screen: each line on standard input draws the next event.

Run as `python -m tests.sinks.drawing ACK`; a byte is written to the pipe ACK when a step was drawn. The
words are numbered, so that a test can tell whether one is there twice.
"""

import itertools
import sys
from pathlib import Path

from dgcli.formats import RenderSettings
from dgcli.sinks.screen import ScreenSink
from dgcli.transcript.events import Closed, Event, Notice, NoticeKind, Opened
from tests.sinks.conftest import final, interim

UTTERANCES = 12


def numbered(utterance: int, count: int) -> str:
    """The first words of an utterance: `u3w0 u3w1 ...`."""
    return " ".join(f"u{utterance}w{number}" for number in range(count))


def events() -> list[Event]:
    """Utterances with interims that grow far beyond a line, and shrink again."""
    stream: list[Event] = [Opened("id", 1, 0.0)]
    for utterance in range(UTTERANCES):
        at = utterance * 14.0
        stream += [interim(numbered(utterance, count), at) for count in (3, 9, 28, 20, 6)]
        stream.append(final(numbered(utterance, 24), at, speaker=utterance % 2))
        if utterance == 5:
            stream.append(Notice(NoticeKind.DROPPED, "The connection was cut off."))
    return [*stream, interim(numbered(UTTERANCES, 200), 999.0), Closed(999.0, 1)]


def main() -> None:
    """Draw an event for each line of input."""
    seconds = itertools.count(1)
    sink = ScreenSink(
        sys.stdout, RenderSettings(), audio_seconds=lambda: 61.0, clock=lambda: float(next(seconds))
    )
    with Path(sys.argv[1]).open("wb", buffering=0) as ack:
        for event, line in zip(events(), sys.stdin, strict=False):
            if line.strip() == "tick":
                sink.tick(0.0)
                ack.write(b".")
                next(sys.stdin)
            sink.handle(event)
            ack.write(b".")
    sink.close()


if __name__ == "__main__":
    main()
