"""The hub as an origin: a file of a pinned revision over HTTP, continued where an attempt broke off.

Source: huggingface_hub, "Download files from the Hub": `{endpoint}/{repository}/resolve/{revision}/{file}`, which
redirects to where large files lie.
"""

import queue
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from dgcli import __version__
from dgcli.api import tls
from dgcli.api.hub.catalogue import ModelFile, ModelSpec
from dgcli.api.hub.origin import Arriving, OriginFailed, Progress, WrongBytes
from dgcli.api.hub.settings import HubSettings

_MOST_REDIRECTS = 8
_HEADERS = {"User-Agent": f"dgcli/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """When an attempt has failed, in seconds and bytes.

    `answer` is how long the head of an answer may take, from looking up the name on: it is short, since there is
    another origin to try, and `connect` alone counts for each address of a host anew. Less than `slowest_bytes`
    within `slowest_seconds`, or nothing for `read` seconds, is as bad as a connection that broke. `tries` is how many
    attempts in a row may bring nothing new, with `pause` between them.
    """

    answer: float = 10.0
    connect: float = 5.0
    read: float = 20.0
    slowest_bytes: int = 64 * 1024
    slowest_seconds: float = 30.0
    tries: int = 3
    pause: float = 1.0


class _BrokenOff(Exception):
    """An attempt ended before the file did; another may continue it."""


class _NoAnswer(_BrokenOff):
    """A request was not answered in time."""


class _TooSlow(_BrokenOff):
    """So little came that it counts as nothing."""


def _reason(error: Exception) -> str:
    """Return why a request failed, as the system words it."""
    cause: BaseException | None = error
    text = str(error) or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            text = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return text


class Hub:
    """Fetches files of models. Use it as a context manager.

    Neither our API key nor any other credential is ever sent. `clock` and `sleep` are those of `time`.
    """

    def __init__(
        self,
        settings: HubSettings,
        limits: DownloadLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits or DownloadLimits()
        self._endpoint = settings.endpoint
        self._clock = clock
        self._sleep = sleep
        try:
            self._client = httpx.Client(
                verify=tls.context(settings.ca_cert),
                timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect),
                follow_redirects=False,
                headers=_HEADERS,
                trust_env=not self._is_here(),  # a proxy is for reaching others
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise OriginFailed(f"the proxy of the environment cannot be used ({error})") from error

    def _is_here(self) -> bool:
        try:
            host = httpx.URL(self._endpoint).host
        except httpx.InvalidURL as error:
            raise OriginFailed(f"HF_ENDPOINT is no URL ({error})") from error
        return host in ("localhost", "127.0.0.1", "::1")

    @property
    def name(self) -> str:
        """Return the host that is asked."""
        return httpx.URL(self._endpoint).netloc.decode("ascii")

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def _get(self, url: str, offset: int) -> httpx.Response:
        """Ask for a file from a byte on, wherever redirects lead; the body is yet to be read."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        for _ in range(_MOST_REDIRECTS):
            request = self._client.build_request("GET", url, headers=headers)
            response = self._client.send(request, stream=True)
            following = response.next_request
            if following is None:
                return response
            response.close()
            if request.url.scheme == "https" and following.url.scheme != "https":
                raise OriginFailed("it redirects to an address without TLS")
            url = str(following.url)
        raise OriginFailed("it redirects in a circle")

    def _get_soon(self, url: str, offset: int) -> httpx.Response:
        """Ask in a thread that may be left behind: nothing else bounds how long names and addresses take."""
        answers: queue.SimpleQueue[httpx.Response | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._get(url, offset))
            except Exception as error:  # it travels as a value
                answers.put(error)

        threading.Thread(target=ask, name="hub", daemon=True).start()
        try:
            answer = answers.get(timeout=self._limits.answer)
        except queue.Empty:
            raise _NoAnswer(f"no answer within {self._limits.answer:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @staticmethod
    def _begins_at(response: httpx.Response) -> int:
        """Return the byte of the file that an answer begins with. Raises `OriginFailed` for one without the file."""
        status = response.status_code
        if status == 200:
            return 0
        if status == 206 and "content-encoding" not in response.headers:
            match = re.match(r"bytes (\d{1,18})-", response.headers.get("content-range", ""))
            if match:
                return int(match[1])
        if status in (408, 425, 429) or status >= 500:
            raise _BrokenOff(f"it answers {status}")
        raise OriginFailed(f"it answers {status} {response.reason_phrase}".rstrip())

    def _receive(self, url: str, arriving: Arriving, progress: Progress) -> None:
        """Make one attempt. Raises `_BrokenOff` when another may bring the rest."""
        response = self._get_soon(url, arriving.size)
        try:
            if response.status_code == 416:  # it has less than we have: that is of another file
                arriving.restart()
                raise _BrokenOff("it has no such part of the file")
            start = self._begins_at(response)
            if start == 0:
                arriving.restart()
            elif start != arriving.size:
                arriving.restart()
                raise _BrokenOff("it sent another part of the file")
            began, begun_with = self._clock(), arriving.size
            for block in response.iter_bytes():
                arriving.write(block)
                progress(arriving.size)
                now = self._clock()
                if now - began >= self._limits.slowest_seconds:
                    if arriving.size - begun_with < self._limits.slowest_bytes:
                        raise _TooSlow("it is too slow")
                    began, begun_with = now, arriving.size
        finally:
            response.close()

    def _attempts(self, url: str, arriving: Arriving, progress: Progress) -> None:
        """Make attempts until all bytes are there, as long as they bring new ones."""
        fruitless, began = 0, arriving.size
        most = began
        while True:
            was_slow = False
            try:
                self._receive(url, arriving, progress)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, _NoAnswer) as error:
                why = _reason(error)
                if arriving.size == began:  # nothing came of it: another origin may be reached at once
                    raise OriginFailed(f"it cannot be reached ({why})") from error
            except httpx.TimeoutException:
                why = f"nothing came for {self._limits.read:g} s"
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise OriginFailed(f"it redirects to no usable address ({error})") from error
            except (httpx.HTTPError, httpx.StreamError) as error:
                why = _reason(error)
            except _BrokenOff as error:
                why, was_slow = str(error), isinstance(error, _TooSlow)
            else:
                return
            if arriving.is_complete:
                return
            fruitless = 0 if arriving.size > most and not was_slow else fruitless + 1
            most = max(most, arriving.size)
            if fruitless >= self._limits.tries:
                raise OriginFailed(f"it broke off at {arriving.size:,} bytes of the file ({why})")
            self._sleep(self._limits.pause)

    def fetch(self, spec: ModelSpec, file: ModelFile, folder: Path, progress: Progress) -> None:
        """Put a file of a model into a folder; as `Origin.fetch`."""
        url = f"{self._endpoint}/{spec.repository}/resolve/{spec.revision}/{file.name}"
        while True:
            arriving = Arriving(folder, file)
            continued = arriving.size > 0
            try:
                if not arriving.is_complete:
                    self._attempts(url, arriving, progress)
                arriving.finish()
            except WrongBytes:
                arriving.discard()
                if not continued:
                    raise
                continue  # the beginning may be of another origin, or damaged: once more, from there
            finally:
                arriving.close()
            return
