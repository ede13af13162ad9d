"""`-o captions.m3u8`: captions in segments that appear while the stream runs."""

from collections import deque
from pathlib import Path

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue
from dgcli.errors import OutputError
from dgcli.formats import RenderSettings
from dgcli.formats.hls import CaptionSegmenter
from dgcli.formats.vtt import render_cues
from dgcli.output.playlist import SegmentedFile
from dgcli.transcript.events import Closed, Event, Final, Interim, Notice, NoticeKind, Opened
from dgcli.transcript.utterances import as_saved

_LEAP = 86400.0  # seconds from one final to the next; beyond it, only a time that is wrong lies


class PlaylistSink:
    """Writes a segment when every cue is settled that it shows, silent or not: players count on all of them."""

    def __init__(self, path: Path, options: RenderSettings) -> None:
        self._file = SegmentedFile(path, options.segment_duration)
        self._writer = render_cues(options)
        self._segmenter = CaptionSegmenter(self._writer, options)
        self._captioner: Captioner | None = None
        self._known: dict[int, float] = {}  # seconds up to which each channel is final
        self._end = 0.0
        self._waiting: deque[tuple[str, float]] = deque()  # segments that could not be written yet
        self._quiet_since: float | None = None  # the first tick after the last result
        self._has_begun = self._has_opened = self._is_closed = self._has_failed = False

    def _take(self, event: Final) -> None:
        if self._captioner is None:
            self._captioner = self._writer.captioner(event.channels)
            self._known = dict.fromkeys(range(event.channels), 0.0)
        end = round(event.end, 3)
        furthest = max([end, *(word.end for word in event.words if word.end == word.end)])
        if furthest > self._end + _LEAP:  # thousands of segments would be written, with nothing in them
            raise OutputError(
                f"What is said {furthest:.0f} s into the stream, as its server has it, is in no segment."
            )
        self._known[event.channel] = max(self._known.get(event.channel, 0.0), end)
        self._end = max(self._end, end)
        cues = self._captioner.feed(
            map(as_saved, event.words),
            channel=event.channel,
            until=end,
            ends_utterance=event.speech_final or event.from_finalize,
        )
        self._settle(cues)

    def _hear(self, event: Interim) -> None:
        if self._captioner is not None:
            cues = self._captioner.heard(event.end, channel=event.channel, likely=event.words)
            if cues:
                self._settle(cues)

    def _settle(self, cues: list[Cue]) -> None:
        """Take cues that will not change, and make the segments that are whole with them."""
        assert self._captioner is not None, "cues come from it"
        self._segmenter.add(cues)
        known = min(self._known.values())
        if known < self._segmenter.boundary:
            return
        # Cues that are not settled may still change, but not begin earlier.
        open_cues = self._captioner.preview()
        if open_cues:
            known = min(known, open_cues[0].start)
        self._waiting += self._segmenter.until(known, several_channels=len(self._known) > 1)

    def _write(self) -> None:
        try:
            while self._waiting:
                self._file.add(*self._waiting[0])
                self._waiting.popleft()
                self._file.publish()
        except OutputError:
            if not self._has_failed:  # the first time is the one to tell; then it is tried again
                self._has_failed = True
                raise

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        self._has_begun = True
        match event:
            case Final() | Interim():
                self._quiet_since = None
                try:
                    self._take(event) if isinstance(event, Final) else self._hear(event)
                finally:
                    self._write()
            case Opened() if not self._has_opened:
                self._has_opened = True
                self._waiting.append(self._segmenter.opening())
                self._write()
            case Notice(kind=NoticeKind.MARKER):
                self._segmenter.note(event.message)
            case Closed():
                self._end = max(self._end, round(event.audio_seconds, 3))

    def tick(self, now: float) -> None:
        """Write what has waited long enough although no result comes. Raises `OutputError`."""
        if self._captioner is None:
            return
        if self._quiet_since is None:
            self._quiet_since = now
        if cues := self._captioner.quiet(now - self._quiet_since):
            self._settle(cues)
            self._write()

    def close(self) -> None:
        """Write the last segments, and the end of the list. Again: nothing. Raises `OutputError`."""
        if self._is_closed:
            return
        self._is_closed = True
        if not self._has_begun:
            return
        if self._captioner is not None:
            self._segmenter.add(self._captioner.finish())
        self._waiting += self._segmenter.finish(self._end, several_channels=len(self._known) > 1)
        self._has_failed = False
        self._write()
        self._file.finish()
