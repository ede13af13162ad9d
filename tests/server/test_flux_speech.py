"""Real speech through a stream of turns, and the official deepgram-sdk as its client."""

import io
import itertools
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import soxr
from deepgram.core.events import EventType
from deepgram.listen.v2.types import ListenV2ConfigureSuccess, ListenV2Connected, ListenV2TurnInfo
from websockets.exceptions import InvalidStatus

from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO, plain, shared
from tests.server.test_flux import (
    CLOSE,
    FORCE,
    RAW,
    conversation,
    opened,
    rest,
    said,
    turns,
    until,
)
from tests.server.test_live_speech import blocks
from tests.server.test_run import children, linux
from tests.server.test_sdk import sdk_for
from tests.server.test_transcription import right

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

CHUNK = 2560  # bytes: 80 ms, as the API advises


def mono(path: Path, rate: int = 16_000) -> bytes:
    """Return a recording as one channel of 16-bit PCM."""
    samples, source = soundfile.read(path, dtype="float32", always_2d=True)
    resampled = soxr.resample(samples.mean(axis=1), source, rate)
    pcm: bytes = (np.clip(resampled, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


def words_of(messages: list[dict[str, Any]]) -> list[str]:
    """Return the words of a stream: those of its turns, and of the last update of a turn without an end."""
    last = {m["turn_index"]: m["transcript"] for m in turns(messages, "Update", "StartOfTurn", "EndOfTurn")}
    return [word for transcript in last.values() for word in plain(transcript)]


def test_a_real_recording(recogniser: str) -> None:
    """Nearly all of a reader's words arrive in turns, at their times, and the text grows while they are read."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    pcm = mono(shared("preamble.wav")) + bytes(64_000)
    messages = conversation(recogniser, f"{RAW}&eager_eot_threshold=0.5", *blocks(pcm, CHUNK))
    assert right(words_of(messages), spoken) >= 48  # of 52
    told = [event for _, event, _ in said(messages)]
    assert told[0] == "StartOfTurn"
    assert told[-2:] == ["EagerEndOfTurn", "EndOfTurn"]
    lengths = [len(m["words"]) for m in turns(messages, "Update") if m["turn_index"] == 0]
    assert len(set(lengths)) >= 3  # more where the machine is free for it
    ends = turns(messages, "EndOfTurn")
    words = [word for ended in ends for word in ended["words"]]
    assert words[-1]["end"] == pytest.approx(18.2, abs=0.5)
    assert len({word["confidence"] for word in words}) > 10
    assert all(0 <= word["start"] <= word["end"] <= ends[-1]["audio_window_end"] for word in words)


def test_a_speech_with_pauses(recogniser: str) -> None:
    """A speech with long pauses keeps its words, whatever turns the pauses make of it."""
    messages = conversation(recogniser, RAW, *blocks(mono(shared("jfk.flac")), CHUNK), bytes(64_000))
    spoken = plain(
        "And so, my fellow Americans: ask not what your country can do for you, "
        "ask what you can do for your country."
    )
    assert right(words_of(messages), spoken) >= len(spoken) - 1


def test_a_high_threshold_makes_fewer_turns(recogniser: str) -> None:
    """The same speech with pauses has more turns at a low threshold than at a high one, and the same words."""
    pcm = mono(AUDIO / "preamble-rms.flac")
    parts = [pcm[: 32_000 * 6], bytes(32_000), pcm[32_000 * 6 : 32_000 * 12], bytes(32_000), bytes(64_000)]
    heard = {}
    for threshold in (0.5, 1.0):
        messages = conversation(recogniser, f"{RAW}&eot_threshold={threshold}&eot_timeout_ms=60000", *parts)
        heard[threshold] = (len(turns(messages, "EndOfTurn")), words_of(messages))
    assert heard[0.5][0] >= 2
    assert heard[1.0][0] == 0
    assert heard[0.5][1] == heard[1.0][1]


def test_every_early_end_is_taken_back_or_kept(recogniser: str) -> None:
    """After each EagerEndOfTurn of real speech comes TurnResumed, or EndOfTurn with its very transcript."""
    messages = conversation(
        recogniser, f"{RAW}&eager_eot_threshold=0.3", *blocks(mono(AUDIO / "conversation.flac"), CHUNK)
    )
    told = said(messages)
    followed = 0
    for (turn, event, transcript), after in itertools.pairwise(told):
        if event == "EagerEndOfTurn":
            followed += 1
            assert after == (turn, "EndOfTurn", transcript) or after[:2] == (turn, "TurnResumed")
        if event == "StartOfTurn":
            assert transcript
    assert followed >= 3


def test_silence_is_no_turn(recogniser: str) -> None:
    """Half a minute of silence and half a minute of noise bring updates without words, and nothing else."""
    noise = (np.random.default_rng(0).standard_normal(16_000 * 30) * 3000).astype("<i2").tobytes()
    messages = conversation(recogniser, RAW, *blocks(bytes(32_000 * 30), 64_000), *blocks(noise, 64_000))
    assert said(messages) == []
    updates = turns(messages, "Update")
    assert len(updates) == pytest.approx(240, abs=3)
    assert {(m["transcript"], m["turn_index"], m["end_of_turn_confidence"]) for m in updates} == {("", 0, 0)}


def test_key_terms_reach_the_recogniser(recogniser: str) -> None:
    """Terms of the query and of Configure decide how words are spelt from there on."""
    pcm = mono(AUDIO / "preamble-rms.flac")[: 32_000 * 13]
    british = ["tranquillity", "defence"]
    plainly = conversation(recogniser, RAW, pcm)[-1]["transcript"]
    assert not any(term in plainly for term in british)
    told = conversation(recogniser, RAW + "".join(f"&keyterm={term}" for term in british), pcm)[-1][
        "transcript"
    ]
    assert all(term in told for term in british)
    configure = json.dumps({"type": "Configure", "keyterms": british})
    assert all(term in conversation(recogniser, RAW, configure, pcm)[-1]["transcript"] for term in british)


def test_the_client_ends_a_turn_in_mid_speech(recogniser: str) -> None:
    """ForceEndTurn within speech ends the turn with the words so far, and the others begin the next."""
    pcm = mono(AUDIO / "preamble-rms.flac")
    with opened(recogniser) as socket:
        socket.send(pcm[: 32_000 * 3])
        socket.send(FORCE)
        socket.send(pcm[32_000 * 3 : 32_000 * 8])
        socket.send(CLOSE)
        messages = rest(socket)
    (forced,) = [m for m in turns(messages, "EndOfTurn") if m["trigger"] == "manual"]
    assert forced["turn_index"] == 0
    assert forced["audio_window_end"] == pytest.approx(3, abs=0.1)
    assert len(forced["words"]) >= 4
    assert right(words_of(messages), plain((AUDIO / "preamble-rms.txt").read_text())[:16]) >= 13


@pytest.mark.parametrize(
    ("encoding", "rate"), [("linear32", 44_100), ("mulaw", 8000), ("alaw", 24_000), ("linear16", 48_000)]
)
def test_encodings(recogniser: str, encoding: str, rate: int) -> None:
    """Raw audio of every encoding and of each sample rate gives the words."""
    samples = np.frombuffer(mono(AUDIO / "preamble-rms.flac", rate), "<i2")[: 5 * rate]
    if encoding == "linear16":
        data = samples.tobytes()
    elif encoding == "linear32":
        data = (samples / 32768).astype("<f4").tobytes()
    else:
        buffer = io.BytesIO()
        subtype = {"mulaw": "ULAW", "alaw": "ALAW"}[encoding]
        soundfile.write(buffer, samples, rate, format="RAW", subtype=subtype)
        data = buffer.getvalue()
    query = f"model=flux-general-en&encoding={encoding}&sample_rate={rate}"
    messages = conversation(recogniser, query, *blocks(data, 4000))
    assert right(words_of(messages), plain("We the people of the United States in order")) >= 7


def test_several_languages_need_a_model_that_knows_them(recogniser: str) -> None:
    """A stream in several languages is refused where the only model knows English."""
    with pytest.raises(InvalidStatus) as caught, opened(recogniser, "model=flux-general-multi"):
        pass
    assert caught.value.response.status_code == 400
    assert "English only" in json.loads(caught.value.response.body or b"")["err_msg"]


@linux
def test_a_recogniser_that_crashes(whisper: Callable[..., ServerSettings]) -> None:
    """A stream whose recogniser dies ends with an Error, and the next stream is heard."""
    pcm = mono(AUDIO / "preamble-rms.flac")[: 32_000 * 4]
    before = set(children(os.getpid()))
    with running(whisper()) as url:
        with opened(url) as socket:
            socket.send(pcm)
            assert until(socket, "TurnInfo")
            for process in set(children(os.getpid())) - before:
                os.kill(process, signal.SIGKILL)
            socket.send(pcm)
            messages = rest(socket)
        assert messages[-1]["code"] == "INTERNAL_SERVER_ERROR"
        assert len(words_of(conversation(url, RAW, pcm))) >= 4


def test_the_sdk_gets_turns(recogniser: str, client: httpx.Client) -> None:
    """The official SDK gets typed turns with the words, and its own messages are understood."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    sdk = sdk_for(recogniser, "not-needed", client)
    received: list[Any] = []
    with sdk.listen.v2.connect(
        model="flux-general-en",
        encoding="linear16",
        sample_rate=16_000,
        eager_eot_threshold=0.5,
        keyterm=["Posterity", "Welfare"],
        mip_opt_out="true",
    ) as connection:
        connection.on(EventType.MESSAGE, received.append)
        listening = threading.Thread(target=connection.start_listening)
        listening.start()
        connection.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 0.6}})
        for block in blocks(mono(shared("preamble.wav")) + bytes(64_000), CHUNK):
            connection.send_media(block)
        connection.send_force_end_turn()
        connection.send_close_stream()
        listening.join(timeout=HANGS_AFTER)
    assert isinstance(received[0], ListenV2Connected)
    (success,) = [m for m in received if isinstance(m, ListenV2ConfigureSuccess)]
    assert (success.thresholds.eot_threshold, success.keyterms) == (0.6, ["Posterity", "Welfare"])
    infos = [m for m in received if isinstance(m, ListenV2TurnInfo)]
    ended = [m for m in infos if m.event == "EndOfTurn"]
    assert {m.trigger for m in ended} <= {"model", "timeout", "manual"}
    assert {"Update", "StartOfTurn", "EagerEndOfTurn", "EndOfTurn"} <= {m.event for m in infos}
    heard = [word for m in ended for word in plain(m.transcript)]
    assert right(heard, spoken) >= 48  # of 52
    assert [m.sequence_id for m in received] == list(range(len(received)))
