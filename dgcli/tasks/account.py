"""What the account tells: usage, balance, requests of a project. Nothing here changes or bills anything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dgcli.config import Config
from dgcli.errors import ApiError, UsageError
from dgcli.transcript.json_values import mapping, mappings, number, string

if TYPE_CHECKING:
    from dgcli.api.management import Management

GROUPINGS = ("models", "endpoint", "method", "tags", "accessor", "deployment", "feature_set")
_DAYS = 30  # of usage, where nobody says otherwise
_MOST_REQUESTS = 1000  # on a page: "List Project Requests"

Json = Mapping[str, Any]


def _chosen(projects: list[Json], wanted: str | None) -> str:
    """Return the id of the project that is wanted, by id or name, or of the only one. Raises `UsageError`."""
    listed = ", ".join(
        f"{string(project.get('name'))} ({string(project.get('project_id'))})" for project in projects
    )
    hits = [
        project
        for project in projects
        if wanted is None or wanted in (project.get("project_id"), project.get("name"))
    ]
    if len(hits) == 1 and (identifier := string(hits[0].get("project_id"))):
        return identifier
    if not projects:
        raise ApiError("The key has no project.", hint="Use a key of https://console.deepgram.com.")
    if wanted is None:
        message = "The key has several projects."
    else:
        message = f"There are several projects {wanted!r}." if hits else f"There is no project {wanted!r}."
    raise UsageError(message, hint=f"Name one with --project: {listed}. To keep it: dg config set project ID")


@contextmanager
def _project(config: Config) -> Iterator[tuple["Management", str]]:
    """Open the API and find the project to ask about. Raises `DgError`."""
    from dgcli.api.management import Management

    with Management(config) as api:
        wanted = config.project
        # An id needs no list, which some keys may not ask for.
        if wanted is not None and len(wanted) == 36 and wanted.count("-") == 4:
            yield api, wanted
            return
        yield api, _chosen(list(mappings(api.projects().fields.get("projects"))), wanted)


def _span(start: str | None, end: str | None) -> tuple[str, str]:
    """Return the dates from and to which usage is asked for. Raises `UsageError`."""
    try:
        last = date.fromisoformat(end) if end else datetime.now(UTC).date()
        first = date.fromisoformat(start) if start else last - timedelta(days=_DAYS)
    except (ValueError, OverflowError):
        raise UsageError("--start and --end take a date.", hint="For example: --start 2026-01-31") from None
    if first > last:
        raise UsageError(f"--start {first} is after --end {last}.")
    return first.isoformat(), last.isoformat()


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used by a group of requests."""

    group: str
    hours: float
    requests: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a span of days, and the API's own answer."""

    start: str
    end: str
    rows: tuple[UsageRow, ...]
    answer: Json

    @property
    def total(self) -> UsageRow:
        """The sum of all."""
        hours, requests = sum(row.hours for row in self.rows), sum(row.requests for row in self.rows)
        return UsageRow("total", hours, requests)


def _group(grouping: Json, by: str) -> str:
    value = grouping.get(by)
    if isinstance(value, list):
        return ", ".join(map(string, value)) or "-"
    return string(value) or "-"


def usage(config: Config, *, start: str | None, end: str | None, by: str) -> Usage:
    """Return hours and requests by model, say. Raises `DgError`."""
    if by not in GROUPINGS:
        raise UsageError(f"--by takes {', '.join(GROUPINGS)}, not {by!r}.")
    first, last = _span(start, end)
    with _project(config) as (api, project):
        answer = api.usage(project, {"start": first, "end": last, "grouping": by}).fields
    rows = [
        UsageRow(
            _group(mapping(item.get("grouping")), by),
            number(item.get("total_hours")) or number(item.get("hours")),
            int(number(item.get("requests"))),
        )
        for item in mappings(answer.get("results"))
    ]
    rows.sort(key=lambda row: (-row.hours, row.group))
    return Usage(string(answer.get("start")) or first, string(answer.get("end")) or last, tuple(rows), answer)


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left."""

    amount: float
    units: str


def balances(config: Config) -> tuple[tuple[Balance, ...], Json]:
    """Return what is left of the project's credits, and the API's own answer. Raises `DgError`."""
    with _project(config) as (api, project):
        answer = api.balances(project).fields
    listed = mappings(answer.get("balances"))
    return tuple(Balance(number(item.get("amount")), string(item.get("units"))) for item in listed), answer


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request that was made."""

    created: str
    request_id: str
    path: str
    status: int
    seconds: float | None


def _request_row(item: Json) -> RequestRow:
    response = mapping(item.get("response"))
    seconds = mapping(response.get("details")).get("duration")
    return RequestRow(
        string(item.get("created")),
        string(item.get("request_id")),
        string(item.get("path")),
        int(number(item.get("code")) or number(response.get("code"))),
        number(seconds) if seconds is not None else None,
    )


def requests(
    config: Config, *, start: str | None, end: str | None, limit: int, failed: bool
) -> tuple[tuple[RequestRow, ...], Json]:
    """Return the latest requests, and the API's own answer. Raises `DgError`."""
    if not 1 <= limit <= _MOST_REQUESTS:
        raise UsageError(f"--limit takes 1 to {_MOST_REQUESTS}, not {limit}.")
    first, last = _span(start, end) if start or end else (None, None)
    query = {"start": first, "end": last, "limit": limit, "status": "failed" if failed else None}
    with _project(config) as (api, project):
        answer = api.requests(project, query).fields
    return tuple(_request_row(item) for item in mappings(answer.get("requests"))), answer


def request(config: Config, request_id: str) -> tuple[RequestRow, Json]:
    """Return one request, and the API's own answer. Raises `DgError`."""
    with _project(config) as (api, project):
        answer = api.request(project, request_id).fields
    return _request_row(mapping(answer.get("request")) or answer), answer
