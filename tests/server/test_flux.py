"""The WebSocket /v2/listen over real sockets, driven by the `websockets` library, with the replay engine."""

import io
import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dgcli.server import flux_messages
from dgcli.server.engines.base import HeardWord
from dgcli.server.flux_query import FluxOptions
from dgcli.server.turns import TurnEvent, TurnState
from tests.conftest import HANGS_AFTER
from tests.server.conftest import saved_response

Start = Callable[..., str]
Message = dict[str, Any]
RAW = "model=flux-general-en&encoding=linear16&sample_rate=16000"
SECOND = bytes(32000)
CLOSE = '{"type":"CloseStream"}'
FORCE = '{"type":"ForceEndTurn"}'


@pytest.fixture
def url(start: Start, tmp_path: Path) -> str:
    """A server that says "Call Maria." up to 1.12 s, and "Yes." from 4.0 to 4.4 s."""
    response = saved_response()
    words = response["results"]["channels"][0]["alternatives"][0]["words"]
    words[1]["punctuated_word"] = "Maria."
    words[2] |= {"start": 4.0, "end": 4.4}
    path = tmp_path / "turns.json"
    path.write_text(json.dumps(response))
    return start(response=path)


def opened(url: str, query: str = RAW, **options: Any) -> ClientConnection:
    return connect(f"{url.replace('http', 'ws', 1)}/v2/listen?{query}", **options)


def next_message(socket: ClientConnection) -> Message:
    message: Message = json.loads(socket.recv(timeout=HANGS_AFTER))
    return message


def rest(socket: ClientConnection) -> list[Message]:
    """Return all messages up to the close frame, which has no status."""
    messages = []
    with suppress(ConnectionClosed):
        while True:
            messages.append(next_message(socket))
    assert (socket.close_code, socket.close_reason) == (1005, "")
    return messages


def conversation(url: str, query: str, *sent: bytes | str) -> list[Message]:
    """Send everything and CloseStream; return the messages, whose numbers are right."""
    with opened(url, query) as socket:
        for part in sent:
            socket.send(part)
        socket.send(CLOSE)
        messages = rest(socket)
    assert [message["sequence_id"] for message in messages] == list(range(len(messages)))
    return messages


def turns(messages: list[Message], *events: str) -> list[Message]:
    """Return what is told of turns, of these events or of all that are no updates."""
    told = [m for m in messages if m["type"] == "TurnInfo"]
    return [m for m in told if (m["event"] in events if events else m["event"] != "Update")]


def said(messages: list[Message]) -> list[tuple[int, str, str]]:
    return [(m["turn_index"], m["event"], m["transcript"]) for m in turns(messages)]


def until(socket: ClientConnection, kind: str) -> Message:
    """Read up to the next message of a type."""
    while (message := next_message(socket))["type"] != kind:
        pass
    return message


def test_connected_comes_first(url: str) -> None:
    """The first message is Connected, with the request id of the handshake, before any audio."""
    with opened(url) as socket:
        first = next_message(socket)
        assert socket.response is not None
        request_id = socket.response.headers["dg-request-id"]
    assert first == {"type": "Connected", "request_id": request_id, "sequence_id": 0}


def test_turns(url: str) -> None:
    """Each utterance is a turn of its own: it starts with its first word and ends in the silence after it."""
    messages = conversation(url, RAW, *[SECOND] * 7)
    assert said(messages) == [
        (0, "StartOfTurn", "Call"),
        (0, "EndOfTurn", "Call Maria."),
        (1, "StartOfTurn", "Yes."),
        (1, "EndOfTurn", "Yes."),
    ]
    first, second = turns(messages, "EndOfTurn")
    assert first["audio_window_start"] == 0
    assert first["audio_window_end"] == pytest.approx(1.12 + 0.72, abs=0.03)
    assert second["audio_window_start"] == first["audio_window_end"]
    assert first["end_of_turn_confidence"] >= 0.7
    assert (first["trigger"], second["trigger"]) == ("model", "model")
    assert [m["turn_index"] for m in turns(messages, "Update")][-1] == 2


def test_the_fields_of_a_turn(url: str) -> None:
    """TurnInfo has the fields of the API, words with marks, confidence and times; English tells no languages."""
    (ended, _) = turns(conversation(url, RAW, *[SECOND] * 7), "EndOfTurn")
    assert set(ended) == {
        *(
            "type",
            "request_id",
            "sequence_id",
            "event",
            "turn_index",
            "audio_window_start",
            "audio_window_end",
        ),
        *("transcript", "words", "end_of_turn_confidence", "trigger"),
    }
    assert ended["words"][1] == {"word": "Maria.", "confidence": 0.99000001, "start": 0.64, "end": 1.12}


def test_updates_come_every_quarter_of_a_second(url: str) -> None:
    """The audio is covered by updates a quarter of a second apart, whatever the size of its blocks."""
    for size in (2560, 32000 * 4):
        audio = bytes(32000 * 4)
        parts = [audio[at : at + size] for at in range(0, len(audio), size)]
        messages = conversation(url, RAW, *parts)
        told = [m["audio_window_end"] for m in turns(messages, "Update")]
        assert len(told) == pytest.approx(16, abs=1)
        assert max(b - a for a, b in itertools.pairwise(told)) <= 0.27
        assert not any("trigger" in m for m in turns(messages, "Update", "StartOfTurn"))


def test_an_early_end_has_the_words_of_the_end(url: str) -> None:
    """EagerEndOfTurn comes when it is asked for, directly before an EndOfTurn of the same transcript."""
    messages = conversation(url, f"{RAW}&eager_eot_threshold=0.4", *[SECOND] * 7)
    assert said(messages) == [
        (0, "StartOfTurn", "Call"),
        (0, "EagerEndOfTurn", "Call Maria."),
        (0, "EndOfTurn", "Call Maria."),
        (1, "StartOfTurn", "Yes."),
        (1, "EagerEndOfTurn", "Yes."),
        (1, "EndOfTurn", "Yes."),
    ]


def test_a_turn_that_is_resumed(url: str) -> None:
    """Where the end is never sure, what is said after an early end takes it back and belongs to the turn."""
    query = f"{RAW}&eager_eot_threshold=0.5&eot_threshold=1&eot_timeout_ms=4000"
    assert said(conversation(url, query, *[SECOND] * 7)) == [
        (0, "StartOfTurn", "Call"),
        (0, "EagerEndOfTurn", "Call Maria."),
        (0, "TurnResumed", "Call Maria. Yes."),
        (0, "EagerEndOfTurn", "Call Maria. Yes."),
    ]


def test_the_timeout(url: str) -> None:
    """A silence of eot_timeout_ms ends a turn that no confidence ends."""
    messages = conversation(url, f"{RAW}&eot_threshold=1.0&eot_timeout_ms=1500", *[SECOND] * 7)
    first, second = turns(messages, "EndOfTurn")
    assert (first["trigger"], second["trigger"]) == ("timeout", "timeout")
    assert first["audio_window_end"] == pytest.approx(1.12 + 1.5, abs=0.03)


def test_the_client_ends_a_turn(url: str) -> None:
    """ForceEndTurn ends the active turn with what was said until then."""
    with opened(url) as socket:
        socket.send(SECOND + SECOND[:8000])
        socket.send(FORCE)
        socket.send(SECOND)
        socket.send(CLOSE)
        messages = rest(socket)
    assert said(messages) == [(0, "StartOfTurn", "Call"), (0, "EndOfTurn", "Call Maria.")]
    (ended,) = turns(messages, "EndOfTurn")
    assert (ended["trigger"], ended["audio_window_end"]) == ("manual", 1.25)


@pytest.mark.parametrize("audio", [b"", SECOND[:3200]])
def test_no_turn_to_end(url: str, audio: bytes) -> None:
    """ForceEndTurn without an active turn is answered with a warning, and the stream goes on."""
    with opened(url) as socket:
        if audio:
            socket.send(audio)
        socket.send(FORCE)
        warning = until(socket, "Warning")
        assert warning["code"] == "FORCE_END_TURN_NO_ACTIVE_TURN"
        assert {"type", "request_id", "sequence_id", "code", "description"} == set(warning)
        socket.send(SECOND * 3)
        socket.send(CLOSE)
        assert said(rest(socket))[-1] == (0, "EndOfTurn", "Call Maria.")


def test_the_end_of_the_stream_ends_no_turn(url: str) -> None:
    """CloseStream tells the last words in an Update, ends no turn and closes without a status."""
    messages = conversation(url, RAW, SECOND + SECOND[:8000])
    assert turns(messages, "EndOfTurn") == []
    assert (messages[-1]["event"], messages[-1]["transcript"]) == ("Update", "Call Maria.")


def test_no_audio_at_all(url: str) -> None:
    """CloseStream alone closes at once, after Connected."""
    assert [message["type"] for message in conversation(url, RAW)] == ["Connected"]


@pytest.mark.parametrize(
    "text",
    ['{"type":"KeepAlive"}', '{"type":"Finalize"}', '{"type":"Sync"}', "{}", "[]", "stop", "[" * 100_000],
)
def test_messages_that_flux_does_not_know(url: str, text: str) -> None:
    """A text that is no message of Flux ends the stream with an Error."""
    with opened(url) as socket:
        socket.send(text)
        messages = rest(socket)
    assert messages[1:] == [
        {
            "type": "Error",
            "code": "UNPARSABLE_CLIENT_MESSAGE",
            "description": flux_messages.UNPARSABLE,
            "sequence_id": 1,
        }
    ]


def configured(url: str, query: str, *changes: Message) -> list[Message]:
    """Return the answers to Configure messages on one stream."""
    with opened(url, query) as socket:
        next_message(socket)
        answers = []
        for change in changes:
            socket.send(json.dumps({"type": "Configure", **change}))
            answers.append(next_message(socket))
        socket.send(CLOSE)
        rest(socket)
    return answers


def test_configure(url: str) -> None:
    """ConfigureSuccess tells the whole configuration; what is absent or null stays, and lists replace."""
    first, second, third = configured(
        url,
        f"{RAW}&keyterm=Maria&eot_timeout_ms=2000",
        {"thresholds": {"eot_threshold": 0.8, "eager_eot_threshold": 0.6}},
        {"keyterms": ["Deepgram", "Flux"], "thresholds": None, "numerals": True},
        {"keyterms": []},
    )
    assert first["type"] == "ConfigureSuccess"
    assert first["thresholds"] == {"eager_eot_threshold": 0.6, "eot_threshold": 0.8, "eot_timeout_ms": 2000}
    assert (first["keyterms"], first["numerals"]) == (["Maria"], False)
    assert second["thresholds"] == first["thresholds"]
    assert (second["keyterms"], second["numerals"]) == (["Deepgram", "Flux"], True)
    assert (third["keyterms"], third["numerals"]) == ([], True)
    assert "language_hints" not in first
    assert [m["sequence_id"] for m in (first, second, third)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"thresholds": {"eot_threshold": 0.4}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eot_threshold": 1.1}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eot_threshold": "high"}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eot_threshold": True}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eager_eot_threshold": 0.8}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eager_eot_threshold": 0.2}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eot_timeout_ms": 499}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"eot_timeout_ms": 600.5}}, "INVALID_THRESHOLD"),
        ({"thresholds": {"volume": 1}}, "INVALID_THRESHOLD"),
        ({"thresholds": 0.7}, "INVALID_THRESHOLD"),
        ({"keyterms": [1]}, "INVALID_KEYTERMS"),
        ({"keyterms": ["term"] * 101}, "KEYTERM_LIMIT_EXCEEDED"),
        ({"keyterms": ["term " * 501]}, "KEYTERM_LIMIT_EXCEEDED"),
        ({"language_hints": ["es"]}, "INVALID_LANGUAGE_HINT"),
        ({"numerals": "yes"}, "INVALID_NUMERALS"),
        ({"model": "flux-general-multi"}, "INVALID_CONFIGURATION"),
    ],
)
def test_a_configuration_is_taken_whole_or_not_at_all(url: str, change: Message, code: str) -> None:
    """One wrong value changes nothing of what stands beside it, and the stream goes on."""
    whole = {"keyterms": ["Deepgram"], "numerals": True, **change}
    refused, unchanged = configured(url, RAW, whole, {})
    assert (refused["type"], refused["code"]) == ("ConfigureFailure", code)
    assert set(refused) == {"type", "request_id", "sequence_id", "code", "description"}
    assert (unchanged["keyterms"], unchanged["numerals"]) == ([], False)
    assert unchanged["thresholds"] == {"eot_threshold": 0.7, "eot_timeout_ms": 5000}


def test_a_configuration_is_in_force_from_its_place_in_the_audio(url: str) -> None:
    """Thresholds act on the audio after them, however much is sent at once, and are answered in that place."""
    with opened(url, f"{RAW}&eot_threshold=1&eot_timeout_ms=60000") as socket:
        socket.send(SECOND * 3)
        socket.send('{"type":"Configure","thresholds":{"eot_threshold":0.5,"eager_eot_threshold":0.5}}')
        socket.send('{"type":"Configure","thresholds":{"eot_threshold":0.4}}')
        socket.send(SECOND)
        socket.send(CLOSE)
        messages = rest(socket)
    told = [m.get("event") or m["type"] for m in messages if m.get("event") != "Update"]
    assert told == [
        *("Connected", "StartOfTurn", "ConfigureSuccess", "ConfigureFailure"),
        *("EagerEndOfTurn", "EndOfTurn"),
    ]
    (ended,) = turns(messages, "EndOfTurn")
    assert ended["audio_window_end"] == pytest.approx(3.02, abs=0.01)


def test_a_configuration_among_a_container(url: str) -> None:
    """Configure is answered before a container begins, and within one."""
    audio = container("WAV")
    with opened(url, "model=flux-general-en") as socket:
        socket.send('{"type":"Configure","keyterms":["a"]}')
        assert until(socket, "ConfigureSuccess")["keyterms"] == ["a"]
        socket.send(audio[:200_000])
        socket.send('{"type":"Configure","keyterms":["b"]}')
        socket.send(audio[200_000:])
        socket.send(CLOSE)
        messages = rest(socket)
    (success,) = [m for m in messages if m["type"] == "ConfigureSuccess"]
    assert success["keyterms"] == ["b"]
    assert 0 < messages.index(success) < len(messages) - 1


BAD = "Failed to deserialize query parameters: "
HINT = "language_hint: "


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        (f"{RAW}&language=en", 400, "Unknown query parameters: language"),
        (
            f"{RAW}&smart_format=true&interim_results=true",
            400,
            "Unknown query parameters: smart_format, interim",
        ),
        (f"{RAW}&channels=1", 400, "Unknown query parameters: channels"),
        (f"{RAW}&callback=http://x/", 400, "Unknown query parameters: callback"),
        ("encoding=linear16&sample_rate=16000", 400, f"{BAD}missing field `model`"),
        ("model=nova-3", 403, "Project does not have access to the requested model."),
        (
            "model=flux-general-en&encoding=flac&sample_rate=16000",
            400,
            f"{BAD}encoding: unknown variant `flac`",
        ),
        ("model=flux-general-en&encoding=linear16", 400, f"{BAD}sample_rate: must be given"),
        ("model=flux-general-en&encoding=opus", 400, f"{BAD}sample_rate: must be given"),
        (
            "model=flux-general-en&encoding=linear16&sample_rate=22050",
            400,
            f"{BAD}sample_rate: expected one of 8000",
        ),
        (f"{RAW}&eot_threshold=0.49", 400, f"{BAD}eot_threshold:"),
        (f"{RAW}&eot_threshold=1.01", 400, f"{BAD}eot_threshold:"),
        (f"{RAW}&eot_threshold=nan", 400, f"{BAD}eot_threshold:"),
        (f"{RAW}&eager_eot_threshold=0.29", 400, f"{BAD}eager_eot_threshold:"),
        (f"{RAW}&eager_eot_threshold=0.91", 400, f"{BAD}eager_eot_threshold:"),
        (
            f"{RAW}&eager_eot_threshold=0.8",
            400,
            f"{BAD}eager_eot_threshold must be less than or equal to eot",
        ),
        (f"{RAW}&eot_timeout_ms=499", 400, f"{BAD}eot_timeout_ms:"),
        (f"{RAW}&eot_timeout_ms=60001", 400, f"{BAD}eot_timeout_ms:"),
        (f"{RAW}&language_hint=es", 400, f"{BAD}{HINT}only `flux-general-multi`"),
        ("model=flux-general-multi&language_hint=", 400, f"{BAD}{HINT}unknown language ``"),
        ("model=flux-general-multi&language_hint=xx", 400, f"{BAD}{HINT}unknown language `xx`"),
        (f"{RAW}&redact=pci", 400, f"{BAD}redact: unknown variant `pci`"),
        (f"{RAW}&numerals=1", 400, f"{BAD}numerals:"),
        (f"{RAW}&profanity_filter=no", 400, f"{BAD}profanity_filter:"),
        (f"{RAW}&tag={'t' * 129}", 400, f"{BAD}tag:"),
        (RAW + "&keyterm=a" * 101, 400, f"{BAD}keyterm: at most 100"),
        (RAW + "&keyterm=" + "a+" * 501, 400, "Bad Request: Keyterm limit exceeded."),
    ],
)
def test_refused_handshakes(url: str, query: str, status: int, message: str) -> None:
    """A refusal is a status, never a socket, with dg-error, dg-request-id and the JSON body."""
    with pytest.raises(InvalidStatus) as caught, opened(url, query):
        pass
    response = caught.value.response
    body = json.loads(response.body or b"")
    assert response.status_code == status
    assert body["err_msg"].startswith(message)
    assert response.headers["dg-error"] == body["err_msg"]
    assert response.headers["dg-request-id"] == body["request_id"]
    if message.startswith(("Unknown", BAD)):
        assert body["err_code"] == "INVALID_QUERY_PARAMETER"


def test_everything_that_flux_takes(url: str) -> None:
    """Every parameter of the API with a value in its range opens a stream."""
    query = (
        "model=flux-general-multi&encoding=linear16&sample_rate=16000&eager_eot_threshold=0.3&eot_threshold=0.5"
        "&eot_timeout_ms=60000&keyterm=a&keyterm=b&language_hint=es&language_hint=pt-BR&profanity_filter=true"
        "&numerals=true&mip_opt_out=true&tag=mine"
    )
    with opened(url, query) as socket:
        next_message(socket)
        socket.send('{"type":"Configure","language_hints":["de"]}')
        assert next_message(socket)["language_hints"] == ["de"]


def test_a_key_is_required(start: Start) -> None:
    """Without the key the handshake is 401 INVALID_AUTH; with it as a subprotocol the stream opens."""
    url = start(require_key="k")
    with pytest.raises(InvalidStatus) as caught, opened(url):
        pass
    assert caught.value.response.status_code == 401
    with opened(url, subprotocols=["token", "k"]) as socket:
        assert socket.subprotocol == "token"


def test_streams_of_both_versions_are_counted_together(start: Start) -> None:
    """A place that a stream of turns has is not free for another stream."""
    url = start(max_streams=1)
    v1 = f"{url.replace('http', 'ws', 1)}/v1/listen?encoding=linear16&sample_rate=16000"
    with opened(url), pytest.raises(InvalidStatus) as caught, connect(v1):
        pass
    assert caught.value.response.status_code == 429


def test_what_cannot_be_done_is_said(url: str) -> None:
    """Who asks for redaction is warned that this server redacts nothing, before any word comes."""
    messages = conversation(url, f"{RAW}&redact=numbers")
    (warning,) = [m for m in messages if m["type"] == "Warning"]
    assert warning["code"] == "UNSUPPORTED_FEATURE"
    assert warning["description"].startswith("redact: ")


def container(kind: str) -> bytes:
    """Return five seconds of a quiet tone in a file."""
    tone = (np.sin(np.arange(48_000 * 5) / 20) * 1000).astype(np.int16)
    buffer = io.BytesIO()
    if kind in ("WAV", "FLAC", "OGG"):  # the last of them holds Vorbis
        soundfile.write(buffer, tone, 48_000, format=kind)
        return buffer.getvalue()
    format_name, codec = {
        "Ogg-Opus": ("ogg", "libopus"),
        "WebM-Opus": ("webm", "libopus"),
        "Matroska": ("matroska", "pcm_s16le"),
        "MP3": ("mp3", "libmp3lame"),
    }[kind]
    with av.open(buffer, "w", format=format_name) as output:
        stream: Any = output.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48_000)
        frames = resampler.resample(frame)
        fifo = av.AudioFifo()
        for part in frames:
            fifo.write(part)
        while (part := fifo.read(stream.frame_size or 1024, partial=True)) is not None:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "Ogg-Opus", "WebM-Opus"])
@pytest.mark.parametrize("size", [7, 8000])
def test_containers(url: str, kind: str, size: int) -> None:
    """Without an encoding the container is told by its first bytes, however few come at once."""
    audio = container(kind)
    head, more = audio[:2000], audio[2000:]
    parts = [head[at : at + size] for at in range(0, len(head), size)]
    messages = conversation(url, "model=flux-general-en", *parts, more)
    assert (0, "EndOfTurn", "Call Maria.") in said(messages)


def test_opus(url: str) -> None:
    """Opus is taken in Ogg and, a packet in each message, without any container."""
    whole = container("Ogg-Opus")
    with av.open(io.BytesIO(whole)) as ogg:
        packets = [bytes(packet) for packet in ogg.demux(audio=0) if packet.size]
    assert len(packets) > 200
    for encoding, sent in (("ogg-opus", [whole]), ("opus", packets)):
        messages = conversation(url, f"model=flux-general-en&encoding={encoding}&sample_rate=48000", *sent)
        assert (0, "EndOfTurn", "Call Maria.") in said(messages)
        assert messages[-1]["audio_window_end"] == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize("kind", ["FLAC", "MP3", "OGG", "Matroska"])
def test_containers_that_flux_does_not_take(url: str, kind: str) -> None:
    """Audio in any other container, which /v1/listen would take, ends the stream with an Error."""
    with opened(url, "model=flux-general-en") as socket:
        with suppress(ConnectionClosed):
            socket.send(container(kind))
        messages = rest(socket)
    assert [(m["type"], m.get("code")) for m in messages] == [("Connected", None), ("Error", "DATA-0000")]


def test_an_encoding_that_the_audio_is_not_in(url: str) -> None:
    """What is no Ogg although ogg-opus was named ends the stream with an Error."""
    with opened(url, "model=flux-general-en&encoding=ogg-opus") as socket:
        with suppress(ConnectionClosed):
            for _ in range(40):
                socket.send(b"no audio at all " * 2048)
        messages = rest(socket)
    assert messages[-1]["code"] == "DATA-0000"


def test_an_idle_stream_ends(start: Start) -> None:
    """A client that neither sends nor pings is told so, and the stream ends."""
    with opened(start(flux_idle_timeout=0.2)) as socket:
        messages = rest(socket)
    assert [m.get("code") for m in messages] == [None, "CLIENT_MESSAGE_TIMEOUT"]


def test_pings_keep_a_stream(start: Start) -> None:
    """A client that only pings is not idle."""
    limit = 0.5
    with opened(start(flux_idle_timeout=limit)) as socket:
        ends = time.monotonic() + 3 * limit
        while time.monotonic() < ends:
            assert socket.ping().wait(HANGS_AFTER)
        socket.send(SECOND)
        assert until(socket, "TurnInfo")["event"] == "Update"


def test_a_stream_is_kept(start: Start, tmp_path: Path) -> None:
    """--record keeps the audio of a stream of turns as it came."""
    folder = tmp_path / "kept"
    conversation(start(record=folder), RAW, SECOND, b"\1\2" * 100)
    (audio,) = folder.glob("*.audio")
    assert audio.read_bytes() == SECOND + b"\1\2" * 100
    facts = json.loads(audio.with_suffix(".json").read_text())
    assert (facts["path"], facts["query"]) == ("/v2/listen", RAW)


def test_languages() -> None:
    """The multilingual model tells the languages of a turn, the most frequent first, and the hints."""
    words = [
        HeardWord(text, n, n + 1, 0.5, written=text, language=language)
        for n, (text, language) in enumerate([("Hi.", "en"), ("Hola", "es"), ("amigo.", "es")])
    ]
    state = TurnState(TurnEvent.UPDATE, 0, 0.0, 3.0, words, 0.0, True)
    several = FluxOptions(model="flux-general-multi", hints=["es", "en"])
    told = flux_messages.turn_info(state, words, several, request_id="r")
    assert (told["languages"], told["languages_hinted"]) == (["es", "en"], ["es", "en"])
    unhinted = flux_messages.turn_info(state, words, FluxOptions(model="flux-general-multi"), request_id="r")
    assert "languages_hinted" not in unhinted
    english = flux_messages.turn_info(state, words, FluxOptions(model="flux-general-en"), request_id="r")
    assert "languages" not in english
