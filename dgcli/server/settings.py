"""What a server can be told."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dgcli.server.models import Models


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of one server.

    `port` 0 takes a free one. `engine` is a name of `engines.registry()`; `response` is the saved answer
    that `replay` speaks. `require_key`: only requests with this key are served (None: all are).
    `record`: a folder that keeps every request. `allow_private_urls`: {"url"} and callbacks may name
    addresses that are not public, and callbacks any port. `allow_hosts` and `allow_origins`: names that this
    server goes by, and origins of web pages that it serves, beside those of this machine.

    `max_bytes` of one body (the API's limit is 2 GB), `max_seconds` of audio in one request once it is decoded,
    `max_streams` and `max_connections` at once (fewer where the process may not open as many files).

    Times are in seconds: `head_timeout` is how long the head of a request may take, `body_timeout` how far a
    body may lag behind 500 bytes a second, `idle_timeout` how long a live stream may be without a message of
    its client (or without any audio since it was opened), `flux_idle_timeout` how long a stream of turns
    without a message or a ping, `response_timeout` how long with audio but no message
    to the client, or with a message that the client does not read. `models`: where the recogniser finds its
    weights. `on_progress` is told, in the server's thread, the share (0-1) of a recording that has been recognised.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    engine: str = "whisper"
    response: Path | None = None
    require_key: str | None = None
    record: Path | None = None
    allow_private_urls: bool = False
    allow_hosts: Sequence[str] = ()
    allow_origins: Sequence[str] = ()
    max_bytes: int = 2 * 1024**3
    max_seconds: float = 24 * 3600.0
    max_streams: int = 32
    max_connections: int = 512
    workers: int = field(default_factory=_cores)
    callback_retry_delay: float = 30.0
    head_timeout: float = 15.0
    body_timeout: float = 30.0
    idle_timeout: float = 10.0
    flux_idle_timeout: float = 60.0
    response_timeout: float = 60.0
    models: Models | None = None
    on_progress: Callable[[float], None] | None = None
