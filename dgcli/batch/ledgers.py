"""The ledgers of all directories that a run writes to."""

import os
import threading
from collections import OrderedDict

from dgcli.batch.ledger import Ledger
from dgcli.batch.store import Report
from dgcli.output.kept import state_folder

_OPEN = 64  # ledgers whose files are open at once


class Ledgers:
    """The ledgers of all directories of a run; safe for several threads."""

    def __init__(self, warned: Report = lambda _: None, *, within: str | None = None) -> None:
        """No link leads an output out of `within`, or out of its own directory."""
        self._spare = state_folder() / "unfinished"
        self._warned = warned
        self._within = within
        self._guard = threading.Lock()
        # By the path that names a directory, and by its real one: POSIX allows one handle of a lock file.
        self._by_name: dict[str, Ledger] = {}
        self._by_path: dict[str, Ledger] = {}
        self._open: OrderedDict[int, Ledger] = OrderedDict()

    def of(self, folder: str) -> Ledger:
        """The ledger of the outputs in `folder`."""
        with self._guard:
            ledger = self._by_name.get(folder)
            if ledger is None:
                path = os.path.realpath(folder or os.curdir)
                ledger = self._by_path.get(path)
                if ledger is None:
                    ledger = self._by_path[path] = Ledger(
                        folder, spare=self._spare, warned=self._warned, within=self._within
                    )
                self._by_name[folder] = ledger
            self._open[id(ledger)] = ledger
            self._open.move_to_end(id(ledger))
            if len(self._open) > _OPEN:
                for key, other in list(self._open.items())[: len(self._open) - _OPEN]:
                    if other.close():
                        del self._open[key]
            return ledger

    def close(self) -> None:
        """Close all files."""
        with self._guard:
            for ledger in self._open.values():
                ledger.close()
            self._open.clear()
