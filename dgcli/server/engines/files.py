"""A recording recognised: its windows as they are decoded, several at once, put together in order."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from dgcli.server.engines import guards
from dgcli.server.engines.base import RATE, Audio, Heard, HeardWord, Progress, Wishes
from dgcli.server.engines.decoder import MediaDecoder
from dgcli.server.engines.decoding import DecodeOptions, Decoding, Priority
from dgcli.server.engines.recogniser import Recogniser
from dgcli.server.engines.terms import with_terms
from dgcli.server.models import LocalModel

_BEAM = 5
_SAMPLE = 4  # bytes
_BRIEFEST = 0.04  # seconds of a word
_SURE = 0.5  # confidence from which the words of a hole are believed
_AROUND = 0.2  # seconds before and after a hole that are decoded again with it


@dataclass(slots=True)
class _FileChannel:
    """What is known of a channel so far."""

    language: str | None
    confidence: float = 1.0
    windows: list[Sequence[HeardWord]] = field(default_factory=list)
    first: asyncio.Lock = field(default_factory=asyncio.Lock)  # held until the language is known


def _part(samples: bytes, start: float, end: float) -> bytes:
    first = max(round(start * RATE), 0)
    return samples[first * _SAMPLE : round(end * RATE) * _SAMPLE]


def _moved(words: Sequence[HeardWord], seconds: float) -> list[HeardWord]:
    return [replace(word, start=word.start + seconds, end=word.end + seconds) for word in words]


def _checked(decoding: Decoding, seconds: float, voiced: Sequence[guards.Span]) -> list[HeardWord]:
    """Return the words of a decoding that can have been said, with their times cut to the voice."""
    speech = sum(end - start for start, end in voiced)
    words = guards.clip(guards.credible(decoding, seconds, speech), voiced)
    return guards.anchored(words, voiced)


def _in_time(words: Sequence[HeardWord], seconds: float) -> list[HeardWord]:
    """Return the words one after the other, each with some time: Whisper gives none to a few short ones."""
    result: list[HeardWord] = []
    at = 0.0
    for word in words:
        start = max(word.start, at)
        at = max(word.end, start + _BRIEFEST)
        result.append(replace(word, start=start, end=at))
    limit = seconds
    for index in range(len(result) - 1, -1, -1):
        if result[index].end <= limit:
            break
        start = max(min(result[index].start, limit - _BRIEFEST), 0.0)
        result[index] = replace(result[index], start=start, end=limit)
        limit = start
    return result


def language_code(language: str | None) -> str | None:
    """Return Whisper's code for a language tag of the API; None for what it has to find out itself."""
    code = (language or "en").lower().split("-")[0]
    return None if code == "multi" else code


class FileRecognition:
    """One recording on its way through the recogniser."""

    def __init__(self, recogniser: Recogniser, model: LocalModel, wishes: Wishes, progress: Progress) -> None:
        self._recogniser = recogniser
        self._model = model
        self._wishes = wishes
        self._progress = progress
        self._channels: list[_FileChannel] = []
        self._turns = asyncio.Semaphore(recogniser.workers + 1)
        self._passed = 0.0  # share of the recording that has been decoded
        self._running: dict[object, float] = {}  # what of it had been when each window came

    async def run(self, decoder: MediaDecoder, audio: Audio, max_seconds: float) -> tuple[float, list[Heard]]:
        """Return the duration in seconds and what was heard on each channel."""
        duration = 0.0
        # The first failure cancels the rest of the recording.
        async with asyncio.TaskGroup() as group:
            async for header, samples in decoder.messages(audio, max_seconds):
                match header["event"]:
                    case "opened":
                        self._open(header["channels"])
                    case "window":
                        await self._turns.acquire()
                        group.create_task(self._window(header, samples))
                    case "passed":
                        self._passed = header["share"] or self._passed
                        self._tell()
                    case "ended":
                        duration = header["duration"]
        return duration, [self._heard(channel) for channel in self._channels]

    def _open(self, channels: int) -> None:
        language = None if self._wishes.detect else language_code(self._wishes.language)
        if self._model.english_only:
            language = "en"
        self._channels = [_FileChannel(language) for _ in range(channels)]

    def _heard(self, channel: _FileChannel) -> Heard:
        words = [word for window in channel.windows for word in window]
        return Heard(words, channel.language or "en", channel.confidence)

    async def _window(self, header: Mapping[str, Any], samples: bytes) -> None:
        channel = self._channels[header["channel"]]
        place = len(channel.windows)
        channel.windows.append(())
        mark = object()
        self._running[mark] = self._passed
        try:
            words = await self._words(channel, samples, [(start, end) for start, end in header["voiced"]])
            channel.windows[place] = _moved(words, header["start"])
        finally:
            self._turns.release()
            del self._running[mark]
            self._tell()

    def _tell(self) -> None:
        """Tell the progress: what was decoded before the oldest window that is still being recognised."""
        self._progress(min(self._running.values(), default=self._passed))

    async def _words(
        self, channel: _FileChannel, samples: bytes, voiced: Sequence[guards.Span]
    ) -> Sequence[HeardWord]:
        seconds = len(samples) / _SAMPLE / RATE
        words = _checked(await self._first(channel, samples), seconds, voiced)
        for hole in guards.missed(words, voiced):
            start, end = max(hole[0] - _AROUND, 0.0), min(hole[1] + _AROUND, seconds)
            again = await self._decode(channel, _part(samples, start, end))
            inside = [
                (max(a, start) - start, min(b, end) - start) for a, b in voiced if a < end and b > start
            ]
            more = _checked(again, end - start, inside)
            # What was skipped is hard to hear: a guess is worse than nothing.
            if more and fmean(word.confidence for word in more) >= _SURE:
                words = guards.patched(words, _moved(more, start), hole)
        return _in_time(with_terms(words, self._wishes.vocabulary), seconds)

    async def _first(self, channel: _FileChannel, samples: bytes) -> Decoding:
        """Decode a window; the first of a channel tells the language of the rest, unless it may change."""
        if not self._wishes.detect or channel.language is not None:
            return await self._decode(channel, samples)
        async with channel.first:
            decoding = await self._decode(channel, samples)
            if channel.language is None and decoding.words:
                channel.language, channel.confidence = decoding.language, decoding.language_confidence
            return decoding

    async def _decode(self, channel: _FileChannel, samples: bytes) -> Decoding:
        options = DecodeOptions(
            language=channel.language,
            candidates=self._wishes.candidates,
            beam=_BEAM,
            hotwords=self._wishes.vocabulary,
        )
        return await self._recogniser.decode(
            self._model, samples, options, priority=Priority.FILE, retry=True
        )
