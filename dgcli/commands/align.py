"""`dg align`: the words of a corrected text on the times of a response."""

from typing import Annotated

import typer

from dgcli.options.groups import GeneralOptions, OutputOptions, RenderingOptions, SectionOptions
from dgcli.options.machinery import command


@command()
def align(
    response: Annotated[
        str, typer.Argument(help="The saved response, or - for standard input.", metavar="RESPONSE")
    ],
    text: Annotated[
        str,
        typer.Argument(help="The corrected text: txt, srt, vtt or md; or - for standard input.", metavar="TEXT"),
    ],
    output: OutputOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    general: GeneralOptions,
    force: Annotated[
        bool,
        typer.Option("--force", help="Align even if less than half of the words match."),
    ] = False,
) -> None:
    """Put the words of a corrected text on the times of its response.

    Correct what dg wrote (text, captions or Markdown) in any editor; this gives a response with the corrected
    words, which dg render and every other program reads. Words that were not touched keep their times, confidence
    and speaker. Names before paragraphs and in captions are speakers.

    Examples:

        dg align talk.json talk.txt -o corrected.json
        dg align talk.json talk.srt -o corrected.json -o corrected.vtt
        dg align talk.json talk.txt --speaker 0=Anna --speaker 1=Ben -f srt
    """
    from dgcli.tasks.align import align_text

    settings = sections.added_to(rendering.settings(output))
    align_text(
        response, text, output.format, output.output or (), settings, general.console(), force=force
    )
