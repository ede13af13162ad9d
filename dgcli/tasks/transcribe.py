"""One recording: sent, answered (tasks/ask.py), written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dgcli.audio import cloud
from dgcli.config import Config
from dgcli.errors import ApiError, DgError, UsageError
from dgcli.formats import RenderSettings
from dgcli.output.kept import keep_response
from dgcli.output.plan import Outputs, plan_outputs, write_outputs
from dgcli.output.stdout import write_stdout
from dgcli.params import Values
from dgcli.tasks.ask import file_answered, url_answered
from dgcli.tasks.reporter import Reporter
from dgcli.terminal import harmless
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import callback_id, parse_body

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from dgcli.api.client import Answer


class Request(NamedTuple):
    """The settings for one recording, and where its transcript goes.

    `values` are checked query parameters. `stdout_format` and `files` are what `-f` and `-o` name. `local`: a
    server inside this process answers. `cache`: a kept answer serves, and the answer is kept.
    """

    values: Values
    stdout_format: str | None = None
    files: tuple[Path, ...] = ()
    render: RenderSettings = RenderSettings()
    local: bool = False
    cache: bool = False


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


@contextmanager
def _unusable_kept() -> Iterator[None]:
    """Put aside what came as an answer and is none: it may have been paid for."""
    try:
        yield
    except ApiError as error:
        if error.body is not None and error.kept is None:
            error.kept = keep_response(error.body, error.request_id)
        raise


def transcribe_file(path: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Transcribe a file, standard input (`-`) or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    source = None if path == "-" or cloud.is_object(path) else Path(path)
    outputs = plan_outputs(request.stdout_format, request.files, source=source)
    with (
        _unusable_kept(),
        file_answered(
            path, config, request.values, reporter, local=request.local, cache=request.cache
        ) as answer,
    ):
        deliver(answer, outputs, request, reporter)


def transcribe_url(url: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Transcribe what the API fetches from a URL, or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    outputs = plan_outputs(request.stdout_format, request.files)
    with _unusable_kept(), url_answered(url, config, request.values, reporter, local=request.local) as answer:
        deliver(answer, outputs, request, reporter)
