"""A playlist and the segments beside it: files that nobody named one by one, so that none of another's is touched."""

import re
from contextlib import suppress
from pathlib import Path

from dgcli.errors import OutputError
from dgcli.formats.base import RenderSettings
from dgcli.formats.hls import CaptionSegmenter, is_segment, listed, playlist, segment_name
from dgcli.output.files import write_file
from dgcli.transcript.model import Transcript

_HEAD = 64  # bytes that tell a segment
_MOST = 100_000  # segments that are written at once: a week of the usual ones


def _own_segments(path: Path) -> list[Path]:
    """The segments that an earlier run left for a playlist of this name. Raises `OutputError` for other files.

    One more than the playlist lists may be ours: the last thing that a run did which was cut off.
    """
    text = ""
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_text("utf-8")
    count = listed(text, path.stem)
    pattern = re.compile(re.escape(path.stem) + r"-(\d{5,})\.vtt")
    own = []
    try:
        for name in path.parent.iterdir():
            match = pattern.fullmatch(name.name)
            if match is None:
                continue
            is_ours = not name.is_symlink() and name.is_file() and 1 <= int(match[1]) <= count + 1
            if is_ours:
                with name.open("rb") as file:
                    is_ours = is_segment(file.read(_HEAD))
            if not is_ours:
                raise OutputError(
                    f"{name} is there already, and is no segment of {path.name}.",
                    hint="Choose another name with -o, or move it away.",
                )
            own.append(name)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.filename}: {error.strerror}.") from error
    return own


def check_playlist(path: Path) -> None:
    """Refuse a playlist whose files would take the place of others. Raises `OutputError`."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise OutputError(
            f"{path} is a link or no file: the segments of a playlist lie beside it.",
            hint="Name a file in a folder of its own: -o captions/live.m3u8",
        )
    _own_segments(path)


class SegmentedFile:
    """A playlist that grows. Each segment is written whole before the playlist, which is replaced, lists it.

    So what is there is valid at every moment, whatever ends the program. What stood there before goes when there
    is something to put in its place.
    """

    def __init__(self, path: Path, target: int) -> None:
        self._path = path
        self._target = target
        self._durations: list[float] = []
        self._has_begun = False

    def _begin(self) -> None:
        """Remove what an earlier run left, the list first: it never names what is not there."""
        check_playlist(self._path)
        own = _own_segments(self._path)
        try:
            for path in (self._path, *own):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{error.filename} cannot be replaced: {error.strerror}.") from error
        self._has_begun = True

    def _write_list(self, *, is_over: bool) -> None:
        text = playlist(self._path.stem, self._durations, self._target, is_over=is_over)
        write_file(self._path, text.encode("utf-8", "surrogateescape"), durable=is_over)

    def add(self, text: str, seconds: float) -> None:
        """Add a segment, which `publish` lists. Raises `OutputError`; the same segment may be added again then."""
        if not self._has_begun:
            self._begin()
        path = self._path.with_name(segment_name(self._path.stem, len(self._durations) + 1))
        write_file(path, text.encode("utf-8", "surrogateescape"), durable=False, new=True)
        self._durations.append(seconds)

    def discard(self) -> None:
        """Remove the segments that were added, as far as that goes."""
        for number in range(1, len(self._durations) + 1):
            with suppress(OSError):
                self._path.with_name(segment_name(self._path.stem, number)).unlink()

    def publish(self) -> None:
        """Let the playlist name every segment that there is. Raises `OutputError`."""
        self._write_list(is_over=False)

    def finish(self) -> None:
        """Say that nothing more will come. Raises `OutputError`."""
        self._write_list(is_over=True)


def write_playlist(path: Path, transcript: Transcript, options: RenderSettings) -> None:
    """Write the captions of a transcript as a playlist with its segments. Raises `OutputError`."""
    from dgcli.formats.cues import cues_of
    from dgcli.formats.vtt import render_cues

    seconds = max(
        [transcript.duration or 0.0, *(word.end for word in transcript.words if word.end == word.end)]
    )
    if seconds > _MOST * options.segment_duration:
        raise OutputError(
            f"{path} would have {seconds / options.segment_duration:.0f} segments.",
            hint="Look at the times in the response, or make longer ones: --segment-duration 60",
        )
    segmenter = CaptionSegmenter(render_cues(options), options)
    segmenter.add(list(cues_of(transcript, options, has_voices=True)))
    several = len(transcript.channels) > 1
    segments = segmenter.finish(transcript.duration or 0.0, several_channels=several)
    file = SegmentedFile(path, options.segment_duration)
    try:
        for text, seconds in segments:
            file.add(text, seconds)
        file.finish()
    except BaseException:
        file.discard()  # without a list, the next run would take them for somebody else's
        raise
