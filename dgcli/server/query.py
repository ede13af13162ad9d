"""The query parameters of /v1/listen: read into options, refused as the API refuses them.

Source: the reference pages of /v1/listen (pre-recorded and live audio) and "API Errors". Unknown names
are ignored, as the API does. What a local recogniser cannot do is accepted and named in `warnings`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from dgcli.server.errors import BAD_REQUEST, ErrorAnswer, invalid_callback, invalid_query

ENCODINGS = frozenset(
    ["linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb", "opus", "ogg-opus", "speex", "g729"]
)
_MODEL = re.compile(
    r"(nova|enhanced|base|whisper|general|meeting|phonecall|finance|conversationalai|voicemail|video"
    r"|custom)(-[a-z0-9.-]+)?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]+)*|multi")
_CALLBACK_PORTS = (80, 443, 8080, 8443)  # page "Callback"
MAX_KEYTERM_TOKENS = 500
_LIMITS = {"keywords": 100, "search": 50, "custom_topic": 100, "custom_intent": 100}

# What Whisper and this server cannot do, by parameter. Asking is no error: the answer warns.
_CANNOT = {
    "diarize": "The local recogniser does not tell speakers apart.",
    "diarize_model": "The local recogniser does not tell speakers apart.",
    "summarize": "The local server does not summarize.",
    "topics": "The local server does not detect topics.",
    "detect_topics": "The local server does not detect topics.",
    "intents": "The local server does not detect intents.",
    "sentiment": "The local server does not detect sentiment.",
    "detect_entities": "The local server does not detect entities.",
    "redact": "The local server does not redact: the transcript holds everything that was recognised.",
    "measurements": "The local server does not abbreviate measurements.",
    "dictation": "The local server does not turn spoken punctuation into marks.",
}


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """One entry of `metadata.warnings`."""

    parameter: str
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a result is delivered."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Options:
    """What a request asks for; names and defaults are those of the API."""

    encoding: str | None = None
    sample_rate: int | None = None
    channels: int = 1
    multichannel: bool = False
    model: str | None = None
    language: str | None = None
    punctuate: bool = False
    paragraphs: bool = False
    utterances: bool = False
    utt_split: float = 0.8
    filler_words: bool = False
    profanity_filter: bool = False
    detect_language: bool = False
    candidates: Sequence[str] = ()
    search: Sequence[str] = ()
    replace: Sequence[tuple[str, str]] = ()
    vocabulary: Sequence[str] = ()
    tags: Sequence[str] = ()
    extra: Mapping[str, str] | None = None
    callback: Callback | None = None
    warnings: Sequence[QueryWarning] = ()


class Query:
    """The parameters of a request by name, each read with the type the API gives it."""

    def __init__(self, query: str) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    @property
    def names(self) -> Sequence[str]:
        """The names of the parameters, in their order."""
        return list(self._values)

    def many(self, name: str) -> Sequence[str]:
        """Return every value of a repeatable parameter."""
        values = self._values.get(name, [])
        if name in _LIMITS and len(values) > _LIMITS[name]:
            raise invalid_query(f"{name}: at most {_LIMITS[name]} values are allowed")
        return values

    def text(self, name: str) -> str | None:
        """Return the last value, or None."""
        values = self._values.get(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool:
        """Return a boolean, false when it was not sent."""
        value = self.text(name)
        if value is None:
            return False
        if value.lower() not in ("true", "false"):
            raise invalid_query(f"{name}: provided string was not `true` or `false`")
        return value.lower() == "true"

    def integer(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number within bounds, or None."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise invalid_query(f"{name}: expected a whole number from {low} to {high}, found `{value}`")
        return int(value)

    def decimal(self, name: str, low: float, high: float) -> float | None:
        """Return a number within bounds, or None."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d{1,9}(\.\d*)?|\.\d+", value) or not low <= float(value) <= high:
            raise invalid_query(f"{name}: expected a number from {low} to {high}, found `{value}`")
        return float(value)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of the choices, or None."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid_query(
                f"{name}: unknown variant `{value}`, expected one of {', '.join(f'`{c}`' for c in choices)}"
            )
        return value


def encoding_of(query: Query) -> str | None:
    """Return the encoding of raw audio that the request names."""
    return query.choice("encoding", sorted(ENCODINGS))


def is_model(name: str) -> bool:
    """Tell whether the API has, or ever had, a model of that name."""
    return _MODEL.fullmatch(name.lower()) is not None


def check_model(query: Query) -> None:
    """Refuse a model that the API has never had; every other one is accepted, whatever runs here."""
    model = query.text("model")
    if model is not None and not is_model(model):
        raise ErrorAnswer(
            403, "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."
        )


def check_diarizer(query: Query, choices: Sequence[str]) -> None:
    """Refuse a diarizer that is not there, or that is named twice."""
    model = query.choice("diarize_model", choices)
    if model and (query.text("diarize") is not None or query.text("diarize_version") is not None):
        raise ErrorAnswer(
            400, BAD_REQUEST, "diarize_model cannot be used together with diarize or diarize_version."
        )


def vocabulary_of(query: Query) -> Sequence[str]:
    """Return the terms of `keyterm` and `keywords` (without their intensifiers)."""
    keyterms = query.many("keyterm")
    if sum(len(term.split()) for term in keyterms) > MAX_KEYTERM_TOKENS:
        raise ErrorAnswer(
            400,
            BAD_REQUEST,
            "Bad Request: Keyterm limit exceeded. The maximum number of tokens across all keyterms is 500.",
        )
    words = []
    for keyword in query.many("keywords"):
        word, colon, boost = keyword.partition(":")
        if colon and not re.fullmatch(r"-?\d+(\.\d+)?", boost):
            raise invalid_query(f"keywords: the intensifier of `{word}` is not a number")
        words.append(word)
    return [*keyterms, *words]


def extra_of(query: Query) -> Mapping[str, str] | None:
    """Return the key-value pairs to echo; the first colon parts key and value."""
    pairs = {}
    for pair in query.many("extra"):
        key, colon, value = pair.partition(":")
        if not colon or not key:
            raise invalid_query("extra: expected KEY:VALUE")
        if len(pair) > 2048:
            raise invalid_query("extra: at most 2048 characters are allowed")
        pairs[key] = value
    return pairs or None


def tags_of(query: Query) -> Sequence[str]:
    """Return the labels to echo."""
    tags = query.many("tag")
    if any(len(tag) > 128 for tag in tags):
        raise invalid_query("tag: at most 128 characters are allowed")
    return tags


def replacements_of(query: Query) -> Sequence[tuple[str, str]]:
    """Return (find, replacement) pairs; no replacement deletes the term."""
    pairs = []
    for pair in query.many("replace"):
        find, _, replacement = pair.partition(":")
        if not find.strip():
            raise invalid_query("replace: expected FIND:REPLACEMENT")
        pairs.append((find, replacement))
    return pairs


def callback_of(
    query: Query,
    *,
    schemes: Sequence[str] = ("http", "https"),
    methods: Sequence[str] = ("POST", "PUT"),
    any_port: bool,
) -> Callback | None:
    """Return where the result goes; `any_port` lifts the API's rule on ports (for tests on this machine)."""
    method = (query.text("callback_method") or "POST").upper()
    if method not in methods:
        expected = ", ".join(f"`{known}`" for known in methods)
        raise invalid_query(f"callback_method: unknown variant, expected one of {expected}")
    url = query.text("callback")
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise invalid_callback() from error
    if parts.scheme not in schemes or not parts.hostname:
        raise invalid_callback()
    if not any_port and port is not None and port not in _CALLBACK_PORTS:
        raise invalid_callback()
    return Callback(url, method)


def warnings_of(query: Query) -> list[QueryWarning]:
    """Return a warning for each thing asked for that the local server cannot do."""
    return [
        QueryWarning(name, "unsupported_feature", message)
        for name, message in _CANNOT.items()
        if (query.text(name) or "false").lower() != "false"
    ]


def language_of(query: Query) -> str | None:
    """Return the language tag that the request names."""
    language = query.text("language")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise invalid_query(f"language: `{language}` is not a language tag")
    return language


def _candidates(query: Query) -> Sequence[str] | None:
    """Return the languages that `detect_language` names, none of them for any; None: it is not asked for."""
    values = [value.lower() for value in query.many("detect_language")]
    for value in values:
        if value not in ("true", "false") and not _LANGUAGE.fullmatch(value):
            raise invalid_query(f"detect_language: `{value}` is not a language tag")
    if all(value == "false" for value in values):
        return None
    return [value.split("-")[0] for value in values if value not in ("true", "false")]


def _check_summarize(query: Query) -> None:
    summarize = query.text("summarize")
    if summarize == "v1":
        raise ErrorAnswer(
            400,
            BAD_REQUEST,
            "To use the summarize feature, please use 'summarize=true' or 'summarize=v2'. "
            "The 'summarize=v1' parameter is deprecated.",
        )
    query.choice("summarize", ["v2", "true", "false"])
    language = query.text("language") or "en"
    if summarize in ("v2", "true") and language.split("-")[0].lower() != "en":
        raise ErrorAnswer(400, BAD_REQUEST, "Summarization v2 not supported for non-English languages")


def _utt_split(query: Query) -> float:
    value = query.text("utt_split")
    if value is None:
        return Options().utt_split
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", value) or not float(value) > 0:
        raise invalid_query(f"utt_split: expected a number of seconds above 0, found `{value}`")
    return float(value)


def parse(query_string: str, *, any_port: bool) -> Options:
    """Read the query of a pre-recorded request.

    `any_port` lifts the API's rule on the ports of a callback. Raises ErrorAnswer as the API would answer.
    """
    query = Query(query_string)
    check_model(query)
    check_diarizer(query, ["latest", "v1", "v2"])
    _check_summarize(query)
    for name in (
        "diarize",
        "filler_words",
        "mip_opt_out",
        "sentiment",
        "topics",
        "intents",
        "detect_entities",
    ):
        query.flag(name)
    for name in ("numerals", "measurements", "dictation", "detect_topics"):
        query.flag(name)
    for name in ("custom_topic_mode", "custom_intent_mode"):
        query.choice(name, ["extended", "strict"])
    query.many("custom_topic")
    query.many("custom_intent")
    smart = query.flag("smart_format")
    candidates = _candidates(query)
    return Options(
        encoding=encoding_of(query),
        sample_rate=query.integer("sample_rate", 1000, 384_000),
        channels=query.integer("channels", 1, 20) or 1,
        multichannel=query.flag("multichannel"),
        model=query.text("model"),
        language=language_of(query),
        # Detecting entities turns punctuation on, and so do paragraphs (reference of /v1/listen).
        punctuate=query.flag("punctuate")
        or smart
        or query.flag("paragraphs")
        or query.flag("detect_entities"),
        paragraphs=query.flag("paragraphs") or smart,
        utterances=query.flag("utterances"),
        utt_split=_utt_split(query),
        filler_words=query.flag("filler_words"),
        profanity_filter=query.flag("profanity_filter"),
        detect_language=candidates is not None,
        candidates=candidates or (),
        search=query.many("search"),
        replace=replacements_of(query),
        vocabulary=vocabulary_of(query),
        tags=tags_of(query),
        extra=extra_of(query),
        callback=callback_of(query, any_port=any_port),
        warnings=warnings_of(query),
    )
