"""Messages between the server and its processes, over their standard pipes.

Each message, both ways, is two lengths (big-endian, 4 bytes each), a JSON object and a payload of bytes.
The processes are programs started by name: not a fork (the server has threads) and not multiprocessing's
spawn (which runs the caller's __main__ again).
"""

import json
import os
import signal
import struct
from collections.abc import Mapping
from typing import IO, Any

from dgcli.system import kill_with_parent

_LENGTHS = struct.Struct(">II")

Json = dict[str, Any]


def write_message(pipe: IO[bytes], header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """Write one message and flush it."""
    text = json.dumps(header).encode()
    pipe.write(_LENGTHS.pack(len(text), len(payload)) + text)
    pipe.write(payload)
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


def claim_stdout() -> IO[bytes]:
    """Keep standard output for messages: prints of native libraries go to standard error instead."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


def end_with_parent() -> None:
    """Die when the parent does, even in the middle of a job; elsewhere the end of the pipe tells."""
    # Ctrl-C in a terminal reaches every process of the group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kill_with_parent()
