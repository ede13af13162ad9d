"""The server's handle on the recogniser: one process that holds the models for all requests and streams.

    recogniser = Recogniser(workers=2)
    recogniser.start(model)                      # before the event loop: the model loads meanwhile
    decoding = await recogniser.decode(
        model, samples, DecodeOptions(hotwords=["Deepgram"]), priority=Priority.FINAL
    )
    recogniser.close()

`samples` are float32 of this machine's byte order at 16 kHz, mono, at most 30 s. Who waits is served in the
order of `Priority`; at most `workers` windows are decoded at once, each on its share of the cores. Cancelling
the call takes a waiting window out of the queue (a stale interim costs nothing then) and drops the result of
one that is being decoded.

When the process dies it is started anew. The windows that it was decoding raise ProcessDied; those called
with `retry` are tried once more first, each alone, so that a hostile one takes nobody else along again.
"""

import asyncio
import heapq
import itertools
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from dgcli.server.engines.attention import Attended
from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.decoding import DecodeOptions, Decoding, Priority
from dgcli.server.engines.messages import read_message, write_message
from dgcli.server.engines.process import Process, ProcessDied
from dgcli.server.models import LocalModel

MODULE = "dgcli.server.engines.recogniser_process"

_MAX_WORKERS = 4  # windows decoded at once; more cores than that share the work on each window


class RecogniserError(Exception):
    """The recogniser could not do what it was asked: a model that does not load, say."""


@dataclass(order=True, slots=True)
class _PendingDecode:
    """A window that waits or is being decoded."""

    priority: Priority
    number: int
    header: Mapping[str, Any] = field(compare=False)
    samples: bytes = field(compare=False, repr=False)
    answer: "asyncio.Future[Mapping[str, Any]]" = field(compare=False)
    retry: bool = field(compare=False)
    key: object = field(compare=False, default=None)
    alone: bool = field(compare=False, default=False)


class _RunningProcess:
    """A running process, a thread that writes to it and a thread that reads from it."""

    def __init__(self, workers: int, threads: int) -> None:
        self.process = Process(MODULE, DG_WORKERS=str(workers), DG_THREADS=str(threads))
        self._outgoing: queue.SimpleQueue[tuple[Mapping[str, Any], bytes] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def send(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        self._outgoing.put((header, payload))

    def attach(self, handle: "Recogniser", loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write and read; what is read is told in the event loop."""
        self._threads = [
            threading.Thread(target=self._write, name="recogniser-write", daemon=True),
            threading.Thread(target=self._read, args=(handle, loop), name="recogniser-read", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._outgoing.put(None)
        self.process.kill()
        for thread in self._threads:
            thread.join()
        self.process.close()

    def _write(self) -> None:
        # A broken pipe is seen by the reading thread too, which tells.
        with suppress(OSError, ValueError):
            while (message := self._outgoing.get()) is not None:
                write_message(self.process.stdin, *message)

    def _read(self, handle: "Recogniser", loop: asyncio.AbstractEventLoop) -> None:
        # Once the loop has ended nobody waits for an answer.
        with suppress(RuntimeError):
            with suppress(OSError, ValueError):
                while (message := read_message(self.process.stdout)) is not None:
                    loop.call_soon_threadsafe(handle._answered, self, message[0])
            loop.call_soon_threadsafe(handle._died, self)


def _decoding(answer: Mapping[str, Any]) -> Decoding:
    words = [
        HeardWord(text, start, end, confidence, written=written)
        for text, start, end, confidence, written in answer["words"]
    ]
    return Decoding(
        words,
        no_speech=answer["no_speech"],
        logprob=answer["logprob"],
        language=answer["language"],
        language_confidence=answer["language_confidence"],
    )


class Recogniser:
    """The queue of windows and the process that decodes them; to be used from one event loop."""

    def __init__(self, workers: int | None = None) -> None:
        cores = workers or os.cpu_count() or 1
        self.workers = min(cores, _MAX_WORKERS)
        self._threads = max(1, cores // self.workers)
        self._connection: _RunningProcess | None = None
        self._attached = False
        self._waiting: list[_PendingDecode] = []
        self._running: dict[int, _PendingDecode] = {}
        self._numbers = itertools.count()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The id of the process, if one runs."""
        return self._connection.process.pid if self._connection else None

    def start(self, model: LocalModel | None = None) -> None:
        """Start the process and let it load `model`; returns at once."""
        self._connection = _RunningProcess(self.workers, self._threads)
        if model is not None:
            write_message(self._connection.process.stdin, {"op": "load", "model": str(model.path)})

    async def decode(
        self,
        model: LocalModel,
        samples: bytes,
        options: DecodeOptions | None = None,
        *,
        priority: Priority = Priority.FILE,
        retry: bool = False,
        key: object = None,
    ) -> Decoding:
        """Return what is heard in a window of at most 30 s of float32 samples at 16 kHz.

        `key` names the window for `hurry`. Raises ProcessDied, RecogniserError, and LookupError for a language
        that the model does not know.
        """
        header = {"op": "decode", "model": str(model.path), "options": asdict(options or DecodeOptions())}
        return _decoding(await self._ask(header, samples, priority, retry=retry, key=key))

    async def align(
        self, model: LocalModel, samples: bytes, words: Sequence[str], language: str
    ) -> Sequence[Attended]:
        """Return when each word of a text is said in a window of at most 30 s of float32 samples at 16 kHz.

        Raises ProcessDied, RecogniserError, and LookupError for a language that the model does not know.
        """
        header = {"op": "align", "model": str(model.path), "words": list(words), "language": language}
        answer = await self._ask(header, samples, Priority.FILE, retry=True)
        return [Attended(*times) for times in answer["times"]]

    async def _ask(
        self,
        header: Mapping[str, Any],
        samples: bytes,
        priority: Priority,
        *,
        retry: bool,
        key: object = None,
    ) -> Mapping[str, Any]:
        answer = asyncio.get_running_loop().create_future()
        job = _PendingDecode(priority, next(self._numbers), header, samples, answer, retry, key)
        heapq.heappush(self._waiting, job)
        self._dispatch()
        try:
            return await job.answer
        finally:
            if not job.answer.done() or job.answer.cancelled():
                self._forget(job)

    def close(self) -> None:
        """End the process; windows that wait are never answered."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def hurry(self, key: object) -> None:
        """Serve a window like a final from now on, if it still waits."""
        for job in self._waiting:
            if job.key is key:
                job.priority = Priority.FINAL
        heapq.heapify(self._waiting)

    def _forget(self, job: _PendingDecode) -> None:
        """Take a cancelled job out of the queue; one that is being decoded keeps its worker until then."""
        if job.number not in self._running and job in self._waiting:
            self._waiting.remove(job)
            heapq.heapify(self._waiting)

    def _dispatch(self) -> None:
        """Hand the process as many windows as it has workers."""
        while self._waiting and len(self._running) < self.workers and not self._closed:
            if any(job.alone for job in self._running.values()):
                return
            if self._waiting[0].alone and self._running:
                return
            job = heapq.heappop(self._waiting)
            self._running[job.number] = job
            self._connected().send({**job.header, "id": job.number}, job.samples)

    def _connected(self) -> _RunningProcess:
        if self._connection is None:
            self._connection = _RunningProcess(self.workers, self._threads)
            self._attached = False
        if not self._attached:
            self._connection.attach(self, asyncio.get_running_loop())
            self._attached = True
        return self._connection

    def _answered(self, connection: _RunningProcess, answer: Mapping[str, Any]) -> None:
        if connection is not self._connection:
            return
        job = self._running.pop(answer["id"])
        if not job.answer.done():
            if "lookup" in answer:
                job.answer.set_exception(LookupError(answer["lookup"]))
            elif "error" in answer:
                job.answer.set_exception(RecogniserError(answer["error"]))
            else:
                job.answer.set_result(answer)
        self._dispatch()

    def _died(self, connection: _RunningProcess) -> None:
        if connection is not self._connection or self._closed:
            return
        self._connection = None
        # Its reading thread is the one that told and has ended; the writing one ends here.
        connection.close()
        for job in self._running.values():
            if job.answer.done():
                continue
            if job.retry and not job.alone:
                job.alone = True
                heapq.heappush(self._waiting, job)
            else:
                job.answer.set_exception(ProcessDied("The recogniser's process has gone."))
        self._running.clear()
        self._dispatch()
