"""What exceptions of httpx and of sockets become: whom it concerns, what to do, whether to try again."""

import ssl

import httpx
import pytest

from dgcli.api.http_failures import http_failure
from dgcli.api.refusals import Peer, Role
from dgcli.errors import AudioError, NetworkError, UsageError

URL = "http://user:secret@radio.example:8000/live"


def caused(cause: BaseException) -> httpx.ConnectError:
    """What httpx makes of an exception of a socket."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "role", "kind", "said", "retry"),
    [
        (httpx.InvalidURL("bad port"), Role.API, UsageError, "cannot be used: bad port", False),
        (httpx.UnsupportedProtocol("ftp"), Role.SOURCE, AudioError, "no http or https URL", False),
        (httpx.TooManyRedirects("20"), Role.SOURCE, AudioError, "redirects in a circle", False),
        (httpx.WriteTimeout("slow"), Role.API, NetworkError, "made no progress for 7 s", True),
        (httpx.ReadTimeout("slow"), Role.API, NetworkError, "within 7 s", True),
        (httpx.ReadError("reset"), Role.API, NetworkError, "broke off", True),
        (httpx.WriteError("reset"), Role.API, NetworkError, "broke off", True),
        (httpx.RemoteProtocolError("illegal status line"), Role.API, NetworkError, "web server", False),
        (caused(TimeoutError()), Role.API, NetworkError, "No connection to radio.example:8000 within 3 s", True),
        (caused(ConnectionResetError()), Role.API, NetworkError, "broke off", True),
        (caused(OSError(101, "Network is unreachable")), Role.API, NetworkError, "etwork is unreachable", True),
        (caused(ssl.SSLEOFError()), Role.API, NetworkError, "broke off", True),
    ],
)  # fmt: skip
def test_each_failure_has_its_words(
    error: Exception, role: Role, kind: type[Exception], said: str, *, retry: bool
) -> None:
    """Every kind of failure says what happened and gives a hint; no login of a URL is shown."""
    refusal = http_failure(error, Peer(URL, role), connect=3.0, stall=7.0)
    assert type(refusal.error) is kind
    assert said in refusal.error.message
    assert refusal.error.hint
    assert refusal.retry is retry
    assert "secret" not in refusal.error.message
