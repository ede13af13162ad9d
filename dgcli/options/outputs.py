"""What a command writes: formats, files, and how captions and pages are made."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup, completion

if TYPE_CHECKING:  # loaded when there is something to write
    from dgcli.formats import RenderSettings

_EVENTS = "jsonl"  # the format of streams alone: it is written while they run, and no response is needed
_EVENTS_HELP = "The events of the stream, a JSON object a line"
_STREAMS = ("live", "mic")
_OUTPUT = "Output"


def _formats() -> list[tuple[str, str]]:
    from dgcli.formats import FORMATS

    return [(format_.name, format_.help) for format_ in FORMATS]


def _stream_formats() -> list[tuple[str, str]]:
    return [*_formats(), (_EVENTS, _EVENTS_HELP)]


def _writes(formats: Sequence[str], files: Sequence[Path], names: Sequence[str]) -> bool:
    """Whether one of these formats is asked for, by its name or by a suffix."""
    asked = [*(text.lower() for text in formats), *(path.suffix[1:].lower() for path in files)]
    return any(text in names for text in asked)


def _format_option(help_: str, choices: Callable[[], list[tuple[str, str]]] = _formats) -> Any:
    return typer.Option("--format", "-f", help=help_, metavar="FORMAT", autocompletion=choices)


_Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--output", "-o", help="File to write; its suffix names the format; repeatable.", metavar="FILE"
    ),
]


class OutputOptions(OptionGroup):
    """The outputs of a command."""

    panel = _OUTPUT

    format: Annotated[str | None, _format_option("Format for standard output. Default: text.")] = None
    output: _Files = None


class StreamOutputOptions(OutputOptions):
    """The outputs of a stream, which may be its events."""

    format: Annotated[
        str | None, _format_option("Format for standard output. Default: text.", _stream_formats)
    ] = None


class ResponseOutputOptions(OutputOptions):
    """The outputs of a command that makes a response."""

    format: Annotated[str | None, _format_option("Format for standard output. Default: json.")] = None


def _list_formats(ctx: typer.Context, requested: bool) -> None:
    if requested:
        from dgcli.formats import FORMATS

        rows = [(format_.name, " ".join(format_.suffixes), format_.help) for format_ in FORMATS]
        if ctx.info_name in _STREAMS:
            rows.append((_EVENTS, f".{_EVENTS}", _EVENTS_HELP))
        width = max(len(name) for name, _, _ in rows)
        for name, suffixes, help_ in rows:
            typer.echo(f"{name:{width}}  {suffixes:21}  {help_}")
        typer.echo("Of -o alone: .m3u8, an HLS playlist of WebVTT segments")
        raise typer.Exit


def _names(assignments: Sequence[str]) -> dict[int, str]:
    """Speakers' names from `N=NAME`. Raises `UsageError`."""
    names = {}
    for assignment in assignments:
        number, equals, name = assignment.partition("=")
        if not (equals and number.strip().isdecimal() and name.strip()):
            raise UsageError(
                f"--speaker takes N=NAME, not {assignment!r}.", hint="For example: --speaker 0=Anna"
            )
        names[int(number)] = " ".join(name.split())
    return names


def _presets() -> list[tuple[str, str]]:
    from dgcli.captions.limits import PRESETS

    return [
        (
            name,
            f"{limits.max_chars} characters a line, lines: {limits.max_lines}, {limits.max_cps:g} characters a second",
        )
        for name, limits in PRESETS.items()
    ]


class RenderingOptions(OptionGroup):
    """Render options: names, the limits of captions, what a page links to."""

    panel = "Captions"

    speaker: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of speaker N (of channel N, where only channels are known); repeatable.",
            metavar="N=NAME",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    audio: Annotated[
        str | None,
        typer.Option(
            help="Recording that html and md link to: a path or a URL.",
            metavar="PATH",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    title: Annotated[
        str | None,
        typer.Option(
            help="Title of html. Default: the name of the recording.", metavar="TEXT", rich_help_panel=_OUTPUT
        ),
    ] = None
    list_formats: Annotated[
        bool,
        typer.Option(
            "--list-formats",
            help="List the formats and leave.",
            callback=_list_formats,
            is_eager=True,
            rich_help_panel=_OUTPUT,
        ),
    ] = False
    preset: Annotated[
        str | None,
        typer.Option(
            help="Limits of captions as a publisher has them. Default: netflix.",
            metavar="netflix|bbc|youtube|social",
            autocompletion=_presets,
        ),
    ] = None
    max_chars: Annotated[int | None, typer.Option(help="Characters a line.", metavar="N")] = None
    max_lines: Annotated[int | None, typer.Option(help="Lines a cue.", metavar="N")] = None
    min_duration: Annotated[
        float | None, typer.Option(help="Shortest time a cue is shown.", metavar="SECONDS")
    ] = None
    max_duration: Annotated[
        float | None, typer.Option(help="Longest time a cue is shown.", metavar="SECONDS")
    ] = None
    max_cps: Annotated[
        float | None, typer.Option(help="Reading speed, in characters a second.", metavar="N")
    ] = None
    min_gap: Annotated[float | None, typer.Option(help="Gap between cues.", metavar="SECONDS")] = None
    fps: Annotated[
        float | None,
        typer.Option(
            help="Begin and end cues on frames of this rate.", metavar="23.976|24|25|29.97|30|50|59.94"
        ),
    ] = None
    speaker_style: Annotated[
        str | None,
        typer.Option(
            help="How captions tell who speaks. Default: label; of vtt, voice.",
            metavar="label|dash|voice|colour",
            autocompletion=completion(("label", "dash", "voice", "colour")),
        ),
    ] = None
    isolates: Annotated[
        bool,
        typer.Option("--isolates", help="Mark the direction of Hebrew and Arabic lines in srt (UAX #9)."),
    ] = False
    segment_duration: Annotated[
        int | None, typer.Option(help="Length of a segment of captions.m3u8. Default: 6.", metavar="SECONDS")
    ] = None
    timestamp_map: Annotated[
        int | None,
        typer.Option(
            help="MPEG-2 timestamp of the media where captions.m3u8 begins, in 1/90000 s. Default: 0.",
            metavar="MPEGTS",
        ),
    ] = None
    karaoke: Annotated[
        bool, typer.Option("--karaoke", help="Time every word, in formats that can: vtt, ass, ssa.")
    ] = False

    smooth_speakers: Annotated[
        bool | None,
        typer.Option(
            "--smooth-speakers/--no-smooth-speakers",
            help="Change speakers where sentences end. Default: where people read, not in json, csv, tsv.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None

    def _check(self, output: "OutputOptions | TranscriptOptions") -> None:
        """Check what nothing would come of. Raises `UsageError`."""
        formats = [output.format] if isinstance(output.format, str) else output.format or ()
        if self.karaoke and not _writes(formats, output.output or (), ("vtt", "ass", "ssa")):
            raise UsageError(
                "--karaoke has an effect on vtt and ass only.", hint="Write one: -f vtt, or -o NAME.ass"
            )
        if self.audio and "://" not in self.audio and not Path(self.audio).exists():
            from dgcli.ui.console import Console

            Console().warning(
                f"The recording of --audio, {self.audio}, is not there: a link to it leads nowhere."
            )

    def settings(self, output: "OutputOptions | TranscriptOptions") -> "RenderSettings":
        """Build the render settings, for what is written. Raises `UsageError`."""
        from dgcli.formats import render_settings

        self._check(output)
        own = {name: getattr(self, name) for name in self.names() if name not in ("speaker", "list_formats")}
        return render_settings(speaker_names=_names(self.speaker or ()), **own)


def _languages() -> list[tuple[str, str]]:
    from dgcli.params.languages import name_of_language
    from dgcli.params.table import BY_NAME

    return [(tag, name_of_language(tag)) for tag in BY_NAME["language"].values[1:]]


SpokenLanguage = Annotated[
    str | None,
    typer.Option(
        "--language",
        "-l",
        help="Language spoken, where the response names none. Default: en.",
        metavar="TAG",
        autocompletion=_languages,
    ),
]


def _section_names() -> list[str]:
    from dgcli.formats import SECTIONS

    return [*SECTIONS, "all"]


class SectionOptions(OptionGroup):
    """The analyses that plain text has after the words."""

    panel = _OUTPUT

    with_sections: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Analyses that follow the words in plain text, with commas between them: summary, topics, intents, "
            "entities, sentiment, search, language, or all. Default: all on a terminal, none elsewhere.",
            metavar="NAME,...",
            autocompletion=_section_names,
        ),
    ] = None

    def added_to(self, settings: "RenderSettings") -> "RenderSettings":
        """Return render settings with these. Raises `UsageError`."""
        if not self.with_sections:
            return settings
        from dataclasses import replace

        return replace(settings, sections=[name for given in self.with_sections for name in given.split(",")])


class TranscriptOptions(OptionGroup):
    """The outputs of one recording, or of each of many."""

    panel = _OUTPUT

    format: Annotated[
        list[str] | None,
        _format_option("Format for standard output; of a batch, for the files: repeatable. Default: text."),
    ] = None
    output: _Files = None

    @property
    def stdout_format(self) -> str | None:
        """The format for standard output, where that was asked for."""
        return self.format[-1] if self.format else None

    def batch_formats(self) -> Sequence[str]:
        """The formats of a batch's files. Raises `UsageError` where one output is named for all."""
        if self.output:
            raise UsageError(
                "-o names the output of one recording.", hint="For many: -f FORMAT, and --output-dir DIR."
            )
        return self.format or ("text",)
