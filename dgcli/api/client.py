"""The synchronous REST caller: `POST /v1/listen`, with retries, and every failure as one clear error.

Sources: Deepgram reference, "Transcribe - Local file", "Transcribe - Remote file" and "API Errors".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import httpx

from dgcli import __version__
from dgcli.api import tls
from dgcli.api.bodies import ACCEPTED, MOST_BYTES, UnusableBody, read_body
from dgcli.api.http_failures import http_failure
from dgcli.api.proxies import proxy_for, unusable
from dgcli.api.refusals import Peer, is_html, refused, web_page
from dgcli.api.retries import Retry, with_retries
from dgcli.api.retry_after import retry_after
from dgcli.api.wire import WatchedTransport
from dgcli.config import Config
from dgcli.errors import ApiError

_CONNECT_TIMEOUT = 10.0
_PROGRESS_TIMEOUT = 60.0  # seconds without a byte of the upload being taken
_LONGEST_WAIT = 300.0  # seconds that a Retry-After may make us wait
_MOST_OF_A_REFUSAL = 1 << 20  # bytes: no more is read of what is no transcript

Report = Callable[[str], None]
Progress = Callable[[int], None]


class Sendable(Protocol):
    """What can be uploaded: `size` bytes of a media type, from the beginning as often as it takes."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def media_type(self) -> str:
        """Content-Type."""

    def blocks(self) -> Iterator[bytes]:
        """All of it from the beginning."""


class Answer(NamedTuple):
    """A success of the API: its body unchanged, and what it took to get it."""

    body: bytes
    request_id: str | None
    attempts: int


def kept_answer(body: bytes) -> Answer:
    """An answer of an earlier run, for which nothing was asked."""
    return Answer(body, None, 0)


class RequestPace(Protocol):
    """What keeps the requests of several threads at one pace."""

    def admit(self) -> None:
        """Wait until a request may be sent; may raise, and nothing is sent."""

    def answered(self, status: int | None, wait: float | None) -> bool:
        """The request was answered with this status (None: not at all), and was asked to wait this long.

        Whether it is to be sent again, when admitted, without counting that as a try.
        """


class _Unhurried:
    """The pace of a request that is alone: none."""

    def admit(self) -> None:
        pass

    def answered(self, status: int | None, wait: float | None) -> bool:  # noqa: ARG002 - a RequestPace
        return False


def api_headers(config: Config) -> Mapping[str, str]:
    """Return the headers of every request. Raises as `Config.authorization`."""
    return {
        **config.authorization(),
        "Accept": "application/json",
        "Accept-Encoding": ACCEPTED,
        "User-Agent": f"dgcli/{__version__}",
    }


def new_http_client(config: Config, *, answer: float, connections: int = 1) -> httpx.Client:
    """Return a client for the API's host that waits `answer` seconds for an answer. Raises `UsageError`."""
    secure = config.base_url.startswith("https:")
    try:
        proxy = proxy_for(config.base_url)
        return httpx.Client(
            transport=WatchedTransport(
                tls.context(config.ca_cert) if secure else tls.unused(),
                proxy=proxy.url if proxy else None,
                connections=connections,
            ),
            # Reading is a deadline for the whole answer: see `wire`.
            timeout=httpx.Timeout(
                answer, connect=min(answer, _CONNECT_TIMEOUT), write=_PROGRESS_TIMEOUT, pool=None
            ),
            # A redirect would carry the key along, and POST would become GET.
            follow_redirects=False,
            trust_env=False,  # all of it is read by `proxies` and `tls`, for streams too
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise unusable(error) from error


class Client:
    """Calls `POST /v1/listen`. One may serve several threads; use it as a context manager.

    `report` is told about each failed attempt that will be repeated. `wait_initial` is the first back-off in
    seconds; it doubles from there, with jitter, up to a minute. `connections` are kept open for as many
    threads; `pace` holds their requests back.
    """

    def __init__(
        self,
        config: Config,
        *,
        report: Report,
        wait_initial: float = 1.0,
        connections: int = 1,
        pace: RequestPace | None = None,
    ) -> None:
        self._config = config
        self._report = report
        self._wait_initial = wait_initial
        self._pace = pace or _Unhurried()
        self._headers = api_headers(config)
        self._client = new_http_client(config, answer=config.timeout, connections=connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _sent(
        self, url: str, headers: Mapping[str, str], content: bytes | Iterator[bytes]
    ) -> tuple[httpx.Response, bytes]:
        """An answer and its body. Of a refusal no more is read than can be told."""
        request = self._client.build_request(
            "POST", url, headers={**self._headers, **headers}, content=content
        )
        response = self._client.send(request, stream=True)
        try:
            most = MOST_BYTES if response.is_success else _MOST_OF_A_REFUSAL
            return response, read_body(response.iter_raw(), response.headers, most=most)
        except UnusableBody as unusable_body:
            if not response.is_success:
                return response, unusable_body.came[:_MOST_OF_A_REFUSAL]
            error = ApiError(
                str(unusable_body),
                status=response.status_code,
                request_id=response.headers.get("dg-request-id"),
                hint="Check --base-url and any proxy; the API's own answers are not like that.",
            )
            error.body = unusable_body.came  # it was paid for
            raise error from unusable_body
        finally:
            response.close()

    def _post(
        self, url: str, headers: Mapping[str, str], content: Callable[[], bytes | Iterator[bytes]]
    ) -> tuple[httpx.Response, bytes]:
        """The answer to a request, which is sent when the pace lets it, and again when the pace says so."""
        while True:
            self._pace.admit()
            status = wait = None
            try:
                response, body = self._sent(url, headers, content())
                status = response.status_code
                wait = None if response.is_success else retry_after(status, response.headers)
            finally:
                again = self._pace.answered(status, wait)
            if not again:
                return response, body

    def _once(
        self, url: str, headers: Mapping[str, str], content: Callable[[], bytes | Iterator[bytes]]
    ) -> tuple[httpx.Response, bytes]:
        """One attempt. Raises `Retry` for what may be repeated, a `DgError` for what may not."""
        try:
            response, body = self._post(url, headers, content)
        except httpx.TransportError as error:
            refusal = http_failure(
                error,
                Peer(self._config.base_url),
                connect=_CONNECT_TIMEOUT,
                stall=_PROGRESS_TIMEOUT,
                answer=self._config.timeout,
            )
            # What was computed for an answer that came too late is already paid for.
            if refusal.retry and not isinstance(error, httpx.ReadTimeout):
                raise Retry(refusal) from error
            raise refusal.error from error
        if response.is_success:
            return response, body
        refusal = refused(response.status_code, response.headers, body)
        if refusal.retry and (refusal.retry_after or 0.0) <= _LONGEST_WAIT:
            raise Retry(refusal)
        raise refusal.error

    def _call(
        self, query: str, headers: Mapping[str, str], content: Callable[[], bytes | Iterator[bytes]]
    ) -> Answer:
        """Attempts until one succeeds or none is left."""
        url = self._config.url("/v1/listen") + (f"?{query}" if query else "")
        sent = 0

        def counted() -> bytes | Iterator[bytes]:
            nonlocal sent
            sent += 1
            return content()

        response, body = with_retries(
            lambda: self._once(url, headers, counted),
            tries=self._config.retries + 1,
            wait_initial=self._wait_initial,
            report=self._report,
        )
        return _answer(response, body, sent)

    def transcribe_file(self, upload: Sendable, query: str, *, progress: Progress) -> Answer:
        """Send audio; its transcript.

        `progress` is told the bytes sent so far, from 0 again at each attempt. Raises `AuthError`,
        `ApiError`, `NetworkError`, and `AudioError` when the file changes while it is sent.
        """
        headers = {"Content-Type": upload.media_type, "Content-Length": str(upload.size)}
        return self._call(query, headers, lambda: _told(upload, progress))

    def transcribe_url(self, url: str, query: str) -> Answer:
        """Have the API fetch `url`; its transcript. Raises `AuthError`, `ApiError`, `NetworkError`."""
        body = json.dumps({"url": url}).encode()
        return self._call(query, {"Content-Type": "application/json"}, lambda: body)


def _told(upload: Sendable, progress: Progress) -> Iterator[bytes]:
    """The blocks of an upload, its progress being told."""
    sent = 0
    progress(sent)
    for block in upload.blocks():
        yield block
        sent += len(block)
        progress(sent)


def _answer(response: httpx.Response, body: bytes, attempts: int) -> Answer:
    """A success, if it is one: a proxy may say 200 and mean its log-in page."""
    if is_html(response.headers, body):
        raise web_page(response.status_code, response.headers, body).error
    return Answer(body, response.headers.get("dg-request-id"), attempts)
