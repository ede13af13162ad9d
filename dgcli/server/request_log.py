"""The transcriptions that this server was asked for: what /requests and /usage of its project tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_KEPT = 1000  # requests; older ones are forgotten


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request for a transcript that was answered: `seconds` of audio, 0 where it was refused."""

    request_id: str
    created: datetime
    path: str
    status: int
    method: str  # sync or streaming
    model: str | None = None
    seconds: float = 0.0


class RequestLog:
    """The latest requests."""

    def __init__(self) -> None:
        self._requests: dict[str, AnsweredRequest] = {}  # by id, the newest last
        self._heard: dict[str, tuple[str | None, float]] = {}

    def heard(self, request_id: str, model: str | None, seconds: float) -> None:
        """Note what a request is about, which a callback's is found out after it was answered."""
        if answered := self._requests.get(request_id):
            self._requests[request_id] = replace(answered, model=model, seconds=seconds)
        else:
            self._heard[request_id] = (model, seconds)

    def answered(self, request_id: str, path: str, status: int, *, method: str = "sync") -> None:
        """Note the answer to a request."""
        model, seconds = self._heard.pop(request_id, (None, 0.0))
        self._requests[request_id] = AnsweredRequest(
            request_id, datetime.now(UTC), path, status, method, model, seconds
        )
        if len(self._requests) > _KEPT:
            del self._requests[next(iter(self._requests))]

    def between(self, start: datetime, end: datetime) -> Sequence[AnsweredRequest]:
        """Return the requests from `start` until before `end`, the newest first."""
        return [
            request for request in reversed(list(self._requests.values())) if start <= request.created < end
        ]
