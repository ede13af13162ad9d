"""A transcript whose changes of speaker stand where sentences end: its words, and all that is made of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dgcli.captions.speakers import smoothed
from dgcli.captions.text import joined
from dgcli.transcript.json_values import mapping, mappings, seconds, string
from dgcli.transcript.model import Channel, Segment, Transcript, Word

_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")

_Speakers = Mapping[tuple[int, float, float, str], int | None]  # by channel, start, end and text of a word


def _key(word: Word) -> tuple[int, float, float, str]:
    return word.channel, word.start, word.end, word.text


def _regrouped(segments: Sequence[Segment], speakers: _Speakers) -> Iterator[tuple[Segment, list[Segment]]]:
    """Yield segments of one speaker each, and the segments they were made of.

    A segment that began only because the speaker seemed to change goes on where he does not.
    """
    words: list[Word] = []
    sources: list[Segment] = []
    last: dict[int, Word] = {}  # as it was before, by channel

    def closed() -> tuple[Segment, list[Segment]]:
        source = sources[0]
        same = len(sources) == 1 and len(words) == len(source.words)
        text = source.text if same else joined([word.text for word in words])
        return (
            Segment(text, tuple(words), source.channel, words[0].speaker, sources[-1].goes_on),
            list(sources),
        )

    for segment in segments:
        if not segment.words:
            if words:
                yield closed()
                words, sources = [], []
            yield segment, [segment]
            continue
        for at, word in enumerate(segment.words):
            now = word._replace(speaker=speakers.get(_key(word), word.speaker))
            before = last.get(word.channel)
            begins = at == 0 and (before is None or before.speaker == word.speaker)
            if words and (begins or now.speaker != words[-1].speaker or word.channel != words[-1].channel):
                yield closed()
                words, sources = [], []
            words.append(now)
            if not sources or sources[-1] is not segment:
                sources.append(segment)
            last[word.channel] = word
    if words:
        yield closed()


def _raw_word(item: Mapping[str, Any], speaker: int | None) -> Mapping[str, Any]:
    return item if item.get("speaker") == speaker else {**item, "speaker": speaker}


def _raw_words(items: object, words: Sequence[Word]) -> list[Mapping[str, Any]]:
    """The entries of a `words` list with the speakers of the words they became."""
    said = iter(words)
    spoken = (
        item
        for item in mappings(items)
        if (string(item.get("punctuated_word")) or string(item.get("word"))).strip()
    )
    return [_raw_word(item, word.speaker) for item, word in zip(spoken, said, strict=False)]


def _raw_paragraph(segment: Segment) -> Mapping[str, Any]:
    sentences, at = [], 0
    for after, word in enumerate(segment.words, 1):
        if after == len(segment.words) or word.text.rstrip("\"'”’)").endswith(_SENTENCE_ENDS):
            own = segment.words[at:after]
            text = joined([word.text for word in own])
            sentences.append({"text": text, "start": own[0].start, "end": own[-1].end})
            at = after
    paragraph = {"sentences": sentences, "num_words": len(segment.words)}
    paragraph |= {"start": segment.start, "end": segment.end}
    return paragraph if segment.speaker is None else {**paragraph, "speaker": segment.speaker}


def _raw_channel(item: Mapping[str, Any], channel: Channel) -> Mapping[str, Any]:
    alternatives = list(mappings(item.get("alternatives")))
    if not alternatives:
        return item
    first = {**alternatives[0], "words": _raw_words(alternatives[0].get("words"), channel.words)}
    if "paragraphs" in first and channel.paragraphs:
        texts = (
            ("" if part.speaker is None else f"Speaker {part.speaker}: ") + part.text
            for part in channel.paragraphs
        )
        first["paragraphs"] = {
            **mapping(first["paragraphs"]),
            "transcript": "\n" + "\n\n".join(texts),
            "paragraphs": [_raw_paragraph(part) for part in channel.paragraphs],
        }
    return {**item, "alternatives": [first, *alternatives[1:]]}


def _raw_utterance(segment: Segment, items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An utterance made of words of others; `items` are those."""
    own = {(word.start, word.end) for word in segment.words}
    words = [
        word
        for item in items
        for word in mappings(item.get("words"))
        if (seconds(word.get("start")), seconds(word.get("end"))) in own
    ]
    changed = {**items[0], "transcript": segment.text, "words": _raw_words(words, segment.words)}
    if segment.words:
        changed |= {"start": segment.start, "end": segment.end}
    return changed if segment.speaker is None else {**changed, "speaker": segment.speaker}


def smoothed_transcript(transcript: Transcript, *, response: bool = False) -> Transcript:
    """The transcript with its speakers smoothed: words, paragraphs and utterances.

    With `response` its raw response says the same, and it has no body. A transcript in which nothing changes
    is returned as it is.
    """
    if not transcript.has_speakers:
        return transcript
    channels = [replace(channel, words=smoothed(channel.words)) for channel in transcript.channels]
    pairs = list(zip(transcript.channels, channels, strict=True))
    if all(before.words == after.words for before, after in pairs):
        return transcript
    speakers = {
        _key(word): now.speaker
        for before, after in pairs
        for word, now in zip(before.words, after.words, strict=True)
    }
    channels = [
        replace(channel, paragraphs=tuple(part for part, _ in _regrouped(channel.paragraphs, speakers)))
        for channel in channels
    ]
    utterances = list(_regrouped(transcript.utterances, speakers))
    changed = replace(
        transcript, channels=tuple(channels), utterances=tuple(utterance for utterance, _ in utterances)
    )
    if not response:
        return changed
    results = dict(mapping(transcript.raw.get("results")))
    results["channels"] = [
        _raw_channel(item, channel)
        for item, channel in zip(mappings(results.get("channels")), channels, strict=False)
    ]
    if transcript.utterances:
        origin = {
            id(segment): item
            for segment, item in zip(transcript.utterances, mappings(results.get("utterances")), strict=True)
        }
        results["utterances"] = [
            _raw_utterance(utterance, [origin[id(source)] for source in sources])
            for utterance, sources in utterances
        ]
    return replace(changed, raw={**transcript.raw, "results": results}, body=b"")
