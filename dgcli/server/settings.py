"""What a server can be told."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dgcli.server.models import Models


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True)
class ServerSettings:
    """Settings of one server.

    `port` 0 takes a free one. `engine` is a name of `engines.registry()`; `response` is the saved answer
    that `replay` speaks. `require_key`: only requests with this key are served (None: all are).
    `record`: a folder that keeps every request. `allow_private_urls`: {"url"} and callbacks may name
    addresses that are not public, and callbacks any port. `max_bytes`: the API's limit is 2 GB. Times are
    in seconds: `idle_timeout` is how long a live stream may be without a message of its client (or without
    any audio since it was opened), `response_timeout` how long with audio but no message to the client.
    `models`: where the recogniser finds its weights. `max_seconds`: how much audio one request may decode to.
    `on_progress` is told, in the server's thread, the share (0-1) of a recording that has been recognised.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    engine: str = "whisper"
    response: Path | None = None
    require_key: str | None = None
    record: Path | None = None
    allow_private_urls: bool = False
    max_bytes: int = 2 * 1024**3
    workers: int = field(default_factory=_cores)
    callback_retry_delay: float = 30.0
    idle_timeout: float = 10.0
    response_timeout: float = 60.0
    models: Models | None = None
    max_seconds: float = 24 * 3600.0
    on_progress: Callable[[float], None] | None = None
