"""Captions of HTTP Live Streaming: WebVTT in segments, and the media playlist that lists them.

Source: RFC 8216, sections 3.5 (WebVTT segments) and 4.3 (tags).
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from dgcli.captions.cues import Cue
from dgcli.formats.base import RenderSettings
from dgcli.formats.growing import CueWriter

LEAST = 0.001  # seconds of a segment
_BEGIN = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:"


def segment_name(stem: str, number: int) -> str:
    """The name of a segment, which lies beside its playlist; numbers count from 1."""
    return f"{stem}-{number:05d}.vtt"


def _uri(name: str) -> str:
    """The name as a relative reference. Only what would be read as something else is escaped: players look for
    files by the name as it stands, too.
    """
    return re.sub(r"[\x00-\x1f%?#:\\]", lambda char: quote(char[0], safe=""), name)


def is_segment(start: bytes) -> bool:
    """Whether a file that begins so is a segment as it is written here."""
    return start.startswith(_BEGIN.encode())


def segment(
    cues: Iterable[Cue],
    writer: CueWriter,
    settings: RenderSettings,
    *,
    several_channels: bool,
    notes: Iterable[str] = (),
) -> str:
    """A whole segment: the cues that it shows, and which timestamp of the media their time 0 is."""
    head = f"{_BEGIN}{settings.timestamp_map},LOCAL:00:00:00.000\n\n"
    blocks = [writer.cue(cue, number, several_channels) for number, cue in enumerate(cues, 1)]
    return "".join([head, *map(writer.note, notes), *blocks])


def playlist(stem: str, durations: Sequence[float], target: int, *, is_over: bool) -> str:
    """The media playlist of so many segments: one that only grows, and ends when it `is_over`."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
    ]
    for number, seconds in enumerate(durations, 1):
        lines += [f"#EXTINF:{max(seconds, LEAST):.3f},", _uri(segment_name(stem, number))]
    if is_over:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def listed(text: str, stem: str) -> int:
    """How many segments of this name a playlist lists; 0 for a text that is none."""
    if not text.startswith("#EXTM3U"):
        return 0
    return len(re.findall(rf"^{re.escape(_uri(stem))}-\d{{5,}}\.vtt$", text, re.MULTILINE))


class CaptionSegmenter:
    """Divides cues into segments: give it the cues in order, and take the segments up to a time they are known to.

    A cue that crosses a boundary is in both segments, and none is in no segment.
    """

    def __init__(self, writer: CueWriter, settings: RenderSettings) -> None:
        self._writer = writer
        self._settings = settings
        self._target = settings.segment_duration
        self._cues: list[Cue] = []  # those that a segment to come may show
        self._unwritten = 0  # how many of them, at the end, no segment has shown
        self._notes: list[str] = []
        self._start = 0.0  # of the next segment, in seconds

    @property
    def boundary(self) -> float:
        """Where the next segment ends, in seconds."""
        return (self._start // self._target + 1) * self._target

    def opening(self) -> tuple[str, float]:
        """A first segment, of no length to speak of, for a list that is to be there before anything is known.

        Players take a list without segments, or none at all, for an error, and some give up after a few of them.
        """
        return self._segment(LEAST, several_channels=False)

    def add(self, cues: Sequence[Cue]) -> None:
        """Add cues that will not change."""
        self._cues += cues
        self._unwritten += len(cues)

    def note(self, message: str) -> None:
        """Add a message that players do not show."""
        self._notes.append(message)

    def _segment(self, end: float, several_channels: bool) -> tuple[str, float]:
        start = self._start
        fresh = len(self._cues) - self._unwritten
        shown, left, unwritten = [], [], 0
        for at, cue in enumerate(self._cues):
            is_fresh = at >= fresh
            if cue.start < end and (cue.end > start or is_fresh):
                shown.append(cue)
                is_fresh = False
            if is_fresh or cue.end > end:
                left.append(cue)
                unwritten += is_fresh
        self._cues, self._unwritten = left, unwritten
        notes, self._notes = self._notes, []
        self._start = end
        text = segment(shown, self._writer, self._settings, several_channels=several_channels, notes=notes)
        return text, end - start

    def until(self, known: float, *, several_channels: bool = False) -> list[tuple[str, float]]:
        """The whole segments, with their durations, that end before or when all cues are `known`."""
        segments = []
        while self.boundary <= known:
            segments.append(self._segment(self.boundary, several_channels))
        return segments

    def finish(self, end: float, *, several_channels: bool = False) -> list[tuple[str, float]]:
        """The last segments, which hold what is left; the audio ends at `end` seconds."""
        last = max([end, *(cue.end for cue in self._cues)])
        segments = self.until(last, several_channels=several_channels)
        left = last - self._start
        if left >= LEAST or not self._start or self._unwritten:
            segments.append(self._segment(self._start + max(left, LEAST), several_channels))
        return segments
