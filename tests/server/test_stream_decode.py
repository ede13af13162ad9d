"""Live audio of every kind, in whatever portions it comes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.server.engines.base import RATE, LiveAudio, NotAudioError
from dgcli.server.stream_decode import blocks, tracks
from tests.server.test_decode import tone


class Messages:
    """A feed of given messages."""

    def __init__(self, messages: Iterable[bytes]) -> None:
        self._messages: Iterator[bytes] = (message for message in messages if message)
        self._rest = b""

    def message(self) -> bytes:
        """Return what is left of a message, or the next."""
        data, self._rest = self._rest or next(self._messages, b""), b""
        return data

    def read(self, size: int) -> bytes:
        """Return a part of a message."""
        data = self.message()
        self._rest = data[size:]
        return data[:size]


def decoded(data: bytes, audio: LiveAudio, size: int = 1000) -> Any:
    feed = Messages(data[at : at + size] for at in range(0, len(data), size))
    return np.concatenate(list(tracks(blocks(feed, audio), RATE, multichannel=audio.multichannel)))


def written(kind: str, rate: int, frequencies: tuple[float, ...] = (440.0,)) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(rate, frequencies), rate, format=kind)
    return buffer.getvalue()


def pitch(samples: Any) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) / (len(samples) / RATE))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_containers(kind: str) -> None:
    """A container that comes in portions is decoded whole."""
    samples = decoded(written(kind, 44100), LiveAudio())
    assert len(samples) == pytest.approx(2 * RATE, abs=0.1 * RATE)
    assert pitch(samples[:, 0]) == pytest.approx(440, abs=2)


def test_channels() -> None:
    """Channels are kept apart with multichannel and mixed without."""
    data = written("WAV", 16000, (300.0, 700.0))
    apart = decoded(data, LiveAudio(multichannel=True))
    assert [round(pitch(apart[:, n])) for n in (0, 1)] == [300, 700]
    assert decoded(data, LiveAudio()).shape[1] == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=20))
def test_raw_samples_may_be_cut_anywhere(sizes: list[int]) -> None:
    """Frames that are cut by messages are put together again."""
    pcm = np.arange(200, dtype="<i2").tobytes()
    parts, at = [], 0
    for size in sizes:
        parts.append(pcm[at : at + size])
        at += size
    parts.append(pcm[at:])
    audio = LiveAudio(encoding="linear16", sample_rate=RATE, channels=2)
    found = np.concatenate([block for _, block in blocks(Messages(parts), audio)])
    np.testing.assert_array_equal((found * 32768).astype(int).ravel(), np.arange(200))


def test_opus_packets_without_a_container() -> None:
    """With encoding=opus each message may be one packet."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48000, "mono", "s16"
    samples = (tone(48000)[:, 0] * 32767).astype(np.int16).reshape(1, -1)
    packets = []
    for at in range(0, samples.shape[1] - 959, 960):
        part = np.ascontiguousarray(samples[:, at : at + 960])
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48000, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    audio = LiveAudio(encoding="opus", sample_rate=48000)
    found = np.concatenate(list(tracks(blocks(Messages(packets), audio), RATE, multichannel=False)))
    assert len(found) == pytest.approx(2 * RATE, abs=0.1 * RATE)
    assert pitch(found[:, 0]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    "data",
    [
        b"a text that goes on and on. " * 5000,
        np.random.default_rng(3).bytes(2_000_000),
        b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n" + b"#\n" * 50_000,
    ],
    ids=["text", "noise", "playlist"],
)
def test_what_is_not_audio(data: bytes) -> None:
    """What nothing decodes is noticed before it ends."""
    with pytest.raises(NotAudioError):
        decoded(data, LiveAudio())
