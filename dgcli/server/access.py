"""Who may ask: keys, hosts, origins; and what a log may hold of a request.

A page in a browser can send requests to this machine, from wherever it came. It is told by its `Origin`; one
that makes its own name resolve to this machine (DNS rebinding) is told by the `Host` that the browser believes
to talk to.
"""

import base64
import hmac
import ipaddress
import json
import socket
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

SCHEMES = ("token", "bearer")
_ANY = "*"


def printable(path: str) -> str:
    """A path with control characters and all that is not ASCII spelt out: the log is on somebody's terminal."""
    return path.encode("unicode_escape").decode("ascii")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _signature(signed: str, key: str | None) -> str:
    return _base64(hmac.digest((key or "").encode(), signed.encode(), "sha256"))


def temporary_token(key: str | None, seconds: int) -> str:
    """Return a token (JWT, RFC 7519) that is as good as `key` for so many seconds."""
    head, claims = {"alg": "HS256", "typ": "JWT"}, {"exp": int(time.time()) + seconds, "scp": ["usage:write"]}
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{_signature(signed, key)}"


def _is_temporary(token: str, key: str) -> bool:
    """Tell whether a token was granted with this key, and still counts."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed, key).encode()):
        return False
    claims = signed.rpartition(".")[2]  # ours, since it is signed
    expires: int = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
    return time.time() < expires


def authorized(header: str | None, key: str | None) -> bool:
    """Tell whether an Authorization header (Token or Bearer) holds what the server wants, if anything.

    That is the key itself or, as Bearer, a token that was granted with it.
    """
    if key is None:
        return True
    scheme, _, credential = (header or "").partition(" ")
    credential = credential.strip()
    if scheme.lower() == "bearer" and _is_temporary(credential, key):
        return True
    return scheme.lower() in SCHEMES and hmac.compare_digest(credential.encode(), key.encode())


def handshake_authorized(header: str | None, protocols: Sequence[str], key: str | None) -> bool:
    """Accept the key from the header or, as browsers must send it, as the subprotocol after its scheme."""
    if authorized(header, key):
        return True
    return any(authorized(f"{scheme} {credential}", key) for scheme, credential in pairwise(protocols))


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
