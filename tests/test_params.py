"""The parameter table: complete, consistent, and strict about what is certainly wrong."""

import re
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.errors import UsageError
from dgcli.params import BY_NAME, PARAMS, Endpoint, check, encode, family, merge
from tests.conftest import SHARED

FILE, URL, LIVE, FLUX = Endpoint.FILE, Endpoint.URL, Endpoint.LIVE, Endpoint.FLUX

# What each endpoint takes: the vendor's OpenAPI and AsyncAPI documents, its SDK, and names of older pages.
REST = set(
    """callback callback_method extra sentiment summarize tag topics custom_topic custom_topic_mode intents
    custom_intent custom_intent_mode detect_entities detect_language diarize diarize_model dictation encoding
    filler_words keyterm keywords language measurements model multichannel numerals paragraphs profanity_filter
    punctuate redact replace search smart_format utterances utt_split version mip_opt_out language_hint
    detect_topics diarize_version sample_rate channels alternatives tier keyword_boost""".split()
)
WS_V1 = set(
    """callback callback_method channels detect_entities diarize diarize_model dictation encoding endpointing
    extra interim_results keyterm keywords language mip_opt_out model multichannel numerals profanity_filter
    punctuate redact replace sample_rate search smart_format tag utterance_end_ms vad_events version
    language_hint filler_words diarize_version no_delay alternatives tier ner""".split()
)
WS_V2 = set(
    """model encoding sample_rate eager_eot_threshold eot_threshold eot_timeout_ms keyterm language_hint
    profanity_filter numerals redact mip_opt_out tag""".split()
)


@pytest.mark.parametrize(("endpoint", "names"), [(FILE, REST), (URL, REST), (LIVE, WS_V1), (FLUX, WS_V2)])
def test_each_endpoint_takes_what_is_documented(endpoint: Endpoint, names: set[str]) -> None:
    """The table has exactly the documented parameters of each endpoint."""
    assert {param.name for param in PARAMS if endpoint in param.endpoints} == names


def reference_names(text: str, heading: str) -> set[str]:
    """Parameter names in bold below a heading of a reference page."""
    return set(
        re.findall(r"^\*\*([a-z_]+)\*\*$", text.split(heading)[1].split("BODY PARAMS")[0], re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("heading", "endpoint"), [("listen-remote", URL), ("listen-file", FILE), ("/listen-live)", LIVE)]
)
def test_reference_pages_are_covered(heading: str, endpoint: Endpoint) -> None:
    """Every parameter of the vendor's reference pages is in the table, for the endpoint of the page."""
    page = SHARED / "reference" / "listen-reference.txt"
    if not page.exists():
        pytest.skip("the reference pages are not next to this checkout")
    names = reference_names(page.read_text(), heading)
    assert len(names) > 15
    for name in names:
        assert endpoint in BY_NAME[name].endpoints, name


def test_live_audio_page_is_covered() -> None:
    """Every parameter of the page "Live Audio" is in the table, the misprinted one as an alias."""
    page = SHARED / "reference" / "live-audio.txt"
    if not page.exists():
        pytest.skip("the reference pages are not next to this checkout")
    names = re.findall(
        r"^([a-z_]+)(?:string|enum|boolean|list of strings)Optional", page.read_text(), re.MULTILINE
    )
    assert len(names) > 25
    for name in names:
        assert LIVE in BY_NAME[name].endpoints, name


@pytest.mark.parametrize(
    ("given", "endpoint", "message", "hint"),
    [
        ({"utt_split": 1.0}, FILE, "--utt-split needs --utterances.", "Add --utterances"),
        ({"utt_split": 0, "utterances": True}, FILE, "--utt-split takes a number above 0, not 0.", None),
        (
            {"utt_split": "nan", "utterances": True},
            FILE,
            "--utt-split takes a number above 0, not nan.",
            None,
        ),
        ({"diarize_version": "latest"}, FILE, "--diarize-version needs --diarize.", "Add --diarize"),
        (
            {"diarize": True, "diarize_model": "v2"},
            FILE,
            "--diarize-model cannot be used together with --diarize.",
            "Leave --diarize out",
        ),
        ({"diarize_model": "v2"}, LIVE, "--diarize-model takes latest or v1 on a stream", None),
        (
            {"custom_topic_mode": "strict"},
            FILE,
            "--custom-topic-mode needs --custom-topic.",
            "Add --custom-topic",
        ),
        ({"custom_intent_mode": "strict"}, URL, "--custom-intent-mode needs --custom-intent.", "Add"),
        ({"custom_topic": ["x"]}, FILE, "--custom-topic needs --topics.", "Add --topics"),
        ({"custom_intent": ["x"]}, FILE, "--custom-intent needs --intents.", "Add --intents"),
        (
            {"model": "nova-2", "keyterm": ["x"]},
            FILE,
            "--keyterm is not taken by the model nova-2.",
            "Use --keywords",
        ),
        ({"keywords": ["x"]}, FILE, "--keywords is not taken by the model nova-3.", "Use --keyterm"),
        (
            {"keywords": ["x"], "model": "nova-3-medical"},
            LIVE,
            "--keywords is not taken by the model",
            "--keyterm",
        ),
        ({"encoding": "linear16"}, LIVE, "--encoding needs --sample-rate.", "Add --sample-rate"),
        ({"sample_rate": 8000}, LIVE, "--sample-rate needs --encoding.", "Add --encoding"),
        ({"channels": 2}, LIVE, "--channels needs --encoding.", "Add --encoding"),
        ({"encoding": "mp3"}, FILE, "--encoding takes linear16, linear32, flac", None),
        (
            {"encoding": "amr-wb", "sample_rate": 8000},
            LIVE,
            "--encoding amr-wb has a --sample-rate of 16000.",
            None,
        ),
        ({"callback_method": "put"}, FILE, "--callback-method needs --callback.", "Add --callback"),
        (
            {"callback": "example.com/x"},
            FILE,
            "--callback takes a whole URL",
            "It begins with http or https://.",
        ),
        ({"callback": "wss://x.example"}, FILE, "--callback takes a whole URL", "http"),
        ({"summarize": "v1"}, FILE, "--summarize is on or off, not 'v1'.", "--no-summarize"),
        ({"summarize": True}, LIVE, "--summarize is not taken by a stream", "It is for a file"),
        ({"interim_results": True}, FILE, "--interim-results is not taken by a file", "a stream"),
        (
            {"utterance_end_ms": 500},
            LIVE,
            "--utterance-end-ms takes a whole number from 1000 to 5000, not 500.",
            None,
        ),
        (
            {"utterance_end_ms": 1000, "interim_results": False},
            LIVE,
            "--utterance-end-ms needs --interim-results.",
            "Add --interim-results",
        ),
        ({"endpointing": "soon"}, LIVE, "--endpointing takes a whole number, not 'soon'.", None),
        ({"endpointing": -1}, LIVE, "--endpointing takes a whole number of 0 or more, not -1.", None),
        (
            {"dictation": True, "smart_format": False},
            FILE,
            "--dictation needs --punctuate or --smart-format.",
            "Add",
        ),
        ({"model": "whisper-large"}, LIVE, "Whisper models do not stream.", "nova-3"),
        (
            {"model": "whisper", "diarize_model": "v1"},
            FILE,
            "--diarize-model is not taken by the model whisper.",
            None,
        ),
        ({"model": "flux-general-en"}, FILE, "The model flux-general-en is for Flux streams only", "nova-3"),
        ({"model": "nova-3"}, FLUX, "The model nova-3 is no Flux model.", "flux-general-en"),
        ({}, FLUX, "A Flux stream needs --model.", "flux-general-en or flux-general-multi"),
        (
            {"model": "flux-general-en", "language": "en"},
            FLUX,
            "--language is not taken by a Flux stream",
            None,
        ),
        (
            {"model": "flux-general-en", "language_hint": ["es"]},
            FLUX,
            "--language-hint is not taken by",
            "multi",
        ),
        (
            {"model": "flux-general-en", "eager_eot_threshold": 0.8},
            FLUX,
            "eager_eot_threshold (0.8) must not be above eot_threshold (0.7).",
            None,
        ),
        ({"extra": ["novalue"]}, FILE, "--extra takes KEY:VALUE, not 'novalue'.", None),
        ({"extra": ["k:" + "x" * 2048]}, FILE, "--extra takes at most 2048 characters", None),
        ({"tag": ["x" * 129]}, FILE, "--tag takes at most 128 characters, not 129.", None),
        ({"search": ["x"] * 51}, FILE, "--search may be given 50 times at most, not 51.", None),
        (
            {"keywords": ["x"] * 101, "model": "nova-2"},
            FILE,
            "--keywords may be given 100 times at most",
            None,
        ),
        ({"language": " "}, FILE, "--language needs a value.", "Leave it out"),
        ({"diarize": "maybe"}, FILE, "--diarize is on or off, not 'maybe'.", "--no-diarize"),
        ({"model": ["a", "b"]}, FILE, "--model takes one value, not 2.", None),
    ],
)
def test_what_is_certainly_wrong_is_refused(
    given: dict[str, object], endpoint: Endpoint, message: str, hint: str | None
) -> None:
    """The error names the flag, and the hint the remedy."""
    with pytest.raises(UsageError) as caught:
        check(given, endpoint)
    assert caught.value.message.startswith(message)
    if hint is not None:
        assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "given",
    [
        {"model": "nova-9-future"},
        {"model": "2a0f0f6e-9a55-4a1c-8d6e-1b7f8a3f2c11", "keyterm": ["a"], "language": "tlh"},
        {"redact": ["pci", "shoe_size"]},
        {"summarize": "v2"},
        {"detect_language": ["en", "es"], "version": "2025-04-17.21547"},
        {"callback": "https://user:pass@example.com:8443/x", "callback_method": "put"},
    ],
)
def test_open_lists_never_refuse(given: dict[str, object]) -> None:
    """Models, languages, versions and redactions that the table does not know are sent all the same."""
    assert set(given) <= set(check(given, FILE))


def test_defaults() -> None:
    """Ours are sent unless they are switched off, and are the same on the endpoints that take them."""
    assert encode(check({}, FILE)) == "model=nova-3&smart_format=true"
    assert encode(check({}, LIVE)) == "model=nova-3&smart_format=true&interim_results=true"
    assert encode(check({"smart_format": False}, URL)) == "model=nova-3&smart_format=false"
    assert encode(check({"model": "flux-general-en"}, FLUX)) == "model=flux-general-en"


def test_spelling_on_the_wire() -> None:
    """Booleans are lower case, lists repeat the key, `summarize` is v2, endpointing may be false."""
    values = check(
        {"summarize": True, "search": ["a b", "c"], "detect_language": True, "callback": "http://x.example/?a=1&b",
         "callback_method": "put"},
        FILE,
    )  # fmt: skip
    assert parse_qsl(encode(values)) == [
        ("model", "nova-3"), ("detect_language", "true"), ("smart_format", "true"), ("search", "a b"),
        ("search", "c"), ("summarize", "v2"), ("callback", "http://x.example/?a=1&b"), ("callback_method", "PUT"),
    ]  # fmt: skip
    assert "endpointing=false" in encode(check({"endpointing": "false"}, LIVE))
    assert "endpointing=300" in encode(check({"endpointing": "300"}, LIVE))


def test_old_name_is_understood() -> None:
    """The misprinted `utterance_end` is sent under the name that the service knows."""
    assert "utterance_end_ms=1000" in encode(check({"utterance_end": 1000}, LIVE))


def test_assignments() -> None:
    """--param adds what the table does not know, adds to lists, and may not contradict a flag."""
    assert merge({"search": ["a"]}, ["search=b", "new=1", "new=2"]) == {
        "search": ["a", "b"],
        "new": ["1", "2"],
    }
    assert encode(check(merge({}, ["new=1", "new=2", "utt_split=1", "utterances=true"]), FILE)) == (
        "model=nova-3&smart_format=true&utterances=true&utt_split=1.0&new=1&new=2"
    )
    with pytest.raises(UsageError, match="contradict"):
        merge({"model": "nova-2"}, ["model=nova-3"])
    with pytest.raises(UsageError, match="KEY=VALUE"):
        merge({}, ["novalue"])


def test_off_is_taken_everywhere() -> None:
    """Switching off what an endpoint does not have is no error, and is not sent."""
    assert "vad_events" not in check({"vad_events": False}, FILE)


@pytest.mark.parametrize(
    ("model", "kin"),
    [
        ("nova-3", "nova-3"), ("nova-3-medical", "nova-3"), ("nova-2-atc", "nova-2"), ("nova", "nova"),
        ("nova-general", "nova"), ("phonecall", "base"), ("Whisper-Large", "whisper"), ("nova-30", "nova"),
        ("custom", None),
    ],
)  # fmt: skip
def test_family(model: str, kin: str | None) -> None:
    """A model belongs to the family that its name begins with."""
    assert family(model) == kin


ANYTHING = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(), max_size=3))


@given(
    st.sampled_from(list(Endpoint)),
    st.dictionaries(st.sampled_from([param.name for param in PARAMS]), ANYTHING, max_size=4),
)
def test_anything_is_checked_or_refused(endpoint: Endpoint, given: dict[str, object]) -> None:
    """Whatever is given, the answer is a `UsageError` or a query that says each value, in the table's order."""
    try:
        values = check(given, endpoint)
    except UsageError:
        return
    query = parse_qsl(encode(values), keep_blank_values=True)
    order = [param.name for param in PARAMS]
    names = [name for name, _ in query]
    assert names == sorted(names, key=order.index)
    for name, value in values.items():
        if isinstance(value, tuple):
            assert [text for key, text in query if key == name] == list(value)
    assert check(values, endpoint) == values  # what was checked stays as it is


@pytest.mark.parametrize(
    "given",
    [
        {"model": "whisper-large"},
        {"model": "whisper", "keyterm": ["Kowalczyk"]},
        {"model": "whisper-small", "keywords": ["Kowalczyk:2"]},
    ],
)
def test_whisper_streams_on_this_machine(given: dict[str, object]) -> None:
    """A server of this machine streams Whisper models, with terms of either kind; the API does not."""
    with pytest.raises(UsageError):
        check(given, LIVE)
    assert check(given, LIVE, local=True)["model"] == given["model"]
