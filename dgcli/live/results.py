"""The results of a stream as they come in: which words are new, how far they reach, what is still provisional."""

from dgcli.live.messages import Link
from dgcli.live.protocol import ListenProtocol, without_repeats
from dgcli.live.replay_buffer import ReplayBuffer
from dgcli.transcript.events import Final, Interim


class Results:
    """Takes results, and confirms in the replay buffer what they cover. All times are seconds of the stream."""

    def __init__(self, protocol: ListenProtocol, replay: ReplayBuffer) -> None:
        self._protocol = protocol
        self._replay = replay
        self._newest: Interim | None = None  # what no final confirms yet
        self.reached = 0.0  # end of the newest result
        self.last_word = 0.0

    def take(self, link: Link, result: Interim | Final) -> tuple[Interim | Final, bool]:
        """Take a result; return it without what was said before, and whether it covers more than was covered."""
        link.results += 1
        self._replay.heard(result.channels, link.sent - link.begun, result.end - link.offset)
        result = without_repeats(result, link.floors.get(result.channel, 0.0))
        if isinstance(result, Final):
            result = link.duplicates.without(result)
        self.reached = max(self.reached, result.end)
        if result.words or result.text.strip():
            self.last_word = max(self.last_word, result.end)
        if isinstance(result, Final):
            self._newest = None
            return result, self._replay.confirm(result, link.sent)
        self._newest = result
        silent = self._protocol.silent_until(result)
        return result, silent is not None and self._replay.skip(result.channel, silent, link.sent)

    @property
    def is_speaking(self) -> bool:
        """Whether the newest result has words that are provisional."""
        return self._newest is not None and bool(self._newest.text.strip())

    def _standing(self) -> Final | None:
        final = self._protocol.standing(self._newest) if self._newest is not None else None
        return final if final is not None and final.end > self._replay.covered else None

    @property
    def uncovered(self) -> float:
        """Seconds of audio taken that would be in no final if the stream ended now."""
        final = self._standing()
        reached = max(self._replay.covered, final.end if final is not None else 0.0)
        return self._replay.seconds(self._replay.end) - reached

    def let_stand(self, sent: int) -> Final | None:
        """The stream is over, `sent` bytes of it were sent: return what was provisional, if that is its last final."""
        final, self._newest = self._standing(), None
        if final is not None:
            self._replay.confirm(final, sent)
        return final
