"""The audio track of a video, which is sent alone: what is copied, from where its times count, and what is told."""

import errno
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np
import pytest

from dgcli.audio import decode, track
from dgcli.audio.track import TrackChoice, audio_alone, in_units
from dgcli.audio.upload import MAX_UPLOAD, Upload, opened
from dgcli.audio.watched import WatchedFile, in_thread
from dgcli.errors import AudioError, OutputError, UsageError
from dgcli.server.decode import decoded
from dgcli.server.engines.base import Audio
from tests.conftest import HANGS_AFTER, Run, ScriptedServer

Video = Callable[..., Path]
RATE = 16000  # Hz, of what the local server decodes

# Each codec with a container that it comes in, and FFmpeg's encoder.
KINDS = [
    ("mp4", "aac"),
    ("mkv", "aac"),
    ("ts", "aac"),
    ("mp4", "libmp3lame"),
    ("mkv", "ac3"),
    ("mkv", "eac3"),
    ("mkv", "libopus"),
    ("mov", "pcm_s16le"),
    ("mov", "pcm_s24le"),
    ("mkv", "pcm_mulaw"),
]


def _tone(path: Path) -> Path:
    """Three seconds, silent for one, then a tone."""
    import soundfile

    at = np.arange(3 * 48000) / 48000
    soundfile.write(path, np.where(at < 1, 0, 0.5 * np.sin(2 * np.pi * 440 * at)), 48000)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """Makes a video of four seconds whose sound, silent for one second and then a tone, begins `late`."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")

    def make(
        suffix: str = "mp4", codec: str = "aac", late: float = 0.0, tracks: int = 1, bits: str = "8M"
    ) -> Path:
        path = tmp_path / f"film {codec} {late}.{suffix}"
        sound = ["-itsoffset", str(late), "-i", str(_tone(tmp_path / "tone.wav"))]
        pictures = ["-f", "lavfi", "-i", "testsrc2=s=320x240:d=4"]
        named = [
            word
            for number in range(tracks)
            for word in (
                f"-map {number + 1} -metadata:s:a:{number} language={('eng', 'fra')[number]}"
            ).split()
        ]
        command = ["ffmpeg", "-v", "error", "-y", *pictures, *sound * tracks, "-map", "0", *named]
        command += ["-c:v", "mpeg4", "-b:v", bits, "-minrate", bits, "-maxrate", bits, "-bufsize", bits]
        subprocess.run([*command, "-c:a", codec, path], check=True)
        return path

    return make


def heard(path: Path) -> float:
    """When the tone begins, in seconds, as the local server decodes a recording."""
    samples = np.concatenate([block.samples[:, 0] for block in decoded(Audio(path), 60)])
    return float((np.abs(samples) > 0.1).argmax() / RATE)


def heard_by_ffmpeg(path: Path) -> float:
    """The same as ffmpeg decodes it that keeps to the times of the file."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-af", "aresample=async=1:first_pts=0", "-ac", "1"]
    raw = subprocess.run(
        [*command, "-ar", str(RATE), "-f", "s16le", "-"], check=True, capture_output=True
    ).stdout
    return float((np.abs(np.frombuffer(raw, "<i2").astype(int)) > 3000).argmax() / RATE)


def alone(path: Path, choice: TrackChoice = TrackChoice()) -> Path | None:  # noqa: B008 - it is a value
    """The copy of the track; None where the whole file goes."""
    with opened(str(path)) as upload, audio_alone(upload, path.name, choice) as sent:
        if not sent.is_alone:
            return None
        copy = path.with_name("alone.bin")
        copy.write_bytes(b"".join(sent.upload.blocks()))
        return copy


@pytest.mark.system
@pytest.mark.parametrize("late", [0.0, 0.5])
@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_times_keep_the_zero_of_the_video(video: Video, suffix: str, codec: str, late: float) -> None:
    """The track alone gives the same times as the whole file, also where the sound begins half a second late."""
    whole = video(suffix, codec, late)
    copy = alone(whole)
    assert copy is not None
    assert copy.stat().st_size <= whole.stat().st_size / 2
    assert heard(whole) == pytest.approx(1 + late, abs=0.06)
    assert heard(copy) == pytest.approx(heard(whole), abs=0.04)
    if (suffix, late) == ("ts", 0.5):
        return  # where a transport stream begins late, ffmpeg sees a discontinuity, and corrects it
    assert heard_by_ffmpeg(copy) == pytest.approx(heard_by_ffmpeg(whole), abs=0.04)


@pytest.mark.system
def test_what_was_encoded_stays_as_it_is(video: Video) -> None:
    """The packets of the copy are those of the video, byte for byte."""

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    whole = video()
    copy = alone(whole)
    assert copy is not None
    assert packets(copy) == packets(whole)


@pytest.mark.system
def test_sound_that_cannot_be_padded_goes_with_its_video(video: Video) -> None:
    """Vorbis that begins late has no silence to put before it: the whole file goes, and its times are right."""
    assert alone(video("mkv", "libvorbis", 0.5)) is None
    assert alone(video("mkv", "libvorbis")) is not None


@pytest.mark.system
@pytest.mark.parametrize(
    ("codec", "late"), [("pcm_s16le", 200_000.0), ("pcm_s16le", 3000.0), ("aac", 200_000.0)]
)
def test_silence_of_many_hours_is_not_made(video: Video, codec: str, late: float) -> None:
    """A file that says its sound begins after days costs neither memory nor time: the whole file goes."""
    path = video("mov", codec, late)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, limits[1]))
    try:
        assert alone(path) is None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.mark.system
def test_only_what_saves_half(video: Video, tmp_path: Path) -> None:
    """A video that is mostly sound goes whole, and so does a recording without pictures, whatever its name."""
    assert alone(video("mov", "pcm_s24le", bits="100k")) is None
    sound = tmp_path / "sound.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "tone.wav", "-c:a", "aac", sound], check=True)
    assert alone(sound) is None
    assert alone(sound, TrackChoice(number=1)) is not None


@pytest.mark.system
def test_flags_choose(video: Video) -> None:
    """--whole-file sends all; --audio-track another track, and one that there is not is told with those there are."""
    path = video("mkv", tracks=2)
    assert alone(path, TrackChoice(whole_file=True)) is None
    with opened(str(path)) as upload:
        with audio_alone(upload, "film", TrackChoice()) as sent:
            assert sent.note is not None
            assert "Sends audio track 1 (eng) of 2 alone: " in sent.note
        with audio_alone(upload, "film", TrackChoice(number=2)) as sent:
            assert sent.note is not None
            assert "audio track 2 (fra) of 2" in sent.note
        with pytest.raises(UsageError) as caught, audio_alone(upload, "film", TrackChoice(number=3)):
            pass
    assert caught.value.hint == "There: 1 (eng), 2 (fra)."


@pytest.mark.system
def test_a_video_without_sound(video: Video, tmp_path: Path) -> None:
    """A video without an audio track costs nothing: that is told before it is sent."""
    silent = tmp_path / "silent.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", video(), "-an", "-c", "copy", silent], check=True)
    with pytest.raises(AudioError, match="There is no audio track in silent"):
        alone(silent)


@pytest.mark.system
def test_a_damaged_video_goes_whole(video: Video) -> None:
    """What cannot be copied is sent as it is: the API may know more."""
    path = video()
    path.write_bytes(path.read_bytes()[:5000])
    assert alone(path) is None


def test_too_large_without_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the limit of the API, and without PyAV, the error says how the track alone could go."""
    monkeypatch.setattr(decode, "available", lambda: False)
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x20ftypisom")
        file.truncate(MAX_UPLOAD + 1)
    with pytest.raises(AudioError, match="up to 2 GB") as caught:
        alone(path)
    assert "media" in (caught.value.hint or "")


@pytest.mark.parametrize(("size", "is_told"), [(50_000_000, False), (500_000_000, True)])
def test_hint_without_a_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, is_told: bool
) -> None:
    """Without PyAV the whole file goes, with a hint only where it is large."""
    monkeypatch.setattr(decode, "available", lambda: False)
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x20ftypisom")
        file.truncate(size)
    with opened(str(path)) as upload, audio_alone(upload, "film.mp4", TrackChoice()) as sent:
        assert not sent.is_alone
        assert (sent.note is not None) == is_told
    choice = TrackChoice(number=1)
    with (
        pytest.raises(UsageError, match="--audio-track needs PyAV"),
        opened(str(path)) as upload,
        audio_alone(upload, "film.mp4", choice),
    ):
        pass


@pytest.mark.system
def test_no_room_for_the_copy(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy cannot be written, the error says so and what needs no room; no file is left behind."""
    path = video()
    folder = path.parent / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be copied into") as caught:
            alone(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "--whole-file" in (caught.value.hint or "")
    assert not list(folder.iterdir())


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="there a file that is open has a name")
def test_no_file_is_left_behind(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy has no name while it is sent: nothing is left of it whatever ends the process."""
    path = video()
    folder = path.parent / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with opened(str(path)) as upload, audio_alone(upload, "film", TrackChoice()) as sent:
        assert sent.is_alone
        assert not list(folder.iterdir())


@pytest.mark.system
def test_command(dg: Run, server: ScriptedServer, video: Video) -> None:
    """`dg file` sends the track and says so in one line; --whole-file sends the file."""
    path = video()
    env = {"DEEPGRAM_API_KEY": "key"}
    result = dg("file", path, "--base-url", server.url, env=env)
    whole = path.read_bytes()
    sent = server.seen[0].body
    line = f"Sends the audio track alone: {in_units(len(sent))} of {in_units(len(whole))}; --whole-file sends all."
    assert line in result.stderr.decode()
    assert server.seen[0].headers["content-type"] == "audio/mp4"
    assert len(sent) < len(whole) / 2
    dg("file", path, "--base-url", server.url, "--whole-file", env=env)
    assert server.seen[1].body == whole


@pytest.mark.system
def test_cache_and_batch_know_the_file(dg: Run, server: ScriptedServer, video: Video) -> None:
    """History, --cache and the ledger keep the hash of the video: it is not sent again, but for another track."""
    path = video("mkv", tracks=2)
    env = {"DEEPGRAM_API_KEY": "key"}
    own = ("--base-url", server.url)
    dg("file", path, "--cache", *own, env=env)
    copy = path.with_name("renamed.mkv")
    shutil.copy(path, copy)
    again = dg("file", copy, "--cache", *own, env=env)
    assert (len(server.seen), again.returncode) == (1, 0)
    assert b"Sends" not in again.stderr
    dg("file", path, "--cache", "--audio-track", "2", *own, env=env)
    assert len(server.seen) == 2
    folder = path.parent / "out"
    report = path.parent / "report.jsonl"
    taken = "Of it audio track 1 (eng) of 2 was sent; --audio-track N takes another."
    for count, notes in ((3, [taken]), (3, []), (4, [])):
        more = ("--audio-track", "2") if count == 4 else ()
        result = dg("file", path, "--output-dir", folder, "--report", report, *more, *own, env=env)
        assert result.returncode == 0
        assert len(server.seen) == count
        assert json.loads(report.read_bytes())["notes"] == notes
        assert (taken.encode() in result.stderr) == bool(notes)
        os.utime(path)  # only its bytes tell that it is the same
    assert hashlib.sha256(path.read_bytes()).hexdigest() in _ledger(folder)
    assert b"film" in dg("history").stdout


def _ledger(folder: Path) -> str:
    """All that a batch has noted."""
    return "".join(
        file.read_bytes().decode("utf-8", "replace") for file in folder.rglob("*") if file.is_file()
    )


def test_units() -> None:
    """Numbers of bytes are told as people write them."""
    assert [in_units(count) for count in (30_000_000, 1_000_000_000, 1_400_000, 179_000)] == [
        "30 MB", "1.0 GB", "1.4 MB", "179 kB",
    ]  # fmt: skip


def test_track_module_knows_its_codecs() -> None:
    """Every codec with an encoder of silence has a container of its own."""
    assert set(track._ENCODERS) <= set(track._CONTAINERS)


class _Failing(io.FileIO):
    """A file whose disk fails at its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > Path(str(self.name)).stat().st_size * 0.7:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(-1 if size is None else size)


@pytest.mark.system
def test_a_disk_that_fails_leaves_no_half_copy(video: Video) -> None:
    """An error while a video is read is told: what came so far does not pass for its sound."""
    path = video("mkv", bits="16M")
    with _Failing(path) as file:
        upload = Upload(cast(BinaryIO, file), path.stat().st_size, "video/webm")
        sending = audio_alone(upload, "film", TrackChoice())
        with pytest.raises(AudioError, match="cannot be read: Input/output error"):
            sending.__enter__()


def test_an_interrupted_wait_ends_the_work() -> None:
    """What interrupts whoever waits ends the thread, whose files fail from then on, and is raised."""

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            begun.set()
            return bytes(size or 0)

    def work() -> None:
        try:
            while file.read(10):
                pass
        finally:
            ended.set()

    def interrupt() -> None:
        begun.wait(HANGS_AFTER)
        os.kill(os.getpid(), signal.SIGINT)

    begun, ended = threading.Event(), threading.Event()
    file = WatchedFile(Endless())
    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        in_thread(work, [file])
    interrupting.join()
    assert ended.is_set()
    assert isinstance(file.error, InterruptedError)
