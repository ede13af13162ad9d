"""Single steps on the way to the API, each tried by itself: name, port, TLS, clock. No key is sent."""

import socket
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from dgcli.api import tls, unreachable
from dgcli.api.http_failures import http_failure
from dgcli.api.proxies import Proxy, proxy_for
from dgcli.api.refusals import Peer
from dgcli.config import Config

_PORTS = {"http": 80, "https": 443}


def _target(config: Config) -> tuple[str, int, Proxy | None]:
    """Return the host and port that a connection is made to: the proxy's where there is one."""
    proxy = proxy_for(config.base_url)
    if proxy is not None:
        return *proxy.address, proxy
    parts = urlsplit(config.base_url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme], None


def resolve(config: Config) -> tuple[str, Sequence[str]]:
    """Return the host to connect to and its addresses. Raises `NetworkError`."""
    host, port, proxy = _target(config)
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise unreachable.not_connected(error, Peer(config.base_url), proxy).error from error
    return host, list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def connect(config: Config, seconds: float) -> tuple[str, float]:
    """Open a connection; return to where, and the seconds that it took. Raises `NetworkError`."""
    host, port, proxy = _target(config)
    began = time.monotonic()
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as error:
        raise unreachable.not_connected(error, Peer(config.base_url), proxy, seconds=seconds).error from error
    return f"{host}:{port}", time.monotonic() - began


def _get(config: Config, seconds: float, *, verified: bool) -> tuple[httpx.Response, str | None]:
    """Return the answer at the root of the API's host, and the version of TLS. Raises `NetworkError`."""
    proxy = proxy_for(config.base_url)
    context = tls.context(config.ca_cert) if verified else False
    try:
        with (
            httpx.Client(
                verify=context, timeout=seconds, proxy=proxy.url if proxy else None, trust_env=False
            ) as client,
            client.stream("GET", config.url("/")) as response,
        ):
            ssl_object = response.extensions["network_stream"].get_extra_info("ssl_object")
            return response, ssl_object.version() if ssl_object else None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise http_failure(error, Peer(config.base_url), connect=seconds, stall=seconds).error from error


def tls_version(config: Config, seconds: float) -> str:
    """Return the version of TLS of a verified connection. Raises `NetworkError`, `UsageError`."""
    return _get(config, seconds, verified=True)[1] or "TLS"


def clock_skew(config: Config, seconds: float) -> float | None:
    """Return the seconds by which this clock is ahead of the server's; None where the server does not tell its time.

    The certificate is not verified, since a wrong clock makes good ones invalid. Raises `NetworkError`.
    """
    response, _ = _get(config, seconds, verified=False)
    now = time.time()
    try:
        return now - parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
