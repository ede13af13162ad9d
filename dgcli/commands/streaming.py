"""The options that `dg live` and `dg mic` have in common, beside those of the parameter table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dgcli.audio import AudioFormat
from dgcli.errors import UsageError
from dgcli.options import Output

FASTEST = 1.25  # times real time, as the API allows: "Recovering From Connection Errors"
_STREAM, _SHOW = "Stream", "Output"


def _positive(flag: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{flag} takes a number above 0, not {value:g}.")


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast a file is sent."""

    speed: Annotated[
        float | None,
        typer.Option(
            help=f"Send a file so many times as fast as real time; the API allows {FASTEST}. Default: 1.",
            metavar="TIMES",
            rich_help_panel=_STREAM,
        ),
    ] = None
    force_speed: Annotated[
        bool,
        typer.Option(
            "--force-speed",
            help=f"Allow a --speed above {FASTEST}: results may come late, or the connection end.",
            rich_help_panel=_STREAM,
        ),
    ] = False

    def check(self, *, local: bool) -> float:
        """Refuse what cannot be meant; the speed, in times of real time. Raises `UsageError`."""
        if self.speed is None:
            return 1.0
        _positive("--speed", self.speed)
        if self.speed > FASTEST and not (local or self.force_speed):
            raise UsageError(
                f"--speed {self.speed:g} is more than the API allows ({FASTEST}).",
                hint="Use `dg file` to transcribe a recording fast, or --force-speed to try.",
            )
        return self.speed


@dataclass(frozen=True, slots=True)
class Streaming:
    """How the stream is run."""

    duration: Annotated[
        float | None,
        typer.Option(help="Stop after so much audio.", metavar="SECONDS", rich_help_panel=_STREAM),
    ] = None
    stop_after_silence: Annotated[
        float | None,
        typer.Option(help="Stop after so long without a word.", metavar="SECONDS", rich_help_panel=_STREAM),
    ] = None
    max_reconnects: Annotated[
        int,
        typer.Option(
            help="Tries to connect again without a new word between them. Default: 10.",
            metavar="N",
            rich_help_panel=_STREAM,
        ),
    ] = 10
    no_reconnect: Annotated[
        bool,
        typer.Option("--no-reconnect", help="End when the connection drops.", rich_help_panel=_STREAM),
    ] = False

    def check(self) -> None:
        """Refuse what cannot be meant. Raises `UsageError`."""
        _positive("--duration", self.duration)
        _positive("--stop-after-silence", self.stop_after_silence)
        if self.max_reconnects < 0:
            raise UsageError(f"--max-reconnects takes 0 or more, not {self.max_reconnects}.")


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the stream is shown and kept, beside `Output`."""

    timestamps: Annotated[
        bool,
        typer.Option(
            "--timestamps", "-t", help="Print when each utterance was said: text [2.5 - 4.26].",
            rich_help_panel=_SHOW,
        ),
    ] = False  # fmt: skip
    interim: Annotated[
        bool | None,
        typer.Option(
            "--interim/--no-interim",
            help="Show what is understood so far; on stderr where lines are written. Default: on a terminal.",
            rich_help_panel=_SHOW,
        ),
    ] = None
    stats: Annotated[
        bool,
        typer.Option(
            "--stats", help="Report audio sent, words, connections, gaps and latency at the end.",
            rich_help_panel=_SHOW,
        ),
    ] = False  # fmt: skip
    save_audio: Annotated[
        Path | None,
        typer.Option(
            help="Keep the audio that was sent: .wav or .flac; what is passed on as it comes keeps its suffix.",
            metavar="FILE",
            rich_help_panel=_SHOW,
        ),
    ] = None


def check_outputs(output: Output, shown: Shown, source: Path | None) -> None:
    """Refuse what cannot be written, before anything is opened or sent. Raises `UsageError`, `OutputError`."""
    from dgcli import outputs
    from dgcli.formats import by_name
    from dgcli.sinks.files import check_files

    if output.format is not None and output.format.lower() != "jsonl":
        try:
            by_name(output.format)
        except UsageError as error:
            hint = f"{(error.hint or '').rstrip('.')}, jsonl."
            raise UsageError(error.message, hint=hint) from None
    check_files(list(output.output or ()), source)
    if shown.save_audio is not None:
        outputs.check([*(output.output or ()), shown.save_audio], source=source)


def check_kept(output: Output, shown: Shown, form: AudioFormat, source: Path | None) -> None:
    """Look at the name again that --save-audio gets when the source has told what it is.

    Audio that passes through keeps its own suffix, so talk.wav may turn out to be talk.mp3: the input, say.
    Raises `UsageError`, `OutputError`.
    """
    from dgcli import outputs
    from dgcli.sinks.save_audio import kept_path

    if shown.save_audio is None:
        return
    path = kept_path(shown.save_audio, form)
    if path != shown.save_audio:
        outputs.check([*(output.output or ()), path], source=source)
