"""Trying a request again after a failure that may pass."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from dgcli.errors import DgError

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

_LONGEST_BACKOFF = 60.0  # seconds


class Retry(Exception):
    """A failure after which another try may succeed; `wait` is what the server asked for, in seconds."""

    def __init__(self, error: DgError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


def _tried_again(
    attempt: Callable[[], T], refused: Retry, tries: int, wait_initial: float, report: Callable[[str], None]
) -> T:
    """The attempts after the first, which raised `refused`."""
    # tenacity and not stamina: the hooks of stamina are the whole process's, and write into its log.
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

    backoff = wait_exponential(wait_initial, max=_LONGEST_BACKOFF) + wait_random(0, wait_initial)
    first: list[Retry] = [refused]

    def failure(state: "tenacity.RetryCallState") -> Retry:
        assert state.outcome is not None, "only asked after an attempt"
        error = state.outcome.exception()
        assert isinstance(error, Retry), "nothing else is tried again"
        return error

    def wait(state: "tenacity.RetryCallState") -> float:
        asked = failure(state).wait
        return backoff(state) if asked is None else asked

    def tell(state: "tenacity.RetryCallState") -> None:
        report(f"{failure(state).error.summary} Trying again ({state.attempt_number} of {tries - 1}).")

    def next_attempt() -> T:
        if first:
            raise first.pop()  # the first attempt was made already
        return attempt()

    retrying = Retrying(
        retry=retry_if_exception_type(Retry),
        stop=stop_after_attempt(tries),
        wait=wait,
        before_sleep=tell,
        reraise=True,
    )
    return retrying(next_attempt)


def with_retries(
    attempt: Callable[[], T], *, tries: int, wait_initial: float, report: Callable[[str], None]
) -> T:
    """What `attempt` returns, called up to `tries` times for as long as it raises `Retry`.

    Waits as long as the server asked, else `wait_initial` seconds, doubled for each further attempt, with as
    much jitter, up to a minute. `report` is told of each failure that is followed by another attempt. Raises
    the error of the last `Retry`, and whatever else `attempt` raises.
    """
    try:
        try:
            return attempt()
        except Retry as refused:
            if tries < 2:
                raise
            first = refused
        return _tried_again(attempt, first, tries, wait_initial, report)
    except Retry as refused:
        if tries > 1:
            refused.error.message += f" (Tried {tries} times.)"
        raise refused.error from refused.__cause__
