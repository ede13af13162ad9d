"""Audio of a live stream, decoded while it arrives.

Raw samples are expanded here; everything with a header goes through PyAV, which pulls from the feed. A
feed waits for data, so this runs in a worker process or a thread, never in the event loop.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain
from typing import Any, Protocol

import av
import numpy as np

from dgcli.server.decode import REFERRING, SAMPLE_BYTES, check_rate, expand
from dgcli.server.engines.base import LiveAudio, NotAudioError

_RAW_BLOCK = 1 << 15  # bytes read at once
# What may be read before the kind of audio must be clear. A text or noise is refused after so much.
_PROBE_BYTES = 1 << 15
_PATIENCE = 1 << 19  # bytes of a container that may pass without one decoded frame
_FORMATS = {"flac": "flac", "ogg-opus": "ogg", "amr-nb": "amrnb", "amr-wb": "amrwb", "g729": "g729"}
_OPUS_RATE = 48_000  # Hz: what Opus decodes to, whatever was put in (RFC 6716)

Block = tuple[int, Any]  # sample rate in Hz, frames x channels of float32


class Feed(Protocol):
    """Where the bytes of a stream come from."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, waiting for the first; nothing at the end."""

    def message(self) -> bytes:
        """Return the rest of the message that is being read, or the next; nothing at the end."""


class _Counting:
    """What PyAV reads from: the feed, and how much it gave."""

    def __init__(self, feed: Feed, first: bytes) -> None:
        self._feed = feed
        self._first = first
        self.count = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
        else:
            data = self._feed.read(size)
        self.ended = not data
        self.count += len(data)
        return data


def _raw(feed: Feed, audio: LiveAudio, encoding: str) -> Iterator[Block]:
    assert audio.sample_rate is not None
    frame = SAMPLE_BYTES[encoding] * audio.channels
    rest = b""
    while data := feed.read(_RAW_BLOCK):
        data = rest + data
        whole = len(data) // frame * frame
        rest = data[whole:]
        if whole:
            yield audio.sample_rate, expand(data[:whole], encoding).reshape(-1, audio.channels)


def _packets(feed: Feed, first: bytes, channels: int) -> Iterator[Block]:
    """Decode Opus that is not in Ogg: each message is one packet."""
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = _OPUS_RATE
    decoder.layout = "stereo" if channels == 2 else "mono"
    packet = first
    while packet:
        try:
            frames = decoder.decode(av.Packet(packet))
        except av.FFmpegError as error:
            raise NotAudioError from error
        yield from _plain(frames, {})
        packet = feed.message()


def _plain(frames: Any, resamplers: dict[Any, Any]) -> Iterator[Block]:
    """Turn frames of any sample format into interleaved float32."""
    for frame in frames:
        key = (frame.format.name, frame.layout.name, frame.sample_rate)
        if key not in resamplers:
            resamplers.clear()
            resamplers[key] = av.AudioResampler(format="flt", rate=frame.sample_rate)
        channels = frame.layout.nb_channels
        for plain in resamplers[key].resample(frame):
            yield frame.sample_rate, plain.to_ndarray().reshape(-1, channels)


def _container(source: _Counting, encoding: str | None) -> Iterator[Block]:
    resamplers: dict[Any, Any] = {}
    silent_until = _PATIENCE
    try:
        container: Any = av.open(
            source,
            format=_FORMATS.get(encoding or ""),
            options={
                "formatprobesize": str(_PROBE_BYTES),
                "probesize": str(_PROBE_BYTES),
                "analyzeduration": "500000",  # microseconds
                "protocol_whitelist": "pipe",
            },
            buffer_size=4096,
        )
        with closing(container):
            if REFERRING & set(container.format.name.split(",")) or not container.streams.audio:
                raise NotAudioError
            for packet in container.demux(container.streams.audio[0]):
                # A damaged packet costs its own words, unless nothing was ever fit to be decoded.
                with suppress(av.error.InvalidDataError):
                    for block in _plain(packet.decode(), resamplers):
                        silent_until = source.count + _PATIENCE
                        yield block
                if source.count > silent_until:
                    raise NotAudioError
    except (av.FFmpegError, ValueError) as error:
        # Once the feed has ended, too little audio is no different from none.
        if not source.ended:
            raise NotAudioError from error


def blocks(feed: Feed, audio: LiveAudio) -> Iterator[Block]:
    """Yield blocks of samples as they can be decoded. Raises NotAudioError."""
    if audio.encoding in SAMPLE_BYTES:
        yield from _raw(feed, audio, audio.encoding)
        return
    first = feed.message()
    if audio.encoding == "opus" and first and not first.startswith(b"OggS"):
        yield from _packets(feed, first, audio.channels)
        return
    yield from _container(_Counting(feed, first), audio.encoding)


def tracks(decoded: Iterator[Block], rate: int, *, multichannel: bool) -> Iterator[Any]:
    """Resample blocks to `rate` and mix them down; yields frames x channels of float32."""
    import soxr

    resampler: Any = None
    state: tuple[int, int] | None = None
    for source_rate, block in chain(decoded, [(0, None)]):
        if block is None:
            if resampler is not None and state is not None:
                yield resampler.resample_chunk(np.zeros((0, state[1]), np.float32), last=True)
            return
        mixed = block if multichannel else block.mean(axis=1, keepdims=True)
        if state is None:
            check_rate(source_rate)
            state = (source_rate, mixed.shape[1])
            resampler = soxr.ResampleStream(source_rate, rate, state[1], dtype="float32", quality="MQ")
        elif state != (source_rate, mixed.shape[1]):
            raise NotAudioError  # a stream that changes its shape half-way
        yield resampler.resample_chunk(np.ascontiguousarray(mixed, np.float32))
