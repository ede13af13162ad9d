"""The recogniser's process: `python -m dgcli.server.engines.worker`, driven over its standard pipes.

A process of its own because pocketsphinx holds the GIL while it works, and because native codecs that
crash on hostile input then take nobody else along. A program started by name, not a fork (the server has
threads) and not multiprocessing's spawn (which runs the caller's __main__ again).

Each message, both ways, is two lengths (big-endian, 4 bytes each), a JSON object and a payload of bytes.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

_LENGTHS = struct.Struct(">II")
_PR_SET_PDEATHSIG = 1  # prctl(2)

Json = dict[str, Any]


def write_message(pipe: IO[bytes], header: Mapping[str, Any], payload: bytes = b"") -> None:
    """Write one message and flush it."""
    text = json.dumps(header).encode()
    pipe.write(_LENGTHS.pack(len(text), len(payload)) + text + payload)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> tuple[Json, bytes] | None:
    """Read one message; None at the end of the pipe."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    header, payload = _LENGTHS.unpack(lengths)
    text, data = pipe.read(header), pipe.read(payload)
    if len(text) < header or len(data) < payload:
        return None
    return json.loads(text), data


def _decode(job: Json) -> Json:
    from dgcli.server.decode import decode
    from dgcli.server.engines.base import Audio

    audio = Audio(
        path=Path(job["path"]),
        multichannel=job["multichannel"],
        encoding=job["encoding"],
        sample_rate=job["sample_rate"],
        channels=job["channels"],
    )
    decoded = decode(audio, Path(job["folder"]))
    return {
        "duration": decoded.duration,
        "tracks": [
            {"path": str(track.path), "samples": track.samples, "cuts": list(track.cuts)}
            for track in decoded.tracks
        ],
    }


def _recogniser() -> Callable[[Json], Json]:
    """Return the job that recognises a piece; its model is loaded now, so that the first job finds it."""
    from dgcli.server.engines.sphinx import Recogniser

    recogniser = Recogniser()

    def recognise(job: Json) -> Json:
        with Path(job["path"]).open("rb") as file:
            file.seek(job["start"] * 2)
            pcm = file.read((job["end"] - job["start"]) * 2)
        words, unknown = recogniser.words(pcm, job["vocabulary"])
        return {"words": words, "unknown": unknown}

    return recognise


def answer(job: Json, jobs: Mapping[str, Callable[[Json], Json]]) -> Json:
    """Do one job; a failure becomes an answer, so that the process lives on."""
    from dgcli.server.engines.base import NotAudioError

    try:
        return jobs[job["job"]](job)
    except NotAudioError:
        return {"error": "not audio"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def claim_stdout() -> IO[bytes]:
    """Keep standard output for messages: prints of native libraries go to standard error instead."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


def end_with_parent() -> None:
    """Die when the parent does, even in the middle of a piece; elsewhere the pipe's end tells."""
    # Ctrl-C in a terminal reaches every process of the group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve jobs until the pipe ends."""
    end_with_parent()
    out = claim_stdout()
    import dgcli.server.decode  # noqa: F401 - loaded before the first job comes

    jobs = {"decode": _decode, "recognise": _recogniser()}
    while (message := read_message(sys.stdin.buffer)) is not None:
        write_message(out, answer(message[0], jobs))


if __name__ == "__main__":
    main()
