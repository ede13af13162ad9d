"""The WebSocket /v1/listen over real sockets, driven by the `websockets` library, with the replay engine."""

import hashlib
import http.server
import io
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.conftest import HANGS_AFTER

Start = Callable[..., str]
Message = dict[str, Any]
RAW = "encoding=linear16&sample_rate=16000"
SECOND = bytes(32000)


def opened(url: str, query: str = RAW, **options: Any) -> ClientConnection:
    return connect(f"{url.replace('http', 'ws', 1)}/v1/listen?{query}", **options)


def rest(socket: ClientConnection) -> tuple[list[Message], int | None, str]:
    """Return all messages up to the close frame, and its code and reason."""
    messages = []
    with suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(socket.recv(timeout=HANGS_AFTER)))
    return messages, socket.close_code, socket.close_reason or ""


def conversation(url: str, query: str, *sent: bytes | str) -> list[Message]:
    """Send everything and CloseStream; return the messages of a stream that ended well."""
    with opened(url, query) as socket:
        for part in sent:
            socket.send(part)
        socket.send('{"type":"CloseStream"}')
        messages, code, reason = rest(socket)
    assert (code, reason) == (1000, "")
    return messages


def results(messages: list[Message], *, final: bool | None = None) -> list[Message]:
    return [m for m in messages if m["type"] == "Results" and final in (None, m["is_final"])]


def transcript(message: Message) -> str:
    text: str = message["channel"]["alternatives"][0]["transcript"]
    return text


def test_the_handshake_tells_the_request_id(start: Start) -> None:
    """101 carries the ids that the API's does."""
    with opened(start()) as socket:
        assert socket.response is not None
        assert socket.response.headers["dg-request-id"]
        assert socket.response.headers["dg-project-id"]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("summarize=v2", 400, "Summarization is not available for streaming."),
        ("summarize=true", 400, "Summarization is not available for streaming."),
        ("topics=true", 403, 'Project does not have access to the requested feature/s ["topics"].'),
        ("intents=true", 403, 'Project does not have access to the requested feature/s ["intents"].'),
        ("detect_language=true", 400, "Language detection is not available for streaming."),
        ("model=nonsense", 403, "Project does not have access to the requested model."),
        ("encoding=linear16", 400, "Failed to deserialize query parameters: sample_rate:"),
        ("utterance_end_ms=1000", 400, "Failed to deserialize query parameters: utterance_end_ms:"),
        ("interim_results=true&utterance_end_ms=999", 400, "Failed to deserialize query parameters:"),
        ("diarize_model=v2", 400, "Failed to deserialize query parameters: diarize_model:"),
        ("endpointing=soon", 400, "Failed to deserialize query parameters: endpointing:"),
        ("interim_results=1", 400, "Failed to deserialize query parameters: interim_results:"),
    ],
)
def test_refused_handshakes(start: Start, query: str, status: int, message: str) -> None:
    """A refusal is a status, never a socket, with dg-error, dg-request-id and the JSON body."""
    with pytest.raises(InvalidStatus) as caught, opened(start(), query):
        pass
    response = caught.value.response
    body = json.loads(response.body or b"")
    assert response.status_code == status
    assert body["err_msg"].startswith(message)
    assert response.headers["dg-error"] == body["err_msg"]
    assert response.headers["dg-request-id"] == body["request_id"]


@pytest.mark.parametrize("key", [None, "Token other", "Bearer"])
def test_a_key_is_required(start: Start, key: str | None) -> None:
    """Without the key the handshake is 401 INVALID_AUTH."""
    headers = {"Authorization": key} if key else {}
    with pytest.raises(InvalidStatus) as caught, opened(start(require_key="k"), additional_headers=headers):
        pass
    assert caught.value.response.status_code == 401
    assert json.loads(caught.value.response.body or b"")["err_code"] == "INVALID_AUTH"


def test_the_key_in_the_header(start: Start) -> None:
    """Token and Bearer both open the stream."""
    for scheme in ("Token", "token", "Bearer"):
        with opened(start(require_key="k"), additional_headers={"Authorization": f"{scheme} k"}):
            pass


def test_the_key_as_a_subprotocol(start: Start) -> None:
    """A browser sends the key as a subprotocol, and its scheme is chosen."""
    with opened(start(require_key="k"), subprotocols=["token", "k"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "token"


def test_words_come_as_the_audio_passes_them(start: Start) -> None:
    """Each second of audio brings an interim of what was said so far; finals come after the pauses."""
    messages = conversation(start(), f"{RAW}&interim_results=true&punctuate=true", *[SECOND] * 4)
    said = [(transcript(m), m["is_final"], m["speech_final"]) for m in results(messages)]
    assert said == [
        ("Call", False, False),
        ("Call Maria", True, True),
        ("", False, False),
        ("Yes.", True, True),
        ("", True, False),
    ]
    finals = results(messages, final=True)
    assert [m["start"] for m in finals] == pytest.approx([0.0, 1.42, 3.1], abs=0.001)
    assert all(
        before["start"] + before["duration"] == pytest.approx(after["start"])
        for before, after in itertools.pairwise(finals)
    )


def test_the_form_of_results(start: Start) -> None:
    """Keys come in the order of the API, with words of absolute time and the model."""
    final = results(conversation(start(), f"{RAW}&extra=k:v&search=call", SECOND, SECOND), final=True)[0]
    assert list(final) == [
        *("type", "channel_index", "duration", "start", "is_final", "speech_final"),
        *("channel", "metadata", "from_finalize"),
    ]
    assert final["channel_index"] == [0, 1]
    word = final["channel"]["alternatives"][0]["words"][0]
    assert word == {"word": "call", "start": 0.31999999, "end": 0.63999999, "confidence": 0.98000002}
    assert final["channel"]["search"][0]["hits"][0]["snippet"] == "call"
    assert final["metadata"]["model_info"] == {"name": "general-nova-3", "version": "1", "arch": "nova-3"}
    assert final["metadata"]["model_uuid"] == "u-1"
    assert final["metadata"]["extra"] == {"k": "v"}


def test_metadata_comes_last(start: Start) -> None:
    """The last message tells the hash, duration and channels of what was sent."""
    last = conversation(start(), RAW, SECOND, SECOND[:16000])[-1]
    assert last["type"] == "Metadata"
    assert last["transaction_key"] == "deprecated"
    assert (last["duration"], last["channels"], last["models"]) == (1.5, 1, ["u-1"])
    assert last["sha256"] == hashlib.sha256(SECOND + SECOND[:16000]).hexdigest()


def test_no_audio_at_all(start: Start) -> None:
    """CloseStream alone gives a Metadata of nothing."""
    (only,) = conversation(start(), RAW)
    assert (only["type"], only["duration"], only["channels"]) == ("Metadata", 0, 0)
    assert only["sha256"] == hashlib.sha256(b"").hexdigest()
    assert "models" not in only


def test_a_frame_of_no_length_ends_the_stream(start: Start) -> None:
    """An empty binary frame is the old form of CloseStream."""
    with opened(start()) as socket:
        socket.send(SECOND)
        socket.send(b"")
        messages, code, _ = rest(socket)
    assert (messages[-1]["type"], code) == ("Metadata", 1000)


def test_the_size_of_messages_makes_no_difference(start: Start) -> None:
    """Audio in crumbs and audio in one block give the same messages."""
    url, query = start(), f"{RAW}&interim_results=true&vad_events=true&utterance_end_ms=1000"
    audio = SECOND * 5
    crumbs = [audio[at : at + 1000] for at in range(0, len(audio), 1000)]

    def told(messages: list[Message]) -> list[Message]:
        return [{k: v for k, v in m.items() if k != "metadata"} for m in messages if m["type"] != "Metadata"]

    assert told(conversation(url, query, audio)) == told(conversation(url, query, *crumbs))


def test_finalize(start: Start) -> None:
    """Finalize gives what is open at once, marked as its answer; the rest follows later."""
    with opened(start()) as socket:
        socket.send(SECOND)
        socket.send('{"type":"Finalize"}')
        answer = json.loads(socket.recv(timeout=HANGS_AFTER))
        socket.send(SECOND)
        socket.send('{"type":"CloseStream"}')
        messages, _, _ = rest(socket)
    assert (answer["from_finalize"], answer["is_final"], answer["speech_final"]) == (True, True, True)
    assert transcript(answer) == "call"
    assert transcript(results(messages)[0]) == "maria"


def test_keep_alive_has_no_answer(start: Start) -> None:
    """KeepAlive changes nothing that is sent."""
    url = start()
    with_it = conversation(url, RAW, '{"type":"KeepAlive"}', SECOND, '{"type": "KeepAlive"}')
    assert [m["type"] for m in with_it] == ["Results", "Metadata"]


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (
            '{"type":"Finalise"}',
            (
                "Could not deserialize last text message: unknown variant `Finalise`, expected one of "
                "`CloseStream`, `Configure`, `Sync`, `KeepAlive`, `Finalize` at line 1 column 19"
            ),
        ),
        ("hello", "Could not deserialize last text message: expected value at line 1 column 1"),
        ("{}", "Could not deserialize last text message: missing field `type` at line 1 column 2"),
        ("[1]", "Could not deserialize last text message: invalid type, expected a map at line 1 column 3"),
        (
            "[" * 100_000,
            "Could not deserialize last text message: recursion limit exceeded at line 1 column 100000",
        ),
    ],
)
def test_bad_text_is_an_error_message(start: Start, text: str, description: str) -> None:
    """What is no known message is answered with SchemaError, and the stream stays open."""
    first, *others = conversation(start(), RAW, text, SECOND)
    assert first == {"type": "Error", "variant": "SchemaError", "description": description, "message": text}
    assert [m["type"] for m in others] == ["Results", "Metadata"]


def configured(url: str, query: str, *changes: Message) -> list[Message]:
    """Return the answers to Configure messages on one stream."""
    sent = [json.dumps({"type": "Configure", **change}) for change in changes]
    return conversation(url, query, *sent)[: len(changes)]


def test_configure(start: Start) -> None:
    """New key terms are confirmed as they are now; what is absent or null is not named."""
    answers = configured(
        start(),
        f"{RAW}&model=nova-3",
        {"keyterms": ["Deepgram", "Flux"]},
        {"keyterms": []},
        {"features": {"numerals": True}, "keyterms": None},
    )
    request_id = answers[0]["request_id"]
    assert answers == [
        {"type": "ConfigureSuccess", "request_id": request_id, "keyterms": ["Deepgram", "Flux"]},
        {"type": "ConfigureSuccess", "request_id": request_id, "keyterms": []},
        {"type": "ConfigureSuccess", "request_id": request_id},
    ]


@pytest.mark.parametrize(
    ("query", "change", "code"),
    [
        ("model=nova-3", {"keyterms": ["word " * 501]}, "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"),
        ("model=nova-2", {"keyterms": ["a"]}, "CONFIGURE_KEYTERMS_NOT_SUPPORTED"),
        ("model=nova-2-phonecall", {"keyterms": ["a"]}, "CONFIGURE_KEYTERMS_NOT_SUPPORTED"),
        ("model=enhanced", {"keyterms": []}, "CONFIGURE_KEYTERMS_NOT_SUPPORTED"),
        ("model=nova-3", {"keyterms": "a"}, "CONFIGURE_INTERNAL_ERROR"),
        ("model=nova-3", {"keyterms": ["a"], "features": ["numerals"]}, "CONFIGURE_INTERNAL_ERROR"),
        ("model=nova-3", {"keyterms": ["a"], "features": {"numerals": "yes"}}, "CONFIGURE_INTERNAL_ERROR"),
    ],
)
def test_configurations_that_are_not_taken(start: Start, query: str, change: Message, code: str) -> None:
    """A wrong configuration is answered with ConfigureFailure, and the stream goes on."""
    (answer,) = configured(start(), f"{RAW}&{query}", change)
    assert (answer["type"], answer["code"]) == ("ConfigureFailure", code)
    assert set(answer) == {"type", "request_id", "code", "description"}


@pytest.mark.parametrize("model", ["nova-3", "nova-3-general", "nova-3-medical", "nova", "base-general"])
def test_models_with_key_terms(start: Start, model: str) -> None:
    """Nova-3 of every kind has key terms; the models before it have none."""
    (answer,) = configured(start(), f"{RAW}&model={model}", {"keyterms": ["a"]})
    assert (answer["type"] == "ConfigureSuccess") is model.startswith("nova-3")


def test_speech_started_and_utterance_end(start: Start) -> None:
    """Both events come where the transcript begins to speak and has been silent for long enough."""
    query = f"{RAW}&interim_results=true&vad_events=true&utterance_end_ms=1000"
    messages = conversation(start(), query, *[SECOND] * 5)
    assert [m["timestamp"] for m in messages if m["type"] == "SpeechStarted"] == [0.31999999, 2.4000001]
    ends = [m for m in messages if m["type"] == "UtteranceEnd"]
    assert [(m["channel"], m["last_word_end"]) for m in ends] == [([0, 1], 1.12), ([0, 1], 2.8)]


def test_events_must_be_asked_for(start: Start) -> None:
    """Without the options there are finals and nothing else."""
    messages = conversation(start(), RAW, *[SECOND] * 5)
    assert {m["type"] for m in messages} == {"Results", "Metadata"}
    assert all(m["is_final"] for m in messages[:-1])


def test_endpointing_off(start: Start) -> None:
    """endpointing=false gives finals that never say that speech ended."""
    messages = conversation(start(), f"{RAW}&endpointing=false", *[SECOND] * 4)
    spoken = [m for m in results(messages) if transcript(m)]
    assert [transcript(m) for m in spoken] == ["call maria", "yes"]
    assert not any(m["speech_final"] for m in spoken)


def test_a_longer_endpointing(start: Start) -> None:
    """A pause shorter than endpointing does not end the utterance."""
    messages = conversation(start(), f"{RAW}&endpointing=1500", *[SECOND] * 5)
    assert transcript(results(messages)[0]) == "call maria yes"


def test_channels_and_speakers(start: Start, tmp_path: Path) -> None:
    """With multichannel each channel has its results; speakers are told when diarization is asked for."""

    def word(text: str, at: float, speaker: int) -> Message:
        return {"word": text, "start": at, "end": at + 0.4, "confidence": 0.9, "speaker": speaker}

    channels = [
        {"alternatives": [{"words": [word("left", 0.2, 0)]}]},
        {"alternatives": [{"words": [word("right", 1.2, 1)]}]},
    ]
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"metadata": {"duration": 3}, "results": {"channels": channels}}))
    url = start(response=path)
    query = f"{RAW}&channels=2&multichannel=true&diarize=true"
    spoken = [m for m in results(conversation(url, query, SECOND * 6)) if transcript(m)]
    assert [(m["channel_index"], transcript(m)) for m in spoken] == [([0, 2], "left"), ([1, 2], "right")]
    assert [m["channel"]["alternatives"][0]["words"][0]["speaker"] for m in spoken] == [0, 1]
    mixed = [transcript(m) for m in results(conversation(url, RAW, SECOND * 3)) if transcript(m)]
    assert mixed == ["left", "right"]

    with opened(url, query) as socket:
        socket.send(SECOND * 3)
        socket.send('{"type":"Finalize","channel":1}')
        socket.send('{"type":"CloseStream"}')
        messages, _, _ = rest(socket)
    flushed = [m["channel_index"][0] for m in results(messages) if m["from_finalize"]]
    assert flushed == [1]


@pytest.mark.parametrize(("kind", "rate"), [("WAV", 8000), ("FLAC", 44100), ("OGG", 48000), ("MP3", 22050)])
def test_containers_keep_time(start: Start, kind: str, rate: int) -> None:
    """Audio with a header is measured by what it decodes to."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).normal(0, 0.1, rate * 4)
    soundfile.write(buffer, noise, rate, format=kind)
    data = buffer.getvalue()
    blocks = [data[at : at + 4000] for at in range(0, len(data), 4000)]
    messages = conversation(start(), "smart_format=true", *blocks)
    assert [transcript(m) for m in results(messages) if transcript(m)] == ["Call Maria", "Yes."]
    assert messages[-1]["duration"] == pytest.approx(4, abs=0.1)


def sent_and_closed(url: str, query: str, data: bytes) -> tuple[list[Message], int | None, str]:
    """Send data, whether or not the server listens to the end; return its messages and how it closed."""
    with opened(url, query) as socket:
        with suppress(ConnectionClosed):  # it may have heard enough already
            for at in range(0, len(data), 3200):
                socket.send(data[at : at + 3200])
            socket.send('{"type":"CloseStream"}')
        return rest(socket)


def test_what_is_not_audio(start: Start) -> None:
    """A text closes the stream with 1008 DATA-0000."""
    text = b"This is a text and no audio at all. " * 4000
    assert sent_and_closed(start(), "model=nova-3", text) == ([], 1008, "DATA-0000")


@pytest.mark.parametrize("encoding", ["", "flac", "ogg-opus", "opus", "speex", "amr-nb", "amr-wb"])
def test_noise_is_no_audio_in_any_encoding_that_can_tell(start: Start, encoding: str) -> None:
    """Random bytes close the stream with 1008 DATA-0000; only plain samples and G.729 may be anything."""
    query = f"encoding={encoding}&sample_rate=16000" if encoding else "model=nova-3"
    noise = np.random.default_rng(5).bytes(160_000)
    assert sent_and_closed(start(), query, noise) == ([], 1008, "DATA-0000")


def test_too_little_of_anything_is_no_audio(start: Start) -> None:
    """A few unusable bytes and CloseStream give a Metadata of nothing."""
    (only,) = conversation(start(), "model=nova-3", b"what is this")
    assert (only["type"], only["duration"], only["channels"]) == ("Metadata", 0, 0)


def test_silence_of_the_client(start: Start) -> None:
    """No frame within the window closes with 1011 NET-0001, after a Metadata that is incomplete."""
    with opened(start(idle_timeout=0.3)) as socket:
        socket.send(SECOND)
        messages, code, reason = rest(socket)
    assert code == 1011
    assert reason.endswith("https://dpgr.am/net0001")
    assert len(reason.encode()) <= 123
    assert (messages[-1]["type"], messages[-1]["sha256"]) == ("Metadata", "incomplete")


def test_keep_alive_holds_a_stream_that_had_audio(start: Start) -> None:
    """KeepAlive within the window keeps the stream, for as long as it goes on."""
    with opened(start(idle_timeout=0.4)) as socket:
        socket.send(SECOND)
        for _ in range(8):
            with pytest.raises(TimeoutError):
                socket.recv(timeout=0.1)
            socket.send('{"type":"KeepAlive"}')
        socket.send('{"type":"CloseStream"}')
        _, code, _ = rest(socket)
    assert code == 1000


def test_keep_alive_alone_never_suffices(start: Start) -> None:
    """Without any audio since the opening the stream is closed all the same."""
    with opened(start(idle_timeout=0.4)) as socket:
        messages: list[Message] = []
        with suppress(ConnectionClosed):
            for _ in range(40):
                socket.send('{"type":"KeepAlive"}')
                with suppress(TimeoutError):
                    messages.append(json.loads(socket.recv(timeout=0.05)))
    assert (socket.close_code, [m["type"] for m in messages]) == (1011, ["Metadata"])


def test_recording(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The bytes are kept as they came, and the client and the log are told how much and where."""
    caplog.set_level("INFO", "dgcli.server")
    folder = tmp_path / "kept"
    url = start(record=folder, require_key="hunter2")
    query = f"{RAW}&extra=mine:yes"
    with opened(url, query, subprotocols=["token", "hunter2"]) as socket:  # type: ignore[list-item]
        socket.send(SECOND)
        socket.send(b"\1\2" * 100)
        socket.send('{"type":"CloseStream"}')
        messages, _, _ = rest(socket)
    extra = messages[-1]["extra"]
    assert (extra["mine"], extra["received_bytes"], extra["encoding"]) == ("yes", "32200", "linear16")
    assert float(extra["received_seconds"]) == pytest.approx(1.006, abs=0.001)
    kept = Path(extra["file"])
    assert kept.read_bytes() == SECOND + b"\1\2" * 100
    assert kept.stat().st_mode & 0o777 == 0o600
    facts = json.loads(kept.with_suffix(".json").read_text())
    assert (facts["query"], facts["bytes"]) == (query, 32200)
    assert not any(b"hunter2" in path.read_bytes() for path in folder.iterdir())
    line = next(r.getMessage() for r in caplog.records if "32200 bytes" in r.getMessage())
    assert str(kept) in line
    assert "linear16" in line


def test_other_sockets_are_refused(start: Start) -> None:
    """A path that is not there is a 404 with a body, not a socket."""
    with pytest.raises(InvalidStatus) as caught, connect(f"{start().replace('http', 'ws')}/v3/listen"):
        pass
    assert caught.value.response.status_code == 404
    assert json.loads(caught.value.response.body or b"")["err_code"] == "NOT_FOUND"


def test_the_channels_of_a_container(start: Start, tmp_path: Path) -> None:
    """Every result of a stereo file names two channels, the first one too."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((32000, 2)), 8000, format="WAV")
    channels = [{"alternatives": [{"words": []}]}] * 2
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"metadata": {"duration": 4}, "results": {"channels": channels}}))
    query = "multichannel=true&interim_results=true"
    messages = results(conversation(start(response=path), query, buffer.getvalue()))
    assert {tuple(m["channel_index"]) for m in messages} == {(0, 2), (1, 2)}


@pytest.mark.parametrize("method", ["", "post", "PUT", "get", "delete"])
def test_messages_go_to_a_callback_too(start: Start, method: str) -> None:
    """With an http callback each message is sent there, in order, and all of them before the stream closes."""
    seen: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.command, json.loads(body)["type"]))
            self.send_response(204)
            self.end_headers()

        do_POST = do_PUT = do_GET = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        query = f"{RAW}&callback=http://127.0.0.1:{server.server_port}/"
        messages = conversation(
            start(), query + (f"&callback_method={method}" if method else ""), *[SECOND] * 4
        )
        server.shutdown()
        thread.join()
    assert seen == [(method.upper() or "POST", m["type"]) for m in messages]


class Listener:
    """A WebSocket server for callbacks: keeps what it gets, and may hang up after so many messages."""

    def __init__(self, hang_up_after: int | None = None) -> None:
        self.seen: list[str] = []
        self.headers: dict[str, str] = {}
        self.ended = threading.Event()
        self._hang_up_after = hang_up_after

    def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        for text in socket:
            self.seen.append(json.loads(text)["type"])
            if len(self.seen) == self._hang_up_after:
                break
        self.ended.set()


@contextmanager
def listening(listener: Listener) -> Iterator[str]:
    with serve(listener, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/there"
        server.shutdown()
        thread.join()


def test_messages_go_to_a_callback_by_websocket(start: Start) -> None:
    """A ws callback gets every message with dg-token, and is closed with the stream."""
    listener = Listener()
    with listening(listener) as target:
        messages = conversation(start(), f"{RAW}&callback={target}", *[SECOND] * 4)
        assert listener.ended.wait(20)
    assert listener.seen == [m["type"] for m in messages]
    assert listener.headers["dg-token"]
    assert listener.headers["dg-request-id"] == messages[-1]["request_id"]


def test_a_callback_that_hangs_up_ends_the_stream(start: Start) -> None:
    """When its WebSocket is closed, the stream closes with 1011 and a Metadata that is incomplete."""
    listener = Listener(hang_up_after=1)
    with listening(listener) as target, opened(start(), f"{RAW}&callback={target}") as socket:
        socket.send(SECOND * 2)
        messages, code, reason = rest(socket)
    assert (code, reason) == (1011, "The callback's WebSocket was closed.")
    assert messages[-1]["sha256"] == "incomplete"


@pytest.mark.parametrize(
    "target",
    ["ws://127.0.0.1:1/", "ftp://127.0.0.1/", "ws://", "wss://127.0.0.1:{plain}/", "ws://127.0.0.1:{plain}/"],
)
def test_callbacks_that_cannot_be_opened(start: Start, target: str) -> None:
    """What is no callback URL, or has no WebSocket behind it, is refused at the handshake."""
    url = start()
    target = target.replace("{plain}", url.rpartition(":")[2])
    with pytest.raises(InvalidStatus) as caught, opened(url, f"{RAW}&callback={target}"):
        pass
    assert json.loads(caught.value.response.body or b"")["err_msg"] == "Invalid callback url."


def test_callbacks_of_this_machine_must_be_allowed(start: Start) -> None:
    """Without --allow-private-urls no WebSocket is opened to a private address."""
    with (
        pytest.raises(InvalidStatus) as caught,
        opened(start(allow_private_urls=False), f"{RAW}&callback=ws://127.0.0.1:8080/"),
    ):
        pass
    assert json.loads(caught.value.response.body or b"")["err_msg"] == "Invalid callback url."
