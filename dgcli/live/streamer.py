"""A live stream: audio goes out, events come in, and no word is lost.

Four threads, each with one thing that it waits for: the source's (`feeder`), the sender's (`sender`, which
owns the state), one that connects and receives (`link`), and the main thread, which takes events off one
queue here and drives the sinks, so that these need no locks.
"""

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import TracebackType

from dgcli.api.refusals import unfinished
from dgcli.audio.base import AudioFormat, Source
from dgcli.live import messages
from dgcli.live.configuration import Configuration
from dgcli.live.sender import Sender
from dgcli.live.settings import Clock, StreamSettings
from dgcli.live.state import State
from dgcli.live.stats import Counter, Latency, StreamStats
from dgcli.transcript.events import Closed, Event

__all__ = ["Clock", "Configuration", "Latency", "State", "StreamSettings", "StreamStats", "Streamer"]

_LOOK = 0.1  # real seconds between looks at the deadlines
_LATE = 0.5  # real seconds that the sender has, beyond its own deadline, to say that it is over
_JOIN = 0.5  # real seconds for all threads to end


class Streamer:
    """Streams an opened source; `audio_format` is what its `open` returned.

    All methods but `start`, `next_event`, `events` and `close` may be called from a signal handler, and all
    of them belong to the main thread. Nothing runs before `start`.
    """

    def __init__(
        self,
        source: Source,
        audio_format: AudioFormat,
        settings: StreamSettings,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._settings = settings
        # SimpleQueue: a signal handler may put while the thread it interrupts is putting or getting.
        self._inbox: SimpleQueue[messages.ToSender] = SimpleQueue()
        self._events: SimpleQueue[messages.ToMain] = SimpleQueue()
        self._sender = Sender(source, audio_format, settings, self._clock, self._inbox, self._events)
        self._thread = threading.Thread(target=self._sender.run, name="dgcli-sender", daemon=True)
        self._counter = Counter()
        self._started = False
        self._closed = False
        self._deadline: float | None = None  # time.monotonic(): from then on the end is not waited for

    @property
    def closed(self) -> bool:
        """Whether the stream is over and `next_event` has said so."""
        return self._closed

    @property
    def state(self) -> State:
        """The state of the stream, for a status line."""
        return self._sender.state

    @property
    def audio_seconds(self) -> float:
        """Audio sent so far, without what was sent again."""
        return self._sender.audio_seconds

    @property
    def stats(self) -> StreamStats:
        """The counts of the stream, as far as `next_event` has returned its events."""
        return self._counter.stats(self.audio_seconds)

    def start(self) -> None:
        """Start to take audio; again: nothing."""
        if not self._started:
            self._started = True
            self._thread.start()

    def stop(self, message: str = "") -> None:
        """Finish: no more audio is taken, what was captured is sent, the last finals are awaited.

        All that in `stop_timeout` seconds. Go on calling `next_event` until `Closed`. Again: nothing.
        `message` is what the STOPPING notice says.
        """
        if self._deadline is None:
            self._deadline = time.monotonic() + self._clock.real(self._settings.stop_timeout) + _LATE
            self._inbox.put(messages.Stop(message))

    def abort(self) -> None:
        """Leave at once: what has been received still comes out of `next_event`, then `Closed`."""
        self._deadline = time.monotonic() + _LATE
        self._inbox.put(messages.Abort())
        link = self._sender.link
        if link is not None:
            link.connection.abort()  # a send may be stuck

    def finalize(self, channel: int | None = None) -> None:
        """Have everything that the server holds back returned as final: of one channel, or of all."""
        self._inbox.put(messages.FinalizeNow(channel))

    def configure(self, change: Configuration) -> None:
        """Change settings while the stream runs; CONFIGURED or NOT_CONFIGURED is what the server says to it.

        What it accepted holds on every later connection too.
        """
        self._inbox.put(messages.Reconfigure(change))

    def pause(self) -> None:
        """Take no audio until `resume`; what an endless source says meanwhile is discarded."""
        self._inbox.put(messages.Pause())

    def resume(self) -> None:
        """Take audio again."""
        self._inbox.put(messages.Resume())

    def _next(self, timeout: float | None) -> messages.ToMain | None:
        """The next item; `Closed` of our own when the sender does not come to its end in time."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            now = time.monotonic()
            wait = _LOOK if until is None else min(_LOOK, max(0.0, until - now))
            try:
                return self._events.get(timeout=wait)
            except Empty:
                pass
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline:
                error = unfinished(self._settings.stop_timeout).error
                return Closed(self.audio_seconds, self._counter.connections, error)
            if until is not None and now >= until:
                return None

    def next_event(self, timeout: float | None = None) -> Event | None:
        """The next event; None after so many real seconds without one, and after `Closed`.

        Raises what a thread met that it did not expect, and what `tap` raises.
        """
        if self._closed:
            return None
        self.start()
        while True:
            item = self._next(timeout)
            match item:
                case None:
                    return None
                case messages.AudioSent():
                    if self._settings.tap is not None:
                        self._settings.tap(item.data)
                case messages.Crashed():
                    self._end()
                    raise item.error
                case _:
                    self._counter.count(item)
                    if isinstance(item, Closed):
                        self._end()
                    return item

    def events(self) -> Iterator[Event]:
        """Every event up to `Closed`, which is the last."""
        while not self._closed:
            event = self.next_event()
            if event is not None:
                yield event

    def _end(self) -> None:
        """Wait for the threads, not for ever: one may hang in a read that nothing can end."""
        self._closed = True
        until = time.monotonic() + _JOIN
        link = self._sender.link
        if link is not None:
            link.connection.abort()  # a send may be stuck
        self._thread.join(max(0.0, until - time.monotonic()))
        if link is not None:
            link.join(max(0.0, until - time.monotonic()))
        self._sender.feeder.join(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """Leave at once, whatever state the stream is in. Again: nothing."""
        if self._started and not self._closed:
            self.abort()
            self._end()
        self._closed = True

    def __enter__(self) -> "Streamer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
