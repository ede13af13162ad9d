"""`dg last`: what was transcribed last in any format, without transcribing again."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.options.outputs import OutputOptions, RenderingOptions, SectionOptions


@command()
def last(
    output: OutputOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    general: GeneralOptions,
    number: Annotated[
        int, typer.Argument(help="Which one: 1 is the newest. See dg history.", metavar="[N]", min=1)
    ] = 1,
    output_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for a file named after the recording, in the format of -f.", metavar="DIR"),
    ] = None,
) -> None:
    """Write what was transcribed last, or before that, in any format, without transcribing it again.

    The answers to dg file and dg url and what was said on streams are kept on this machine; dg history lists
    them. Nothing is sent anywhere.

    Examples:

        dg last
        dg last -f srt
        dg last 3 -o talk.vtt -o talk.html --audio talk.mp3 --speaker 0=Anna
    """
    from dgcli.tasks.history import render_last

    if output.output and output_dir is not None:
        raise UsageError("-o and --output-dir exclude each other.")
    settings = sections.added_to(rendering.settings(output))
    render_last(number, output.format, output.output or (), output_dir, settings, general.console())
