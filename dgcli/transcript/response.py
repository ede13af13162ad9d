"""What was said: words, segments and transcripts, parsed from a response or collected from a stream.

Times are seconds from the start of the audio. Channels and speakers count from 0.
Source of the shapes: Deepgram reference, "Transcribe - Local file", response schema.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dgcli.errors import ApiError
from dgcli.transcript.json_values import (
    LONGEST,
    json_object,
    mapping,
    mappings,
    number,
    seconds,
    string,
    whole,
)
from dgcli.transcript.model import Channel, Segment, Transcript, Word
from dgcli.transcript.oddities import odd_response, unread_response

MOST_CHANNELS = 1000  # of a recording; what speaks of more is broken


def _parse_word(item: Mapping[str, Any], channel: int) -> Word | None:
    """The word in an item of which anything may be odd; None if it has no text."""
    heard, language, of_speaker = (
        string(item.get("word")),
        item.get("language"),
        item.get("speaker_confidence"),
    )
    text = string(item.get("punctuated_word")) or heard
    if not text.strip():
        return None
    return Word(
        text,
        seconds(item.get("start")),
        seconds(item.get("end")),
        seconds(item.get("confidence", 0.0)),
        heard or text,
        whole(item.get("speaker")),
        channel,
        None if language is None else string(language) or None,
        None if of_speaker is None else number(of_speaker, 1.0),
    )


def parse_words(items: object, channel: int) -> tuple[Word, ...]:
    """The words of a `words` list; entries without text are left out."""
    words = list[Word]()
    add, make = words.append, tuple.__new__  # which is what Word does, after a call
    for item in items if isinstance(items, list) else ():
        # Most items have all fields, and floats, integers and texts where they belong: one look is enough.
        try:
            text, heard, sure = item["punctuated_word"], item["word"], item["confidence"]
            start, end = item["start"], item["end"]
        except (KeyError, TypeError):
            if not isinstance(item, dict):
                continue
            text = None
        get = item.get
        speaker, language, of_speaker = get("speaker"), get("language"), get("speaker_confidence")
        if (
            type(text) is str is type(heard)
            and type(start) is float is type(end)
            and type(sure) is float
            and 0.0 <= start <= end <= LONGEST
            and 0.0 <= sure <= LONGEST
            and (speaker is None or type(speaker) is int)
            and (language is None or (type(language) is str and language.isascii() and language))
            and (of_speaker is None or (type(of_speaker) is float and 0.0 <= of_speaker <= LONGEST))
            and text.isascii()
            and heard.isascii()
            and heard
            and text.strip()
        ):
            add(make(Word, (text, start, end, sure, heard, speaker, channel, language, of_speaker)))
            continue
        word = _parse_word(item, channel)
        if word is not None:
            add(word)
    return tuple(words)


def _paragraphs(alternative: Mapping[str, Any], words: Sequence[Word], channel: int) -> tuple[Segment, ...]:
    """The API's paragraphs, with the words they are made of; they count words in order."""
    segments, at = [], 0
    for item in mappings(mapping(alternative.get("paragraphs")).get("paragraphs")):
        text = " ".join(
            filter(None, (string(s.get("text")).strip() for s in mappings(item.get("sentences"))))
        )
        many = whole(item.get("num_words")) or 0
        segments.append(
            Segment(
                text=text,
                words=tuple(words[at : at + many]),
                channel=channel,
                speaker=whole(item.get("speaker")),
            )
        )
        at += many
    return tuple(segments)


def _channel(item: Mapping[str, Any], index: int) -> Channel:
    alternative = next(mappings(item.get("alternatives")), {})
    words = parse_words(alternative.get("words"), index)
    return Channel(
        index=index,
        text=string(alternative.get("transcript")),
        words=words,
        paragraphs=_paragraphs(alternative, words, index),
        confidence=seconds(alternative.get("confidence", 0.0)),
        detected_language=string(item.get("detected_language")) or None,
    )


def _utterance(item: Mapping[str, Any]) -> Segment:
    channel = max(0, whole(item.get("channel")) or 0)
    return Segment(
        text=string(item.get("transcript")),
        words=parse_words(item.get("words"), channel),
        channel=channel,
        speaker=whole(item.get("speaker")),
        goes_on=item.get("goes_on") is True,
    )


def _from_utterances(utterances: Sequence[Segment], count: int) -> tuple[Channel, ...]:
    """Channels of a file that was still being written: its words stand in the utterances only."""
    channels = []
    last = max(utterance.channel for utterance in utterances)
    if last >= MOST_CHANNELS:
        raise ApiError(f"The response has an utterance of channel {last}, which no recording has.")
    for index in range(max(count, last + 1)):
        own = [utterance for utterance in utterances if utterance.channel == index]
        words = tuple(word for utterance in own for word in utterance.words)
        channels.append(Channel(index, " ".join(utterance.text for utterance in own), words))
    return tuple(channels)


def _warning(item: Mapping[str, Any]) -> str:
    message = string(item.get("message")) or json.dumps(item)
    parameter = string(item.get("parameter"))
    return f"{parameter}: {message}" if parameter else message


def _given_names(response: Mapping[str, Any]) -> Mapping[int, str] | None:
    """The names of speakers in a response that was corrected, in its page or by an aligned text."""
    if not isinstance(response.get("corrections"), dict):
        return None
    names = mapping(response["corrections"].get("speaker_names"))
    return {
        int(number): string(name)
        for number, name in names.items()
        if number.isascii() and number.isdecimal() and len(number) < 10 and string(name).strip()
    }


def with_names(corrections: object, names: Mapping[int, str]) -> Mapping[str, Any]:
    """Return the field `corrections` of a response, as it is or None, with these names of speakers.

    Where it is new, nobody has said of each word who spoke it, as is done in the page.
    """
    known = {"speakers_as_recognized": True} if corrections is None else mapping(corrections)
    return {**known, "speaker_names": {str(number): name for number, name in sorted(names.items())}}


def parse(response: Mapping[str, Any], body: bytes = b"") -> Transcript:
    """The transcript in a response of `POST /v1/listen`, or in the body of a callback.

    Fields that are missing or of another type than documented are left out. Raises `ApiError` when there are
    no results at all, which is what another kind of JSON looks like, when no word can be read though that is not
    what silence looks like, and for channels beyond `MOST_CHANNELS`.
    """
    metadata, results = mapping(response.get("metadata")), response.get("results")
    request_id = string(metadata.get("request_id")) or string(response.get("request_id")) or None
    if not isinstance(results, dict) or not isinstance(results.get("channels"), list):
        raise ApiError("The answer is JSON, but no transcript.", request_id=request_id)
    channels = tuple(_channel(item, index) for index, item in enumerate(mappings(results["channels"])))
    utterances = tuple(_utterance(item) for item in mappings(results.get("utterances")))
    odd = odd_response(results, channels, metadata)
    if not any(channel.words or channel.text for channel in channels):
        if not utterances and (nothing := unread_response(results)):
            raise ApiError(nothing, request_id=request_id)
        if utterances:
            channels = _from_utterances(utterances, len(channels))
    duration = seconds(metadata.get("duration"))
    return Transcript(
        channels=channels,
        utterances=utterances,
        request_id=string(metadata.get("request_id")) or None,
        created=string(metadata.get("created")) or None,
        duration=None if math.isnan(duration) else duration,
        warnings=(*(_warning(item) for item in mappings(metadata.get("warnings"))), *([odd] if odd else ())),
        given_names=_given_names(response),
        raw=response,
        body=body,
    )


def parse_body(body: bytes) -> Transcript:
    """The transcript in the bytes of a response. Raises `ApiError` when they are no JSON or no transcript."""
    try:
        response = json.loads(body)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise ApiError(f"The answer is no JSON: {error}.") from None
    return parse_json(response, body)


def parse_json(response: object, body: bytes) -> Transcript:
    """Return the transcript in a response that is decoded. Raises `ApiError` when it is none."""
    if not isinstance(response, dict):
        raise ApiError("The answer is JSON, but no transcript.")
    return parse(response, body)


def callback_id(body: bytes) -> str | None:
    """The request id of an answer that says no more than that: its transcript goes to a callback."""
    if len(body) > 1000:
        return None
    answer = json_object(body)  # where it is none, `parse_body` says what is wrong with it
    if answer is not None and "request_id" in answer and "results" not in answer:
        return str(answer["request_id"])
    return None
