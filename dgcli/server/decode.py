"""Any audio into 16 kHz samples, block by block: memory stays flat whatever the length, and nothing is on disk.

Runs in processes of its own: the codecs are native code that meets whatever a client sends, and numpy, PyAV
and soxr cost start-up time.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
import soxr

from dgcli.server.engines.base import RATE, Audio, NotAudioError, TooLongError

_BLOCK = 1 << 16  # frames per block
SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "alaw": 1, "mulaw": 1}
# Demuxers that open other files or addresses named in the input: a client could read this machine with them.
REFERRING = {"hls", "concat", "dash", "sdp", "rtsp", "imf", "webm_dash_manifest"}

Blocks = Iterator[Any]  # numpy arrays of float32, frames x channels, -1..1


@dataclass(frozen=True, slots=True)
class _Recording:
    """An open recording: its sample rate in Hz, its length in seconds where it tells, and its blocks."""

    rate: int
    seconds: float | None
    blocks: Blocks


def expand(raw: bytes, encoding: str) -> Any:
    """Decode headerless samples to float32 in -1..1."""
    if encoding == "linear16":
        return np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    if encoding == "linear32":
        return np.nan_to_num(np.frombuffer(raw, "<f4"))
    codes = np.arange(256)
    if encoding == "mulaw":  # ITU-T G.711
        inverted = ~codes & 0xFF
        magnitude = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
        table = np.where(inverted & 0x80, -magnitude, magnitude)
    else:
        toggled = codes ^ 0x55
        segment = (toggled & 0x70) >> 4
        mantissa = (toggled & 0x0F) << 4
        magnitude = np.where(segment == 0, mantissa + 8, mantissa + 0x108 << np.maximum(segment - 1, 0))
        table = np.where(toggled & 0x80, magnitude, -magnitude)
    return (table.astype(np.float32) / 32768)[np.frombuffer(raw, np.uint8)]


_UNKNOWN = 1 << 60  # frames: what libsndfile says (SF_COUNT_MAX) where a header does not tell


def _raw(path: Path, encoding: str, rate: int, channels: int) -> _Recording:
    frame = SAMPLE_BYTES[encoding] * channels

    def blocks() -> Blocks:
        with path.open("rb") as file:
            while block := file.read(_BLOCK * frame):
                whole = len(block) // frame * frame
                yield expand(block[:whole], encoding).reshape(-1, channels)

    return _Recording(rate, path.stat().st_size / frame / rate, blocks())


def _soundfile(path: Path) -> _Recording:
    sound = soundfile.SoundFile(path)
    if sound.frames >= _UNKNOWN:
        # A recorder was killed: libsndfile fails on the frame that was left unfinished.
        sound.close()
        raise soundfile.SoundFileRuntimeError("It does not say how long it is.")

    def blocks() -> Blocks:
        with sound:
            yield from sound.blocks(_BLOCK, dtype="float32", always_2d=True)

    return _Recording(sound.samplerate, sound.frames / sound.samplerate, blocks())


def _pyav(path: Path) -> _Recording:
    # Opened by us: where FFmpeg may open files, a playlist names it others.
    file = path.open("rb")
    try:
        container = av.open(file, mode="r", options={"protocol_whitelist": "pipe"})
    except BaseException:
        file.close()
        raise
    stream = next(iter(container.streams.audio), None)
    if stream is None or not stream.rate or REFERRING & set(container.format.name.split(",")):
        container.close()
        file.close()
        raise NotAudioError
    rate = stream.rate
    resampler = av.AudioResampler(format="flt", rate=rate)

    zero = (container.start_time or 0) / 1_000_000  # microseconds

    def silence(seconds: float, channels: int) -> Blocks:
        """Yield what is not there before a sound that begins later than the video: times count from its beginning."""
        left = round(seconds * rate)
        while left > 0:
            yield np.zeros((min(left, _BLOCK), channels), np.float32)
            left -= _BLOCK

    def blocks() -> Blocks:
        layout = None
        with file, container:
            for packet in container.demux(stream):
                # A damaged packet costs its own words, not the rest of the recording.
                with suppress(av.error.InvalidDataError):
                    for frame in packet.decode():
                        if layout is None:
                            layout = frame.layout.nb_channels
                            yield from silence((frame.time or 0.0) - zero, layout)
                        for plain in resampler.resample(frame):
                            yield plain.to_ndarray().reshape(-1, layout)

    seconds = container.duration / 1_000_000 if container.duration else None  # microseconds
    return _Recording(rate, seconds, blocks())


def check_rate(rate: int) -> None:
    """Raise NotAudioError for a sample rate (Hz) that no speech was ever recorded with."""
    if not 1000 <= rate <= 768_000:
        raise NotAudioError


def _open(audio: Audio) -> _Recording:
    if audio.encoding in SAMPLE_BYTES:
        if audio.sample_rate is None:
            raise NotAudioError
        return _raw(audio.path, audio.encoding, audio.sample_rate, audio.channels)
    try:
        return _soundfile(audio.path)
    except soundfile.SoundFileError:
        pass
    try:
        return _pyav(audio.path)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NotAudioError from error


@dataclass(frozen=True, slots=True)
class Decoded:
    """A block of decoded audio: frames x channels of float32 at RATE.

    `until` is where it ends in seconds of the source, `share` (0-1) how much of that has passed, None where
    the source does not tell its length.
    """

    samples: Any
    until: float
    share: float | None


def decoded(audio: Audio, max_seconds: float) -> Iterator[Decoded]:
    """Decode `audio` block by block: mixed down, or channel by channel with `multichannel`.

    Raises NotAudioError when nothing can be decoded, TooLongError after `max_seconds` of it.
    """
    source = _open(audio)
    check_rate(source.rate)
    resampler: Any = None
    frames = 0
    try:
        for block in source.blocks:
            frames += len(block)
            if frames > max_seconds * source.rate:
                raise TooLongError
            mixed = block if audio.multichannel else block.mean(axis=1, keepdims=True)
            if resampler is None:
                resampler = soxr.ResampleStream(source.rate, RATE, mixed.shape[1], dtype="float32")
            samples = resampler.resample_chunk(np.ascontiguousarray(mixed, np.float32))
            until = frames / source.rate
            yield Decoded(samples, until, min(until / source.seconds, 1.0) if source.seconds else None)
        if not frames:
            raise NotAudioError
        rest = np.zeros((0, mixed.shape[1]), np.float32)
        yield Decoded(resampler.resample_chunk(rest, last=True), frames / source.rate, 1.0)
    except (soundfile.SoundFileError, av.FFmpegError, ValueError) as error:
        raise NotAudioError from error
