"""The events of a stream, collected in the shape of a prerecorded response, so that every format works on it."""

from collections.abc import Mapping
from typing import Any

from dgcli.transcript.events import Closed, Connected, Event, Final, Metadata, Notice, NoticeKind, Opened
from dgcli.transcript.utterances import Utterances, utterance_object

_WARNINGS = 10  # about results that were left out; of more, the first


class Collected:
    """What a stream has said so far; what it holds grows with its words."""

    def __init__(self) -> None:
        self._utterances = Utterances()
        self._ended: list[Mapping[str, Any]] = []
        self._channels = 1
        self._request_id: str | None = None
        self._duration = 0.0
        self._warnings: list[Mapping[str, Any]] = []

    def note(self, request_id: str | None, duration: float) -> None:
        """The id of a connection, of which the first stands for all, and how many seconds of audio there are."""
        self._request_id = self._request_id or request_id
        self._duration = max(self._duration, duration)

    def take(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Opened() | Connected() | Metadata():
                self.note(event.request_id or None, 0.0)
            case Closed():
                self.note(None, event.audio_seconds)
            case Final():
                self._channels = max(self._channels, event.channels)
                self.note(None, event.end)
            case Notice(kind=NoticeKind.SERVER) if event.raw.get("type") == "Results":
                if len(self._warnings) < _WARNINGS:
                    self._warnings.append({"message": event.message})
        self._ended += map(utterance_object, self._utterances.take(event))

    def response(self) -> Mapping[str, Any]:
        """All utterances, those that may go on as they stand; `parse` fills the channels from them."""
        running = filter(None, map(self._utterances.running, self._utterances.running_channels))
        empty = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}
        return {
            "metadata": {
                "request_id": self._request_id,
                "duration": round(self._duration, 3),
                "channels": self._channels,
                **({"warnings": self._warnings} if self._warnings else {}),
            },
            "results": {
                "channels": [empty] * self._channels,
                "utterances": [*self._ended, *map(utterance_object, running)],
            },
        }
