"""What to send on a stream and what a message means: no I/O, no threads.

Sources: Deepgram reference, "Live Audio", "STT Troubleshooting WebSocket, NET, and DATA Errors", "Audio Keep
Alive", "Finalize"; RFC 6455, section 7.4, for the close codes.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dgcli.events import (
    Event,
    Final,
    Interim,
    Metadata,
    Notice,
    NoticeKind,
    SpeechStarted,
    UtteranceEnd,
)
from dgcli.transcript import Word, parse_words

KEEP_ALIVE = '{"type":"KeepAlive"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

_ROUNDING = 0.005  # seconds: the API's times are 32-bit floats, which are 4 ms apart after nine hours


def finalize(channel: int | None = None) -> str:
    """The message that has everything buffered returned as final: of one channel, or of all."""
    return json.dumps({"type": "Finalize"} if channel is None else {"type": "Finalize", "channel": channel})


def _number(value: object, default: float = 0.0) -> float:
    """A finite number, or the default for whatever else stands there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        number = float(value)
    except OverflowError:
        return default
    return number if math.isfinite(number) else default


def _whole(value: object, default: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _channel(value: object) -> tuple[int, int]:
    """Which channel of how many, from a `[channel, channels]` pair."""
    pair = value if isinstance(value, list) else []
    channel = max(0, _whole(pair[0])) if pair else 0
    return channel, max(channel + 1, _whole(pair[1], 1) if len(pair) > 1 else 1)


def _shifted(word: Word, offset: float) -> Word:
    return replace(word, start=word.start + offset, end=word.end + offset) if offset else word


def _alternative(message: Mapping[str, Any]) -> Mapping[str, Any]:
    alternatives = _mapping(message.get("channel")).get("alternatives")
    first: Iterator[object] = iter(alternatives if isinstance(alternatives, list) else [])
    return _mapping(next(first, None))


def _results(message: Mapping[str, Any], offset: float, cursor: float) -> Interim | Final:
    channel, channels = _channel(message.get("channel_index"))
    alternative = _alternative(message)
    start = _number(message.get("start")) + offset
    end = start + max(0.0, _number(message.get("duration")))
    text = _text(alternative.get("transcript"))
    words = tuple(_shifted(word, offset) for word in parse_words(alternative.get("words"), channel))
    if message.get("is_final") is not True:
        return Interim(channel, channels, start, end, text, words, cursor, offset, message)
    return Final(
        channel=channel,
        channels=channels,
        start=start,
        end=end,
        text=text,
        words=words,
        speech_final=message.get("speech_final") is True,
        from_finalize=message.get("from_finalize") is True,
        offset=offset,
        raw=message,
    )


def _server_notice(message: Mapping[str, Any]) -> Notice:
    """What an `Error`, a `Warning` or a message of a kind that is new to us says."""
    kind = _text(message.get("type")) or "message without a type"
    said = next(filter(None, (_text(message.get(key)) for key in ("description", "err_msg", "message"))), "")
    code = _text(message.get("variant")) or _text(message.get("code"))
    text = f"The server sent {kind}" + (f" ({code})" if code else "") + (f": {said}" if said else ".")
    return Notice(NoticeKind.SERVER, text, raw=message)


def without_repeats(result: Interim | Final, floor: float) -> Interim | Final:
    """The result without the words that an earlier connection's finals held.

    `floor` is where those finals end, in seconds: a word whose middle lies before it is a repeat. Comparing
    starts would lose words to rounding. A word without a time is kept, and so is one whose middle lies just
    there: a final that held it would end where the word does.
    """
    until = floor - _ROUNDING
    kept = tuple(word for word in result.words if not (word.start + word.end) / 2 < until)
    if len(kept) == len(result.words):
        return result
    text = " ".join(word.text for word in kept)
    start = max(result.start, min(floor, result.end))
    return replace(result, words=kept, text=text, start=start)


def _loaded(text: str) -> object:
    """The JSON of a message. Raises `ValueError` and `RecursionError`."""
    message: object = json.loads(text)
    if "\\ud" in text.lower():  # perhaps half a character, which could not be written anywhere
        whole = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        message = json.loads(whole)
    return message


def parse(text: str, offset: float = 0.0, cursor: float = 0.0) -> Event:
    """The event that a message of the server is.

    `offset` (seconds) is where the connection's time 0 lies on the stream's timeline, `cursor` how much audio
    was sent when the message came. A message that is no JSON object, or of an unknown type, becomes a notice:
    nothing the server can say ends a stream.
    """
    try:
        message = _loaded(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        return Notice(NoticeKind.SERVER, f"The server sent what is no message: {text[:80]!r}")
    match message.get("type"):
        case "Results":
            return _results(message, offset, cursor)
        case "UtteranceEnd":
            last = _number(message.get("last_word_end"), -1.0)
            channel, _ = _channel(message.get("channel"))
            # -1, an utterance that had already ended, stays -1: it is no time.
            return UtteranceEnd(channel, last if last < 0 else last + offset, offset, message)
        case "SpeechStarted":
            channel, _ = _channel(message.get("channel"))
            return SpeechStarted(channel, _number(message.get("timestamp")) + offset, offset, message)
        case "Metadata":
            return Metadata(
                request_id=_text(message.get("request_id")),
                duration=_number(message.get("duration")),
                channels=_whole(message.get("channels")),
                offset=offset,
                raw=message,
            )
        case _:
            return _server_notice(message)
