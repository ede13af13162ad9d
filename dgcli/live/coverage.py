"""Coverage of a stream's audio by finals, channel by channel: no I/O."""

import math

from dgcli.transcript.events import Final


class Coverage:
    """The end of each channel's finals, in seconds of the stream.

    What lies before the smallest of these ends has been said; everything after it may be needed again.
    """

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        self._channels = 1

    @property
    def end(self) -> float:
        """The time up to which every channel is covered."""
        return min(self._ends.get(channel, 0.0) for channel in range(self._channels))

    def floors(self) -> dict[int, float]:
        """The end of each channel's finals; earlier words are repeats."""
        return dict(self._ends)

    def saw(self, channels: int) -> None:
        """Note the number of channels that a message names."""
        self._channels = max(self._channels, channels)

    def confirm(self, final: Final, sent: float) -> bool:
        """Take a final; return whether it covers more than was covered before.

        `sent` is the time up to which audio was sent: nothing beyond can be covered. A word that reaches out
        of its final's window takes the audio up to its end with it, or it would be said twice.
        """
        reach = max((word.end for word in final.words if math.isfinite(word.end)), default=0.0)
        return self.reach(final.channel, min(max(final.end, reach), sent))

    def reach(self, channel: int, end: float) -> bool:
        """Take it that a channel is covered up to a time; return whether it was not before."""
        if end <= self._ends.get(channel, 0.0):
            return False
        self._ends[channel] = end
        return True
