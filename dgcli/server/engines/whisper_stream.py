"""A live stream through the recogniser: decodes its audio, looks for voice, has windows decoded.

What happens when is decided by a Segmenter per channel; this is what it needs to act: samples from a
LiveSource, voice from a VoiceDetector, words from the recogniser that all streams share. Everything is in the
event loop: a quarter of a second of audio takes it less than a thread would take to be told of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from dgcli.server.engines.base import RATE, Configured, Ended, LiveAudio, LiveEvent, LiveStream, Passed
from dgcli.server.engines.decoding import DecodeOptions, Priority
from dgcli.server.engines.live_audio import open_source
from dgcli.server.engines.open_window import DecodeJob
from dgcli.server.engines.recogniser import Recogniser
from dgcli.server.engines.segmenter import Segmenter
from dgcli.server.engines.vad import FRAME, VoiceDetector
from dgcli.server.models import LocalModel

_UNREAD = 2000  # events that wait for the client before its audio has to
_AHEAD = 1.0  # seconds by which audio may be ahead of the clock before it waits for the words
_BEHIND = 5.0  # seconds by which it may have fallen behind, and catch up without waiting
_BEAM = 5  # of windows whose words may become final

VoiceSession = Callable[[], Awaitable[Any]]  # loads the network that detects voice, once for all streams
Heard = tuple[Any, Any]  # frames x FRAME of float32, and the probability of voice in each


class _StreamChannel:
    """One channel: its frames, the voice in them, its segments."""

    def __init__(self, segmenter: Segmenter, session: Any) -> None:
        self.segmenter = segmenter
        self._detector = VoiceDetector(session)
        self._rest = np.zeros(0, np.float32)

    def voices(self, samples: Any) -> Heard:
        """Return the frames that samples complete."""
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // FRAME * FRAME
        self._rest = audio[whole:].copy()
        return audio[:whole].reshape(-1, FRAME), self._detector.accept(samples)

    def last(self) -> Heard:
        """Return the last frame, filled up with silence, if there is one."""
        return self.voices(np.zeros(-len(self._rest) % FRAME, np.float32))

    def hear(self, heard: Heard) -> None:
        """Let the segmenter hear frames."""
        for frame, voice in zip(*heard, strict=True):
            self.segmenter.hear(frame, float(voice))
        self.segmenter.passed()


class WhisperStream(LiveStream):
    """One live stream; the host of its segmenters."""

    def __init__(
        self, audio: LiveAudio, recogniser: Recogniser, model: LocalModel, session: VoiceSession
    ) -> None:
        self._audio = audio
        self._recogniser = recogniser
        self._model = model
        self._session = session
        self._language = (audio.language or "en").lower().split("-")[0]
        self._source = open_source(audio)
        self._channels: list[_StreamChannel] = []
        self._vocabulary = tuple(audio.vocabulary)
        self._candidates = tuple(audio.candidates)
        self._heard = 0  # samples at 16 kHz
        self._base: float | None = None  # when the audio began, had it come at real time
        self._events: asyncio.Queue[LiveEvent | Exception] = asyncio.Queue()
        self._decodes: dict[DecodeJob, asyncio.Task[None]] = {}
        self._progress = asyncio.Event()  # a window was decoded, or an event was read
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def send(self, data: bytes) -> None:
        """Take a block; waits while too much of the audio is not decoded."""
        await self._source.put(data)

    async def finalize(self, channel: int | None) -> None:
        """Make final what was heard so far, in its place among the audio."""
        self._source.tell({"op": "finalize", "channel": channel})

    async def configure(
        self, vocabulary: Sequence[str] | None = None, candidates: Sequence[str] | None = None
    ) -> None:
        """Expect other terms or languages, from its place among the audio on."""
        changes = {"vocabulary": vocabulary, "candidates": candidates}
        self._source.tell(
            {"op": "configure", **{name: list(new) for name, new in changes.items() if new is not None}}
        )

    async def finish(self) -> None:
        """Tell that no audio follows."""
        self._source.tell({"op": "finish"})

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Yield what is heard. Raises NotAudioError, ProcessDied and RecogniserError."""
        while True:
            event = await self._events.get()
            self._progress.set()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Ended):
                return

    def close(self) -> None:
        """Stop everything that is under way."""
        self._running.cancel()
        for task in self._decodes.values():
            task.cancel()
        self._source.close()

    def emit(self, event: LiveEvent) -> None:
        """Hand an event of a segmenter to whoever reads them."""
        self._events.put_nowait(event)

    def cancel(self, job: DecodeJob) -> None:
        """Have a window decoded no more."""
        if task := self._decodes.pop(job, None):
            task.cancel()

    def hurry(self, job: DecodeJob) -> None:
        """Put a window before those that nobody waits for."""
        self._recogniser.hurry(job)

    def decode(self, segmenter: Segmenter, job: DecodeJob) -> None:
        """Have a window decoded, for one of the segmenters."""
        task = asyncio.get_running_loop().create_task(self._decode(segmenter, job))
        self._decodes[job] = task

    async def _decode(self, segmenter: Segmenter, job: DecodeJob) -> None:
        options = DecodeOptions(
            language=None if self._language == "multi" else self._language,
            candidates=self._candidates,
            beam=_BEAM if job.careful else 1,
            hotwords=job.vocabulary,
        )
        try:
            decoding = await self._recogniser.decode(
                self._model,
                np.ascontiguousarray(job.samples, np.float32).tobytes(),
                options,
                priority=Priority.FINAL if job.final else Priority.INTERIM,
                key=job,
            )
        except Exception as error:
            self._events.put_nowait(error)
        else:
            segmenter.decoded(job, decoding)
        finally:
            self._decodes.pop(job, None)
            self._progress.set()

    async def _run(self) -> None:
        try:
            async for item in self._source.items():
                if isinstance(item, dict):
                    self._control(item)
                else:
                    await self._hear(item)
            await self._finish()
        except Exception as error:  # whoever reads the events closes the stream for it
            self._events.put_nowait(error)

    def _control(self, message: dict[str, Any]) -> None:
        if message["op"] == "configure":
            self._vocabulary = tuple(message.get("vocabulary", self._vocabulary))
            self._candidates = tuple(message.get("candidates", self._candidates))
            for channel in self._channels:
                channel.segmenter.configure(self._vocabulary)
            if not self._channels:
                self.emit(Configured())
        elif message["op"] == "finalize":
            wanted = message["channel"]
            for number, channel in enumerate(self._channels):
                if wanted is None or wanted == number:
                    channel.segmenter.finalize()

    async def _hear(self, samples: Any) -> None:
        """Hear a block, frames x channels."""
        if not self._channels:
            await self._open(samples.shape[1])
        for number, channel in enumerate(self._channels):
            channel.hear(channel.voices(np.ascontiguousarray(samples[:, number])))
        self._heard += len(samples)
        await self._wait_for_words()

    async def _open(self, channels: int) -> None:
        session = await self._session()
        for number in range(channels):
            segmenter = Segmenter(number, self._audio.endpointing, self._vocabulary, self)
            self._channels.append(_StreamChannel(segmenter, session))
        # The last channel first: the server must know how many there are before any of them speaks.
        self.emit(Passed(channels - 1, 0.0))

    async def _wait_for_words(self) -> None:
        """Let audio that came faster than real time wait for what it has to be decoded for.

        At real time nothing waits: where the recogniser does not keep up, interims become rarer.
        """
        loop = asyncio.get_running_loop()
        seconds = self._heard / RATE
        now = loop.time()
        self._base = max(self._base if self._base is not None else now, now - seconds - _BEHIND)
        while (
            self._decodes and self._heard / RATE > loop.time() - self._base + _AHEAD
        ) or self._events.qsize() > _UNREAD:
            self._progress.clear()
            await self._progress.wait()
        await asyncio.sleep(0)  # whatever came at once, others have their turn after every piece of it

    async def _finish(self) -> None:
        seconds = self._heard / RATE
        for channel in self._channels:
            channel.hear(channel.last())
            channel.segmenter.finish(seconds)
        while not all(channel.segmenter.settled for channel in self._channels):
            self._progress.clear()
            await self._progress.wait()
        self.emit(Ended(seconds, len(self._channels) if seconds else 0))
