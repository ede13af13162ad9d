"""What is fuzzed: each target takes bytes of a stranger, and fails where a parser of ours does more than refuse them.

`tests/fuzz/test_targets.py` feeds them in the suite, with hypothesis and with every case that once failed;
`benchmarks/fuzz.py` for as long as one likes, guided by coverage. Both begin with the seeds.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from dgcli.api.refusals import Peer, Role, closed, refused
from dgcli.api.retry_after import LONGEST, retry_after
from dgcli.audio import icy
from dgcli.audio.http import HttpAnswer
from dgcli.audio.wav import read_header
from dgcli.batch.index import FOLDER, DamagedAnswer, Index, body_at, head_at
from dgcli.batch.record import provenance_in, record_in, stamp_in
from dgcli.batch.segments import Appender
from dgcli.config.file import check_text
from dgcli.errors import DgError, UsageError
from dgcli.formats import FORMATS, RenderSettings, renderer
from dgcli.live.configuration import Configuration
from dgcli.live.seek_points import (
    FlacSeekPoints,
    MatroskaSeekPoints,
    MpegSeekPoints,
    OggSeekPoints,
    SeekPointFinder,
)
from dgcli.live.streamer import Streamer
from dgcli.output.history import History
from dgcli.output.history_entry import Facts, HistoryEntry
from dgcli.output.redaction import redacted_query, redacted_text
from dgcli.server import flux_query, live_query, query
from dgcli.server.errors import ErrorAnswer
from dgcli.tasks.actions import Actions
from dgcli.tasks.control_file import _obey, _objects
from dgcli.terminal import harmless
from dgcli.transcript.collected import Collected
from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Event, Final, Notice
from dgcli.transcript.json_values import json_object
from dgcli.transcript.messages import parse_message
from dgcli.transcript.response import callback_id, parse_body
from dgcli.transcript.saved import parse_saved
from dgcli.transcript.utterances import Utterances
from tests.fuzz import streams

_LARGEST_HEAD = 8 << 20  # bytes that a finder of seek points may hold


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def live_message(data: bytes) -> None:
    """A message of a stream: an event that can be logged, read back, and taken by what collects transcripts."""
    event = parse_message(data.decode("utf-8", "replace"), 1.5, 2.5)
    again = streams.logged(event)
    if isinstance(event, Final):
        assert isinstance(again, Final)
        assert again.text == event.text
        utterances, collected = Utterances(), Collected()
        utterances.take(event)
        utterances.finish()
        collected.take(event)


def response(data: bytes) -> None:
    """A response: refused as an API error, or written in every format."""
    callback_id(data)
    try:
        transcript = parse_body(data)
    except DgError:
        return
    for format_ in FORMATS:
        try:
            renderer(format_)(transcript, RenderSettings()).encode("utf-8", "surrogateescape")
        except DgError:
            continue  # longer than the format can say


def saved(data: bytes) -> None:
    """What `dg render` reads: a response, a log, messages or a table."""
    try:
        transcript = parse_saved(data)
    except DgError:
        return
    for name in ("srt", "text"):
        format_ = next(item for item in FORMATS if item.name == name)
        renderer(format_)(transcript, RenderSettings())


def playlist(data: bytes) -> None:
    """A PLS or M3U playlist."""
    target = icy.playlist_target(data.decode("utf-8", "replace"))
    assert target is None or "://" in target


def icy_titles(data: bytes) -> None:
    """ICY metadata: whatever a server sends between the audio, no more comes out than went in, however it is cut."""
    if not data:
        return
    interval, cut, body = data[0] + 1, data[-1] + 1, data[1:]
    whole: list[str] = []
    pieces: list[str] = []
    at_once = icy.Deinterleaver(interval, whole.append).feed(body)
    cutter = icy.Deinterleaver(interval, pieces.append)
    cut_up = b"".join(cutter.feed(body[at : at + cut]) for at in range(0, len(body), cut))
    assert at_once == cut_up
    assert whole == pieces
    assert len(at_once) <= len(body)


def icy_head(data: bytes) -> None:
    """The head of an answer that begins with `ICY`, and what is read from its headers."""
    blocks = iter([data[at : at + 999] for at in range(0, len(data), 999)])
    try:
        status, headers, _ = icy.read_head(lambda: next(blocks, b""))
    except ConnectionError:
        return
    answer = HttpAnswer("http://x/", 200, headers, iter(()), lambda: None, lambda: None)
    assert isinstance(status, str)
    assert answer.length is None or answer.length > 0
    _ = answer.kind, answer.is_radio, answer.validator, answer.begins_at(0, None)


def _measured(finder: SeekPointFinder, data: bytes, size: int) -> list[tuple[int, float]]:
    points = []
    for at in range(0, len(data), size):
        points += [(point.position, point.time) for point in finder.measure(data[at : at + size])]
    assert len(finder.head) <= _LARGEST_HEAD
    assert all(0 <= position <= len(data) for position, _ in points)
    assert all(time >= 0 for _, time in points)
    return points


def _seek_points(make: Callable[[], SeekPointFinder]) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        """A compressed stream: seek points lie in it, in order, and do not hang on how it is cut."""
        if not data:
            return
        at_once = _measured(make(), data, len(data))
        assert at_once == sorted(at_once, key=lambda point: point[0])
        assert _measured(make(), data, data[-1] + 1) == at_once

    return target


def wav_header(data: bytes) -> None:
    """A WAV header: what was read for none is given back."""
    stream = io.BytesIO(data)
    header, taken = read_header(stream.read)
    if header is None:
        assert data.startswith(taken)
    else:
        assert header.frame_bytes > 0
        assert header.format.sample_rate


def ledger(data: bytes) -> None:
    """A segment of a ledger: what is whole is found, and the rest costs nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / FOLDER).mkdir()
        (folder / FOLDER / "0-1.ledger").write_bytes(data)
        index = Index()
        index.read(folder / FOLDER, None)
        for key in list(index.entries["answer"]):
            place = index.get("answer", key)
            if place is not None:
                record_in(head_at(place))
                with contextlib.suppress(DamagedAnswer, OSError):
                    body_at(place)
        index.close()


def ledger_record(data: bytes) -> None:
    """The JSON of a record of a ledger."""
    values = json_object(data)
    record_in(values)
    provenance_in(values)
    if values is not None:
        stamp_in(values.get("stamp"))


def history_entry(data: bytes) -> None:
    """The facts of an entry of the history: an entry or a damaged one."""
    with tempfile.TemporaryDirectory() as name:
        store = History(Path(name))
        entry = store.keep(Facts("a.wav"), b"{}")
        (entry.folder / f"{entry.stem}.about").write_bytes(data)
        for item in store.walk():
            if isinstance(item, HistoryEntry):
                _ = item.created, item.path


def headers_of_a_wait(data: bytes) -> None:
    """Retry-After and its relatives."""
    names = ("retry-after", "retry-after-ms", "x-ratelimit-reset")
    values = data.decode("latin-1").split("\n")
    headers = dict(zip(names, values, strict=False))
    for status in (429, 503):
        wait = retry_after(status, headers, 1e9)
        assert wait is None or 0 <= wait <= LONGEST


def refusal(data: bytes) -> None:
    """The body and the headers of a refusal, and the reason of a close frame: one clean line."""
    head, _, body = data.partition(b"\n")
    text = head.decode("latin-1")
    headers = {"content-type": text, "dg-error": text, "dg-request-id": text, "location": text}
    for status in (301, 400, 429, 500):
        for peer in (Peer("https://api.deepgram.com"), Peer("http://radio.example/", Role.SOURCE)):
            sentence = refused(status, headers, body, peer=peer).sentence
            assert harmless(sentence) == sentence
            assert "\n" not in sentence
    assert "\n" not in closed(len(data) % 5000, _text(head)).sentence


def config(data: bytes) -> None:
    """A config file: refused as a usage error, or right."""
    try:
        check_text(data.decode("utf-8", "replace"), Path("config.toml"))
    except UsageError:
        return


def redaction(data: bytes) -> None:
    """Names and queries without what opens doors: a password of a URL is not in them."""
    text = _text(data)
    redacted_text(text)
    redacted_query(data.decode("utf-8", "replace"))


def terminal(data: bytes) -> None:
    """Text for a terminal."""
    clean = harmless(_text(data))
    assert not any(ord(char) < 32 and char not in "\t\n" for char in clean)
    assert "\x9b" not in clean


def server_query(data: bytes) -> None:
    """The query of a request to the local server: options, or an answer of the API's."""
    text = data.decode("latin-1")
    parsers = (
        lambda: query.parse(text, any_port=True),
        lambda: live_query.parse(text, any_port=True),
        lambda: flux_query.parse(text),
    )
    for parse in parsers:
        with contextlib.suppress(ErrorAnswer):
            parse()


class _Stream:
    """What a control file acts on: takes what a stream would send, and holds it to what can be sent."""

    audio_seconds = 1.5

    def __init__(self, *, flux: bool) -> None:
        self._flux = flux

    def configure(self, change: Configuration) -> None:
        asked = json.loads(change.message(flux=self._flux), parse_constant=_refuse)
        json.dumps(asked, ensure_ascii=False).encode()

    def finalize(self, channel: int | None) -> None:
        assert channel is None or channel >= 0

    def stop(self, message: str) -> None:
        assert isinstance(message, str)

    def pause(self) -> None:
        """Nothing is sent."""

    resume = pause


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def _tell(event: Event) -> None:
    json_line(event).encode()
    assert isinstance(event, Notice)
    assert harmless(event.message) == event.message


def control_lines(data: bytes) -> None:
    """A line of a control file: it is obeyed, or a notice says what is invalid in it."""
    for model in ("nova-3", "flux-general-multi"):
        stream = cast("Streamer", _Stream(flux=model.startswith("flux")))
        actions = Actions(stream, _tell, {"model": model})
        try:
            for message in _objects(data):
                _obey(message, actions)
        except UsageError as error:
            actions.complain(error.message)


class Target(NamedTuple):
    """A parser to be fuzzed, and what is known to reach far into it."""

    parse: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _message(**more: object) -> bytes:
    word = {"word": "hi", "start": 0.1, "end": 0.4, "confidence": 0.9, "punctuated_word": "Hi.", "speaker": 0}
    alternative = {"transcript": "Hi.", "confidence": 0.9, "words": [word]}
    body = {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": 1.0,
        "start": 0.0,
        "is_final": True,
        "speech_final": True,
        "channel": {"alternatives": [alternative]},
        **more,
    }
    return json.dumps(body).encode()


def _response() -> bytes:
    word = {"word": "hi", "start": 0.1, "end": 0.4, "confidence": 0.9, "punctuated_word": "Hi.", "speaker": 0}
    sentence = {"text": "Hi.", "start": 0.1, "end": 0.4}
    paragraphs = [{"sentences": [sentence], "speaker": 0, "num_words": 1, "start": 0.1, "end": 0.4}]
    alternative = {
        "transcript": "Hi.",
        "confidence": 0.9,
        "words": [word],
        "paragraphs": {"transcript": "Hi.", "paragraphs": paragraphs},
        "entities": [{"label": "NAME", "value": "Hi", "start_word": 0, "end_word": 1}],
        "summaries": [{"summary": "s", "start_word": 0, "end_word": 1}],
    }
    utterance = {**sentence, "transcript": "Hi.", "words": [word], "channel": 0, "speaker": 0, "id": "u"}
    segment = {"text": "Hi.", "start_word": 0, "end_word": 1}
    results = {
        "channels": [
            {
                "alternatives": [alternative],
                "detected_language": "en",
                "search": [
                    {"query": "hi", "hits": [{"start": 0.1, "end": 0.4, "confidence": 1, "snippet": "hi"}]}
                ],
            }
        ],
        "utterances": [utterance],
        "summary": {"result": "success", "short": "s"},
        "topics": {"segments": [{**segment, "topics": [{"topic": "t", "confidence_score": 0.5}]}]},
        "intents": {"segments": [{**segment, "intents": [{"intent": "i", "confidence_score": 0.5}]}]},
        "sentiments": {
            "segments": [{**segment, "sentiment": "positive", "sentiment_score": 0.5}],
            "average": {"sentiment": "positive", "sentiment_score": 0.5},
        },
    }
    metadata = {"request_id": "r", "duration": 1.0, "channels": 1, "created": "2026-11-25T00:00:00Z"}
    return json.dumps(
        {"metadata": metadata, "results": results, "corrections": {"speakers": {"0": "A"}}}
    ).encode()


def _log() -> bytes:
    lines = [
        b'{"kind":"opened","request_id":"r","connection":1,"offset":0.0}',
        b'{"kind":"message","offset":0.0,"repeats":1,"message":' + _message() + b"}",
        b'{"kind":"message","offset":0.0,"message":' + _message(is_final=False) + b"}",
        b'{"kind":"notice","notice":"gap","message":"m","start":1.0,"end":2.0}',
        b'{"kind":"closed","audio_seconds":1.0,"connections":1,"error":null}',
    ]
    return b"\n".join(lines) + b"\n"


def _segment() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "a.ledger")
        writer = Appender(path)
        head = b'{"source":"a","query":"q","mark":"m","request_id":null,"body_sha256":"x"}'
        writer.append("answer", "k" * 32, head, b'{"results":{}}')
        writer.append("stamp", "k" * 32, b'{"mark":"m","stamp":[1,2,3]}')
        writer.append("aside", "a.ledger:10", b"{}")
        writer.close()
        return path.read_bytes()


def _ogg(granule: int, body: bytes, kind: int = 0) -> bytes:
    head = b"OggS\0" + bytes([kind]) + granule.to_bytes(8, "little", signed=True) + bytes(12)
    return head + b"\1" + bytes([len(body)]) + body


def _flac() -> bytes:
    info = (4096).to_bytes(2, "big") * 2 + bytes(6) + (16000 << 4).to_bytes(3, "big") + bytes(21)
    # Two frames of 4096 samples at 16 kHz, numbers 0 and 1, with their checksums (RFC 9639, 9.1).
    frames = b"\xff\xf8\xc5\x08\x00\x9b" + bytes(20) + b"\xff\xf8\xc5\x08\x01\x9c" + bytes(20)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + frames


def _wav(riff: bytes = b"RIFF") -> bytes:
    fmt = bytes.fromhex("0100 0100 803e0000 007d0000 0200 1000")
    return riff + b"\x2c\0\0\0WAVEfmt \x10\0\0\0" + fmt + b"data\x08\0\0\0" + bytes(8)


_MP3 = b"\xff\xf3\x28\xc4" + bytes(140)
_ADTS = b"\xff\xf1\x60\x40\x02\x1f\xfc" + bytes(9)
_WEBM = bytes.fromhex(
    "1a45dfa3 84 42868101 18538067 01ffffffffffffff 1549a966 87 2ad7b1 83 0f4240"
) + bytes.fromhex("1f43b675 ff e7 81 05 a3 85 8100008000 1f43b675 ff e7 82 0400 a3 81 00")
_TABLE = b"start,end,word,confidence,speaker,channel\n0.1,0.4,Hi.,0.9,0,0\n0.5,0.9,'=x,,,1\n"
_PLS = b"[playlist]\nNumberOfEntries=1\nFile1=http://a/b\nTitle1=x\n"
_TOML = b"""model = "nova-3"
keyterm = ["a", "b"]
history_days = 3
[profiles.work]
base_url = "https://x"
diarize = true
"""
_ABOUT = (
    b'{"kind": "response", "name": "a", "server": "s", "query": "q", "request_id": null, "duration": 1.5, '
    b'"size": 2, "sha256": null, "keys": ["k"]}'
)
_CONFIGURED = (
    b'{"type":"ConfigureSuccess","keyterms":["a"],"language_hints":["en"],"thresholds":{"eot_threshold":0.7},'
    b'"numerals":true}'
)

TARGETS: Mapping[str, Target] = {
    "live_message": Target(
        live_message,
        (
            _message(),
            _message(is_final=False),
            b'{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.5}',
            b'{"type":"Metadata","request_id":"r","duration":1.5,"channels":1}',
            b'{"type":"Error","description":"d","variant":"v"}',
            _CONFIGURED,
            b'{"type":"ConfigureFailure","code":"c","description":"d"}',
        ),
    ),
    "turns": Target(streams.turns, streams.TURNS),
    "server_turns": Target(
        streams.server_of(
            "/v2/listen", "model=flux-general-multi&encoding=linear16&sample_rate=16000&keyterm=a"
        ),
        streams.CLIENT_OF_TURNS,
    ),
    "server_stream": Target(
        streams.server_of(
            "/v1/listen",
            "model=nova-3&encoding=linear16&sample_rate=16000&interim_results=true&search=bytes&keyterm=a",
        ),
        streams.CLIENT,
    ),
    "response": Target(response, (_response(), b'{"request_id":"r"}')),
    "saved": Target(saved, (_log(), _response(), _message() + b"\n" + _message(), _TABLE)),
    "playlist": Target(playlist, (_PLS, b"#EXTM3U\n#EXTINF:-1,x\nhttp://a/b\n")),
    "icy_titles": Target(icy_titles, (b"\x03abcd\x02StreamTitle='a';".ljust(37, b"\0") + b"efgh\0ijkl\x05",)),
    "icy_head": Target(icy_head, (b"ICY 200 OK\r\nicy-metaint:16000\r\nContent-Length: 5\r\n\r\nabcde",)),
    "seek_mpeg": Target(_seek_points(MpegSeekPoints), (_MP3 * 3, _ADTS * 3, b"ID3" + bytes(20) + _MP3 * 2)),
    "seek_ogg": Target(
        _seek_points(OggSeekPoints),
        (
            _ogg(0, b"OpusHead\1\1\x38\1\x80\xbb\0\0\0\0\0", 2)
            + _ogg(0, b"OpusTags")
            + _ogg(960, b"x")
            + _ogg(1920, b"y"),
            _ogg(0, b"\x01vorbis" + bytes(5) + (16000).to_bytes(4, "little"), 2)
            + _ogg(-1, b"z")
            + _ogg(9, b"z"),
        ),
    ),
    "seek_matroska": Target(_seek_points(MatroskaSeekPoints), (_WEBM,)),
    "seek_flac": Target(_seek_points(FlacSeekPoints), (_flac(),)),
    "wav_header": Target(wav_header, (_wav(), _wav(b"RF64"))),
    "ledger": Target(ledger, (_segment(),)),
    "ledger_record": Target(
        ledger_record,
        (
            b'{"source":"a","query":"q","mark":"m","request_id":null,"size":1,"stamp":[1,2,3],"duration":1.5}',
            b'{"output":"a","mark":"m","rendering":"r","size":1,"mtime_ns":1,"sha256":null}',
        ),
    ),
    "history_entry": Target(history_entry, (_ABOUT,)),
    "retry_after": Target(
        headers_of_a_wait, (b"120\n1500\n1000000100", b"Wed, 21 Oct 2015 07:28:00 GMT\n\n", b"1.5\n0\n9")
    ),
    "refusal": Target(
        refusal,
        (
            b'application/json\n{"err_code":"E","err_msg":"m","request_id":"r"}',
            b'application/json\n{"category":"c","message":"m","details":"d","request_id":"r"}',
            b"text/html\n<html><title>t</title></html>",
            b"NET-0001\n",
        ),
    ),
    "config": Target(config, (_TOML,)),
    "redaction": Target(
        redaction, (b"callback=https%3A%2F%2Fu%3Ap%40h%2Fx%3Fk%3Dv&api_key=k&tag=a", b"http://u:p@h/x?y")
    ),
    "terminal": Target(terminal, (b"a\x1b[31mb\x1b]0;t\x07c\xe2\x80\xaed\xc2\x9b1m",)),
    "server_query": Target(
        server_query,
        (
            b"model=nova-3&language=en&keyterm=a&replace=a:b&callback=http%3A%2F%2Fh%2Fp&utt_split=0.8&extra=k:v",
            b"encoding=linear16&sample_rate=16000&channels=1&endpointing=300&utterance_end_ms=1000&interim_results=true",
            b"model=flux-general-multi&encoding=linear16&sample_rate=16000&eot_threshold=0.8&eot_timeout_ms=900"
            b"&eager_eot_threshold=0.5&language_hint=en&keyterm=a&numerals=true&tag=t",
        ),
    ),
    "control_lines": Target(
        control_lines,
        (
            b'{"type": "pause"} {"type": "marker", "label": "x"}',
            b'{"type": "configure", "keyterms": ["a"], "numerals": true, "thresholds": {"eot_threshold": 0.8}, '
            b'"language_hints": ["en"]}',
            b'{"type": "configure", "keyterms": ["a"], "features": {"numerals": true}}{"type": "stop"}',
        ),
    ),
}

CASES = Path(__file__).parent / "cases"


def cases(name: str) -> list[Path]:
    """Return the inputs that a target once failed with."""
    folder = CASES / name
    return sorted(folder.iterdir()) if folder.is_dir() else []


def seeds(name: str, folder: Path) -> None:
    """Write the seeds and the cases of a target as the files of a corpus."""
    for number, data in enumerate((*TARGETS[name].seeds, *(path.read_bytes() for path in cases(name)))):
        (folder / f"seed-{os.getpid()}-{number}").write_bytes(data)
