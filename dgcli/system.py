"""What differs between operating systems: each difference is one name here, and nothing else asks which one it is.

Locks, signals, processes, permissions, folders and consoles. Python hides the rest. Where a system has nothing of
the kind, the name says so by an empty value, and whoever uses it goes without.
"""

import errno
import os
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

# Permission bits say who may read a file. Windows keeps access lists, of which they show nothing.
HAS_MODES = os.name == "posix"

# Files are text to open(2) unless they are said to be bytes.
BYTES = getattr(os, "O_BINARY", 0)

# Refuses to open a file through a symbolic link; Windows lets few users make one.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)

# What libraries in C complain about goes to descriptor 2. On Windows they are silent, or have a console of their own.
LIBRARIES_COMPLAIN = os.name != "nt"

# Whether select(2) takes pipes and terminals; on Windows it knows sockets only.
CAN_AWAIT_PIPES = sys.platform != "win32"

# What stands before the newline at the end of a line, in lists that programs of this system write.
BEFORE_NEWLINE = b"\r" if os.name == "nt" else b""

# Whether a server may take the port of one that has just ended (SO_REUSEADDR); on Windows that shares one in use.
CAN_REUSE_PORTS = os.name == "posix"

# What starts an editor where neither VISUAL nor EDITOR names one.
EDITOR = "notepad" if os.name == "nt" else "vi"

_PR_SET_PDEATHSIG = 1  # prctl(2)
_NO_MICROPHONE = {
    "linux": "With PulseAudio or PipeWire: sudo apt install libasound2-plugins, and see `pactl list sources short`.",
    "darwin": "Allow the terminal in System Settings, Privacy & Security, Microphone.",
    "win32": "Allow desktop apps in Settings, Privacy & security, Microphone.",
}

if sys.platform == "win32":
    import msvcrt

    def lock_file(file: BinaryIO) -> None:
        """Lock a whole file without waiting. Raises OSError where another has it."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def lock_byte(handle: int, number: int, *, held: bool) -> None:
        """Lock one byte of a file without waiting, or unlock it. Raises OSError where another has it."""
        os.lseek(handle, number, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK if held else msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock_file(file: BinaryIO) -> None:
        """Lock a whole file without waiting. Raises OSError where another has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def lock_byte(handle: int, number: int, *, held: bool) -> None:
        """Lock one byte of a file without waiting, or unlock it. Raises OSError where another has it."""
        kind = fcntl.LOCK_EX | fcntl.LOCK_NB if held else fcntl.LOCK_UN
        fcntl.lockf(handle, kind, 1, number, os.SEEK_SET)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone, whatever the umask. Raises OSError."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def who_else_changes(path: Path) -> str | None:
    """Say who but the user and the administrator could change a file, if anybody; its group is trusted."""
    if not HAS_MODES:
        return None
    file, folder = path.stat(), path.parent.stat()
    if not {file.st_uid, folder.st_uid} <= {0, os.getuid()}:
        return "It belongs to another user"
    if file.st_mode & stat.S_IWOTH or folder.st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        return "Everybody can change it"
    return None


def stop_signals() -> list[signal.Signals]:
    """The signals that ask a program to end: Ctrl-C, kill, and a terminal that hangs up, which Windows has not."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def user_signal() -> signal.Signals | None:
    """The signal that has no meaning of its own, SIGUSR1; Windows has none."""
    return getattr(signal, "SIGUSR1", None)


def own_process_group() -> Mapping[str, Any]:
    """Arguments of `subprocess.Popen` that keep Ctrl-C in our terminal from reaching the new process."""
    return {"process_group": 0} if os.name == "posix" else {}


def kill_with_parent() -> None:
    """Have this process killed when its parent ends, where the system does that; elsewhere the end of a pipe tells."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def open_files_limit() -> int | None:
    """How many files this process may have open; None where there is no limit that it could learn."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut; not every system can say so."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # a network file system without it: the name is as safe as such systems make it
    finally:
        os.close(handle)


def check_room(folder: Path, needed: int, written: int) -> None:
    """Raises OSError when there is less room in `folder` than `needed` bytes, as far as one can tell.

    `written` is the size of the file that they are added to.
    """
    if not hasattr(os, "statvfs"):
        return
    import resource

    filesystem = os.statvfs(folder)
    room = filesystem.f_bavail * filesystem.f_frsize
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if largest != resource.RLIM_INFINITY:
        room = min(room, max(0, largest - written))
    if room < needed:
        raise OSError(errno.ENOSPC, f"{room / 1e6:.1f} MB are free, and it may take {needed / 1e6:.1f} MB")


def command_line(words: Sequence[str]) -> str:
    """Words as the shell of this system takes them for a command."""
    import shlex  # rarely needed, and each start counts
    import subprocess

    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def no_microphone_hint() -> str | None:
    """What to do where a machine shows no microphone."""
    return _NO_MICROPHONE.get(sys.platform)
