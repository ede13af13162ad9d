"""Captions while the words come in: blocks of SRT or WebVTT, cue by cue."""

from collections.abc import Callable
from dataclasses import replace

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue
from dgcli.formats import RenderSettings
from dgcli.transcript.events import Event, Final, Notice, NoticeKind
from dgcli.transcript.model import Word


def _timed(word: Word) -> Word:
    """The word with its times as files have them: to the millisecond."""
    start, end = round(word.start, 3), round(word.end, 3)
    return word if start == word.start and end == word.end else replace(word, start=start, end=end)


class CaptionBlocks:
    """Turns finals into the blocks of a caption file, `srt` or `vtt`. A block that came out stays as it is."""

    def __init__(self, format_name: str, options: RenderSettings) -> None:
        self._format_name = format_name
        self._options = options
        self._captioner: Captioner | None = None
        self._channels = 1
        self._count = 0

    @property
    def header(self) -> str:
        """Return the head of the file."""
        if self._format_name == "srt":
            return ""
        from dgcli.formats.vtt import vtt_header

        return vtt_header()

    def _captioner_for(self, channels: int) -> Captioner:
        """The captioner: the first final tells for how many channels."""
        if self._captioner is None:
            self._channels = channels
            if self._format_name == "srt":
                from dgcli.formats.srt import srt_captioner as make
            else:
                from dgcli.formats.vtt import vtt_captioner as make
            self._captioner = make(self._options, channels)
        return self._captioner

    def _text(self, cues: list[Cue], count: int) -> str:
        if not cues:
            return ""
        if self._format_name == "srt":
            from dgcli.formats.srt import srt_cue

            return "".join(srt_cue(cue, number, self._options) for number, cue in enumerate(cues, count + 1))
        from dgcli.formats.vtt import vtt_cue

        return "".join(vtt_cue(cue, self._options, self._channels > 1) for cue in cues)

    def _settled(self, cues: list[Cue]) -> str:
        text = self._text(cues, self._count)
        self._count += len(cues)
        return text

    def take(self, event: Final) -> str:
        """The blocks that are settled with this final."""
        cues = self._captioner_for(event.channels).feed(
            map(_timed, event.words),
            channel=event.channel,
            until=round(event.end, 3),
            ends_utterance=event.speech_final or event.from_finalize,
        )
        return self._settled(cues)

    def mark(self, event: Notice) -> str:
        """Write a marker as a note, which players do not show; SRT has no notes."""
        return "" if self._format_name == "srt" else f"NOTE\n{event.message}\n\n"

    def preview(self) -> str:
        """The blocks that would come if nothing more were said. They may still change."""
        if self._captioner is None:
            return ""
        return self._text(self._captioner.preview(), self._count)

    def finish(self) -> str:
        """The blocks that were not settled yet."""
        captioner, self._captioner = self._captioner, None
        return self._settled(captioner.finish()) if captioner else ""


class CaptionSink:
    """Writes each cue when it is settled, some seconds after it was said."""

    def __init__(self, write: Callable[[str], None], format_name: str, options: RenderSettings) -> None:
        self._write = write
        self._blocks = CaptionBlocks(format_name, options)
        self._begun = False

    def _put(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            text = self._blocks.header + text
        if text:
            self._write(text)

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        if isinstance(event, Final):
            self._put(self._blocks.take(event))
        elif isinstance(event, Notice) and event.kind is NoticeKind.MARKER:
            self._put(self._blocks.mark(event))

    def tick(self, now: float) -> None:
        """Do nothing: cues depend on the words' own time only."""

    def close(self) -> None:
        """Write the cues that were waiting for what comes next."""
        self._put(self._blocks.finish())
