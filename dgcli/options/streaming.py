"""The options that `dg live` and `dg mic` have in common, beside those of the parameter table."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup

if TYPE_CHECKING:
    from dgcli.formats import RenderSettings

FASTEST = 1.25  # times real time, as the API allows: "Recovering From Connection Errors"
_STREAM, _SHOW = "Stream", "Output"
_MICROPHONE = "Microphone"
_BLOCK_MS, _SHORTEST_MS, _LONGEST_MS = 100, 20, 250  # what may be sent at once: "Live Audio", 20 to 250 ms


def _positive(flag: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{flag} takes a number above 0, not {value:g}.")


class PacingOptions(OptionGroup):
    """The speed at which a file is sent."""

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

    def checked(self, *, local: bool) -> float:
        """The speed, in times of real time. Raises `UsageError` for what is invalid."""
        if self.speed is None:
            return 1.0
        _positive("--speed", self.speed)
        if self.speed > FASTEST and not (local or self.force_speed):
            raise UsageError(
                f"--speed {self.speed:g} is more than the API allows ({FASTEST}).",
                hint="Use `dg file` to transcribe a recording fast, or --force-speed to try.",
            )
        return self.speed


class StreamOptions(OptionGroup):
    """The options of a streaming run."""

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
    control: Annotated[
        Path | None,
        typer.Option(
            help="Named pipe or growing file with lines of JSON that act on the stream: configure, finalize, marker, "
            "pause, resume, stop.",
            metavar="FILE",
            rich_help_panel=_STREAM,
        ),
    ] = None

    def settings(self) -> Mapping[str, Any]:
        """Return the given values by the names of a stream's settings. Raises `UsageError` for what is invalid."""
        _positive("--duration", self.duration)
        _positive("--stop-after-silence", self.stop_after_silence)
        if self.max_reconnects < 0:
            raise UsageError(f"--max-reconnects takes 0 or more, not {self.max_reconnects}.")
        return {
            "duration": self.duration,
            "stop_after_silence": self.stop_after_silence,
            "max_reconnects": self.max_reconnects,
            "reconnect": not self.no_reconnect,
            "control": self.control,
        }


class DisplayOptions(OptionGroup):
    """Display options of a stream, beside `OutputOptions`."""

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
    max_delay: Annotated[
        float,
        typer.Option(
            help="Write a caption so long after its last word, however it goes on; 0: when it is best. Default: 4.",
            metavar="SECONDS",
            rich_help_panel=_SHOW,
        ),
    ] = 4.0
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
            help="Keep the audio that was sent: .wav, .flac, .mp3, .ogg, .opus or .raw; "
            "what is passed on as it comes keeps its suffix.",
            metavar="FILE",
            rich_help_panel=_SHOW,
        ),
    ] = None

    def delayed(self, render: "RenderSettings") -> "RenderSettings":
        """The render settings with the delay of captions. Raises `UsageError` for an invalid one."""
        return replace(render, max_delay=self.max_delay or None)


_PORT = 8722  # where the overlay is unless told otherwise; no other program is known for it


class OverlayOptions(OptionGroup):
    """Live captions for others to look at."""

    panel = "Live captions"

    overlay: Annotated[
        str | None,
        typer.Option(
            help="Serve live captions as a page for OBS and a second screen, styled by its URL. "
            f"Default: port {_PORT}; 0 takes a free one.",
            metavar="[PORT]",
        ),
    ] = None
    overlay_host: Annotated[
        str | None,
        typer.Option(
            help="Address to serve --overlay on. Default: 127.0.0.1, this machine only; 0.0.0.0 is all networks.",
            metavar="ADDRESS",
        ),
    ] = None
    last_lines: Annotated[
        Path | None,
        typer.Option(
            help="Keep the last lines of what is said in this file, for text sources that read one; "
            "as many as --max-lines.",
            metavar="FILE",
        ),
    ] = None

    def address(self) -> tuple[str, int] | None:
        """Host and port of the overlay, if there is to be one. Raises `UsageError` for what is invalid."""
        if self.overlay is None:
            if self.overlay_host is not None:
                raise UsageError("--overlay-host is the address of --overlay.", hint="Add: --overlay")
            return None
        port = self.overlay or str(_PORT)
        if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise UsageError(f"--overlay takes a port, 0 to 65535, not {self.overlay!r}.")
        host = "127.0.0.1" if self.overlay_host is None else self.overlay_host.strip("[] ")
        if not host:
            raise UsageError("--overlay-host takes an address, such as 0.0.0.0.")
        return host, int(port)


class CaptureOptions(OptionGroup):
    """The choice of a microphone, and how it is used."""

    device: Annotated[
        str | None,
        typer.Option(
            "--device", "-d", help="Index of a microphone, or part of its name; see dg devices.",
            metavar="DEVICE", rich_help_panel=_MICROPHONE,
        ),
    ] = None  # fmt: skip
    list_devices: Annotated[
        bool,
        typer.Option("--list-devices", help="List the microphones and leave.", rich_help_panel=_MICROPHONE),
    ] = False
    test: Annotated[
        bool,
        typer.Option(
            "--test", help="Record five seconds, without sending them, and say how good they are.",
            rich_help_panel=_MICROPHONE,
        ),
    ] = False  # fmt: skip
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Write --list-devices or --test as JSON.", rich_help_panel=_MICROPHONE
        ),
    ] = False  # fmt: skip
    block: Annotated[
        int,
        typer.Option(
            help=f"Milliseconds of audio to send at once, {_SHORTEST_MS} to {_LONGEST_MS}. "
            f"Default: {_BLOCK_MS}.",
            metavar="MS", rich_help_panel=_MICROPHONE,
        ),
    ] = _BLOCK_MS  # fmt: skip
    resample: Annotated[
        int | None,
        typer.Option(
            help="Convert to this sample rate; without it the microphone's own is sent.",
            metavar="HZ", rich_help_panel=_MICROPHONE,
        ),
    ] = None  # fmt: skip
    reopen: Annotated[
        float,
        typer.Option(
            help="How long to wait for a microphone that was unplugged. Default: 30.",
            metavar="SECONDS", rich_help_panel=_MICROPHONE,
        ),
    ] = 30.0  # fmt: skip
    stop_phrase: Annotated[
        str | None,
        typer.Option(help="Stop when this is said.", metavar="TEXT", rich_help_panel=_MICROPHONE),
    ] = None

    def check(self, source: str | None) -> None:
        """Check the values. Raises `UsageError`."""
        if source not in (None, "-"):
            raise UsageError(
                "dg mic takes no SOURCE but -, for standard input.", hint=f"Did you mean: dg live {source}"
            )
        if source is not None and (self.device or self.test or self.list_devices or self.resample):
            raise UsageError("With - there is no microphone: leave its flags out.")
        if self.json and not (self.list_devices or self.test):
            raise UsageError("--json goes with --list-devices or --test.", hint="Events as JSON: -f jsonl")
        if not _SHORTEST_MS <= self.block <= _LONGEST_MS:
            raise UsageError(f"--block takes {_SHORTEST_MS} to {_LONGEST_MS} milliseconds, not {self.block}.")
        if self.resample is not None and not 1000 <= self.resample <= 768_000:
            raise UsageError(f"--resample takes a sample rate in Hz, not {self.resample}.")
        if not 0 <= self.reopen < float("inf"):
            raise UsageError(f"--reopen takes 0 or more, not {self.reopen:g}.")
        if self.stop_phrase is not None and not any(char.isalnum() for char in self.stop_phrase):
            raise UsageError("--stop-phrase takes at least one word.")
