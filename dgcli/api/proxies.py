"""Which proxy a connection goes through: the one reading of the environment, for REST, streams and sources.

The rules are those of httpx, which asks `urllib.request`: HTTP_PROXY and HTTPS_PROXY by the scheme, ALL_PROXY,
the settings of macOS and Windows, and NO_PROXY over all of them. A server of this machine is never reached
through a proxy.
"""

import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dgcli.config.hosts import is_this_machine
from dgcli.errors import UsageError

_SCHEMES = {"ws": "http", "wss": "https"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and where it is set: the name of a variable, or the system."""

    url: str
    setting: str

    @property
    def scheme(self) -> str:
        """How one talks to it: http, https, socks5..."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Its name and port, without a login."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def address(self) -> tuple[str, int]:
        """Its name and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)

    @property
    def login(self) -> tuple[str, str] | None:
        """The user's name and password, where there are some."""
        parts = urlsplit(self.url)
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _setting(*names: str) -> str:
    """The variable that is set, as it is written; the system's own settings have none."""
    for name in names:
        for variable in (name, name.upper()):
            if os.environ.get(variable):
                return variable
    return "the proxy settings of the system"


def unusable(reason: object) -> UsageError:
    """The error for a proxy that no connection can go through."""
    return UsageError(
        f"The proxy of the environment cannot be used: {str(reason).rstrip('.')}.",
        hint="Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.",
    )


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy on the way to a http, https, ws or wss URL. Raises `UsageError` for an invalid one."""
    from urllib.request import getproxies, proxy_bypass

    try:
        parts = urlsplit(url)
        scheme = _SCHEMES.get(parts.scheme.lower(), parts.scheme.lower())
        host = parts.hostname or ""
        if is_this_machine(host):
            return None
        proxies = getproxies()
        set_by = scheme if proxies.get(scheme) else "all"
        proxy = proxies.get(set_by)
        if not proxy or proxy_bypass(host):
            return None
        chosen = Proxy(
            proxy if "://" in proxy else f"http://{proxy}", _setting(f"{set_by}_proxy", "all_proxy")
        )
        if not chosen.address[0]:
            raise unusable(f"{proxy!r} has no host")
    except ValueError as error:  # a port that is no number, a host that is no name
        raise unusable(error) from error
    return chosen
