"""Audio on its way to whoever keeps what was sent."""

from queue import SimpleQueue

from dgcli.audio.base import AudioFormat
from dgcli.live.messages import AudioSent, ToMain

_SECONDS, _BYTES = 0.5, 32768


class Tap:
    """Puts audio on the main thread's queue, in pieces of half a second."""

    def __init__(self, audio: AudioFormat, events: "SimpleQueue[ToMain]", *, open_: bool) -> None:
        self._events = events
        self._open = open_
        self._size = audio.byte_rate * _SECONDS if audio.byte_rate else _BYTES
        self._held = bytearray()

    def pass_on(self, data: bytes) -> None:
        """Take audio that was sent for the first time."""
        if self._open:
            self._held += data
            if len(self._held) >= self._size:
                self.flush()

    def flush(self) -> None:
        """Pass on what is held."""
        if self._held:
            self._events.put(AudioSent(bytes(self._held)))
            self._held = bytearray()
