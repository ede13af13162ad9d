"""One fault, one wording: whatever refuses or drops us is told alike on every path, with a hint for the one we talk to.

Each row of the tables is a fault that is really there: a server, a proxy or a port on this machine. It is met
through the upload of a file, of a batch, through a URL, a stream to the API, and a stream's own source.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.conftest import Reply, Run, ScriptedServer, error
from tests.live.server import Fault, NumberedServer
from tests.sources.conftest import Handler, Server

KEY = {"DEEPGRAM_API_KEY": "secret-key"}
API_KEY_HINT = (
    "Check the API key (--api-key, DEEPGRAM_API_KEY or the config file): "
    "it may be mistyped, deleted or expired."
)
ADDRESS_HINT = "Check the network, and --base-url if you gave one."
AUDIO_HINT = (
    "Check that what is sent is audio and not empty. Headerless audio needs the right --encoding and "
    "--sample-rate; a container (WAV, Ogg, MP3...) needs neither of them."
)
SUPPORT_HINT = "Try again; see status.deepgram.com. If it persists, ask support with the request id."
AUTHORITY_HINT = "For a self-signed or company certificate, name its authority with --ca-cert FILE."
CLOCK_HINT = "Check the clock of this machine; if it is right, the server needs a new certificate."


@dataclass
class Site:
    """Where a fault is met: the API's base URL, the URL of an audio source, and what leads there."""

    api: str
    source: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = self.source or f"{self.api}/radio"

    @property
    def host(self) -> str:
        return self.api.split("//")[1]


Make = Callable[[ExitStack, Path], Site]


@dataclass(frozen=True)
class Row:
    """A fault: how it is made, and what is told of it; `{host}`, `{source}` and `{proxy}` are filled in."""

    name: str
    make: Make
    api: str
    api_hint: str
    code: int
    source: str = ""  # what a source says of it, where that is not the same
    source_hint: str = ""
    source_code: int = 5


@contextmanager
def closing(server: ScriptedServer | Server) -> Iterator[None]:
    try:
        yield
    finally:
        server.close()


def answers(reply: Reply) -> Make:
    """A server that gives one answer to everything."""

    def make(stack: ExitStack, _: Path) -> Site:
        server = ScriptedServer()
        server.script = [reply]
        stack.enter_context(closing(server))
        return Site(server.url)

    return make


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def refused_port(_: ExitStack, __: Path) -> Site:
    return Site(f"http://127.0.0.1:{free_port()}")


def unknown_host(_: ExitStack, __: Path) -> Site:
    return Site("https://no-such-host.invalid")


def raw(handler: Handler) -> Callable[[ExitStack], int]:
    """A server of raw sockets: its port."""

    def make(stack: ExitStack) -> int:
        server = Server(handler)
        stack.enter_context(closing(server))
        return server.port

    return make


def says(text: bytes) -> Handler:
    """Answer with these bytes, whatever is asked, and let the other side hang up first."""

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(text)
        connection.settimeout(5)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return answer


def says_plainly(text: bytes) -> Make:
    return lambda stack, _: Site(f"http://127.0.0.1:{raw(says(text))(stack)}")


def proxy(port: Callable[[ExitStack], int]) -> Make:
    """A proxy on the way to servers that need not exist."""

    def make(stack: ExitStack, _: Path) -> Site:
        environment = {"HTTPS_PROXY": f"http://user:hidden@127.0.0.1:{port(stack)}"}
        return Site("https://api.example.invalid", "https://radio.example.invalid/x", environment)

    return make


def refuses(status: bytes) -> Make:
    return proxy(raw(says(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")))


def not_tls(stack: ExitStack, folder: Path) -> Site:
    plain = answers(Reply())(stack, folder)
    return Site(plain.api.replace("http:", "https:"))


def certificate(*, name: str = "127.0.0.1", days: int = 1, trusted: bool = False) -> Make:
    """A TLS server whose certificate has a name, and so many days to live."""

    def make(stack: ExitStack, folder: Path) -> Site:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ends = datetime.now(UTC) + timedelta(days=days)
        authority.issue_cert(name, not_before=ends - timedelta(days=9), not_after=ends).configure_cert(
            context
        )
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        pool = stack.enter_context(ThreadPoolExecutor(8))

        def shake(raw: socket.socket) -> None:
            raw.settimeout(10)
            with raw, suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                connection.recv(1)  # the client leaves: it does not trust us

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # the test is over
                pool.submit(shake, connection)

        pool.submit(serve)
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(bundle))
        env = {"SSL_CERT_FILE": str(bundle)} if trusted else {}
        return Site(f"https://127.0.0.1:{listener.getsockname()[1]}", env=env)

    return make


def resolver_says(name: str) -> str:
    """Why this system cannot find a name."""
    try:
        socket.getaddrinfo(name, 443)
    except OSError as reason:
        return reason.strerror or ""
    raise AssertionError(f"{name} exists")


LATER = {"Retry-After": "600"}  # longer than anybody waits: so it is told at once

ROWS = [
    Row(
        "wrong key",
        answers(error(401, "INVALID_AUTH", "Invalid credentials.")),
        "Invalid credentials.",
        API_KEY_HINT,
        3,
        "{source} answered 401 Unauthorized.",
        "The server wants a login: put it into the URL, as in http://NAME:PASSWORD@HOST/.",
        6,
    ),
    Row(
        "no credit",
        answers(error(402, "ASR_PAYMENT_REQUIRED", "Project does not have enough credits.")),
        "Project does not have enough credits.",
        "Add credit to the project, or use a key of another one.",
        4,
        "{source} answered 402 Payment Required.",
        "",
        6,
    ),
    Row(
        "not allowed",
        answers(
            error(403, "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model.")
        ),
        "Project does not have access to the requested model.",
        "The key may not use this model or feature: check --model, or use another key.",
        3,
        "{source} answered 403 Forbidden.",
        "The server lets only some in: it may want a login in the URL, or refuse this place.",
        6,
    ),
    Row(
        "no such path",
        answers(Reply(404, b"", {})),
        "The server has no such address.",
        "Check --base-url: this server has no such path.",
        4,
        "{source} answered 404 Not Found.",
        "Check the URL: what was there may have moved.",
        6,
    ),
    Row(
        "429",
        answers(error(429, "TOO_MANY_REQUESTS", "Too many requests. Please try again later", **LATER)),
        "Too many requests. Please try again later",
        "The project has as many requests or streams under way as it may: try later, or run fewer at a time.",
        4,
        "{source} answered 429 Too Many Requests.",
        "The server has as many listeners as it may, or was asked too often: try later.",
        6,
    ),
    Row(
        "503",
        answers(Reply(503, b"", LATER)),
        "The server is too busy.",
        SUPPORT_HINT,
        4,
        "{source} answered 503 Service Unavailable.",
        "Try again later.",
        6,
    ),
    Row(
        "unknown host",
        unknown_host,
        "{host} cannot be found: {resolver}.",
        ADDRESS_HINT,
        5,
        source_hint="Check the network and the URL.",
    ),
    Row(
        "refused port",
        refused_port,
        "{host} refused the connection: nothing listens there.",
        "Does the server run, and is this its port? Check --base-url.",
        5,
        source_hint="Does the server run, and is this its port? Check the URL.",
    ),
    Row(
        "proxy that does not run",
        proxy(lambda _: free_port()),
        "The proxy {proxy} refused the connection: nothing listens there.",
        "Check HTTPS_PROXY.",
        5,
    ),
    Row(
        "proxy that refuses",
        refuses(b"403 No way"),
        "The proxy {proxy} refused: 403 Forbidden.",
        "Check HTTPS_PROXY, and what the proxy lets through.",
        5,
    ),
    Row(
        "proxy that wants a login",
        refuses(b"407 Who are you"),
        "The proxy {proxy} refused: 407 Proxy Authentication Required.",
        "The proxy wants a login: put it into HTTPS_PROXY, as in http://NAME:PASSWORD@HOST:PORT.",
        5,
    ),
    Row(
        "unknown authority",
        certificate(),
        "The certificate of {host} is not trusted: unable to get local issuer certificate.",
        AUTHORITY_HINT,
        5,
    ),
    Row(
        "expired certificate",
        certificate(days=-1, trusted=True),
        "The certificate of {host} is not trusted: certificate has expired.",
        CLOCK_HINT,
        5,
    ),
    Row(
        "certificate of another",
        certificate(name="other.example", trusted=True),
        "The certificate of {host} is not trusted: IP address mismatch, certificate is not valid for '127.0.0.1'.",
        "The certificate is for another name: check --base-url.",
        5,
        source_hint="The certificate is for another name: check the URL.",
    ),
    Row(
        "not TLS",
        not_tls,
        "No TLS connection with {host}: wrong version number.",
        "Does the server speak TLS? http:// in --base-url is for one that does not.",
        5,
        source_hint="Does the server speak TLS? http:// in the URL is for one that does not.",
    ),
    Row(
        "not HTTP",
        says_plainly(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        "{host} does not answer as a web server does.",
        "Something else listens there: check --base-url and any proxy.",
        5,
        source_hint="Something else listens there: check the URL and any proxy.",
    ),
    Row(
        "no answer",
        says_plainly(b""),
        "The connection to {host} broke off before the answer was complete.",
        "Check the network, and try again.",
        5,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_fault_one_wording(row: Row, dg: Run, audio: Path, tmp_path: Path) -> None:
    """A fault has one message on every path; its hint is for the API or for a source, and shows no password."""
    with ExitStack() as stack:
        site = row.make(stack, tmp_path)
        base = ("--base-url", site.api)
        once = (*base, "--retries", "0")
        paths: dict[str, tuple[str | Path, ...]] = {
            "file": ("file", audio, *once),
            "url": ("url", "https://example.com/talk.wav", *once),
            "live": ("live", audio, *base, "--no-reconnect"),
            "batch": ("file", audio, "--output-dir", tmp_path / "out", *once),
            "source": ("live", site.source, "--base-url", "http://127.0.0.1:9"),
        }
        pool = stack.enter_context(ThreadPoolExecutor(len(paths)))
        runs = {name: pool.submit(dg, *args, env={**KEY, **site.env}) for name, args in paths.items()}
        results = {name: run.result() for name, run in runs.items()}
    facts = {
        "host": site.host,
        "source": site.source,
        "proxy": site.env.get("HTTPS_PROXY", "").rpartition("@")[2],
        "resolver": resolver_says(site.host) if "{resolver}" in row.api else "",
    }
    for name, result in results.items():
        lines = result.stderr.decode().splitlines()
        is_source = name == "source"
        message = ((is_source and row.source) or row.api).format(**facts)
        hint = row.source_hint if is_source and (row.source or row.source_hint) else row.api_hint
        at = next(number for number, line in enumerate(lines) if line.startswith("dg: error: "))
        told = lines[at].removeprefix("dg: error: ").partition(" failed: ")
        assert (b"failed: " in result.stderr) is (name == "batch"), name
        assert (told[2] or told[0]).partition(" [")[0] == message, name
        assert [line.removeprefix("dg: ") for line in lines[at + 1 :]] == ([hint] if hint else []), name
        assert result.returncode == (row.source_code if is_source else row.code), name
        assert b"hidden" not in result.stderr, name
        assert b"secret-key" not in result.stderr, name


CLOSES = [
    (1008, "DATA-0000", "The server could not decode the audio.", "1008 DATA-0000", AUDIO_HINT),
    (
        1011,
        "NET-0000",
        "The server did not answer in time: trouble on its side, or too little audio.",
        "1011 NET-0000",
        SUPPORT_HINT,
    ),
    (
        1011,
        "No audio in time. See https://dpgr.am/net0001",
        "The server received no audio in time.",
        "1011 NET-0001",
        "Audio must be sent within 10 s of opening, KeepAlive messages alone do not hold a connection. "
        "Check that the source gives audio, and the network.",
    ),
    (1012, "", "The server is restarting.", "1012", SUPPORT_HINT),
    (1013, "", "The server is overloaded.", "1013", SUPPORT_HINT),
    (1011, "boom", "The server met an error: boom", "1011", SUPPORT_HINT),
    (1006, "", "The connection was cut off.", "", "Check the network between here and the server."),
]


@pytest.mark.parametrize(
    ("code", "reason", "message", "details", "hint"), CLOSES, ids=lambda value: str(value)[:20]
)
def test_close_codes(
    dg: Run, audio: Path, code: int, reason: str, message: str, details: str, hint: str
) -> None:
    """A close frame, or its absence, is one message with its code and a remedy."""
    fault = Fault("cut") if code == 1006 else Fault("close", code=code, reason=reason)
    server = NumberedServer(fault)
    try:
        result = dg("live", audio, "--base-url", f"http://localhost:{server.port}", "--no-reconnect", env=KEY)
    finally:
        server.close()
    lines = result.stderr.decode().splitlines()
    # A gap is told before, where the server had audio that it gave no words for.
    said = lines[-2]
    if code == 1006:  # whether a cut is an end or a reset is decided by what was on its way just then
        said = said.replace(": Connection reset by peer", ".")
    assert said == f"dg: error: {message}" + (f" [{details}]" if details else "")
    assert lines[-1] == f"dg: {hint}"
    assert result.returncode == (4 if details else 5)


def test_the_login_of_a_source_is_not_shown(dg: Run) -> None:
    """A URL with a name and a password is told without them."""
    url = f"http://me:hidden@127.0.0.1:{free_port()}/radio"
    result = dg("live", url, "--base-url", "http://127.0.0.1:9", env=KEY)
    assert b"127.0.0.1" in result.stderr
    assert b"hidden" not in result.stderr
