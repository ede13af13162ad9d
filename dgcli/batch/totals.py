"""Counts of a run over many recordings."""

import time
from dataclasses import dataclass, field

from dgcli.errors import DgError


@dataclass(slots=True)
class Totals:
    """Counts of a run. `audio` is in seconds, as the API counted it; `began` in seconds of `time.monotonic`."""

    total: int
    counts: dict[str, int] = field(default_factory=dict)
    audio: float = 0.0
    began: float = field(default_factory=time.monotonic)
    failures: list[tuple[str, DgError]] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """Recordings that have ended, in whatever way."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Recordings that have not."""
        return self.total - self.ended

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began
