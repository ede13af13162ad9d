"""The keys of a stream at a terminal, and the other additions of `dg mic`."""

import sys
from collections.abc import Sequence

from dgcli.audio.microphone import Microphone
from dgcli.sinks.base import Sink
from dgcli.sinks.stop_phrase import StopPhrase
from dgcli.tasks.actions import Actions
from dgcli.tasks.stream import Controls, MakeControls, keys_of_all


def _phrase(actions: Actions, phrase: str | None) -> Sequence[Sink]:
    if phrase is None:
        return ()
    return (StopPhrase(phrase, lambda: actions.stop(f"{phrase!r} was said.")),)


def pipe_controls(phrase: str | None) -> MakeControls:
    """Return the additions of `dg mic -` to a stream, as of `dg live -`."""

    def make(actions: Actions) -> Controls:
        return Controls(keys_of_all(actions), _phrase(actions, phrase))

    return make


def _has_keys() -> bool:
    """Whether somebody sits there: standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def greeting(name: str, what: str) -> str:
    """Return the message for the moment the microphone is open."""
    keys = "  Keys: space pauses, f finalizes, k sets key terms, m marks, q stops." if _has_keys() else ""
    return f"Recording from {name}: {what}.{keys}"


def microphone_controls(microphone: Microphone, phrase: str | None) -> MakeControls:
    """Return the additions of a microphone; no keys where standard input is no terminal."""

    def make(actions: Actions) -> Controls:
        def mute(paused: bool) -> None:
            microphone.muted = paused

        def meter() -> tuple[float, float] | str:
            if microphone.muted:
                return "paused"
            level = microphone.level
            return level.rms, level.peak

        actions.on_pause = mute
        keys = {**keys_of_all(actions), " ": actions.toggle} if _has_keys() else None
        return Controls(keys, _phrase(actions, phrase), meter)

    return make
