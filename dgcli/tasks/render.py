"""Saved responses in other formats: nothing is sent anywhere."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from dgcli.errors import (
    ApiError,
    AudioError,
    BatchError,
    DgError,
    Interrupted,
    OutputError,
    UsageError,
    unreadable,
)
from dgcli.formats import RenderSettings, by_name
from dgcli.output.files import check_inside
from dgcli.output.plan import Outputs, plan_outputs, write_outputs
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.transcribe import announce, conclude
from dgcli.transcript.model import Transcript
from dgcli.transcript.saved import parse_saved


def _read(response: str) -> bytes:
    """The bytes of a response. Raises `AudioError`, as for every input that cannot be read."""
    if not response:
        raise AudioError("The name of the response is empty.", hint="Name a file, or - for standard input.")
    try:
        return sys.stdin.buffer.read() if response == "-" else Path(response).read_bytes()
    except OSError as error:
        is_folder = response != "-" and os.path.isdir(response)  # Windows: permission denied
        error = IsADirectoryError() if is_folder else error
        hint = "Name a file in it: dg render FILE" if is_folder else None
        raise AudioError(unreadable(response, error), hint=hint) from error


def _parsed(response: str, body: bytes) -> Transcript:
    """The transcript in the bytes of a response. Raises `ApiError`."""
    try:
        return parse_saved(body)
    except ApiError as error:
        # A response that was cut off is told where; a text or a recording has no such place.
        if not body.strip() or body.lstrip()[:1] in (b"{", b"["):
            raise
        hint = (
            "Name a file of json, jsonl, words.jsonl, csv or tsv, as made by: dg file talk.mp3 -o talk.json"
        )
        if b"\0" in body and response != "-":
            hint = f"To transcribe a recording: dg file {shlex.quote(response)}"
        raise ApiError("It is no saved response.", hint=hint) from error


def read_saved(response: str) -> Transcript:
    """The transcript in a response, a path or `-`. Raises `AudioError` and `ApiError`, which name it."""
    body = _read(response)
    try:
        return _parsed(response, body)
    except Interrupted:
        raise
    except DgError as error:
        name = "standard input" if response == "-" else response
        raise type(error)(f"{name}: {error.message}", hint=error.hint) from error


def write_saved(
    transcript: Transcript, outputs: Outputs, settings: RenderSettings, reporter: Reporter
) -> None:
    """Write a transcript whose response is in a file already. Raises every `DgError` that writing can."""
    announce(transcript, outputs, settings, reporter)
    write_outputs(transcript, outputs, settings, keep=lambda _: None)
    conclude(outputs, reporter)


def _render(response: str, outputs: Outputs, settings: RenderSettings, reporter: Reporter) -> None:
    transcript, settings = read_saved(response), settings.named_after(response)
    if response == "-":
        announce(transcript, outputs, settings, reporter)
        write_outputs(transcript, outputs, settings)
        conclude(outputs, reporter)
    else:
        write_saved(transcript, outputs, settings, reporter)


def _targets(responses: Sequence[str], formats: str | None, folder: Path) -> list[Path]:
    """Name a file in `folder` for each response. Raises `UsageError` and `OutputError`."""
    if "-" in responses:
        raise UsageError("Standard input has no name to give to a file.", hint="Name the output with -o.")
    if not os.path.isdir(folder):
        raise OutputError(f"There is no folder {folder}.", hint=f"Create it: mkdir -p {folder}")
    suffix = by_name(formats or "text").suffixes[0]
    targets = [folder / (Path(response).stem + suffix) for response in responses]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(f"Several responses would be written to {target}.")
    return targets


def render_one(
    response: str,
    stdout_format: str | None,
    files: Sequence[Path],
    settings: RenderSettings,
    reporter: Reporter,
) -> None:
    """Write one response, a path or `-`, to standard output and files. Raises every `DgError` there is."""
    source = None if response == "-" else Path(response)
    _render(response, plan_outputs(stdout_format, files, source=source), settings, reporter)


def render_each(
    responses: Sequence[str],
    format_name: str | None,
    folder: Path,
    settings: RenderSettings,
    reporter: Reporter,
) -> None:
    """Write a file in `folder` for each response; one that fails does not stop the others."""
    failed: list[DgError] = []
    for response, target in zip(responses, _targets(responses, format_name, folder), strict=True):
        try:
            check_inside(target, folder)
            _render(response, plan_outputs(None, [target], source=Path(response)), settings, reporter)
        except DgError as error:
            failed.append(error)
            if len(responses) > 1:
                reporter.error(error)
    if failed and len(responses) == 1:
        raise failed[0]
    if failed:
        raise BatchError(f"{len(failed)} of {len(responses)} responses could not be rendered.")
