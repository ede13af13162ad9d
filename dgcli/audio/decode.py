"""Any container that FFmpeg knows, as linear16: through PyAV, which comes with the extra `media`."""

import weakref
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Protocol

from dgcli.audio.base import AudioFormat, block_bytes
from dgcli.errors import AudioError

# A damaged packet is left out, as players do; so many without a sound between them are no audio any more.
_BAD_PACKETS = 50
# Containers that name other files: FFmpeg would open what a stranger chose, on this machine or its network.
_REFERRING = frozenset({"hls", "concat", "dash", "sdp", "rtsp", "imf", "webm_dash_manifest", "applehttp"})


class Readable(Protocol):
    """A file object that FFmpeg reads; `seek` and `tell` are used where it has them."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def available() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None


def install_hint() -> str:
    """What to do where it is not."""
    from dgcli.extras import install_command

    return f"Install the decoder: {install_command('media')}"


def decrypted(data: bytes, key: str, vector: str) -> bytes:
    """Decrypt AES-128-CBC with padding (RFC 8216, 4.3.2.4); key and vector in hex. Raises `AudioError`.

    FFmpeg does it, on what is handed to it in the name of the source: it opens nothing.
    """
    import av

    source = "crypto:data:application/octet-stream;base64," + b64encode(data).decode()
    options = {"key": key, "iv": vector, "protocol_whitelist": "crypto,data"}
    try:
        with av.open(source, format="data", options=options) as container:
            return b"".join(bytes(packet) for packet in container.demux())
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"A part of the audio cannot be decrypted: {_why(error)}.") from None


class Opener(Protocol):
    """Opens what a playlist names, by URL, and raises nothing."""

    def open(self, url: str, flags: int, options: Mapping[str, str]) -> Readable:
        """Open a URL for reading; what cannot be had is empty."""


class Decoder:
    """The first audio stream of a container, decoded at its own sample rate and channels.

    `name` is for messages. `like` is a format that must be kept to: what comes after a reconnect is
    resampled to what came before; `container` is FFmpeg's name of a container that need not be guessed.
    FFmpeg opens nothing but the source, and a playlist only with an `opener` for what it names.
    Raises `AudioError` for what FFmpeg cannot read.
    """

    def __init__(
        self,
        source: str | Readable,
        name: str,
        *,
        like: AudioFormat | None = None,
        container: str | None = None,
        options: dict[str, str] | None = None,
        opener: Opener | None = None,
    ) -> None:
        import av

        self._name = name
        self._container: Any = None
        # A file is opened by us: where FFmpeg may open files, a playlist names it others.
        self._file: IO[bytes] | None = None
        try:
            if isinstance(source, str) and opener is None:
                self._file = Path(source).open("rb")  # noqa: SIM115 - `close` does
                weakref.finalize(self, self._file.close)  # where nobody asks for the blocks
            self._container = av.open(
                self._file or source,
                mode="r",
                format=container,
                options={**(options or {}), "protocol_whitelist": "pipe"},
                io_open=opener.open if opener else None,
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            self.close()
            raise AudioError(f"{name} is no audio that can be decoded: {_why(error)}.") from error
        if opener is None and _REFERRING & set(self._container.format.name.split(",")):
            self.close()
            raise AudioError(f"{name} is a list of other files, not audio.", hint="Name the audio itself.")
        streams = self._container.streams.audio
        if not streams or not streams[0].codec_context:
            self.close()
            raise AudioError(f"There is no audio stream in {name}.")
        self._stream = streams[0]
        context = self._stream.codec_context
        rate = like.sample_rate if like else context.sample_rate
        channels = like.channels if like else context.channels
        if not rate or not channels:
            self.close()
            raise AudioError(f"The audio stream of {name} does not say its sample rate.")
        self.format = AudioFormat("linear16", rate, channels, ".wav")
        layouts = {1: "mono", 2: "stereo"}
        self._resampler = av.AudioResampler(
            format="s16", layout=layouts.get(channels) or context.layout, rate=rate
        )
        self.duration = self._length()

    def _length(self) -> float | None:
        """Seconds of audio, where the container or the stream says so."""
        import av

        stream: Any = self._stream
        whole, own = self._container.duration, stream.duration
        if whole and whole > 0:
            return float(whole / av.time_base)
        return float(own * stream.time_base) if own and own > 0 else None

    def _samples(self, frame: Any) -> bytes:
        """A decoded frame, or None for what the resampler still holds, as interleaved samples."""
        frames = self._resampler.resample(frame)
        # A plane is padded to what the processor likes: only its beginning is sound.
        return b"".join(
            bytes(memoryview(out.planes[0])[: out.samples * self.format.channels * 2]) for out in frames
        )

    def _decoded(self) -> Iterator[bytes]:
        import av

        bad = 0
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                bad += 1
                if bad > _BAD_PACKETS:
                    raise
                continue
            for frame in frames:
                bad = 0
                yield self._samples(frame)
        yield self._samples(None)

    def blocks(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """The audio in blocks of 100 ms. Raises `AudioError` where it cannot be read any further."""
        import av

        size = block_bytes(self.format)
        waiting = bytearray()
        try:
            for samples in self._decoded():
                if stopped():
                    return
                waiting += samples
                while len(waiting) >= size:
                    yield bytes(waiting[:size])
                    del waiting[:size]
        except (av.FFmpegError, OSError, ValueError) as error:
            if waiting:
                yield bytes(waiting)
            raise AudioError(f"Decoding {self._name} failed: {_why(error)}.") from error
        finally:
            self.close()
        if waiting:
            yield bytes(waiting)

    def close(self) -> None:
        """Close the container, and the file if it was opened here."""
        with suppress(Exception):  # nothing is lost when a demuxer fails to clean up
            if self._container is not None:
                self._container.close()
        if self._file is not None:
            self._file.close()


def _why(error: BaseException) -> str:
    """FFmpeg's sentence without its number and file name."""
    text = getattr(error, "strerror", None) or str(error)
    return text.rstrip(".")
