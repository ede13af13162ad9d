"""The server's messages, read as events: no I/O, no threads.

Those of /v1/listen and of /v2/listen have types of their own, so that a saved message tells what it is.
Sources: Deepgram reference, "Live Audio", "Audio Keep Alive", "Finalize", "Turn-based Audio (Flux)".
"""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from dgcli.transcript.events import (
    Connected,
    Event,
    Final,
    Interim,
    Metadata,
    Notice,
    NoticeKind,
    SpeechStarted,
    UtteranceEnd,
)
from dgcli.transcript.json_values import mapping, number, string, whole
from dgcli.transcript.model import Word
from dgcli.transcript.response import MOST_CHANNELS, parse_words
from dgcli.transcript.turn_info import parse_turn


def _channel(value: object) -> tuple[int, int]:
    """Which channel of how many, from a `[channel, channels]` pair."""
    pair = value if isinstance(value, list) else []
    channel = max(0, whole(pair[0]) or 0) if pair else 0
    return channel, max(channel + 1, (whole(pair[1]) or 1) if len(pair) > 1 else 1)


def _shifted(word: Word, offset: float) -> Word:
    return word._replace(start=word.start + offset, end=word.end + offset) if offset else word


def _alternative(message: Mapping[str, Any]) -> Mapping[str, Any]:
    alternatives = mapping(message.get("channel")).get("alternatives")
    first: Iterator[object] = iter(alternatives if isinstance(alternatives, list) else [])
    return mapping(next(first, None))


def _results(message: Mapping[str, Any], offset: float, cursor: float, most: int) -> Interim | Final | Notice:
    channel, channels = _channel(message.get("channel_index"))
    if channels > most:
        return _refused(message, channel, channels, most)
    alternative = _alternative(message)
    start = number(message.get("start")) + offset
    end = start + max(0.0, number(message.get("duration")))
    text = string(alternative.get("transcript"))
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


def _refused(message: Mapping[str, Any], channel: int, channels: int, most: int) -> Notice:
    """Refuse a result of a channel that there is not: all that counts channels would go on for ever."""
    text = f"The server sent a result for channel {channel} of {channels}, where there are at most {most}: left out."
    return Notice(NoticeKind.SERVER, text, raw=message)


# What to do about an `Error` or a `Warning` of a Flux server, by its code.
_REMEDIES = MappingProxyType(
    {
        "FORCE_END_TURN_NO_ACTIVE_TURN": "Nobody was speaking: there was no turn to end.",
        "UNPARSABLE_CLIENT_MESSAGE": "This server does not know a message that was sent: it may be older, or not Flux.",
        "INTERNAL_SERVER_ERROR": "The stream goes on over a new connection; if this stays so, see status.deepgram.com.",
    }
)


def _server_notice(message: Mapping[str, Any]) -> Notice:
    """Read an `Error`, a `Warning` or a message of an unknown type."""
    kind = string(message.get("type")) or "message without a type"
    detail = next(
        filter(None, (string(message.get(key)) for key in ("description", "err_msg", "message"))), ""
    )
    code = string(message.get("variant")) or string(message.get("code"))
    text = f"The server sent {kind}" + (f" ({code})" if code else "") + (f": {detail}" if detail else ".")
    if remedy := _REMEDIES.get(code):
        text = f"{text.rstrip('.')}. {remedy}"
    return Notice(NoticeKind.SERVER, text, raw=message)


def words_of(message: Mapping[str, Any]) -> tuple[Word, ...]:
    """Return the words of a result as it came, of either endpoint, with the times of its connection."""
    if message.get("type") == "TurnInfo":
        return parse_words(message.get("words"), 0)
    return parse_words(_alternative(message).get("words"), _channel(message.get("channel_index"))[0])


_SHOWN = 10  # key terms; of more, the number


def _configured(message: Mapping[str, Any]) -> Notice:
    """Read a `ConfigureSuccess`: on /v1/listen it has the key terms if they changed, on /v2/listen all settings."""
    parts = []
    terms = message.get("keyterms")
    if isinstance(terms, list):
        known = [string(term) for term in terms]
        listed = ", ".join(known[:_SHOWN])
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        parts.append(f"key terms {listed}{more}" if known else "no key terms")
    hints = message.get("language_hints")
    if isinstance(hints, list) and hints:
        parts.append(f"language hints {', '.join(map(string, hints))}")
    for name, value in mapping(message.get("thresholds")).items():
        if isinstance(value, int | float):
            parts.append(f"{string(name)} {number(value):g}")
    if isinstance(message.get("numerals"), bool):
        parts.append(f"numerals {'on' if message['numerals'] else 'off'}")
    text = f"In force now: {'; '.join(parts)}." if parts else "The change of settings is in force."
    return Notice(NoticeKind.CONFIGURED, text, raw=message)


def _not_configured(message: Mapping[str, Any]) -> Notice:
    """Read a `ConfigureFailure`."""
    code, why = string(message.get("code")), string(message.get("description"))
    text = (
        "The server refused the change of settings"
        + (f" ({code})" if code else "")
        + (f": {why}" if why else ".")
    )
    return Notice(NoticeKind.NOT_CONFIGURED, text, raw=message)


def _loaded(text: str) -> object:
    """The JSON of a message. Raises `ValueError` and `RecursionError`."""
    message: object = json.loads(text)
    if "\\ud" in text.lower():  # perhaps half a character, which could not be written anywhere
        whole = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        message = json.loads(whole)
    return message


def parse_message(
    text: str, offset: float = 0.0, cursor: float = 0.0, *, channels: int = MOST_CHANNELS
) -> Event:
    """The event that a message of the server is.

    `offset` (seconds) is where the connection's time 0 lies on the stream's timeline, `cursor` how much audio
    was sent when the message came, `channels` how many there can be. A message that is no JSON object, of an unknown
    type, or about a channel that there is not, becomes a notice: nothing the server can say ends a stream.
    """
    try:
        message = _loaded(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        return Notice(NoticeKind.SERVER, f"The server sent what is no message: {text[:80]!r}")
    match message.get("type"):
        case "Results":
            return _results(message, offset, cursor, channels)
        case "TurnInfo":
            return parse_turn(message, offset, cursor)
        case "Connected":
            return Connected(string(message.get("request_id")), offset, message)
        case "UtteranceEnd":
            last = number(message.get("last_word_end"), -1.0)
            channel, _ = _channel(message.get("channel"))
            # -1, an utterance that had already ended, stays -1: it is no time.
            return UtteranceEnd(channel, last if last < 0 else last + offset, offset, message)
        case "SpeechStarted":
            channel, _ = _channel(message.get("channel"))
            return SpeechStarted(channel, number(message.get("timestamp")) + offset, offset, message)
        case "Metadata":
            return Metadata(
                request_id=string(message.get("request_id")),
                duration=number(message.get("duration")),
                channels=whole(message.get("channels")) or 0,
                offset=offset,
                raw=message,
            )
        case "ConfigureSuccess":
            return _configured(message)
        case "ConfigureFailure":
            return _not_configured(message)
        case _:
            return _server_notice(message)
