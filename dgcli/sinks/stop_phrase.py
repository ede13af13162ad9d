"""`--stop-phrase TEXT`: the stream ends when somebody says so."""

import re
from collections import deque
from collections.abc import Callable

from dgcli.transcript.events import Event, Final

# What makes up words; everything else, apostrophes within them excepted, only separates.
_WORDS = re.compile(r"\w+(?:['’]\w+)*")


def spoken(text: str) -> list[str]:
    """The words of a text as they are heard: no case, no punctuation."""
    return [word.replace("’", "'") for word in _WORDS.findall(text.casefold())]


class StopPhrase:
    """Calls `stop` once when a phrase is said on any channel, wherever finals cut it."""

    def __init__(self, phrase: str, stop: Callable[[], None]) -> None:
        self._phrase = spoken(phrase)
        self._stop = stop
        self._stopped = False
        self._heard: dict[int, deque[str]] = {}

    def handle(self, event: Event) -> None:
        """Take the next event."""
        if not isinstance(event, Final) or self._stopped:
            return
        heard = self._heard.setdefault(event.channel, deque(maxlen=len(self._phrase)))
        for word in spoken(event.text):
            heard.append(word)
            if list(heard) == self._phrase:
                self._stopped = True
                self._stop()
                return

    def tick(self, now: float) -> None:
        """Do nothing: nothing depends on time."""

    def close(self) -> None:
        """Do nothing: nothing is held back."""
