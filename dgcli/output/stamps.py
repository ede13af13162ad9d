"""Whether a file still is the one that was read: its size and its times of change, as git asks."""

import os
import time

_SETTLED = 2.0  # seconds after which a time of change is final even on FAT

# Of a file: size in bytes, times of change of content and inode in ns. Of an object in a cloud: what it says.
Stamp = tuple[int | str, ...]


def stamp_of(status: os.stat_result, now: float | None = None) -> Stamp | None:
    """Return the stamp of a file; None while it is too young for its times to prove anything."""
    now = time.time() if now is None else now
    if max(status.st_mtime, status.st_ctime) > now - _SETTLED:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
