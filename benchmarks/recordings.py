"""What the benchmarks of the recogniser hear: recordings whose words are known, and sounds that are no speech."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

RATE = 16_000
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SUFFIXES = {".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus"}
JFK = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


@dataclass(frozen=True)
class Recording:
    """A recording and what is said in it."""

    name: str
    path: Path
    text: str


def recordings(folders: Sequence[Path]) -> Iterator[Recording]:
    """Yield those of the folders with a .txt beside them; without a folder those in ../shared/audio."""
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES and path.with_suffix(".txt").exists():
                yield Recording(path.stem, path, path.with_suffix(".txt").read_text())
    if not folders:
        saved = json.loads((SHARED / "responses" / "transcription.json").read_text())
        spacewalk = saved["results"]["channels"][0]["alternatives"][0]["transcript"]
        preamble = (ROOT / "tests" / "audio" / "preamble-rms.txt").read_text()
        for name, text in (("preamble.wav", preamble), ("jfk.flac", JFK), ("spacewalk.wav", spacewalk)):
            yield Recording(name.partition(".")[0], SHARED / "audio" / name, text)


def samples_of(path: Path) -> Any:
    """Return a recording as float32, mono, 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)


def with_noise(samples: Any, decibels: float, seed: int = 1) -> Any:
    """Add white noise so far below the mean power of the recording."""
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    loud = np.sqrt((samples**2).mean()) / 10 ** (decibels / 20)
    return np.clip(samples + noise * loud, -1, 1).astype(np.float32)


def sounds() -> dict[str, Any]:
    """Return half minutes in which nobody speaks."""
    generator = np.random.default_rng(1)
    size = 30 * RATE
    at = np.arange(size) / RATE
    white = generator.standard_normal(size)
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    pink = np.fft.irfft(spectrum, size)
    chords = np.zeros(size)
    for number, notes in enumerate([(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)] * 4):
        part = slice(number * 2 * RATE, (number + 1) * 2 * RATE)
        for note in notes:
            chords[part] += sum(np.sin(2 * np.pi * note * k * at[part]) / k for k in (1, 2, 3)) * 0.1
    kinds = {"silence": np.zeros(size), "white noise": white * 0.1, "pink noise": pink / pink.std() * 0.1}
    return {name: samples.astype(np.float32) for name, samples in {**kinds, "chords": chords}.items()}
