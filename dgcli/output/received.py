"""The bodies that callbacks bring: each in a file of its own, on the disk before it is answered, and once.

`ID.json` is the answer to a recording, byte for byte; `ID.jsonl` has a line for each message of a stream. The id is
that of the header `dg-request-id`, else of the body; what has neither gets one of its bytes.
"""

import hashlib
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
from dgcli.transcript.json_values import mapping, string

_SAFE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """A body that was kept: the id of its request, its file, and whether more is to come (a stream's message)."""

    request_id: str
    path: Path
    is_open: bool = False
    is_known: bool = True  # what it is; other things are kept too
    is_duplicate: bool = False


def _parsed(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _id_in(message: Mapping[str, Any]) -> str:
    return string(mapping(message.get("metadata")).get("request_id")) or string(message.get("request_id"))


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
            message = _parsed(body)
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
        if path.exists():
            return ReceivedBody(request_id, path, is_duplicate=True)
        write_file(path, body, private=True)
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
                before = path.read_bytes().split(b"\n") if path.exists() else []
                self._streams[request_id] = {hashlib.sha256(old).digest() for old in before}
            heard = self._streams[request_id]
            if not is_open:
                del self._streams[request_id]  # read again from the file, should more come
            if digest in heard:
                return ReceivedBody(request_id, path, is_open, is_duplicate=True)
            is_new = not path.exists()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
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
