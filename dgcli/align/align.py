"""A corrected text and a response, put together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dgcli.align.corrected import corrected_words
from dgcli.align.labels import Labels, Voiced, numbered
from dgcli.align.passages import Passage, read_passages
from dgcli.align.response import VoicedWord, rebuilt
from dgcli.align.timing import Span, TimedWord, timed
from dgcli.align.units import units_of
from dgcli.captions.speakers import smoothed
from dgcli.errors import UsageError
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import with_names

LEAST_MATCH = 0.5  # share of the words below which a text is taken for that of another recording


@dataclass(frozen=True, slots=True)
class Alignment:
    """The words of a corrected text with their times, channel by channel, and what they were aligned with.

    `kept` is how many words of the response are among them unchanged, up to capitals and marks; `names` are the
    numbers that speakers have who were unknown.
    """

    transcript: Transcript
    passages: Sequence[Passage]
    channels: Sequence[Sequence[TimedWord]]
    kept: int
    voices: Sequence[Voiced | None]
    names: Mapping[str, int]

    @property
    def words(self) -> int:
        """How many words the text has."""
        return sum(map(len, self.channels))

    def refined(self, channels: Sequence[Sequence[TimedWord]]) -> "Alignment":
        """Return the same with other times."""
        return replace(self, channels=channels)

    def corrected(self) -> Transcript:
        """Return the response with the corrected words, and the names of speakers that the text gives."""
        changed = rebuilt(
            self.transcript, [list(self._voiced(words, at)) for at, words in enumerate(self.channels)]
        )
        if not self.names:
            return changed
        names = {**(changed.given_names or {}), **{number: name for name, number in self.names.items()}}
        raw = {**changed.raw, "corrections": with_names(changed.raw.get("corrections"), names)}
        return replace(changed, given_names=names, raw=raw, body=b"")

    def _voiced(self, words: Sequence[TimedWord], channel: int) -> Iterator[VoicedWord]:
        """Yield the words with their speakers.

        Texts show changes of speaker at ends of sentences: a word stays whose it is where they show it as its own.
        """
        old = self.transcript.channels[channel].words
        is_smoothed = self.transcript.has_speakers and not self.transcript.has_corrected_speakers
        shown = smoothed(old) if is_smoothed else old
        for word in words:
            voice = self.voices[word.passage]
            said = None if voice is None else voice.speaker
            speaker = self.names[said] if isinstance(said, str) else said
            own = old[word.beside].speaker if old else None
            if speaker is None or (word.source is not None and shown[word.source].speaker == speaker):
                yield VoicedWord(word, own)
            else:
                yield VoicedWord(word, speaker, reassigned=speaker != own)


def _cue(passage: Passage) -> Span | None:
    return None if passage.start is None or passage.end is None else (passage.start, passage.end)


def _numbers(
    transcript: Transcript, channels: Sequence[Sequence[TimedWord]], voices: Sequence[Voiced | None]
) -> Mapping[str, int]:
    """Return the numbers of speakers whom the text calls by names that nobody was given."""
    names = {voice.speaker for voice in voices if voice is not None}
    if not any(isinstance(name, str) for name in names):
        return {}
    heard = []
    for channel, words in zip(transcript.channels, channels, strict=True):
        shown = smoothed(channel.words)
        for word in words:
            voice = voices[word.passage]
            if voice is not None and isinstance(voice.speaker, str):
                heard.append((voice.speaker, shown[word.source].speaker if word.source is not None else None))
    everybody = {word.speaker for word in transcript.words if word.speaker is not None}
    return numbered(heard, [name for name in names if isinstance(name, int)], everybody)


def align(
    transcript: Transcript, body: bytes, name: str, speaker_names: Mapping[int, str], *, force: bool = False
) -> Alignment:
    """Put the words of a corrected text, the bytes of a file called `name`, on the times of a response.

    Raises `AudioError` for what is no text; `UsageError` where there are no words, where the text does not tell
    its channels apart, and without `force` where less than half of the words match.
    """
    if not transcript.words:
        raise UsageError("The response has no words with times.", hint="A text needs times to be put on.")
    labels = Labels(transcript, {**(transcript.given_names or {}), **speaker_names})
    passages = read_passages(body, name, labels.is_known, has_voices=labels.tell)
    voices = [labels.read(passage.label) if passage.label else None for passage in passages]
    own = labels.by_channel(passages, len(transcript.channels))
    cues = [_cue(passage) for passage in passages]
    channels, kept = [], 0
    for channel, numbers in zip(transcript.channels, own, strict=True):
        units = [unit for number in numbers for unit in units_of(passages[number].text, number)]
        words, same = corrected_words(channel.words, units)
        kept += same
        channels.append(timed(words, channel.words, cues, transcript.duration))
    most = max(len(transcript.words), sum(map(len, channels)))
    if kept < LEAST_MATCH * most and not force:
        raise UsageError(
            f"{name} seems to be of another recording: {math.floor(100 * kept / most)} % of the words match.",
            hint="Check the files; --force aligns them all the same.",
        )
    return Alignment(transcript, passages, channels, kept, voices, _numbers(transcript, channels, voices))
