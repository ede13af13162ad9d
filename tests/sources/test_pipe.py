"""Pipes as a source."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dgcli.audio import open_source
from dgcli.audio.base import AudioFormat, Pace
from dgcli.audio.stdin import PipeSource
from dgcli.errors import AudioError
from tests.sources.conftest import RATE, read_all, tone, wav


class Pipe:
    """Both ends of a pipe; the writing end on a thread where data may fill it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def write(self, data: bytes) -> None:
        """Write into the pipe, which must have room."""
        os.write(self.writer, data)

    def feed(self, data: bytes, piece: int = 1000) -> None:
        """Write everything in pieces, then close."""

        def run() -> None:
            for start in range(0, len(data), piece):
                os.write(self.writer, data[start : start + piece])
            self.end()

        threading.Thread(target=run, daemon=True).start()

    def end(self) -> None:
        """Close the writing end."""
        with suppress(OSError):
            os.close(self.writer)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe that stands for standard input."""
    made = Pipe()
    yield made
    made.end()


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_wav_header_is_stripped(pipe: Pipe, piece: int) -> None:
    """Of a streamed WAV the samples arrive and nothing else, whatever pieces it comes in."""
    samples = tone(0.2, channels=2)
    pipe.feed(wav(samples, channels=2, data_size=0xFFFFFFFF), piece)
    source = PipeSource(descriptor=pipe.reader)
    assert source.open() == AudioFormat("linear16", RATE, 2, ".wav")
    assert source.pace is Pace.CAPPED
    assert read_all(source)[0] == samples


def test_what_follows_the_samples_is_left_out(pipe: Pipe) -> None:
    """A LIST chunk behind the data of a known length is not sent as sound."""
    pipe.feed(wav(tone(0.1)) + b"LIST\4\0\0\0abcd")
    source = PipeSource(descriptor=pipe.reader)
    source.open()
    assert read_all(source)[0] == tone(0.1)


@pytest.mark.parametrize(("kind", "encoding"), [(7, "mulaw"), (6, "alaw")])
def test_telephone_encodings_stay_what_they_are(pipe: Pipe, kind: int, encoding: str) -> None:
    """mulaw and alaw are sent under their own name."""
    pipe.feed(wav(bytes(range(200)), kind=kind, bits=8, rate=8000))
    source = PipeSource(descriptor=pipe.reader)
    assert source.open().encoding == encoding
    assert read_all(source)[0] == bytes(range(200))


def test_raw_samples_are_cut_at_whole_frames(pipe: Pipe) -> None:
    """A reader never gets half a sample, even where the writer wrote one."""
    pipe.feed(tone(0.3, channels=2) + b"\1", 333)
    source = PipeSource(AudioFormat("linear16", RATE, 2), descriptor=pipe.reader)
    source.open()
    blocks = [block for block in source.blocks() if isinstance(block, bytes)]
    assert all(len(block) % 4 == 0 for block in blocks)
    assert b"".join(blocks) == tone(0.3, channels=2)


def test_other_containers_pass_through(pipe: Pipe) -> None:
    """An Ogg stream goes out byte for byte, under its own suffix."""
    data = b"OggS" + bytes(range(256)) * 30
    pipe.feed(data)
    source = PipeSource(descriptor=pipe.reader)
    assert source.open() == AudioFormat(suffix=".ogg")
    assert read_all(source) == (data, [])


def test_unknown_bytes_get_a_warning(pipe: Pipe) -> None:
    """Raw samples without --encoding are passed on, but said to need it."""
    pipe.feed(bytes(4000))
    source = PipeSource(descriptor=pipe.reader)
    source.open()
    audio, notices = read_all(source)
    assert len(audio) == 4000
    assert "--encoding linear16" in notices[0].message


def test_nothing_on_the_pipe_is_an_error(pipe: Pipe) -> None:
    """An empty standard input ends with an AudioError and an example."""
    pipe.end()
    with pytest.raises(AudioError, match="Nothing came") as caught:
        PipeSource(descriptor=pipe.reader).open()
    assert "arecord" in (caught.value.hint or "")


def test_audio_is_handed_on_while_the_writer_pauses(pipe: Pipe) -> None:
    """What was written is there at once: no read waits for a full block."""
    source = PipeSource(AudioFormat("linear16", RATE), descriptor=pipe.reader)
    pipe.write(tone(0.05))
    source.open()
    blocks = source.blocks()
    assert next(blocks) == tone(0.05)
    pipe.write(tone(0.02))
    assert next(blocks) == tone(0.02)


def test_stop_does_not_wait_for_a_silent_writer(pipe: Pipe) -> None:
    """stop() ends a read that would wait for ever, well within a second."""
    source = PipeSource(AudioFormat("linear16", RATE), descriptor=pipe.reader)
    pipe.write(tone(0.05))
    source.open()
    blocks = source.blocks()
    next(blocks)
    threading.Timer(0.05, source.stop).start()
    begun = time.monotonic()
    assert list(blocks) == []
    assert time.monotonic() - begun < 1


def test_stop_ends_the_wait_for_the_first_byte(pipe: Pipe) -> None:
    """Ctrl-C before anything came does not hang in open()."""
    source = PipeSource(descriptor=pipe.reader)
    threading.Timer(0.05, source.stop).start()
    with pytest.raises(AudioError):
        source.open()


def test_the_writer_is_held_back(pipe: Pipe) -> None:
    """A pipe that is fuller than needed is not read into memory."""
    read = 0
    source = PipeSource(AudioFormat("linear16", RATE), descriptor=pipe.reader)
    os.set_blocking(pipe.writer, False)
    chunk = bytes(4096)

    def fill() -> int:
        done = 0
        with suppress(BlockingIOError):
            while done < 10_000_000:
                done += os.write(pipe.writer, chunk)
        return done

    read += fill()
    source.open()
    blocks = source.blocks()
    next(blocks)
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        read += fill()
    assert read < 64 * 1024 + 12 * RATE // 10 * 2 + 8192
    source.stop()


def test_a_named_pipe_is_a_pipe(tmp_path: Path) -> None:
    """A fifo as the argument is read as a stream: `dg live <(ffmpeg ...)`."""
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def feed() -> None:
        with path.open("wb") as file:
            file.write(wav(tone(0.1), data_size=0))

    threading.Thread(target=feed, daemon=True).start()
    source = open_source(str(path))
    assert source.open().sample_rate == RATE
    assert read_all(source)[0] == tone(0.1)
