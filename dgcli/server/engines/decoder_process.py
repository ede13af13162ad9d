"""The process that decodes one recording: `python -m dgcli.server.engines.decoder_process`.

The codecs are native code that meets whatever a client sends; what crashes takes nobody else along. One
message comes in, the recording; windows with voice go out as they are decoded, as fast as they are taken.
"""

import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from dgcli.server.decode import decoded
from dgcli.server.engines.base import Audio, NotAudioError, TooLongError
from dgcli.server.engines.messages import claim_stdout, end_with_parent, read_message, write_message
from dgcli.server.engines.vad import new_session
from dgcli.server.engines.windows import FileWindow, WindowCutter


def _tell(out: IO[bytes], channel: int, window: FileWindow) -> None:
    header = {"event": "window", "channel": channel, "start": window.start, "voiced": list(window.voiced)}
    write_message(out, header, np.ascontiguousarray(window.samples, np.float32).tobytes())


def _cut(job: dict[str, Any], session: Any, out: IO[bytes]) -> None:
    audio = Audio(
        path=Path(job["path"]),
        multichannel=job["multichannel"],
        encoding=job["encoding"],
        sample_rate=job["sample_rate"],
        channels=job["channels"],
    )
    cutters: list[WindowCutter] = []
    duration = 0.0
    for block in decoded(audio, job["max_seconds"]):
        if not cutters:
            cutters = [WindowCutter(session) for _ in range(block.samples.shape[1])]
            write_message(out, {"event": "opened", "channels": len(cutters)})
        for channel, cutter in enumerate(cutters):
            for window in cutter.accept(block.samples[:, channel]):
                _tell(out, channel, window)
        duration = block.until
        write_message(out, {"event": "passed", "share": block.share})
    for channel, cutter in enumerate(cutters):
        for window in cutter.finish():
            _tell(out, channel, window)
    write_message(out, {"event": "ended", "duration": duration})


def main() -> None:
    """Decode one recording."""
    end_with_parent()
    out = claim_stdout()
    session = new_session()  # loaded before the recording is there
    message = read_message(sys.stdin.buffer)
    if message is None:
        return
    try:
        _cut(message[0], session, out)
    except NotAudioError:
        write_message(out, {"event": "not audio"})
    except TooLongError:
        write_message(out, {"event": "too long"})


if __name__ == "__main__":
    main()
