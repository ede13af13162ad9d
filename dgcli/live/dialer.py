"""New connections of a stream, all alike."""

import ssl

from dgcli.api import tls
from dgcli.live.connection import Connection
from dgcli.live.settings import Clock, StreamSettings


class Dialer:
    """Makes connections that are not open yet; the certificates are loaded for the first of them."""

    def __init__(self, settings: StreamSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tls: ssl.SSLContext | None = None

    def dial(self) -> Connection:
        """Return the next connection. Raises `UsageError` for certificates that cannot be read."""
        settings, real = self._settings, self._clock.real
        if self._tls is None and settings.url.lower().startswith("wss:"):
            self._tls = settings.ssl_context or tls.context(settings.ca_cert)
        return Connection(
            settings.url,
            settings.headers,
            ssl_context=self._tls,
            connect_timeout=real(settings.connect_timeout),
            send_timeout=real(settings.send_timeout),
            now=self._clock.now,
        )
