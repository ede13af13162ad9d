"""The keys of `dg mic`, and its other additions to a stream."""

import sys
from collections.abc import Callable, Sequence

from dgcli.audio.microphone import Microphone
from dgcli.formats.clock import clock
from dgcli.live.streamer import Streamer
from dgcli.sinks.base import Sink
from dgcli.sinks.stop_phrase import StopPhrase
from dgcli.tasks.stream import Controls, MakeControls
from dgcli.transcript.events import Event, Notice, NoticeKind


class _MicrophoneKeys:
    """The keys of a microphone."""

    def __init__(self, streamer: Streamer, tell: Callable[[Event], None], microphone: Microphone) -> None:
        self._streamer = streamer
        self._tell = tell
        self._microphone = microphone
        self._markers = 0

    def pause(self) -> None:
        """Pause, or go on."""
        muted = self._microphone.muted = not self._microphone.muted
        (self._streamer.pause if muted else self._streamer.resume)()

    def mark(self) -> None:
        """Mark this moment in all outputs."""
        self._markers += 1
        now = self._streamer.audio_seconds
        self._tell(Notice(NoticeKind.MARKER, f"Marker {self._markers} at {clock(now)}", start=now))

    def stop(self) -> None:
        """Stop after everything is sent and answered."""
        self._streamer.stop()

    def meter(self) -> tuple[float, float] | str:
        """Return the level (RMS and peak, dBFS), or `paused` while the microphone is muted."""
        if self._microphone.muted:
            return "paused"
        level = self._microphone.level
        return level.rms, level.peak


def _phrase(streamer: Streamer, phrase: str | None) -> Sequence[Sink]:
    if phrase is None:
        return ()
    return (StopPhrase(phrase, lambda: streamer.stop(f"{phrase!r} was said.")),)


def pipe_controls(phrase: str | None) -> MakeControls:
    """Return the additions of `dg mic -` to a stream, as of `dg live -`."""

    def make(streamer: Streamer, tell: Callable[[Event], None]) -> Controls:  # noqa: ARG001 - `MakeControls`
        return Controls({"f": streamer.finalize}, _phrase(streamer, phrase))

    return make


def _has_keys() -> bool:
    """Whether somebody sits there: standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def greeting(name: str, what: str) -> str:
    """Return the message for the moment the microphone is open."""
    keys = "  Keys: space pauses, f finalizes, m marks, q stops." if _has_keys() else ""
    return f"Recording from {name}: {what}.{keys}"


def microphone_controls(microphone: Microphone, phrase: str | None) -> MakeControls:
    """Return the additions of a microphone; no keys where standard input is no terminal."""

    def make(streamer: Streamer, tell: Callable[[Event], None]) -> Controls:
        actions = _MicrophoneKeys(streamer, tell, microphone)
        keys = {" ": actions.pause, "f": streamer.finalize, "m": actions.mark, "q": actions.stop}
        return Controls(keys if _has_keys() else {}, _phrase(streamer, phrase), actions.meter)

    return make
