"""Files as a source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dgcli.audio import decode, open_source
from dgcli.audio.base import AudioFormat, Pace
from dgcli.audio.file import FileSource
from dgcli.errors import AudioError, UsageError
from tests.sources.conftest import RATE, read_all, tone, wav

Write = Callable[[str, bytes], Path]


def test_a_wav_is_sent_as_its_samples(write: Write) -> None:
    """Rate, channels, duration and every sample of a WAV arrive, in blocks of 100 ms."""
    samples = tone(1.23, channels=2)
    source = FileSource(write("a.wav", wav(samples, channels=2)))
    assert source.open() == AudioFormat("linear16", RATE, 2, ".wav")
    assert source.pace is Pace.REAL_TIME
    assert source.duration == pytest.approx(1.23)
    blocks = list(source.blocks())
    assert b"".join(b for b in blocks if isinstance(b, bytes)) == samples
    assert {len(b) for b in blocks[:-1] if isinstance(b, bytes)} == {RATE // 10 * 4}


@pytest.mark.parametrize(
    ("format_", "subtype"),
    [("FLAC", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "PCM_24"), ("AIFF", "PCM_16"), ("WAV", "DOUBLE")],
)
def test_lossless_formats_keep_their_samples(tmp_path: Path, format_: str, subtype: str) -> None:
    """Integer and float files come out as the very samples they were made from."""
    samples = np.frombuffer(tone(0.5), "<i2")
    path = tmp_path / "a.x"
    soundfile.write(path, samples / 32768.0, RATE, format=format_, subtype=subtype)
    source = FileSource(path)
    source.open()
    audio, _ = read_all(source)
    assert np.abs(np.frombuffer(audio, "<i2").astype(int) - samples).max() <= 1


def test_a_float_file_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    """Samples that are too loud stay loud instead of turning over."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([2.0, -2.0, 0.5], "f4"), RATE, subtype="FLOAT")
    source = FileSource(path)
    source.open()
    audio, _ = read_all(source)
    assert np.frombuffer(audio, "<i2").tolist() == [32767, -32768, 16384]


@pytest.mark.parametrize(
    ("format_", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
)
def test_compressed_files_are_decoded(tmp_path: Path, format_: str, subtype: str) -> None:
    """MP3 and Ogg become linear16 of their own rate and about their own length."""
    path = tmp_path / "a.bin"
    soundfile.write(path, np.frombuffer(tone(1.0), "<i2"), RATE, format=format_, subtype=subtype)
    source = FileSource(path)
    opened = source.open()
    audio, notices = read_all(source)
    assert (opened.encoding, opened.channels) == ("linear16", 1)
    assert len(audio) / (opened.byte_rate or 1) == pytest.approx(1.0, abs=0.1)
    assert not notices


@pytest.mark.parametrize("suffix", [".m4a", ".webm", ".mp4"])
def test_other_containers_are_decoded_by_pyav(tmp_path: Path, suffix: str) -> None:
    """What libsndfile does not know goes through PyAV."""
    av = pytest.importorskip("av")
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus" if suffix == ".webm" else "aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(tone(1, 48000), "<i2").reshape(1, -1), layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source = FileSource(path)
    opened = source.open()
    audio, _ = read_all(source)
    assert opened.encoding == "linear16"
    assert len(audio) / (opened.byte_rate or 1) == pytest.approx(1.0, abs=0.2)
    assert source.duration == pytest.approx(1.0, abs=0.2)


def test_without_pyav_a_container_is_sent_as_it_is(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known container goes out byte for byte, with a notice that names the extra."""
    monkeypatch.setattr(decode, "available", lambda: False)
    data = b"\0\0\0\x18ftypM4A " + bytes(range(256)) * 40
    source = FileSource(write("a.m4a", data))
    assert source.open() == AudioFormat(suffix=".m4a")
    audio, notices = read_all(source)
    assert audio == data
    assert "[media]" in notices[0].message


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_without_a_length_is_read_to_its_end(write: Write, size: int) -> None:
    """A recording that is still running, or was killed, is heard to where it ends."""
    samples = tone(0.35)
    source = FileSource(write("a.wav", wav(samples + b"\1", data_size=size)))
    source.open()
    assert source.duration == pytest.approx(0.35)
    assert read_all(source)[0] == samples


def test_a_truncated_wav_is_read_to_where_it_ends(write: Write) -> None:
    """A header that promises more than there is does no harm."""
    samples = tone(0.3)
    source = FileSource(write("a.wav", wav(samples, data_size=len(samples) * 9)))
    source.open()
    assert read_all(source)[0] == samples


def test_raw_samples_need_no_header(write: Write) -> None:
    """Headerless PCM is sent as --encoding says, cut at whole samples, with a known duration."""
    samples = tone(0.5, 8000)
    source = FileSource(write("preamble.raw", samples + b"\7"), AudioFormat("linear16", 8000))
    assert source.open().byte_rate == 16000
    assert source.duration == pytest.approx(0.5, abs=0.001)
    assert read_all(source)[0] == samples


def test_a_wav_header_is_never_sent_as_samples(write: Write) -> None:
    """--encoding on a WAV does not turn its header into a click."""
    source = FileSource(write("a.wav", wav(tone(0.1))), AudioFormat("linear16", 8000))
    assert source.open().sample_rate == RATE
    audio, notices = read_all(source)
    assert audio == tone(0.1)
    assert "header" in notices[0].message


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"hello, world\n" * 50, "no audio"), (wav(b""), "no audio"), (bytes(5000), "no audio")],
)
def test_what_is_no_audio_is_refused(write: Write, data: bytes, words: str) -> None:
    """Empty files, text and WAVs without samples are an AudioError that says so."""
    with pytest.raises(AudioError, match=words):
        FileSource(write("a.wav", data)).open()


def test_stop_ends_a_file_with_the_current_block(write: Write) -> None:
    """After stop() no further block comes."""
    source = FileSource(write("a.wav", wav(tone(2))))
    source.open()
    blocks = source.blocks()
    next(blocks)
    source.stop()
    source.stop()
    assert list(blocks) == []


def test_arguments_that_are_no_source_are_refused(tmp_path: Path) -> None:
    """A missing file, a folder and an unknown scheme each say what is wrong."""
    with pytest.raises(AudioError, match="There is no file"):
        open_source(str(tmp_path / "none.wav"))
    with pytest.raises(AudioError, match="directory"):
        open_source(str(tmp_path))
    with pytest.raises(UsageError, match="rtsp"):
        open_source("rtsp://camera/1")
