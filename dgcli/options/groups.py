"""The groups of options that commands share: every attribute of one is a flag.

A group's `panel` is the heading under which its flags stand in `--help`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dgcli.config import DEFAULT_RETRIES, DEFAULT_TIMEOUT, Config, load
from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup, completion
from dgcli.ui.console import Console

if TYPE_CHECKING:  # loaded when there is something to write
    from dgcli.formats import RenderSettings

_CONNECTION, _OUTPUT = "Connection", "Output"


class AccessOptions(OptionGroup):
    """The API's address and the credentials."""

    panel = _CONNECTION

    api_key: Annotated[
        str | None,
        typer.Option(help="API key; else DEEPGRAM_API_KEY, the config file or dg login.", metavar="KEY"),
    ] = None
    access_token: Annotated[
        str | None,
        typer.Option(help="Temporary token instead of a key; else DEEPGRAM_ACCESS_TOKEN.", metavar="TOKEN"),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(help="Another host of the API; else DEEPGRAM_BASE_URL.", metavar="URL"),
    ] = None
    profile: Annotated[
        str | None, typer.Option(help="Profile of the config file; else DGCLI_PROFILE.", metavar="PROFILE")
    ] = None
    allow_http: Annotated[
        bool | None,
        typer.Option("--allow-http", help="Send the key in clear text to a self-hosted server."),
    ] = None
    ca_cert: Annotated[
        str | None, typer.Option(help="Certificate authorities to trust; else SSL_CERT_FILE.", metavar="FILE")
    ] = None

    def access_config(self, **more: object) -> Config:
        """Load the configuration of these flags, the environment and the config file. Raises `UsageError`."""
        given = {name: getattr(self, name) for name in AccessOptions.names() if name != "profile"}
        config = load({**given, **more}, profile=self.profile)
        if config.warning:
            from dgcli.ui.console import Console

            Console().warning(config.warning)
        return config


_LocalModel = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a Whisper model of your own for --local, which nobody verifies.", metavar="DIR"
    ),
]
_Offline = Annotated[bool, typer.Option("--offline", help="Fetch no model for --local; else HF_HUB_OFFLINE.")]


def _go_with_local(local: bool, model: Path | None, *, offline: bool) -> None:
    """Raise `UsageError` for flags that say nothing without --local."""
    for flag, value in (("--local-model", model), ("--offline", offline)):
        if value and not local:
            raise UsageError(f"{flag} goes with --local.", hint="Add --local, or leave it out.")


class LocalOptions(OptionGroup):
    """The recogniser of this machine, for what no API does."""

    panel = _CONNECTION

    local: Annotated[
        bool,
        typer.Option(
            "--local", help="Look for new words in the recording of --audio, with a model of this machine."
        ),
    ] = False
    local_model: _LocalModel = None
    offline: _Offline = False

    def config(self) -> Config | None:
        """Load the configuration, `None` without --local. Raises `UsageError`."""
        _go_with_local(self.local, self.local_model, offline=self.offline)
        if not self.local:
            return None
        own = {"local": True, "local_model": self.local_model, "offline": self.offline or None}
        return load(own, profile=None)


class ConnectionOptions(AccessOptions):
    """The API's address and the credentials, or this machine."""

    local: Annotated[
        bool,
        typer.Option("--local", help="Transcribe on this machine: no key, no network. See dg models local."),
    ] = False
    local_model: _LocalModel = None
    offline: _Offline = False

    def config(self, **more: object) -> Config:
        """Load the configuration of these flags, the environment and the config file. Raises `UsageError`."""
        _go_with_local(self.local, self.local_model, offline=self.offline)
        if self.local and self.base_url:
            raise UsageError("--base-url and --local exclude each other.", hint="Leave one of them out.")
        own = {"local": self.local, "local_model": self.local_model, "offline": self.offline or None}
        return self.access_config(**own, **more)


class RetryOptions(OptionGroup):
    """Retry options: how long to wait, and how often to try."""

    panel = _CONNECTION

    timeout: Annotated[
        float | None,
        typer.Option(
            help=f"Seconds to wait for the transcript after the upload. Default: {DEFAULT_TIMEOUT:g}.",
            metavar="SECONDS",
        ),
    ] = None
    retries: Annotated[
        int | None,
        typer.Option(
            help="Further tries after a lost connection or a busy server; one that comes after a whole "
            f"upload may be billed again. Default: {DEFAULT_RETRIES}.",
            metavar="N",
        ),
    ] = None

    def settings(self) -> Mapping[str, object]:
        """Return the given values by the names of Config's fields."""
        return {"timeout": self.timeout, "retries": self.retries}


class HistoryOptions(OptionGroup):
    """Whether answers are kept on this machine."""

    panel = _OUTPUT

    history: Annotated[
        bool | None,
        typer.Option(
            "--history/--no-history",
            help="Keep the answer on this machine, for dg last and dg history. Default: on.",
        ),
    ] = None

    def settings(self) -> Mapping[str, object]:
        """Return the given values by the names of Config's fields."""
        return {"history": self.history}


def _formats() -> list[tuple[str, str]]:
    from dgcli.formats import FORMATS

    return [(format_.name, format_.help) for format_ in FORMATS]


def _writes(formats: Sequence[str], files: Sequence[Path], names: Sequence[str]) -> bool:
    """Whether one of these formats is asked for, by its name or by a suffix."""
    asked = [*(text.lower() for text in formats), *(path.suffix[1:].lower() for path in files)]
    return any(text in names for text in asked)


class OutputOptions(OptionGroup):
    """The outputs of a command."""

    panel = _OUTPUT

    format: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="Format for standard output. Default: text.", metavar="FORMAT",
            autocompletion=_formats,
        ),
    ] = None  # fmt: skip
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File to write; its suffix names the format; repeatable.", metavar="FILE"
        ),
    ] = None


def _list_formats(requested: bool) -> None:
    if requested:
        from dgcli.formats import FORMATS

        width = max(len(format_.name) for format_ in FORMATS)
        for format_ in FORMATS:
            typer.echo(f"{format_.name:{width}}  {' '.join(format_.suffixes):21}  {format_.help}")
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
        return render_settings(
            speaker_names=_names(self.speaker or ()),
            audio=self.audio,
            title=self.title,
            karaoke=self.karaoke,
            speaker_style=self.speaker_style,
            isolates=self.isolates,
            smooth_speakers=self.smooth_speakers,
            preset=self.preset,
            max_chars=self.max_chars,
            max_lines=self.max_lines,
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            max_cps=self.max_cps,
            min_gap=self.min_gap,
            fps=self.fps,
        )


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
        typer.Option(
            "--format", "-f",
            help="Format for standard output; of a batch, for the files: repeatable. Default: text.",
            metavar="FORMAT", autocompletion=_formats,
        ),
    ] = None  # fmt: skip
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File to write; its suffix names the format; repeatable.", metavar="FILE"
        ),
    ] = None

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


class BatchOptions(OptionGroup):
    """The options of a batch."""

    panel = "Many recordings"

    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Transcribe every recording below a directory.")
    ] = False
    files_from: Annotated[
        list[str] | None,
        typer.Option(help="File with a path or URL on each line; - for standard input.", metavar="FILE"),
    ] = None
    files0_from: Annotated[
        list[str] | None,
        typer.Option(
            "--files0-from", help="The same with NUL after each (find -print0), for any name.", metavar="FILE"
        ),
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Write below this, as the recordings lie below theirs; else beside each.", metavar="DIR"
        ),
    ] = None
    name_template: Annotated[
        str | None,
        typer.Option(
            help="Names of the outputs, from {stem}, {name}, {ext}, {lang} and {hash}. Default: {stem}.{ext}.",
            metavar="TEXT",
        ),
    ] = None
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Uploads at once. Default: 4.", metavar="N", min=1)
    ] = None
    max_rps: Annotated[
        float | None, typer.Option(help="Requests a second, at most.", metavar="NUMBER", min=0.001)
    ] = None
    skip_existing: Annotated[
        str | None,
        typer.Option(
            help="Keep outputs made of the same audio with the same options (same, the default), or any.",
            metavar="same|any",
            autocompletion=completion(("same", "any")),
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Send everything again, and pay for it again.")
    ] = False
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Begin nothing more after the first failure.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only list what would be sent and written, and the hours of audio."),
    ] = False
    report: Annotated[
        Path | None, typer.Option(help="Write a line of JSON for each recording.", metavar="FILE.jsonl")
    ] = None
    shard: Annotated[
        str | None,
        typer.Option(
            help="Take only share K of N; auto: the one that Slurm, Kubernetes or AWS Batch gives.",
            metavar="K/N|auto",
        ),
    ] = None
    cache: Annotated[
        bool,
        typer.Option(
            "--cache",
            help="Use the answer in the history where the same audio was sent with the same options.",
        ),
    ] = False

    any_file: Annotated[
        bool,
        typer.Option("--any-file", help="Send also what is plainly no recording: text, archives, images."),
    ] = False

    check: Annotated[
        bool,
        typer.Option("--check", help="Only check what is kept of earlier runs in directories of outputs."),
    ] = False

    @property
    def lists(self) -> Sequence[tuple[str, bytes]]:
        """The files that name recordings, each with the byte that ends a name in it."""
        by_line = [(name, b"\n") for name in self.files_from or ()]
        return [*by_line, *((name, b"\0") for name in self.files0_from or ())]

    def _existing(self) -> str:
        """Return the treatment of outputs that exist: `same`, `any` or `overwrite`."""
        if self.overwrite:
            if self.skip_existing:
                raise UsageError("--overwrite and --skip-existing contradict each other.")
            return "overwrite"
        choice = (self.skip_existing or "same").lower()
        if choice not in ("same", "any"):
            raise UsageError(f"--skip-existing takes same or any, not {self.skip_existing!r}.")
        return choice

    def settings(self) -> Mapping[str, Any]:
        """Return the given values by the names of a batch's settings. Raises `UsageError`."""
        return {
            "lists": self.lists,
            "recursive": self.recursive,
            "output_dir": self.output_dir,
            "name_template": self.name_template,
            "existing": self._existing(),
            "jobs": self.jobs or 4,
            "max_rps": self.max_rps,
            "fail_fast": self.fail_fast,
            "dry_run": self.dry_run,
            "report": self.report,
            "shard": self.shard,
            "cache": self.cache,
            "any_file": self.any_file,
        }

    def is_batch(self, names: Sequence[str], formats: Sequence[str]) -> bool:
        """Whether this is a batch, and not one recording whose transcript goes to standard output."""
        ours = (getattr(self, name) for name in self.names() if name not in ("cache", "any_file", "dry_run"))
        return len(names) != 1 or len(formats) > 1 or any(value not in (None, False, []) for value in ours)


class GeneralOptions(OptionGroup):
    """The verbosity on stderr."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False

    def console(self) -> Console:
        """Create the console for the command's messages."""
        return Console(quiet=self.quiet, verbose=self.verbose)
