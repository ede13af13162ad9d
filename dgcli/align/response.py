"""A response with the words of a corrected text: its words, transcripts, paragraphs, utterances and analyses.

What is untouched stays as it came, field for field. A word that somebody wrote has a confidence of 1.
"""

import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from dgcli.align.timing import TimedWord
from dgcli.align.units import key_of
from dgcli.captions.text import joined
from dgcli.transcript.json_values import mapping, mappings, string
from dgcli.transcript.model import Channel, Segment, Transcript
from dgcli.transcript.response import parse

_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
_CLOSING = "\"'”’»)]」』"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VoicedWord:
    """A corrected word and its speaker; `reassigned` says that the text gives it to another than the response."""

    timed: TimedWord
    speaker: int | None
    reassigned: bool = False


@dataclass(frozen=True, slots=True)
class _Item:
    """A word as the response is to have it, and whether that is as it came."""

    raw: Json
    beside: int
    untouched: bool

    @property
    def text(self) -> str:
        return string(self.raw.get("punctuated_word")) or string(self.raw.get("word"))


def _is_spoken(item: Json) -> bool:
    return bool((string(item.get("punctuated_word")) or string(item.get("word"))).strip())


def _raw_words(channel: Channel, raw: Json) -> list[Json]:
    """Return the entries of a channel's words as they came, one for each word."""
    entries = [item for item in mappings(raw.get("words")) if _is_spoken(item)]
    if len(entries) == len(channel.words):
        return entries
    return [_fields(word.word, word.text, word.start, word.end, word.confidence) for word in channel.words]


def _fields(heard: str, text: str, start: float, end: float, confidence: float) -> Json:
    times = {"start": round(start, 3), "end": round(end, 3)}
    return {"word": heard, **times, "confidence": confidence, "punctuated_word": text}


def _item(word: VoicedWord, channel: Channel, entries: Sequence[Json], punctuated: bool) -> _Item:
    timed = word.timed
    if timed.source is None:
        entry: dict[str, Any] = dict(_fields(key_of(timed.text), timed.text, timed.start, timed.end, 1.0))
        if not punctuated:
            entry |= {"word": timed.text}
            del entry["punctuated_word"]
        if word.speaker is not None:
            entry["speaker"] = word.speaker
        if channel.words and (language := channel.words[timed.beside].language):
            entry["language"] = language
        return _Item(entry, timed.beside, untouched=False)
    old, came = channel.words[timed.source], entries[timed.source]
    entry = dict(came)
    if " ".join(timed.text.split()) != " ".join(old.text.split()):
        if timed.same:
            entry["punctuated_word" if punctuated else "word"] = timed.text
        else:
            entry |= {"word": key_of(timed.text) if punctuated else timed.text, "confidence": 1.0}
            if punctuated:
                entry["punctuated_word"] = timed.text
    for name, now, before in (("start", timed.start, old.start), ("end", timed.end, old.end)):
        if now != before:  # also where there was no number
            entry[name] = round(now, 3)
    if word.reassigned and word.speaker is not None:
        entry["speaker"] = word.speaker
        entry.pop("speaker_confidence", None)
    return _Item(entry, timed.beside, untouched=entry == came)


def _by_speaker(items: Sequence[_Item], *, divide: bool) -> Iterator[list[_Item]]:
    """Yield the words of a segment, divided where the speaker changes."""
    part: list[_Item] = []
    for item in items:
        if divide and part and item.raw.get("speaker") != part[-1].raw.get("speaker"):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _text(items: Sequence[_Item]) -> str:
    return joined([item.text for item in items])


def _paragraph(items: Sequence[_Item], came: Json) -> Json:
    sentences, begin = [], 0
    for end, item in enumerate(items, 1):
        if end == len(items) or item.text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS):
            own = items[begin:end]
            sentences.append(
                {"text": _text(own), "start": own[0].raw.get("start"), "end": own[-1].raw.get("end")}
            )
            begin = end
    times = {"start": items[0].raw.get("start"), "end": items[-1].raw.get("end")}
    changed = {**came, "sentences": sentences, "num_words": len(items), **times}
    if "speaker" in came or "speaker" in items[0].raw:
        changed["speaker"] = items[0].raw.get("speaker", came.get("speaker"))
    return changed


def _utterance(items: Sequence[_Item], came: Json, part: int) -> Json:
    known = [value for item in items if isinstance(value := item.raw.get("confidence"), int | float)]
    changed = {
        **came,
        "start": items[0].raw.get("start"),
        "end": items[-1].raw.get("end"),
        "confidence": round(sum(known) / len(known), 7) if known else 0.0,
        "transcript": _text(items),
        "words": [item.raw for item in items],
    }
    if "speaker" in items[0].raw:
        changed["speaker"] = items[0].raw["speaker"]
    if part and "id" in came:
        changed["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{came['id']} {part}"))
    return changed


def _places(segments: Sequence[Segment], channel: Channel) -> list[list[int]]:
    """Return which words of the channel each segment has."""
    places: dict[tuple[float, float, str], deque[int]] = defaultdict(deque)
    for at, word in enumerate(channel.words):
        places[word.start, word.end, word.text].append(at)
    return [
        [
            own.popleft()
            for word in segment.words
            if segment.channel == channel.index and (own := places.get((word.start, word.end, word.text)))
        ]
        for segment in segments
    ]


def _divided(
    items: Sequence[_Item], owned: Sequence[Sequence[int]], size: int, *, divide: bool
) -> list[tuple[bool, list[list[_Item]]]]:
    """Return the words of each segment, and whether it is as it came."""
    owner = [-1] * size
    for number, places in enumerate(owned):
        for at in places:
            owner[at] = number
    words: list[list[_Item]] = [[] for _ in owned]
    for item in items:
        if size and owner[item.beside] >= 0:
            words[owner[item.beside]].append(item)
    return [
        (
            len(own) == len(places) and all(item.untouched for item in own),
            list(_by_speaker(own, divide=divide)),
        )
        for own, places in zip(words, owned, strict=True)
    ]


def _paragraphs(raw: Json, channel: Channel, items: Sequence[_Item], *, divide: bool) -> Json:
    came = list(mappings(raw.get("paragraphs")))
    begins = [0]
    for part in channel.paragraphs:
        begins.append(begins[-1] + len(part.words))
    owned = [range(begin, end) for begin, end in pairwise(begins)]
    result: list[Json] = []
    for item, (same, parts) in zip(
        came, _divided(items, owned, len(channel.words), divide=divide), strict=True
    ):
        result += [item] if same else [_paragraph(part, item) for part in parts]
    texts, before = [], None
    for paragraph in result:
        text = " ".join(string(sentence.get("text")) for sentence in mappings(paragraph.get("sentences")))
        speaker = paragraph.get("speaker")
        texts.append(text if speaker in (None, before) else f"Speaker {speaker}: {text}")
        before = speaker
    return {**raw, "transcript": "\n" + "\n\n".join(texts), "paragraphs": result}


def _moved(value: Any, items: Sequence[_Item]) -> Any:
    """Return an analysis whose counts of words are those of the corrected ones."""
    if isinstance(value, list):
        return [_moved(item, items) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: _moved(item, items) for name, item in value.items()}
    start, end = value.get("start_word"), value.get("end_word")
    if isinstance(start, int) and isinstance(end, int) and items:
        inside = [at for at, item in enumerate(items) if start <= item.beside <= end]
        if inside:
            value |= {"start_word": inside[0], "end_word": inside[-1]}
    return value


def _channel(raw: Json, channel: Channel, items: Sequence[_Item], *, divide: bool) -> Json:
    alternatives = list(mappings(raw.get("alternatives"))) or [{}]
    first = alternatives[0]
    changed = {
        name: _moved(value, items) if name not in ("words", "paragraphs", "transcript") else value
        for name, value in first.items()
    }
    changed |= {"transcript": _text(items), "words": [item.raw for item in items]}
    if channel.paragraphs:
        changed["paragraphs"] = _paragraphs(mapping(first.get("paragraphs")), channel, items, divide=divide)
    return {**raw, "alternatives": [changed, *alternatives[1:]]}


def rebuilt(transcript: Transcript, channels: Sequence[Sequence[VoicedWord]]) -> Transcript:
    """Return the transcript with the corrected words of each channel; a channel in which nothing changes stays."""
    results = dict(mapping(transcript.raw.get("results")))
    raw_channels: list[Json] = list(mappings(results.get("channels")))
    raw_channels += [{}] * (len(transcript.channels) - len(raw_channels))
    utterances: dict[int, list[Json]] = {}
    came = list(mappings(results.get("utterances")))
    anything = False
    for channel, words in zip(transcript.channels, channels, strict=True):
        raw = raw_channels[channel.index]
        entries = _raw_words(channel, next(mappings(raw.get("alternatives")), {}))
        punctuated = not entries or any("punctuated_word" in entry for entry in entries)
        items = [_item(word, channel, entries, punctuated) for word in words]
        if len(items) == len(entries) and all(item.untouched for item in items):
            continue
        anything = True
        divide = any(word.reassigned for word in words)
        raw_channels[channel.index] = _channel(raw, channel, items, divide=divide)
        owned = _places(transcript.utterances, channel)
        divided = _divided(items, owned, len(channel.words), divide=divide)
        for number, (same, parts) in enumerate(divided):
            if transcript.utterances[number].channel == channel.index:
                utterances[number] = (
                    [came[number]]
                    if same
                    else [_utterance(part, came[number], at) for at, part in enumerate(parts)]
                )
        if len(transcript.channels) == 1:
            results = {
                name: value if name in ("channels", "utterances") else _moved(value, items)
                for name, value in results.items()
            }
    if not anything:
        return transcript
    results["channels"] = raw_channels
    if came:
        results["utterances"] = [
            item for number, own in enumerate(came) for item in utterances.get(number, [own])
        ]
    return replace(parse({**transcript.raw, "results": results}), body=b"")
