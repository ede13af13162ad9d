"""Locks between processes and threads that end with whoever holds them, however that ends.

The system lets go of them when the process ends, killed or not. On a network file system they hold as far as
its server keeps `flock`; where it has no locks at all, everybody gets in: the work is done twice, nothing worse.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dgcli.system import lock_file

_POLL_SECONDS = 0.1


def _taken(file: BinaryIO) -> bool:
    """Return whether the lock is ours now; False while another process has it."""
    try:
        lock_file(file)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            return True  # a file system without locks
        raise
    return True


@contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `path`, a file that stays, while the block runs; `on_wait` is called once if another has it.

    Raises `OSError` where the file cannot be made.
    """
    with path.open("ab") as file:
        if not _taken(file):
            on_wait()
            while not _taken(file):
                time.sleep(_POLL_SECONDS)
        yield


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file still is the one of this name."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file.fileno()), there)


@contextmanager
def claimed(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the claim of `path` while the block runs: a lock file that is there only as long.

    `waiting` is called at each look while another holds it, and may raise. Raises `OSError` where the file
    cannot be made.
    """
    while True:
        with path.open("ab") as file:
            while not _taken(file):
                waiting()
                time.sleep(_POLL_SECONDS)
            if not _is_at(file, path):
                continue  # whoever held it has removed it: others would lock a new file of this name
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file: it stays, and is used again
                    path.unlink()  # while it is held, so that nobody holds what has no name
            return
