"""Trying a request again after a failure that may pass."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from dgcli.api.refusals import Refusal

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

_LONGEST_BACKOFF = 60.0  # seconds


class Retry(Exception):
    """A failure after which another try may succeed; `is_last` says that there will be none all the same."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal
        self.is_last = False


class _Attempts(Generic[T]):
    """Counts attempts, and reports each failure that is followed by another."""

    def __init__(self, attempt: Callable[[], T], tries: int, report: Callable[[str], None]) -> None:
        self.made = 0
        self._attempt = attempt
        self._tries = tries
        self._report = report
        self._repeated = False  # a failure that is worth one more try has had it

    def __call__(self) -> T:
        self.made += 1
        try:
            return self._attempt()
        except Retry as failed:
            failed.is_last = self.made == self._tries or (failed.refusal.once and self._repeated)
            self._repeated = self._repeated or failed.refusal.once
            if not failed.is_last:
                message = failed.refusal.error.summary
                self._report(f"{message} Trying again ({self.made} of {self._tries - 1}).")
            raise


def _tried_again(attempt: Callable[[], T], refused: Retry, wait_initial: float) -> T:
    """Make the attempts after the first, which raised `refused`."""
    # tenacity and not stamina: the hooks of stamina are the whole process's, and write into its log.
    from tenacity import Retrying, retry_if_exception, wait_exponential, wait_random

    backoff = wait_exponential(wait_initial, max=_LONGEST_BACKOFF) + wait_random(0, wait_initial)
    first: list[Retry] = [refused]

    def wait(state: "tenacity.RetryCallState") -> float:
        assert state.outcome is not None, "only asked after an attempt"
        error = state.outcome.exception()
        assert isinstance(error, Retry), "nothing else is tried again"
        asked = error.refusal.retry_after
        return backoff(state) if asked is None else asked

    def next_attempt() -> T:
        if first:
            raise first.pop()  # the first attempt was made already
        return attempt()

    is_passing = retry_if_exception(lambda error: isinstance(error, Retry) and not error.is_last)
    return Retrying(retry=is_passing, wait=wait)(next_attempt)


def with_retries(
    attempt: Callable[[], T], *, tries: int, wait_initial: float, report: Callable[[str], None]
) -> T:
    """Return what `attempt` does, called up to `tries` times for as long as it raises `Retry`.

    Waits as long as the server asked, else `wait_initial` seconds, doubled for each further attempt, with as
    much jitter, up to a minute. `report` is told of each failure that is followed by another attempt. Raises
    the error of the last `Retry`, and whatever else `attempt` raises.
    """
    attempts = _Attempts(attempt, tries, report)
    try:
        try:
            return attempts()
        except Retry as refused:
            if refused.is_last:
                raise
            first = refused
        return _tried_again(attempts, first, wait_initial)
    except Retry as refused:
        error = refused.refusal.error
        if attempts.made > 1:
            error.message = f"{refused.refusal.sentence} (Tried {attempts.made} times.)"
        raise error from refused.__cause__
