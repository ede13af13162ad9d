"""The process of one live stream: `python -m dgcli.server.engines.live_worker`.

The server sends `open` with the fields of LiveAudio, then `audio` (a payload), `finalize`, `configure` and
`finish` in the order of the stream; messages and their framing are those of worker.py.
"""

import sys
from collections.abc import Callable
from typing import IO, Any

from dgcli.server.decode import pcm
from dgcli.server.engines.base import RATE, LiveAudio, NotAudioError
from dgcli.server.engines.listener import Listener
from dgcli.server.engines.worker import claim_stdout, end_with_parent, read_message, write_message
from dgcli.server.stream_decode import blocks, tracks

Json = dict[str, Any]


class _PipeFeed:
    """The audio among the messages; the others are handed to `control` when their turn comes."""

    def __init__(self, pipe: IO[bytes], control: Callable[[Json], None]) -> None:
        self._pipe = pipe
        self._control = control
        self._rest = b""
        self._ended = False

    def message(self) -> bytes:
        while not self._rest and not self._ended:
            message = read_message(self._pipe)
            if message is None or message[0]["op"] == "finish":
                self._ended = True
            elif message[0]["op"] == "audio":
                self._rest = message[1]
            else:
                self._control(message[0])
        data, self._rest = self._rest, b""
        return data

    def read(self, size: int) -> bytes:
        data = self.message()
        self._rest = data[size:]
        return data[:size]


class _Stream:
    """The listeners of a stream, one per channel once the number of channels is known."""

    def __init__(self, audio: LiveAudio, emit: Callable[[Json], None]) -> None:
        self._audio = audio
        self._emit = emit
        self._vocabulary = audio.vocabulary
        self._listeners: list[Listener] = []

    def control(self, message: Json) -> None:
        """Do what a message between the audio asks for."""
        if message["op"] == "configure":
            self._vocabulary = message["vocabulary"]
            for listener in self._listeners:
                listener.configure(self._vocabulary)
        elif message["op"] == "finalize":
            channel = message["channel"]
            for number, listener in enumerate(self._listeners):
                if channel is None or channel == number:
                    listener.finalize()

    def hear(self, pipe: IO[bytes]) -> None:
        """Hear everything until the end of the stream."""
        feed = _PipeFeed(pipe, self.control)
        for block in tracks(blocks(feed, self._audio), RATE, multichannel=self._audio.multichannel):
            if not self._listeners:
                self._listeners = [
                    Listener(number, self._audio.endpointing, self._vocabulary, self._emit)
                    for number in range(block.shape[1])
                ]
                # The last channel first: the server must know how many there are before any of them speaks.
                last = len(self._listeners) - 1
                self._emit({"event": "passed", "channel": last, "at": 0.0, "speaking": False})
            for number, listener in enumerate(self._listeners):
                listener.accept(pcm(block[:, number]))
        for listener in self._listeners:
            listener.finish()
        duration = max((listener.now for listener in self._listeners), default=0.0)
        self._emit({"event": "ended", "duration": duration, "channels": len(self._listeners)})


def main() -> None:
    """Serve one stream."""
    end_with_parent()
    out = claim_stdout()
    pipe = sys.stdin.buffer
    opened = read_message(pipe)
    if opened is None:
        return
    options = {name: value for name, value in opened[0].items() if name != "op"}
    try:
        _Stream(LiveAudio(**options), lambda event: write_message(out, event)).hear(pipe)
    except NotAudioError:
        write_message(out, {"event": "not audio"})
    except Exception as error:  # reported to the server, which closes the stream and logs it
        write_message(out, {"event": "failed", "message": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
