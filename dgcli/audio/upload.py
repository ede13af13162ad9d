"""Audio to upload: a file, or standard input, with its size and media type known."""

import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from dgcli.audio.media import SNIFF_BYTES, media_type
from dgcli.audio.other_files import HEAD_BYTES, check_recording
from dgcli.errors import AudioError, UsageError, unreadable

BLOCK = 1 << 20  # bytes read, and handed to the socket, at a time
MAX_UPLOAD = 2 * 1024**3  # bytes; the API takes up to 2 GB


class Upload(NamedTuple):
    """An open binary file that can be rewound, its size in bytes, and its media type."""

    file: BinaryIO
    size: int
    media_type: str

    def blocks(self) -> Iterator[bytes]:
        """All of it from the beginning, in blocks. Raises `AudioError` when it can no longer be read whole."""
        self.file.seek(0)
        left = self.size
        while left:
            try:
                block = self.file.read(min(BLOCK, left))
            except OSError as error:
                raise AudioError(f"The audio cannot be read: {error.strerror}.") from error
            if not block:
                raise AudioError(
                    "The file became shorter while it was being sent.", hint="Send it when it is complete."
                )
            yield block
            left -= len(block)


def check_size(size: int, name: str) -> None:
    """Raises `AudioError` for what is empty or too large for the API."""
    if size == 0:
        raise AudioError(f"{name} is empty.")
    if size > MAX_UPLOAD:
        raise AudioError(
            f"{name} has {size / 1e9:.2f} GB; the API takes up to 2 GB.",
            hint="Compress the audio (FLAC, Opus), extract it from the video, or split it.",
        )


def _upload(file: BinaryIO, name: str, *, any_file: bool) -> Upload:
    """An open file that can be rewound, as an upload, of any size: of a video less may be sent (`track`)."""
    size = file.seek(0, 2)
    check_size(min(size, MAX_UPLOAD), name)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not any_file:
        check_recording(head, name, size=size)
    return Upload(file, size, media_type(head[:SNIFF_BYTES], name))


def _is_whole_file(file: BinaryIO) -> bool:
    """Whether a stream is a file from its beginning, and no pipe."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0
    except OSError:
        return False


@contextmanager
def opened_stream(stream: BinaryIO, name: str, *, any_file: bool) -> Iterator[Upload]:
    """A file as it is; anything else spooled to one, so that its size is known and a retry can send it again.

    Raises `AudioError` for what cannot be read or is empty, for a pipe that gives too much and, without `any_file`,
    for what is no recording.
    """
    if _is_whole_file(stream):
        yield _upload(stream, name, any_file=any_file)
        return
    with tempfile.TemporaryFile() as spool:
        total = 0
        try:
            while block := stream.read(BLOCK):
                total += len(block)
                check_size(total, name)
                spool.write(block)
        except OSError as error:
            raise AudioError(f"{name} cannot be read: {error.strerror}.") from error
        yield _upload(cast(BinaryIO, spool), name, any_file=any_file)


def is_pipe(path: str) -> bool:
    """Whether reading what `path` names takes as long as somebody else takes to write it."""
    return path == "-" or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path))


def _open(path: str) -> BinaryIO:
    if not path:
        raise AudioError("The name of the recording is empty.")
    try:
        return Path(path).open("rb")
    except ValueError:  # no name has a NUL
        raise AudioError(f"There is no file {path}.") from None
    except OSError as error:
        hint = None
        if isinstance(error, IsADirectoryError):
            hint = f"Name a file in it, or transcribe all of it: dg file -r {shlex.quote(path)}"
        raise AudioError(unreadable(path, error), hint=hint) from error


@contextmanager
def opened(path: str, *, any_file: bool = False) -> Iterator[Upload]:
    """The audio that `path` names, `-` being standard input; with `any_file`, whatever it is.

    Raises `AudioError` for what cannot be read, is empty or plainly no recording, `UsageError` for a terminal. A
    file may still be too large to be sent whole: see `track`.
    """
    if path == "-":
        if sys.stdin.isatty():
            raise UsageError("Standard input is a terminal.", hint="Pipe audio into it: dg file - < talk.mp3")
        with opened_stream(sys.stdin.buffer, "Standard input", any_file=any_file) as upload:
            yield upload
    else:
        with _open(path) as audio, opened_stream(audio, path, any_file=any_file) as upload:
            yield upload
