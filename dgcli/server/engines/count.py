"""No recogniser: confirms how much audio has come, for whoever checks what their client sends.

Its transcripts say how many bytes there are by now, and of raw audio how many seconds; `--record` keeps them.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

from dgcli import __version__
from dgcli.server.engines.base import (
    Audio,
    Configured,
    Ended,
    Engine,
    Heard,
    HeardSegment,
    HeardWord,
    LiveAudio,
    LiveEvent,
    LiveStream,
    Model,
    Progress,
    Recognition,
    Wishes,
)

_SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
_EVERY_BYTES = 1 << 15  # between two messages, where the bytes do not tell the time


def _byte_rate(encoding: str | None, sample_rate: int | None, channels: int) -> int | None:
    """Return the bytes of a second of raw audio; None for what would have to be decoded to know."""
    size = _SAMPLE_BYTES.get(encoding or "")
    return size * channels * sample_rate if size and sample_rate else None


def _words(size: int, rate: int | None, start: float, end: float) -> list[HeardWord]:
    """Return what is to be said as words that share the time from `start` to `end`."""
    said = [f"{size}", "bytes", "received"]
    if rate is not None:
        said += [f"{size / rate:.2f}", "seconds"]
    step = (end - start) / len(said)
    return [
        HeardWord(text, start + number * step, start + (number + 1) * step, 1.0)
        for number, text in enumerate(said)
    ]


class CountStream(LiveStream):
    """Confirms each second of raw audio, or each 32 KiB of anything else."""

    def __init__(self, audio: LiveAudio) -> None:
        self._rate = _byte_rate(audio.encoding, audio.sample_rate, audio.channels)
        self._channels = audio.channels if audio.multichannel else 1
        self._every = self._rate or _EVERY_BYTES
        self._size = 0
        self._told = 0  # bytes that the last message confirmed
        self._events: asyncio.Queue[LiveEvent] = asyncio.Queue()

    async def send(self, data: bytes) -> None:
        """Count a block."""
        self._size += len(data)
        if self._size - self._told >= self._every:
            self._confirm()

    async def finalize(self, channel: int | None) -> None:  # noqa: ARG002 - bytes have no channel
        """Confirm at once."""
        self._confirm(from_finalize=True)

    async def configure(
        self,
        vocabulary: Sequence[str] | None = None,  # noqa: ARG002 - no words are expected
        candidates: Sequence[str] | None = None,  # noqa: ARG002
    ) -> None:
        """Change nothing: no words are expected."""
        self._events.put_nowait(Configured())

    async def finish(self) -> None:
        """Confirm what is left."""
        if self._size > self._told:
            self._confirm()
        self._events.put_nowait(Ended(self._seconds(self._size), self._channels if self._size else 0))

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Yield the confirmations."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    def close(self) -> None:
        """Free nothing: there is only a number."""

    def _seconds(self, size: int) -> float:
        return size / self._rate if self._rate else 0.0

    def _confirm(self, *, from_finalize: bool = False) -> None:
        start, end = self._seconds(self._told), self._seconds(self._size)
        words = _words(self._size, self._rate, start, end)
        self._events.put_nowait(
            HeardSegment(
                0, start, end - start, words, is_final=True, speech_final=True, from_finalize=from_finalize
            )
        )
        self._told = self._size


class CountEngine(Engine):
    """Counts bytes."""

    @property
    def model(self) -> Model:
        """What counts."""
        return Model(str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:dgcli:count")), "count", __version__, "count")

    def open_stream(self, audio: LiveAudio) -> LiveStream:
        """Count the bytes of a stream."""
        return CountStream(audio)

    async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:  # noqa: ARG002
        """Say how many bytes there are, whatever they are."""
        size = audio.path.stat().st_size
        rate = _byte_rate(audio.encoding, audio.sample_rate, audio.channels)
        seconds = size / rate if rate else 0.0
        return Recognition(seconds, [Heard(_words(size, rate, 0.0, seconds))], self.model)
