"""Answers of the API, kept in the cache folder so that the same audio with the same query is paid for once.

One file for each, readable by its owner only, named by the hash of the audio, the query and who answered. Off
unless `--cache` asks for it: transcripts may be confidential.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from dgcli.errors import OutputError
from dgcli.output.files import write_file

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Contents:
    """The number of answers, and their size in bytes."""

    answers: int
    size: int


def cache_folder() -> Path:
    """Return the folder of the answers."""
    from platformdirs import user_cache_path

    return user_cache_path("dgcli", appauthor=False) / "responses"


class HasBody(Protocol):
    """An answer with a body, which is all the cache needs."""

    @property
    def body(self) -> bytes:
        """The response, unchanged."""


A = TypeVar("A", bound=HasBody)


class ResponseCache:
    """Answers by audio hash and query; safe for several threads and processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()
        self._lock = threading.Lock()
        self._asking: dict[Path, threading.Lock] = {}

    def _path(self, sha256: str, query: str) -> Path:
        key = hashlib.sha256(f"{sha256} {query}".encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / key[:2] / f"{key}{_SUFFIX}"

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """Let a second recording with the same bytes wait for the first one's answer."""
        with self._lock:
            lock = self._asking.setdefault(path, threading.Lock())
        try:
            with lock:
                yield
        finally:
            with self._lock:
                self._asking.pop(path, None)

    def answer(self, sha256: str, query: str, ask: Callable[[], A], *, from_body: Callable[[bytes], A]) -> A:
        """The answer for audio with this hash: the one that is kept, else the one that `ask` gets, kept then.

        `from_body` makes an answer of a body that was kept.

        An answer that cannot be kept is still given.
        """
        from dgcli.transcript.response import callback_id

        path = self._path(sha256, query)
        with self._alone(path):
            with suppress(OSError):
                return from_body(path.read_bytes())
            fresh = ask()
            if callback_id(fresh.body) is None:
                with suppress(OSError, OutputError):
                    self._put(path, fresh.body)
        return fresh

    def _put(self, path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        write_file(path, body, private=True)

    def contents(self) -> Contents:
        """Count the answers in the cache."""
        sizes = [path.stat().st_size for path in self.folder.glob(f"*/*{_SUFFIX}")]
        return Contents(len(sizes), sum(sizes))

    def clear(self) -> Contents:
        """Delete every answer; return what was there. Raises `OutputError`."""
        before = self.contents()
        try:
            for path in self.folder.glob("*/*"):
                path.unlink(missing_ok=True)
            for folder in self.folder.glob("*"):
                folder.rmdir()
        except OSError as error:
            raise OutputError(f"The cache {self.folder} cannot be cleared: {error.strerror}.") from error
        return before
