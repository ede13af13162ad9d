"""Why there is no answer at all: names, ports, TLS, time and proxies, worded once for everybody; no I/O.

What is taken are exceptions of Python's own (whatever library raised around them) and facts. A connection that
goes through a proxy fails at the proxy first: then it is the proxy that is named, and its setting is the remedy.
"""

import re
import socket
import ssl
from collections.abc import Iterator

from dgcli.api.proxies import Proxy
from dgcli.api.refusals import Peer, Refusal, Role, one_line, phrase
from dgcli.errors import NetworkError

_ADDRESS = {Role.API: "--base-url", Role.SOURCE: "the URL"}  # what says where a peer is
_CHECK_ADDRESS = {
    Role.API: "Check the network, and --base-url if you gave one.",
    Role.SOURCE: "Check the network and the URL.",
}
_AUTHORITY = "For a self-signed or company certificate, name its authority with --ca-cert FILE."
_CLOCK = "Check the clock of this machine; if it is right, the server needs a new certificate."
_AGAIN = "Check the network, and try again."
_LONGER = "Give it longer with --timeout SECONDS."

# Of OpenSSL (x509_vfy.h): why a certificate is not trusted.
_NOT_YET_VALID, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
_PROXY_LOGIN = 407


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came of, outermost first; also where a library has hidden it (`from None`)."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _known(error: BaseException) -> BaseException:
    """The exception that says why, of the system or of TLS: one of a known kind, if there is one."""
    causes = [cause for cause in _chain(error) if isinstance(cause, OSError)]
    telling = [cause for cause in causes if type(cause) is not OSError]
    return next(iter(telling or causes), error)


def _reason(error: BaseException) -> str:
    """Why, as the system words it."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(str(text)).rstrip(".")


def _certificate(error: ssl.SSLCertVerificationError, peer: Peer) -> Refusal:
    other_name = f"The certificate is for another name: check {_ADDRESS[peer.role]}."
    hint = {
        _NOT_YET_VALID: _CLOCK,
        _EXPIRED: _CLOCK,
        _OTHER_NAME: other_name,
        _OTHER_ADDRESS: other_name,
    }.get(error.verify_code, _AUTHORITY)
    reason = one_line(error.verify_message).rstrip(".")
    return Refusal(NetworkError(f"The certificate of {peer.host} is not trusted: {reason}.", hint=hint))


def broke_off(peer: Peer, *, in_answer: bool = True) -> Refusal:
    """Return what it means that a server hung up; `in_answer`: before its answer was complete."""
    when = "before the answer was complete" if in_answer else "in the middle"
    return Refusal(NetworkError(f"The connection to {peer.host} broke off {when}.", hint=_AGAIN), retry=True)


def not_http(peer: Peer) -> Refusal:
    """Return what it means that something answers that speaks otherwise."""
    message = f"{peer.host} does not answer as a web server does."
    hint = f"Something else listens there: check {_ADDRESS[peer.role]} and any proxy."
    return Refusal(NetworkError(message, hint=hint))


def not_connected(
    error: BaseException, peer: Peer, proxy: Proxy | None = None, *, seconds: float | None = None
) -> Refusal:
    """Return why no connection could be made; `seconds` is the time that it had."""
    place, address, check = peer.host, _ADDRESS[peer.role], _CHECK_ADDRESS[peer.role]
    check_server = f"Does the server run, and is this its port? Check {address}."
    cause = _known(error)
    match cause:
        case ssl.SSLCertVerificationError():
            return _certificate(cause, peer)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return broke_off(peer)
        case ssl.SSLError():
            reason = one_line(cause.reason or str(cause)).replace("_", " ").lower()
            message = f"No TLS connection with {peer.host}: {reason}."
            hint = f"Does the server speak TLS? http:// in {address} is for one that does not."
            return Refusal(NetworkError(message, hint=hint))
    if proxy is not None:
        place = f"the proxy {one_line(proxy.host)}"
        check = check_server = f"Check {proxy.setting}."
    match cause:
        case socket.gaierror():
            message, hint = f"{place} cannot be found: {_reason(cause)}.", check
        case ConnectionRefusedError():
            message, hint = f"{place} refused the connection: nothing listens there.", check_server
        case TimeoutError():
            within = "in time" if seconds is None else f"within {seconds:g} s"
            message, hint = f"No connection to {place} {within}.", check
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            return broke_off(peer)
        case _:
            message, hint = f"No connection to {place}: {_reason(cause)}.", check
    return Refusal(
        NetworkError(message[0].upper() + message[1:] if proxy else message, hint=hint), retry=True
    )


def no_answer(peer: Peer, seconds: float, *, can_wait_longer: bool = False) -> Refusal:
    """Return what it means that the answer did not come in time; `can_wait_longer`: --timeout sets the time."""
    hint = _LONGER if can_wait_longer else _AGAIN
    return Refusal(NetworkError(f"No answer from {peer.host} within {seconds:g} s.", hint=hint), retry=True)


def stalled(peer: Peer, seconds: float, *, sending: bool) -> Refusal:
    """Return what it means that nothing moves any more, in one direction."""
    if sending:
        message = f"The upload to {peer.host} made no progress for {seconds:g} s."
    else:
        message = f"Nothing came from {peer.host} for {seconds:g} s."
    return Refusal(NetworkError(message, hint=_AGAIN), retry=True)


def proxy_refused(text: str, proxy: Proxy | None) -> Refusal:
    """Return what it means that a proxy answers otherwise than by letting us through.

    `text` is what a library says about it, with the status in it if there was one.
    """
    name = f"The proxy {one_line(proxy.host)}" if proxy else "The proxy"
    setting = proxy.setting if proxy else "HTTPS_PROXY"
    number = re.search(r"\b[1-5]\d\d\b", text)
    status = int(number[0]) if number else None
    hint = f"Check {setting}, and what the proxy lets through."
    if status == _PROXY_LOGIN:
        hint = f"The proxy wants a login: put it into {setting}, as in http://NAME:PASSWORD@HOST:PORT."
    if status is None:
        return Refusal(NetworkError(f"{name} gave no answer: {one_line(text).rstrip('.')}.", hint=hint), True)
    return Refusal(NetworkError(f"{name} refused: {phrase(status)}.", hint=hint), retry=status >= 500)
