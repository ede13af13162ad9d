"""What the server tells of its project: usage, requests, tokens; with the official SDK as a client."""

import time
from collections.abc import Callable

import httpx
import pytest
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from dgcli.server import account
from dgcli.server.access import authorized, temporary_token
from dgcli.server.errors import ErrorAnswer
from dgcli.server.request_log import RequestLog
from dgcli.server.responses import PROJECT_ID

# The SDK asks websockets for a name that it will not have for ever.
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

KEY = "a-key-of-the-server"


@pytest.fixture
def log() -> RequestLog:
    """Two files of an hour and half an hour, a stream of six minutes, and a refusal."""
    log = RequestLog()
    for number, (model, seconds) in enumerate((("nova-3", 3600.0), ("nova-3", 1800.0))):
        log.heard(f"file-{number}", model, seconds)
        log.answered(f"file-{number}", "/v1/listen", 200)
    log.heard("stream", "nova-2", 360.0)
    log.answered("stream", "/v1/listen", 200, method="streaming")
    log.answered("refused", "/v1/listen", 401)
    return log


def test_usage_adds_up(log: RequestLog) -> None:
    """Hours and requests are summed for each value of the grouping, and for all without one."""
    by_model = {
        tuple(row["grouping"]["models"]): (row["hours"], row["requests"])
        for row in account.usage(log, {"grouping": "models"})["results"]
    }
    assert by_model == {("nova-3",): (1.5, 2), ("nova-2",): (0.1, 1), (): (0.0, 1)}
    (total,) = account.usage(log, {})["results"]
    assert (total["hours"], total["requests"]) == (pytest.approx(1.6), 4)
    assert account.usage(log, {"start": "2001-01-01", "end": "2001-12-31"})["results"] == []
    with pytest.raises(ErrorAnswer):
        account.usage(log, {"start": "yesterday"})


def test_usage_is_grouped_by_other_things(log: RequestLog) -> None:
    """By endpoint all is one row, by method files and streams are two; times of other zones are times."""
    (row,) = account.usage(log, {"grouping": "endpoint"})["results"]
    assert row["requests"] == 4
    rows = account.usage(log, {"grouping": "method", "start": "2020-01-01T00:00:00+02:00"})["results"]
    assert sorted(row["requests"] for row in rows) == [1, 3]


@pytest.mark.parametrize("query", [{"grouping": "colour"}, {"start": "2026-13-01"}, {"end": "9999-12-31"}])
def test_questions_that_are_none_are_refused(log: RequestLog, query: dict[str, str]) -> None:
    """A grouping that is none, a month that is none, and a day after all days are answered with 400."""
    with pytest.raises(ErrorAnswer) as refused:
        account.usage(log, query)
    assert refused.value.status == 400


@pytest.mark.parametrize("limit", ["-1", "many", "1001", "٣"])
def test_pages_that_are_none_are_refused(log: RequestLog, limit: str) -> None:
    """How many on a page is a whole number up to a thousand, in digits of ASCII."""
    with pytest.raises(ErrorAnswer):
        account.requests(log, {"limit": limit})


def test_requests_come_in_pages(log: RequestLog) -> None:
    """The newest first, as many on a page as are asked for, and only those of a status."""

    def ids(**query: str) -> list[str]:
        return [row["request_id"] for row in account.requests(log, query)["requests"]]

    assert ids() == ["refused", "stream", "file-1", "file-0"]
    assert ids(limit="2", page="1") == ["file-1", "file-0"]
    assert ids(status="failed") == ["refused"]
    assert account.request(log, "stream")["request"]["response"]["details"]["duration"] == 360.0
    with pytest.raises(ErrorAnswer):
        account.request(log, "nobody's")


def test_a_callback_is_told_of_later(log: RequestLog) -> None:
    """What is found out after the answer, as for a callback, is added to the request; and old ones are forgotten."""
    log.heard("refused", "nova-3", 60.0)
    assert account.request(log, "refused")["request"]["response"]["details"]["duration"] == 60.0
    for number in range(1000):
        log.answered(str(number), "/v1/listen", 200)
    assert len(account.requests(log, {"limit": "1000"})["requests"]) == 1000
    with pytest.raises(ErrorAnswer):
        account.request(log, "file-0")


def test_a_token_counts_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is the key for its seconds, as Bearer alone; not one of another key, and not one that was changed."""
    token = temporary_token(KEY, 60)
    assert authorized(f"Bearer {token}", KEY)
    assert not authorized(f"Token {token}", KEY)
    assert not authorized(f"Bearer {token}", "another")
    assert not authorized(f"Bearer {token[:-2]}xx", KEY)
    assert not authorized("Bearer x", KEY)
    later = time.time() + 61
    monkeypatch.setattr("dgcli.server.access.time.time", lambda: later)
    assert not authorized(f"Bearer {token}", KEY)


@pytest.mark.slow  # the SDK's own types take a minute and a half to be made
def test_the_sdk_is_answered(start: Callable[..., str], client: httpx.Client) -> None:
    """The official SDK reads projects, usage, its breakdown, requests, balances and a token that works."""
    url = start(engine="count", require_key=KEY)
    place = DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
    sdk = DeepgramClient(api_key=KEY, environment=place, httpx_client=client)
    sdk.listen.v1.media.transcribe_file(request=b"anything")
    (project,) = sdk.manage.v1.projects.list().projects
    assert project.project_id == PROJECT_ID
    assert sdk.manage.v1.projects.usage.get(PROJECT_ID).resolution.units == "day"
    (row,) = sdk.manage.v1.projects.usage.breakdown.get(PROJECT_ID, grouping="models").results
    assert row.requests == 1
    (request,) = sdk.manage.v1.projects.requests.list(PROJECT_ID).requests
    assert (request.code, request.path) == (200, "/v1/listen")
    assert (
        sdk.manage.v1.projects.requests.get(PROJECT_ID, request.request_id).request.request_id
        == request.request_id
    )
    assert sdk.manage.v1.projects.billing.balances.list(PROJECT_ID).balances[0].units == "usd"
    granted = sdk.auth.v1.tokens.grant(ttl_seconds=20)
    assert granted.expires_in == 20
    answer = client.get(f"{url}/v1/projects", headers={"Authorization": f"Bearer {granted.access_token}"})
    assert answer.status_code == 200
    for body in (b'{"ttl_seconds": 3601}', b"[", b'{"ttl_seconds": "x"}', b"[]"):
        refused = client.post(f"{url}/v1/auth/grant", headers={"Authorization": f"Token {KEY}"}, content=body)
        assert refused.status_code == 400
