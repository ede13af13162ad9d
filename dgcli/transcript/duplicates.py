"""Finals that a server sends twice."""

from collections import deque
from dataclasses import replace

from dgcli.transcript.events import Final

_REMEMBERED = 32  # finals of a channel


class Duplicates:
    """Recognises a final that came before on the same connection: same channel, times and text."""

    def __init__(self) -> None:
        self._seen: dict[int, deque[tuple[float, float, str]]] = {}

    def without(self, final: Final) -> Final:
        """The final; without its words if they were said already. What it ends it still ends."""
        if not final.text and not final.words:
            return final
        seen = self._seen.setdefault(final.channel, deque(maxlen=_REMEMBERED))
        key = (final.start, final.end, final.text)
        if key in seen:
            return replace(final, text="", words=())
        seen.append(key)
        return final
