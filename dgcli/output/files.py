"""Whole files: written completely or not at all."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from dgcli.errors import OutputError
from dgcli.system import BYTES


def is_special(path: Path) -> bool:
    """Whether a path is there but no regular file: a pipe, a terminal, /dev/null."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_inside(path: Path, folder: Path) -> None:
    """Refuse a name of our own making that links lead out of `folder`. Raises `OutputError`.

    Whoever can put a link where we will write would choose which of the user's files is overwritten.
    """
    real, inside = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if not real.is_relative_to(inside):
        raise OutputError(
            f"{path} is not written: a link leads out of {folder}, to {real}.",
            hint="Remove the link, or name the place that it leads to.",
        )


def _place_new(part: Path, target: Path) -> None:
    """Give a file its name unless something has that name. Raises `FileExistsError`, `OSError`."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        part.replace(target)
    else:
        part.unlink()


def write_file(
    path: Path,
    data: bytes,
    *,
    scratch: Path | None = None,
    durable: bool = True,
    private: bool = False,
    within: Path | None = None,
    new: bool = False,
) -> None:
    """Write a whole file or nothing: a reader, or a crash, never sees half of one. Raises `OutputError`.

    What is unfinished lies in `scratch`, a folder on the same file system, or else beside the file. Without
    `durable`, a power cut soon afterwards may lose what was written. A `private` file is its owner's only. No link
    leads out of `within`. A `new` file takes the place of nothing, not even of a symbolic link.
    """
    if within is not None:
        check_inside(path, within)
    try:
        if not new and is_special(path):
            path.write_bytes(data)
            return
        target = path.resolve() if path.is_symlink() and not new else path  # a symbolic link stays one
        folder = target.parent if scratch is None or target is not path else scratch
        part = folder / f".dg-{os.urandom(8).hex()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BYTES
        # The system takes the umask off: asking for it means setting it, for all threads at once. What takes the
        # place of another file gets its mode when it is whole, and is nobody else's until then.
        handle = os.open(part, flags, 0o600 if private or target.exists() else 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            if new:
                _place_new(part, target)
                return
            with suppress(FileNotFoundError):
                part.chmod(target.stat().st_mode & 0o7777)
            part.replace(target)
        except BaseException:
            with suppress(OSError):  # the first failure is the one to tell
                part.unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
