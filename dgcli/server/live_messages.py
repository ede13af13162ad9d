"""The messages of a live stream, both ways, in the form and key order of the API.

Source: the reference of the live /v1/listen; key order and texts as captured.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from dgcli.server import responses, wording
from dgcli.server.engines.base import HeardSegment, HeardWord, Model
from dgcli.server.live_query import LiveOptions
from dgcli.server.query import MAX_KEYTERM_TOKENS

_TYPES = ("CloseStream", "Configure", "Sync", "KeepAlive", "Finalize")  # in the order of the API's message
_OLD_MODEL = re.compile(r"(nova-2|nova|enhanced|base)(-(?!3)|$)", re.IGNORECASE)  # those without key terms

NET_0000 = (
    "Deepgram did not provide a response message within the timeout window. See https://dpgr.am/net0000"
)
NET_0001 = (
    "Deepgram did not receive audio data or a text message within the timeout window. "
    "See https://dpgr.am/net0001"
)
DATA_0000 = "DATA-0000"


class SchemaError(Exception):
    """A text message that the API does not know; `answer` is what it answers."""

    def __init__(self, text: str, detail: str, column: int) -> None:
        super().__init__(detail)
        self.answer = dump(
            {
                "type": "Error",
                "variant": "SchemaError",
                "description": f"Could not deserialize last text message: {detail} at line 1 column {column}",
                "message": text,
            }
        )


@dataclass(frozen=True, slots=True)
class Control:
    """A text message of the client: its type and its other fields."""

    type: str
    fields: Mapping[str, Any]


def dump(message: Mapping[str, Any]) -> str:
    """Return a message as it goes on the wire."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def loaded(text: str) -> object:
    """Return the JSON of a message. Raises ValueError, also for half a character, and RecursionError."""
    message: object = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(message, ensure_ascii=False).encode()  # an answer repeats it
    return message


def read(text: str) -> Control:
    """Read a text message. Raises SchemaError."""
    try:
        message = loaded(text)
    except RecursionError as error:
        raise SchemaError(text, "recursion limit exceeded", len(text)) from error
    except ValueError as error:
        raise SchemaError(text, "expected value", getattr(error, "colno", 1)) from error
    if not isinstance(message, dict):
        raise SchemaError(text, "invalid type, expected a map", len(text))
    kind = message.get("type")
    if kind is None:
        raise SchemaError(text, "missing field `type`", len(text))
    if kind not in _TYPES:
        expected = ", ".join(f"`{name}`" for name in _TYPES)
        raise SchemaError(text, f"unknown variant `{kind}`, expected one of {expected}", len(text))
    channel = message.get("channel")
    if kind == "Finalize" and channel is not None and (not isinstance(channel, int) or channel < 0):
        raise SchemaError(text, "invalid value for `channel`, expected a channel number", len(text))
    return Control(kind, message)


def results(
    segment: HeardSegment,
    words: Sequence[HeardWord],
    options: LiveOptions,
    *,
    channels: int,
    request_id: str,
    model: Model,
) -> str:
    """Return a `Results` message; `words` are those of the segment as the options want them written."""
    channel: dict[str, Any] = {
        "alternatives": [
            {
                "transcript": wording.text_of(words),
                "confidence": responses.single(median(word.confidence for word in words)) if words else 0.0,
                "words": [responses.word_json(word) for word in words],
            }
        ]
    }
    if options.search:
        channel["search"] = responses.search_json(segment.words, options.search)
    metadata: dict[str, Any] = {
        "request_id": request_id,
        "model_info": responses.model_info(model),
        "model_uuid": model.uuid,
    }
    if options.extra:
        metadata["extra"] = dict(options.extra)
    return dump(
        {
            "type": "Results",
            "channel_index": [segment.channel, channels],
            "duration": responses.single(segment.duration),
            "start": responses.single(segment.start),
            "is_final": segment.is_final,
            "speech_final": segment.speech_final,
            "channel": channel,
            "metadata": metadata,
            "from_finalize": segment.from_finalize,
        }
    )


def speech_started(channel: int, channels: int, at: float) -> str:
    """Return a `SpeechStarted` message."""
    return dump({"type": "SpeechStarted", "channel": [channel, channels], "timestamp": responses.single(at)})


def utterance_end(channel: int, channels: int, last_word_end: float) -> str:
    """Return an `UtteranceEnd` message."""
    return dump(
        {
            "type": "UtteranceEnd",
            "channel": [channel, channels],
            "last_word_end": responses.single(last_word_end),
        }
    )


def metadata(
    *,
    request_id: str,
    sha256: str,
    created: datetime,
    duration: float,
    channels: int,
    model: Model,
    extra: Mapping[str, str],
) -> str:
    """Return the `Metadata` message; without any audio (0 channels) it names no model."""
    message: dict[str, Any] = {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": responses.timestamp(created),
        "duration": responses.single(duration),
        "channels": channels,
    }
    if channels:
        message["models"] = [model.uuid]
        message["model_info"] = {model.uuid: responses.model_info(model)}
    if extra:
        message["extra"] = dict(extra)
    return dump(message)


def _configure_fault(fields: Mapping[str, Any], model: str | None) -> tuple[str, str] | None:
    """Return code and description of what is wrong with a `Configure`, if anything."""
    terms, features = fields.get("keyterms"), fields.get("features")
    if terms is not None:
        if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
            return "CONFIGURE_INTERNAL_ERROR", "keyterms must be a list of texts."
        if _OLD_MODEL.match(model or ""):
            return "CONFIGURE_KEYTERMS_NOT_SUPPORTED", f"The model {model} does not support keyterms."
        if sum(len(term.split()) for term in terms) > MAX_KEYTERM_TOKENS:
            what = f"The maximum number of tokens across all keyterms is {MAX_KEYTERM_TOKENS}."
            return "CONFIGURE_KEYTERM_LIMIT_EXCEEDED", what
    if features is not None:
        if not isinstance(features, dict):
            return "CONFIGURE_INTERNAL_ERROR", "features must be an object."
        if not isinstance(features.get("numerals") or False, bool):
            return "CONFIGURE_INTERNAL_ERROR", "numerals must be true or false."
    return None


def configured(
    request_id: str, fields: Mapping[str, Any], model: str | None
) -> tuple[str, Sequence[str] | None]:
    """Return the answer to `Configure`, and the new terms (None: they stay as they are).

    `model` is the query's: key terms came with Nova-3. Numerals are written as digits whatever is asked.
    """
    if fault := _configure_fault(fields, model):
        code, why = fault
        failure = {"type": "ConfigureFailure", "request_id": request_id, "code": code, "description": why}
        return dump(failure), None
    terms: Sequence[str] | None = fields.get("keyterms")
    success: dict[str, Any] = {"type": "ConfigureSuccess", "request_id": request_id}
    if terms is not None:
        success["keyterms"] = terms
    return dump(success), terms
