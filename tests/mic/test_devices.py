"""Which device is meant."""

import pytest

from dgcli.audio.devices import Device, choose
from dgcli.errors import UsageError

YETI = Device(2, "Yeti Stereo Microphone: USB Audio (hw:1,0)", "ALSA", 2, 48000)
WEBCAM = Device(4, "HD Webcam: USB Audio (hw:2,0)", "ALSA", 1, 32000)
PULSE = Device(7, "pulse", "ALSA", 32, 44100)
DEFAULT = Device(9, "default", "ALSA", 32, 44100, is_default=True)
ALL = (YETI, WEBCAM, PULSE, DEFAULT)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (None, DEFAULT),
        ("4", WEBCAM),
        ("yeti", YETI),
        ("YETI stereo", YETI),
        ("usb webcam", WEBCAM),
        ("hw:2,0", WEBCAM),
        ("pulse", PULSE),
        (" Pulse ", PULSE),
    ],
)
def test_a_device_is_its_index_or_part_of_its_name(wanted: str | None, meant: Device) -> None:
    """An index, a name in any case, a part of it, or several of its words choose a device; nothing the default."""
    assert choose(ALL, wanted) is meant


def test_without_a_default_the_first_is_taken() -> None:
    """Where PortAudio knows no default device, the first one is used."""
    assert choose((WEBCAM, PULSE), None) is WEBCAM


def test_ambiguity_lists_the_choices() -> None:
    """A part of several names is refused with their indices and names."""
    with pytest.raises(UsageError) as caught:
        choose(ALL, "usb audio")
    assert "2 Yeti" in caught.value.message
    assert "4 HD Webcam" in caught.value.message
    assert "pulse" not in caught.value.message


@pytest.mark.parametrize("wanted", ["blue", "99", ""])
def test_what_fits_no_device_lists_them_all(wanted: str) -> None:
    """An unknown name or index is refused, and what there is is named."""
    with pytest.raises(UsageError) as caught:
        choose(ALL, wanted)
    assert "7 pulse" in caught.value.message


def test_the_same_name_twice_is_ambiguous_until_the_host_api_is_named() -> None:
    """A device that two host APIs know is chosen by adding the API's name."""
    twins = (Device(0, "Mic", "MME", 2, 44100), Device(5, "Mic", "WASAPI", 2, 48000))
    with pytest.raises(UsageError):
        choose(twins, "Mic")
    assert choose(twins, "mic, wasapi") is twins[1]
    assert choose(twins, "mic wasapi") is twins[1]
