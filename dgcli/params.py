"""The table of API query parameters, and the only authority on their values.

A row per parameter says what it is called on the wire, what kind of value it has, which endpoints take it
and what it needs or excludes. Flags, help, completion, checks and the query string all come from the row.

How to add one: add a row to `PARAMS`, in the place where it should stand in the URL and in `--help`:

    Param("new_thing", Kind.FLAG, _REST, Panel.FORMATTING, "Do the new thing."),

Nothing else changes: `--new-thing/--no-new-thing`, `new_thing = true` in the config file and
`--param new_thing=true` are all understood from then on.

Sources: the vendor's reference pages "Transcribe - Remote file", "Transcribe - Local file", "Transcribe -
Live audio" and "Live Audio", its OpenAPI and AsyncAPI documents, and the types of its Python SDK 7.17.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from dgcli.errors import UsageError

Value = bool | int | float | str | tuple[str, ...]
Values = Mapping[str, Value]


class Endpoint(enum.Flag):
    """Where a request goes; a row names all that take its parameter."""

    FILE = enum.auto()  # POST /v1/listen with audio
    URL = enum.auto()  # POST /v1/listen with {"url": ...}
    LIVE = enum.auto()  # WebSocket /v1/listen
    FLUX = enum.auto()  # WebSocket /v2/listen


_REST = Endpoint.FILE | Endpoint.URL
_STREAM = Endpoint.LIVE | Endpoint.FLUX
_V1 = _REST | Endpoint.LIVE
_ALL = _REST | _STREAM

_ENDPOINT_NAMES = MappingProxyType(
    {
        Endpoint.FILE: "a file (POST /v1/listen)",
        Endpoint.URL: "a URL (POST /v1/listen)",
        Endpoint.LIVE: "a stream (WebSocket /v1/listen)",
        Endpoint.FLUX: "a Flux stream (WebSocket /v2/listen)",
    }
)


class Kind(enum.Enum):
    """What the value of a parameter is, and so what its flag looks like."""

    FLAG = "flag"  # --x/--no-x, true or false on the wire
    FLAG_OR_LIST = "flag or list"  # --x/--no-x, or the values of a second flag, repeated
    TEXT = "text"
    INTEGER = "integer"
    INTEGER_OR_FALSE = "integer or false"
    NUMBER = "number"
    CHOICE = "choice"  # one of `values`, in any case
    LIST = "list"  # repeated on the command line and on the wire
    PAIRS = "pairs"  # a list of KEY:VALUE


class Panel(enum.Enum):
    """The groups of `--help`."""

    MODEL = "Model and language"
    FORMATTING = "Formatting"
    SPEAKERS = "Speakers and channels"
    VOCABULARY = "Vocabulary"
    INTELLIGENCE = "Intelligence"
    PRIVACY = "Privacy"
    TIMING = "Timing"
    DELIVERY = "Delivery"


@dataclass(frozen=True, slots=True)
class Need:
    """What a parameter is useless without: one of `any_of` must be on, or given."""

    any_of: tuple[str, ...]
    on: Endpoint = _ALL


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter.

    `values` are all that is allowed for a CHOICE, and suggestions for everything else; `only` narrows them
    for some endpoints. `families` are the model families that take it (none given: all do).
    `default` is ours, not the API's: it is sent unless the user says otherwise.
    """

    name: str
    kind: Kind
    endpoints: Endpoint
    panel: Panel
    help: str
    values: tuple[str, ...] = ()
    only: tuple[tuple[Endpoint, tuple[str, ...]], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None  # like minimum, but itself not allowed
    most: int | None = None  # how many times it may be repeated
    longest: int | None = None  # characters in one value
    needs: tuple[Need, ...] = ()
    excludes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    default: Value | None = None
    default_on: Endpoint = _ALL
    true_value: str = "true"  # what a FLAG sends when it is on
    list_flag: str | None = None  # the second flag of a FLAG_OR_LIST
    aliases: tuple[str, ...] = ()  # other names on the wire, in old pages or in old clients
    flags: tuple[str, ...] = ()  # further spellings of the flag
    metavar: str | None = None
    hidden: bool = False

    @property
    def flag(self) -> str:
        """The flag as it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def repeats(self) -> bool:
        """Whether the parameter may be given several times."""
        return self.kind in (Kind.LIST, Kind.PAIRS)

    def values_on(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The allowed or suggested values on one endpoint."""
        return next((values for where, values in self.only if endpoint in where), self.values)

    def default_for(self, endpoint: Endpoint) -> Value | None:
        """What we send on one endpoint when the user says nothing."""
        return self.default if endpoint in self.default_on & self.endpoints else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# A suggestion for completion, never a reason to refuse.
_MODELS_FLUX = ("flux-general-en", "flux-general-multi")
_MODELS_WHISPER = ("whisper", *(f"whisper-{s}" for s in ("tiny", "base", "small", "medium", "large")))
_OLD_GENERAL = ("general", "meeting", "phonecall", "finance", "conversationalai", "voicemail", "video")
_MODELS = (
    "nova-3",
    "nova-3-general",
    "nova-3-medical",
    "nova-3-pharma",
    "nova-2",
    *(f"nova-2-{use}" for use in (*_OLD_GENERAL, "medical", "drivethru", "automotive", "atc")),
    "nova",
    "nova-general",
    "nova-phonecall",
    "nova-medical",
    "enhanced",
    *(f"enhanced-{use}" for use in _OLD_GENERAL[:4]),
    "base",
    *(f"base-{use}" for use in _OLD_GENERAL),
)
_LANGUAGES = _words(
    "multi bg ca cs da da-DK de de-CH el en en-AU en-GB en-IN en-NZ en-US es es-419 es-LATAM et fi fr fr-CA "
    "hi hi-Latn hu id it ja ko ko-KR lt lv ms nl nl-BE no pl pt pt-BR pt-PT ro ru sk sv sv-SE ta taq "
    "th th-TH tr uk vi zh zh-CN zh-HK zh-Hans zh-Hant zh-TW"
)
_DETECTABLE = _words(
    "bg ca cs da de de-CH el en es et fi fr hi hu id it ja ko lt lv ms nl nl-BE no pl pt ro ru sk sv th "
    "tr uk vi zh"
)
_ENCODINGS = _words("linear16 linear32 flac alaw mulaw amr-nb amr-wb opus ogg-opus speex g729")
_ENCODINGS_FLUX = ("linear16", "linear32", "alaw", "mulaw", "opus", "ogg-opus")
_REDACT = _words(
    "pci pii phi numbers aggressive_numbers ssn true account_number age bank_account cardinal credit_card "
    "credit_card_expiration cvv date date_interval dob driver_license email_address event filename "
    "gender_sexuality healthcare_number ip_address location location_address location_city "
    "location_coordinate location_country location_state location_zip money name name_given name_family "
    "name_medical_professional numerical_pii occupation ordinal origin passport_number password percent "
    "phone_number physical_attribute time url username vehicle_id condition drug injury blood_type "
    "medical_process statistics language marital_status organization political_affiliation religion "
    "routing_number zodiac_sign"
)
_REDACT_FLUX = ("numbers", "aggressive_numbers")
_MODES = ("extended", "strict")

_NOT_NOVA_3 = ("nova-2", "nova", "enhanced", "base", "whisper")
_NOT_WHISPER = ("nova-3", "nova-2", "nova", "enhanced", "base", "flux")

PARAMS: tuple[Param, ...] = (
    # Model and language
    Param(
        "model", Kind.TEXT, _ALL, Panel.MODEL,
        "Model to transcribe with, or the id of a custom one.",
        values=_MODELS + _MODELS_WHISPER, only=((Endpoint.LIVE, _MODELS), (Endpoint.FLUX, _MODELS_FLUX)),
        default="nova-3", default_on=_V1, flags=("-m",),
    ),
    Param(
        "version", Kind.TEXT, _V1, Panel.MODEL, "Version of the model: 'latest' or an id.",
        values=("latest",), flags=("--model-version",),
    ),
    Param(
        "language", Kind.TEXT, _V1, Panel.MODEL,
        "Language spoken, as a BCP-47 tag; 'multi' for several in one recording. The API's default: en.",
        values=_LANGUAGES, flags=("-l",), metavar="TAG",
    ),
    Param(
        "language_hint", Kind.LIST, _ALL, Panel.MODEL,
        "Language to expect in multilingual audio (nova-3 with --language multi, flux-general-multi).",
        values=_LANGUAGES[1:], metavar="TAG",
    ),
    Param(
        "detect_language", Kind.FLAG_OR_LIST, _REST, Panel.MODEL,
        "Detect the language of each channel.", values=_DETECTABLE, list_flag="--detect-language-code",
    ),
    Param(
        "encoding", Kind.CHOICE, _ALL, Panel.MODEL,
        "Encoding of raw (headerless) audio; leave it out for WAV, MP3 and other containers.",
        values=_ENCODINGS, only=((Endpoint.FLUX, _ENCODINGS_FLUX),),
        needs=(Need(("sample_rate",), on=_STREAM),), metavar="NAME",
    ),
    Param(
        "sample_rate", Kind.INTEGER, _ALL, Panel.MODEL, "Sample rate of raw audio, in Hz.",
        minimum=1, needs=(Need(("encoding",)),), metavar="HZ",
    ),
    Param(
        "tier", Kind.TEXT, _V1, Panel.MODEL, "Tier of the model, before models were prefixed with it.",
        values=("nova", "enhanced", "base"), hidden=True,
    ),
    Param(
        "alternatives", Kind.INTEGER, _V1, Panel.MODEL, "Number of alternative transcripts.",
        minimum=1, hidden=True,
    ),
    # Formatting
    Param(
        "smart_format", Kind.FLAG, _V1, Panel.FORMATTING,
        "Punctuation, numerals, dates, money and paragraphs as a reader expects them.", default=True,
    ),
    Param("punctuate", Kind.FLAG, _V1, Panel.FORMATTING, "Add punctuation and capitals."),
    Param("paragraphs", Kind.FLAG, _REST, Panel.FORMATTING, "Divide the transcript into paragraphs."),
    Param("numerals", Kind.FLAG, _ALL, Panel.FORMATTING, "Write numbers as digits: nine becomes 9."),
    Param("measurements", Kind.FLAG, _REST, Panel.FORMATTING, "Abbreviate units: milligram becomes mg."),
    Param(
        "dictation", Kind.FLAG, _V1, Panel.FORMATTING,
        "Turn spoken commands ('comma', 'new line') into marks.",
        needs=(Need(("punctuate", "smart_format")),),
    ),
    Param("filler_words", Kind.FLAG, _V1, Panel.FORMATTING, "Keep uh and um."),
    Param("profanity_filter", Kind.FLAG, _ALL, Panel.FORMATTING, "Mask profanity."),
    Param(
        "no_delay", Kind.FLAG, Endpoint.LIVE, Panel.FORMATTING,
        "Do not hold final results back for formatting and redaction.",
    ),
    # Speakers and channels
    Param("diarize", Kind.FLAG, _V1, Panel.SPEAKERS, "Tell speakers apart: a number on every word."),
    Param(
        "diarize_model", Kind.CHOICE, _V1, Panel.SPEAKERS,
        "Tell speakers apart with this diarizer, instead of --diarize.",
        values=("latest", "v1", "v2"), only=((Endpoint.LIVE, ("latest", "v1")),),
        excludes=("diarize", "diarize_version"), families=_NOT_WHISPER,
    ),
    Param(
        "diarize_version", Kind.TEXT, _V1, Panel.SPEAKERS, "Version of the old diarizer.",
        values=("latest", "2021-07-14.0"), needs=(Need(("diarize",)),), hidden=True,
    ),
    Param("multichannel", Kind.FLAG, _V1, Panel.SPEAKERS, "Transcribe each channel on its own."),
    Param(
        "channels", Kind.INTEGER, _V1, Panel.SPEAKERS, "Number of channels of raw audio.",
        minimum=1, needs=(Need(("encoding",)),), metavar="N",
    ),
    Param(
        "utterances", Kind.FLAG, _REST, Panel.SPEAKERS,
        "Divide the transcript into utterances: what one speaker says without a pause.",
    ),
    # Vocabulary
    Param(
        "keyterm", Kind.LIST, _ALL, Panel.VOCABULARY,
        "Word or phrase to listen for; repeatable (Nova-3 and Flux).",
        families=("nova-3", "flux"), metavar="TERM",
    ),
    Param(
        "keywords", Kind.LIST, _V1, Panel.VOCABULARY,
        "Word to boost, as WORD or WORD:BOOST; repeatable (Nova-2 and older).",
        families=_NOT_NOVA_3, most=100, metavar="WORD[:N]",
    ),
    Param(
        "keyword_boost", Kind.TEXT, _REST, Panel.VOCABULARY, "Old way of boosting keywords.",
        values=("legacy",), hidden=True,
    ),
    Param(
        "search", Kind.LIST, _V1, Panel.VOCABULARY,
        "Term to search for in the sound; hits with times are in the JSON; repeatable.",
        most=50, metavar="TERM",
    ),
    Param(
        "replace", Kind.LIST, _V1, Panel.VOCABULARY,
        "Replace a term, as FIND:REPLACEMENT, or delete it, as FIND; repeatable.", metavar="FIND[:REPL]",
    ),
    # Intelligence
    Param(
        "summarize", Kind.FLAG, _REST, Panel.INTELLIGENCE, "Summarize the recording.", true_value="v2",
    ),
    Param("topics", Kind.FLAG, _REST, Panel.INTELLIGENCE, "Find topics."),
    Param(
        "custom_topic", Kind.LIST, _REST, Panel.INTELLIGENCE, "Topic to look for; repeatable.",
        most=100, needs=(Need(("topics",)),), metavar="TOPIC",
    ),
    Param(
        "custom_topic_mode", Kind.CHOICE, _REST, Panel.INTELLIGENCE,
        "Whether topics of the model's own come beside the custom ones.",
        values=_MODES, needs=(Need(("custom_topic",)),),
    ),
    Param("detect_topics", Kind.FLAG, _REST, Panel.INTELLIGENCE, "Old name of --topics.", hidden=True),
    Param("intents", Kind.FLAG, _REST, Panel.INTELLIGENCE, "Find what speakers intend."),
    Param(
        "custom_intent", Kind.LIST, _REST, Panel.INTELLIGENCE, "Intent to look for; repeatable.",
        most=100, needs=(Need(("intents",)),), metavar="INTENT",
    ),
    Param(
        "custom_intent_mode", Kind.CHOICE, _REST, Panel.INTELLIGENCE,
        "Whether intents of the model's own come beside the custom ones.",
        values=_MODES, needs=(Need(("custom_intent",)),),
    ),
    Param("sentiment", Kind.FLAG, _REST, Panel.INTELLIGENCE, "Tell the sentiment of each segment."),
    Param("detect_entities", Kind.FLAG, _V1, Panel.INTELLIGENCE, "List names, places, dates and the like."),
    Param("ner", Kind.FLAG, Endpoint.LIVE, Panel.INTELLIGENCE, "Old name of entity detection.", hidden=True),
    # Privacy
    Param(
        "redact", Kind.LIST, _ALL, Panel.PRIVACY,
        "Hide sensitive content: a group (pci, pii, phi, numbers, ssn) or an entity type; repeatable.",
        values=_REDACT, only=((Endpoint.FLUX, _REDACT_FLUX),), metavar="WHAT",
    ),
    Param(
        "mip_opt_out", Kind.FLAG, _ALL, Panel.PRIVACY,
        "Leave Deepgram's model improvement program (affects the price).",
    ),
    # Timing
    Param(
        "utt_split", Kind.NUMBER, _REST, Panel.TIMING,
        "Pause that ends an utterance, in seconds. The API's default: 0.8.",
        above=0, needs=(Need(("utterances",)),), metavar="SECONDS",
    ),
    Param(
        "interim_results", Kind.FLAG, Endpoint.LIVE, Panel.TIMING,
        "Send provisional results while an utterance is open.", default=True,
    ),
    Param(
        "endpointing", Kind.INTEGER_OR_FALSE, Endpoint.LIVE, Panel.TIMING,
        "Silence that ends a segment, in milliseconds, or 'false'. The API's default: 10.",
        minimum=0, values=("10", "100", "300", "500", "false"), metavar="MS|false",
    ),
    Param(
        "utterance_end_ms", Kind.INTEGER, Endpoint.LIVE, Panel.TIMING,
        "Gap between words after which UtteranceEnd is sent, in milliseconds (1000 to 5000).",
        minimum=1000, maximum=5000, needs=(Need(("interim_results",)),), metavar="MS",
        aliases=("utterance_end",),
    ),
    Param("vad_events", Kind.FLAG, Endpoint.LIVE, Panel.TIMING, "Send an event when speech starts."),
    Param(
        "eot_threshold", Kind.NUMBER, Endpoint.FLUX, Panel.TIMING,
        "Confidence that ends a turn (0.5 to 1.0). The API's default: 0.7.",
        minimum=0.5, maximum=1.0,
    ),
    Param(
        "eager_eot_threshold", Kind.NUMBER, Endpoint.FLUX, Panel.TIMING,
        "Confidence that ends a turn provisionally (0.3 to 0.9).", minimum=0.3, maximum=0.9,
    ),
    Param(
        "eot_timeout_ms", Kind.INTEGER, Endpoint.FLUX, Panel.TIMING,
        "Silence that ends a turn in any case, in milliseconds (500 to 60000). The API's default: 5000.",
        minimum=500, maximum=60000, metavar="MS",
    ),
    # Delivery
    Param(
        "callback", Kind.TEXT, _V1, Panel.DELIVERY,
        "Answer at once and deliver the transcript to this URL.", metavar="URL",
    ),
    Param(
        "callback_method", Kind.CHOICE, _V1, Panel.DELIVERY, "HTTP method of the callback.",
        values=("POST", "PUT"), only=((Endpoint.LIVE, ("POST", "GET", "PUT", "DELETE")),),
        needs=(Need(("callback",)),),
    ),
    Param(
        "tag", Kind.LIST, _ALL, Panel.DELIVERY, "Label of the request in usage reports; repeatable.",
        longest=128, metavar="LABEL",
    ),
    Param(
        "extra", Kind.PAIRS, _V1, Panel.DELIVERY,
        "KEY:VALUE that comes back in the metadata; repeatable.", longest=2048, metavar="KEY:VALUE",
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Param] = MappingProxyType(
    {name: param for param in PARAMS for name in (param.name, *param.aliases)}
)


def family(model: str) -> str | None:
    """The family of a model (`nova-3`, `whisper`, ...), or None for a custom or unknown one."""
    name = model.lower()
    if name in _OLD_GENERAL:
        return "base"
    for prefix in ("nova-3", "nova-2", "nova", "enhanced", "base", "whisper", "flux"):
        if name == prefix or name.startswith(prefix + "-"):
            return prefix
    return None


_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _switch(param: Param, raw: object) -> bool:
    """The value of a flag, from a bool or from what a config file or `--param` says."""
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in (*_TRUE, param.true_value):
        return True
    if text in _FALSE:
        return False
    raise UsageError(
        f"{param.flag} is on or off, not {str(raw)!r}.",
        hint=f"Use {param.flag} or --no-{param.name.replace('_', '-')}.",
    )


def _number(param: Param, raw: object) -> int | float:
    """The value of a number, checked against its range."""
    whole = param.kind is not Kind.NUMBER
    kind = "a whole number" if whole else "a number"
    try:
        value = int(str(raw)) if whole else float(str(raw))  # a bool is no number: "True" fails too
    except ValueError:
        raise UsageError(f"{param.flag} takes {kind}, not {str(raw)!r}.") from None
    low, high = param.minimum, param.maximum
    fits = (
        (low is None or value >= low)
        and (high is None or value <= high)
        and (param.above is None or value > param.above)
        and value == value  # NaN is no number that could be meant
        and abs(value) != float("inf")
    )
    if not fits:
        if low is not None and high is not None:
            span = f"from {low:g} to {high:g}"
        elif low is not None:
            span = f"of {low:g} or more"
        else:
            span = f"above {param.above:g}" if param.above is not None else "that is finite"
        raise UsageError(f"{param.flag} takes {kind} {span}, not {raw}.")
    return value


def _text(param: Param, raw: object) -> str:
    """One text value, checked for emptiness, length and shape."""
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if not text.strip():
        raise UsageError(f"{param.flag} needs a value.", hint="Leave it out to send nothing.")
    if param.longest is not None and len(text) > param.longest:
        raise UsageError(f"{param.flag} takes at most {param.longest} characters, not {len(text)}.")
    key, colon, _ = text.partition(":")
    if param.kind is Kind.PAIRS and not (colon and key.strip()):
        raise UsageError(f"{param.flag} takes KEY:VALUE, not {text!r}.")
    return text


def _choice(param: Param, raw: object, endpoint: Endpoint) -> str:
    """One of a closed list, whatever its case."""
    allowed = param.values_on(endpoint)
    for value in allowed:
        if value.lower() == str(raw).strip().lower():
            return value
    raise UsageError(f"{param.flag} takes {_either(allowed)} on {_where(endpoint)}, not {str(raw)!r}.")


def _many(param: Param, raw: object) -> tuple[str, ...]:
    """The values of a repeated parameter, from one value or several."""
    several = list(raw) if isinstance(raw, list | tuple) else [raw]
    if param.most is not None and len(several) > param.most:
        raise UsageError(f"{param.flag} may be given {param.most} times at most, not {len(several)}.")
    return tuple(_text(param, one) for one in several)


def _parse(param: Param, raw: object, endpoint: Endpoint) -> Value:
    """A value as its row wants it, whether it comes from a flag, a config file or `--param`."""
    if isinstance(raw, list | tuple) and not param.repeats and param.kind is not Kind.FLAG_OR_LIST:
        raise UsageError(f"{param.flag} takes one value, not {len(raw)}.")
    match param.kind:
        case Kind.FLAG:
            return _switch(param, raw)
        case Kind.FLAG_OR_LIST:
            if isinstance(raw, bool) or str(raw).strip().lower() in ("true", "false"):
                return _switch(param, raw)
            return _many(param, raw)
        case Kind.INTEGER_OR_FALSE:
            if isinstance(raw, bool) or str(raw).strip().lower() in ("true", "false"):
                return _switch(param, raw)
            return _number(param, raw)
        case Kind.INTEGER | Kind.NUMBER:
            return _number(param, raw)
        case Kind.CHOICE:
            return _choice(param, raw, endpoint)
        case Kind.LIST | Kind.PAIRS:
            return _many(param, raw)
        case Kind.TEXT:
            return _text(param, raw)


def _either(options: Iterable[str]) -> str:
    *most, last = options
    return f"{', '.join(most)} or {last}" if most else last


def _where(endpoint: Endpoint) -> str:
    return _ENDPOINT_NAMES[endpoint]


def _on(values: Values, name: str) -> bool:
    """Whether a parameter is switched on, or has a value."""
    return values.get(name, False) is not False


def _check_taken(param: Param, endpoint: Endpoint) -> None:
    if endpoint not in param.endpoints:
        takers = [name for where, name in _ENDPOINT_NAMES.items() if where in param.endpoints]
        raise UsageError(
            f"{param.flag} is not taken by {_where(endpoint)}.", hint=f"It is for {_either(takers)}."
        )


def _check_relations(param: Param, values: Values, endpoint: Endpoint) -> None:
    """What a parameter that is on needs beside it, and what it cannot stand."""
    for need in param.needs:
        if endpoint not in need.on or any(_on(values, name) for name in need.any_of):
            continue
        flags = _either(BY_NAME[name].flag for name in need.any_of)
        raise UsageError(f"{param.flag} needs {flags}.", hint=f"Add {flags}, or leave {param.flag} out.")
    for name in param.excludes:
        if _on(values, name):
            other = BY_NAME[name].flag
            raise UsageError(
                f"{param.flag} cannot be used together with {other}.",
                hint=f"Leave {other} out: {param.flag} stands for it.",
            )
    kin = family(str(values.get("model", "")))
    if param.families and kin is not None and kin not in param.families:
        instead = {"keyterm": "keywords", "keywords": "keyterm"}.get(param.name)
        raise UsageError(
            f"{param.flag} is not taken by the model {values['model']}.",
            hint=f"Use {BY_NAME[instead].flag}, or another --model." if instead else "Use another --model.",
        )


def _check_model(values: Values, endpoint: Endpoint) -> None:
    """A model that the endpoint certainly does not have."""
    model = str(values.get("model", ""))
    kin = family(model)
    if endpoint is Endpoint.FLUX:
        if not model:
            raise UsageError("A Flux stream needs --model.", hint=f"Use --model {_either(_MODELS_FLUX)}.")
        if kin not in ("flux", None):
            raise UsageError(f"The model {model} is no Flux model.", hint=f"Use {_either(_MODELS_FLUX)}.")
        if "language_hint" in values and kin == "flux" and model.lower() != "flux-general-multi":
            raise UsageError(
                f"--language-hint is not taken by {model}.", hint="Use --model flux-general-multi."
            )
    elif kin == "flux":
        raise UsageError(f"The model {model} is for Flux streams only (/v2/listen).", hint="Try nova-3.")
    if endpoint in _STREAM and kin == "whisper":
        raise UsageError("Whisper models do not stream.", hint="Use --model nova-3, or `dg file`.")


def _check_numbers(values: Values) -> None:
    """Rules between two numbers, or a number and a name."""
    rate = {"amr-nb": 8000, "amr-wb": 16000}.get(str(values.get("encoding")))
    if rate is not None and values.get("sample_rate", rate) != rate:
        raise UsageError(f"--encoding {values['encoding']} has a --sample-rate of {rate}.")
    eager, sure = values.get("eager_eot_threshold"), values.get("eot_threshold", 0.7)
    if isinstance(eager, int | float) and isinstance(sure, int | float) and eager > sure:
        raise UsageError(f"--eager-eot-threshold ({eager:g}) must not be above --eot-threshold ({sure:g}).")


def _check_callback(values: Values, endpoint: Endpoint) -> None:
    callback = values.get("callback")
    if callback is None:
        return
    schemes = ("http", "https", "ws", "wss") if endpoint is Endpoint.LIVE else ("http", "https")
    parts = urlsplit(str(callback))
    if parts.scheme.lower() not in schemes or not parts.netloc:
        raise UsageError(
            f"--callback takes a whole URL, not {callback!r}.", hint=f"It begins with {_either(schemes)}://."
        )


def split_assignment(text: str, *, flag: str) -> tuple[str, str]:
    """The two halves of KEY=VALUE as given to `flag`."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"{flag} takes KEY=VALUE, not {text!r}.")
    return key.strip(), value


def merge(given: Mapping[str, object], assignments: Iterable[str]) -> dict[str, object]:
    """Flags and `--param KEY=VALUE` as one mapping; what repeats is added, what contradicts is refused."""
    merged = dict(given)
    for text in assignments:
        key, value = split_assignment(text, flag="--param")
        param = BY_NAME.get(key)
        name = param.name if param else key
        before = merged.get(name)
        if before is None:
            merged[name] = value
        elif param is None or param.repeats or isinstance(before, list | tuple):
            # An unknown parameter may be a repeatable one: all its values are sent.
            merged[name] = [*(before if isinstance(before, list | tuple) else [before]), value]
        elif str(before).lower() != value.lower():
            raise UsageError(f"{param.flag} {before} and --param {text} contradict each other.")
    return merged


def check(given: Mapping[str, object], endpoint: Endpoint) -> Values:
    """Every parameter that will be sent to `endpoint`, our defaults included, in the table's order.

    `given` maps wire names to what a flag, the config file or `--param` said; None means "not sent". Names
    that the table does not know are passed on as they are. Raises `UsageError`, which names the flag and the
    remedy, for what is certainly wrong.
    """
    known: dict[str, Value] = {}
    unknown: dict[str, Value] = {}
    for key, raw in given.items():
        if raw is None or raw in ([], ()):
            continue
        param = BY_NAME.get(key)
        if param is None:
            unknown[key] = tuple(map(str, raw)) if isinstance(raw, list | tuple) else _plain(raw)
            continue
        value = _parse(param, raw, endpoint)
        if endpoint not in param.endpoints and value is False:
            continue  # off is what an endpoint without it does anyway
        _check_taken(param, endpoint)
        known[param.name] = value
    values: dict[str, Value] = {}
    for param in PARAMS:
        value_or_none = known.get(param.name, param.default_for(endpoint))
        if value_or_none is not None:
            values[param.name] = value_or_none
    for name in values:
        if _on(values, name):
            _check_relations(BY_NAME[name], values, endpoint)
    _check_model(values, endpoint)
    _check_numbers(values)
    _check_callback(values, endpoint)
    return {**values, **unknown}


def _plain(raw: object) -> Value:
    return raw if isinstance(raw, bool | int | float | str) else str(raw)


def _wire(name: str, value: Value) -> tuple[str, ...]:
    """A value as the query string spells it; several for what repeats."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, bool):
        if not value:
            return ("false",)
        return (BY_NAME[name].true_value if name in BY_NAME else "true",)
    return (str(value),)


def encode(values: Values) -> str:
    """Checked values as a query string: true/false, repeated keys, in the order they come in."""
    return urlencode([(name, text) for name, value in values.items() for text in _wire(name, value)])
