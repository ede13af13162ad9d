"""Locks between processes that end with the process that holds them: bytes of a file, locked by the system.

A lock is a number, and that byte of the lock file is locked; nothing is ever written there. However a process
ends (kill -9, a crash, a power cut), the system takes its locks back: nothing is left to be cleared, and no
age or process id is guessed at. Where a network file system has locks (NFS 4, NFS 3 with its lock daemon, SMB),
they hold between machines.

POSIX takes away all locks of a process on a file when it closes any handle of that file (fcntl(2), "Record
locks"): open a lock file once in a process.
"""

import errno
import os
import threading
from pathlib import Path

from dgcli.system import BYTES, NO_FOLLOW, lock_byte

_HELD = frozenset({errno.EACCES, errno.EAGAIN, getattr(errno, "EDEADLOCK", errno.EDEADLK)})


class LockFile:
    """Numbered locks of one file, between processes and between the threads of this one."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be made."""
        flags = os.O_RDWR | os.O_CREAT | NO_FOLLOW | BYTES
        self._handle = os.open(path, flags, 0o660)
        self._held: set[int] = set()
        self._guard = threading.Lock()

    def acquire(self, number: int) -> bool:
        """Lock a number without waiting; False where it is locked. Raises OSError where there are no locks."""
        with self._guard:
            if number in self._held:
                return False
            try:
                lock_byte(self._handle, number, held=True)
            except OSError as error:
                if error.errno in _HELD:
                    return False
                raise
            self._held.add(number)
            return True

    def release(self, number: int) -> None:
        """Unlock a number that `acquire` locked."""
        with self._guard:
            self._held.discard(number)
            lock_byte(self._handle, number, held=False)

    def close(self) -> None:
        """Unlock everything."""
        with self._guard:
            self._held.clear()
            os.close(self._handle)
