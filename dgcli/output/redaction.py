"""Names and parameters without what opens doors: passwords in URLs, signed queries, tokens."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_SECRET = re.compile(
    r"(^|[_-])(api_?key|access_?token|token|secret|password|passwd|signature|sig|auth|authorization|jwt)$",
    re.IGNORECASE,
)
_LEFT_OUT = "..."


def redacted_url(url: str, *, host_only: bool = False) -> str:
    """Return a URL without user, password, query and fragment; with `host_only`, without its path too.

    Whole queries go: services name the parts of a signature as they please.
    """
    try:
        scheme, place, path, query, fragment = urlsplit(url)
    except ValueError:  # brackets that hold no address
        return url.partition("://")[0] + f"://{_LEFT_OUT}"
    place = place.rpartition("@")[2]
    if host_only and path not in ("", "/"):
        path = f"/{_LEFT_OUT}"
    bare = urlunsplit((scheme, place, path, "", ""))
    return f"{bare}?{_LEFT_OUT}" if query or fragment else bare


def redacted_text(text: str) -> str:
    """Return a name or a message whose URLs are without what opens doors."""
    return _URL.sub(lambda match: redacted_url(match[0]), text)


def redacted_query(query: str) -> str:
    """Return encoded parameters without the values of secrets; of a callback only the host stays."""
    cleaned = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "callback":
            value = redacted_url(value, host_only=True)
        elif _SECRET.search(name):
            value = _LEFT_OUT
        cleaned.append((name, redacted_text(value)))
    return urlencode(cleaned)
