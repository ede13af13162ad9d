"""The check of a batch's ledgers, which sends and writes nothing."""

import os
from collections.abc import Sequence
from pathlib import Path

from dgcli.batch.checking import check_ledgers
from dgcli.errors import AudioError, BatchError, DgError, UsageError, unreadable
from dgcli.tasks.reporter import Reporter


def check_batches(names: Sequence[str], reporter: Reporter) -> None:
    """Check the ledgers in and below directories.

    Raises `BatchError` when one is damaged, `UsageError` for what is no directory, `AudioError` for one that
    cannot be read.
    """
    ledgers = good = damaged = 0
    for name in names:
        if not os.path.isdir(name):
            raise UsageError(f"{name} is no directory.", hint="--check takes directories of outputs.")
        try:
            for checked in check_ledgers(Path(name)):
                ledgers += 1
                good += checked.good
                damaged += len(checked.damage)
                for text in checked.damage:
                    reporter.error(DgError(f"{text}."))
        except OSError as error:
            raise AudioError(unreadable(error.filename or name, error)) from error
    if not ledgers:
        raise UsageError(
            f"There is no ledger below {', '.join(names)}.", hint="--check takes directories of outputs."
        )
    plural = "ledger" if ledgers == 1 else "ledgers"
    if damaged:
        raise BatchError(
            f"{damaged} damaged, {good} good answers in {ledgers} {plural}.",
            hint="The same command that wrote there asks again for what is damaged, and for nothing else.",
        )
    reporter.report(f"{good} good answers in {ledgers} {plural}, no damage.")
