"""`dg render`: a saved response in any format, without transcribing again."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dgcli import outputs
from dgcli.commands.prerecorded import announce
from dgcli.errors import AudioError, BatchError, DgError, OutputError, UsageError
from dgcli.formats import Options, by_name
from dgcli.options import General, Output, Rendering, command
from dgcli.outputs import Outputs
from dgcli.saved import parse_saved
from dgcli.ui.console import Console


def _read(response: str) -> bytes:
    """The bytes of a response. Raises `AudioError`, as for every input that cannot be read."""
    try:
        return sys.stdin.buffer.read() if response == "-" else Path(response).read_bytes()
    except OSError as error:
        raise AudioError(f"It cannot be read: {error.strerror}.") from error


def _render(response: str, wanted: Outputs, options: Options, console: Console) -> None:
    try:
        transcript = parse_saved(_read(response))
    except DgError as error:
        name = "standard input" if response == "-" else response
        raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
    announce(transcript, wanted, console)
    outputs.write(transcript, wanted, options)


def _targets(responses: Sequence[str], formats: str | None, folder: Path) -> list[Path]:
    """A file in `folder` for each response, named like it. Raises `UsageError` and `OutputError`."""
    if "-" in responses:
        raise UsageError("Standard input has no name to give to a file.", hint="Name the output with -o.")
    if not folder.is_dir():
        raise OutputError(f"There is no folder {folder}.", hint=f"Create it: mkdir -p {folder}")
    suffix = by_name(formats or "text").suffixes[0]
    targets = [folder / (Path(response).stem + suffix) for response in responses]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(f"Several responses would be written to {target}.")
    return targets


@command()
def render(
    response: Annotated[
        list[str],
        typer.Argument(help="Saved responses, or - for standard input.", metavar="RESPONSE..."),
    ],
    output: Output,
    rendering: Rendering,
    general: General,
    output_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for a file per response, in the format that -f names.", metavar="DIR"),
    ] = None,
) -> None:
    """Write a saved response in any format, without transcribing it again.

    A response is what the API sent for a file or URL or to a callback, or the JSON lines of a stream. Nothing
    is sent anywhere.

    Examples:

        dg render call.json -f srt
        dg render call.json -o call.vtt -o call.html --audio call.mp3 --speaker 0=Anna --speaker 1=Ben
        dg render *.json -f srt --output-dir subs
    """
    console, options = general.console(), rendering.options()
    if output_dir is None:
        if len(response) > 1:
            raise UsageError("Several responses do not go into one output.", hint="Add: --output-dir DIR")
        source = None if response[0] == "-" else Path(response[0])
        _render(
            response[0], outputs.plan(output.format, output.output or (), source=source), options, console
        )
        return
    if output.output:
        raise UsageError("-o and --output-dir exclude each other.")
    failed: list[DgError] = []
    for one, target in zip(response, _targets(response, output.format, output_dir), strict=True):
        try:
            _render(one, outputs.plan(None, [target], source=Path(one)), options, console)
        except DgError as error:
            failed.append(error)
            if len(response) > 1:
                console.error(error)
    if failed and len(response) == 1:
        raise failed[0]
    if failed:
        raise BatchError(f"{len(failed)} of {len(response)} responses could not be rendered.")
