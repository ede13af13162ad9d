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


def _table(devices: "Sequence[Device]") -> str:
    from dgcli.ui.table import aligned

    rows = [["", "Index", "Name", "System", "Channels", "Rate"]]
    for device in devices:
        mark = "*" if device.is_default else ""
        rate = f"{device.sample_rate} Hz"
        rows.append([mark, str(device.index), device.name, device.host_api, str(device.channels), rate])
    return aligned(rows, right=(1, 4, 5))


def _objects(devices: "Sequence[Device]") -> str:
    return json.dumps(
        [
            {
                "index": device.index,
                "name": device.name,
                "host_api": device.host_api,
                "channels": device.channels,
                "sample_rate": device.sample_rate,
                "default": device.is_default,
            }
            for device in devices
        ],
        ensure_ascii=False,
        indent=2,
    )


def _names(devices: "Sequence[Device]") -> str:
    """List names for shells that complete `--device`: a name on each line, its description after a tab."""
    return "".join(f"{device.name}\t{device.index}, {device.host_api}\n" for device in devices)


def show(console: Console, *, as_json: bool = False, as_names: bool = False) -> None:
    """Write the input devices to standard output. Raises `AudioError` where PortAudio or a device is missing."""
    from dgcli.audio.native_stderr import captured_native_stderr
    from dgcli.audio.portaudio import devices as input_devices
    from dgcli.audio.portaudio import no_device
    from dgcli.output.stdout import write_stdout

    with captured_native_stderr() as printed:
        try:
            devices = input_devices(verbose=console.verbose)
        except AudioError:
            if as_names:  # a shell that completes wants no errors
                return
            raise
        finally:
            for text in printed():
                console.detail(text)
    if as_json:
        write_stdout(f"{_objects(devices)}\n".encode())
    elif as_names:
        write_stdout(_names(devices).encode())
    elif devices:
        write_stdout(_table(devices).encode())
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
