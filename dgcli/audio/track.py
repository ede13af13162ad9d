"""The audio track of a video, copied into a file of its own: packets as they are, nothing is encoded again.

The copy keeps the video's zero. Where the sound begins later, silent packets of the same codec come first, since
containers that can hold an offset are read by programs that pass over it. A copy lies in an unnamed temporary file,
which the system takes away whatever ends the process.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from dgcli.audio.upload import MAX_UPLOAD, Upload, check_size
from dgcli.audio.watched import WatchedFile, in_thread
from dgcli.errors import AudioError, OutputError, UsageError

_SHARE = 0.5  # of the bytes, at most: a copy that is larger saves too little
_HINT_FROM = (
    100_000_000  # bytes of a video, from which it is worth telling that it could go without its pictures
)
_HEARD = 0.02  # seconds: an earlier beginning is nothing that anybody notices
_BUFFER = 1 << 20
_LATEST = 3600.0  # seconds: a later beginning is no reason to make silence
_MOST_PADDING = 64 << 20  # bytes of silence, which are held in memory
_DEFAULT, _ATTACHED_PICTURE = 1, 1 << 10  # AV_DISPOSITION_...

# FFmpeg's muxer for each codec, and the media type. The others go into Matroska, which takes all of them.
_CONTAINERS = MappingProxyType(
    {
        "aac": ("ipod", "audio/mp4"),
        "alac": ("ipod", "audio/mp4"),
        "mp3": ("mp3", "audio/mpeg"),
        "ac3": ("ac3", "audio/ac3"),
        "eac3": ("eac3", "audio/eac3"),
        "opus": ("webm", "audio/webm"),
        "vorbis": ("webm", "audio/webm"),
        "flac": ("flac", "audio/flac"),
        "pcm_s16le": ("wav", "audio/wav"),
        "pcm_s24le": ("wav", "audio/wav"),
        "pcm_s32le": ("wav", "audio/wav"),
        "pcm_f32le": ("wav", "audio/wav"),
        "pcm_mulaw": ("wav", "audio/wav"),
        "pcm_alaw": ("wav", "audio/wav"),
    }
)
# MPEG program streams, Flash video, Windows Media (ASF).
_VIDEO_SIGNATURES = (b"\0\0\1\xba", b"FLV\1", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
_OTHERS = ("matroska", "audio/x-matroska")
_ENCODERS = MappingProxyType(
    {"aac": "aac", "mp3": "libmp3lame", "ac3": "ac3", "eac3": "eac3", "opus": "libopus", "alac": "alac"}
)


class TrackChoice(NamedTuple):
    """Which track is sent: the audio alone where that saves much, a certain one (from 1), or the whole file."""

    whole_file: bool = False
    number: int | None = None

    @property
    def key(self) -> str:
        """What an answer depends on besides the file and the parameters."""
        return f" audio-track={self.number}" if self.number is not None else ""


USUAL_TRACK = TrackChoice()


class ChosenAudio(NamedTuple):
    """What is uploaded of a file: all of it, or a track alone; and what people should know of that.

    `taken` names the track where there are several and nobody chose one.
    """

    upload: Upload
    is_alone: bool = False
    note: str | None = None
    warning: str | None = None
    taken: str | None = None


class _NotAlone(Exception):
    """The track is not worth a copy, or cannot have one: the whole file goes."""


def in_units(count: int) -> str:
    """Return a number of bytes as people write it."""
    for size, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= 0.95 * size:
            return f"{count / size:.{0 if count >= 9.5 * size else 1}f} {unit}"
    return f"{max(count / 1e3, 0.1):.3g} kB"


def _has_pictures(container: Any) -> bool:
    """Whether there is video in a container; the cover of an album is none."""
    return any(not stream.disposition.value & _ATTACHED_PICTURE for stream in container.streams.video)


def _said(number: int, stream: Any) -> str:
    """Name a track: its number, language and title."""
    language, title = stream.metadata.get("language", ""), stream.metadata.get("title", "")
    about = ", ".join(text for text in (language if language != "und" else "", title) if text)
    return f"{number} ({about})" if about else str(number)


def _chosen(container: Any, choice: TrackChoice, name: str) -> int:
    """Return the index of the track. Raises `UsageError` for one that there is not, `AudioError` without any."""
    streams = container.streams.audio
    if not streams:
        raise AudioError(f"There is no audio track in {name}.", hint="To send it all the same: --whole-file")
    if choice.number is not None:
        if not 1 <= choice.number <= len(streams):
            there = ", ".join(_said(number, stream) for number, stream in enumerate(streams, 1))
            raise UsageError(f"There is no audio track {choice.number} in {name}.", hint=f"There: {there}.")
        return choice.number - 1
    return next((at for at, stream in enumerate(streams) if stream.disposition.value & _DEFAULT), 0)


def _codec(stream: Any) -> str:
    """Return the codec's name, not that of its decoder."""
    name: str = stream.codec_context.codec.canonical_name
    return name


def _as_adts(packet: bytes, header: bytes) -> bytes:
    """Put an AAC packet behind a header like that of another one (ISO 14496-3, 1.A.2.2)."""
    length = len(packet) + 7
    head = bytearray(header[:7])
    head[1] |= 1  # without a checksum
    head[3] = head[3] & 0xFC | length >> 11
    head[4] = length >> 3 & 0xFF
    head[5] = (length & 7) << 5 | head[5] & 0x1F
    head[6] &= 0xFC  # a single block
    return bytes(head) + packet


def _encoded_silence(stream: Any) -> Iterator[bytes]:
    """Yield packets of silence in the stream's codec, as many as are taken. Raises what PyAV raises."""
    import av

    ours = stream.codec_context
    encoder: Any = av.CodecContext.create(_ENCODERS[_codec(stream)], "w")
    encoder.sample_rate, encoder.layout = ours.sample_rate, ours.layout
    encoder.format = encoder.codec.audio_formats[0].name
    if ours.bit_rate:
        encoder.bit_rate = ours.bit_rate
    encoder.open()
    frame = av.AudioFrame(
        format=encoder.format.name, layout=ours.layout.name, samples=encoder.frame_size or 1024
    )
    frame.sample_rate = ours.sample_rate
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    at = 0
    while True:
        frame.pts = at
        at += frame.samples
        for packet in encoder.encode(frame):
            yield bytes(packet)


def _packet_seconds(stream: Any, packets: Sequence[bytes]) -> float:
    """Decode silent packets as the stream is decoded; the seconds of each. Raises `_NotAlone` where they do not fit."""
    import av

    ours = stream.codec_context
    decoder: Any = av.CodecContext.create(ours.codec.name, "r")
    if ours.extradata:
        decoder.extradata = ours.extradata
    decoder.sample_rate, decoder.layout = ours.sample_rate, ours.layout
    frames = [frame for data in packets for frame in decoder.decode(av.Packet(data))]
    loudest = max((abs(frame.to_ndarray()).max() for frame in frames), default=1)
    if not frames or loudest > 1e-3 or {frame.sample_rate for frame in frames} != {ours.sample_rate}:
        raise _NotAlone
    if {frame.layout.nb_channels for frame in frames} != {ours.layout.nb_channels}:
        raise _NotAlone
    return float(frames[-1].samples / ours.sample_rate)


def _silence(stream: Any, first: Any, seconds: float) -> Iterator[tuple[bytes, float]]:
    """Yield silent packets, and the seconds each begins at, up to the stream's first. Raises `_NotAlone`."""
    import av

    name = _codec(stream)
    if name.startswith("pcm_"):
        quiet = {"pcm_mulaw": b"\xff", "pcm_alaw": b"\xd5", "pcm_u8": b"\x80"}.get(name, b"\0")
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.layout.nb_channels
        width = 3 if "24" in name else stream.codec_context.format.bytes if quiet == b"\0" else 1
        for at in range(0, round(seconds * rate), rate):
            yield quiet * (min(rate, round(seconds * rate) - at) * channels * width), at / rate
        return
    if name not in _ENCODERS:
        raise _NotAlone
    is_adts = name == "aac" and not stream.codec_context.extradata
    header = bytes(first)[:7] if is_adts else b""
    try:
        packets = (_as_adts(data, header) if is_adts else data for data in _encoded_silence(stream))
        # What the first packets hold is the encoder's start, not silence of full length.
        head = [next(packets) for _ in range(4)]
        length = _packet_seconds(stream, head)
        for count in range(round(seconds / length)):
            yield head[count] if count < len(head) else next(packets), count * length
    except (av.FFmpegError, ValueError, StopIteration) as error:
        raise _NotAlone from error


class _Copy:
    """The copy of one track: `source` is read, what is written to `target` may have `most` bytes."""

    def __init__(self, source: Any, stream: Any, target: WatchedFile, most: int) -> None:
        self._source = source
        self._stream = stream
        self._target = target
        self._most = most
        self._zero = (source.start_time or 0) / 1_000_000  # microseconds; as players count
        self.late = 0.0  # seconds between zero and the sound that a copy does not hold
        for other in source.streams:
            if other is not stream and hasattr(other, "discard"):  # PyAV before 15 reads all of them
                other.discard = type(other.discard).all
        self.media_type = ""

    def _padding(self, first: Any) -> list[tuple[bytes, float]]:
        """Silent packets before the first one. Raises `_NotAlone`, also for more than may be sent."""
        begin = float((first.pts or 0) * first.time_base) - self._zero
        padding: list[tuple[bytes, float]] = []
        size = 0
        if begin > _LATEST:
            raise _NotAlone
        if begin > _HEARD:
            for packet in _silence(self._stream, first, begin):
                size += len(packet[0])
                if size > self._most or size > _MOST_PADDING:
                    raise _NotAlone
                padding.append(packet)
        return padding

    def make(self, *, must: bool) -> None:
        """Write the copy; `must`: also where its beginning cannot be kept. Raises `_NotAlone`, and PyAV's errors."""
        import av

        packets = (packet for packet in self._source.demux(self._stream) if packet.size)
        first = next(packets, None)
        if first is None:
            raise _NotAlone
        padding: list[tuple[bytes, float]] = []
        try:
            padding = self._padding(first)
        except _NotAlone:
            if not must:
                raise
            self.late = float((first.pts or 0) * first.time_base) - self._zero
        muxer, self.media_type = _CONTAINERS.get(_codec(self._stream), _OTHERS)
        if _codec(self._stream) == "aac" and not self._stream.codec_context.extradata:
            muxer, self.media_type = "adts", "audio/aac"
        options = {"write_xing": "0", "id3v2_version": "0"} if muxer == "mp3" else {}
        with av.open(cast(Any, self._target), "w", format=muxer, options=options) as copy:
            stream: Any = copy.add_stream_from_template(self._stream)
            base = self._stream.time_base
            for data, begin in padding:
                silent = av.Packet(data)
                silent.time_base, silent.stream = base, stream
                silent.pts = silent.dts = round(begin / base)
                copy.mux(silent)
            shift = round(self._zero / base)
            packet: Any = first
            while packet is not None:
                if packet.pts is not None:
                    packet.pts -= shift
                if packet.dts is not None:
                    packet.dts -= shift
                packet.stream = stream
                copy.mux(packet)
                if self._target.error is not None or self._target.tell() > self._most:
                    raise _NotAlone
                packet = next(packets, None)


def _of_several(container: Any, index: int) -> str | None:
    """Name the track that is sent where there are several."""
    several = len(container.streams.audio)
    return (
        f"audio track {_said(index + 1, container.streams.audio[index])} of {several}"
        if several > 1
        else None
    )


def _note(track: str | None, sent: int, size: int) -> str:
    other = "--audio-track N takes another, " if track else ""
    track = track or "the audio track"
    return f"Sends {track} alone: {in_units(sent)} of {in_units(size)}; {other}--whole-file sends all."


def _copied(
    source: WatchedFile, size: int, name: str, choice: TrackChoice, target: WatchedFile, file: BinaryIO
) -> ChosenAudio:
    """Copy the track of `source`, which has `size` bytes, into `target`, which writes `file`.

    Raises `_NotAlone`, `AudioError`, `UsageError`, OSError and what PyAV raises.
    """
    import av

    must = choice.number is not None or size > MAX_UPLOAD
    with av.open(cast(Any, source), buffer_size=_BUFFER) as container:
        if choice.number is None and not _has_pictures(container):
            raise _NotAlone
        index = _chosen(container, choice, name)
        most = MAX_UPLOAD if must else int(size * _SHARE)
        copy = _Copy(container, container.streams.audio[index], target, most)
        copy.make(must=must)
        count = file.seek(0, 2)
        track = _of_several(container, index)
        note = _note(track, count, size)
    warning = None
    if copy.late > _HEARD:
        warning = f"The sound begins {copy.late:.2f} s into {name}: times count from there."
    taken = track if choice.number is None else None
    sent = Upload(file, count, copy.media_type)
    return ChosenAudio(sent, is_alone=True, note=note, warning=warning, taken=taken)


def _alone(upload: Upload, name: str, choice: TrackChoice, target: BinaryIO) -> ChosenAudio:
    """Copy the track into `target`. Raises `_NotAlone`, `AudioError`, `UsageError`, `OutputError`."""
    import av

    upload.file.seek(0)
    source, copy = WatchedFile(upload.file), WatchedFile(target)
    result: ChosenAudio | None = None
    failure: Exception | None = None
    try:
        result = in_thread(lambda: _copied(source, upload.size, name, choice, copy, target), (source, copy))
    except (av.FFmpegError, ValueError, OSError, _NotAlone) as error:
        failure = error
    if source.error is not None:  # FFmpeg may have taken it for the end
        raise AudioError(f"{name} cannot be read: {source.error.strerror}.") from source.error
    full = copy.error or (
        failure if isinstance(failure, OSError) and not isinstance(failure, av.FFmpegError) else None
    )
    if full is not None:
        raise OutputError(
            f"The audio track of {name} cannot be copied into {tempfile.gettempdir()}: {full.strerror}.",
            hint="--whole-file needs no room; TMPDIR=FOLDER names another place.",
        ) from full
    if result is not None:
        return result
    if choice.number is not None:
        raise AudioError(
            f"The audio track of {name} cannot be copied: {failure}.", hint="--whole-file sends all of it."
        ) from failure
    raise _NotAlone from failure


def _is_video(upload: Upload) -> bool:
    """Whether a file is a container that may hold video, by its name or its first bytes."""
    if upload.media_type.startswith("video/"):
        return True
    upload.file.seek(0)
    head = upload.file.read(400)
    is_stream = head[:1] == b"G" and head[188:189] == b"G" == head[376:377]  # packets of ISO 13818-1
    return is_stream or head.startswith(_VIDEO_SIGNATURES)


def may_be_alone(upload: Upload, choice: TrackChoice) -> bool:
    """Whether less than the whole file may be sent: it is certain only when the track has been copied."""
    from dgcli.audio import decode

    if choice.number is not None:
        return True
    return not choice.whole_file and _is_video(upload) and decode.available()


def described(upload: Upload, name: str, choice: TrackChoice) -> str:
    """Say what would be sent of a file, from its header alone. Raises `AudioError` for what is too large."""
    text = f"{upload.size} bytes, {upload.media_type}"
    if choice.number is not None:
        return f"audio track {choice.number} of {text}"
    if not may_be_alone(upload, choice):
        check_size(upload.size, name)
        return text
    return f"of {text}, the audio track alone where that saves half"


def _forget(target: BinaryIO) -> None:
    """Close a copy, whose last bytes may have found no room: that is told already."""
    with suppress(OSError):
        target.close()


@contextmanager
def audio_alone(upload: Upload, name: str, choice: TrackChoice) -> Iterator[ChosenAudio]:
    """What is sent of a recording: of a video the audio track alone, where that saves half of the bytes or more.

    `upload` is a file of this machine. Raises `AudioError` for what is too large or has no sound, `UsageError` for
    a track that there is not, `OutputError` where there is no room for the copy.
    """
    if choice.whole_file or not (_is_video(upload) or choice.number is not None):
        check_size(upload.size, name)
        yield ChosenAudio(upload)
        return
    from dgcli.audio import decode

    if not decode.available():
        if choice.number is not None:
            raise UsageError("--audio-track needs PyAV, which is not installed.", hint=decode.install_hint())
        if upload.size > MAX_UPLOAD:
            raise AudioError(
                f"{name} has {in_units(upload.size)}; the API takes up to 2 GB.",
                hint=f"Its audio track alone may be less. {decode.install_hint()}",
            )
        hint = f"Sends all {in_units(upload.size)}; the audio track alone would do. {decode.install_hint()}"
        yield ChosenAudio(upload, note=hint if upload.size >= _HINT_FROM else None)
        return
    with ExitStack() as stack:
        try:
            target = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
            stack.callback(_forget, target)
        except OSError as error:
            raise OutputError(
                f"There is no place for a copy of the audio track: {error.strerror}.",
                hint="--whole-file needs none; TMPDIR=FOLDER names another place.",
            ) from error
        try:
            sent = _alone(upload, name, choice, target)
        except _NotAlone:
            stack.close()
            check_size(upload.size, name)
            sent = ChosenAudio(upload)
        yield sent
