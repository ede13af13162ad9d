"""What --record DIR keeps of each request: its audio as it arrived, query, and headers without the key."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from dgcli.errors import UsageError

_SECRET = frozenset([b"authorization", b"sec-websocket-protocol", b"cookie", b"proxy-authorization"])


def make_folder(folder: Path) -> None:
    """Create the folder for recordings; its files are for the owner's eyes. Raises `UsageError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"Requests cannot be recorded in {folder}: {error.strerror}.", hint="Name a folder with --record."
        ) from error


def open_private(path: Path) -> int:
    """Create a file that only its owner can read; returns the descriptor. One that is there already is an OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def describe(scope: Any, request_id: str) -> dict[str, Any]:
    """Return what is known of a request when it arrives (an ASGI scope), without the key."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {
        "request_id": request_id,
        "method": scope.get("method", "GET"),
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in headers
            if name.lower() not in _SECRET
        },
    }


def write_facts(folder: Path, facts: dict[str, Any]) -> Path:
    """Write the JSON file of a request; returns its path."""
    path = folder / f"{facts['request_id']}.json"
    with os.fdopen(open_private(path), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
    return path


def keep(folder: Path, facts: dict[str, Any], audio: Path) -> Path:
    """Copy the audio of a request and write its facts; blocks. Returns where the audio is."""
    name = f"{facts['request_id']}.audio"
    with audio.open("rb") as source, os.fdopen(open_private(folder / name), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    write_facts(folder, {**facts, "audio": name, "bytes": audio.stat().st_size})
    return folder / name


class StreamRecording:
    """What is kept of a stream: the bytes as they arrive, and at the end the facts."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._folder = folder
        self._facts = facts
        self.path = folder / f"{facts['request_id']}.audio"
        self._file: IO[bytes] = os.fdopen(open_private(self.path), "wb")

    def write(self, data: bytes) -> None:
        """Keep a block."""
        self._file.write(data)

    def close(self, size: int, duration: float) -> None:
        """Write the facts: how many bytes there were, and seconds of audio."""
        self._file.close()
        facts = {**self._facts, "audio": self.path.name, "bytes": size, "duration": duration}
        write_facts(self._folder, facts)
