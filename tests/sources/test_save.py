"""The audio that was sent, kept."""

import os
import signal
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dgcli.audio.base import AudioFormat
from dgcli.audio.file import FileSource
from dgcli.audio.save import SaveAudio, _wav_header, saved_path
from dgcli.errors import OutputError, UsageError
from dgcli.server.decode import decoded
from dgcli.server.engines.base import Audio
from tests.conftest import ROOT
from tests.sources.conftest import tone

LINEAR = AudioFormat("linear16", 16000, 2, ".wav")


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_what_was_sent_is_saved_to_the_sample(tmp_path: Path, suffix: str) -> None:
    """Every sample of both channels can be read back, in pieces of any length."""
    audio = tone(1.0, channels=2)
    saved = SaveAudio(tmp_path / f"a{suffix}", LINEAR)
    for start in range(0, len(audio), 4444):
        saved.write(audio[start : start + 4444])
    saved.close()
    saved.close()
    samples, rate = soundfile.read(saved.path, dtype="int16")
    assert (samples.tobytes(), rate) == (audio, 16000)


@pytest.mark.parametrize(
    ("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW"), ("linear32", "FLOAT")]
)
def test_other_raw_audio_has_its_place_in_a_wav(tmp_path: Path, encoding: str, subtype: str) -> None:
    """Telephone and float encodings become a WAV of that kind, whatever suffix was asked for."""
    for suffix in (".wav", ".flac"):
        saved = SaveAudio(tmp_path / f"a{suffix}", AudioFormat(encoding, 8000, 1))
        saved.write(bytes(800))
        saved.close()
        assert saved.path.suffix == ".wav"
        assert soundfile.info(saved.path).subtype == subtype


def test_what_passed_through_keeps_its_suffix(tmp_path: Path) -> None:
    """A container is kept byte for byte under the name of what it is."""
    saved = SaveAudio(tmp_path / "a.wav", AudioFormat(suffix=".mp3"))
    saved.write(b"\xff\xfbdata")
    saved.close()
    assert saved.path == tmp_path / "a.mp3"
    assert saved.path.read_bytes() == b"\xff\xfbdata"


@pytest.mark.parametrize(
    ("name", "audio_format", "saved"),
    [
        ("a.wav", LINEAR, "a.wav"),
        ("a.flac", AudioFormat("mulaw", 8000), "a.wav"),
        ("a.flac", AudioFormat(suffix=".webm"), "a.webm"),
        ("a.raw", LINEAR, "a.raw"),
    ],
)
def test_the_name_is_known_before_anything_is_written(
    tmp_path: Path, name: str, audio_format: AudioFormat, saved: str
) -> None:
    """Where the audio goes can be asked, and is where it goes."""
    assert saved_path(tmp_path / name, audio_format) == tmp_path / saved
    assert SaveAudio(tmp_path / name, audio_format).path == tmp_path / saved


def test_raw_samples_can_stay_raw(tmp_path: Path) -> None:
    """Another suffix than .wav and .flac keeps headerless samples."""
    saved = SaveAudio(tmp_path / "a.raw", LINEAR)
    saved.write(b"\1\0\2\0")
    saved.close()
    assert (tmp_path / "a.raw").read_bytes() == b"\1\0\2\0"


def test_nothing_is_created_before_there_is_audio(tmp_path: Path) -> None:
    """A stream that never began leaves no empty file."""
    SaveAudio(tmp_path / "a.wav", LINEAR).close()
    assert not list(tmp_path.iterdir())


def test_an_odd_length_is_padded(tmp_path: Path) -> None:
    """A data chunk of odd length ends on an even byte, as RIFF wants it, and says its true length."""
    saved = SaveAudio(tmp_path / "a.wav", AudioFormat("mulaw", 8000, 1))
    saved.write(b"\1\2\3")
    saved.close()
    data = saved.path.read_bytes()
    assert len(data) == 84
    assert struct.unpack("<I", data[76:80]) == (3,)


def test_beyond_four_gigabytes_it_is_an_rf64() -> None:
    """What a RIFF cannot count stands in the ds64 chunk, in the place that was kept for it."""
    small, big = _wav_header(LINEAR, 1000), _wav_header(LINEAR, 6_000_000_000)
    assert (small[:4], small[12:16], len(small)) == (b"RIFF", b"JUNK", 80)
    assert (big[:4], big[12:16], len(big)) == (b"RF64", b"ds64", 80)
    assert struct.unpack("<Q", big[28:36]) == (6_000_000_000,)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_kill_9_leaves_audio_that_plays(tmp_path: Path, suffix: str) -> None:
    """After a kill the file opens, and at most some seconds of its end are missing."""
    path = tmp_path / f"a{suffix}"
    script = (
        "import itertools, sys\n"
        "from pathlib import Path\n"
        "from dgcli.audio.base import AudioFormat\n"
        "from dgcli.audio.save import SaveAudio\n"
        "from tests.sources.conftest import tone\n"
        "seconds = itertools.count()\n"
        "saved = SaveAudio(Path(sys.argv[1]), AudioFormat('linear16', 16000, 1), clock=lambda: next(seconds) / 4)\n"
        "audio = tone(30)\n"
        "for start in range(0, len(audio), 8000):\n"
        "    saved.write(audio[start:start + 8000])\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    expected = np.frombuffer(tone(30), "<i2")
    if suffix == ".wav":
        with wave.open(str(path)) as file:
            assert file.getnframes() >= 27 * 16000
    with soundfile.SoundFile(path) as file:
        samples = file.read(27 * 16000, dtype="int16")
    assert len(samples) == 27 * 16000
    assert (samples == expected[: 27 * 16000]).all()
    # And for dg itself: as a stream's source, and on the local server.
    source = FileSource(path)
    source.open()
    again = b"".join(block for block in source.blocks() if isinstance(block, bytes))
    assert again[: 27 * 32000] == expected[: 27 * 16000].tobytes()
    assert list(decoded(Audio(path), 60.0))[-1].until >= 27


def test_a_full_disk_is_reported() -> None:
    """Audio that cannot be written is an OutputError, not a crash."""
    saved = SaveAudio(Path("/dev/full"), AudioFormat("linear16", 16000))
    with pytest.raises(OutputError) as caught:
        saved.write(bytes(100))
    assert caught.value.hint == "The audio is no longer saved."
    saved.write(bytes(100))
    saved.close()


@pytest.mark.parametrize(
    ("name", "container"), [("a.mp3", "MP3"), ("a.ogg", "OGG"), ("a.opus", "OGG"), ("a.flac", "FLAC")]
)
def test_the_suffix_names_the_container(tmp_path: Path, name: str, container: str) -> None:
    """Samples under the name of a compressed format are that format, and play for as long."""
    saved = SaveAudio(tmp_path / name, AudioFormat("linear16", 16000, 1))
    saved.write(tone(2))
    saved.close()
    with soundfile.SoundFile(tmp_path / name) as file:
        assert (file.format, file.channels) == (container, 1)
        assert abs(file.frames / file.samplerate - 2) < 0.1


@pytest.mark.parametrize("name", ["take.m4a", "take", "take.aac", "take.txt"])
def test_a_name_that_samples_cannot_have_is_refused(tmp_path: Path, name: str) -> None:
    """Samples are never written under a name that promises something else."""
    with pytest.raises(UsageError, match="--save-audio cannot write") as caught:
        SaveAudio(tmp_path / name, LINEAR)
    assert "take.wav or take.flac" in (caught.value.hint or "")


def test_a_rate_that_a_format_does_not_take_is_refused(tmp_path: Path) -> None:
    """Opus takes five sample rates: another is refused before anything is recorded."""
    with pytest.raises(UsageError, match="44100 Hz"):
        SaveAudio(tmp_path / "a.opus", AudioFormat("linear16", 44100, 1))


def test_a_flac_that_grows_says_how_long_it_is(tmp_path: Path) -> None:
    """The header of a FLAC that is not finished counts what is on disk: it reads to its end and opens at once."""
    now = 0.0
    saved = SaveAudio(tmp_path / "a.flac", AudioFormat("linear16", 16000, 1), clock=lambda: now)
    for _ in range(5):
        saved.write(tone(1))
        now += 1.5
    samples, rate = soundfile.read(tmp_path / "a.flac")
    assert 3 * rate < len(samples) <= 5 * rate
    saved.close()
