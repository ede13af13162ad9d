"""Real speech through a live stream, and the official deepgram-sdk as its client."""

import io
import itertools
import json
import os
import signal
import threading
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


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [word for m in results(messages, final=True) for word in plain(transcript(m))]


def test_a_real_recording(recogniser: str) -> None:
    """At least 80 % of a reader's words arrive as finals, after interims, in time with the audio."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    query = "encoding=linear16&sample_rate=16000&interim_results=true&smart_format=true&vad_events=true"
    messages = conversation(recogniser, query, *blocks(linear16(shared("preamble.wav"))))
    assert right(finals(messages), spoken) >= 0.8 * 52
    interims = results(messages, final=False)
    assert len(interims) >= 12
    assert any(transcript(m) for m in interims)
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
    assert sum(m["speech_final"] for m in told) >= 3


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


@linux
def test_a_client_that_goes_takes_its_process_along(recogniser: str) -> None:
    """The process of a stream ends when the connection breaks."""
    before = set(children(os.getpid()))
    with opened(recogniser, "encoding=linear16&sample_rate=16000") as socket:
        socket.send(bytes(32000))
        until(lambda: set(children(os.getpid())) > before)
        started = set(children(os.getpid())) - before
        socket.socket.shutdown(SHUT_RDWR)
    until(lambda: not any(alive(pid) for pid in started))


@pytest.mark.slow
@linux
def test_a_recogniser_that_is_stuck() -> None:
    """Audio of which nothing is heard within the window closes with 1011 NET-0000."""
    before = set(children(os.getpid()))
    settings = ServerSettings(workers=1, response_timeout=1.0)
    with (
        running(settings) as url,
        opened(url, "encoding=linear16&sample_rate=16000&interim_results=true") as socket,
    ):
        socket.send(bytes(64000))
        # The answer to Finalize is the last that the recogniser has to say: nothing is on its way then.
        socket.send('{"type":"Finalize"}')
        while not json.loads(socket.recv(timeout=HANGS_AFTER)).get("from_finalize"):
            pass
        for worker in set(children(os.getpid())) - before:
            os.kill(worker, signal.SIGSTOP)
        socket.send(bytes(128_000))
        messages, code, reason = rest(socket)
    assert (messages[-1]["sha256"], code) == ("incomplete", 1011)
    assert reason.endswith("https://dpgr.am/net0000")


@pytest.mark.slow
@linux
def test_a_recogniser_that_crashes() -> None:
    """The stream of a process that dies is closed with 1011 NET-0000 at once."""
    before = set(children(os.getpid()))
    with (
        running(ServerSettings(workers=1)) as url,
        opened(url, "encoding=linear16&sample_rate=16000&interim_results=true") as socket,
    ):
        socket.send(bytes(64000))
        assert json.loads(socket.recv(timeout=HANGS_AFTER))["type"] == "Results"
        for worker in set(children(os.getpid())) - before:
            os.kill(worker, signal.SIGKILL)
        _, code, reason = rest(socket)
    assert code == 1011
    assert reason.endswith("https://dpgr.am/net0000")


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
