"""`dg devices`: the microphones of this machine."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.errors import AudioError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.ui.console import Console

if TYPE_CHECKING:  # what records is loaded when it is asked
    from dgcli.audio.devices import Device


def _table(found: "Sequence[Device]") -> str:
    from dgcli.ui.table import aligned

    rows = [["", "Index", "Name", "System", "Channels", "Rate"]]
    for one in found:
        mark = "*" if one.is_default else ""
        rate = f"{one.sample_rate} Hz"
        rows.append([mark, str(one.index), one.name, one.host_api, str(one.channels), rate])
    return aligned(rows, right=(1, 4, 5))


def _objects(found: "Sequence[Device]") -> str:
    return json.dumps(
        [
            {
                "index": one.index,
                "name": one.name,
                "host_api": one.host_api,
                "channels": one.channels,
                "sample_rate": one.sample_rate,
                "default": one.is_default,
            }
            for one in found
        ],
        ensure_ascii=False,
        indent=2,
    )


def _names(found: "Sequence[Device]") -> str:
    """For shells that complete `--device`: a name on each line, what it is after a tab."""
    return "".join(f"{one.name}\t{one.index}, {one.host_api}\n" for one in found)


def show(console: Console, *, as_json: bool = False, as_names: bool = False) -> None:
    """Write the input devices to standard output. Raises `AudioError` where PortAudio or a device is missing."""
    from dgcli.audio.native_stderr import captured_native_stderr
    from dgcli.audio.portaudio import devices as input_devices
    from dgcli.audio.portaudio import no_device
    from dgcli.output.stdout import write_stdout

    with captured_native_stderr() as printed:
        try:
            found = input_devices(verbose=console.verbose)
        except AudioError:
            if as_names:  # a shell that completes wants no errors
                return
            raise
        finally:
            for text in printed():
                console.detail(text)
    if as_json:
        write_stdout(f"{_objects(found)}\n".encode())
    elif as_names:
        write_stdout(_names(found).encode())
    elif found:
        write_stdout(_table(found).encode())
        console.note("* is the default. Choose another with: dg mic --device NAME")
    else:
        raise no_device()


@command()
def devices(
    general: GeneralOptions,
    json: Annotated[bool, typer.Option("--json", help="Write a JSON array instead of a table.")] = False,
    names: Annotated[bool, typer.Option("--names", hidden=True)] = False,
) -> None:
    """List the microphones of this machine: what dg mic --device takes.

    Examples:

        dg devices
        dg devices --json
    """
    show(general.console(), as_json=json, as_names=names)
