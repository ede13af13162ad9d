"""What the tests of the streamer stand on: servers, sources, and a look at the threads that are left."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
import trustme

from dgcli.audio.base import AudioFormat, Pace
from dgcli.live.streamer import Clock, Streamer, StreamSettings
from dgcli.transcript.events import Closed, Event, Final, Notice
from tests.conftest import HANGS_AFTER, stream_threads
from tests.live.server import RATE, Fault, NumberedServer

HEADERS = {"Authorization": "Token secret", "User-Agent": "dgcli"}


class Blocks:
    """A source of blocks that are there already."""

    name = "blocks"
    duration = None

    def __init__(
        self, data: bytes, *, channels: int = 1, pace: Pace = Pace.REAL_TIME, seconds: float = 0.1
    ) -> None:
        self.pace = pace
        self._format = AudioFormat("linear16", RATE, channels)
        self._data = data
        self._size = round(seconds * RATE) * 2 * channels
        self._stopped = False

    def open(self) -> AudioFormat:
        return self._format

    def blocks(self) -> Iterator[bytes | Notice]:
        for at in range(0, len(self._data), self._size):
            if self._stopped:
                return
            yield self._data[at : at + self._size]

    def stop(self) -> None:
        self._stopped = True


class Pushed:
    """A source that a test feeds: bytes, notices, an exception to raise, or None for the end."""

    name = "pushed"
    duration = None

    def __init__(self, *, channels: int = 1, pace: Pace = Pace.FREE) -> None:
        self.pace = pace
        self._format = AudioFormat("linear16", RATE, channels)
        self._queue: SimpleQueue[bytes | Notice | BaseException | None] = SimpleQueue()
        self.push = self._queue.put

    def open(self) -> AudioFormat:
        return self._format

    def blocks(self) -> Iterator[bytes | Notice]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def stop(self) -> None:
        self._queue.put(None)


Make = Callable[..., NumberedServer]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Every thread of the streamer ends with its test."""
    yield
    own = stream_threads()
    for thread in own:
        thread.join(2)
    assert not [thread.name for thread in own if thread.is_alive()]


@pytest.fixture
def make_server() -> Iterator[Make]:
    """Start a server that numbers audio; any number of them."""
    made: list[NumberedServer] = []

    def make(*plan: Fault, **options: object) -> NumberedServer:
        made.append(NumberedServer(*plan, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server at localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_cert(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def stream(source: Blocks | Pushed, url: str, *, rate: float = 1.0, **settings: object) -> Streamer:
    """A streamer of a source to a server, with a clock that is so many times as fast."""
    made = StreamSettings(url=url, headers=HEADERS, **settings)  # type: ignore[arg-type]
    return Streamer(source, source.open(), made, clock=Clock(rate))


def collect(streamer: Streamer, timeout: float = HANGS_AFTER) -> list[Event]:
    """Every event up to Closed."""
    events: list[Event] = []
    until = time.monotonic() + timeout
    with streamer:
        while not streamer.closed:
            event = streamer.next_event(0.2)
            if event is not None:
                events.append(event)
            assert time.monotonic() < until, f"no end; so far {events[-5:]}"
    assert isinstance(events[-1], Closed)
    return events


def until(
    streamer: Streamer, kind: type[Event] | tuple[type[Event], ...], timeout: float = HANGS_AFTER
) -> Event:
    """The next event of a kind, or of one of several."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        event = streamer.next_event(0.2)
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind} in time")


def said(events: list[Event], channel: int = 0) -> list[int]:
    """The numbers of the finals of a channel."""
    return [
        int(word.word)
        for event in events
        if isinstance(event, Final) and event.channel == channel
        for word in event.words
    ]
