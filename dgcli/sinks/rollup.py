"""The text of a stream as it runs through a few lines: what is certain, and behind it what is provisional.

A paragraph goes on as long as one voice speaks without a long pause; its beginning never changes its lines, so
that rows roll up and words stay in their place. Only the end of a paragraph is provisional.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from dgcli.captions.text import clean, spaces
from dgcli.captions.voice import Voice
from dgcli.terminal import harmless
from dgcli.transcript.events import Closed, Event, Final, Interim, Notice, NoticeKind, TurnStage
from dgcli.transcript.model import turns

_PAUSE = 2.0  # seconds between two words that end a paragraph
_LONG, _LONGEST = (
    160,
    400,
)  # characters after which a sentence ends a paragraph, and after which any word does
_KEPT = 60  # paragraphs
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "۔", "।")


def _plain(text: str) -> str:
    return " ".join(clean(harmless(text)).split())


def _together(before: str, after: str) -> str:
    """Two stretches of text, with a space between them where their script has one."""
    if not (before and after):
        return before or after
    return before + spaces([before, after])[1] + after


@dataclass(slots=True)
class Paragraph:
    """What one voice says: `text` is certain, `interim` goes on from it and may change. Numbers are unique."""

    number: int
    voice: Voice
    channels: int
    text: str = ""
    interim: str = ""
    is_open: bool = False  # whether `interim` is a Flux turn that is not even probably over
    end: float = 0.0  # of its last certain word, in seconds of the stream

    @property
    def gap(self) -> str:
        """The space between its two parts: none where their script writes none."""
        return spaces([self.text, self.interim])[1] if self.text and self.interim else ""

    @property
    def all_text(self) -> str:
        """Everything that it says now."""
        return self.text + self.gap + self.interim

    @property
    def is_full(self) -> bool:
        """Whether what follows begins a new one."""
        return len(self.text) >= (_LONG if self.text.endswith(_SENTENCE_ENDS) else _LONGEST)


@dataclass(frozen=True, slots=True)
class _Said:
    voice: Voice
    text: str
    start: float
    end: float


def _said(event: Interim | Final) -> list[_Said]:
    """What an event says, voice by voice."""
    parts = [
        _Said(Voice(event.channel, part.speaker), _plain(part.text), part.start, part.end)
        for part in turns(event.words)
    ]
    if len(parts) > 1:
        return [part for part in parts if part.text]
    text = _plain(event.text)
    if not text:
        return []
    start, end = (parts[0].start, parts[0].end) if parts else (event.start, event.end)
    return [_Said(parts[0].voice if parts else Voice(event.channel, None), text, start, end)]


@dataclass(slots=True)
class RollUp:
    """The latest paragraphs of a stream, oldest first."""

    _paragraphs: deque[Paragraph] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _count: int = 0
    _is_cut: bool = False  # speaker numbers begin anew: nothing goes on

    @property
    def paragraphs(self) -> Iterable[Paragraph]:
        """The paragraphs that are there now."""
        return self._paragraphs

    def _added(self, voice: Voice, channels: int) -> Paragraph:
        self._count += 1
        self._is_cut = False
        paragraph = Paragraph(self._count, voice, channels)
        self._paragraphs.append(paragraph)
        return paragraph

    def _taken_back(self, channel: int) -> list[Paragraph]:
        """Take back what was provisional on a channel; returns the paragraphs that had nothing else."""
        empty = []
        for paragraph in self._paragraphs:
            if paragraph.voice.channel == channel and paragraph.interim:
                paragraph.interim, paragraph.is_open = "", False
                if not paragraph.text:
                    empty.append(paragraph)
        return empty

    def _place(self, said: _Said, channels: int, empty: list[Paragraph]) -> Paragraph:
        """The paragraph that goes on with what is said: an open one of this voice, else a new one."""
        open_ = [each for each in self._paragraphs if each not in empty]
        last = open_[-1] if open_ and not self._is_cut else None
        goes_on = (
            last is not None
            and last.voice == said.voice
            and not last.is_full
            and not said.start - last.end > _PAUSE
        )
        if last is not None and goes_on:
            return last
        if empty:  # the place that the provisional text had
            paragraph = empty.pop(0)
            paragraph.voice, paragraph.channels = said.voice, channels
            self._is_cut = False
            return paragraph
        return self._added(said.voice, channels)

    def _final(self, event: Final) -> None:
        empty = self._taken_back(event.channel)
        for said in _said(event):
            paragraph = self._place(said, event.channels, empty)
            paragraph.text = _together(paragraph.text, said.text)
            paragraph.end = said.end
        self._remove(empty)

    def _interim(self, event: Interim) -> None:
        empty = self._taken_back(event.channel)
        for said in _said(event):
            paragraph = self._place(said, event.channels, empty)
            paragraph.interim = _together(paragraph.interim, said.text)
            paragraph.is_open = event.turn is not None and event.turn.stage is not TurnStage.EAGER_END
            if not paragraph.text:
                paragraph.end = said.end
        self._remove(empty)

    def _remove(self, paragraphs: Iterable[Paragraph]) -> None:
        for paragraph in paragraphs:
            self._paragraphs.remove(paragraph)

    def take(self, event: Event) -> bool:
        """Take the next event; tells whether what is to be read may have changed."""
        match event:
            case Interim():
                self._interim(event)
            case Final():
                self._final(event)
            case Closed():  # what is provisional now was never confirmed
                channels = {paragraph.voice.channel for paragraph in self._paragraphs}
                self._remove([left for channel in channels for left in self._taken_back(channel)])
            case Notice(kind=NoticeKind.SPEAKERS_RESTARTED):
                self._is_cut = True
                return False
            case _:
                return False
        return True
