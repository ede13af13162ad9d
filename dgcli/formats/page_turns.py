"""What is said as the page has it: paragraphs to read, each with its words as data for the page's script.

The words of a paragraph stand in `data-words` as columns of the response's own fields, so that a response can be
made of them again when somebody has corrected them: a value that all words share stands there once.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from dgcli.captions.text import clean, spaces
from dgcli.captions.voice import Voice
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import short_clock
from dgcli.formats.turns import voice
from dgcli.transcript.json_values import mapping, mappings, string
from dgcli.transcript.model import Channel, Segment, Transcript, Word

_LOW = 0.7  # a word of less confidence is marked
_COLOURS = 8
# What would end a tag, a string or a line, what has no shape, and what makes text read as something else (UAX #9).
_ESCAPED = "<>&'\u2028\u2029\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSAFE = {code: f"\\u{code:04x}" for code in (*map(ord, _ESCAPED), *range(0x7F, 0xA0))}


def one_line(text: object) -> str:
    """Return text as HTML, on one line and without controls."""
    return escape(" ".join(clean(str(text)).split()))


def _finite(value: object) -> object:
    """The value with nothing that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def as_json(value: object) -> str:
    """Return JSON that may stand in a script element and between single quotes in a tag."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    if not text.isascii() and re.search("[\ud800-\udfff]", text):
        text = json.dumps(_finite(value), separators=(",", ":"))
    return text.translate(_UNSAFE)


class Voices:
    """The voices of a transcript in the order in which they are heard; each has a number and a colour."""

    def __init__(self, options: RenderSettings, several_channels: bool) -> None:
        self._options, self._several = options, several_channels
        self._numbers: dict[Voice, int] = {}

    def number(self, voice: Voice) -> int:
        """Return the number of a voice, a new one where it was not heard before."""
        return self._numbers.setdefault(voice, len(self._numbers))

    def name(self, voice: Voice) -> str:
        """Return the name of a voice; empty where nothing tells it from others."""
        return self._options.who(voice, self._several)

    def colour(self, voice: Voice) -> str:
        """Return the class that gives a voice its colour."""
        return f"v{self.number(voice) % _COLOURS}"

    def __iter__(self) -> Iterator[Voice]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def _column(values: list[object]) -> object:
    """The values of a field; one that all of them share stands alone."""
    first = values[0]
    shared = not isinstance(first, list | dict) and all(
        value == first and type(value) is type(first) for value in values
    )
    return first if shared else values


def _item(word: Word) -> Mapping[str, Any]:
    """A word as a response has it."""
    item: dict[str, Any] = {"word": word.word or word.text, "start": word.start, "end": word.end}
    item |= {"confidence": word.confidence, "punctuated_word": word.text}
    if word.speaker is not None:
        item["speaker"] = word.speaker
    if word.speaker_confidence is not None:
        item["speaker_confidence"] = word.speaker_confidence
    if word.language is not None:
        item["language"] = word.language
    return item


def word_data(words: Sequence[Word], items: Sequence[Mapping[str, Any]], groups: Mapping[str, object]) -> str:
    """Return the words of a paragraph as JSON; `groups` has the utterances and paragraphs they belong to."""
    entries = items or [_item(word) for word in words]
    names = dict.fromkeys(name for entry in entries for name in entry)
    columns = {name: _column([entry.get(name) for entry in entries]) for name in names}
    return as_json({"n": len(entries), "items": columns, **groups})


def _numbered(segments: Iterable[Segment], words: Sequence[Word]) -> list[int]:
    """The number of the segment that each word belongs to; empty where they do not hold the same words."""
    numbers: list[int] = []
    at = 0
    for number, segment in enumerate(segments):
        if segment.words and (at >= len(words) or words[at].start != segment.words[0].start):
            return []
        numbers += [number] * len(segment.words)
        at += len(segment.words)
    return numbers if at == len(words) else []


class ChannelWords:
    """The words of a channel, as its paragraphs take them one after the other, with what the response says of them."""

    def __init__(self, channel: Channel, transcript: Transcript, spoken: Iterable[Segment]) -> None:
        own = [word for segment in spoken if segment.channel == channel.index for word in segment.words]
        self._at = 0
        self._items: list[Mapping[str, Any]] = []
        self._groups: dict[str, list[int]] = {}
        if own != list(channel.words):
            return  # utterances that say something else: their words are all there is
        raw = list(mappings(mapping(transcript.raw.get("results")).get("channels")))
        alternatives = mappings(raw[channel.index].get("alternatives")) if channel.index < len(raw) else ()
        items = [
            item
            for item in mappings(next(iter(alternatives), {}).get("words"))
            if (string(item.get("punctuated_word")) or string(item.get("word"))).strip()
        ]
        if len(items) == len(own):
            self._items = items
        utterances = [item for item in transcript.utterances if item.channel == channel.index]
        self._groups = {"u": _numbered(utterances, own), "p": _numbered(channel.paragraphs, own)}

    def data(self, segment: Segment) -> str:
        """Return the next words, those of a segment, as JSON."""
        begin, self._at = self._at, self._at + len(segment.words)
        groups = {
            name: _column(list(numbers[begin : self._at]))
            for name, numbers in self._groups.items()
            if numbers
        }
        try:
            return word_data(segment.words, self._items[begin : self._at], groups)
        except RecursionError:  # fields that nobody knows, nested too deep to be written again
            return word_data(segment.words, (), groups)


def _text(segment: Segment) -> str:
    """The text, with the words marked that were heard with little confidence."""
    if not segment.words:
        return one_line(segment.text)
    texts = [" ".join(clean(word.text).split()) for word in segment.words]
    parts = []
    for space, text, word in zip(spaces(texts), texts, segment.words, strict=True):
        said = escape(text)
        if word.confidence < _LOW and text:
            said = f'<span class="low" title="{word.confidence:.0%} sure">{said}</span>'
        parts.append(space + said)
    return "".join(parts)


def anchor(segment: Segment, voices: Voices) -> str:
    """Return the name of a paragraph's place in the page."""
    return f"t{segment.start:.3f}-{voices.number(voice(segment))}"


def turn(segment: Segment, voices: Voices, data: str, before: Segment | None) -> str:
    """Write a paragraph: who speaks and when in the gutter, then what is said.

    A voice that goes on after `before` is not named again where people see who is speaking.
    """
    speaker, start = voice(segment), segment.start
    name = one_line(voices.name(speaker))
    same = " same" if before is not None and voice(before) == speaker else ""
    number = "" if segment.speaker is None else f' data-speaker="{segment.speaker}"'
    who = f'<span class="who">{name}</span> ' if name else ""
    times = at = ""
    if math.isfinite(start):
        end = segment.end if math.isfinite(segment.end) else start
        place = anchor(segment, voices)
        times = f' data-s="{start:.3f}" data-e="{end:.3f}"'
        at = f'<a class="at" id="{place}" href="#{place}" data-s="{start:.3f}">{short_clock(start)}</a>'
    words = f" data-words='{data}'" if segment.words else ""
    return (
        f'<div class="turn {voices.colour(speaker)}{same}" data-channel="{segment.channel}"{number}{times}{words}>'
        f'<div class="by">{who}{at}</div><p dir="auto">{_text(segment)}</p></div>\n'
    )
