"""One recording: sent, answered (tasks/ask.py), written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dgcli.audio import cloud
from dgcli.audio.track import USUAL_TRACK, TrackChoice
from dgcli.config import Config
from dgcli.errors import ApiError, DgError, UsageError
from dgcli.formats import RenderSettings
from dgcli.output.kept import keep_response
from dgcli.output.plan import Outputs, plan_outputs, unseen, write_outputs
from dgcli.output.stdout import write_stdout
from dgcli.params import Values, encode
from dgcli.tasks.ask import file_answered, url_answered
from dgcli.tasks.keeping import Keeping
from dgcli.tasks.reporter import Reporter
from dgcli.terminal import harmless
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import callback_id, parse_body

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from dgcli.api.client import Answer


NOT_SHOWN = "Not shown: {}. Plain text shows them --with all; md, html and json always do."


class Request(NamedTuple):
    """The settings for one recording, and where its transcript goes.

    `values` are checked query parameters. `stdout_format` and `files` are what `-f` and `-o` name. `local`: a
    server inside this process answers. `cache`: an answer that is kept serves. `any_file`: sent even if it is
    plainly no recording. `track`: what is sent of a video.
    """

    values: Values
    stdout_format: str | None = None
    files: tuple[Path, ...] = ()
    render: RenderSettings = RenderSettings()
    local: bool = False
    cache: bool = False
    any_file: bool = False
    track: TrackChoice = USUAL_TRACK


def _tell_unknown_speakers(transcript: Transcript, names: Mapping[int, str], reporter: Reporter) -> None:
    """Report each named speaker that nobody is, with those that there are."""
    if not names:
        return
    words = [word for channel in transcript.channels for word in channel.words]
    speakers = {word.speaker for word in words} | {turn.speaker for turn in transcript.utterances}
    known = {number for number in speakers if number is not None}
    kind = "speaker"
    if not known:
        known, kind = {channel.index for channel in transcript.channels}, "channel"
    for number, name in names.items():
        if number not in known:
            there = ", ".join(map(str, sorted(known)[:10])) or "none"
            reporter.note(f"--speaker {number}={name}: there is no {kind} {number}. There: {there}.")


def announce(transcript: Transcript, outputs: Outputs, settings: RenderSettings, reporter: Reporter) -> None:
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
    _tell_unknown_speakers(transcript, settings.speaker_names, reporter)
    if hidden := unseen(transcript, outputs, settings):
        reporter.note(NOT_SHOWN.format(", ".join(hidden)))


def conclude(outputs: Outputs, reporter: Reporter) -> None:
    """Tell whoever is looking what was written."""
    if outputs.files:
        reporter.aside(f"Wrote {', '.join(str(path) for path, _ in outputs.files)}.")


def check_callback(request: Request) -> None:
    """Raises `UsageError` for outputs that would never be written."""
    if "callback" in request.values and (request.files or request.stdout_format):
        flag = "-o" if request.files else "-f"
        raise UsageError(
            f"--callback delivers the transcript elsewhere: {flag} has nothing to write.",
            hint=f"Leave one of them out; what the callback delivers is written by: dg render FILE {flag} ...",
        )


def deliver(
    answer: "Answer",
    outputs: Outputs,
    request: Request,
    reporter: Reporter,
    keeping: Keeping,
    *,
    source: str,
) -> None:
    """Keep and write the transcript of an answer, or say where it will go. Raises every `DgError` that writing can.

    `source` is the path or the URL of the recording, or `-`.
    """
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
        error.kept = keep_response(answer.body, answer.request_id, name=keeping.name)
        raise
    keeping.keep(answer, transcript)
    settings = request.render.spoken_in(request.values.get("language")).named_after(source)
    announce(transcript, outputs, settings, reporter)
    write_outputs(transcript, outputs, settings, keep=keeping.kept)
    conclude(outputs, reporter)


@contextmanager
def _unusable_kept(name: str) -> Iterator[None]:
    """Put aside what came as an answer and is none: it may have been paid for."""
    try:
        yield
    except ApiError as error:
        if error.body is not None and error.kept is None:
            error.kept = keep_response(error.body, error.request_id, name=name)
        raise


def transcribe_file(path: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Transcribe a file, standard input (`-`) or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    source = None if path == "-" or cloud.is_object(path) else Path(path)
    outputs = plan_outputs(request.stdout_format, request.files, source=source)
    keeping = Keeping(
        config,
        reporter,
        name="standard input" if path == "-" else path,
        query=encode(request.values),
        local=request.local,
        path=None if source is None else path,
        track=request.track.key,
        cache=request.cache,
    )
    cached = keeping.answer if request.cache else None
    with (
        keeping,
        _unusable_kept(keeping.name),
        file_answered(
            path,
            config,
            request.values,
            reporter,
            local=request.local,
            cached=cached,
            any_file=request.any_file,
            track=request.track,
        ) as answer,
    ):
        deliver(answer, outputs, request, reporter, keeping, source=path)


def transcribe_url(url: str, config: Config, request: Request, reporter: Reporter) -> None:
    """Transcribe what the API fetches from a URL, or an object of a cloud. Raises every `DgError` there is."""
    check_callback(request)
    outputs = plan_outputs(request.stdout_format, request.files)
    keeping = Keeping(config, reporter, name=url, query=encode(request.values), local=request.local)
    with (
        keeping,
        _unusable_kept(keeping.name),
        url_answered(url, config, request.values, reporter, local=request.local) as answer,
    ):
        deliver(answer, outputs, request, reporter, keeping, source=url)
