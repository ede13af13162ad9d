"""`dg callbacks`: take what the API sends to a `callback=` URL, keep it, and write it in any format."""

import ipaddress
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

from dgcli.api.callbacks import CallbackServer, CallbackSettings
from dgcli.errors import BatchError, BrokenPipe, DgError, OutputError, UsageError
from dgcli.formats import Format, RenderSettings, by_suffix
from dgcli.output.plan import Outputs, plan_outputs
from dgcli.output.received import ReceivedBodies, ReceivedBody
from dgcli.tasks.render import read_saved, write_saved
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.signals import Signals

_LOOK = 0.2  # seconds


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _templates(files: Sequence[Path]) -> list[tuple[str, Format]]:
    """The names of outputs, with {id} in them, and their formats. Raises `UsageError`."""
    for path in files:
        if "{id}" not in str(path):
            raise UsageError(
                f"-o {path} would be overwritten by every transcript.",
                hint="Name it by the request: -o '{id}.srt'",
            )
        if path == Path("{id}.json"):
            raise UsageError(f"-o {path} is the body itself, which is kept under that name anyway.")
    return [(str(path), by_suffix(path)) for path in files]


class _Receiver:
    """Writes what was received, on the main thread, and counts."""

    def __init__(
        self,
        folder: Path,
        stdout: Format | None,
        files: Sequence[Path],
        render: RenderSettings,
        reporter: Reporter,
    ) -> None:
        self.queue: SimpleQueue[ReceivedBody | DgError] = SimpleQueue()
        self.failure: BrokenPipe | None = None
        self._bodies = ReceivedBodies(folder, self.queue.put)
        self._folder = folder
        self._stdout = stdout
        self._templates = _templates(files)
        self._render = render
        self._reporter = reporter
        self._open: dict[str, ReceivedBody] = {}  # streams whose end has not come
        self._counts = {"recordings": 0, "streams": 0, "duplicates": 0, "other bodies": 0}
        self._written: set[Path] = set()
        self._failed = 0

    def store(self, body: bytes, headers: dict[str, str]) -> int:
        """Keep a body, in the thread of its request; return the status to answer with."""
        try:
            self._bodies.keep(body, headers)
        except OutputError as error:
            self.queue.put(error)
            return 503  # it is sent again later
        return 200

    def take(self, received: ReceivedBody | DgError) -> None:
        """Write what a body says, if it is whole."""
        if isinstance(received, DgError):
            self._reporter.error(received)
        elif received.is_duplicate:
            self._counts["duplicates"] += 1
            self._reporter.detail(f"{received.request_id} came again.")
            self._complete(received)
        elif not received.is_known:
            self._counts["other bodies"] += 1
            self._reporter.warning(f"What came is no JSON; it is kept in {received.path}")
        elif received.is_open:
            self._open[received.request_id] = received
        else:
            self._open.pop(received.request_id, None)
            if received.path not in self._written:  # messages may come after the end of a stream
                self._written.add(received.path)
                self._counts["streams" if received.path.suffix == ".jsonl" else "recordings"] += 1
            self._write(received)

    def _files(self, received: ReceivedBody) -> tuple[tuple[Path, Format], ...]:
        return tuple(
            (self._folder / template.replace("{id}", received.request_id), format_)
            for template, format_ in self._templates
        )

    def _complete(self, received: ReceivedBody) -> None:
        """Write what came again and an earlier run did not write: it may have ended between the two."""
        if not received.is_known or received.is_open or received.path in self._written:
            return
        if not all(path.exists() for path, _ in self._files(received)):
            self._written.add(received.path)
            self._write(received)

    def _write(self, received: ReceivedBody) -> None:
        self._reporter.note(f"Received {received.request_id}; kept in {received.path}")
        files = self._files(received)
        try:
            transcript = read_saved(str(received.path))
            write_saved(transcript, Outputs(self._stdout, files), self._render, self._reporter)
        except BrokenPipe as error:
            self.failure = error  # the next ones are taken all the same
            self._stdout = None
            self._reporter.warning(
                "Whoever read the transcripts has gone; bodies and files are still written."
            )
        except DgError as error:
            self._failed += 1
            self._reporter.error(error)

    def finish(self, refused: int) -> None:
        """Write streams whose end did not come, and tell the counts. Raises `BatchError` and `BrokenPipe`."""
        while not self.queue.empty():
            self.take(self.queue.get())
        for received in list(self._open.values()):
            self.take(replace(received, is_open=False))
        counts = {**self._counts, "refused": refused}
        told = [
            f"{count} {name[:-1] if count == 1 and name != 'refused' else name}"
            for name, count in counts.items()
        ]
        told = [text.replace("other bodie", "other body") for text in told if not text.startswith("0 ")]
        self._reporter.note(f"Stopped: {', '.join(told) or 'nothing came'}.")
        if self.failure is not None:
            raise self.failure
        if self._failed:
            raise BatchError(
                f"{self._failed} could not be written; their bodies are kept.",
                hint="Write them by: dg render FILE",
            )


def receive_callbacks(
    settings: CallbackSettings,
    reporter: Reporter,
    *,
    folder: Path,
    stdout_format: str | None,
    files: Sequence[Path],
    render: RenderSettings,
) -> None:
    """Take callbacks until a signal comes. Raises every `DgError` there is."""
    if settings.secret is None and settings.token is None:
        settings = replace(settings, secret=secrets.token_urlsafe(16))
    if not folder.is_dir():
        raise OutputError(f"There is no folder {folder}.", hint=f"Create it: mkdir -p {folder}")
    plan = plan_outputs(stdout_format, [], to_stdout=not files)
    receiver = _Receiver(folder, plan.stdout, files, render, reporter)
    stopped = Event()
    with Signals(stopped.set).caught():
        server = CallbackServer(settings, lambda body, headers: receiver.store(body, dict(headers)))
        try:
            reporter.report(f"Waiting for callbacks at {server.url}  (Ctrl-C stops)")
            if not _is_loopback(settings.host):
                reporter.warning(
                    "Whoever can read along sees transcripts and secret: put TLS in front of it."
                )
            while not stopped.is_set():
                with suppress(Empty):
                    receiver.take(receiver.queue.get(timeout=_LOOK))
        finally:
            server.close()
        receiver.finish(server.refused)
