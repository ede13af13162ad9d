"""Stretches of a text on their way through the recogniser, which tells when their words are said."""

import asyncio
from collections.abc import Sequence

from dgcli.server.engines.attention import Stretch, TextWord
from dgcli.server.engines.base import RATE, Audio
from dgcli.server.engines.decoder import MediaDecoder, Span
from dgcli.server.engines.files import language_code
from dgcli.server.engines.forced import timed
from dgcli.server.engines.recogniser import Recogniser
from dgcli.server.engines.voice import loudness
from dgcli.server.models import LocalModel

_AROUND = 0.2  # seconds before the first word and after the last one
_MOST = 29.0  # seconds of audio that the recogniser takes
_SAMPLE = 4  # bytes
_LEAST = 0.1  # seconds of audio that something can be heard in


def span_of(stretch: Stretch) -> Span:
    """Return where the audio of a stretch is. Raises LookupError, worded for the client, without known times."""
    known = [word for word in stretch.words if word.start is not None and word.end is not None]
    starts = [word.start for word in known if word.start is not None]
    ends = [word.end for word in known if word.end is not None]
    if not known:
        raise LookupError("A stretch has no word whose times are known.")
    begin, end = max(min(starts) - _AROUND, 0.0), max(ends) + _AROUND
    if not stretch.words[-1].is_known:
        end = max(ends) + _MOST / 2
    if not stretch.words[0].is_known:
        begin = max(min(starts) - _MOST / 2, 0.0)
    return stretch.channel, begin, min(end, begin + _MOST)


class Alignments:
    """The stretches of one recording."""

    def __init__(self, recogniser: Recogniser, model: LocalModel, language: str | None) -> None:
        self._recogniser = recogniser
        self._model = model
        self._language = "en" if model.english_only else language_code(language) or "en"
        self._turns = asyncio.Semaphore(recogniser.workers + 1)

    async def run(
        self, decoder: MediaDecoder, audio: Audio, stretches: Sequence[Stretch], max_seconds: float
    ) -> list[Sequence[TextWord]]:
        """Return the words of each stretch with their times; as they came where there is no audio for them."""
        spans = [span_of(stretch) for stretch in stretches]
        order = sorted(range(len(spans)), key=lambda number: spans[number][1])
        result: list[Sequence[TextWord]] = [stretch.words for stretch in stretches]

        async def one(number: int, samples: bytes) -> None:
            try:
                result[number] = await self._timed(stretches[number].words, samples, spans[number][1])
            finally:
                self._turns.release()

        async with asyncio.TaskGroup() as group:
            async for header, samples in decoder.messages(audio, max_seconds, [spans[at] for at in order]):
                if header["event"] == "span" and len(samples) >= _LEAST * RATE * _SAMPLE:
                    await self._turns.acquire()
                    group.create_task(one(order[header["number"]], samples))
        return result

    async def _timed(self, words: Sequence[TextWord], samples: bytes, begin: float) -> Sequence[TextWord]:
        texts = [word.text for word in words]
        attended = await self._recogniser.align(self._model, samples, texts, self._language)
        end = begin + len(samples) / _SAMPLE / RATE
        moved = [item.later(begin) for item in attended]
        return await asyncio.to_thread(timed, words, moved, loudness(samples), begin, end)
