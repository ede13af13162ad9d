"""The audio of a stream as the sender holds it: what was taken, what is covered, what may be needed again."""

import math
from dataclasses import dataclass

from dgcli.audio.base import AudioFormat
from dgcli.errors import AudioError
from dgcli.live.coverage import Coverage
from dgcli.live.journal import Journal
from dgcli.live.listen_v1 import ListenV1
from dgcli.live.messages import Block
from dgcli.live.protocol import FrameLengths
from dgcli.live.timeline import Timeline
from dgcli.transcript.events import Final

SHORTEST = 0.02  # seconds: what is shorter is not worth a frame
_USUAL = ListenV1.frames
_UNKNOWN_FRAME = 8192  # bytes of a frame whose duration nobody knows
_OPAQUE_KEPT = 64 << 20  # bytes of a container that can only be begun at its beginning
_IN_MEMORY = 16 << 20  # bytes of the journal, where they say nothing about seconds


@dataclass(frozen=True, slots=True)
class Cut:
    """The place where a connection takes the stream up: byte position and its time."""

    position: int
    time: float
    missing_from: float | None = None  # the time from which on audio is missing before that, if any is


class ReplayBuffer:
    """Audio taken from a source, until finals cover it. Positions are bytes, times seconds of the stream."""

    def __init__(self, audio: AudioFormat, journal_seconds: float, frames: FrameLengths = _USUAL) -> None:
        self._audio = audio
        self._frames = frames
        self._timeline = Timeline(audio)
        rate = audio.byte_rate
        self._journal = Journal(int(rate * journal_seconds) if rate else _IN_MEMORY)
        self._coverage = Coverage()
        self.head = b""  # to be sent before anything but the beginning
        self.exact = self._timeline.exact
        self._opaque = not self.exact and not self._timeline.framed

    @property
    def end(self) -> int:
        """Position after the last byte taken."""
        return self._journal.end

    @property
    def covered(self) -> float:
        """The time up to which finals cover every channel."""
        return self._coverage.end

    @property
    def uncovered(self) -> float:
        """Seconds of audio taken that no final covers."""
        return self.seconds(self.end) - self.covered

    @property
    def settled(self) -> bool:
        """Whether finals cover all that was taken. Nobody can tell of bytes whose duration nobody knows."""
        return self.uncovered < SHORTEST and (not self._opaque or self.end == 0)

    def floors(self) -> dict[int, float]:
        """The end of each channel's finals."""
        return self._coverage.floors()

    def seconds(self, position: int) -> float:
        """The time of a position."""
        return self._timeline.seconds(position)

    def append(self, block: Block, sent: int) -> None:
        """Take more audio; `sent` is the position up to which it was ever sent."""
        self._journal.append(block.data)
        self._timeline.add(block.marks)
        self.head = block.head
        if self._opaque and self.end - self._journal.start > _OPAQUE_KEPT:
            self._journal.forget(sent)

    def heard(self, channels: int, size: int, seconds: float) -> None:
        """The server spoke of so many channels, and has heard so many seconds of so many bytes."""
        self._coverage.saw(channels)
        self._timeline.heard(size, seconds)

    def confirm(self, final: Final, sent: int) -> bool:
        """Take a final of a connection that was sent up to a position; whether it covers anything new."""
        # Where the time of a byte is an estimate it says nothing against the server's own.
        most = self.seconds(sent) if self.exact else math.inf
        return self._coverage.confirm(final, most) and self._forget(sent)

    def skip(self, channel: int, until: float, sent: int) -> bool:
        """Nothing was said on a channel up to a time; whether that covers anything new."""
        most = self.seconds(sent) if self.exact else math.inf
        return self._coverage.reach(channel, min(until, most)) and self._forget(sent)

    def _forget(self, sent: int) -> bool:
        """Give up audio that is covered on every channel."""
        if not self._opaque:
            kept = min(self._timeline.begin(self.covered).position, sent)
            self._journal.forget(kept)
            self._timeline.forget(kept)
        return True

    def cut(self) -> Cut:
        """Return where a new connection begins: at the end of the finals, or as near to it as possible."""
        mark = self._timeline.begin(self.covered)
        if mark.position >= self._journal.start:
            return Cut(mark.position, mark.time)
        start = self._journal.start
        time = self.seconds(start)
        return Cut(start, time, self.covered if time - self.covered >= SHORTEST else None)

    def frame_size(self, position: int, *, last: bool) -> int:
        """Return the size (bytes) of the frame at a position; 0 when there is too little.

        `last` means that no more will come: the frame may be shorter than the shortest.
        """
        waiting = self.end - position
        rate, step = self._timeline.rate, self._audio.frame_bytes or 1
        if not rate:
            return min(waiting, _UNKNOWN_FRAME)
        if waiting < int(rate * self._frames.shortest) // step * step:
            return waiting if last else 0
        if waiting <= rate * self._frames.longest:
            return waiting
        return max(step, int(rate * self._frames.usual) // step * step)

    def read(self, position: int, size: int) -> bytes:
        """Audio from a position. Raises `AudioError` when the disk does not give it back."""
        try:
            return self._journal.read(position, size)
        except OSError as error:
            raise AudioError(f"Audio that was put aside cannot be read again: {error}.") from error

    def close(self) -> None:
        """Drop everything."""
        self._journal.close()
