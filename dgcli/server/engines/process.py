"""A process of the server: started by the name of its module, without our secrets, ended with its parent."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import dgcli
from dgcli.system import own_process_group

# All that a process which meets a stranger's media is given of the environment: no key, no token.
_KEPT = frozenset(
    "PATH HOME LANG LC_ALL LC_CTYPE TMPDIR TEMP TMP SYSTEMROOT WINDIR COMSPEC USERPROFILE LD_LIBRARY_PATH "
    "DYLD_LIBRARY_PATH PYTHONPATH PYTHONHOME VIRTUAL_ENV".split()
)
# The recogniser spreads its work over the cores itself; a pool of threads beneath each would fight with it.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    # The process finds this very package, wherever it was imported from.
    root = str(Path(dgcli.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, **_ONE_THREAD, **more, "PYTHONPATH": os.pathsep.join(paths)}


class ProcessDied(Exception):
    """A process of the server ended before it had answered."""


class Process:
    """One process and the two pipes to it.

    On Linux it ends when the thread that started it does, so start it from one that lives as long.
    """

    def __init__(self, module: str, **environment: str) -> None:
        # A group of its own: Ctrl-C in a terminal must not reach it even before it can ignore the signal.
        self._process = subprocess.Popen(
            # -P keeps modules that happen to lie in the working directory out.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(environment),
            **own_process_group(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process and free what it held; nobody may be reading or writing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self.stdin, self.stdout):
            with suppress(OSError):
                pipe.close()
