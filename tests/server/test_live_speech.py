"""Real speech through a live stream, and the official deepgram-sdk as its client."""

import io
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from difflib import SequenceMatcher
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soundfile
import soxr
from deepgram.core.events import EventType
from deepgram.listen.v1.types import ListenV1Results
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO, plain, shared
from tests.server.test_live import conversation, opened, rest, results, transcript
from tests.server.test_run import alive, children, linux, until
from tests.server.test_sdk import sdk_for
from tests.server.test_transcription import right

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")


def linear16(path: Path, rate: int = 16000) -> bytes:
    """Return a recording as interleaved 16-bit PCM."""
    samples, source = soundfile.read(path, dtype="float32", always_2d=True)
    resampled = soxr.resample(samples, source, rate)
    pcm: bytes = (np.clip(resampled, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


def blocks(data: bytes, size: int = 3200) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def first_of(socket: ClientConnection) -> dict[str, Any]:
    """Return the next message, however long a busy machine needs: the stream is not idle meanwhile."""
    deadline = time.monotonic() + HANGS_AFTER
    while True:
        assert time.monotonic() < deadline, "no message came"
        socket.send('{"type":"KeepAlive"}')
        with suppress(TimeoutError):
            message: dict[str, Any] = json.loads(socket.recv(timeout=1))
            return message


def messages_of(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [word for m in results(messages, final=True) for word in plain(transcript(m))]


def test_a_real_recording(recogniser: str) -> None:
    """Nearly all of a reader's words arrive as finals, after interims, in time with the audio."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    query = "encoding=linear16&sample_rate=16000&interim_results=true&smart_format=true&vad_events=true"
    pcm = linear16(shared("preamble.wav"))
    with opened(recogniser, query) as socket:
        socket.send(pcm[:64000])
        messages = [json.loads(socket.recv(timeout=60))]
        while not (messages[-1]["type"] == "Results" and transcript(messages[-1])):
            messages.append(json.loads(socket.recv(timeout=60)))
        assert not messages[-1]["is_final"]
        for block in blocks(pcm[64000:]):
            socket.send(block)
        socket.send('{"type":"CloseStream"}')
        messages += rest(socket)[0]
    assert right(finals(messages), spoken) >= 48
    told = results(messages, final=True)
    assert told[0]["start"] == 0
    for before, after in itertools.pairwise(told):
        assert before["start"] + before["duration"] == pytest.approx(after["start"], abs=0.001)
    words = [word for m in told for word in m["channel"]["alternatives"][0]["words"]]
    assert all(a["start"] < a["end"] <= b["start"] + 0.02 for a, b in itertools.pairwise(words))
    assert words[-1]["end"] == pytest.approx(18.2, abs=0.5)
    assert len({word["confidence"] for word in words}) > 10
    assert messages[-1]["duration"] == pytest.approx(19.1, abs=0.05)
    assert any(m["type"] == "SpeechStarted" for m in messages)
    assert sum(m["speech_final"] for m in told) >= 2


def test_live_words_are_where_recorded_ones_are(client: httpx.Client, recogniser: str) -> None:
    """A stream and a file of the same speech give the same words at the same times."""
    samples, rate = soundfile.read(AUDIO / "preamble-rms.flac", frames=160_000)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC")
    data = buffer.getvalue()
    recorded = client.post(f"{recogniser}/v1/listen", content=data).json()
    words = recorded["results"]["channels"][0]["alternatives"][0]["words"]
    messages = conversation(recogniser, "model=nova-3", *blocks(data, 8000))
    live = [word for m in results(messages, final=True) for word in m["channel"]["alternatives"][0]["words"]]
    heard, recorded_words = [[word["word"] for word in found] for found in (live, words)]
    matcher = SequenceMatcher(None, heard, recorded_words, autojunk=False)
    same = [
        (live[block.a + n], words[block.b + n])
        for block in matcher.get_matching_blocks()
        for n in range(block.size)
    ]
    assert len(same) >= 0.9 * len(words) > 15
    assert all(a["start"] == pytest.approx(b["start"], abs=0.15) for a, b in same)


def test_speech_without_a_pause(recogniser: str) -> None:
    """Who talks on without a pause is told every few seconds, and that costs no words and no time between."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    pcm = linear16(AUDIO / "preamble-rms.flac")
    messages = conversation(recogniser, "encoding=linear16&sample_rate=16000", *blocks(pcm))
    assert right(finals(messages), spoken) >= len(spoken) - 2
    told = results(messages, final=True)
    assert max(m["duration"] for m in told) < 6.5
    assert [m["speech_final"] for m in told].count(False) >= 3
    for before, after in itertools.pairwise(told):
        assert before["start"] + before["duration"] == pytest.approx(after["start"], abs=0.001)
    for message in told:
        for word in message["channel"]["alternatives"][0]["words"]:
            assert message["start"] - 0.05 <= word["start"]
            assert word["end"] <= message["start"] + message["duration"] + 0.05


def test_channels_are_heard_apart(recogniser: str) -> None:
    """With multichannel each speaker's words come on their own channel."""
    lines = [line.split(": ", 1) for line in (AUDIO / "conversation.txt").read_text().splitlines()]
    pcm = linear16(AUDIO / "conversation.flac")
    query = "encoding=linear16&sample_rate=16000&channels=2&multichannel=true"
    messages = conversation(recogniser, query, *blocks(pcm, 6400))
    for channel in (0, 1):
        spoken = [word for number, line in lines if int(number) == channel for word in plain(line)]
        heard = [m for m in messages if m.get("channel_index") == [channel, 2]]
        assert right(finals(heard), spoken) >= 0.9 * len(spoken)
    assert messages[-1]["channels"] == 2


def opus_in_ogg(samples: Any) -> bytes:
    """Encode 48 kHz mono samples (int16)."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as output:
        stream: Any = output.add_stream("libopus", rate=48000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48000
        for part in (frame, None):
            output.mux(stream.encode(part))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["linear32", "mulaw", "alaw", "flac", "ogg-opus"])
def test_encodings(recogniser: str, kind: str) -> None:
    """Every raw and compressed encoding gives the words at their times."""
    rate = 48000 if kind == "ogg-opus" else 16000
    samples = np.frombuffer(linear16(AUDIO / "preamble-rms.flac", rate), "<i2")[: 5 * rate]
    buffer = io.BytesIO()
    if kind == "linear32":
        buffer.write((samples / 32768).astype("<f4").tobytes())
    elif kind == "ogg-opus":
        buffer.write(opus_in_ogg(samples))
    elif kind == "flac":
        soundfile.write(buffer, samples, rate, format="FLAC")
    else:
        soundfile.write(buffer, samples, rate, format="RAW", subtype={"mulaw": "ULAW", "alaw": "ALAW"}[kind])
    messages = conversation(
        recogniser, f"encoding={kind}&sample_rate={rate}", *blocks(buffer.getvalue(), 1000)
    )
    assert right(finals(messages), plain("We the people of the United States in order")) >= 7
    assert messages[-1]["duration"] == pytest.approx(5, abs=0.1)


def test_finalize_in_the_middle_of_speech(recogniser: str) -> None:
    """Finalize gives the words so far, and none of the others is lost."""
    pcm = linear16(AUDIO / "preamble-rms.flac")
    with opened(recogniser, "encoding=linear16&sample_rate=16000") as socket:
        socket.send(pcm[: 32000 * 3])
        socket.send('{"type":"Finalize"}')
        socket.send(pcm[32000 * 3 : 32000 * 8])
        socket.send('{"type":"CloseStream"}')
        messages, code, _ = rest(socket)
    assert code == 1000
    flushed = next(m for m in messages if m.get("from_finalize"))
    assert flushed["is_final"]
    assert flushed["start"] + flushed["duration"] == pytest.approx(3, abs=0.1)
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())[:16]
    assert right(finals(messages), spoken) >= 13


@pytest.mark.parametrize("channel", [0, 1])
def test_finalize_on_one_channel(recogniser: str, channel: int) -> None:
    """Finalize of one channel is answered on that one alone."""
    pcm = linear16(AUDIO / "conversation.flac")
    with opened(recogniser, "encoding=linear16&sample_rate=16000&channels=2&multichannel=true") as socket:
        socket.send(pcm[: 64000 * 2])
        socket.send(json.dumps({"type": "Finalize", "channel": channel}))
        socket.send('{"type":"CloseStream"}')
        messages, _, _ = rest(socket)
    flushed = [m["channel_index"] for m in results(messages) if m["from_finalize"]]
    assert flushed == [[channel, 2]]


def test_endpointing_is_honoured(recogniser: str) -> None:
    """A pause of 0.7 s ends an utterance at the shortest endpointing, not at a second, never without endpointing."""
    voice = linear16(AUDIO / "preamble-rms.flac")
    pcm = voice[: 32000 * 3] + bytes(22400) + voice[32000 * 3 : 32000 * 5] + bytes(48000)
    ends = {}
    for value in ("10", "1000", "false"):
        query = f"encoding=linear16&sample_rate=16000&endpointing={value}"
        told = results(conversation(recogniser, query, *blocks(pcm)), final=True)
        ends[value] = [m["start"] + m["duration"] for m in told if m["speech_final"] and transcript(m)]
    assert len(ends["10"]) == 2
    assert len(ends["1000"]) == 1
    assert ends["false"] == []


def test_utterance_end_follows_the_last_word(recogniser: str) -> None:
    """UtteranceEnd names the end of the last final word, once that is so long ago."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 4]
    query = "encoding=linear16&sample_rate=16000&interim_results=true&utterance_end_ms=1000"
    messages = conversation(recogniser, query, *blocks(pcm), *blocks(bytes(32000 * 4)))
    last = [m for m in results(messages, final=True) if transcript(m)][-1]
    (ended,) = [m for m in messages if m["type"] == "UtteranceEnd"]
    assert ended["last_word_end"] == last["channel"]["alternatives"][0]["words"][-1]["end"]
    assert messages.index(ended) > messages.index(last)


def test_silence_says_nothing(recogniser: str) -> None:
    """Half a minute of silence and half a minute of noise bring no word and no start of speech."""
    noise = (np.random.default_rng(0).standard_normal(16000 * 30) * 3000).astype("<i2").tobytes()
    query = "encoding=linear16&sample_rate=16000&interim_results=true&vad_events=true"
    messages = conversation(recogniser, query, *blocks(bytes(32000 * 30), 64000), *blocks(noise, 64000))
    assert finals(messages) == []
    assert not any(m["type"] == "SpeechStarted" for m in messages)
    assert messages[-1]["duration"] == pytest.approx(60, abs=0.05)


def test_key_terms_can_change_within_a_stream(recogniser: str) -> None:
    """Configure with key terms is confirmed, and no word is lost by it."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 8]
    with opened(recogniser, "encoding=linear16&sample_rate=16000&keyterm=Deepgram") as socket:
        socket.send(pcm[: 32000 * 4])
        socket.send('{"type":"Configure","keyterms":["tranquility"]}')
        socket.send(pcm[32000 * 4 :])
        socket.send('{"type":"CloseStream"}')
        messages, code, _ = rest(socket)
    assert code == 1000
    assert {"keyterms": ["tranquility"]}.items() <= messages_of(messages, "ConfigureSuccess")[0].items()
    assert right(finals(messages), plain((AUDIO / "preamble-rms.txt").read_text())[:16]) >= 14


def test_streams_share_one_recogniser(recogniser: str) -> None:
    """Four streams at once each get their own words, and no process is started for any of them."""
    recordings = {
        "preamble": linear16(AUDIO / "preamble-rms.flac")[: 32000 * 8],
        "conversation": linear16(AUDIO / "conversation.flac")[: 64000 * 8],
    }
    spoken = {
        "preamble": plain((AUDIO / "preamble-rms.txt").read_text())[:16],
        "conversation": plain("Good morning how can I help you today I have been waiting"),
    }
    before = set(children(os.getpid())) if sys.platform == "linux" else set()
    with ThreadPoolExecutor(4) as threads:
        heard = [
            (
                name,
                threads.submit(
                    conversation,
                    recogniser,
                    f"encoding=linear16&sample_rate=16000&channels={1 if name == 'preamble' else 2}",
                    *blocks(recordings[name]),
                ),
            )
            for name in list(recordings) * 2
        ]
    for name, future in heard:
        words = finals(future.result())
        assert right(words, spoken[name]) >= len(spoken[name]) - 2
        assert len(words) < 30
    if sys.platform == "linux":
        assert set(children(os.getpid())) <= before


def test_a_language_that_no_model_knows(recogniser: str) -> None:
    """A stream in a language that the only model does not know is refused before it opens."""
    with pytest.raises(InvalidStatus) as caught, opened(recogniser, "language=de"):
        pass
    body = json.loads(caught.value.response.body or b"")
    assert caught.value.response.status_code == 400
    assert "English only" in body["err_msg"]


def test_the_answer_names_the_model(recogniser: str) -> None:
    """Results and Metadata tell which model heard."""
    messages = conversation(recogniser, "encoding=linear16&sample_rate=16000", bytes(32000 * 6))
    assert results(messages)[0]["metadata"]["model_info"]["name"] == "whisper-tiny.en"
    assert [model["name"] for model in messages[-1]["model_info"].values()] == ["whisper-tiny.en"]


@linux
def test_a_client_that_goes_takes_its_decoder_along(recogniser: str) -> None:
    """The process that decodes a stream with a header ends when the connection breaks."""
    before = set(children(os.getpid()))
    with opened(recogniser, "model=nova-3") as socket:
        socket.send((AUDIO / "preamble-rms.flac").read_bytes()[:64000])
        until(lambda: set(children(os.getpid())) > before)
        started = set(children(os.getpid())) - before
        socket.socket.shutdown(SHUT_RDWR)
    until(lambda: not any(alive(pid) for pid in started))


@linux
def test_a_client_that_goes_while_much_is_undecoded(recogniser: str) -> None:
    """A client that sends a long recording at once and leaves holds up nobody: the server ends its process."""
    samples = np.tile(np.frombuffer(linear16(AUDIO / "preamble-rms.flac"), "<i2"), 12)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16000, format="FLAC")
    before = set(children(os.getpid()))
    with opened(recogniser, "model=nova-3") as socket:
        for block in blocks(buffer.getvalue()[: 1 << 20], 1 << 16):
            socket.send(block)
        assert first_of(socket)["type"] == "Results"
        started = set(children(os.getpid())) - before
        socket.socket.shutdown(SHUT_RDWR)
    until(lambda: not any(alive(pid) for pid in started))
    assert finals(conversation(recogniser, "encoding=linear16&sample_rate=16000", samples[:48000].tobytes()))


@linux
def test_a_decoder_that_crashes(recogniser: str) -> None:
    """A stream whose codecs crash is closed with 1011 NET-0000 at once, and no other is harmed."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 3]
    before = set(children(os.getpid()))
    with (
        opened(recogniser, "encoding=linear16&sample_rate=16000") as other,
        opened(recogniser, "model=nova-3") as socket,
    ):
        other.send(pcm)
        socket.send((AUDIO / "preamble-rms.flac").read_bytes()[:64000])
        until(lambda: set(children(os.getpid())) > before)
        for pid in set(children(os.getpid())) - before:
            os.kill(pid, signal.SIGKILL)
        _, code, reason = rest(socket)
        other.send('{"type":"CloseStream"}')
        messages, well, _ = rest(other)
    assert (code, well) == (1011, 1000)
    assert reason.endswith("https://dpgr.am/net0000")
    assert len(finals(messages)) >= 4


@linux
def test_a_recogniser_that_is_stuck(whisper: Callable[..., ServerSettings]) -> None:
    """Speech of which nothing is told within the window closes with 1011 NET-0000."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 6]
    before = set(children(os.getpid()))
    with (
        running(whisper(response_timeout=1.0)) as url,
        opened(url, "encoding=linear16&sample_rate=16000&interim_results=true") as socket,
    ):
        socket.send(pcm[: 32000 * 2])
        # The answer to Finalize is the last that the recogniser has to say: nothing is on its way then.
        socket.send('{"type":"Finalize"}')
        while not json.loads(socket.recv(timeout=HANGS_AFTER)).get("from_finalize"):
            pass
        for process in set(children(os.getpid())) - before:
            os.kill(process, signal.SIGSTOP)
        socket.send(pcm[32000 * 2 :])
        socket.send('{"type":"Finalize"}')
        told = []
        with suppress(ConnectionClosed):
            while True:
                socket.send(bytes(3200))
                with suppress(TimeoutError):
                    told.append(json.loads(socket.recv(timeout=0.05)))
        messages, code, reason = [*told, *rest(socket)[0]], socket.close_code, socket.close_reason or ""
    assert (messages[-1]["sha256"], code) == ("incomplete", 1011)
    assert reason.endswith("https://dpgr.am/net0000")


@linux
def test_a_recogniser_that_crashes(whisper: Callable[..., ServerSettings]) -> None:
    """Streams of a recogniser that dies are closed with 1011 NET-0000 at once; the next stream is heard."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 3]
    before = set(children(os.getpid()))
    with running(whisper()) as url:
        with opened(url, "encoding=linear16&sample_rate=16000&interim_results=true") as socket:
            socket.send(pcm)
            assert json.loads(socket.recv(timeout=HANGS_AFTER))["type"] == "Results"
            for process in set(children(os.getpid())) - before:
                os.kill(process, signal.SIGKILL)
            socket.send(pcm)
            _, code, reason = rest(socket)
        assert code == 1011
        assert reason.endswith("https://dpgr.am/net0000")
        assert len(finals(conversation(url, "encoding=linear16&sample_rate=16000", pcm))) >= 4


def test_the_sdk_streams(recogniser: str, client: httpx.Client) -> None:
    """The official SDK gets typed interims and finals, and the stream's end."""
    pcm = linear16(AUDIO / "preamble-rms.flac")[: 32000 * 11]
    sdk = sdk_for(recogniser, "not-needed", client)
    received: list[Any] = []
    with sdk.listen.v1.connect(
        model="nova-3",
        encoding="linear16",
        sample_rate=16000,
        interim_results=True,
        smart_format=True,
        endpointing=300,
    ) as connection:
        connection.on(EventType.MESSAGE, received.append)
        listening = threading.Thread(target=connection.start_listening)
        listening.start()
        for block in blocks(pcm):
            connection.send_media(block)
        connection.send_close_stream()
        listening.join(timeout=HANGS_AFTER)
    found = [message for message in received if isinstance(message, ListenV1Results)]
    assert any(not message.is_final for message in found)
    heard = [word.word for m in found if m.is_final for word in m.channel.alternatives[0].words]
    assert right(heard, plain((AUDIO / "preamble-rms.txt").read_text())[:20]) >= 18
    assert any(message.speech_final for message in found)
    assert json.loads(received[-1].model_dump_json())["type"] == "Metadata"
