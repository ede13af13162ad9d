"""Every kind of audio becomes the same 16 kHz PCM."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from dgcli.server.decode import cuts, decode, pieces_of
from dgcli.server.engines.base import RATE, Audio, NotAudioError

SECONDS = 2


def tone(rate: int, frequencies: tuple[float, ...] = (440.0,)) -> Any:
    """Return frames x channels of float32, a tone per channel."""
    time = np.arange(SECONDS * rate) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * f * time) for f in frequencies], axis=1).astype(np.float32)


def pitch(path: Path) -> float:
    """Return the strongest frequency (Hz) of a track."""
    samples = np.fromfile(path, "<i2").astype(np.float64)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) / (len(samples) / RATE))


def check(audio: Audio, folder: Path, frequency: float = 440.0) -> None:
    decoded = decode(audio, folder)
    assert decoded.duration == pytest.approx(SECONDS, abs=0.1)
    (track,) = decoded.tracks
    assert track.samples == pytest.approx(SECONDS * RATE, abs=0.1 * RATE)
    assert track.path.stat().st_size == 2 * track.samples
    assert pitch(track.path) == pytest.approx(frequency, abs=2)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "CAF"])
def test_what_soundfile_opens(tmp_path: Path, kind: str) -> None:
    """Files of libsndfile's kinds are decoded and resampled."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(44100), 44100, format=kind)
    check(Audio(path), tmp_path)


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
    check(Audio(path), tmp_path)


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
    check(Audio(path, encoding=encoding, sample_rate=8000), tmp_path)
    wanted, _ = soundfile.read(
        path, samplerate=8000, channels=1, subtype=subtype, format="RAW", dtype="float32", endian="LITTLE"
    )
    from dgcli.server.decode import expand

    np.testing.assert_allclose(expand(path.read_bytes(), encoding), wanted, atol=1e-6)


def test_channels_are_kept_apart(tmp_path: Path) -> None:
    """With multichannel every channel has its own track."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(16000, (300.0, 700.0)), 16000, format="WAV")
    decoded = decode(Audio(path, multichannel=True), tmp_path)
    assert [round(pitch(track.path)) for track in decoded.tracks] == [300, 700]


def test_raw_channels_are_interleaved(tmp_path: Path) -> None:
    """Raw audio of several channels is frames of interleaved samples."""
    path = tmp_path / "audio"
    path.write_bytes((tone(16000, (300.0, 700.0)) * 32767).astype("<i2").tobytes())
    audio = Audio(path, multichannel=True, encoding="linear16", sample_rate=16000, channels=2)
    assert [round(pitch(track.path)) for track in decode(audio, tmp_path).tracks] == [300, 700]


def test_damage_costs_only_what_is_damaged(tmp_path: Path) -> None:
    """An MP3 with a hole in the middle still gives the rest."""
    path = tmp_path / "audio"
    soundfile.write(path, tone(44100), 44100, format="MP3")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 500] = bytes(500)
    path.write_bytes(data)
    assert decode(Audio(path), tmp_path).duration > 1.5


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
            decode(Audio(path), tmp_path)


def test_cuts_lie_in_the_silences() -> None:
    """A cut is made where 0.3 s are quietest, not in the middle by the clock."""
    loudness = np.ones(3000)
    loudness[1200:1260] = 0
    assert cuts(loudness, 2) == [pytest.approx(1230, abs=15)]
    assert cuts(loudness, 1) == []


def test_number_of_pieces() -> None:
    """Short audio stays whole; a piece is never longer than wanted on average."""
    assert [pieces_of(seconds) for seconds in (0.0, 10, 15, 16, 31, 3600)] == [1, 1, 1, 2, 3, 240]
