"""The query parameters of the live /v1/listen, and its refusals before the socket opens.

Source: the reference page "Live Audio" and the captured answers of the API.
"""

import json
import re
from dataclasses import dataclass

from dgcli.server import query as common
from dgcli.server.errors import BAD_REQUEST, ErrorAnswer, invalid_query
from dgcli.server.query import Options, Query

_NEED_RATE = frozenset(["linear16", "linear32", "mulaw", "alaw"])
_IGNORED_FLAGS = ("diarize", "mip_opt_out", "numerals", "dictation", "no_delay", "ner")


@dataclass(frozen=True, slots=True)
class LiveOptions(Options):
    """What a stream asks for; `endpointing` and `utterance_end` in seconds, None for never."""

    interim_results: bool = False
    endpointing: float | None = 0.01
    utterance_end: float | None = None
    vad_events: bool = False
    speakers: bool = False


def _refuse_batch_features(query: Query) -> None:
    if (query.text("summarize") or "false").lower() != "false":
        raise ErrorAnswer(400, BAD_REQUEST, "Summarization is not available for streaming.")
    if (query.text("detect_language") or "false").lower() != "false":
        raise ErrorAnswer(400, BAD_REQUEST, "Language detection is not available for streaming.")
    asked = [name for name in ("topics", "intents") if query.flag(name)]
    if asked:
        raise ErrorAnswer(
            403,
            "UNAUTHORIZED_FEATURES_REQUESTED",
            f"Project does not have access to the requested feature/s {json.dumps(asked)}.",
        )


def _endpointing(query: Query) -> float | None:
    value = query.text("endpointing")
    if value is None or value.lower() == "true":
        return LiveOptions().endpointing
    if value.lower() == "false":
        return None
    if not re.fullmatch(r"\d{1,7}", value):
        raise invalid_query(f"endpointing: expected milliseconds or `false`, found `{value}`")
    return int(value) / 1000


def _utterance_end(query: Query, interim_results: bool) -> float | None:
    value = query.integer("utterance_end_ms", 1000, 5000)
    if value is None:
        return None
    if not interim_results:
        raise invalid_query("utterance_end_ms: needs `interim_results=true`")
    return value / 1000


def parse(query_string: str, *, any_port: bool) -> LiveOptions:
    """Read the query of a live stream. Raises ErrorAnswer as the API would answer the handshake."""
    query = Query(query_string)
    common.check_model(query)
    common.check_diarizer(query, ["latest", "v1"])
    _refuse_batch_features(query)
    for name in _IGNORED_FLAGS:
        query.flag(name)
    encoding = common.encoding_of(query)
    sample_rate = query.integer("sample_rate", 1000, 384_000)
    if encoding in _NEED_RATE and sample_rate is None:
        raise invalid_query(f"sample_rate: must be given with `encoding={encoding}`")
    interim_results = query.flag("interim_results")
    return LiveOptions(
        encoding=encoding,
        sample_rate=sample_rate,
        channels=query.integer("channels", 1, 20) or 1,
        multichannel=query.flag("multichannel"),
        model=query.text("model"),
        language=common.language_of(query),
        punctuate=query.flag("punctuate") or query.flag("smart_format") or query.flag("detect_entities"),
        filler_words=query.flag("filler_words"),
        profanity_filter=query.flag("profanity_filter"),
        search=query.many("search"),
        replace=common.replacements_of(query),
        vocabulary=common.vocabulary_of(query),
        tags=common.tags_of(query),
        extra=common.extra_of(query),
        callback=common.callback_of(
            query,
            schemes=("http", "https", "ws", "wss"),
            methods=("POST", "GET", "PUT", "DELETE"),
            any_port=any_port,
        ),
        warnings=common.warnings_of(query),
        interim_results=interim_results,
        endpointing=_endpointing(query),
        utterance_end=_utterance_end(query, interim_results),
        vad_events=query.flag("vad_events"),
        speakers=query.flag("diarize") or query.text("diarize_model") is not None,
    )
