"""Every kind of audio becomes the same 16 kHz samples, block by block."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from dgcli.server.decode import decoded, expand
from dgcli.server.engines.base import RATE, Audio, NotAudioError, TooLongError

SECONDS = 2


def tone(rate: int, frequencies: tuple[float, ...] = (440.0,)) -> Any:
    """Return frames x channels of float32, a tone per channel."""
    time = np.arange(SECONDS * rate) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * f * time) for f in frequencies], axis=1).astype(np.float32)


def samples_of(audio: Audio) -> tuple[Any, float]:
    """Return all samples (frames x channels) and the duration in seconds."""
    blocks = list(decoded(audio, max_seconds=60))
    return np.concatenate([block.samples for block in blocks]), blocks[-1].until


def pitches(audio: Audio) -> list[int]:
    """Return the strongest frequency (Hz) of each channel."""
    samples, _ = samples_of(audio)
    return [round(np.argmax(np.abs(np.fft.rfft(row))) / (len(row) / RATE)) for row in samples.T]


def check(audio: Audio, frequency: float = 440.0) -> None:
    samples, duration = samples_of(audio)
    assert duration == pytest.approx(SECONDS, abs=0.1)
    assert len(samples) == pytest.approx(SECONDS * RATE, abs=0.1 * RATE)
    assert samples.dtype == np.float32
    assert pitches(audio) == [pytest.approx(frequency, abs=2)]


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "CAF"])
def test_what_soundfile_opens(tmp_path: Path, kind: str) -> None:
    """Files of libsndfile's kinds are decoded and resampled."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(44100), 44100, format=kind)
    check(Audio(path))


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("mp4", "aac", 44100),
        ("webm", "libopus", 48000),
        ("matroska", "pcm_s16le", 22050),
        ("adts", "aac", 48000),
    ],
)
def test_what_pyav_opens(tmp_path: Path, container: str, codec: str, rate: int) -> None:
    """Containers that libsndfile does not know go through PyAV."""
    path = tmp_path / "audio"
    with av.open(str(path), "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        samples = (tone(rate)[:, 0] * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = rate
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    check(Audio(path))


@pytest.mark.parametrize(
    ("encoding", "subtype"),
    [("linear16", "PCM_16"), ("linear32", "FLOAT"), ("mulaw", "ULAW"), ("alaw", "ALAW")],
)
def test_raw_encodings(tmp_path: Path, encoding: str, subtype: str) -> None:
    """Headerless samples are read with the encoding and rate of the query, as libsndfile would read them."""
    path = tmp_path / "audio"
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(8000), 8000, format="RAW", subtype=subtype, endian="LITTLE")
    path.write_bytes(buffer.getvalue())
    check(Audio(path, encoding=encoding, sample_rate=8000))
    wanted, _ = soundfile.read(
        path, samplerate=8000, channels=1, subtype=subtype, format="RAW", dtype="float32", endian="LITTLE"
    )
    np.testing.assert_allclose(expand(path.read_bytes(), encoding), wanted, atol=1e-6)


def test_channels_are_kept_apart(tmp_path: Path) -> None:
    """With multichannel every channel has its own column."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(16000, (300.0, 700.0)), 16000, format="WAV")
    assert pitches(Audio(path, multichannel=True)) == [300, 700]


def test_raw_channels_are_interleaved(tmp_path: Path) -> None:
    """Raw audio of several channels is frames of interleaved samples."""
    path = tmp_path / "audio"
    path.write_bytes((tone(16000, (300.0, 700.0)) * 32767).astype("<i2").tobytes())
    audio = Audio(path, multichannel=True, encoding="linear16", sample_rate=16000, channels=2)
    assert pitches(audio) == [300, 700]


def test_damage_costs_only_what_is_damaged(tmp_path: Path) -> None:
    """An MP3 with a hole in the middle still gives the rest."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(44100), 44100, format="MP3")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 500] = bytes(500)
    path.write_bytes(data)
    _, duration = samples_of(Audio(path))
    assert duration > 1.5


def test_playlists_open_nothing(tmp_path: Path) -> None:
    """Input that names other files is refused: it could read this machine."""
    soundfile.write(tmp_path / "secret.wav", tone(16000), 16000)
    for text in (
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.wav\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile secret.wav\n",
    ):
        path = tmp_path / "audio"
        path.write_text(text)
        with pytest.raises(NotAudioError):
            list(decoded(Audio(path), max_seconds=60))


def test_more_than_is_wanted_is_refused(tmp_path: Path) -> None:
    """Decoding stops at the limit, however small the file was."""
    path = tmp_path / "audio"
    soundfile.write(path, np.zeros(8000 * 3600, np.float32), 8000, format="FLAC")
    assert path.stat().st_size < 100_000
    with pytest.raises(TooLongError):
        list(decoded(Audio(path), max_seconds=60))


def test_how_much_has_passed(tmp_path: Path) -> None:
    """Each block tells the share of the recording that it completes, and the last one is all of it."""
    path = tmp_path / "audio"
    soundfile.write(path, np.zeros(8000 * 60, np.float32), 8000, format="WAV")
    shares = [block.share for block in decoded(Audio(path), max_seconds=60)]
    assert len(shares) > 3
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert shares[-1] == 1.0
