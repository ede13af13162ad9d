"""`dg align`: the words of a corrected text on the times of a response."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions, LocalOptions
from dgcli.options.machinery import command
from dgcli.options.outputs import RenderingOptions, ResponseOutputOptions, SectionOptions, SpokenLanguage


@command()
def align(
    response: Annotated[
        str, typer.Argument(help="The saved response, or - for standard input.", metavar="RESPONSE")
    ],
    text: Annotated[
        str,
        typer.Argument(
            help="The corrected text: txt, srt, vtt or md; or - for standard input.", metavar="TEXT"
        ),
    ],
    output: ResponseOutputOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    general: GeneralOptions,
    recogniser: LocalOptions,
    language: SpokenLanguage = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Align even if less than half of the words match."),
    ] = False,
) -> None:
    """Put the words of a corrected text on the times of its response.

    Correct what dg wrote (text, captions or Markdown) in any editor; this gives a response with the corrected
    words, which dg render and every other program reads. Words that were not touched keep their times, confidence
    and speaker. Names before paragraphs and in captions are speakers. Words that were put in get the time there is for
    them; with --local they are looked for in the recording. Without -f and -o, the response goes to standard output.

    Examples:

        dg align talk.json talk.txt -o corrected.json
        dg align talk.json talk.srt -o corrected.json -o corrected.vtt
        dg align talk.json talk.txt --local --audio talk.mp3 -o corrected.json
        dg align talk.json talk.txt --speaker 0=Anna --speaker 1=Ben -f srt
    """
    from dgcli.tasks.align import HeardIn, align_text

    config, heard_in = recogniser.config(), None
    if config is not None:
        if rendering.audio is None or "://" in rendering.audio:
            raise UsageError("--local needs the recording.", hint="Name its file: --audio talk.mp3")
        heard_in = HeardIn(Path(rendering.audio), config, language)
    align_text(
        response,
        text,
        output.format,
        output.output or (),
        sections.added_to(rendering.settings(output).spoken_in(language)),
        general.console(),
        force=force,
        heard_in=heard_in,
    )
