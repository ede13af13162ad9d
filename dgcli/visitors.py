"""Which hosts and origins a server on this machine serves.

A page in a browser can send requests to this machine, from wherever it came. It is told by its `Origin`; one
that makes its own name resolve to this machine (DNS rebinding) is told by the `Host` that the browser believes
to talk to.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_ANY = "*"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Tell whether a host is always this machine."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761: never anywhere else
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


def _name_of(authority: str) -> str | None:
    """Return the host of `host:port` in lower case, or None when it is malformed."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return None


def _matches(name: str, patterns: Iterable[str]) -> bool:
    for pattern in patterns:
        wanted = pattern.lower()
        if wanted in (_ANY, name) or (wanted.startswith("*.") and name.endswith(wanted[1:])):
            return True
    return False


class Visitors:
    """The hosts and origins that are served.

    `bound` is the address that the server listens on. `hosts` and `origins` are allowed beside those that
    always are; `*` allows every one, `*.example.com` every name below that one.
    """

    def __init__(self, bound: str, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self._hosts = [bound, *hosts]
        self._origins = [origin.rstrip("/") for origin in origins]
        if _is_address(bound) and ipaddress.ip_address(bound).is_unspecified:
            own = socket.gethostname()
            self._hosts += [own, f"{own.partition('.')[0]}.local"]

    def host_allowed(self, authority: str | None) -> bool:
        """Tell whether a `Host` header may be served.

        An address is no name that somebody else could make resolve to this machine, and what is no browser
        may leave the header out.
        """
        if not authority:
            return True
        name = _name_of(authority)
        if name is None:
            return False
        return _is_address(name) or is_loopback(name) or _matches(name, self._hosts)

    def origin_allowed(self, origin: str | None, authority: str | None) -> bool:
        """Tell whether a page from `origin` may be served by the host that it asked for."""
        if origin is None:
            return True
        if _matches(origin.lower(), self._origins):
            return True
        try:
            parts = urlsplit(origin)
            name = (parts.hostname or "").rstrip(".")
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        return is_loopback(name) or parts.netloc.lower() == (authority or "").lower()
