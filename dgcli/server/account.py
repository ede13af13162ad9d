"""What the API tells of a project: usage, requests, balances; here of the one project that this server has.

Sources: Deepgram reference, "Usage", "Requests" and "Balances"; the types of the official Python SDK.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dgcli.server import responses
from dgcli.server.errors import ErrorAnswer, invalid_query
from dgcli.server.request_log import AnsweredRequest, RequestLog

_GROUPS = ("endpoint", "method", "models", "accessor", "tags", "feature_set", "deployment")
_MOST = 1000  # requests on a page
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)

Json = dict[str, Any]
Query = Mapping[str, str]


def _day(text: str, *, is_end: bool) -> datetime:
    """Convert a date or a time; the end of a span is the whole of its day. Raises `ErrorAnswer`."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment + timedelta(days=1) if is_end and len(text) == len("2026-01-31") else moment
    except (ValueError, OverflowError) as error:
        raise invalid_query(f"invalid date {text!r}") from error


def _span(query: Query) -> tuple[datetime, datetime]:
    start = _day(query["start"], is_end=False) if query.get("start") else _FIRST_DAY
    end = _day(query["end"], is_end=True) if query.get("end") else datetime.now(UTC) + timedelta(seconds=1)
    return start, end


def _whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise invalid_query(f"{name}: invalid value {text!r}")
    return int(text or default)


def _used(request: AnsweredRequest, group: str | None) -> object:
    """Return what a request is grouped by."""
    if group == "endpoint":
        return "listen"
    if group == "method":
        return request.method
    if group == "models":
        return (request.model,) if request.model else ()
    return None


def _request_json(request: AnsweredRequest) -> Json:
    return {
        "request_id": request.request_id,
        "project_uuid": responses.PROJECT_ID,
        "created": request.created.isoformat().replace("+00:00", "Z"),
        "path": request.path,
        "api_key_id": None,
        "response": {
            "code": request.status,
            "details": {"duration": request.seconds, "method": request.method},
        },
        "code": request.status,
        "deployment": "self-hosted",
        "callback": None,
    }


def usage(log: RequestLog, query: Query) -> Json:
    """Return the answer of GET .../usage and .../usage/breakdown. Raises `ErrorAnswer`."""
    start, end = _span(query)
    group = query.get("grouping")
    if group is not None and group not in _GROUPS:
        raise invalid_query(f"grouping: unknown variant {group!r}")
    totals: dict[object, list[float]] = {}
    for request in log.between(start, end):
        total = totals.setdefault(_used(request, group), [0, 0.0])
        total[0] += 1
        total[1] += request.seconds / 3600
    first, last = start.date().isoformat(), (end - timedelta(microseconds=1)).date().isoformat()
    results = [
        {
            "hours": hours, "total_hours": hours, "agent_hours": 0.0, "tokens_in": 0, "tokens_out": 0,
            "tts_characters": 0, "requests": count,
            "grouping": {
                "start": first, "end": last,
                **dict.fromkeys(_GROUPS),
                **({group: list(used) if isinstance(used, tuple) else used} if group else {}),
            },
        }
        for used, (count, hours) in totals.items()
    ]  # fmt: skip
    return {
        "start": first,
        "end": last,
        "resolution": {"units": "day", "amount": (end - start).days or 1},
        "results": results,
    }


def requests(log: RequestLog, query: Query) -> Json:
    """Return the answer of GET .../requests. Raises `ErrorAnswer`."""
    start, end = _span(query)
    limit, page = _whole(query, "limit", 10, _MOST), _whole(query, "page", 0, 10**9)
    status = query.get("status")
    listed = [
        request
        for request in log.between(start, end)
        if status is None or (request.status < 400) == (status == "succeeded")
    ]
    rows = listed[page * limit : (page + 1) * limit]
    return {"page": page, "limit": limit, "requests": [_request_json(request) for request in rows]}


def request(log: RequestLog, request_id: str) -> Json:
    """Return the answer of GET .../requests/{id}. Raises `ErrorAnswer`."""
    for candidate in log.between(*_span({})):
        if candidate.request_id == request_id:
            return {"request": _request_json(candidate)}
    raise ErrorAnswer(404, "REQUEST_NOT_FOUND", "Request not found.")


def balances() -> Json:
    """Return the answer of GET .../balances: nothing is paid for here."""
    return {
        "balances": [
            {"balance_id": responses.PROJECT_ID, "amount": 0.0, "units": "usd", "purchase_order_id": None}
        ]
    }
