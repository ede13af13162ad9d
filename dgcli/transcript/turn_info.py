"""`TurnInfo`, the one message in which a Flux server says what it hears: no I/O.

A turn is what is said until the speaker is done; every message restates the whole of it. Words have times on newer
servers only: without them they are spread over the window of audio, by their length.
Sources: Deepgram reference, "Turn-based Audio (Flux)"; Deepgram guide, "Understanding the Flux State Machine".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dgcli.transcript.events import Final, Interim, Turn, TurnStage
from dgcli.transcript.json_values import number, string, whole
from dgcli.transcript.model import Word
from dgcli.transcript.response import parse_words


def _spread(words: Sequence[Word], start: float, end: float) -> tuple[Word, ...]:
    """Give words without times each a share of a window that is as long as its text."""
    total = sum(len(word.text) for word in words)
    length = max(0.0, end - start)
    spread, before = [], 0
    for word in words:
        after = before + len(word.text)
        begin, done = start + length * before / total, start + length * after / total
        spread.append(word._replace(start=begin, end=done))
        before = after
    return tuple(spread)


def _timed(words: Sequence[Word], start: float, end: float, offset: float) -> tuple[Word, ...]:
    """The words on the timeline of the stream; `start` and `end` of the window are on it already."""
    if not all(math.isfinite(word.start) and math.isfinite(word.end) for word in words):
        return _spread(words, start, end)
    return tuple(word._replace(start=word.start + offset, end=word.end + offset) for word in words)


def _languages(message: Mapping[str, Any]) -> tuple[str, ...]:
    languages = message.get("languages")
    return tuple(filter(None, map(string, languages))) if isinstance(languages, list) else ()


def _stage(message: Mapping[str, Any]) -> TurnStage:
    """What has become of the turn. An event that is not known yet changes nothing about it."""
    named = message.get("event")
    return next((stage for stage in TurnStage if stage.value == named), TurnStage.UPDATE)


def parse_turn(message: Mapping[str, Any], offset: float, cursor: float) -> Interim | Final:
    """The result in a `TurnInfo`: final at the end of a turn, provisional before.

    `offset` (seconds) is where the connection's time 0 lies on the stream's timeline, `cursor` how much audio was sent
    when the message came.
    """
    start = number(message.get("audio_window_start")) + offset
    end = max(start, number(message.get("audio_window_end")) + offset)
    text = string(message.get("transcript"))
    languages = _languages(message)
    words = _timed(parse_words(message.get("words"), 0), start, end, offset)
    if len(languages) == 1:
        words = tuple(word if word.language else word._replace(language=languages[0]) for word in words)
    turn = Turn(
        index=max(0, whole(message.get("turn_index")) or 0),
        stage=_stage(message),
        confidence=number(message.get("end_of_turn_confidence")),
        trigger=string(message.get("trigger")),
        languages=languages,
    )
    result = Interim(0, 1, start, end, text, words, cursor, offset, message, turn)
    return as_it_stands(result) if turn.stage is TurnStage.END else result


def as_it_stands(result: Interim) -> Final:
    """The final of a turn that ends with this message."""
    return Final(
        channel=result.channel,
        channels=result.channels,
        start=result.start,
        end=result.end,
        text=result.text,
        words=result.words,
        speech_final=True,
        from_finalize=result.turn is not None and result.turn.trigger == "manual",
        offset=result.offset,
        raw=result.raw,
        turn=result.turn,
    )
