"""One recording: sent, answered, written."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dgcli.audio import cloud
from dgcli.audio.upload import is_pipe, opened
from dgcli.config import Config
from dgcli.errors import DgError, UsageError
from dgcli.formats import RenderSettings
from dgcli.output.kept import keep_response
from dgcli.output.plan import Outputs, plan_outputs, write_outputs
from dgcli.output.stdout import write_stdout
from dgcli.params import Values, encode
from dgcli.tasks.local import reached
from dgcli.tasks.reporter import Reporter, Transfer
from dgcli.terminal import harmless
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import callback_id, parse_body

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from dgcli.api.client import Answer, Client
    from dgcli.audio.upload import Upload


@dataclass(frozen=True, slots=True)
class Request:
    """The settings for one recording, and where its transcript goes.

    `values` are checked query parameters. `stdout_format` and `files` are what `-f` and `-o` name. `local`: a
    server inside this process answers. `cache`: a kept answer serves, and the answer is kept. `any_file`: sent
    even if it is plainly no recording.
    """

    values: Values
    stdout_format: str | None = None
    files: tuple[Path, ...] = ()
    render: RenderSettings = field(default_factory=RenderSettings)
    local: bool = False
    cache: bool = False
    any_file: bool = False

    @property
    def query(self) -> str:
        """The encoded parameters."""
        return encode(self.values)


def announce(transcript: Transcript, outputs: Outputs, reporter: Reporter) -> None:
    """Report what a user should know of a transcript before reading it."""
    for warning in transcript.warnings:
        reporter.warning(warning)
    if transcript.is_empty:
        reporter.note("The transcript is empty: no speech was found.")
        return
    formats = [outputs.stdout, *(format_ for _, format_ in outputs.files)]
    timed = ", ".join(dict.fromkeys(row.name for row in formats if row is not None and row.timed))
    if timed and any(channel.text.strip() and not channel.words for channel in transcript.channels):
        reporter.warning(f"The response has text without timed words: {timed} cannot show it.")


def check_callback(request: Request) -> None:
    """Raises `UsageError` for outputs that would never be written."""
    if "callback" in request.values and (request.files or request.stdout_format):
        flag = "-o" if request.files else "-f"
        raise UsageError(
            f"--callback delivers the transcript elsewhere: {flag} has nothing to write.",
            hint=f"Leave one of them out; what the callback delivers is written by: dg render FILE {flag} ...",
        )


def _check_connection(config: Config) -> None:
    """Check the key and the certificates before reading audio that comes only once."""
    config.authorization()
    if config.base_url.startswith("https:"):
        from dgcli.api import tls

        tls.context(config.ca_cert)


def deliver(answer: "Answer", outputs: Outputs, request: Request, reporter: Reporter) -> None:
    """Write the transcript of an answer, or say where it will go. Raises every `DgError` that writing can."""
    callback = callback_id(answer.body)
    if callback is not None:
        reporter.note("The request was accepted: the transcript goes to the callback.")
        write_stdout(f"{harmless(callback).strip()}\n".encode())
        if request.local:
            reporter.note("Waiting until it is delivered; Ctrl-C gives up.")
        return
    try:
        transcript = parse_body(answer.body)
    except DgError as error:
        error.kept = keep_response(answer.body, answer.request_id)
        raise
    announce(transcript, outputs, reporter)
    write_outputs(transcript, outputs, request.render)


def _cached(upload: "Upload", request: Request, config: Config, ask: "Callable[[], Answer]") -> "Answer":
    """The answer that is kept for these bytes and these parameters, else the one that `ask` gets."""
    import hashlib

    from dgcli.api.client import kept_answer
    from dgcli.output.cache import ResponseCache

    digest = hashlib.sha256()
    for block in upload.blocks():
        digest.update(block)
    server = "local" if request.local else config.host
    return ResponseCache().answer(digest.hexdigest(), f"{server} {request.query}", ask, from_body=kept_answer)


def _run(
    config: Config,
    request: Request,
    outputs: Outputs,
    reporter: Reporter,
    *,
    name: str,
    size: int | None,
    send: "Callable[[Client, Transfer], Answer]",
) -> None:
    """Send one request, showing the progress of `size` bytes, and deliver what comes back."""
    from dgcli.api.client import Client

    with reached(config, reporter, request.values, local=request.local) as server:
        with Client(server, report=reporter.note) as client, reporter.transfer(name, size) as transfer:
            answer = send(client, transfer)
        reporter.detail(f"Request {answer.request_id}: {len(answer.body)} bytes, attempt {answer.attempts}.")
        deliver(answer, outputs, request, reporter)


def transcribe_file(path: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Upload a file, standard input (`-`) or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    if cloud.is_object(path):
        _transcribe_object(path, config, request, reporter)
        return
    source = None if path == "-" else Path(path)
    outputs = plan_outputs(request.stdout_format, request.files, source=source)
    if is_pipe(path) and not request.local:
        _check_connection(config)  # what is read from a pipe cannot be read again
    query = request.query
    with opened(path, any_file=request.any_file) as upload:

        def send(client: "Client", transfer: Transfer) -> "Answer":
            def ask() -> "Answer":
                return client.transcribe_file(upload, query, progress=transfer.sent)

            return _cached(upload, request, config, ask) if request.cache else ask()

        _run(config, request, outputs, reporter, name=Path(path).name, size=upload.size, send=send)


def transcribe_url(url: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Have the API fetch a URL, or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    if cloud.is_object(url):
        _transcribe_object(url, config, request, reporter)
        return
    outputs = plan_outputs(request.stdout_format, request.files)
    query = request.query
    _run(
        config, request, outputs, reporter, name=url, size=None,
        send=lambda client, _: client.transcribe_url(url, query),
    )  # fmt: skip


def _transcribe_object(name: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Transcribe one object of a cloud: by a signed URL, or streamed through here."""
    outputs = plan_outputs(request.stdout_format, request.files)
    cloud.stamp(name)  # says what is wrong with it better than the API could
    query = request.query
    signed = cloud.signed(name)
    if signed is not None:
        _run(
            config, replace(request, cache=False), outputs, reporter, name=name, size=None,
            send=lambda client, _: client.transcribe_url(signed, query),
        )  # fmt: skip
        return
    with cloud.opened(name) as upload:
        _run(
            config, request, outputs, reporter, name=name, size=upload.size,
            send=lambda client, transfer: client.transcribe_file(upload, query, progress=transfer.sent),
        )  # fmt: skip
