"""`dg live` with a Flux model as it is installed, against a server that numbers the audio it hears, in turns."""

import json
import re
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pexpect
import pytest

import dgcli
from tests.conftest import Run, dg_path
from tests.e2e.test_live import base, numbers
from tests.live.flux_server import FluxServer
from tests.live.server import Fault, numbered

STEP = 8  # 8000 Hz, of which the server hears 1000
MODEL = ("--model", "flux-general-en")
RAW = ("--encoding", "linear16", "--sample-rate", "8000")

Serve = Callable[..., FluxServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start Flux servers that end with the test."""
    made: list[FluxServer] = []

    def start(*plan: Fault, **options: object) -> FluxServer:
        made.append(FluxServer(*plan, step=STEP, **options))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for server in made:
        server.close()


def audible(count: int, channels: int = 1) -> bytes:
    """So many numbers of a tenth of a second at 8000 Hz, alike on all channels."""
    samples = array("h", numbered(count))
    return array("h", [sample for sample in samples for _ in range(STEP * channels)]).tobytes()


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    """Four seconds of numbered, headerless audio."""
    path = tmp_path / "numbered.raw"
    path.write_bytes(audible(40))
    return path


def query(server: FluxServer, at: int = 0) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(server.seen[at].path)
    return parts.path, parse_qs(parts.query)


def test_turns_are_utterances_everywhere(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """Lines, SRT, VTT, JSON, words, events and the history hold every word once; a turn is a line and an utterance."""
    server = serve(languages=("en",))
    names = ("o.srt", "o.vtt", "o.json", "o.words.tsv", "o.jsonl", "o.txt")
    outputs = [flag for name in names for flag in ("-o", tmp_path / name)]
    result = dg(
        "live", pcm, *MODEL, *RAW, *base(server), *outputs, "--eot-threshold", "0.8", "--keyterm", "one two"
    )
    assert (result.stderr, result.returncode) == (b"", 0)
    path, asked = query(server)
    assert path == "/v2/listen"
    assert asked == {
        "model": ["flux-general-en"],
        "encoding": ["linear16"],
        "sample_rate": ["8000"],
        "keyterm": ["one two"],
        "eot_threshold": ["0.8"],
    }
    everything = list(range(1, 41))
    for name in ("o.srt", "o.vtt", "o.txt"):
        text = re.sub(r"^.*-->.*$|^\d+$", "", (tmp_path / name).read_text(), flags=re.MULTILINE)
        assert numbers(text) == everything, name
    events = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    ends = [
        e["message"] for e in events if e["kind"] == "message" and e["message"].get("event") == "EndOfTurn"
    ]
    assert [numbers(line) for line in (tmp_path / "o.txt").read_text().splitlines()] == [
        numbers(end["transcript"]) for end in ends
    ]
    assert {end["end_of_turn_confidence"] for end in ends} == {0.8}
    response = json.loads((tmp_path / "o.json").read_text())
    assert [u["transcript"] for u in response["results"]["utterances"]] == [end["transcript"] for end in ends]
    assert {tuple(u["languages"]) for u in response["results"]["utterances"]} == {("en",)}
    assert {w["language"] for w in response["results"]["channels"][0]["alternatives"][0]["words"]} == {"en"}
    table = [line.split("\t") for line in (tmp_path / "o.words.tsv").read_text().splitlines()]
    assert [numbers(row[table[0].index("punctuated_word")])[0] for row in table[1:]] == everything
    assert numbers(dg("last").stdout) == everything
    assert numbers(dg("render", tmp_path / "o.jsonl").stdout) == everything


def test_a_pipe_gets_a_line_for_each_turn(dg: Run, serve: Serve, pcm: Path) -> None:
    """Without files the turns go to standard output, and what came before a drop is not said again."""
    server = serve(Fault("cut", after=2.0))
    result = dg("live", pcm, *MODEL, *RAW, *base(server))
    assert numbers(result.stdout) == list(range(1, 41))
    assert b"Connected again" in result.stderr
    assert result.returncode == 0


def test_the_last_update_is_in_every_file(dg: Run, serve: Serve, pcm: Path, tmp_path: Path) -> None:
    """A server without ForceEndTurn: the open turn is whole in what is written, and in the events."""
    server = serve(force=False, turns=(60.0, 60.0))
    result = dg("live", pcm, *MODEL, *RAW, *base(server), "-f", "jsonl", "-o", tmp_path / "o.srt")
    assert result.returncode == 0, result.stderr
    events = tmp_path / "o.jsonl"
    events.write_bytes(result.stdout)
    assert json.loads(result.stdout.splitlines()[-2])["stands"] is True
    assert numbers(dg("render", events).stdout) == list(range(1, 41))
    assert numbers(
        re.sub(r"^.*-->.*$|^\d+$", "", (tmp_path / "o.srt").read_text(), flags=re.MULTILINE)
    ) == list(range(1, 41))


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (("--endpointing", "300"), "--eot-threshold"),
        (("--utterance-end-ms", "1000"), "--eot-timeout-ms"),
        (("--interim-results",), "Flux always sends"),
        (("--language", "de"), "--language-hint"),
        (("--smart-format",), "always punctuates"),
        (("--punctuate",), "always punctuates"),
        (("--diarize",), "does not tell speakers apart"),
        (("--keywords", "x"), "--keyterm"),
        (("--vad-events",), "always says when a turn starts"),
        (("--channels", "2"), "one channel"),
        (("--language-hint", "de"), "flux-general-multi"),
        (("--redact", "pci"), "numbers or aggressive_numbers"),
        (("--sample-rate", "22050"), "16000"),
    ],
)
def test_what_flux_does_not_take_is_refused_with_its_equivalent(
    dg: Run, pcm: Path, flags: tuple[str, ...], hint: str
) -> None:
    """Parameters of /v1/listen are usage errors that name what Flux has in their place; nothing is sent."""
    raw = RAW if flags[0] != "--sample-rate" else RAW[:2]
    result = dg("live", pcm, *MODEL, *raw, *flags, "--base-url", "http://localhost:9")
    assert result.returncode == 2
    assert hint in result.stderr.decode()


def test_what_only_flux_takes_is_refused_elsewhere(dg: Run, pcm: Path) -> None:
    """--eot-threshold with Nova says what it is for."""
    result = dg("live", pcm, *RAW, "--eot-threshold", "0.8", "--base-url", "http://localhost:9")
    assert result.returncode == 2
    assert b"Flux stream" in result.stderr


def test_a_profile_serves_both(
    dg: Run, serve: Serve, pcm: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Settings for Nova in the config file do not go out to Flux, and its model may come from there."""
    config = tmp_path / "config.toml"
    config.write_text(
        '[params]\nmodel = "flux-general-en"\nsmart_format = true\nlanguage = "de"\neot_timeout_ms = 700\n'
    )
    environment["DGCLI_CONFIG"] = str(config)
    server = serve()
    result = dg("live", pcm, *RAW, *base(server))
    assert result.returncode == 0, result.stderr
    assert query(server)[1] == {
        "model": ["flux-general-en"],
        "encoding": ["linear16"],
        "sample_rate": ["8000"],
        "eot_timeout_ms": ["700"],
    }


def test_two_channels_are_mixed(dg: Run, serve: Serve, tmp_path: Path) -> None:
    """A stereo file goes out as one channel, and every word is heard."""
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(audible(20, channels=2))
    server = serve()
    result = dg("live", path, *MODEL, *base(server))
    assert numbers(result.stdout) == list(range(1, 21))
    assert len(server.seen[0].audio) == len(audible(20))


def test_another_container_is_refused(dg: Run) -> None:
    """A format that Flux does not read is named, with the line that converts it."""
    result = dg("live", "-", *MODEL, "--base-url", "http://localhost:9", stdin=b"fLaC" + bytes(4000))
    assert result.returncode == 6
    assert b"not .flac" in result.stderr
    assert b"ffmpeg -i" in result.stderr


def test_a_terminal_shows_eager_ends_and_takes_them_back(
    serve: Serve, environment: dict[str, str], tmp_path: Path
) -> None:
    """An open turn ends with dots, one that is probably over does not; f ends it, and then it scrolls up whole."""
    path = tmp_path / "long.raw"
    path.write_bytes(audible(200))
    server = serve(eager=True, turns=(60.0, 60.0))
    arguments = ["live", str(path), *MODEL, *RAW, *base(server)]
    child = pexpect.spawn(
        dg_path(), arguments, env={**environment, "TERM": "xterm-256color"}, dimensions=(24, 100), timeout=20
    )
    try:
        child.expect(rb"1\. 2\.[ \d.]* \xe2\x80\xa6")  # an Update: dots
        child.expect(rb"\x1b\[2m1\. 2\.[ \d.]*\.\x1b\[0m\r")  # EagerEndOfTurn: none
        child.expect(rb"\x1b\[2m1\. 2\.[ \d.]* \xe2\x80\xa6")  # TurnResumed
        child.send("f")
        child.expect(rb"1\. 2\. 3\.[ \d.]*\r\r\n")
        child.send("\x03")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert {"type": "ForceEndTurn"} in server.seen[0].texts[:-2]


def test_the_python_api_streams_flux(
    serve: Serve, pcm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`dgcli.stream` with a Flux model gives turns as events, and the transcript at the end."""
    config = tmp_path / "config.toml"
    config.write_text("")
    monkeypatch.setenv("DGCLI_CONFIG", str(config))
    server = serve()
    parameters = {
        "model": "flux-general-en",
        "encoding": "linear16",
        "sample_rate": 8000,
        "eot_timeout_ms": 900,
    }
    with dgcli.stream(pcm, api_key="k", base_url=f"http://localhost:{server.port}", **parameters) as stream:
        finals = [event for event in stream if isinstance(event, dgcli.Final)]
    assert [number for final in finals for number in numbers(final.text)] == list(range(1, 41))
    assert {final.turn.stage.value for final in finals if final.turn} == {"EndOfTurn"}
    assert query(server)[1]["eot_timeout_ms"] == ["900"]
    assert len(stream.transcript.utterances) == len(finals)
