"""Long audio is cut into windows around the voice in it."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

pytest.importorskip("onnxruntime", reason="the extra `local` is not installed")

from dgcli.server.engines.vad import VoiceDetector
from dgcli.server.engines.windows import FileWindow, WindowCutter, cut_at
from tests.server.conftest import AUDIO

RATE = 16_000


def speech() -> Any:
    samples, rate = soundfile.read(AUDIO / "preamble-rms.flac", dtype="float32")
    return soxr.resample(samples, rate, RATE).astype(np.float32)


def windows(samples: Any, block: int) -> list[FileWindow]:
    cutter = WindowCutter()
    found = [w for at in range(0, len(samples), block) for w in cutter.accept(samples[at : at + block])]
    return [*found, *cutter.finish()]


def test_blocks_make_no_difference() -> None:
    """The probability of voice does not depend on how the audio was cut into blocks."""
    samples = speech()[: 3 * RATE]
    whole = VoiceDetector().accept(samples)
    detector = VoiceDetector()
    parts = np.concatenate([detector.accept(samples[at : at + 777]) for at in range(0, len(samples), 777)])
    assert len(whole) == len(parts) == 3 * RATE // 512
    np.testing.assert_allclose(whole, parts, atol=1e-5)
    assert (whole > 0.5).mean() > 0.5


def test_a_long_pause_ends_a_window() -> None:
    """Silence of two seconds parts two windows, which tell where they begin and where voice is in them."""
    part = speech()[: 4 * RATE]
    samples = np.concatenate([np.zeros(5 * RATE, np.float32), part, np.zeros(4 * RATE, np.float32), part])
    first, second = windows(samples, 10_000)
    assert first.start == pytest.approx(5, abs=0.5)
    assert second.start == pytest.approx(13, abs=0.5)
    for window in (first, second):
        seconds = len(window.samples) / RATE
        at = round(window.start * RATE)
        np.testing.assert_array_equal(window.samples, samples[at : at + len(window.samples)])
        assert 3 < seconds < 5
        assert all(0 <= start < end <= seconds + 0.04 for start, end in window.voiced)


def test_speech_without_a_pause_is_cut() -> None:
    """Who never pauses is cut before Whisper's 30 s, and no sample is lost or twice."""
    spoken = speech()
    samples = np.tile(spoken[8000 : 20 * RATE], 5)
    found = windows(samples, 65_536)
    assert len(found) > 3
    assert all(len(window.samples) <= 28.1 * RATE for window in found)
    for before, after in pairwise(found):
        end = before.start + len(before.samples) / RATE
        assert after.start == pytest.approx(end, abs=0.8)  # what is left out between them holds no voice


@pytest.mark.parametrize("loud", [0.0, 0.01, 0.2])
def test_noise_is_no_window(loud: float) -> None:
    """Silence and noise are never handed on."""
    noise = np.random.default_rng(1).standard_normal(20 * RATE).astype(np.float32) * loud
    assert windows(noise, 65_536) == []


def test_the_widest_pause_is_cut() -> None:
    """A cut is made in the middle of the widest pause between its bounds, or where voice is least likely."""
    voice = [1.0] * 400
    voice[100:110], voice[200:230] = [0.0] * 10, [0.0] * 30
    assert cut_at(voice, 50, 350) == 215
    assert cut_at(voice, 50, 150) == 105
    voice = [0.9] * 400
    voice[299:302] = [0.6] * 3
    assert cut_at(voice, 250, 350) == 300
