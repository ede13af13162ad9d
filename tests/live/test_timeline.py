"""Bytes and seconds of a stream, and where it may be taken up again."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio.base import AudioFormat
from dgcli.live.seek_points import SeekPoint, seek_points_for
from dgcli.live.timeline import Timeline

RATES = st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000])
ENCODINGS = st.sampled_from(["linear16", "linear32", "mulaw"])


@given(RATES, ENCODINGS, st.integers(1, 8), st.integers(0, 10**10))
def test_raw_audio_is_exact(rate: int, encoding: str, channels: int, frame: int) -> None:
    """A sample's time, even rounded to a 32-bit float's 7 digits near 0, leads back to that sample."""
    audio = AudioFormat(encoding, rate, channels)
    timeline = Timeline(audio)
    position = frame * (audio.frame_bytes or 0)
    time = timeline.seconds(position)
    assert timeline.begin(time) == SeekPoint(position, time)


@given(st.floats(0, 36000), RATES, st.integers(1, 8))
def test_a_stream_is_taken_up_between_samples_and_not_later(time: float, rate: int, channels: int) -> None:
    """The place to begin is a whole sample, at most a quarter of a sample late and one early."""
    timeline = Timeline(AudioFormat("linear16", rate, channels))
    mark = timeline.begin(time)
    assert mark.position % (2 * channels) == 0
    assert -0.26 / rate <= time - mark.time <= 1.01 / rate


def encoded(kind: str, subtype: str, seconds: float = 3.0, rate: int = 16000) -> bytes:
    """A real file of noise."""
    file = io.BytesIO()
    noise = np.random.default_rng(1).uniform(-0.2, 0.2, int(seconds * rate))
    if kind == "WEBM":
        options = {"live": "1"} if subtype == "LIVE" else {}
        with av.open(file, "w", format="webm", options={**options, "cluster_time_limit": "500"}) as output:
            stream: Any = output.add_stream("libopus", rate=48000, layout="mono")
            samples = (np.repeat(noise, 48000 // rate) * 32767).astype("<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = 48000
            for part in (frame, None):
                output.mux(stream.encode(part))
        return file.getvalue()
    soundfile.write(file, noise, rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("size", [1, 7, 333, 100_000])
@pytest.mark.parametrize(
    ("kind", "subtype", "suffix"),
    [
        ("MP3", "MPEG_LAYER_III", ".mp3"),
        ("OGG", "OPUS", ".opus"),
        ("OGG", "VORBIS", ".ogg"),
        ("FLAC", "PCM_16", ".flac"),
        ("WEBM", "FILE", ".webm"),
        ("WEBM", "LIVE", ".webm"),
    ],
)
def test_marks_of_real_files(kind: str, subtype: str, suffix: str, size: int) -> None:
    """Frames and pages are found however the bytes are cut, and add up to the file's duration."""
    data = encoded(kind, subtype)
    finder = seek_points_for(AudioFormat(suffix=suffix))
    assert finder is not None
    marks = [mark for at in range(0, len(data), size) for mark in finder.measure(data[at : at + size])]
    assert marks
    sync = {"OGG": b"OggS", "WEBM": b"\x1f\x43\xb6\x75"}.get(kind, b"\xff")
    assert len(marks) == len({mark.position for mark in marks})
    assert all(data[mark.position :].startswith(sync) for mark in marks)
    assert [mark.time for mark in marks] == sorted(mark.time for mark in marks)
    if kind != "OGG":
        assert marks[-1].time == pytest.approx(3.0, abs=0.6 if kind == "WEBM" else 0.3)
    if kind != "MP3":
        assert data.startswith(finder.head)
        assert len(finder.head) <= marks[0].position


@pytest.mark.parametrize(
    ("kind", "subtype", "suffix"),
    [
        ("MP3", "MPEG_LAYER_III", ".mp3"),
        ("OGG", "OPUS", ".opus"),
        ("OGG", "VORBIS", ".ogg"),
        ("FLAC", "PCM_16", ".flac"),
        ("WEBM", "FILE", ".webm"),
        ("WEBM", "LIVE", ".webm"),
    ],
)
def test_what_is_taken_up_can_be_decoded(tmp_path: Path, kind: str, subtype: str, suffix: str) -> None:
    """Head and rest of a container, from any mark, are a stream that decodes to the rest of the sound."""
    data = encoded(kind, subtype, seconds=10.0)
    audio = AudioFormat(suffix=suffix)
    finder, timeline = seek_points_for(audio), Timeline(audio)
    assert finder is not None
    timeline.add(finder.measure(data))
    mark = timeline.begin(5.0)
    assert 3.0 < mark.time <= 5.0
    path = tmp_path / f"rest{suffix}"
    path.write_bytes(finder.head + data[mark.position :])
    with av.open(str(path)) as container:
        decoded = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    if kind == "OGG":
        assert decoded > 0
    else:
        assert decoded == pytest.approx(10.0 - mark.time, abs=0.2)


def test_adts_frames() -> None:
    """AAC in ADTS: each frame says its size and takes 1024 samples."""
    frame = bytes([0xFF, 0xF1, 0x50, 0x80, 0x02, 0x5F, 0xFC]) + bytes(11)  # 44.1 kHz, 18 bytes
    finder = seek_points_for(AudioFormat(suffix=".aac"))
    assert finder is not None
    marks = finder.measure(b"junk" + frame * 10)
    assert [mark.position for mark in marks] == [4 + 18 * n for n in range(10)]
    assert marks[-1].time == pytest.approx(9 * 1024 / 44100)


@given(
    st.binary(max_size=400), st.sampled_from([".mp3", ".aac", ".ogg", ".flac", ".webm"]), st.integers(1, 50)
)
def test_any_bytes_can_be_measured(data: bytes, suffix: str, size: int) -> None:
    """Bytes that are nothing of the kind give marks in order, or none."""
    finder = seek_points_for(AudioFormat(suffix=suffix))
    assert finder is not None
    marks = [mark for at in range(0, len(data), size) for mark in finder.measure(data[at : at + size])]
    assert marks == sorted(marks, key=lambda mark: (mark.position, mark.time))


def test_an_unknown_container_begins_at_its_beginning() -> None:
    """Its duration is estimated from what the server has heard, its only place to begin is 0."""
    timeline = Timeline(AudioFormat(suffix=".mp4"))
    assert timeline.seconds(5000) == 0.0
    timeline.heard(8000, 2.0)
    assert timeline.seconds(40000) == pytest.approx(10.0)
    assert timeline.begin(9.0) == SeekPoint(0, 0.0)


def test_marks_are_forgotten_but_the_last() -> None:
    """The marks of hours do not add up: those before a position go."""
    timeline = Timeline(AudioFormat(suffix=".mp3"))
    timeline.add([SeekPoint(100 * n, n * 0.026) for n in range(1, 10_000)])
    timeline.forget(900_000)
    assert timeline.begin(9000 * 0.026 + 0.2).position == 900_300
    assert timeline.marks <= 1000
