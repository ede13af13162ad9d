"""Worker processes: started early, used by one job at a time, replaced when they crash."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import dgcli
from dgcli.server.engines.base import NotAudioError
from dgcli.server.engines.worker import read_message, write_message


class WorkerError(Exception):
    """A worker crashed, or its job failed."""


class Worker:
    """One process and the two pipes to it."""

    def __init__(self, module: str = "dgcli.server.engines.worker") -> None:
        # The worker finds this very package, wherever it was imported from; -P keeps modules that happen
        # to lie in the working directory out.
        root = str(Path(dgcli.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # A group of its own: Ctrl-C in a terminal must not reach it even before it can ignore the signal.
        group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            **group,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def call(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Send a job and wait for its answer; blocks. Raises WorkerError when the process is gone."""
        try:
            write_message(self.stdin, job)
            answer = read_message(self.stdout)
        except (OSError, ValueError) as error:
            raise WorkerError("The recogniser's process has gone.") from error
        if answer is None:
            raise WorkerError("The recogniser's process has gone.")
        return answer[0]

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process and free what it held."""
        self._process.kill()
        self._process.wait()
        for pipe in (self.stdin, self.stdout):
            with suppress(OSError):
                pipe.close()


class Pool:
    """A number of workers and the jobs that wait for one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._slots = asyncio.Semaphore(size)
        # A thread waits for each busy worker; these never take one from the rest of the server.
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="recogniser")

    def start(self) -> None:
        """Start every worker; returns before they have loaded their model."""
        while len(self._all) < self.size:
            self._idle.append(self._spawn())

    def _spawn(self) -> Worker:
        # Always called from a thread that lives as long as the pool: on Linux a worker ends when the
        # thread that started it does.
        worker = Worker()
        self._all.add(worker)
        return worker

    def _bury(self, worker: Worker) -> None:
        self._all.discard(worker)
        worker.close()

    def _next(self) -> Worker:
        """A worker that is alive: one that died while it was idle has cost no job."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._bury(worker)
        return self._spawn()

    async def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Do one job in the next free worker.

        Cancelling kills the worker, whatever it is in the middle of. Raises NotAudioError, and WorkerError
        when the worker crashed or reported a failure.
        """
        async with self._slots:
            worker = self._next()
            loop = asyncio.get_running_loop()
            try:
                answer = await loop.run_in_executor(self._threads, worker.call, job)
            except BaseException:
                self._bury(worker)
                raise
            self._idle.append(worker)
        if answer.get("error") == "not audio":
            raise NotAudioError
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        """End all workers."""
        for worker in list(self._all):
            self._bury(worker)
        self._idle.clear()
        self._threads.shutdown()
