"""The query parameters: what is read, and what is refused in which words."""

import pytest

from dgcli.server.errors import ErrorAnswer
from dgcli.server.query import Callback, parse


def refusal(query: str, *, any_port: bool = True) -> ErrorAnswer:
    with pytest.raises(ErrorAnswer) as caught:
        parse(query, any_port=any_port)
    return caught.value


def test_smart_format_implies_punctuation_and_paragraphs() -> None:
    """smart_format turns on what the API turns on with it."""
    options = parse("smart_format=true&model=nova-3", any_port=True)
    assert options.punctuate
    assert options.paragraphs
    assert not options.warnings


def test_repeated_keys_are_lists() -> None:
    """Repeatable parameters arrive as repeated keys, pairs split at the first colon."""
    options = parse(
        "search=a&search=b%20c&tag=x&tag=y&replace=one:two:three&replace=gone&extra=k:v:w&keyterm=Deep+gram",
        any_port=True,
    )
    assert options.search == ["a", "b c"]
    assert options.tags == ["x", "y"]
    assert options.replace == [("one", "two:three"), ("gone", "")]
    assert options.extra == {"k": "v:w"}
    assert options.vocabulary == ["Deep gram"]


def test_unknown_names_are_ignored() -> None:
    """A parameter that nobody knows yet does no harm."""
    assert parse("newer_than_this=1", any_port=True) == parse("", any_port=True)


@pytest.mark.parametrize(
    "query",
    [
        "punctuate=yes",
        "diarize=1",
        "encoding=mp3",
        "sample_rate=fast",
        "sample_rate=-1",
        "channels=0",
        "utt_split=0",
        "utt_split=-1",
        "utt_split=nan",
        "summarize=v3",
        "diarize_model=v9",
        "custom_topic_mode=loose",
        "callback=http://a.example&callback_method=GET",
        "keywords=word:much",
        "extra=novalue",
        "tag=" + "x" * 129,
        "&".join(["search=x"] * 51),
        "language=not%20one",
    ],
)
def test_bad_values_are_invalid_query_parameters(query: str) -> None:
    """A value of the wrong kind is 400 INVALID_QUERY_PARAMETER and names the parameter."""
    error = refusal(query)
    assert (error.status, error.code) == (400, "INVALID_QUERY_PARAMETER")
    assert error.message.startswith("Failed to deserialize query parameters: ")


def test_summarize_v1_is_refused_in_the_words_of_the_api() -> None:
    """summarize=v1 has a message of its own."""
    error = refusal("summarize=v1")
    assert (error.status, error.code) == (400, "Bad Request")
    assert error.message == (
        "To use the summarize feature, please use 'summarize=true' or 'summarize=v2'. "
        "The 'summarize=v1' parameter is deprecated."
    )


def test_summaries_are_english_only() -> None:
    """A summary of another language is refused."""
    assert refusal("summarize=v2&language=de").message == (
        "Summarization v2 not supported for non-English languages"
    )


@pytest.mark.parametrize("other", ["diarize=true", "diarize=false", "diarize_version=latest"])
def test_one_diarizer_at_a_time(other: str) -> None:
    """diarize_model excludes the older two."""
    error = refusal(f"diarize_model=latest&{other}")
    assert (error.status, error.message) == (
        400,
        "diarize_model cannot be used together with diarize or diarize_version.",
    )


def test_too_many_keyterms() -> None:
    """All key terms together have at most 500 tokens."""
    assert refusal("keyterm=" + "+".join(["word"] * 501)).message.endswith("keyterms is 500.")


def test_unknown_models_are_refused_as_forbidden() -> None:
    """A model that no family has is 403; those of every family are accepted."""
    error = refusal("model=telepathy-1")
    assert (error.status, error.code) == (403, "INSUFFICIENT_PERMISSIONS")
    for model in ("nova-3", "nova-2-phonecall", "whisper-large", "1abfe86b-e047-4eed-858a-35e5625b41ee"):
        parse(f"model={model}", any_port=True)


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://example.com", "http://", "http://[", "http://a:99999/"]
)
def test_invalid_callbacks(url: str) -> None:
    """A callback needs a scheme and a host."""
    assert refusal(f"callback={url}").message == "Invalid callback url."


def test_ports_of_callbacks() -> None:
    """The API takes four ports; a server for this machine takes all."""
    assert refusal("callback=http://a.example:9000/", any_port=False).message == "Invalid callback url."
    options = parse("callback=http://a.example:9000/&callback_method=put", any_port=True)
    assert options.callback == Callback("http://a.example:9000/", "PUT")


def test_what_cannot_be_done_is_a_warning() -> None:
    """Diarization and redaction are accepted and named; a language is the recogniser's to take or refuse."""
    options = parse("diarize=true&redact=pci&sentiment=false&language=de-CH", any_port=True)
    assert [(w.parameter, w.type) for w in options.warnings] == [
        ("diarize", "unsupported_feature"),
        ("redact", "unsupported_feature"),
    ]
    assert options.language == "de-CH"
