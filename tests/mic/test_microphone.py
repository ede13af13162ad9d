"""The source, on a real sound system."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import takewhile

import pytest
import sounddevice

from dgcli.audio.devices import Device
from dgcli.audio.levels import SILENCE
from dgcli.audio.microphone import CaptureSettings, Microphone
from dgcli.audio.native_stderr import captured_native_stderr
from dgcli.audio.portaudio import PortAudio, explain
from dgcli.errors import AudioError, UsageError
from dgcli.transcript.events import Notice, NoticeKind
from tests.conftest import SAMPLE
from tests.mic.pulse import SINK, Pulse

SECOND = 2 * 44100  # bytes


@pytest.fixture
def recorder(pulse: Pulse) -> Iterator["Recorder"]:
    """Makes microphones on the test's sound system, and stops them all."""
    with captured_native_stderr():
        made = Recorder()
        yield made
        made.stop()


class Recorder:
    """Makes microphones; what they record and say comes from `blocks`."""

    def __init__(self) -> None:
        self._made: list[Microphone] = []
        self._running: list[Iterator[bytes | Notice]] = []

    def make(self, room: float = 20.0, **recording: object) -> Microphone:
        """A microphone; PortAudio looks for devices anew for it."""
        what = CaptureSettings(**recording)  # type: ignore[arg-type]  # as given
        microphone = Microphone(what, portaudio=PortAudio(verbose=True), room=room)
        self._made.append(microphone)
        return microphone

    def blocks(self, microphone: Microphone) -> Iterator[bytes | Notice]:
        """The blocks of a microphone."""
        blocks = microphone.blocks()
        self._running.append(blocks)
        return blocks

    def stop(self) -> None:
        """Close them all."""
        for microphone in self._made:
            microphone.stop()
        for blocks in self._running:
            blocks.close()  # type: ignore[attr-defined]  # a generator


def test_devices_are_listed_with_what_they_take(recorder: Recorder) -> None:
    """The sound system's microphone is there, with host API, channels, rate and the mark of the default."""
    devices = PortAudio(verbose=True).devices()
    pulse = next(device for device in devices if device.name == "pulse")
    assert pulse == Device(pulse.index, "pulse", "ALSA", 32, 44100, is_default=pulse.is_default)
    assert sum(device.is_default for device in devices) == 1


def test_it_records_what_is_played_at_its_own_rate(recorder: Recorder, pulse: Pulse) -> None:
    """One channel of linear16 at the device's rate comes in blocks of 100 ms, and the level follows the sound."""
    microphone = recorder.make(device="pulse")
    audio = microphone.open()
    assert (audio.encoding, audio.sample_rate, audio.channels) == ("linear16", 44100, 1)
    blocks = recorder.blocks(microphone)
    first = next(blocks)
    assert isinstance(first, bytes)
    assert len(first) == SECOND // 10
    pulse.play(SAMPLE)
    heard = next(True for block in blocks if microphone.level.rms > -40)
    assert heard
    assert microphone.lost == 0


@pytest.mark.parametrize(
    ("wanted", "rate", "channels", "size"),
    [
        ({"sample_rate": 16000}, 16000, 1, 3200),
        ({"channels": 2, "block": 0.05}, 44100, 2, 8820),
        ({"resample": 16000}, 16000, 1, None),
    ],
)
def test_rate_channels_and_blocks_are_as_asked_for(
    recorder: Recorder, wanted: dict[str, object], rate: int, channels: int, size: int | None
) -> None:
    """The device's rate, its channels and the length of blocks can be chosen, and another rate be sent."""
    microphone = recorder.make(device="pulse", **wanted)
    audio = microphone.open()
    assert (audio.sample_rate, audio.channels) == (rate, channels)
    blocks = recorder.blocks(microphone)
    taken = [block for block in (next(blocks) for _ in range(5)) if isinstance(block, bytes)]
    if size:
        assert {len(block) for block in taken} == {size}
    else:
        assert sum(map(len, taken)) == pytest.approx(5 * 3200, rel=0.1)


def test_a_stop_ends_it_with_what_was_recorded(recorder: Recorder) -> None:
    """After `stop`, from another thread, `blocks` ends soon, and may be stopped again."""
    microphone = recorder.make(device="pulse")
    microphone.open()
    blocks = recorder.blocks(microphone)
    next(blocks)
    threading.Timer(0.2, microphone.stop).start()
    rest = list(blocks)
    assert 1 <= len(rest) <= 8
    microphone.stop()


def test_a_microphone_that_is_only_opened_is_closed_by_stop(recorder: Recorder) -> None:
    """`stop` without `blocks` lets go of the device: PortAudio can be initialised again."""
    microphone = recorder.make(device="pulse")
    microphone.open()
    microphone.stop()
    assert list(microphone.blocks()) == []
    assert PortAudio(verbose=True).devices()


def notices(blocks: Iterator[bytes | Notice]) -> Iterator[Notice]:
    """Only what is said."""
    return (item for item in blocks if isinstance(item, Notice))


def test_a_device_that_is_unplugged_is_opened_again(recorder: Recorder, pulse: Pulse) -> None:
    """When the device goes it is said, it is tried again, and recording goes on when it is back."""
    microphone = recorder.make(device="pulse", reopen=20.0)
    microphone.open()
    blocks = recorder.blocks(microphone)
    next(blocks)
    pulse.control("unload-module", "module-null-sink")
    said = notices(blocks)
    vanished = next(said)
    assert (vanished.kind, vanished.message) == (
        NoticeKind.SOURCE,
        "pulse has vanished: trying to open it again for 20 s.",
    )
    pulse.control("load-module", *SINK.split())
    assert next(said).message == "Recording again from pulse."
    pulse.play(SAMPLE)
    assert next(True for block in blocks if microphone.level.rms > -40)


# In a process of its own: libpulse may deadlock when its server dies, and PortAudio is lost to a process then.
CHILD = """
import sys
from dgcli.audio.microphone import Microphone, CaptureSettings
from dgcli.audio.native_stderr import captured_native_stderr

with captured_native_stderr():
    microphone = Microphone(CaptureSettings(device="pulse", reopen=30.0))
    microphone.open()
    is_back = False
    for item in microphone.blocks():
        is_sound = isinstance(item, bytes)
        print("block" if is_sound else item.message, flush=True)
        is_back = is_back or not is_sound and item.message.startswith("Recording again")
        if is_back and microphone.level.rms > -40:
            microphone.stop()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_sound_server_that_dies_or_freezes_is_survived(pulse: Pulse, number: signal.Signals) -> None:
    """However PortAudio hangs then, recording goes on when there is a server again, and the process ends."""
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if line == "block\n":
                break
        pulse.send(number)
        assert "pulse has vanished: trying to open it again for 30 s.\n" in child.stdout
        if number is signal.SIGKILL:
            pulse.start(SINK)
        else:
            pulse.send(signal.SIGCONT)
        assert "Recording again from pulse.\n" in child.stdout
        pulse.play(SAMPLE)
        assert set(child.stdout) == {"block\n"}
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()


def test_a_device_that_stays_away_ends_the_stream(recorder: Recorder, pulse: Pulse) -> None:
    """When the time to reopen is over the source raises, with the device's name; with 0 at once."""
    for seconds, message in ((1.0, "did not come back in 1 s"), (0.0, "pulse has vanished.")):
        microphone = recorder.make(device="pulse", reopen=seconds)
        microphone.open()
        blocks = recorder.blocks(microphone)
        next(blocks)
        pulse.control("unload-module", "module-null-sink")
        with pytest.raises(AudioError, match=message):
            list(blocks)
        pulse.control("load-module", *SINK.split())


def test_a_stop_while_the_device_is_away_ends_at_once(recorder: Recorder, pulse: Pulse) -> None:
    """Nobody waits for a device that is not wanted any more."""
    microphone = recorder.make(device="pulse", reopen=60.0)
    microphone.open()
    blocks = recorder.blocks(microphone)
    next(blocks)
    pulse.control("unload-module", "module-null-sink")
    assert "vanished" in next(notices(blocks)).message
    microphone.stop()
    assert list(takewhile(lambda item: isinstance(item, bytes), blocks)) == []


def test_a_rate_that_is_refused_is_explained(recorder: Recorder) -> None:
    """A rate that the device does not take is named, with its own and with what converts."""
    with pytest.raises(AudioError, match="pulse does not record at 3000000 Hz") as caught:
        recorder.make(device="pulse", sample_rate=3_000_000).open()
    assert "44100 Hz; --resample 3000000" in (caught.value.hint or "")


def test_too_many_channels_are_explained(recorder: Recorder) -> None:
    """More channels than the device has are refused with the number that it has."""
    with pytest.raises(AudioError, match="does not record 64 channels") as caught:
        recorder.make(device="pulse", channels=64).open()
    assert "It has 32" in (caught.value.hint or "")


def test_an_unknown_device_is_refused_with_the_choices(recorder: Recorder) -> None:
    """A name that fits none is an error of usage that names those there are."""
    with pytest.raises(UsageError, match="pulse"):
        recorder.make(device="no such thing").open()


def test_a_machine_without_a_microphone_says_so(recorder: Recorder, pulse: Pulse) -> None:
    """No input device at all is one clear message, with what to do about it."""
    pulse.send(signal.SIGTERM)
    with pytest.raises(AudioError, match="There is no microphone") as caught:
        recorder.make().open()
    assert caught.value.hint


def test_a_device_that_cannot_be_opened_says_what_the_system_said(recorder: Recorder, pulse: Pulse) -> None:
    """A device whose server has no source is refused with the system's own words."""
    pulse.control("unload-module", "module-null-sink")
    with pytest.raises(AudioError, match=r"pulse cannot be opened: Input/output error\."):
        recorder.make(device="pulse").open()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("Error opening RawInputStream: Device unavailable", -9985), "is busy"),
        (("Unanticipated host error", -9999, (0, -16, "Device or resource busy")), "is busy"),
        (("Error opening RawInputStream: Invalid number of channels", -9998), "does not record 1 channel"),
        (("Some failure",), "cannot be opened: Some failure"),
    ],
)
def test_refusals_of_portaudio_are_explained(args: tuple[object, ...], message: str) -> None:
    """PortAudio's error codes, and ALSA's EBUSY behind one of them, become sentences with the device's name."""
    yeti = Device(1, "Yeti", "ALSA", 2, 48000)
    error = explain(sounddevice.PortAudioError(*args), yeti, 48000, 1)
    assert error.message.startswith(f"Yeti {message}")
    assert error.hint


def test_what_is_lost_is_counted_and_reported(recorder: Recorder) -> None:
    """When nobody takes blocks for long the newest are dropped, and that is said with the device's name."""
    microphone = recorder.make(room=0.3, device="pulse")
    microphone.open()
    blocks = recorder.blocks(microphone)
    pause = threading.Event()
    for _ in range(100):
        if microphone.lost >= 3:
            break
        pause.wait(0.05)
    said = next(notices(blocks))
    assert said.kind is NoticeKind.OVERFLOW
    assert re.fullmatch(r"Audio of pulse was lost \d+ times: the machine is busy\.", said.message)
    assert microphone.lost >= 3


def test_a_muted_microphone_is_reported(recorder: Recorder) -> None:
    """Five seconds of nothing become a warning with the device's name, unless it is meant to be silent."""
    microphone = recorder.make(device="pulse")
    microphone.open()
    blocks = recorder.blocks(microphone)
    said = next(notices(blocks))
    assert said.kind is NoticeKind.SIGNAL
    assert "No signal from pulse for 5 s" in said.message
    assert microphone.level.peak == SILENCE
