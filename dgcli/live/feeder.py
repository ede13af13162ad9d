"""The source's thread: takes its blocks, at the pace they may have, and hands them to the sender."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from dgcli.audio.base import AudioFormat, Pace, Source
from dgcli.live.messages import Block, SourceEnded, SourceNotice, ToSender
from dgcli.live.pace import Metronome
from dgcli.live.seek_points import seek_points_for
from dgcli.live.settings import Clock, StreamSettings
from dgcli.transcript.events import Notice, NoticeKind

# Blocks on their way to the sender. It takes them even while there is no connection, so this fills only
# while a send is stuck, which ends with `send_timeout`.
_ROOM = 512
_LONGEST = 0.25  # seconds of a block
_LOOK = 0.1  # real seconds between looks at whether the sender is still there


class Feeder:
    """Runs `source.blocks()` on a thread named `dgcli-source`.

    `stop`, `abandon`, `pause` and `resume` are for the sender's thread only.
    """

    def __init__(
        self,
        source: Source,
        audio: AudioFormat,
        settings: StreamSettings,
        clock: Clock,
        inbox: "SimpleQueue[ToSender]",
    ) -> None:
        self._source = source
        self._audio = audio
        self._clock = clock
        self._inbox = inbox
        self._metronome = Metronome(source.pace, settings.speed, settings.catch_up)
        self._seek_points = seek_points_for(audio)
        self._measured = 0.0
        self._left = settings.duration
        self._room = threading.Semaphore(_ROOM)
        self._stopping = threading.Event()
        self._running = threading.Event()  # not paused
        self._running.set()
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="dgcli-source", daemon=True)

    def start(self) -> None:
        """Begin to take blocks."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the thread, for so many real seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def took(self) -> None:
        """The sender has taken a block."""
        self._room.release()

    def pause(self) -> None:
        """Take no audio: an endless source is heard but discarded, another is held."""
        self._running.clear()

    def resume(self) -> None:
        """Take audio again."""
        self._running.set()

    def stop(self) -> None:
        """Take what the source has captured, and no more."""
        self._stopping.set()
        self._running.set()
        self._source.stop()

    def abandon(self) -> None:
        """Discard blocks from now on."""
        self._abandoned = True
        self.stop()

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Split audio between samples into blocks short enough to be paced."""
        rate, step = self._audio.byte_rate, self._audio.frame_bytes
        size = max(step, int(rate * _LONGEST) // step * step) if rate and step else len(data)
        for at in range(0, len(data), size):
            yield data[at : at + size]

    def _measure(self, data: bytes) -> tuple[float, Block]:
        """Return the seconds of audio in these bytes (0 where unknown), and the bytes with their seek points."""
        if self._audio.byte_rate:
            return len(data) / self._audio.byte_rate, Block(data)
        average = self._audio.average_byte_rate
        if self._seek_points is None:
            return (len(data) / average if average else 0.0), Block(data)
        marks = self._seek_points.measure(data)
        before, self._measured = self._measured, marks[-1].time if marks else self._measured
        return self._measured - before, Block(data, tuple(marks), self._seek_points.head)

    def _pass_on(self, data: bytes) -> bool:
        """Pass a piece to the sender when it is due; return whether more is wanted."""
        if not self._running.is_set():
            if self._source.pace is Pace.FREE:
                return True
            since = self._clock.now()
            self._running.wait()
            self._metronome.hold(self._clock.now() - since)
        rate = self._audio.byte_rate
        last = False
        if self._left is not None and rate:
            step = self._audio.frame_bytes or 1
            rest = max(step, round(self._left * rate) // step * step)
            last = len(data) >= rest
            data = data[:rest]
            self._left -= len(data) / rate
        seconds, block = self._measure(data)
        if self._left is not None and not rate:
            self._left -= seconds
            last = seconds > 0 and self._left <= 0
        now = self._clock.now()
        wait = self._metronome.due(seconds, now) - now
        if self._source.pace is Pace.REAL_TIME:
            if self._stopping.wait(self._clock.real(wait)) if wait > 0 else self._stopping.is_set():
                return False  # what a file holds was not said yet
        elif wait > 0:
            self._stopping.wait(self._clock.real(wait))
        while not self._room.acquire(timeout=_LOOK):
            if self._abandoned:
                return False
        self._inbox.put(block)
        if last:
            self._inbox.put(SourceNotice(Notice(NoticeKind.STOPPING, "The duration asked for is over.")))
        return not last and not self._abandoned

    def _feed(self) -> None:
        for item in self._source.blocks():
            if isinstance(item, Notice):
                self._inbox.put(SourceNotice(item))
            elif not all(self._pass_on(piece) for piece in self._pieces(item)):
                self._source.stop()
                return

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._feed()
        except BaseException as raised:  # it travels to the main thread as a value
            error = raised
        self._inbox.put(SourceEnded(error))
