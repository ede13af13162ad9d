"""Fuzzing of whole streams: many messages one after the other, to what they are fed to on either side.

A client is fed lines that a Flux server might send; the local server's WebSockets the lines that a client might.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from starlette.applications import Starlette

from dgcli.audio.base import AudioFormat
from dgcli.errors import DgError
from dgcli.formats import FORMATS, RenderSettings, renderer
from dgcli.live.closing import ClosingSteps
from dgcli.live.connection import Connection
from dgcli.live.listen_v2 import ListenV2
from dgcli.live.messages import Block, Link, ToSender
from dgcli.live.replay_buffer import ReplayBuffer
from dgcli.live.results import Results
from dgcli.server.app import create_app
from dgcli.server.engines.count import CountEngine
from dgcli.server.settings import ServerSettings
from dgcli.transcript.collected import Collected
from dgcli.transcript.event_log import json_line, read_event
from dgcli.transcript.events import Event, Final, Interim
from dgcli.transcript.messages import parse_message
from dgcli.transcript.oddities import odd_message
from dgcli.transcript.response import parse
from dgcli.transcript.utterances import Utterances

_AUDIO = AudioFormat(encoding="linear16", sample_rate=16000, channels=1)
_SECONDS = 4  # of audio that was sent when the messages come
_OFFSET = 1.5  # seconds on the stream's timeline where the connection begins


def _follow(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a connection of /v2/listen as the sender makes them, with what stands at the end."""
    protocol = ListenV2()
    replay, closing = ReplayBuffer(_AUDIO, 60.0, protocol.frames), ClosingSteps(protocol)
    replay.append(Block(bytes(32000 * _SECONDS)), 0)
    results = Results(protocol, replay)
    link = Link(Connection("ws://127.0.0.1/v2/listen", {}), SimpleQueue[ToSender](), 0.0)
    link.offset, link.sent = _OFFSET, replay.end
    closing.begin(planned=False)
    closing.next(0.0)
    for line in lines:
        event = parse_message(line, link.offset, 2.5)
        if isinstance(event, Interim | Final):
            odd = odd_message(event.raw, event.words) if isinstance(event, Final) else None
            assert odd is None or "\n" not in odd
            event, _ = results.take(link, event)
        closing.take(event)
        yield event
        assert 0.0 <= replay.covered <= _SECONDS
    assert results.uncovered <= _SECONDS
    if (last := results.let_stand(link.sent)) is not None:
        yield last
    replay.close()


def logged(event: Event) -> Event | None:
    """Return what a log gives back of an event, which is one line of it."""
    line = json_line(event)
    line.encode()
    assert line.count("\n") == 1
    return read_event(json.loads(line))


def turns(data: bytes) -> None:
    """Messages of a Flux server: events that a log keeps, and a transcript in every format."""
    utterances, collected = Utterances(), Collected()
    for event in _follow(data.decode("utf-8", "replace").split("\n")):
        again = logged(event)
        if isinstance(event, Final):
            assert isinstance(again, Final)
            assert len(again.words) == len(event.words)
        utterances.take(event)
        collected.take(event)
    utterances.finish()
    transcript = parse(json.loads(json.dumps(collected.response())))
    for format_ in FORMATS:
        with contextlib.suppress(DgError):  # longer than the format can say
            renderer(format_)(transcript, RenderSettings()).encode("utf-8", "surrogateescape")


def _scope(path: str, query: str) -> Mapping[str, Any]:
    return {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50000),
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:8080")],
        "subprotocols": [],
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }


def _messages(data: bytes) -> Iterator[Mapping[str, Any]]:
    """Yield a client's messages: a line that begins with `#` is audio, another is text."""
    yield {"type": "websocket.connect"}
    for line in data.split(b"\n"):
        if line.startswith(b"#"):
            yield {"type": "websocket.receive", "bytes": line[1:] * 500}
        else:
            yield {"type": "websocket.receive", "text": line.decode("utf-8", "replace")}
    yield {"type": "websocket.receive", "text": '{"type":"CloseStream"}'}


async def _converse(app: Starlette, path: str, query: str, data: bytes) -> list[dict[str, Any]]:
    """Return what the server sends to a client that says all at once, and waits for the end."""
    sent: list[dict[str, Any]] = []
    coming = iter(_messages(data))
    for_ever = asyncio.Event()

    async def receive() -> Mapping[str, Any]:
        message = next(coming, None)
        if message is None:
            await for_ever.wait()
            raise AssertionError
        await asyncio.sleep(0)
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    async with asyncio.timeout(5):
        await app(_scope(path, query), receive, send)
    return sent


def server_of(path: str, query: str) -> Callable[[bytes], None]:
    """Make the target of one of the local server's WebSockets."""

    def target(data: bytes) -> None:
        """Messages of a client: each answer can be sent, and none says that the server is at fault."""
        app = create_app(ServerSettings(engine="count"), CountEngine())
        sent = asyncio.run(_converse(app, path, query, data))
        assert sent[0]["type"] == "websocket.accept"
        assert sent[-1]["type"] == "websocket.close"
        assert sent[-1]["code"] != 1011
        for number, message in enumerate(sent[1:-1]):
            answer = json.loads(message["text"].encode(), parse_constant=_refuse)
            assert answer["type"]
            assert answer.get("code") != "INTERNAL_SERVER_ERROR"
            assert answer.get("sequence_id", number) == number

    return target


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def _turn(**more: object) -> bytes:
    word = {"word": "Hi.", "start": 0.1, "end": 0.4, "confidence": 0.9}
    message = {
        "type": "TurnInfo",
        "request_id": "r",
        "sequence_id": 1,
        "event": "EndOfTurn",
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 1.5,
        "transcript": "Hi.",
        "words": [word],
        "end_of_turn_confidence": 0.9,
        "languages": ["en"],
        **more,
    }
    return json.dumps(message, separators=(",", ":")).encode()


TURNS = (
    _turn(),
    _turn(event="Update", words=[{"word": "Hi.", "confidence": 0.5}], trigger="manual"),
    b"\n".join(
        [
            b'{"type":"Connected","request_id":"r","sequence_id":0}',
            _turn(event="StartOfTurn"),
            _turn(event="EagerEndOfTurn"),
            _turn(event="TurnResumed"),
            _turn(trigger="model"),
            _turn(event="Update", transcript="", words=[]),
            b'{"type":"Warning","code":"FORCE_END_TURN_NO_ACTIVE_TURN","description":"d"}',
            b'{"type":"Error","code":"UNPARSABLE_CLIENT_MESSAGE","description":"d"}',
        ]
    ),
)
CLIENT_OF_TURNS = (
    b'#ab\n{"type":"ForceEndTurn"}\n#cd\n{"type":"CloseStream"}',
    b'{"type":"Configure","thresholds":{"eot_threshold":0.8,"eager_eot_threshold":0.5,"eot_timeout_ms":900},'
    b'"keyterms":["a"],"language_hints":["en"],"numerals":true}\n#ab',
)
CLIENT = (
    b'#ab\n{"type":"Finalize","channel":0}\n{"type":"KeepAlive"}\n#cd\n{"type":"CloseStream"}',
    b'{"type":"Configure","keyterms":["a"],"features":{"numerals":true}}\n{"type":"Sync","id":1}\n#ab',
)
