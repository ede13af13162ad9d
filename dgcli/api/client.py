"""The synchronous REST caller: `POST /v1/listen`, with retries, and every failure as one clear error.

Sources: Deepgram reference, "Transcribe - Local file", "Transcribe - Remote file" and "API Errors".
"""

import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from dgcli import __version__
from dgcli.api import tls
from dgcli.api.retries import Retry, with_retries
from dgcli.config import Config
from dgcli.errors import ApiError, AuthError, NetworkError, UsageError

_CONNECT_TIMEOUT = 10.0
_PROGRESS_TIMEOUT = 60.0  # seconds without a byte of the upload being taken
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 300.0  # seconds that a Retry-After may make us wait

_HINTS_BY_CODE = {
    "INVALID_AUTH": "Check the key: it may be mistyped, deleted or expired.",
    "ASR_PAYMENT_REQUIRED": "Add credit to the project, or use a key of another one.",
    "UNAUTHORIZED_FEATURES_REQUESTED": "Leave the feature out, or ask for access to it.",
    "REMOTE_CONTENT_ERROR": "The API must be able to fetch the URL; for a file of this machine: dg file.",
    "SLOW_UPLOAD": "The connection is slow; compressing the audio (FLAC, Opus) makes it smaller.",
}
_HINTS_BY_STATUS = {
    401: _HINTS_BY_CODE["INVALID_AUTH"],
    402: _HINTS_BY_CODE["ASR_PAYMENT_REQUIRED"],
    403: "The key may not use this model or feature: check --model, or use another key.",
    404: "Check --base-url: this server has no such path.",
    405: "Check --base-url: this server does not transcribe.",
    411: "A proxy on the way wants another kind of upload.",
    413: "The API takes up to 2 GB: compress the audio (FLAC, Opus), extract it from the video, or split it.",
    414: "The query is too long: send fewer keywords, keyterms or search terms.",
    415: "The API does not know this kind of media: convert it to WAV, FLAC or MP3.",
    429: "Too many requests at once: wait, or send fewer at a time.",
    500: "The fault is the server's: try again later.",
    502: "The fault is the server's or a proxy's: try again later.",
    503: "The service is busy: try again later.",
    504: "The server took too long: try a smaller file or a faster model.",
}
_CORRUPT = "failed to process audio"

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


@dataclass(frozen=True, slots=True)
class Answer:
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


def _title(html: str) -> str:
    """What an HTML page says it is."""
    found = re.search(r"<title[^>]*>(.*?)</title>", html, re.IGNORECASE | re.DOTALL)
    return " ".join(found[1].split())[:100] if found else "no title"


def _is_html(response: httpx.Response) -> bool:
    head = response.content[:512].lstrip().lower()
    return "html" in response.headers.get("content-type", "") or head.startswith((b"<!doctype", b"<html"))


def _message(response: httpx.Response) -> tuple[str, str | None, str | None]:
    """Message, code and request id of an error answer, whichever of the API's forms it has."""
    header = response.headers.get("dg-error")
    request_id = response.headers.get("dg-request-id")
    if _is_html(response):
        page = f"A web page instead of the API's answer: {_title(response.text)!r}."
        return header or page, None, request_id
    try:
        body: Any = json.loads(response.content)
    except ValueError:
        body = response.text.strip()[:300]
    if not isinstance(body, dict):
        text = body if isinstance(body, str) else ""
        return header or text or response.reason_phrase or "No message.", None, request_id
    code = next((str(body[key]) for key in ("err_code", "category", "error_code") if body.get(key)), None)
    text = str(body.get("err_msg") or body.get("message") or header or response.reason_phrase)
    if body.get("details"):
        text = f"{text} {body['details']}"
    return text, code, str(body.get("request_id") or request_id or "") or None


def error_from(response: httpx.Response) -> ApiError | AuthError:
    """The error that an answer of 300 or above stands for."""
    status = response.status_code
    message, code, request_id = _message(response)
    hint = _HINTS_BY_CODE.get(code or "") or _HINTS_BY_STATUS.get(status)
    if _CORRUPT in message:
        hint = "Is it audio? Raw audio needs --encoding and --sample-rate."
    if 300 <= status < 400:
        message = f"The server sends us on to {response.headers.get('location', 'nowhere')!r}."
        hint = (
            "Redirects are not followed, so that the key stays where it belongs: set --base-url to that host."
        )
    kind = AuthError if status in (401, 403) else ApiError
    return kind(message, status=status, code=code, request_id=request_id, hint=hint)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks us to wait, from any of the headers in use."""
    value = response.headers.get("retry-after-ms")
    if value is not None and value.isascii() and value.strip().isdigit():
        return int(value) / 1000
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        from datetime import UTC, datetime

        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None  # neither a number nor a date: as if it were not there


def _reason(error: BaseException) -> str:
    """The innermost reason of a failed connection, as the system words it."""
    seen: BaseException | None = error
    found = str(error)
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"certificate: {seen.verify_message}"
        if isinstance(seen, ssl.SSLError):
            return f"TLS: {seen.reason or seen}"
        if isinstance(seen, OSError) and seen.strerror:
            found = seen.strerror
        seen = seen.__cause__ or seen.__context__
    return found


def _network_error(error: httpx.TransportError, config: Config) -> NetworkError:
    """What went wrong between here and the server, in a sentence."""
    host = httpx.URL(config.base_url).netloc.decode("ascii")
    reason = _reason(error)
    match error:
        case httpx.ConnectTimeout():
            return NetworkError(
                f"No connection to {host} within {_CONNECT_TIMEOUT:g} s.",
                hint="Check the network, or --base-url.",
            )
        case httpx.WriteTimeout():
            return NetworkError(
                f"The upload to {host} made no progress for {_PROGRESS_TIMEOUT:g} s.",
                hint="Check the network.",
            )
        case httpx.ReadTimeout():
            return NetworkError(
                f"No answer from {host} within {config.timeout:g} s.",
                hint="Give it longer with --timeout SECONDS.",
            )
        case httpx.ConnectError() if reason.startswith(("certificate", "TLS")):
            hint = "For a self-signed or company certificate, name its authority with --ca-cert FILE."
            if reason.startswith("TLS"):
                hint = "Does the server speak TLS? A local one may want http:// in --base-url."
            return NetworkError(f"{host} cannot be trusted: {reason}.", hint=hint)
        case httpx.ConnectError():
            return NetworkError(
                f"Cannot connect to {host}: {reason}.", hint="Check the network, the name and --base-url."
            )
        case httpx.ProxyError():
            return NetworkError(f"The proxy refused: {reason}.", hint="Check HTTPS_PROXY.")
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return NetworkError(
                f"The connection to {host} broke off before the answer was complete.", hint="Try again."
            )
        case _:
            return NetworkError(f"The request to {host} failed: {reason}.")


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
        self._headers = {
            **config.authorization(),
            "Accept": "application/json",
            "User-Agent": f"dgcli/{__version__}",
        }
        try:
            self._client = self._new_client(connections)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                f"The proxy of the environment cannot be used: {error}.",
                hint="Check HTTPS_PROXY, ALL_PROXY, NO_PROXY.",
            ) from error

    def _new_client(self, connections: int) -> httpx.Client:
        config = self._config
        secure = config.base_url.startswith("https:")
        return httpx.Client(
            verify=tls.context(config.ca_cert) if secure else tls.unused(),
            timeout=httpx.Timeout(
                config.timeout, connect=_CONNECT_TIMEOUT, write=_PROGRESS_TIMEOUT, pool=None
            ),
            # A redirect would carry the key along, and POST would become GET.
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
            # A proxy is for reaching others.
            trust_env=not config.is_loopback,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _post(
        self, url: str, headers: Mapping[str, str], content: Callable[[], bytes | Iterator[bytes]]
    ) -> httpx.Response:
        """The answer to a request, which is sent when the pace lets it, and again when the pace says so."""
        while True:
            self._pace.admit()
            response = None
            try:
                response = self._client.post(url, headers={**self._headers, **headers}, content=content())
            finally:
                status = None if response is None else response.status_code
                wait = None if response is None else _retry_after(response)
                again = self._pace.answered(status, wait)
            if not again:
                return response

    def _once(
        self, url: str, headers: Mapping[str, str], content: Callable[[], bytes | Iterator[bytes]]
    ) -> httpx.Response:
        """One attempt. Raises `Retry` for what may be repeated, a `DgError` for what may not."""
        try:
            response = self._post(url, headers, content)
        except (httpx.ReadTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise _network_error(error, self._config) from error
        except httpx.TransportError as error:
            refused = _network_error(error, self._config)
            if isinstance(error, httpx.ConnectError) and "cannot be trusted" in refused.message:
                raise refused from error
            raise Retry(refused) from error
        except httpx.DecodingError as error:
            raise NetworkError("The answer is damaged: it cannot be decompressed.") from error
        if response.is_success:
            return response
        failure = error_from(response)
        wait = _retry_after(response)
        if response.status_code in _RETRIED and (wait is None or wait <= _LONGEST_WAIT):
            raise Retry(failure, wait)
        raise failure

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

        response = with_retries(
            lambda: self._once(url, headers, counted),
            tries=self._config.retries + 1,
            wait_initial=self._wait_initial,
            report=self._report,
        )
        return _answer(response, sent)

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


def _answer(response: httpx.Response, attempts: int) -> Answer:
    """A success, if it is one: a proxy may say 200 and mean its log-in page."""
    request_id = response.headers.get("dg-request-id")
    if _is_html(response):
        raise ApiError(
            f"The answer is a web page, {_title(response.text)!r}: something between here and the API gave it.",
            status=response.status_code,
            request_id=request_id,
            hint="Check --base-url and any proxy.",
        )
    return Answer(response.content, request_id, attempts)
