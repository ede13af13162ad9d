"""The messages of a stream of turns (/v2/listen), both ways, in the form of the API.

Source: the reference of the live /v2/listen, the pages "Configure" and "Control Messages", and the types of the
official SDK. Every message of the server carries a number, which whoever sends it gives it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dgcli.server import live_messages, responses, wording
from dgcli.server.engines.base import HeardWord
from dgcli.server.flux_query import (
    EAGER_ABOVE_END,
    EAGER_RANGE,
    END_RANGE,
    MAX_KEYTERMS,
    TIMEOUT_RANGE,
    FluxOptions,
    Thresholds,
    invalid_hint,
)
from dgcli.server.live_messages import Control
from dgcli.server.query import MAX_KEYTERM_TOKENS
from dgcli.server.turns import TurnState

_TYPES = ("CloseStream", "Configure", "ForceEndTurn")
_FIELDS = ("type", "thresholds", "keyterms", "language_hints", "numerals")
_THRESHOLDS = ("eager_eot_threshold", "eot_threshold", "eot_timeout_ms")
_DIGITS = 3  # places of a number that are told: milliseconds, thousandths

UNPARSABLE = "Text message received from client did not match any of the formats we expect."

Message = dict[str, Any]


class UnparsableError(Exception):
    """A text message that the API does not know; it ends the stream."""


class ConfigureError(Exception):
    """A configuration that is not taken, no part of it."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def read(text: str) -> Control:
    """Read a text message. Raises UnparsableError."""
    try:
        message = live_messages.loaded(text)
    except (ValueError, RecursionError) as error:
        raise UnparsableError from error
    if not isinstance(message, dict) or message.get("type") not in _TYPES:
        raise UnparsableError
    return Control(message["type"], message)


def connected(request_id: str) -> Message:
    """Return the message that opens a stream."""
    return {"type": "Connected", "request_id": request_id}


def warning(request_id: str, code: str, description: str) -> Message:
    """Return a `Warning`; the stream goes on."""
    return {"type": "Warning", "request_id": request_id, "code": code, "description": description}


def error(code: str, description: str) -> Message:
    """Return an `Error`; the stream ends with it."""
    return {"type": "Error", "code": code, "description": description}


def turn_info(
    state: TurnState, words: Sequence[HeardWord], options: FluxOptions, *, request_id: str
) -> Message:
    """Return a `TurnInfo`; `words` are those of the turn as the options want them written."""
    message: Message = {
        "type": "TurnInfo",
        "request_id": request_id,
        "event": state.event.value,
        "turn_index": state.index,
        "audio_window_start": round(state.start, _DIGITS),
        "audio_window_end": round(state.end, _DIGITS),
        "transcript": wording.text_of(words),
        "words": [
            {
                "word": wording.written(word),
                "confidence": responses.single(word.confidence),
                "start": round(word.start, _DIGITS),
                "end": round(word.end, _DIGITS),
            }
            for word in words
        ],
        "end_of_turn_confidence": responses.single(state.confidence),
    }
    if state.trigger is not None:
        message["trigger"] = state.trigger.value
    if options.multilingual:
        spoken = Counter(word.language for word in words if word.language is not None)
        if spoken:
            message["languages"] = [language for language, _ in spoken.most_common()]
        if options.hints:
            message["languages_hinted"] = list(options.hints)
    return message


def configured(request_id: str, options: FluxOptions) -> Message:
    """Return the `ConfigureSuccess` that tells the whole configuration now in force."""
    thresholds: Message = {}
    if options.thresholds.eager is not None:
        thresholds["eager_eot_threshold"] = options.thresholds.eager
    thresholds |= {
        "eot_threshold": options.thresholds.end,
        "eot_timeout_ms": options.thresholds.timeout_ms,
    }
    message: Message = {
        "type": "ConfigureSuccess",
        "request_id": request_id,
        "thresholds": thresholds,
        "keyterms": list(options.vocabulary),
    }
    if options.multilingual:
        message["language_hints"] = list(options.hints)
    return message | {"numerals": options.numerals}


def not_configured(request_id: str, refusal: ConfigureError) -> Message:
    """Return the `ConfigureFailure` that tells why nothing was changed."""
    return {
        "type": "ConfigureFailure",
        "request_id": request_id,
        "code": refusal.code,
        "description": refusal.description,
    }


def _number(fields: Mapping[str, Any], name: str, bounds: tuple[float, float]) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not bounds[0] <= value <= bounds[1]:
        raise ConfigureError("INVALID_THRESHOLD", f"{name} must be a number from {bounds[0]} to {bounds[1]}")
    return value


def _thresholds(fields: Any, now: Thresholds) -> Thresholds:
    if not isinstance(fields, dict):
        raise ConfigureError("INVALID_THRESHOLD", "thresholds must be an object")
    unknown = [name for name in fields if name not in _THRESHOLDS]
    if unknown:
        raise ConfigureError("INVALID_THRESHOLD", f"Unknown thresholds: {', '.join(unknown)}")
    end = _number(fields, "eot_threshold", END_RANGE)
    eager = _number(fields, "eager_eot_threshold", EAGER_RANGE)
    timeout = _number(fields, "eot_timeout_ms", TIMEOUT_RANGE)
    if timeout is not None and timeout != int(timeout):
        raise ConfigureError("INVALID_THRESHOLD", "eot_timeout_ms must be a whole number of milliseconds")
    thresholds = Thresholds(
        end=now.end if end is None else end,
        eager=now.eager if eager is None else eager,
        timeout_ms=now.timeout_ms if timeout is None else int(timeout),
    )
    if thresholds.eager is not None and thresholds.eager > thresholds.end:
        raise ConfigureError("INVALID_THRESHOLD", EAGER_ABOVE_END)
    return thresholds


def _texts(value: Any, name: str, code: str) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ConfigureError(code, f"{name} must be a list of texts")
    return texts


def _keyterms(value: Any) -> list[str]:
    terms = _texts(value, "keyterms", "INVALID_KEYTERMS")
    if len(terms) > MAX_KEYTERMS:
        raise ConfigureError("KEYTERM_LIMIT_EXCEEDED", f"At most {MAX_KEYTERMS} keyterms are allowed.")
    if sum(len(term.split()) for term in terms) > MAX_KEYTERM_TOKENS:
        raise ConfigureError(
            "KEYTERM_LIMIT_EXCEEDED",
            f"The maximum number of tokens across all keyterms is {MAX_KEYTERM_TOKENS}.",
        )
    return terms


def _hints(value: Any, options: FluxOptions) -> list[str]:
    hints = _texts(value, "language_hints", "INVALID_LANGUAGE_HINT")
    if not options.multilingual:
        raise ConfigureError("INVALID_LANGUAGE_HINT", "Only flux-general-multi takes language hints.")
    for hint in hints:
        if wrong := invalid_hint(hint):
            raise ConfigureError("INVALID_LANGUAGE_HINT", wrong)
    return hints


def configure(fields: Mapping[str, Any], options: FluxOptions) -> FluxOptions:
    """Return the options with what a `Configure` changes; absent and null keep. Raises ConfigureError."""
    unknown = [name for name in fields if name not in _FIELDS]
    if unknown:
        raise ConfigureError("INVALID_CONFIGURATION", f"Unknown fields: {', '.join(unknown)}")
    if (thresholds := fields.get("thresholds")) is not None:
        options = replace(options, thresholds=_thresholds(thresholds, options.thresholds))
    if (terms := fields.get("keyterms")) is not None:
        options = replace(options, vocabulary=_keyterms(terms))
    if (hints := fields.get("language_hints")) is not None:
        options = replace(options, hints=_hints(hints, options))
    if (numerals := fields.get("numerals")) is not None:
        if not isinstance(numerals, bool):
            raise ConfigureError("INVALID_NUMERALS", "numerals must be true or false")
        options = replace(options, numerals=numerals)
    return options
