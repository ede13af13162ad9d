"""Hosts of the API: what a base URL may be, and which names mean this machine."""

import re
from urllib.parse import urlsplit, urlunsplit

from dgcli.errors import UsageError

DEFAULT_BASE_URL = "https://api.deepgram.com"


def is_this_machine(host: str) -> bool:
    """Whether a name or an address means the machine that we run on."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_base_url(text: str) -> str:
    """Complete and check a base URL; a bare host is https, unless it is this machine."""
    text = text.strip()
    if re.fullmatch(r"\w+", text) and not is_this_machine(text):  # a word of whatever else
        raise UsageError(
            f"The base URL {text!r} cannot be used.",
            hint=f"It looks like {DEFAULT_BASE_URL}; a host of your own network is written https://{text}",
        )
    try:
        if "://" not in text:
            host = urlsplit(f"//{text}").hostname or ""
            text = f"{'http' if is_this_machine(host) else 'https'}://{text}"
        scheme, place, path, _, _ = urlsplit(text)
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        host = (urlsplit(text).hostname or "").encode("idna").decode()
        usable = scheme in ("http", "https") and bool(host) and urlsplit(text).port != 0 and "@" not in place
        usable = usable and not re.search(r"\s", place)
    except ValueError:  # a port that is no number, a host that is no name (UnicodeError is one)
        usable = False
    if not usable:
        redacted = re.sub(r"//[^/]*@", "//...@", text)  # it may hold a password
        raise UsageError(
            f"The base URL {redacted!r} cannot be used.",
            hint=f"It looks like {DEFAULT_BASE_URL}, without a path.",
        )
    # The endpoint's own path is ours to add, and people paste it.
    for tail in ("/v1/listen", "/v2/listen", "/v1", "/v2"):
        path = path.rstrip("/").removesuffix(tail)
    return urlunsplit((scheme, place, path.rstrip("/"), "", ""))
