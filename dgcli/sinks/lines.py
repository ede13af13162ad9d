"""One line per utterance: for pipes, files and programs."""

import math
import sys
import time
from collections.abc import Callable

from dgcli.captions.voice import Voice
from dgcli.formats import RenderSettings
from dgcli.terminal import harmless
from dgcli.transcript.events import Event, Final, Interim, Notice, NoticeKind, TurnStage
from dgcli.transcript.utterances import Utterance, Utterances


def _seconds(value: float) -> str:
    """A time as the starter kit prints it: 2.5, 4.26, 3.0."""
    return "?" if math.isnan(value) else str(round(value, 2))


def voice(utterance: Utterance) -> Voice:
    """Return who speaks an utterance."""
    return Voice(utterance.channel, utterance.speaker)


def line(
    utterance: Utterance, options: RenderSettings, *, timestamps: bool = False, label: bool = True
) -> str:
    """An utterance as one line: `Speaker 0: text [2.5 - 4.26]`, as much of it as is known and wanted."""
    who = options.who(voice(utterance), utterance.channels > 1) if label else ""
    text = " ".join(harmless(f"{who}: {utterance.text}" if who else utterance.text).split())
    if timestamps:
        text += f" [{_seconds(utterance.start)} - {_seconds(utterance.end)}]"
    return text + "\n"


class LinesSink:
    """Writes each utterance when it ends, with who speaks where that changes.

    With `interims`, provisional text goes to stderr.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        options: RenderSettings,
        *,
        timestamps: bool = False,
        interims: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._options = options
        self._timestamps = timestamps
        self._interims = interims
        self._provisional_text = ""
        self._utterances = Utterances(clock=clock)
        self._voice: Voice | None = None  # of the last line

    def _line(self, utterance: Utterance) -> str:
        before, self._voice = self._voice, voice(utterance)
        return line(utterance, self._options, timestamps=self._timestamps, label=self._voice != before)

    def running(self) -> str:
        """What is open, as it stands, as the lines that it would be."""
        lines, before = [], self._voice
        for channel in self._utterances.running_channels:
            if utterance := self._utterances.running(channel):
                label = voice(utterance) != before
                before = voice(utterance)
                lines.append(line(utterance, self._options, timestamps=self._timestamps, label=label))
        return "".join(lines)

    def _put(self, ended: list[Utterance]) -> None:
        if ended:
            self._write("".join(map(self._line, ended)))

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        if isinstance(event, Interim):
            if self._interims:
                self._provisional(event)
            return
        if isinstance(event, Final):
            self._provisional_text = ""
        self._put(self._utterances.take(event))
        if isinstance(event, Notice):
            if event.kind is NoticeKind.MARKER:
                self._write(f"[{event.message}]\n")
            elif event.kind is NoticeKind.SPEAKERS_RESTARTED:
                self._voice = None  # the same number may be somebody else

    def _provisional(self, event: Interim) -> None:
        text = " ".join(harmless(event.text).split())
        if text and event.turn is not None and event.turn.stage is TurnStage.EAGER_END:
            text += " [end of turn?]"
        if text and text != self._provisional_text:
            self._provisional_text = text
            try:
                print(f"... {text}", file=sys.stderr, flush=True)
            except (OSError, ValueError):
                self._interims = False  # nobody is left to look

    def tick(self, now: float) -> None:
        """End what has been open for long."""
        self._put(self._utterances.tick(now))

    def close(self) -> None:
        """Write what is still open."""
        self._put(self._utterances.finish())
