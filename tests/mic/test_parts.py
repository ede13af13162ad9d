"""The small parts between a sound card and the stream."""

import subprocess
import sys
import threading
from array import array
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

import numpy
import pytest

from dgcli.audio.capture import Capture
from dgcli.audio.convert import Converter, mix
from dgcli.audio.worker import CallThread, Stuck

CLEAN = SimpleNamespace(input_overflow=False)
LOST = SimpleNamespace(input_overflow=True)


def test_a_full_queue_drops_and_counts() -> None:
    """The callback never waits: what has no room is dropped and counted, and what was there stays in order."""
    capture = Capture(room=3)
    for number in range(5):
        capture.callback(bytes([number]), 1, None, CLEAN)
    assert [capture.take(0) for _ in range(3)] == [b"\0", b"\1", b"\2"]
    assert (capture.blocks, capture.dropped, capture.losses) == (3, 2, 2)
    with pytest.raises(Empty):
        capture.take(0)


def test_the_overflow_flag_is_counted_and_the_block_kept() -> None:
    """What PortAudio lost before a block is counted; the block itself is audio."""
    capture = Capture(room=3)
    capture.callback(b"ab", 1, None, LOST)
    assert (capture.take(0), capture.overflows, capture.losses) == (b"ab", 1, 1)


def test_the_callback_copies() -> None:
    """PortAudio's buffer is its own again when the callback returns."""
    capture = Capture(room=3)
    buffer = bytearray(b"abcd")
    capture.callback(buffer, 2, None, CLEAN)
    buffer[:] = b"zzzz"
    assert capture.take(0) == b"abcd"


def test_mixing_is_the_mean_of_the_channels() -> None:
    """Interleaved channels become their mean, without overflow at full scale."""
    stereo = array("h", [100, 300, -32768, -32768, 32767, 32767, -10, 10]).tobytes()
    assert array("h", mix(stereo, 2)).tolist() == [200, -32768, 32767, 0]
    many = array("h", [*range(32), *range(32, 64)]).tobytes()
    assert array("h", mix(many, 32)).tolist() == [15, 47]


def test_another_device_may_have_other_channels() -> None:
    """A device that comes back with two channels is mixed to the one that is sent; one channel is its own mean."""
    converter = Converter(1, 1, 16000, 16000)
    one, two = array("h", [3, 5]).tobytes(), array("h", [2, 4, 5, 5]).tobytes()
    assert converter.convert(one) == one
    converter.remix(2)
    assert converter.convert(two) == one
    assert mix(one, 1) == one


def test_without_another_rate_blocks_pass_untouched() -> None:
    """One channel at the device's own rate is sent bit by bit."""
    converter = Converter(1, 1, 48000, 48000)
    block = bytes(range(200))
    assert converter.convert(block) == block
    assert converter.finish() == b""


@pytest.mark.parametrize("channels", [1, 2])
def test_resampling_keeps_length_and_pitch(channels: int) -> None:
    """48 kHz in blocks becomes 16 kHz: a third of the samples, the same tone on every channel."""
    seconds, rate, wanted = 2, 48000, 16000
    tone = (8000 * numpy.sin(2 * numpy.pi * 440 * numpy.arange(seconds * rate) / rate)).astype("int16")
    audio = numpy.repeat(tone, channels).tobytes()
    converter = Converter(channels, channels, rate, wanted)
    size = 4800 * 2 * channels
    made = b"".join(converter.convert(audio[at : at + size]) for at in range(0, len(audio), size))
    made += converter.finish()
    assert len(made) == pytest.approx(seconds * wanted * 2 * channels, abs=8 * channels)
    for channel in range(channels):
        heard = numpy.frombuffer(made, "int16")[channel::channels][:16000]
        assert abs(numpy.fft.rfft(heard)).argmax() == 440


def test_a_call_that_hangs_is_given_up() -> None:
    """A worker whose call does not return raises in time, and refuses every other call."""
    worker, release = CallThread("test-worker"), threading.Event()
    try:
        with pytest.raises(Stuck):
            worker.call(lambda: release.wait(30), 0.05)
        with pytest.raises(Stuck):
            worker.call(lambda: 1, 30)
    finally:
        release.set()


def test_a_worker_passes_on_results_and_errors() -> None:
    """What a call returns or raises arrives where it was wanted; all calls are made on one thread."""
    worker = CallThread("test-worker")
    assert {worker.call(lambda: threading.current_thread().name, 5) for _ in range(3)} == {"test-worker"}
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0, 5)


def open_descriptors() -> set[str]:
    """The descriptors of this process."""
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


NOISY = r"""
import os, sys, threading
from dgcli.audio.native_stderr import captured_native_stderr
with captured_native_stderr() as lines:
    os.write(2, b"ALSA lib: \x1b[31mred\x1b[0m\nALSA lib: again\nALSA lib: again\nunfinis")
    print("python", file=sys.stderr)
    sys.stderr.buffer.write(b"bytes\n")
    first = lines()
    for _ in range(40000):
        try:
            os.write(2, b"ALSA lib: again\n")
        except BlockingIOError:
            break
    else:
        print("never full", file=sys.stderr)
    second = lines()
print(first, second)
os.write(2, b"after\n")
print("python after", file=sys.stderr)
"""


def test_only_python_reaches_stderr() -> None:
    """What a library prints on descriptor 2 is caught, told once, and never blocks it; Python's stderr goes on."""
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["python", "bytes", "after", "python after"]
    assert done.stdout.strip() == "['ALSA lib: red', 'ALSA lib: again'] ['unfinisALSA lib: again']"


def test_a_capture_leaves_no_descriptor_behind() -> None:
    """When the capture is over everything is as it was, even after an error."""
    from dgcli.audio.native_stderr import captured_native_stderr

    before = open_descriptors(), sys.stderr
    with pytest.raises(ZeroDivisionError), captured_native_stderr():
        1 / 0  # noqa: B018 - it raises
    assert (open_descriptors(), sys.stderr) == before
