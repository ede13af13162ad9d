"""The bodies that callbacks bring: each in a file of its own, on the disk before it is answered, and once.

`ID.json` is the answer to a recording, byte for byte; `ID.jsonl` has a line for each message of a stream. The id is
that of the header `dg-request-id`, else of the body; what has neither gets one of its bytes.
"""

import hashlib
import io
import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgcli.errors import OutputError
from dgcli.output.files import write_file
from dgcli.system import BYTES
from dgcli.transcript.json_values import json_object, mapping, string

_BLOCK = 1 << 12
_SAFE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """A body that was kept: the id of its request, its file, and whether more is to come (a stream's message)."""

    request_id: str
    path: Path
    is_open: bool = False
    is_known: bool = True  # what it is; other things are kept too
    is_duplicate: bool = False


def _id_in(message: Mapping[str, Any]) -> str:
    return string(mapping(message.get("metadata")).get("request_id")) or string(message.get("request_id"))


def _holds(path: Path, body: bytes) -> bool:
    """Whether a body is in a file already; what is no file of its own, such as a link, holds nothing."""
    try:
        return path.is_file() and not path.is_symlink() and path.read_bytes() == body
    except OSError:
        return False


def _end_of_lines(file: io.FileIO) -> int:
    """Where the last whole line of a file ends."""
    at = file.seek(0, os.SEEK_END)
    while at:
        begin = max(0, at - _BLOCK)
        file.seek(begin)
        if (last := file.read(at - begin).rfind(b"\n")) >= 0:
            return begin + last + 1
        at = begin
    return 0


def _add_line(path: Path, line: bytes) -> None:
    """Add a line to a file that no link leads to, whole or not at all. Raises `OSError`.

    What follows the last line feed was cut off when it was written, and its sender has no answer: it goes.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | BYTES
    with io.FileIO(os.open(path, flags, 0o600), "r+") as file:
        end = _end_of_lines(file)
        file.truncate(end)
        file.seek(end)
        left = memoryview(line + b"\n")
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the system can."""
    with suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class ReceivedBodies:
    """Keeps bodies in a folder; `tell` hears of each, in whatever thread it came."""

    def __init__(self, folder: Path, tell: Callable[[ReceivedBody], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._lock = threading.Lock()
        self._streams: dict[str, set[bytes]] = {}  # digests of the messages of streams that have not ended
        self._last = ""  # the stream that spoke last

    def keep(self, body: bytes, headers: Mapping[str, str]) -> ReceivedBody:
        """Keep a body that came with these headers. Raises `OutputError`."""
        with self._lock:
            message = json_object(body)
            named = headers.get("dg-request-id", "")
            if message is not None and "type" in message and "results" not in message:
                kept = self._append(message, body, named)
            else:
                kept = self._write(message, body, named)
            self._tell(kept)
            return kept

    def _write(self, message: Mapping[str, Any] | None, body: bytes, named: str) -> ReceivedBody:
        known = message or {}
        request_id = self._safe(named or _id_in(known), body)
        path = self._folder / f"{request_id}{'.json' if message is not None else '.body'}"
        if os.path.lexists(path) and not _holds(path, body):  # of somebody else: both are kept
            request_id = f"{request_id}-{hashlib.sha256(body).hexdigest()[:8]}"
            path = path.with_stem(request_id)
        if _holds(path, body):
            return ReceivedBody(request_id, path, is_known=message is not None, is_duplicate=True)
        write_file(path, body, private=True, new=True)
        _sync_folder(self._folder)
        return ReceivedBody(request_id, path, is_known=message is not None)

    def _append(self, message: Mapping[str, Any], body: bytes, named: str) -> ReceivedBody:
        """Add a message of a stream; one that names no stream (SpeechStarted) is of the one that spoke last."""
        request_id = self._safe(named or _id_in(message) or self._last, body)
        self._last = request_id
        path = self._folder / f"{request_id}.jsonl"
        line = body.strip()
        if b"\n" in line or b"\r" in line:
            line = json.dumps(message, separators=(",", ":")).encode()
        digest = hashlib.sha256(line).digest()
        is_open = message.get("type") != "Metadata"
        try:
            if request_id not in self._streams:
                before = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
                self._streams[request_id] = {hashlib.sha256(old).digest() for old in before}
            heard = self._streams[request_id]
            if not is_open:
                del self._streams[request_id]  # read again from the file, should more come
            if digest in heard:
                return ReceivedBody(request_id, path, is_open, is_duplicate=True)
            is_new = not path.exists()
            _add_line(path, line)
            heard.add(digest)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
        if is_new:
            _sync_folder(self._folder)
        return ReceivedBody(request_id, path, is_open)

    @staticmethod
    def _safe(request_id: str, body: bytes) -> str:
        """An id that is a file name, and nobody's path."""
        return request_id if _SAFE.fullmatch(request_id) else f"body-{hashlib.sha256(body).hexdigest()[:16]}"
