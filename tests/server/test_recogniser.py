"""The recogniser's process and the queue before it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from dgcli.server.engines.decoding import DecodeOptions, Priority
from dgcli.server.engines.process import ProcessDied
from dgcli.server.engines.recogniser import Recogniser, RecogniserError
from dgcli.server.models import LocalModel
from tests.server.conftest import AUDIO, plain
from tests.server.test_run import linux

SPOKEN = plain("We the people of the United States in order to form a more perfect union")


def speech(seconds: float = 6.0) -> bytes:
    """Return the first seconds of the shipped sample as a window."""
    samples, rate = soundfile.read(AUDIO / "preamble-rms.flac", dtype="float32")
    window: bytes = soxr.resample(samples[: round(seconds * rate)], rate, 16000).astype(np.float32).tobytes()
    return window


@asynccontextmanager
async def opened(model: LocalModel, workers: int = 1) -> AsyncIterator[Recogniser]:
    recogniser = Recogniser(workers)
    recogniser.start(model)
    try:
        yield recogniser
    finally:
        recogniser.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))  # type: ignore[arg-type]


def test_a_window_becomes_words(tiny: LocalModel) -> None:
    """A window gives words as they are written, times in it and probabilities; without word times they are spread."""

    async def test() -> None:
        async with opened(tiny) as recogniser:
            for options in (DecodeOptions(beam=5), DecodeOptions(word_times=False)):
                decoding = await recogniser.decode(tiny, speech(), options)
                words = [word.text for word in decoding.words]
                assert set(SPOKEN) - set(words) <= {"we", "union"}, options
                assert all(0 <= word.start <= word.end <= 6.1 for word in decoding.words)
                assert decoding.no_speech < 0.3
                assert (decoding.language, decoding.language_confidence) == ("en", 1.0)
            assert all((word.written or "").lower().strip(".,") == word.text for word in decoding.words)

    run(test)


def test_who_goes_first(tiny: LocalModel) -> None:
    """Of those that wait, finals come before files and files before interims, whoever called first."""
    order: list[str] = []

    async def test() -> None:
        async with opened(tiny) as recogniser:

            async def decode(name: str, priority: Priority) -> None:
                await recogniser.decode(tiny, speech(1.0), priority=priority)
                order.append(name)

            calls = [("first", Priority.FILE), ("interim", Priority.INTERIM), ("file", Priority.FILE)]
            calls += [("final", Priority.FINAL), ("second file", Priority.FILE)]
            await asyncio.gather(*(decode(*call) for call in calls))

    run(test)
    assert order == ["first", "final", "file", "second file", "interim"]


def test_a_cancelled_window_is_not_decoded(tiny: LocalModel) -> None:
    """A call that is cancelled while it waits leaves the queue; the others are answered."""

    async def test() -> None:
        async with opened(tiny) as recogniser:
            calls = [asyncio.create_task(recogniser.decode(tiny, speech(1.0))) for _ in range(3)]
            await asyncio.sleep(0)
            calls[1].cancel()
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(done[1], asyncio.CancelledError)
            assert not isinstance(done[0], BaseException)
            assert not isinstance(done[2], BaseException)
            assert next(recogniser._numbers) == 3
            assert not recogniser._waiting

    run(test)


@linux
def test_a_killed_process_is_replaced(tiny: LocalModel) -> None:
    """A window without retry fails with the process, one with retry is decoded by the next process."""

    async def test() -> None:
        async with opened(tiny, workers=2) as recogniser:
            first = recogniser.pid
            assert first is not None
            lost = asyncio.create_task(recogniser.decode(tiny, speech()))
            again = asyncio.create_task(recogniser.decode(tiny, speech(), retry=True))
            waiting = asyncio.create_task(recogniser.decode(tiny, speech(1.0)))
            await asyncio.sleep(0)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(ProcessDied):
                await lost
            assert set(SPOKEN) - {word.text for word in (await again).words} <= {"we", "union"}
            await waiting
            assert recogniser.pid not in (None, first)

    run(test)


@linux
def test_what_kills_twice_is_given_up(tiny: LocalModel) -> None:
    """A window with which the process dies again is not tried a third time."""

    async def test() -> None:
        async with opened(tiny) as recogniser:
            hostile = asyncio.create_task(recogniser.decode(tiny, speech(), retry=True))
            pids = set()
            while not hostile.done():
                await asyncio.sleep(0)
                pid = recogniser.pid
                if pid is not None and pid not in pids:
                    pids.add(pid)
                    os.kill(pid, signal.SIGKILL)
            with pytest.raises(ProcessDied):
                await hostile
            assert len(pids) == 2

    run(test)


@linux
def test_ctrl_c_is_the_servers_to_handle(tiny: LocalModel) -> None:
    """SIGINT does not end the process."""

    async def test() -> None:
        async with opened(tiny) as recogniser:
            await recogniser.decode(tiny, speech(1.0))
            pid = recogniser.pid
            assert pid is not None
            os.kill(pid, signal.SIGINT)
            await recogniser.decode(tiny, speech(1.0))
            assert recogniser.pid == pid

    run(test)


def test_a_model_that_is_none(tiny: LocalModel, tmp_path: Path) -> None:
    """A model that does not load is an error of that call alone."""

    async def test() -> None:
        async with opened(tiny) as recogniser:
            with pytest.raises(RecogniserError):
                await recogniser.decode(LocalModel("none", tmp_path, english_only=True), speech(1.0))
            await recogniser.decode(tiny, speech(1.0))

    run(test)
