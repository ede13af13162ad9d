"""OpenAI's dialect, asked by its official client and by hand."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import pysubs2
import pytest
import webvtt

from dgcli.server.models import LocalModel
from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO, plain, saved_response, words_right

Start = Callable[..., str]
TEXT = "Call Maria Yes."


@pytest.fixture
def official(start: Start) -> Iterator[openai.OpenAI]:
    """The official client, and a server that answers with the saved response."""
    with openai.OpenAI(api_key="not-needed", base_url=f"{start()}/v1", max_retries=0) as client:
        yield client


def clip() -> tuple[str, bytes]:
    return "clip.wav", b"any audio"


def test_json(official: openai.OpenAI) -> None:
    """The default is the text and how many seconds it was of."""
    answer = official.audio.transcriptions.create(model="whisper-1", file=clip())
    assert answer.text == TEXT
    assert answer.usage is not None
    assert answer.usage.to_dict() == {"type": "duration", "seconds": 4}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", ["translations", "speech", "transcriptions/x"])
def test_what_is_not_there(start: Start, client: httpx.Client, method: str, path: str) -> None:
    """Every path of OpenAI's below /v1/audio that is not there is a 404 in OpenAI's form, and says what is."""
    answer = client.request(method, f"{start()}/v1/audio/{path}", content=b"x" if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": f"Invalid URL ({method} /v1/audio/{path}): this server has POST /v1/audio/transcriptions only.",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_found",
    }


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # of translations, in newer clients
def test_its_client_understands_what_is_not_there(official: openai.OpenAI) -> None:
    """The official client raises NotFoundError for a translation; a wrong method is told in OpenAI's form too."""
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        official.audio.translations.create(model="whisper-1", file=clip())
    answer = httpx.get(f"{official.base_url}audio/transcriptions", timeout=HANGS_AFTER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_text(official: openai.OpenAI) -> None:
    """text is the text alone."""
    answer = official.audio.transcriptions.create(model="whisper-1", file=clip(), response_format="text")
    assert answer == f"{TEXT}\n"


def test_srt_and_vtt(official: openai.OpenAI) -> None:
    """Captions are read by other parsers, with a cue for each sentence."""
    srt = official.audio.transcriptions.create(model="whisper-1", file=clip(), response_format="srt")
    cues = pysubs2.SSAFile.from_string(str(srt), format_="srt")
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (320, 1120, "Call Maria"),
        (2400, 2800, "Yes."),
    ]
    vtt = official.audio.transcriptions.create(model="whisper-1", file=clip(), response_format="vtt")
    captions = webvtt.from_string(str(vtt)).captions
    assert [(c.start, c.end, c.text) for c in captions] == [
        ("00:00:00.320", "00:00:01.120", "Call Maria"),
        ("00:00:02.400", "00:00:02.800", "Yes."),
    ]


@pytest.mark.parametrize(
    ("granularities", "words", "segments"),
    [([], None, 2), (["segment"], None, 2), (["word"], 3, None), (["word", "segment"], 3, 2)],
)
def test_verbose_json(
    official: openai.OpenAI, granularities: list[Any], words: int | None, segments: int | None
) -> None:
    """Words and segments come with their times, as they were asked for."""
    options = {"timestamp_granularities": granularities} if granularities else {}
    answer = official.audio.transcriptions.create(
        model="whisper-1", file=clip(), response_format="verbose_json", **options
    )
    assert (answer.text, answer.language, answer.duration) == (TEXT, "english", pytest.approx(3.2))
    assert (None if answer.words is None else len(answer.words)) == words
    assert (None if answer.segments is None else len(answer.segments)) == segments
    if answer.words:
        assert [(w.word, w.start, w.end) for w in answer.words][1:] == [
            ("Maria", 0.64, 1.12),
            ("Yes.", 2.4, 2.8),
        ]
    if answer.segments:
        assert [(s.id, s.start, s.end, s.text) for s in answer.segments][1] == (1, 2.4, 2.8, " Yes.")


def test_a_stream_of_events(official: openai.OpenAI) -> None:
    """stream=true sends the text in pieces that add up to the whole."""
    with official.audio.transcriptions.create(model="gpt-4o-transcribe", file=clip(), stream=True) as events:
        told = list(events)
    assert [event.type for event in told] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    pieces = [event.delta for event in told if event.type == "transcript.text.delta"]
    assert "".join(pieces) == told[-1].text == TEXT  # type: ignore[union-attr]


def test_models(official: openai.OpenAI) -> None:
    """The client lists the models and finds whisper-1; the same object holds Deepgram's list."""
    listed = official.models.list()
    names = [model.id for model in listed]
    assert names[0] == "general-nova-3"
    assert "whisper-1" in names
    assert official.models.retrieve("whisper-1").object == "model"
    raw = httpx.get(f"{official.base_url}models").json()
    assert [model["name"] for model in raw["stt"]] == ["general-nova-3"]
    assert (raw["tts"], raw["object"]) == ([], "list")
    one = httpx.get(f"{official.base_url}models/general-nova-3").json()
    assert (one["architecture"], one["id"]) == ("nova-3", "general-nova-3")


def test_a_model_that_is_not_there(official: openai.OpenAI) -> None:
    """The client understands the 404, and so does one of Deepgram's."""
    with pytest.raises(openai.NotFoundError) as caught:
        official.models.retrieve("dall-e-9")
    assert caught.value.body["code"] == "model_not_found"  # type: ignore[index]
    assert httpx.get(f"{official.base_url}models/dall-e-9").json()["err_code"] == "MODEL_NOT_FOUND"


def test_the_key(start: Start) -> None:
    """A wrong key is an AuthenticationError of the client; the right one is served."""
    url = f"{start(require_key='secret')}/v1"
    with openai.OpenAI(api_key="wrong", base_url=url) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.audio.transcriptions.create(model="whisper-1", file=clip())
        assert caught.value.code == "invalid_api_key"
        right = client.with_options(api_key="secret")
        assert right.audio.transcriptions.create(model="whisper-1", file=clip()).text == TEXT


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"response_format": "xml"}, "response_format"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        (
            {"timestamp_granularities": ["letter"], "response_format": "verbose_json"},
            "timestamp_granularities",
        ),
        ({"temperature": 2}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"language": "the old one"}, "language"),
        ({"model": ""}, "model"),
        ({"file": ("clip.wav", b"")}, "file"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_fields_that_are_invalid(official: openai.OpenAI, options: dict[str, Any], param: str) -> None:
    """A bad field is a BadRequestError that names it."""
    with pytest.raises(openai.BadRequestError) as caught:
        official.audio.transcriptions.create(**{"model": "whisper-1", "file": clip(), **options})
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"


HEAD = 'Content-Disposition: form-data; name="{}"'


def form(*parts: tuple[str, str], end: str = "--B--\r\n") -> bytes:
    text = "".join(f"--B\r\n{HEAD.format(name)}\r\n\r\n{value}\r\n" for name, value in parts)
    return (text + end).encode()


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", form(("model", "x"))),
        ("multipart/form-data; boundary=" + "b" * 500, form(("model", "x"))),
        ("multipart/form-data; boundary=B", b"no form at all"),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", form(("model", "whisper-1"), ("file", "a"), end="")),
        ("multipart/form-data; boundary=B", form(("file", "a"), ("file", "b"))),
        ("multipart/form-data; boundary=B", b"--B\r\nX: y\r\n\r\nvalue\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", form(*[("x", "y")] * 201)),
        ("multipart/form-data; boundary=B", form(("model", "m" * (1 << 20)), ("prompt", "p"))),
        ("multipart/form-data; boundary=B", b"--B\r\nX: " + b"y" * 100_000 + b"\r\n\r\nvalue\r\n--B--\r\n"),
    ],
)
def test_forms_that_cannot_be_read(start: Start, client: httpx.Client, media_type: str, body: bytes) -> None:
    """What is no form, or one too many of anything, is a 400 in OpenAI's form."""
    answer = client.post(
        f"{start()}/v1/audio/transcriptions", content=body, headers={"content-type": media_type}
    )
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("The form cannot be read: ")


def test_a_file_over_the_limit(start: Start) -> None:
    """A file that is too long is refused while it comes."""
    with (
        openai.OpenAI(api_key="x", base_url=f"{start(max_bytes=1000)}/v1", max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", bytes(3_000_000)))
    assert caught.value.status_code == 413


def test_recording(start: Start, tmp_path: Path) -> None:
    """--record keeps the file of the form and its other fields."""
    folder = tmp_path / "kept"
    with openai.OpenAI(api_key="hunter2", base_url=f"{start(record=folder)}/v1") as client:
        client.audio.transcriptions.create(model="whisper-1", file=clip(), prompt="Maria")
    facts = json.loads(next(folder.glob("*.json")).read_text())
    assert facts["fields"]["prompt"] == ["Maria"]
    assert (folder / facts["audio"]).read_bytes() == b"any audio"
    assert not any(b"hunter2" in path.read_bytes() for path in folder.iterdir())


def test_long_sentences_fit_captions(start: Start, tmp_path: Path) -> None:
    """A sentence without an end is cut into segments of two caption lines, and loses no word."""
    words = [
        {"word": f"word{n}", "start": n * 0.3, "end": n * 0.3 + 0.3, "confidence": 1} for n in range(100)
    ]
    response = saved_response()
    response["results"]["channels"][0]["alternatives"][0]["words"] = words
    path = tmp_path / "long.json"
    path.write_text(json.dumps(response))
    with openai.OpenAI(api_key="x", base_url=f"{start(response=path)}/v1") as client:
        answer = client.audio.transcriptions.create(model="x", file=clip(), response_format="verbose_json")
    assert answer.segments is not None
    assert max(len(segment.text) for segment in answer.segments) <= 85
    assert "".join(segment.text for segment in answer.segments).strip() == answer.text


def test_a_real_recording(recogniser: str) -> None:
    """The recogniser's words come through, and what is no audio is refused."""
    with openai.OpenAI(api_key="x", base_url=f"{recogniser}/v1", max_retries=0) as client:
        with (AUDIO / "preamble-rms.flac").open("rb") as file:
            answer = client.audio.transcriptions.create(model="whisper-1", file=file)
        with pytest.raises(openai.BadRequestError):
            client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no audio" * 100))
    assert words_right((AUDIO / "preamble-rms.txt").read_text(), plain(answer.text)) >= 49  # of 52


class TwoModels:
    """Says that there are two models; the weights are those of one."""

    def __init__(self, tiny: LocalModel) -> None:
        self._models = [tiny, LocalModel("small", tiny.path, english_only=False)]

    def available(self) -> Sequence[LocalModel]:
        return self._models

    def choose(self, model: str | None, language: str | None) -> LocalModel:  # noqa: ARG002 - the protocol's
        return self._models[0]


def test_every_model_of_this_machine_is_listed(tiny: LocalModel) -> None:
    """Both dialects list all models, with what languages they know, the one that serves others first."""
    with running(ServerSettings(models=TwoModels(tiny), workers=1)) as url:
        listed = httpx.get(f"{url}/v1/models").json()
        one = httpx.get(f"{url}/v1/models/whisper-small").json()
    assert [model["name"] for model in listed["stt"]] == ["whisper-tiny.en", "whisper-small"]
    assert [model["id"] for model in listed["data"]][:2] == ["whisper-tiny.en", "whisper-small"]
    assert listed["stt"][0]["languages"] == ["en"]
    assert {"en", "de", "fr"} < set(one["languages"])
