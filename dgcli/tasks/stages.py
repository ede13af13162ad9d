"""Stages of a diagnosis, which run together where they can, each within a time of its own."""

import enum
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dgcli.errors import DgError, NetworkError

STAGE_SECONDS = 5.0


class Verdict(enum.Enum):
    """How a stage ended."""

    OK = "ok"
    WARNING = "warning"  # something that only some need is missing
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a stage found out."""

    verdict: Verdict
    text: str
    remedy: str | None = None
    exit_code: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One question. `run` answers it; `needs` are stages without whose success it cannot be asked."""

    name: str
    run: Callable[[], Diagnosis]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage that has ended."""

    number: int
    name: str
    finding: Diagnosis
    seconds: float

    def fields(self) -> Mapping[str, Any]:
        """Return it as JSON has it."""
        finding = self.finding
        return {
            "number": self.number,
            "stage": self.name,
            "verdict": finding.verdict.value,
            "text": finding.text,
            "remedy": finding.remedy,
            "exit_code": finding.exit_code,
            "request_id": finding.request_id,
            "seconds": round(self.seconds, 3),
        }


def failed(error: DgError) -> Diagnosis:
    """Return what an error of ours means for its stage."""
    request_id = getattr(error, "request_id", None)
    return Diagnosis(Verdict.FAILED, error.summary, error.hint, error.exit_code, request_id)


@dataclass(slots=True)
class _Running:
    """A stage and the thread that it runs in, which is left behind where it does not end."""

    stage: Stage
    ended: threading.Event = field(default_factory=threading.Event)
    finding: Diagnosis | None = None
    began: float = 0.0
    seconds: float = 0.0

    def begin(self) -> None:
        self.began = time.monotonic()
        threading.Thread(target=self._work, name=f"dg-doctor-{self.stage.name}", daemon=True).start()

    def _work(self) -> None:
        try:
            finding = self.stage.run()
        except DgError as error:
            finding = failed(error)
        except Exception as error:  # a stage that breaks is a finding, and the others go on
            finding = Diagnosis(
                Verdict.FAILED, f"{type(error).__name__}: {error}", exit_code=DgError.exit_code
            )
        self.seconds = time.monotonic() - self.began
        self.finding = finding
        self.ended.set()

    def result(self) -> Diagnosis:
        """Wait until the stage's time is up; return what it found."""
        if (
            self.ended.wait(max(0.0, self.began + STAGE_SECONDS - time.monotonic()))
            and self.finding is not None
        ):
            return self.finding
        self.seconds = STAGE_SECONDS
        late = NetworkError(
            f"No result within {STAGE_SECONDS:g} s.", hint="Something hangs there: try again, or look at it."
        )
        return failed(late)


def run_stages(stages: Sequence[Stage]) -> Iterator[StageResult]:
    """Yield the stages in their order as they end; those that need nothing run together.

    A stage that needs one that did not succeed is skipped.
    """
    running = {stage.name: _Running(stage) for stage in stages}
    results: dict[str, Diagnosis] = {}
    for each in running.values():
        if not each.stage.needs:
            each.begin()
    for number, each in enumerate(running.values(), 1):
        stage = each.stage
        missing = [name for name in stage.needs if results[name].verdict not in (Verdict.OK, Verdict.WARNING)]
        if missing:
            finding = Diagnosis(Verdict.SKIPPED, f"Needs: {', '.join(missing)}.")
        else:
            if not each.began:
                _begin_ready(running, results)
            finding = each.result()
        results[stage.name] = finding
        yield StageResult(number, stage.name, finding, each.seconds)


def _begin_ready(running: Mapping[str, _Running], results: Mapping[str, Diagnosis]) -> None:
    """Begin every stage whose needs have ended well: they run together."""
    for each in running.values():
        needs = [results.get(name) for name in each.stage.needs]
        if not each.began and all(
            need is not None and need.verdict in (Verdict.OK, Verdict.WARNING) for need in needs
        ):
            each.begin()
