"""A file that grows while a stream runs and is valid after every write."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from dgcli.errors import OutputError
from dgcli.output.kept import keep_text


class GrowingFile:
    """A file with a permanent part and a tail that each write replaces, such as the brackets that close a list.

    A write puts new text and a new tail over the old tail at once, so that its cost does not depend on what
    is there already. What cannot be written (a full disk) is kept and tried again with the next write; the
    first failure raises `OutputError`, and the last, in `close`, puts the rest aside in the state folder.
    A pipe or a terminal in place of a file gets the text without its tails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._is_regular = True
        self._base = 0  # where the tail begins
        self._length = 0  # of the file
        self._pending = b""
        self._failed = False

    def _opened(self) -> BinaryIO:
        if self._file is None:
            # What stood there before goes when there is something to put in its place. A pipe is opened for writing
            # alone: so it waits for its reader. A file is read again if somebody removes it.
            is_readable = not self.path.exists() or (self.path.is_file() and os.access(self.path, os.R_OK))
            self._file = self.path.open("w+b" if is_readable else "wb", buffering=0)
            self._is_regular = self.path.is_file()
        return self._file

    def append(self, text: str, tail: str = "") -> None:
        """Add text for good, and `tail` behind it until the next call. Raises `OutputError`, once."""
        self._pending += text.encode("utf-8", "surrogateescape")
        try:
            self._write(tail.encode("utf-8", "surrogateescape"))
        except OSError as error:
            if not self._failed:
                self._failed = True
                raise OutputError(f"{self.path} cannot be written: {error.strerror}.") from error
        else:
            self._failed = False

    def _write(self, tail: bytes) -> None:
        file = self._opened()
        data = self._pending + tail if self._is_regular else self._pending
        if not data and not self._length:
            return
        if self._is_regular:
            end = self._base + len(data)
            if end < self._length:
                file.truncate(self._base)
            file.seek(self._base)
            self._length = end
        done = 0
        while done < len(data):
            done += file.write(data[done:])
        self._base += len(self._pending)
        self._pending = b""

    def _restore(self, file: BinaryIO) -> None:
        """Write a file anew that somebody removed while it grew; one that was moved goes on where it is now."""
        if os.fstat(file.fileno()).st_nlink or not file.readable():
            return
        file.seek(0)
        try:
            with self.path.open("xb") as again:
                shutil.copyfileobj(file, again)
        except OSError as error:
            file.seek(0)
            text = file.read()
            failure = OutputError(f"{self.path} was removed, and cannot be written again: {error.strerror}.")
            failure.kept = keep_text(text, self.path.name)
            raise failure from error

    def close(self) -> None:
        """Close the file. Raises `OutputError` with the rest put aside if it could not be written.

        A file that was removed meanwhile is there again then.
        """
        rest = self._pending
        if rest:
            try:
                self._write(b"")
                rest = b""
            except OSError:
                pass
        if self._file is not None:
            try:
                with self._file as file:
                    if self._is_regular:
                        os.fsync(file.fileno())
                        self._restore(file)
            except OSError as error:
                raise OutputError(f"{self.path} cannot be written: {error.strerror}.") from error
            finally:
                self._file = None
        if rest:
            self._pending = b""
            failure = OutputError(f"The end of {self.path} could not be written.")
            failure.kept = keep_text(rest, self.path.name)
            raise failure
