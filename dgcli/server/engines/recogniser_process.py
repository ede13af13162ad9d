"""The recogniser's process: `python -m dgcli.server.engines.recogniser_process`, driven by recogniser.py.

It loads models as they are named and keeps the last ones, as far as memory allows; its workers decode one
window each, so that all of them share one copy of the weights.
"""

import os
import queue
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dgcli.server.engines.decoding import DecodeOptions
from dgcli.server.engines.messages import claim_stdout, end_with_parent, read_message, write_message

if TYPE_CHECKING:
    from dgcli.server.engines.whisper import Whisper

_KEPT_BYTES = 1 << 30  # of weights on disk that stay loaded together; the one in use always does


class _LoadedModels:
    """The models that are loaded, the one used last at the end."""

    def __init__(self, workers: int, threads: int) -> None:
        self._workers = workers
        self._threads = threads
        self._loaded: dict[str, tuple[int, Whisper]] = {}
        self._lock = threading.Lock()

    def get(self, folder: str) -> "Whisper":
        from dgcli.server.engines.whisper import Whisper

        with self._lock:
            size, model = self._loaded.pop(folder, (0, None))
            if model is None:
                size = (Path(folder) / "model.bin").stat().st_size
                while self._loaded and sum(kept for kept, _ in self._loaded.values()) + size > _KEPT_BYTES:
                    del self._loaded[next(iter(self._loaded))]
                model = Whisper(folder, workers=self._workers, threads=self._threads)
            self._loaded[folder] = size, model
            return model


class _Worker(threading.Thread):
    """Decodes windows until the process ends."""

    def __init__(
        self,
        jobs: "queue.SimpleQueue[tuple[dict[str, Any], bytes]]",
        models: _LoadedModels,
        out: IO[bytes],
        lock: threading.Lock,
    ) -> None:
        super().__init__(daemon=True)
        self._jobs = jobs
        self._models = models
        self._out = out
        self._lock = lock

    def run(self) -> None:
        while True:
            header, payload = self._jobs.get()
            try:
                model = self._models.get(header["model"])
                if header["op"] == "load":
                    continue
                if header["op"] == "align":
                    answer = model.align(payload, header["words"], header["language"])
                else:
                    answer = model.decode(payload, DecodeOptions(**header["options"]))
            except LookupError as error:
                answer = {"lookup": str(error)}
            except Exception as error:  # told to whoever waits; the process lives on
                answer = {"error": f"{type(error).__name__}: {error}"}
                if header["op"] == "load":
                    continue  # whoever needs the model is told then
            with self._lock:
                write_message(self._out, {"id": header["id"], **answer})


def main() -> None:
    """Decode windows until the pipe ends."""
    end_with_parent()
    out = claim_stdout()
    workers, threads = int(os.environ["DG_WORKERS"]), int(os.environ["DG_THREADS"])
    jobs: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
    models, lock = _LoadedModels(workers, threads), threading.Lock()
    for _ in range(workers):
        _Worker(jobs, models, out, lock).start()
    while (message := read_message(sys.stdin.buffer)) is not None:
        jobs.put(message)
    os._exit(0)  # nobody waits for what the workers are still at


if __name__ == "__main__":
    main()
