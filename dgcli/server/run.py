"""Runs the server: `serve` for `dg serve`, `running` inside another program.

What is imported here is imported before the first request can be answered, so this module itself needs
next to nothing: the workers are started first and load their model while the server is still importing.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dgcli.errors import UsageError
from dgcli.server.engines import registry
from dgcli.server.settings import ServerSettings
from dgcli.system import stop_signals

if TYPE_CHECKING:
    from dgcli.server.engines.base import Engine

__all__ = ["ServerSettings", "running", "serve"]

_GRACE = 3  # seconds that open requests get when the server ends
_BACKLOG = 512  # connections that may wait to be accepted
_KEEP_ALIVE = 75  # seconds that a connection is kept for another request


def _check_installed(engine: str) -> None:
    """Say what to install, before a worker dies of it unseen."""
    needed = ["starlette", "uvicorn", "websockets", "python_multipart", "rapidfuzz"]
    if engine == "whisper":
        needed += ["faster_whisper", "onnxruntime", "numpy", "av", "soxr", "soundfile"]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        from dgcli.extras import install_command

        raise UsageError(
            f"The local server needs {', '.join(missing)}.",
            hint=f"Install it with: {install_command('local')}",
        )


def _new_engine(settings: ServerSettings) -> "Engine":
    build = registry().get(settings.engine)
    if build is None:
        raise UsageError(
            f"There is no engine {settings.engine!r}.", hint=f"Choose one of: {', '.join(registry())}."
        )
    _check_installed(settings.engine)
    return build(settings)


def _reason(error: OSError | OverflowError) -> str:
    """Why a server cannot listen, as the system words it; a name that nobody knows has words of its own."""
    if isinstance(error, socket.gaierror) or not isinstance(error, OSError) or not error.errno:
        return str(getattr(error, "strerror", None) or error)
    return os.strerror(error.errno)


def _listen(settings: ServerSettings) -> socket.socket:
    """Return a listening socket: from here on clients can connect, and wait."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The server cannot listen on {settings.host} port {settings.port}: {_reason(error)}.",
            hint="Check --host."
            if isinstance(error, socket.gaierror)
            else "Another program may have the port: choose one with --port, or 0 for any free one.",
        ) from error
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol; create_server leaves it 0,
    # and the second small write of an answer would wait for the client's delayed acknowledgement (40 ms).
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


def _url(settings: ServerSettings, sock: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{sock.getsockname()[1]}"


def _new_server(settings: ServerSettings, engine: "Engine", ready: Callable[[], None]) -> Any:
    """Return a uvicorn server whose `run` is left to the caller."""
    from uvicorn.config import Config
    from uvicorn.server import Server

    from dgcli.server.app import create_app
    from dgcli.server.connections import Acceptor, Connections, HttpConnection, connection_limit

    class ReadyServer(Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            connections = Connections(connection_limit(settings.max_connections), settings.head_timeout)
            assert sockets is not None

            def connection() -> HttpConnection:
                return HttpConnection(
                    config=self.config, server_state=self.server_state, app_state={}, connections=connections
                )

            await self.lifespan.startup()
            # It has what uvicorn asks of an asyncio server: close() and wait_closed().
            self.servers = [Acceptor(sock, connection, connections) for sock in sockets]  # type: ignore[misc]
            self.started = True
            ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn raises the signal again once it has ended; for a server, being told to stop is
            # the normal end and no error.
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {number: signal.signal(number, self.handle_exit) for number in stop_signals()}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    return ReadyServer(
        Config(
            create_app(settings, engine),
            loop="asyncio",
            http="h11",
            # The implementation that can refuse a handshake with a body, that does not stand on
            # websockets' deprecated legacy API, and that leaves close codes as they are given.
            ws="websockets-sansio",
            # The API pings nobody and offers no compression; a client that is gone is found by its silence.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_KEEP_ALIVE,
        )
    )


@contextmanager
def _prepared(settings: ServerSettings) -> Iterator[tuple["Engine", socket.socket]]:
    """Start an engine and listen; end both."""
    if settings.record is not None:
        from dgcli.server.record import make_folder

        make_folder(settings.record)
    engine = _new_engine(settings)
    with _listen(settings) as sock:
        try:
            engine.start()
            yield engine, sock
        finally:
            engine.close()


@contextmanager
def running(settings: ServerSettings) -> Iterator[str]:
    """Run a server in a thread of this process while the context is open; yields its base URL.

    The URL can be used at once: a client that is quicker than the server waits for it. `port` is taken
    as 0, a free one. The end of the context waits for callbacks that are still to be delivered, unless it is
    left by an exception. Raises UsageError when the server cannot be started.
    """
    from dataclasses import replace

    settings = replace(settings, port=0)
    failures: list[BaseException] = []
    servers: list[Any] = []
    ended = threading.Event()

    def run(engine: "Engine", sock: socket.socket) -> None:
        try:
            server = _new_server(settings, engine, ready=lambda: None)
            servers.append(server)
            if not ended.is_set():
                server.run(sockets=[sock])
        except BaseException as error:
            failures.append(error)
            sock.close()

    with _prepared(settings) as (engine, sock):
        thread = threading.Thread(target=run, args=(engine, sock), name="local-server", daemon=True)
        thread.start()
        try:
            yield _url(settings, sock)
            for server in servers:
                # Whoever asked for a callback was told that it will come: this server must not end before.
                server.config.app.state.delivered.wait()
        finally:
            ended.set()
            for server in servers:
                server.should_exit = True
                server.force_exit = True
            thread.join(1.0)
            if thread.is_alive():  # its executor waits for a process that only the engine ends
                engine.close()
                thread.join(_GRACE)
    if failures:
        raise failures[0]


def serve(
    settings: ServerSettings, *, on_ready: Callable[[str], None] | None = None, quiet: bool = False
) -> None:
    """Run a server until SIGINT, SIGTERM or SIGHUP; calls `on_ready` with the base URL once it answers.

    Writes a line per request to stderr through the logger `dgcli.server`, unless that has handlers; `quiet`:
    only what went wrong. Raises UsageError when the server cannot be started.
    """
    log = logging.getLogger("dgcli.server")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    own_log = not log.handlers
    if own_log:
        log.addHandler(handler)
        log.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        with _prepared(settings) as (engine, sock):
            url = _url(settings, sock)
            _new_server(settings, engine, ready=lambda: on_ready(url) if on_ready else None).run([sock])
    finally:
        if own_log:
            log.removeHandler(handler)
