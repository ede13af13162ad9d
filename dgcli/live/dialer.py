"""New connections of a stream: how each is made, and when the next is tried."""

import ssl

from dgcli.api import tls
from dgcli.api.refusals import Refusal
from dgcli.errors import NetworkError
from dgcli.live.connection import Connection
from dgcli.live.pace import pause_before
from dgcli.live.settings import Clock, StreamSettings

_LONGEST_WAIT = 60.0  # seconds that a server may ask for: what is said meanwhile has to be caught up
_STOPPING_WAIT = 0.3  # seconds between two tries while a stop waits for the last of them


class Dialer:
    """Makes connections that are not open yet; the certificates are loaded for the first of them.

    Tries are counted since the last new final, so that a long stream is not limited and one that never gets
    anywhere ends.
    """

    def __init__(self, settings: StreamSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tls: ssl.SSLContext | None = None
        self._tries = 0
        self._stopping = False
        self.next_try = 0.0

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

    def progressed(self) -> None:
        """Begin counting anew: there is a new final."""
        self._tries = 0

    def stop(self) -> None:
        """Wait no longer than a moment from now on: the deadline of the stop limits the tries."""
        self._stopping = True
        self.next_try = min(self.next_try, self._clock.now())

    def after(self, ending: Refusal, *, was_connected: bool) -> str | None:
        """Plan the next try after such an ending; return what to tell of it, None where there is none.

        `was_connected`: whether any connection of the stream was ever open.
        """
        self._tries += 1
        settings = self._settings
        most = settings.max_reconnects if settings.reconnect else 0
        if not was_connected and isinstance(ending.error, NetworkError):
            most = min(most, settings.first_tries - 1)
        if not ending.retry or (self._tries > most and not (self._stopping and most)):
            return None
        wait = min(ending.retry_after or 0.0, _LONGEST_WAIT) or pause_before(
            self._tries + ending.busy, settings.backoff, settings.backoff_max
        )
        if self._stopping:
            wait = min(wait, _STOPPING_WAIT)
        self.next_try = self._clock.now() + wait
        count = "" if self._stopping else f" ({self._tries} of {most})"
        return f"{ending.sentence} Trying again in {wait:.1f} s{count}."
