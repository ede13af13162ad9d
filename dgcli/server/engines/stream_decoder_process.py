"""The process that decodes one stream with codecs: `python -m dgcli.server.engines.stream_decoder_process`.

The server sends `open` with the fields of LiveAudio, then `audio` (a payload), any other message, and `finish`,
in the order of the stream. Samples go back in that order too, and between them every message that is no audio:
so it takes effect where it stood. Raw audio needs no codecs and no such process (live_audio.py).
"""

import sys
from typing import IO

import numpy as np

from dgcli.server.engines.base import RATE, LiveAudio, NotAudioError
from dgcli.server.engines.messages import claim_stdout, end_with_parent, read_message, write_message
from dgcli.server.stream_decode import blocks, tracks


class _PipeFeed:
    """The audio among the messages; the others are sent back when their turn comes."""

    def __init__(self, pipe: IO[bytes], out: IO[bytes]) -> None:
        self._pipe = pipe
        self._out = out
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
                write_message(self._out, message[0])
        data, self._rest = self._rest, b""
        return data

    def read(self, size: int) -> bytes:
        data = self.message()
        self._rest = data[size:]
        return data[:size]


def main() -> None:
    """Decode one stream."""
    end_with_parent()
    out = claim_stdout()
    pipe = sys.stdin.buffer
    opened = read_message(pipe)
    if opened is None:
        return
    audio = LiveAudio(**{name: value for name, value in opened[0].items() if name != "op"})
    try:
        for block in tracks(blocks(_PipeFeed(pipe, out), audio), RATE, multichannel=audio.multichannel):
            samples = np.ascontiguousarray(block, np.float32)
            write_message(out, {"op": "samples", "channels": samples.shape[1]}, samples.tobytes())
        write_message(out, {"op": "ended"})
    except NotAudioError:
        write_message(out, {"op": "not audio"})


if __name__ == "__main__":
    main()
