"""How loud audio is, and what is said about it."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio.levels import SILENCE, Level, SignalWatch, judge, measure
from dgcli.ui.meter import bar, decibels

TENTH = 0.1


def tone(amplitude: float, samples: int = 1600) -> bytes:
    """A tenth of a second of a tone at 16 kHz."""
    return array("h", (round(amplitude * math.sin(2 * math.pi * i / 32)) for i in range(samples))).tobytes()


def test_a_sine_at_full_scale_is_minus_3_dbfs() -> None:
    """Peak and RMS of a full-scale sine are 0 and -3.01 dBFS, as the definition of dBFS has it."""
    level = measure(tone(32767))
    assert level.peak == pytest.approx(0.0, abs=0.01)
    assert level.rms == pytest.approx(-3.01, abs=0.01)


def test_silence_is_minus_infinity() -> None:
    """Zeros, and no samples at all, have no level."""
    assert measure(bytes(3200)) == measure(b"") == Level(SILENCE, SILENCE, 0)


def test_samples_at_full_scale_are_counted_on_both_sides() -> None:
    """Clipping is counted at +32767 and at -32768, and nowhere else."""
    assert measure(array("h", [32767, -32768, 32766, -32767, 0]).tobytes()).clipped == 2


@given(st.lists(st.integers(-32768, 32767), min_size=1))
def test_the_peak_is_never_below_the_rms(samples: list[int]) -> None:
    """For any audio, RMS <= peak <= 0 dBFS."""
    level = measure(array("h", samples).tobytes())
    assert level.rms <= level.peak + 1e-9
    assert level.peak <= 1e-9


def heard(watch: SignalWatch, *blocks: tuple[float, int]) -> list[tuple[float, str]]:
    """The warnings of a watch over tones of such amplitudes, each so many tenths of a second, with their time."""
    warnings, now = [], 0.0
    for amplitude, count in blocks:
        level = measure(
            tone(amplitude) if amplitude <= 32767 else array("h", [32767, -32768] * 800).tobytes()
        )
        for _ in range(count):
            now += TENTH
            if warning := watch.take(level, TENTH):
                warnings.append((round(now, 1), warning))
    return warnings


def test_no_signal_is_said_once_after_five_seconds() -> None:
    """Silence is told when it has lasted 5 s, with the device's name, once; and again only after a sound."""
    watch = SignalWatch("Yeti")
    warnings = heard(watch, (0, 200), (1000, 5), (0, 60))
    assert [at for at, _ in warnings] == [5.0, 25.5]
    assert all("No signal from Yeti for 5 s" in text for _, text in warnings)


def test_a_quiet_room_is_a_signal() -> None:
    """Noise at -60 dBFS, as of a quiet room, is not called a missing signal."""
    assert heard(SignalWatch("Yeti"), (33, 100)) == []


def test_clipping_is_said_at_most_every_ten_seconds() -> None:
    """Clipping is told at once, with the name, then no more for 10 s."""
    warnings = heard(SignalWatch("Yeti"), (40000, 150))
    assert [at for at, _ in warnings] == pytest.approx([0.1, 10.1], abs=0.15)
    assert all(text.startswith("Clipping: Yeti") for _, text in warnings)


def test_good_speech_needs_no_advice() -> None:
    """Speech around -20 dBFS with pauses at -65 dBFS is fine."""
    levels = [measure(tone(18)), measure(tone(4600))] * 25
    judgement = judge(levels, TENTH)
    assert judgement.advice == ()
    assert judgement.seconds == pytest.approx(5.0)
    assert judgement.floor == pytest.approx(-68, abs=1)
    assert judgement.peak == pytest.approx(-17, abs=1)


@pytest.mark.parametrize(
    ("loud", "soft", "word"),
    [
        (0, 0, "no signal"),
        (40000, 20, "clips"),
        (150, 2, "very quiet"),
        (6000, 900, "background is loud"),
        (3000, 2900, "did you speak"),
    ],
)
def test_each_trouble_has_its_advice(loud: float, soft: float, word: str) -> None:
    """Silence, clipping, faint speech, noise and nobody speaking are told apart."""
    block = array("h", [32767, -32768] * 800).tobytes() if loud > 32767 else tone(loud)
    judgement = judge([measure(block), measure(tone(soft))] * 25, TENTH)
    assert word in " ".join(judgement.advice)


def test_nothing_recorded_is_said() -> None:
    """A test without a block says so."""
    assert judge([], TENTH).advice == ("Nothing was recorded.",)


def test_the_meter_keeps_its_width() -> None:
    """From silence to full scale the bar fills from left to right in a constant width."""
    bars = [bar(rms, rms) for rms in (SILENCE, -90.0, -60.0, -33.0, -30.5, -3.0, 0.0)]
    assert {len(text) for text in bars} == {20}
    filled = [text.count("█") for text in bars]
    assert filled == sorted(filled)
    assert filled[0] == 0
    assert filled[-1] == 12
    assert decibels(-22.6) == "-23 dB"
    assert bars[0].endswith("-∞ dB")
