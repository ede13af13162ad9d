"""Byte positions and times of a stream, and where it may be taken up again.

Raw audio with samples of a fixed size is exact. What `dgcli.live.seek_points` knows the frames of may be taken up at
each of them. Any other container can only be begun at its beginning.
"""

import bisect
from collections.abc import Sequence

from dgcli.audio.base import AudioFormat
from dgcli.live.seek_points import SeekPoint, seek_points_for


class Timeline:
    """The way between bytes and seconds of one stream.

    A stream of unknown framing has one place to begin, its beginning; how long its bytes are is estimated
    from what the server says it has heard.
    """

    # A frame of MP3 may refer to the ones before it: begin a little earlier, repeats are dropped anyway.
    _LEAD = 0.1

    def __init__(self, audio: AudioFormat) -> None:
        self._rate = audio.byte_rate
        self._step = audio.frame_bytes or 1
        self.exact = self._rate is not None
        self.framed = not self.exact and seek_points_for(audio) is not None
        self._positions = [0]
        self._times = [0.0]
        self._slope = audio.average_byte_rate or 0.0  # bytes per second, for what lies behind the last mark

    @property
    def marks(self) -> int:
        """The number of places that are remembered."""
        return len(self._positions)

    @property
    def rate(self) -> float:
        """Bytes per second: exact, or of the frames so far; 0 where they do not tell."""
        return self._rate or (self._slope if self.framed else 0.0)

    def add(self, marks: Sequence[SeekPoint]) -> None:
        """Take the marks of more audio."""
        for mark in marks:
            if mark.position > self._positions[-1]:
                self._positions.append(mark.position)
                self._times.append(mark.time)
        if marks and self._times[-1] > self._times[0]:
            self._slope = (self._positions[-1] - self._positions[0]) / (self._times[-1] - self._times[0])

    def heard(self, position: int, time: float) -> None:
        """The server has heard so many seconds of so many bytes."""
        if not self.exact and not self.framed and position > 0 and time > 1.0:
            self._slope = position / time

    def seconds(self, position: int) -> float:
        """The time of a byte position; 0 while nothing is known."""
        if self._rate:
            return position / self._rate
        index = max(0, bisect.bisect_right(self._positions, position) - 1)
        beyond = position - self._positions[index]
        return self._times[index] + (beyond / self._slope if self._slope else 0.0)

    def begin(self, time: float) -> SeekPoint:
        """The last place at or before a time where the stream may be taken up."""
        if self._rate:
            # A server's times are rounded: 6.3499994 is meant to be 6.35.
            position = int(time * self._rate + 0.25 * self._step) // self._step * self._step
            return SeekPoint(position, position / self._rate)
        lead = self._LEAD if self.framed else 0.0
        index = max(0, bisect.bisect_right(self._times, time - lead) - 1)
        return SeekPoint(self._positions[index], self._times[index])

    def forget(self, position: int) -> None:
        """Drop marks before a position, but for the last of them."""
        index = bisect.bisect_right(self._positions, position) - 1
        if index > 1000:
            del self._positions[:index]
            del self._times[:index]
