"""The audio of a stream on its way out: what a connection gets next, and when it may have it."""

from dgcli.live.messages import Link
from dgcli.live.pace import Limiter
from dgcli.live.replay_buffer import Cut, ReplayBuffer
from dgcli.live.settings import Clock
from dgcli.live.tap import Tap

_FRAMES = 64  # sent before looking at what has arrived


class Transmission:
    """Sends what the replay buffer holds over one connection after another; for the sender's thread only.

    After a connection was opened nothing goes out faster than `catch_up` times real time, until it has all.
    """

    def __init__(self, replay: ReplayBuffer, tap: Tap, clock: Clock, catch_up: float) -> None:
        self.high = 0  # position up to which audio was ever sent
        self.seconds = 0.0  # sent, without what was sent again
        self._replay = replay
        self._tap = tap
        self._clock = clock
        self._catch_up = catch_up
        self._limiter = Limiter(catch_up)
        self._catching_up = False

    def begin(self, link: Link, now: float, *, limited: bool) -> Cut:
        """Let a connection take the stream up where the finals end."""
        cut = self._replay.cut()
        link.begun = link.sent = cut.position
        link.offset = cut.time
        link.floors = self._replay.floors()
        head = self._replay.head
        link.head = head if head and link.begun >= len(head) else b""
        self._catching_up = limited
        self._limiter = Limiter(self._catch_up)
        self._limiter.next = now
        return cut

    def send(self, link: Link, *, last: bool) -> None:
        """Send what may be sent now; `last`: no more comes from the source. Raises `ConnectionEnded`."""
        if link.head:
            link.connection.send_audio(link.head)
            link.head = b""
        for _ in range(_FRAMES):
            now = self._clock.now()
            size = self._replay.frame_size(link.sent, last=last)
            if not size:
                self._catching_up = False
                return
            if self._catching_up and self._limiter.next > now:
                return
            data = self._replay.read(link.sent, size)
            link.connection.send_audio(data)
            before = self._replay.seconds(link.sent)
            link.sent += size
            link.last_sent = self._clock.now()
            after = self._replay.seconds(link.sent)
            if self._catching_up:
                self._limiter.sent(max(0.0, after - before), now)
            if link.sent > self.high:
                self._tap.pass_on(data[self.high - link.sent :])
                self.high = link.sent
                self.seconds = max(self.seconds, after)

    def due(self, link: Link, now: float, *, last: bool) -> float | None:
        """Return when there is something to send; None while there is nothing."""
        if not self._replay.frame_size(link.sent, last=last):
            return None
        return self._limiter.next if self._catching_up else now

    def end(self) -> None:
        """Pass on what was sent but not yet passed on, and count it all."""
        self._tap.flush()
        self.seconds = max(self.seconds, self._replay.seconds(self.high))
