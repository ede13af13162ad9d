"""What the API tells beside transcripts: models, projects and their usage, whether a key works; temporary tokens.

Answers are JSON objects as they come; who reads them must expect fields to be missing. Sources: Deepgram reference,
"Management API" and "Token-Based Authentication"; where these give no shape of an answer, the official Python SDK.
"""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import httpx

from dgcli.api.bodies import ACCEPTED, UnusableBody, read_body
from dgcli.api.client import api_headers, new_http_client
from dgcli.api.http_failures import http_failure
from dgcli.api.refusals import Peer, is_html, refused, web_page
from dgcli.api.retries import Retry, with_retries
from dgcli.config import Config
from dgcli.errors import ApiError, AuthError, DgError
from dgcli.transcript.json_values import mapping

ANSWER_TIMEOUT = 20.0  # seconds; nothing is computed for these answers
_LONGEST_WAIT = 60.0  # seconds that a Retry-After may make us wait
_TRIES = 3
_MOST_OF_A_REFUSAL = 1 << 20  # bytes
_MAIN_HOST = "api.deepgram.com"
_REGIONAL_HINT = (
    f"This is a regional host: projects are asked for at the main one. Add: --base-url https://{_MAIN_HOST}"
)
_ROLE_HINT = "The key's role does not allow it: make a key with a higher one at https://console.deepgram.com."
_PROJECTS = "/v1/projects"

Query = Mapping[str, object]


class ManagementAnswer(NamedTuple):
    """An answer: its object, and the id to ask support about."""

    fields: Mapping[str, Any]
    request_id: str | None


def _content(response: httpx.Response) -> bytes:
    """Read the body of an answer, and no more than can be one. Raises `ApiError`."""
    try:
        return read_body(response.iter_raw(), response.headers)
    except UnusableBody as unusable:
        if not response.is_success:
            return unusable.came[:_MOST_OF_A_REFUSAL]
        raise ApiError(
            str(unusable),
            status=response.status_code,
            request_id=response.headers.get("dg-request-id"),
            hint="Check --base-url and any proxy; the API's own answers are not like that.",
        ) from unusable
    finally:
        response.close()


class Management:
    """Asks the API; use it as a context manager. Raises `AuthError`, `ApiError` and `NetworkError`.

    Without `with_key`, requests go without one where there is none: lists of models need none.
    """

    def __init__(
        self, config: Config, *, with_key: bool = True, timeout: float = ANSWER_TIMEOUT, tries: int = _TRIES
    ) -> None:
        self._config = config
        self._timeout = timeout
        self._tries = tries
        try:
            self._headers = api_headers(config)
        except AuthError:
            if with_key:
                raise
            self._headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED}
        self._client = new_http_client(config, answer=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _once(self, method: str, url: str, body: Mapping[str, object] | None) -> tuple[httpx.Response, bytes]:
        """Make one attempt. Raises `Retry` for what may be repeated, a `DgError` for what may not."""
        peer = Peer(self._config.base_url)
        try:
            request = self._client.build_request(method, url, headers=self._headers, json=body)
            response = self._client.send(request, stream=True)
            content = _content(response)
        except (httpx.TransportError, httpx.DecodingError) as error:
            refusal = http_failure(error, peer, connect=self._timeout, stall=self._timeout)
            if refusal.retry:
                raise Retry(refusal) from error
            raise refusal.error from error
        if response.is_success:
            return response, content
        refusal = refused(response.status_code, response.headers, content)
        if refusal.retry and (refusal.retry_after or 0.0) <= _LONGEST_WAIT:
            raise Retry(refusal)
        raise self._explained(refusal.error, response)

    def _explained(self, error: DgError, response: httpx.Response) -> DgError:
        """Give a refusal the remedy that it has here: those of transcripts do not fit."""
        if response.status_code == 403:
            error.hint = _ROLE_HINT
        if response.status_code == 404 and response.url.path.startswith(_PROJECTS):
            regional = self._config.host.endswith(f".{_MAIN_HOST.partition('.')[2]}")
            if regional and self._config.host != _MAIN_HOST:
                error.hint = _REGIONAL_HINT
            elif response.url.path != _PROJECTS:
                error.hint = "Check the project: dg whoami names those of the key."
        return error

    def _ask(
        self, path: str, query: Query | None = None, *, method: str = "GET", body: Query | None = None
    ) -> ManagementAnswer:
        """Ask until there is an answer, or no try is left."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self._config.url(path) + (f"?{urlencode(given)}" if given else "")
        response, content = with_retries(
            lambda: self._once(method, url, body),
            tries=self._tries,
            wait_initial=0.5,
            report=lambda message: None,  # noqa: ARG005 - these questions are quick, and asked again in silence
        )
        if is_html(response.headers, content):
            raise web_page(response.status_code, response.headers, content).error
        request_id = response.headers.get("dg-request-id")
        try:
            return ManagementAnswer(mapping(json.loads(content)), request_id)
        except (ValueError, RecursionError) as error:
            raise ApiError(
                "The answer is no JSON.",
                status=response.status_code,
                request_id=request_id,
                hint="Check --base-url.",
            ) from error

    def _of_project(self, project: str, what: str, query: Query | None = None) -> ManagementAnswer:
        return self._ask(f"{_PROJECTS}/{quote(project, safe='')}{what}", query)

    def key(self) -> ManagementAnswer:
        """Ask whether the key works: its scopes and its project, where the server tells them."""
        return self._ask("/v1/auth/token")

    def projects(self) -> ManagementAnswer:
        """Ask for the projects that the key may see."""
        return self._ask(_PROJECTS)

    def project(self, project: str) -> ManagementAnswer:
        """Ask for one project."""
        return self._of_project(project, "")

    def models(self, *, outdated: bool = False) -> ManagementAnswer:
        """Ask for all models that can be had."""
        return self._ask("/v1/models", {"include_outdated": "true" if outdated else None})

    def usage(self, project: str, query: Query) -> ManagementAnswer:
        """Ask for hours and requests, in total or by a grouping."""
        return self._of_project(project, "/usage/breakdown", query)

    def balances(self, project: str) -> ManagementAnswer:
        """Ask for what is left."""
        return self._of_project(project, "/balances")

    def requests(self, project: str, query: Query) -> ManagementAnswer:
        """Ask for the latest requests."""
        return self._of_project(project, "/requests", query)

    def request(self, project: str, request_id: str) -> ManagementAnswer:
        """Ask for one request."""
        return self._of_project(project, f"/requests/{quote(request_id, safe='')}")

    def grant(self, seconds: int) -> ManagementAnswer:
        """Ask for a token that counts for so many seconds."""
        return self._ask("/v1/auth/grant", method="POST", body={"ttl_seconds": seconds})
