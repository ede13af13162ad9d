"""THE table of API query parameters.

A row per parameter says what it is called on the wire, what kind of value it has, which endpoints take it
and what it needs or excludes. Flags, help, completion, checks and the query string all come from the row.

How to add one: add a row to `PARAMS`, in the place where it should stand in the URL and in `--help`:

    Param("new_thing", ParamKind.FLAG, _REST, Panel.FORMATTING, "Do the new thing."),

Nothing else changes: `--new-thing/--no-new-thing`, `new_thing = true` in the config file and
`--param new_thing=true` are all understood from then on.

Sources: the vendor's reference pages "Transcribe - Remote file", "Transcribe - Local file", "Transcribe -
Live audio" and "Live Audio", its OpenAPI and AsyncAPI documents, and the types of its Python SDK 7.17.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

Value = bool | int | float | str | tuple[str, ...]
Values = Mapping[str, Value]


class Endpoint(enum.Flag):
    """The endpoint of a request; a row names all that take its parameter."""

    FILE = enum.auto()  # POST /v1/listen with audio
    URL = enum.auto()  # POST /v1/listen with {"url": ...}
    LIVE = enum.auto()  # WebSocket /v1/listen
    FLUX = enum.auto()  # WebSocket /v2/listen


_REST = Endpoint.FILE | Endpoint.URL
STREAM = Endpoint.LIVE | Endpoint.FLUX
_V1 = _REST | Endpoint.LIVE
_ALL = _REST | STREAM

ENDPOINT_NAMES = MappingProxyType(
    {
        Endpoint.FILE: "a file (POST /v1/listen)",
        Endpoint.URL: "a URL (POST /v1/listen)",
        Endpoint.LIVE: "a stream (WebSocket /v1/listen)",
        Endpoint.FLUX: "a Flux stream (WebSocket /v2/listen)",
    }
)


class ParamKind(enum.Enum):
    """The type of a parameter's value, which decides the kind of its flag."""

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


class Need(NamedTuple):
    """A condition without which a parameter is useless: one of `any_of` must be on, or given."""

    any_of: tuple[str, ...]
    on: Endpoint = _ALL


class Param(NamedTuple):
    """One query parameter.

    `values` are all that is allowed for a CHOICE, and suggestions for everything else; `only` narrows them
    for some endpoints. `families` are the model families that take it (none given: all do).
    `default` is ours, not the API's: it is sent unless the user says otherwise.
    """

    name: str
    kind: ParamKind
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
    on_flux: str = ""  # what to do on a Flux stream, where it is not taken

    @property
    def flag(self) -> str:
        """The flag as it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def repeats(self) -> bool:
        """Whether the parameter may be given several times."""
        return self.kind in (ParamKind.LIST, ParamKind.PAIRS)

    def values_on(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The allowed or suggested values on an endpoint; on several, those of each that takes the parameter."""
        several = [
            next((values for where, values in self.only if each in where), self.values)
            for each in (endpoint & self.endpoints) or endpoint
        ]
        return tuple(dict.fromkeys(value for values in several for value in values))

    def default_for(self, endpoint: Endpoint) -> Value | None:
        """Return our default on an endpoint, sent when the user sets nothing."""
        return self.default if endpoint & self.default_on & self.endpoints else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# A suggestion for completion, never a reason to refuse.
MODELS_FLUX = ("flux-general-en", "flux-general-multi")
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
RATES_FLUX = (8000, 16000, 24000, 44100, 48000)  # Hz: Deepgram reference, "Turn-based Audio (Flux)"
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

_NOT_NOVA_3 = ("nova-2", "nova", "enhanced", "base")
_NOT_WHISPER = ("nova-3", "nova-2", "nova", "enhanced", "base", "flux")

PARAMS: tuple[Param, ...] = (
    # Model and language
    Param(
        "model", ParamKind.TEXT, _ALL, Panel.MODEL,
        "Model to transcribe with, or the id of a custom one.",
        values=_MODELS + _MODELS_WHISPER, only=((Endpoint.LIVE, _MODELS), (Endpoint.FLUX, MODELS_FLUX)),
        default="nova-3", default_on=_V1, flags=("-m",),
    ),
    Param(
        "version", ParamKind.TEXT, _V1, Panel.MODEL, "Version of the model: 'latest' or an id.",
        values=("latest",), flags=("--model-version",),
    ),
    Param(
        "language", ParamKind.TEXT, _V1, Panel.MODEL,
        "Language spoken, as a BCP-47 tag; 'multi' for several in one recording. The API's default: en.",
        values=_LANGUAGES, flags=("-l",), metavar="TAG",
        on_flux="Use --model flux-general-multi with --language-hint; flux-general-en is English.",
    ),
    Param(
        "language_hint", ParamKind.LIST, _ALL, Panel.MODEL,
        "Language to expect in multilingual audio (nova-3 with --language multi, flux-general-multi).",
        values=_LANGUAGES[1:], metavar="TAG",
    ),
    Param(
        "detect_language", ParamKind.FLAG_OR_LIST, _REST, Panel.MODEL,
        "Detect the language of each channel.", values=_DETECTABLE, list_flag="--detect-language-code",
    ),
    Param(
        "encoding", ParamKind.CHOICE, _ALL, Panel.MODEL,
        "Encoding of raw (headerless) audio; leave it out for WAV, MP3 and other containers.",
        values=_ENCODINGS, only=((Endpoint.FLUX, _ENCODINGS_FLUX),),
        needs=(Need(("sample_rate",), on=STREAM),), metavar="NAME",
    ),
    Param(
        "sample_rate", ParamKind.INTEGER, _ALL, Panel.MODEL, "Sample rate of raw audio, in Hz.",
        minimum=1, needs=(Need(("encoding",)),), metavar="HZ",
    ),
    Param(
        "tier", ParamKind.TEXT, _V1, Panel.MODEL, "Tier of the model, before models were prefixed with it.",
        values=("nova", "enhanced", "base"), hidden=True,
    ),
    Param(
        "alternatives", ParamKind.INTEGER, _V1, Panel.MODEL, "Number of alternative transcripts.",
        minimum=1, hidden=True,
    ),
    # Formatting
    Param(
        "smart_format", ParamKind.FLAG, _V1, Panel.FORMATTING,
        "Punctuation, numerals, dates, money and paragraphs as a reader expects them.", default=True,
        on_flux="Leave it out: Flux always punctuates; --numerals writes digits.",
    ),
    Param(
        "punctuate", ParamKind.FLAG, _V1, Panel.FORMATTING, "Add punctuation and capitals.",
        on_flux="Leave it out: Flux always punctuates.",
    ),
    Param("paragraphs", ParamKind.FLAG, _REST, Panel.FORMATTING, "Divide the transcript into paragraphs."),
    Param("numerals", ParamKind.FLAG, _ALL, Panel.FORMATTING, "Write numbers as digits: nine becomes 9."),
    Param("measurements", ParamKind.FLAG, _REST, Panel.FORMATTING, "Abbreviate units: milligram becomes mg."),
    Param(
        "dictation", ParamKind.FLAG, _V1, Panel.FORMATTING,
        "Turn spoken commands ('comma', 'new line') into marks.",
        needs=(Need(("punctuate", "smart_format")),),
    ),
    Param("filler_words", ParamKind.FLAG, _V1, Panel.FORMATTING, "Keep uh and um."),
    Param("profanity_filter", ParamKind.FLAG, _ALL, Panel.FORMATTING, "Mask profanity."),
    Param(
        "no_delay", ParamKind.FLAG, Endpoint.LIVE, Panel.FORMATTING,
        "Do not hold final results back for formatting and redaction.",
        on_flux="Leave it out: Flux holds nothing back.",
    ),
    # Speakers and channels
    Param(
        "diarize", ParamKind.FLAG, _V1, Panel.SPEAKERS, "Tell speakers apart: a number on every word.",
        on_flux="Flux does not tell speakers apart; use --model nova-3.",
    ),
    Param(
        "diarize_model", ParamKind.CHOICE, _V1, Panel.SPEAKERS,
        "Tell speakers apart with this diarizer, instead of --diarize.",
        values=("latest", "v1", "v2"), only=((Endpoint.LIVE, ("latest", "v1")),),
        excludes=("diarize", "diarize_version"), families=_NOT_WHISPER,
        on_flux="Flux does not tell speakers apart; use --model nova-3.",
    ),
    Param(
        "diarize_version", ParamKind.TEXT, _V1, Panel.SPEAKERS, "Version of the old diarizer.",
        values=("latest", "2021-07-14.0"), needs=(Need(("diarize",)),), hidden=True,
    ),
    Param(
        "multichannel", ParamKind.FLAG, _V1, Panel.SPEAKERS, "Transcribe each channel on its own.",
        on_flux="Flux takes one channel: mix them, or use --model nova-3.",
    ),
    Param(
        "channels", ParamKind.INTEGER, _V1, Panel.SPEAKERS, "Number of channels of raw audio.",
        minimum=1, needs=(Need(("encoding",)),), metavar="N",
        on_flux="Flux takes one channel: mix them, or use --model nova-3.",
    ),
    Param(
        "utterances", ParamKind.FLAG, _REST, Panel.SPEAKERS,
        "Divide the transcript into utterances: what one speaker says without a pause.",
    ),
    # Vocabulary
    Param(
        "keyterm", ParamKind.LIST, _ALL, Panel.VOCABULARY,
        "Word or phrase to listen for; repeatable (Nova-3 and Flux).",
        families=("nova-3", "flux"), most=100, metavar="TERM",
    ),
    Param(
        "keywords", ParamKind.LIST, _V1, Panel.VOCABULARY,
        "Word to boost, as WORD or WORD:BOOST; repeatable (Nova-2 and older).",
        families=_NOT_NOVA_3, most=100, metavar="WORD[:N]",
        on_flux="Use --keyterm.",
    ),
    Param(
        "keyword_boost", ParamKind.TEXT, _REST, Panel.VOCABULARY, "Old way of boosting keywords.",
        values=("legacy",), hidden=True,
    ),
    Param(
        "search", ParamKind.LIST, _V1, Panel.VOCABULARY,
        "Term to search for in the sound; hits with times are in the JSON; repeatable.",
        most=50, metavar="TERM",
    ),
    Param(
        "replace", ParamKind.LIST, _V1, Panel.VOCABULARY,
        "Replace a term, as FIND:REPLACEMENT, or delete it, as FIND; repeatable.", metavar="FIND[:REPL]",
    ),
    # Intelligence
    Param(
        "summarize", ParamKind.FLAG, _REST, Panel.INTELLIGENCE, "Summarize the recording.", true_value="v2",
    ),
    Param("topics", ParamKind.FLAG, _REST, Panel.INTELLIGENCE, "Find topics."),
    Param(
        "custom_topic", ParamKind.LIST, _REST, Panel.INTELLIGENCE, "Topic to look for; repeatable.",
        most=100, needs=(Need(("topics",)),), metavar="TOPIC",
    ),
    Param(
        "custom_topic_mode", ParamKind.CHOICE, _REST, Panel.INTELLIGENCE,
        "Whether topics of the model's own come beside the custom ones.",
        values=_MODES, needs=(Need(("custom_topic",)),),
    ),
    Param("detect_topics", ParamKind.FLAG, _REST, Panel.INTELLIGENCE, "Old name of --topics.", hidden=True),
    Param("intents", ParamKind.FLAG, _REST, Panel.INTELLIGENCE, "Find what speakers intend."),
    Param(
        "custom_intent", ParamKind.LIST, _REST, Panel.INTELLIGENCE, "Intent to look for; repeatable.",
        most=100, needs=(Need(("intents",)),), metavar="INTENT",
    ),
    Param(
        "custom_intent_mode", ParamKind.CHOICE, _REST, Panel.INTELLIGENCE,
        "Whether intents of the model's own come beside the custom ones.",
        values=_MODES, needs=(Need(("custom_intent",)),),
    ),
    Param("sentiment", ParamKind.FLAG, _REST, Panel.INTELLIGENCE, "Tell the sentiment of each segment."),
    Param("detect_entities", ParamKind.FLAG, _V1, Panel.INTELLIGENCE, "List names, places, dates and the like."),
    Param("ner", ParamKind.FLAG, Endpoint.LIVE, Panel.INTELLIGENCE, "Old name of entity detection.", hidden=True),
    # Privacy
    Param(
        "redact", ParamKind.LIST, _ALL, Panel.PRIVACY,
        "Hide sensitive content: a group (pci, pii, phi, numbers, ssn) or an entity type; repeatable.",
        values=_REDACT, only=((Endpoint.FLUX, _REDACT_FLUX),), metavar="WHAT",
    ),
    Param(
        "mip_opt_out", ParamKind.FLAG, _ALL, Panel.PRIVACY,
        "Leave Deepgram's model improvement program (affects the price).",
    ),
    # Timing
    Param(
        "utt_split", ParamKind.NUMBER, _REST, Panel.TIMING,
        "Pause that ends an utterance, in seconds. The API's default: 0.8.",
        above=0, needs=(Need(("utterances",)),), metavar="SECONDS",
    ),
    Param(
        "interim_results", ParamKind.FLAG, Endpoint.LIVE, Panel.TIMING,
        "Send provisional results while an utterance is open.", default=True,
        on_flux="Leave it out: Flux always sends what it has so far; --no-interim does not show it.",
    ),
    Param(
        "endpointing", ParamKind.INTEGER_OR_FALSE, Endpoint.LIVE, Panel.TIMING,
        "Silence that ends a segment, in milliseconds, or 'false'. The API's default: 10.",
        minimum=0, values=("10", "100", "300", "500", "false"), metavar="MS|false",
        on_flux="Use --eot-threshold (confidence) and --eot-timeout-ms (silence).",
    ),
    Param(
        "utterance_end_ms", ParamKind.INTEGER, Endpoint.LIVE, Panel.TIMING,
        "Gap between words after which UtteranceEnd is sent, in milliseconds (1000 to 5000).",
        minimum=1000, maximum=5000, needs=(Need(("interim_results",)),), metavar="MS",
        aliases=("utterance_end",),
        on_flux="Use --eot-timeout-ms.",
    ),
    Param(
        "vad_events", ParamKind.FLAG, Endpoint.LIVE, Panel.TIMING, "Send an event when speech starts.",
        on_flux="Leave it out: Flux always says when a turn starts.",
    ),
    Param(
        "eot_threshold", ParamKind.NUMBER, Endpoint.FLUX, Panel.TIMING,
        "Flux: confidence that ends a turn (0.5 to 1.0). The API's default: 0.7.",
        minimum=0.5, maximum=1.0, metavar="N",
    ),
    Param(
        "eager_eot_threshold", ParamKind.NUMBER, Endpoint.FLUX, Panel.TIMING,
        "Flux: confidence that ends a turn provisionally (0.3 to 0.9). Default: never.",
        minimum=0.3, maximum=0.9, metavar="N",
    ),
    Param(
        "eot_timeout_ms", ParamKind.INTEGER, Endpoint.FLUX, Panel.TIMING,
        "Flux: silence that ends a turn in any case, in milliseconds (500 to 60000). The API's default: 5000.",
        minimum=500, maximum=60000, metavar="MS",
    ),
    # Delivery
    Param(
        "callback", ParamKind.TEXT, _V1, Panel.DELIVERY,
        "Answer at once and deliver the transcript to this URL.", metavar="URL",
    ),
    Param(
        "callback_method", ParamKind.CHOICE, _V1, Panel.DELIVERY, "HTTP method of the callback.",
        values=("POST", "PUT"), only=((Endpoint.LIVE, ("POST", "GET", "PUT", "DELETE")),),
        needs=(Need(("callback",)),),
    ),
    Param(
        "tag", ParamKind.LIST, _ALL, Panel.DELIVERY, "Label of the request in usage reports; repeatable.",
        longest=128, metavar="LABEL",
    ),
    Param(
        "extra", ParamKind.PAIRS, _V1, Panel.DELIVERY,
        "KEY:VALUE that comes back in the metadata; repeatable.", longest=2048, metavar="KEY:VALUE",
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Param] = MappingProxyType(
    {name: param for param in PARAMS for name in (param.name, *param.aliases)}
)


def stream_endpoint(model: object) -> Endpoint:
    """The endpoint on which a model streams; /v1/listen for what is not known to be Flux."""
    return Endpoint.FLUX if family(str(model or "")) == "flux" else Endpoint.LIVE


def family(model: str) -> str | None:
    """The family of a model (`nova-3`, `whisper`, ...), or None for a custom or unknown one."""
    name = model.lower()
    if name in _OLD_GENERAL:
        return "base"
    for prefix in ("nova-3", "nova-2", "nova", "enhanced", "base", "whisper", "flux"):
        if name == prefix or name.startswith(prefix + "-"):
            return prefix
    return None
