"""Who may ask, by key; and what a log may hold of a request. Hosts and origins: `visitors`."""

import base64
import hmac
import json
import time
from collections.abc import Sequence
from itertools import pairwise

SCHEMES = ("token", "bearer")


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
