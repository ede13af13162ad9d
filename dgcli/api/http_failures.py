"""What httpx raises, as refusals: the one place that knows its exceptions, for the REST caller and for sources."""

import httpx

from dgcli.api import unreachable
from dgcli.api.proxies import proxy_for
from dgcli.api.refusals import Peer, Refusal, Role, without_login
from dgcli.errors import AudioError, UsageError


def _address(error: Exception, peer: Peer) -> Refusal:
    """Of an address that cannot be asked at all."""
    url = without_login(peer.url)
    if peer.role is Role.SOURCE:
        return Refusal(AudioError(f"{url} is no http or https URL.", hint="Check the URL."))
    return Refusal(UsageError(f"{url} cannot be used: {error}.", hint="Check --base-url."))


def http_failure(
    error: Exception, peer: Peer, *, connect: float, stall: float, answer: float | None = None
) -> Refusal:
    """Return what an exception of httpx or of a socket means; the times are those that were set, in seconds.

    `answer` is the time for the whole answer where the user can set it.
    """
    match error:
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return _address(error, peer)
        case httpx.TooManyRedirects():
            return Refusal(
                AudioError(f"{without_login(peer.url)} redirects in a circle.", hint="Check the URL.")
            )
        case httpx.ProxyError():
            return unreachable.proxy_refused(str(error), proxy_for(peer.url))
        case httpx.WriteTimeout():
            return unreachable.stalled(peer, stall, sending=True)
        case httpx.ReadTimeout() if answer is not None:
            return unreachable.no_answer(peer, answer, can_wait_longer=True)
        case httpx.ReadTimeout():
            return unreachable.no_answer(peer, stall)
        case httpx.RemoteProtocolError():
            # h11 says so in words alone: "Server disconnected...", "peer closed connection...".
            hung_up = any(word in str(error) for word in ("disconnected", "peer closed"))
            return unreachable.broke_off(peer) if hung_up else unreachable.not_http(peer)
        case httpx.ReadError() | httpx.WriteError():
            return unreachable.broke_off(peer)
        case _:
            return unreachable.not_connected(error, peer, proxy_for(peer.url), seconds=connect)
