"""The query parameters of /v2/listen (Flux), and its refusals before the socket opens.

Source: the reference of the live /v2/listen and the pages "End-of-Turn Configuration" and "Configure". Unlike
/v1/listen, the API refuses names that it does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dgcli.server import query as common
from dgcli.server.errors import INVALID_QUERY, ErrorAnswer, invalid_query
from dgcli.server.query import Options, Query

ENGLISH, MULTILINGUAL = "flux-general-en", "flux-general-multi"
LANGUAGES = ("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl")  # that the multilingual model knows
EAGER_ABOVE_END = "eager_eot_threshold must be less than or equal to eot_threshold"
MAX_KEYTERMS = 100
EAGER_RANGE, END_RANGE, TIMEOUT_RANGE = (0.3, 0.9), (0.5, 1.0), (500, 60_000)

_NAMES = frozenset(
    """model encoding sample_rate eager_eot_threshold eot_threshold eot_timeout_ms keyterm language_hint
    profanity_filter numerals redact mip_opt_out tag""".split()
)
_RAW = ("linear16", "linear32", "mulaw", "alaw", "opus")
_ENCODINGS = (*_RAW, "ogg-opus")
_RATES = (8000, 16_000, 24_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a turn ends: confidences (0-1; `eager` None for no early ends), and a silence in milliseconds."""

    end: float = 0.7
    eager: float | None = None
    timeout_ms: int = 5000


@dataclass(frozen=True, slots=True)
class FluxOptions(Options):
    """What a stream of turns asks for; the text of Flux is always punctuated."""

    punctuate: bool = True
    thresholds: Thresholds = field(default_factory=Thresholds)
    hints: Sequence[str] = ()
    numerals: bool = False

    @property
    def multilingual(self) -> bool:
        """Whether several languages may be spoken."""
        return self.model == MULTILINGUAL


def invalid_hint(hint: str) -> str | None:
    """Return what is wrong with a language hint, if anything."""
    if hint.lower().split("-")[0] in LANGUAGES:
        return None
    return (
        f"language_hint: unknown language `{hint}`, expected one of {', '.join(f'`{c}`' for c in LANGUAGES)}"
    )


def _check_names(query: Query) -> None:
    unknown = [name for name in query.names if name not in _NAMES]
    if unknown:
        raise ErrorAnswer(400, INVALID_QUERY, f"Unknown query parameters: {', '.join(unknown)}")


def _model(query: Query) -> str:
    model = query.text("model")
    if model is None:
        raise invalid_query("missing field `model`")
    if model not in (ENGLISH, MULTILINGUAL):
        raise ErrorAnswer(
            403, "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."
        )
    return model


def _thresholds(query: Query) -> Thresholds:
    default = Thresholds()
    end = query.decimal("eot_threshold", *END_RANGE)
    thresholds = Thresholds(
        end=default.end if end is None else end,
        eager=query.decimal("eager_eot_threshold", *EAGER_RANGE),
        timeout_ms=query.integer("eot_timeout_ms", *TIMEOUT_RANGE) or default.timeout_ms,
    )
    if thresholds.eager is not None and thresholds.eager > thresholds.end:
        raise invalid_query(EAGER_ABOVE_END)
    return thresholds


def _hints(query: Query, model: str) -> Sequence[str]:
    hints = query.many("language_hint")
    if hints and model != MULTILINGUAL:
        raise invalid_query(f"language_hint: only `{MULTILINGUAL}` takes language hints")
    for hint in hints:
        if wrong := invalid_hint(hint):
            raise invalid_query(wrong)
    return hints


def parse(query_string: str) -> FluxOptions:
    """Read the query of a stream of turns. Raises ErrorAnswer as the API would answer the handshake."""
    query = Query(query_string)
    _check_names(query)
    model = _model(query)
    encoding = query.choice("encoding", _ENCODINGS)
    sample_rate = query.integer("sample_rate", 0, 1_000_000)
    if sample_rate is not None and sample_rate not in _RATES:
        rates = ", ".join(str(rate) for rate in _RATES)
        raise invalid_query(f"sample_rate: expected one of {rates}, found `{sample_rate}`")
    if encoding in _RAW and sample_rate is None:
        raise invalid_query(f"sample_rate: must be given with `encoding={encoding}`")
    if len(query.many("keyterm")) > MAX_KEYTERMS:
        raise invalid_query(f"keyterm: at most {MAX_KEYTERMS} values are allowed")
    query.choice("redact", ["numbers", "aggressive_numbers"])
    query.flag("mip_opt_out")
    return FluxOptions(
        encoding=encoding,
        sample_rate=sample_rate,
        model=model,
        language="multi" if model == MULTILINGUAL else None,
        profanity_filter=query.flag("profanity_filter"),
        numerals=query.flag("numerals"),
        vocabulary=common.vocabulary_of(query),
        tags=common.tags_of(query),
        warnings=common.warnings_of(query),
        thresholds=_thresholds(query),
        hints=_hints(query, model),
    )
