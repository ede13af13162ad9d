"""HTTP from the server to other hosts: media for {"url"} requests, results for callbacks.

The address that was checked is the one that is connected to, on every hop of a redirect: a name that
resolves differently a moment later (DNS rebinding) cannot reach this machine's own network. That is why
this is the standard library's http.client and not a client that resolves for itself.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from dgcli.server.errors import REMOTE_CONTENT, ErrorAnswer
from dgcli.server.receive import Received, Spool

_TIMEOUT = 30.0  # seconds for connecting and for each read
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_BLOCK = 1 << 18
_USER_AGENT = "dgcli-server"


def _refuse(message: str) -> ErrorAnswer:
    return ErrorAnswer(400, REMOTE_CONTENT, message)


# Ranges that ipaddress takes for public, but that a translator or an old network maps to private hosts:
# IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), local-use translation (RFC 8215), site-local (RFC 3879).
_MAPPED = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10")))


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _MAPPED):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):  # RFC 6052
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
    return address.is_global and not address.is_multicast


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refuse("Could not parse URL as a URI.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _refuse("Could not parse URL as a URI.")
    return parts


def _addresses(parts: SplitResult, allow_private: bool) -> list[str]:
    """Return the addresses of the host. Raises ErrorAnswer unless all of them may be connected to."""
    host = parts.hostname or ""
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _refuse("Could not determine if URL for media download is publicly routable.") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in answers]
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise _refuse("URL for media download must be publicly routable.")
    return addresses


def _connect(addresses: Sequence[str], port: int, timeout: float) -> socket.socket:
    """Connect to the first of the addresses that answers."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout)
    return socket.create_connection((addresses[-1], port), timeout)


class _CheckedConnection(http.client.HTTPConnection):
    """A connection to one of the checked addresses, under the name of its host."""

    def __init__(self, parts: SplitResult, addresses: list[str], context: ssl.SSLContext | None) -> None:
        default = 443 if context else 80
        super().__init__(parts.hostname or "", parts.port or default, timeout=_TIMEOUT)
        self._addresses = addresses
        self._context = context

    def connect(self) -> None:
        plain = _connect(self._addresses, self.port, _TIMEOUT)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host) if self._context else plain


def _request(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], allow_private: bool
) -> tuple[_CheckedConnection, http.client.HTTPResponse]:
    parts = _split(url)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    connection = _CheckedConnection(parts, _addresses(parts, allow_private), context)
    path = quote(parts.path or "/", safe="/%:=&?~#+!$,;'@()*[]")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:=&?~#+!$,;'@()*[]")
    sent = {"User-Agent": _USER_AGENT, "Accept": "*/*", **headers}
    if parts.username is not None:
        userinfo = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        sent["Authorization"] = "Basic " + b64encode(userinfo.encode()).decode()
    try:
        connection.request(method, path, body, sent)
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _check_status(response: http.client.HTTPResponse) -> None:
    status = f"{response.status} {response.reason}".strip()
    if 400 <= response.status < 500:
        raise _refuse(f"The remote server hosting the media returned a client error: {status}.")
    if response.status >= 500:
        raise _refuse(f"The remote server hosting the media returned a server error: {status}.")
    if response.status != 200:
        raise _refuse("The remote server hosting the media failed to return valid data.")


def fetch(
    url: str, path: Path, *, limit: int, allow_private: bool, stop: threading.Event | None = None
) -> Received:
    """Download `url` to `path`; blocks until done or, between two blocks, `stop` is set.

    Raises ErrorAnswer: REMOTE_CONTENT_ERROR in the API's words, or 413 for more than `limit` bytes.
    """
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            connection, response = _request("GET", url, None, {}, allow_private)
            with closing(connection), closing(response):
                if response.status in _REDIRECTS:
                    location = response.headers.get("Location")
                    if not location:
                        raise _refuse("The remote server hosting the media sent a bad redirect location.")
                    url = urljoin(url, location)
                    continue
                _check_status(response)
                spool = Spool(path, limit)
                try:
                    while (block := response.read1(_BLOCK)) and not (stop and stop.is_set()):
                        spool.write(block)
                finally:
                    received = spool.close()
                if response.length:
                    raise _refuse("The remote server hosting the media failed to return valid data.")
                return received
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _refuse("The remote server hosting the media failed to return valid data.") from error
    raise _refuse("The remote server hosting the media redirected too many times.")


def deliver(
    method: str, url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool
) -> int | None:
    """Send a result to a callback URL; blocks. Returns the status, or None when there was no answer."""
    try:
        connection, response = _request(method, url, body, headers, allow_private)
        with closing(connection), closing(response):
            return response.status
    except (OSError, http.client.HTTPException, ValueError, ErrorAnswer):
        return None


def dial(url: str, *, allow_private: bool, timeout: float) -> socket.socket:
    """Connect to the host of a ws:// or wss:// URL; blocks. Raises OSError, and ErrorAnswer as `fetch` does."""
    secure = url.startswith("wss:")
    parts = _split(f"http{url.removeprefix('ws')}")
    return _connect(_addresses(parts, allow_private), parts.port or (443 if secure else 80), timeout)
