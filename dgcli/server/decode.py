"""Any audio into 16 kHz 16-bit PCM on disk, one file per channel, with the quiet places to cut it at.

Runs in the worker processes: the codecs are native code that meets whatever a client sends, and numpy,
PyAV and soxr cost start-up time. Memory stays flat whatever the length.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
import soxr

from dgcli.server.engines.base import RATE, Audio, NotAudioError

_BLOCK = 1 << 16  # frames per block
SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "alaw": 1, "mulaw": 1}
# Demuxers that open other files or addresses named in the input: a client could read this machine with them.
REFERRING = {"hls", "concat", "dash", "sdp", "rtsp", "imf", "webm_dash_manifest"}
_FRAME = RATE // 100  # samples in 10 ms, the grain at which loudness is looked at
_QUIET = 30  # frames: a cut wants 0.3 s of quiet around it
_PIECE = 15.0  # seconds: shorter pieces cost words at the cuts (benchmarks/recogniser.py)
_SWAY = 0.25  # how far a cut may move from even spacing, as a share of the spacing

Blocks = Iterator[Any]  # numpy arrays of float32, frames x channels, -1..1


@dataclass(frozen=True)
class Track:
    """One channel on disk: raw 16-bit little-endian PCM of RATE; `cuts` are sample positions."""

    path: Path
    samples: int
    cuts: Sequence[int]


@dataclass(frozen=True)
class Decoded:
    """Decoded audio: the duration in seconds and a track per channel that is recognised."""

    duration: float
    tracks: Sequence[Track]


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


def _raw(path: Path, encoding: str, channels: int) -> Blocks:
    frame = SAMPLE_BYTES[encoding] * channels
    with path.open("rb") as file:
        while block := file.read(_BLOCK * frame):
            whole = len(block) // frame * frame
            yield expand(block[:whole], encoding).reshape(-1, channels)


def _soundfile(path: Path) -> tuple[int, Blocks]:
    sound = soundfile.SoundFile(path)
    if sound.frames >= _UNKNOWN:
        # A recorder was killed: libsndfile fails on the frame that was left unfinished.
        sound.close()
        raise soundfile.SoundFileRuntimeError("It does not say how long it is.")

    def blocks() -> Blocks:
        with sound:
            yield from sound.blocks(_BLOCK, dtype="float32", always_2d=True)

    return sound.samplerate, blocks()


def _pyav(path: Path) -> tuple[int, Blocks]:
    container = av.open(str(path), options={"protocol_whitelist": "file"})
    if REFERRING & set(container.format.name.split(",")) or not container.streams.audio:
        container.close()
        raise NotAudioError
    stream = container.streams.audio[0]
    rate = stream.rate
    if not rate:
        container.close()
        raise NotAudioError
    resampler = av.AudioResampler(format="flt", rate=rate)

    def blocks() -> Blocks:
        layout = None
        with container:
            for packet in container.demux(stream):
                # A damaged packet costs its own words, not the rest of the recording.
                with suppress(av.error.InvalidDataError):
                    for frame in packet.decode():
                        layout = layout or frame.layout.nb_channels
                        for plain in resampler.resample(frame):
                            yield plain.to_ndarray().reshape(-1, layout)

    return rate, blocks()


def check_rate(rate: int) -> None:
    """Raise NotAudioError for a sample rate (Hz) that no speech was ever recorded with."""
    if not 1000 <= rate <= 768_000:
        raise NotAudioError


def _open(audio: Audio) -> tuple[int, Blocks]:
    """Return the sample rate and the blocks of frames x channels."""
    if audio.encoding in SAMPLE_BYTES:
        if audio.sample_rate is None:
            raise NotAudioError
        return audio.sample_rate, _raw(audio.path, audio.encoding, audio.channels)
    try:
        return _soundfile(audio.path)
    except soundfile.SoundFileError:
        pass
    try:
        return _pyav(audio.path)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NotAudioError from error


def pcm(samples: Any) -> bytes:
    """Return float32 samples of -1..1 as 16-bit little-endian PCM."""
    return bytes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def cuts(loudness: Any, pieces: int) -> list[int]:
    """Return the frames (10 ms) at which to cut, each in the middle of the quietest 0.3 s nearby."""
    if pieces < 2:
        return []
    smooth = np.convolve(loudness, np.ones(_QUIET) / _QUIET, "same")
    step = len(smooth) / pieces
    found = []
    for number in range(1, pieces):
        low = int(step * (number - _SWAY))
        high = int(step * (number + _SWAY))
        found.append(low + int(np.argmin(smooth[low:high])))
    return found


def pieces_of(seconds: float, piece: float = _PIECE) -> int:
    """Return into how many pieces audio of that length is cut."""
    return max(1, -(-int(seconds * 100) // int(piece * 100)))


class _TrackWriter:
    """Writes one channel and measures its loudness."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = 0
        self._file = path.open("wb")
        self._rest = np.zeros(0, np.float32)
        self._loudness: list[Any] = []

    def write(self, samples: Any) -> None:
        self._file.write(pcm(samples))
        self.samples += len(samples)
        both = np.concatenate([self._rest, samples])
        whole = len(both) // _FRAME * _FRAME
        self._loudness.append((both[:whole].reshape(-1, _FRAME) ** 2).mean(axis=1))
        self._rest = both[whole:]

    def close(self) -> Track:
        self._file.close()
        loudness = np.concatenate(self._loudness) if self._loudness else np.zeros(0)
        positions = cuts(loudness, pieces_of(self.samples / RATE))
        return Track(self.path, self.samples, [position * _FRAME for position in positions])


def decode(audio: Audio, folder: Path) -> Decoded:
    """Decode `audio` into tracks in `folder`: one mixed down, or one per channel with `multichannel`.

    Raises NotAudioError when nothing can be decoded.
    """
    rate, blocks = _open(audio)
    check_rate(rate)
    try:
        first = next(blocks, None)
        if first is None:
            raise NotAudioError
        channels = first.shape[1] if audio.multichannel else 1
        resampler = soxr.ResampleStream(rate, RATE, channels, dtype="float32")
        writers = [_TrackWriter(folder / f"track-{number}.pcm") for number in range(channels)]
        frames = 0
        for block in chain([first], blocks):
            frames += len(block)
            mixed = block if audio.multichannel else block.mean(axis=1, keepdims=True)
            resampled = resampler.resample_chunk(np.ascontiguousarray(mixed, np.float32))
            for number, writer in enumerate(writers):
                writer.write(resampled[:, number])
        rest = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        for number, writer in enumerate(writers):
            writer.write(rest[:, number])
    except (soundfile.SoundFileError, av.FFmpegError) as error:
        raise NotAudioError from error
    if not frames:
        raise NotAudioError
    return Decoded(frames / rate, [writer.close() for writer in writers])
