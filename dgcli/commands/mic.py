"""`dg mic`: transcribe the microphone while somebody speaks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.commands.streaming import Shown, Streaming, check_outputs
from dgcli.errors import UsageError
from dgcli.options import Connection, General, Output, Params, Rendering, command
from dgcli.params import Endpoint

if TYPE_CHECKING:  # what records and streams is loaded when it does
    from dgcli.audio.base import AudioFormat, Source
    from dgcli.audio.recorder import Recording

_MICROPHONE = "Microphone"
_BLOCK_MS, _SHORTEST_MS, _LONGEST_MS = 100, 20, 250  # what may be sent at once: "Live Audio", 20 to 250 ms
_PIPE_RATE = 16000


@dataclass(frozen=True, slots=True)
class Taking:
    """Which microphone, and how it is used."""

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
        """Refuse what cannot be meant. Raises `UsageError`."""
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
        if self.stop_phrase is not None:
            from dgcli.sinks.stop_phrase import spoken

            if not spoken(self.stop_phrase):
                raise UsageError("--stop-phrase takes at least one word.")


def _recording(taking: Taking, params: Params) -> "Recording":
    """How to record. Raises `UsageError` for flags of raw audio that a microphone cannot follow."""
    from dgcli.audio.recorder import Recording

    given = params.given
    if given.get("encoding", "linear16") != "linear16":
        raise UsageError("A microphone is sent as linear16; leave --encoding out.")
    rate, channels = given.get("sample_rate"), given.get("channels")
    if given.get("multichannel") and channels is None:
        raise UsageError("How many channels? For example: --multichannel --channels 2")
    return Recording(
        device=taking.device,
        sample_rate=rate if isinstance(rate, int) else None,
        channels=channels if isinstance(channels, int) else None,
        resample=taking.resample,
        block=taking.block / 1000,
        reopen=taking.reopen,
    )


def _said(form: "AudioFormat") -> str:
    channels = "mono" if form.channels == 1 else f"{form.channels} channels"
    return f"linear16, {form.sample_rate} Hz, {channels}"


@command(Endpoint.LIVE)
def mic(
    params: Params,
    output: Output,
    rendering: Rendering,
    shown: Shown,
    taking: Taking,
    streaming: Streaming,
    connection: Connection,
    general: General,
    source: Annotated[
        str | None,
        typer.Argument(help="- for standard input: linear16, 16 kHz, mono.", metavar="[-]"),
    ] = None,
) -> None:
    """Transcribe the microphone while you speak.

    What is said goes to standard output, utterance by utterance, or to the files named with -o. On a terminal
    space pauses and goes on, f asks for a result now, m sets a marker, and q stops, as Ctrl-C does.

    Examples:

        dg mic
        dg mic | tee -i notes.txt
        dg mic -o notes.txt --save-audio take.wav --stop-phrase "that is all"
        dg mic --test
        arecord -f S16_LE -r 16000 -t raw | dg mic -
    """
    from dgcli.audio import open_source, raw_format

    console = general.console()
    taking.check(source)
    streaming.check()
    if taking.list_devices:
        from dgcli.commands.devices import show

        show(console, as_json=taking.json)
        return
    if taking.test:
        from dgcli.commands.trial import trial

        trial(_recording(taking, params), console, seconds=streaming.duration, as_json=taking.json)
        return
    from dgcli.audio.noise import caught_noise
    from dgcli.audio.recorder import Microphone
    from dgcli.commands.controls import greeting, microphone_controls, pipe_controls
    from dgcli.commands.session import stream

    config = connection.config()
    is_assumed = params.given.get("encoding", "linear16") == "linear16"
    # A microphone says what it has when it is open, and a WAV header what follows it: that replaces these.
    assumed: dict[str, object] = {"encoding": "linear16", "sample_rate": _PIPE_RATE} if is_assumed else {}
    values = params.checked(config, **assumed)
    options = rendering.options()
    check_outputs(output, shown, None)
    if not connection.local:
        config.authorization()  # without a key there is no point in opening the microphone
    with caught_noise() as noise:
        opened: Source
        if source is not None:
            raw = raw_format(values)
            if raw is not None and is_assumed:
                console.note(f"Standard input is taken for {_said(raw)}, unless it has a header.")
            opened, controls = open_source("-", raw), pipe_controls(taking.stop_phrase)
        else:
            heard = Microphone(_recording(taking, params), noise=noise if general.verbose else None)
            opened, controls = heard, microphone_controls(heard, taking.stop_phrase)
        try:
            form = opened.open()
            if source is None:
                console.note(greeting(opened.name, _said(form)))
            stream(
                config,
                opened,
                form,
                values,
                connection=connection,
                output=output,
                streaming=streaming,
                shown=shown,
                console=console,
                options=options,
                controls=controls,
            )
        finally:
            opened.stop()
            for text in noise():
                console.detail(text)
