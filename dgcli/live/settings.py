"""The settings of a stream, and its clock."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dgcli.errors import UsageError
from dgcli.live.listen_v1 import ListenV1
from dgcli.live.protocol import ListenProtocol
from dgcli.transcript.response import MOST_CHANNELS


class Clock:
    """Seconds that only grow. A `rate` above 1 makes every second of the stream shorter than a real one.

    All time-outs of the streamer are stream seconds: `real` says how long to wait for so many of them.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate

    def now(self) -> float:
        """The time in stream seconds, from an arbitrary start."""
        return time.monotonic() * self._rate

    def real(self, seconds: float) -> float:
        """Convert stream seconds to real seconds; never negative."""
        return max(0.0, seconds / self._rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """The settings of a stream. All times are seconds; speeds are multiples of real time.

    Raises `UsageError` for invalid values. Source of the numbers: Deepgram reference, "Audio
    Keep Alive" (a message every 3 to 5 s), "Recovering From Connection Errors" (catching up at most 1.25
    times as fast as real time), "WebSocket, NET, and DATA Errors" (10 s without a message end a connection).
    """

    url: str  # ws:// or wss://, with the query
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds the key: never printed
    protocol: ListenProtocol = field(default_factory=ListenV1)  # of the endpoint in `url`
    ssl_context: ssl.SSLContext | None = None  # None: `dgcli.api.tls.context(ca_cert)`
    ca_cert: Path | None = None

    channels: int = MOST_CHANNELS  # that results may be of
    diarized: bool = False  # the words have speakers: whose numbers begin anew on a new connection
    speed: float = 1.0  # of a source at real-time pace
    max_speed: float = 1.25  # of catching up, and of a pipe

    reconnect: bool = True
    max_reconnects: int = 10  # tries since the last new final
    first_tries: int = 3  # tries while no connection was ever open: a wrong host name ends soon
    backoff: float = 0.5  # before the second try; doubled for each further one
    backoff_max: float = 15.0

    duration: float | None = None  # of audio; then a planned stop
    stop_after_silence: float | None = None  # without a word; then a planned stop
    tap: Callable[[bytes], None] | None = None  # takes what was sent, once and in order, on the main thread

    keepalive: float = 4.0  # without anything sent: a KeepAlive message
    ping_every: float = 5.0
    dead_after: float = 12.0  # without anything received: a half-open connection
    connect_timeout: float = 10.0
    send_timeout: float = 5.0
    configure_timeout: float = 10.0  # for the answer to Configure; then the next one may be sent
    close_timeout: float = 10.0  # after CloseStream, without any message
    stop_timeout: float = 3.8  # for all that a stop does: with what may hang beyond, under 5 s
    journal_seconds: float = 600.0  # of unconfirmed audio in memory, the rest on disk

    def __post_init__(self) -> None:
        positive = ("speed", "max_speed", "keepalive", "ping_every", "dead_after", "connect_timeout")
        for name in (*positive, "send_timeout", "close_timeout", "stop_timeout"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be more than 0, not {getattr(self, name)}.")
        for name in ("duration", "stop_after_silence"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} must be more than 0, not {value}.")
        if self.max_reconnects < 0:
            raise UsageError(f"max_reconnects must not be negative: {self.max_reconnects}.")

    @property
    def catch_up(self) -> float:
        """The speed of audio that waited: above real time, or above the speed that was asked for."""
        return self.max_speed * max(1.0, self.speed)
