"""Captions while the words come in, cue by cue."""

from collections.abc import Callable
from typing import cast

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue
from dgcli.errors import OutputError
from dgcli.formats import Format, RenderSettings, grower
from dgcli.formats.growing import CueWriter
from dgcli.transcript.events import Event, Final, Interim, Notice, NoticeKind
from dgcli.transcript.utterances import as_saved


class CaptionBlocks:
    """Turns finals into the blocks of a caption file. A block that came out stays as it is."""

    def __init__(self, format_: Format, options: RenderSettings) -> None:
        self._writer = cast(CueWriter, grower(format_, options))
        self.header, self.footer = self._writer.header, self._writer.footer
        self._captioner: Captioner | None = None
        self._channels = 1
        self._count = 0
        self._refusal: OutputError | None = None
        self._quiet_since: float | None = None  # the first tick after the last result

    def _captioner_for(self, channels: int) -> Captioner:
        """The captioner: the first final tells for how many channels."""
        if self._captioner is None:
            self._channels = channels
            self._captioner = self._writer.captioner(channels)
        return self._captioner

    def _text(self, cues: list[Cue], count: int) -> str:
        texts = []
        for number, cue in enumerate(cues, count + 1):
            try:
                texts.append(self._writer.cue(cue, number, self._channels > 1))
            except OutputError as error:
                self._refusal = error  # the other cues are written first
        return "".join(texts)

    def check(self) -> None:
        """Raises `OutputError`, once, when there was a cue that the format cannot hold."""
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    def _settled(self, cues: list[Cue]) -> str:
        text = self._text(cues, self._count)
        self._count += len(cues)
        return text

    def take(self, event: Final) -> str:
        """The blocks that are settled with this final."""
        self._quiet_since = None
        cues = self._captioner_for(event.channels).feed(
            map(as_saved, event.words),
            channel=event.channel,
            until=round(event.end, 3),
            ends_utterance=event.speech_final or event.from_finalize,
        )
        return self._settled(cues)

    def heard(self, event: Interim) -> str:
        """The blocks that have waited long enough, now that the audio is known up to the end of an interim."""
        self._quiet_since = None
        if self._captioner is None:
            return ""
        return self._settled(self._captioner.heard(event.end, channel=event.channel, likely=event.words))

    def tick(self, now: float) -> str:
        """The blocks that have waited long enough by now (monotonic seconds), though no result has come."""
        if self._captioner is None:
            return ""
        if self._quiet_since is None:
            self._quiet_since = now
        return self._settled(self._captioner.quiet(now - self._quiet_since))

    def mark(self, event: Notice) -> str:
        """Write a marker as a note, which players do not show; nothing in formats without notes."""
        return self._writer.note(event.message)

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

    def __init__(self, write: Callable[[str], None], format_: Format, options: RenderSettings) -> None:
        self._write = write
        self._blocks = CaptionBlocks(format_, options)
        self._begun = self._closed = False

    def _put(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            text = self._blocks.header + text
        if text:
            self._write(text)
        self._blocks.check()

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        if isinstance(event, Final):
            self._put(self._blocks.take(event))
        elif isinstance(event, Interim) and (text := self._blocks.heard(event)):
            self._put(text)
        elif isinstance(event, Notice) and event.kind is NoticeKind.MARKER:
            self._put(self._blocks.mark(event))

    def tick(self, now: float) -> None:
        """Write what has waited long enough although no result comes. Raises what `write` raises."""
        if text := self._blocks.tick(now):
            self._put(text)

    def close(self) -> None:
        """Write the cues that were waiting for what comes next. Again: nothing."""
        if not self._closed:
            self._closed = True
            self._put(self._blocks.finish() + self._blocks.footer)
