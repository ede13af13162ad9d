"""A saved transcript spoken as a live stream: deterministic, driven by the audio that arrives and no clock.

After so many seconds of audio exactly the words that end by then have been said. A final comes where the
transcript pauses for as long as `endpointing` (at least 0.3 s), after that pause; where a sentence ends
without one, a final comes that is no end of speech.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dgcli.server.engines.base import (
    RATE,
    Configured,
    Ended,
    HeardSegment,
    HeardWord,
    LiveAudio,
    LiveEvent,
    LiveStream,
    Passed,
    SpeechBegan,
)

if TYPE_CHECKING:
    from dgcli.server.engines.live_audio import LiveSource

_STEP = 0.02  # seconds of audio after which the transcript is looked at
_SHORTEST_SILENCE = 0.3  # seconds
_INTERIM_EVERY = 1.0  # seconds of audio
_EMPTY_FINAL_EVERY = 5.0
_LONG = 10.0  # seconds of speech after which a final comes without any end
_SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
_AHEAD = 2000  # events that wait for the client before its audio has to
_TINY = 1e-6  # seconds: sums of floats are compared with some mercy


class Speaker:
    """Speaks one channel of the transcript."""

    def __init__(self, channel: int, words: Sequence[HeardWord], endpointing: float | None) -> None:
        self._channel = channel
        self._words = words
        self._silence = max(endpointing or _SHORTEST_SILENCE, _SHORTEST_SILENCE)
        self._endpointing = endpointing is not None
        self._next = 0  # the first word that is not final
        self._window = 0.0
        self._told = 0.0
        self._spoke = False  # whether the start of this utterance was told

    def advance(self, now: float) -> Iterator[LiveEvent]:
        """Yield what happens up to `now` seconds."""
        said = self._said(now)
        if not self._spoke and self._next < len(self._words) and self._words[self._next].start <= now:
            self._spoke = True
            yield SpeechBegan(self._channel, self._words[self._next].start)
        for position in range(self._next, said):
            if (speech_final := self._ends(position, now)) is not None:
                yield self._final(position + 1, now, speech_final=speech_final)
                break
        if now - self._window >= _EMPTY_FINAL_EVERY - _TINY and self._idle(now):
            yield self._final(self._next, now)
        if now - self._told >= _INTERIM_EVERY - _TINY:
            self._told = now
            yield HeardSegment(
                self._channel, self._window, now - self._window, self._words[self._next : said]
            )
        yield Passed(self._channel, now, self._spoke)

    def finalize(self, now: float) -> Iterator[LiveEvent]:
        """Yield the final of everything said so far, on the client's wish."""
        if now > self._window:
            yield self._final(self._said(now), now, speech_final=True, from_finalize=True)

    def finish(self, now: float) -> Iterator[LiveEvent]:
        """Yield the last final."""
        if now > self._window:
            said = self._said(now)
            yield self._final(said, now, speech_final=said > self._next)

    def _said(self, now: float) -> int:
        """Return the number of words that have ended."""
        said = self._next
        while said < len(self._words) and self._words[said].end <= now + _TINY:
            said += 1
        return said

    def _idle(self, now: float) -> bool:
        return self._next >= len(self._words) or self._words[self._next].start > now

    def _ends(self, position: int, now: float) -> bool | None:
        """Tell whether the word at `position` is the last of its final, and if so, whether speech ends."""
        word = self._words[position]
        following = self._words[position + 1] if position + 1 < len(self._words) else None
        gap = following.start - word.end if following else self._silence
        if gap >= self._silence - _TINY:
            return self._endpointing if now >= word.end + self._silence - _TINY else None
        sentence_ends = (word.written or "")[-1:] in (".", "?", "!")
        long = word.end - self._words[self._next].start >= _LONG
        return False if (sentence_ends or long) and following and now >= following.start else None

    def _final(self, end: int, now: float, **flags: bool) -> HeardSegment:
        words = self._words[self._next : end]
        # A window ends before the next word begins, so that it never covers a word that is not in it.
        upto = min(now, self._words[end].start) if end < len(self._words) else now
        upto = max(upto, self._window)
        segment = HeardSegment(
            self._channel, self._window, upto - self._window, words, is_final=True, **flags
        )
        self._next = end
        self._window = upto
        self._told = now
        self._spoke = False
        return segment


class ReplayStream(LiveStream):
    """The speakers of all channels, and the clock that the audio is."""

    def __init__(self, channels: Sequence[Sequence[HeardWord]], audio: LiveAudio) -> None:
        self._audio = audio
        if not audio.multichannel:
            channels = [sorted((word for words in channels for word in words), key=lambda word: word.start)]
        if not audio.speakers:
            channels = [[replace(word, speaker=None) for word in words] for words in channels]
        self._speakers = [Speaker(n, words, audio.endpointing) for n, words in enumerate(channels)]
        self._steps = 0
        self._heard = 0.0
        # Bounded: a client that sends and never reads has to wait, and not this machine's memory to grow.
        self._queue: asyncio.Queue[LiveEvent | Exception] = asyncio.Queue(_AHEAD)
        self._closed = False
        size = _SAMPLE_BYTES.get(audio.encoding or "")
        self._rate = size * audio.channels * (audio.sample_rate or 0) if size else None
        self._bytes = 0
        self._source: LiveSource | None = None
        self._following: asyncio.Task[None] | None = None
        if self._rate is None:
            from dgcli.server.engines.live_audio import CodecSource

            self._source = CodecSource(audio)
            self._following = asyncio.create_task(self._follow(self._source))

    async def send(self, data: bytes) -> None:
        """Let the clock run on by the duration of the block."""
        if self._source is not None:
            await self._source.put(data)
            return
        assert self._rate is not None
        self._bytes += len(data)
        await self._run_to(self._bytes / self._rate)

    async def finalize(self, channel: int | None) -> None:
        """Make final what was said so far."""
        if self._source is not None:
            self._source.tell({"op": "finalize", "channel": channel})
        else:
            await self._finalize(channel)

    async def configure(
        self,
        vocabulary: Sequence[str] | None = None,  # noqa: ARG002 - the words are saved
        candidates: Sequence[str] | None = None,  # noqa: ARG002
    ) -> None:
        """Change nothing: the words are saved."""
        if self._source is not None:
            self._source.tell({"op": "configure"})
        else:
            await self._queue.put(Configured())

    async def finish(self) -> None:
        """Say the last final."""
        if self._source is not None:
            self._source.tell({"op": "finish"})
        else:
            await self._end()

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Yield what was said. Raises NotAudioError."""
        while True:
            event = await self._queue.get()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Ended):
                return

    def close(self) -> None:
        """Let everything that waits go on and end."""
        self._closed = True
        if self._following is not None:
            self._following.cancel()
        if self._source is not None:
            self._source.close()
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _put(self, events: Iterator[LiveEvent]) -> None:
        for event in events:
            if not self._closed:
                await self._queue.put(event)

    async def _run_to(self, seconds: float) -> None:
        self._heard = max(seconds, self._heard)
        # Steps of a fixed length from the start: how the audio was cut into messages makes no difference.
        while (self._steps + 1) * _STEP <= self._heard + _TINY and not self._closed:
            self._steps += 1
            for speaker in self._speakers:
                await self._put(speaker.advance(self._steps * _STEP))

    async def _end(self) -> None:
        if self._heard:
            for speaker in self._speakers:
                await self._put(speaker.finish(self._heard))
        await self._queue.put(Ended(self._heard, len(self._speakers) if self._heard else 0))

    async def _finalize(self, channel: int | None) -> None:
        for number, speaker in enumerate(self._speakers):
            if channel is None or channel == number:
                await self._put(speaker.finalize(self._heard))

    async def _follow(self, source: "LiveSource") -> None:
        """Let the clock run by what a container decodes to, in a process of its own."""
        frames = 0
        try:
            async for item in source.items():
                if isinstance(item, Mapping):
                    if item["op"] == "configure":
                        await self._queue.put(Configured())
                    else:
                        await self._finalize(item["channel"])
                else:
                    frames += len(item)
                    await self._run_to(frames / RATE)
            await self._end()
        except Exception as error:  # raised again where the events are read
            await self._queue.put(error)
