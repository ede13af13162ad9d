"""`dg render`: a saved response in any format, without transcribing again."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.options.outputs import OutputOptions, RenderingOptions, SectionOptions, SpokenLanguage


@command()
def render(
    response: Annotated[
        list[str],
        typer.Argument(help="Saved responses, or - for standard input.", metavar="RESPONSE..."),
    ],
    output: OutputOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    general: GeneralOptions,
    output_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for a file per response, in the format that -f names.", metavar="DIR"),
    ] = None,
    language: SpokenLanguage = None,
) -> None:
    """Write a saved response in any format, without transcribing it again.

    A response is what the API sent for a file or URL or to a callback, or the JSON lines of a stream; the words
    as csv, tsv or words.jsonl will do too. Nothing is sent anywhere.

    Examples:

        dg render call.json -f srt
        dg render call.json -o call.vtt -o call.html --audio call.mp3 --speaker 0=Anna --speaker 1=Ben
        dg render *.json -f srt --output-dir subs
    """
    from dgcli.tasks.render import render_each, render_one

    console, settings = general.console(), sections.added_to(rendering.settings(output).spoken_in(language))
    if output_dir is None:
        if len(response) > 1:
            raise UsageError("Several responses do not go into one output.", hint="Add: --output-dir DIR")
        render_one(response[0], output.format, output.output or (), settings, console)
        return
    if output.output:
        raise UsageError("-o and --output-dir exclude each other.")
    render_each(response, output.format, output_dir, settings, console)
