"""`dg file`: upload audio, print its transcript."""

import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from dgcli import outputs
from dgcli.api import BLOCK, MAX_UPLOAD, Upload
from dgcli.audio.media import SNIFF_BYTES, media_type
from dgcli.commands.prerecorded import transcribe
from dgcli.errors import AudioError, UsageError
from dgcli.options import Connection, General, Output, Params, Patience, command
from dgcli.params import Endpoint, encode


def _check_size(size: int, name: str) -> None:
    if size == 0:
        raise AudioError(f"{name} is empty.")
    if size > MAX_UPLOAD:
        raise AudioError(
            f"{name} has {size / 1024**3:.2f} GB; the API takes up to 2 GB.",
            hint="Compress the audio (FLAC, Opus), extract it from the video, or split it.",
        )


def _upload(file: BinaryIO, name: str) -> Upload:
    """An open file that can be rewound, as an upload."""
    size = file.seek(0, 2)
    _check_size(size, name)
    file.seek(0)
    return Upload(file, size, media_type(file.read(SNIFF_BYTES), name))


def _is_whole_file(file: BinaryIO) -> bool:
    """Whether a stream is a file from its beginning, and no pipe."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0
    except OSError:
        return False


@contextmanager
def _stdin() -> Iterator[Upload]:
    """Standard input as an upload, spooled to a file: its size is known, and a retry can send it again."""
    stdin = sys.stdin.buffer
    if sys.stdin.isatty():
        raise UsageError("Standard input is a terminal.", hint="Pipe audio into it: dg file - < talk.mp3")
    if _is_whole_file(stdin):  # redirected from a file: no need for a copy
        yield _upload(stdin, "Standard input")
        return
    with tempfile.TemporaryFile() as spool:
        total = 0
        while block := stdin.read(BLOCK):
            total += len(block)
            _check_size(total, "Standard input")
            spool.write(block)
        yield _upload(cast(BinaryIO, spool), "Standard input")


def _open(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise AudioError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise AudioError(f"{path} is a directory.", hint="Name a file in it.") from None
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _opened(path: str) -> Iterator[Upload]:
    """The audio that the argument names."""
    if path == "-":
        with _stdin() as upload:
            yield upload
    else:
        with _open(path) as audio:
            yield _upload(audio, path)


@command(Endpoint.FILE)
def file(
    path: Annotated[
        str, typer.Argument(help="Audio or video file, or - for standard input.", metavar="PATH")
    ],
    params: Params,
    output: Output,
    connection: Connection,
    patience: Patience,
    general: General,
) -> None:
    """Transcribe a file, or standard input.

    The file is uploaded as it is, whatever its format. The transcript goes to standard output, or to the
    files named with -o.
    """
    if path.lower().startswith(("http://", "https://")):
        raise UsageError(f"{path} is a URL, not a file.", hint=f"Did you mean: dg url {shlex.quote(path)}")
    config = connection.config(timeout=patience.timeout, retries=patience.retries)
    query = encode(params.checked(config))
    if not connection.local:
        config.authorization()  # without a key there is no point in reading the audio
    with _opened(path) as upload:
        transcribe(
            config,
            outputs.plan(output.format, output.output or (), source=None if path == "-" else Path(path)),
            general.console(),
            local=connection.local,
            name=Path(path).name,
            size=upload.size,
            send=lambda client, progress: client.transcribe_file(upload, query, progress=progress),
        )
