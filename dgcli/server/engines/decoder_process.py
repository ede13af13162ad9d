"""The process that decodes one recording: `python -m dgcli.server.engines.decoder_process`.

The codecs are native code that meets whatever a client sends; what crashes takes nobody else along. One
message comes in, the recording; windows with voice go out as they are decoded, or the spans that it asks for, as fast
as they are taken.
"""

import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from dgcli.server.decode import decoded
from dgcli.server.engines.base import RATE, Audio, NotAudioError, TooLongError
from dgcli.server.engines.messages import claim_stdout, end_with_parent, read_message, write_message
from dgcli.server.engines.vad import new_session
from dgcli.server.engines.windows import FileWindow, WindowCutter


def _tell(out: IO[bytes], channel: int, window: FileWindow) -> None:
    header = {"event": "window", "channel": channel, "start": window.start, "voiced": list(window.voiced)}
    write_message(out, header, np.ascontiguousarray(window.samples, np.float32).tobytes())


def _audio(job: dict[str, Any]) -> Audio:
    return Audio(
        path=Path(job["path"]),
        multichannel=job["multichannel"],
        encoding=job["encoding"],
        sample_rate=job["sample_rate"],
        channels=job["channels"],
    )


def _cut(job: dict[str, Any], session: Any, out: IO[bytes]) -> None:
    cutters: list[WindowCutter] = []
    duration = 0.0
    for block in decoded(_audio(job), job["max_seconds"]):
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


def _pick(job: dict[str, Any], out: IO[bytes]) -> None:
    """Tell the samples of each span that is asked for, in the order of their starts."""
    spans = [(int(channel), round(start * RATE), round(end * RATE)) for channel, start, end in job["spans"]]
    held: dict[int, list[Any]] = {}
    following = passed = 0
    for block in decoded(_audio(job), job["max_seconds"]):
        channels = block.samples.shape[1]
        until = passed + len(block.samples)
        while following < len(spans) and spans[following][1] < until:
            held[following] = []
            following += 1
        for number in list(held):
            channel, start, end = spans[number]
            if channel < channels:
                held[number].append(
                    block.samples[max(start - passed, 0) : max(end - passed, 0), channel].copy()
                )
            if end <= until:
                _tell_span(out, number, held.pop(number))
        passed = until
    for number in [*held, *range(following, len(spans))]:
        _tell_span(out, number, held.pop(number, []))
    write_message(out, {"event": "ended", "duration": passed / RATE})


def _tell_span(out: IO[bytes], number: int, pieces: list[Any]) -> None:
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    write_message(
        out, {"event": "span", "number": number}, np.ascontiguousarray(samples, np.float32).tobytes()
    )


def main() -> None:
    """Decode one recording."""
    end_with_parent()
    out = claim_stdout()
    session = new_session()  # loaded before the recording is there
    message = read_message(sys.stdin.buffer)
    if message is None:
        return
    try:
        if "spans" in message[0]:
            _pick(message[0], out)
        else:
            _cut(message[0], session, out)
    except NotAudioError:
        write_message(out, {"event": "not audio"})
    except TooLongError:
        write_message(out, {"event": "too long"})


if __name__ == "__main__":
    main()
