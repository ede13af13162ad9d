"""Real speech through the recogniser, over HTTP."""

import io
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO, plain, shared
from tests.server.test_run import children, linux, until


def post(client: httpx.Client, url: str, query: str, audio: bytes, **headers: str) -> dict[str, Any]:
    answer = client.post(f"{url}/v1/listen?{query}", content=audio, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def alternative(body: dict[str, Any], channel: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = body["results"]["channels"][channel]["alternatives"][0]
    return found


def right(heard: Sequence[str], spoken: Sequence[str]) -> int:
    """Return how many of the spoken words were heard, in order."""
    best = [0] * (len(spoken) + 1)
    for word in heard:
        before = 0
        for index, wanted in enumerate(spoken):
            before, best[index + 1] = (
                best[index + 1],
                max(best[index + 1], best[index], before + (word == wanted)),
            )
    return best[-1]


@pytest.fixture(scope="module")
def sample(recogniser: str) -> dict[str, Any]:
    """The answer to the shipped sample, recognised once."""
    with httpx.Client(timeout=HANGS_AFTER) as client:
        return post(client, recogniser, "", (AUDIO / "preamble-rms.flac").read_bytes())


def test_every_word_of_the_sample(sample: dict[str, Any]) -> None:
    """The shipped sample is recognised with one slip at most, of a voice that is a machine's."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    assert right(plain(alternative(sample)["transcript"]), spoken) >= 51
    assert len(spoken) == 52


def test_most_words_of_a_real_recording(client: httpx.Client, recogniser: str) -> None:
    """At least 49 of a reader's 52 words are recognised."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    body = post(client, recogniser, "", shared("preamble.wav").read_bytes())
    assert right(plain(alternative(body)["transcript"]), spoken) >= 49


def test_words_have_real_times_and_confidences(sample: dict[str, Any]) -> None:
    """Words lie in order within the audio, and their confidences are not all one number."""
    words = alternative(sample)["words"]
    assert all(a["end"] <= b["start"] + 0.02 for a, b in pairwise(words))
    assert all(0 <= word["start"] < word["end"] <= sample["metadata"]["duration"] for word in words)
    assert len({word["confidence"] for word in words}) > 10
    assert words[-1]["end"] > 24
    assert sample["metadata"]["duration"] == pytest.approx(25.925, abs=0.001)


def test_one_result_per_channel(client: httpx.Client, recogniser: str) -> None:
    """With multichannel each speaker has a channel, and utterances mix them in order of time."""
    lines = [line.split(": ", 1) for line in (AUDIO / "conversation.txt").read_text().splitlines()]
    body = post(
        client, recogniser, "multichannel=true&utterances=true", (AUDIO / "conversation.flac").read_bytes()
    )
    assert body["metadata"]["channels"] == 2
    for channel in (0, 1):
        spoken = [word for number, line in lines if int(number) == channel for word in plain(line)]
        assert right(plain(alternative(body, channel)["transcript"]), spoken) >= 0.9 * len(spoken)
    utterances = body["results"]["utterances"]
    assert [part["channel"] for part in utterances] == [int(number) for number, _ in lines]


def test_channels_are_mixed_down(client: httpx.Client, recogniser: str) -> None:
    """Without multichannel one result holds what both channels say."""
    lines = [line.split(": ", 1)[1] for line in (AUDIO / "conversation.txt").read_text().splitlines()]
    body = post(client, recogniser, "", (AUDIO / "conversation.flac").read_bytes())
    assert len(body["results"]["channels"]) == 1
    spoken = plain("\n".join(lines))
    assert right(plain(alternative(body)["transcript"]), spoken) >= 0.9 * len(spoken)


def test_features_of_the_answer(client: httpx.Client, recogniser: str) -> None:
    """Formatting, search, replacement, labels and warnings arrive where the API puts them."""
    body = post(
        client,
        recogniser,
        "smart_format=true&utterances=true&utt_split=1.2&search=thank+you&replace=order:parcel&tag=t&extra=k:v"
        "&diarize=true&model=nova-3",
        (AUDIO / "conversation.flac").read_bytes(),
    )
    metadata, result = body["metadata"], body["results"]["channels"][0]
    assert list(metadata)[:6] == [
        "transaction_key",
        "request_id",
        "sha256",
        "created",
        "duration",
        "channels",
    ]
    assert metadata["transaction_key"] == "deprecated"
    assert metadata["tags"] == ["t"]
    assert metadata["extra"] == {"k": "v"}
    assert [warning["parameter"] for warning in metadata["warnings"]] == ["diarize"]
    (info,) = metadata["model_info"].values()
    assert (info["name"], info["arch"]) == ("whisper-tiny.en", "whisper")
    assert result["search"][0]["hits"][0]["snippet"] == "thank you"
    text = alternative(body)["transcript"]
    assert text.startswith("Good morning,")
    assert "your parcel?" in text
    assert "order" not in text
    word = alternative(body)["words"][1]
    assert (word["word"], word["punctuated_word"]) == ("morning", "morning,")
    paragraphs = alternative(body)["paragraphs"]
    assert paragraphs["transcript"].split() == text.split()
    assert len(paragraphs["paragraphs"]) == 2
    assert sum(part["num_words"] for part in paragraphs["paragraphs"]) == len(alternative(body)["words"])
    assert len(body["results"]["utterances"]) > 1


def test_without_formatting(sample: dict[str, Any]) -> None:
    """Without punctuate the transcript is lower case without marks, and no word has a written form."""
    assert not set(alternative(sample)["transcript"]) & set(".,?!WPUOTQ")
    assert "punctuated_word" not in alternative(sample)["words"][0]


def test_key_terms_teach_the_recogniser(client: httpx.Client, recogniser: str, tmp_path: Path) -> None:
    """A name that it has never read is heard as a key term, in that request alone."""
    if shutil.which("flite") is None:
        pytest.skip("the program flite, which says the name, is not installed")
    path = tmp_path / "name.wav"
    text = "Yesterday I had a long talk with Wojciechowski about the plans."
    subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", path], check=True)
    audio = path.read_bytes()
    assert "wojciechowski" not in alternative(post(client, recogniser, "", audio))["transcript"]
    body = post(client, recogniser, "keyterm=Wojciechowski&keyterm=zzyzx&punctuate=true", audio)
    assert "Wojciechowski" in alternative(body)["transcript"]
    assert "zzyzx" not in alternative(body)["transcript"].lower()
    assert "wojciechowski" not in alternative(post(client, recogniser, "", audio))["transcript"]


@pytest.mark.parametrize("query", ["language=de", "detect_language=true", "language=multi"])
def test_a_language_that_no_model_knows(client: httpx.Client, recogniser: str, query: str) -> None:
    """With a model for English only, other languages are refused with the reason."""
    answer = client.post(
        f"{recogniser}/v1/listen?{query}", content=(AUDIO / "conversation.flac").read_bytes()
    )
    assert answer.status_code == 400
    assert "knows English only" in answer.json()["err_msg"]


def test_progress_is_told(whisper: Callable[..., ServerSettings], client: httpx.Client) -> None:
    """Whoever runs the server is told the share of the recording that has been recognised, up to all of it."""
    told: list[float] = []
    samples, rate = soundfile.read(AUDIO / "preamble-rms.flac", dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, np.tile(samples, 4), rate, format="WAV")
    with running(whisper(on_progress=told.append)) as url:
        post(client, url, "", buffer.getvalue())
    assert told == sorted(told)
    assert any(0.1 < share < 0.9 for share in told)
    assert told[-1] == 1.0


def test_more_audio_than_is_taken(whisper: Callable[..., ServerSettings], client: httpx.Client) -> None:
    """A small file that decodes to hours is refused, and the server goes on."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(8000 * 7200, np.int16), 8000, format="FLAC")
    with running(whisper(max_seconds=600)) as url:
        answer = client.post(f"{url}/v1/listen", content=buffer.getvalue())
        assert (answer.status_code, answer.json()["err_code"]) == (413, "PAYLOAD_TOO_LARGE")
        post(client, url, "encoding=linear16&sample_rate=8000", bytes(16000))


def processes(before: set[int], module: str) -> set[int]:
    """Return the ids of the server's processes that run a module."""
    started = set(children(os.getpid())) - before
    return {pid for pid in started if module in Path(f"/proc/{pid}/cmdline").read_text()}


@linux
@pytest.mark.parametrize("module", ["decoder_process", "recogniser_process"])
def test_a_process_that_dies_idle_costs_nothing(
    whisper: Callable[..., ServerSettings], client: httpx.Client, module: str
) -> None:
    """A process that died while nothing was asked of it is replaced when something is."""
    before = set(children(os.getpid()))
    with running(whisper(workers=1)) as url:
        for pid in processes(before, module):
            os.kill(pid, signal.SIGKILL)
        body = post(client, url, "", (AUDIO / "preamble-rms.flac").read_bytes())
        assert alternative(body)["words"]


@linux
@pytest.mark.parametrize(("module", "status"), [("decoder_process", 500), ("recogniser_process", 200)])
def test_a_process_that_crashes(
    whisper: Callable[..., ServerSettings], client: httpx.Client, module: str, status: int
) -> None:
    """A decoder takes its own request along, a recogniser none: what it had is tried again. Both are replaced."""
    samples, rate = soundfile.read(AUDIO / "preamble-rms.flac", dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, np.tile(samples, 8), rate, format="WAV")
    told: list[float] = []
    before = set(children(os.getpid()))
    with running(whisper(workers=1, on_progress=told.append)) as url, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, f"{url}/v1/listen", content=buffer.getvalue())
        until(lambda: bool(told))
        for pid in processes(before, module):
            os.kill(pid, signal.SIGKILL)
        assert asked.result().status_code == status
        assert alternative(post(client, url, "", (AUDIO / "preamble-rms.flac").read_bytes()))["words"]


def test_silence_is_an_empty_success(client: httpx.Client, recogniser: str) -> None:
    """Silence gives an empty transcript with confidence 0, not an error."""
    body = post(
        client,
        recogniser,
        "encoding=linear16&sample_rate=8000&utterances=true&smart_format=true",
        bytes(32000),
    )
    found = alternative(body)
    assert (found["transcript"], found["confidence"], found["words"]) == ("", 0, [])
    assert body["results"]["utterances"] == []
    assert body["metadata"]["duration"] == 2.0


@pytest.mark.parametrize(
    ("name", "content", "query"),
    [
        ("text named .wav", b"This is no audio at all, only a text.\n" * 50, ""),
        ("random bytes", bytes(range(256)) * 40, ""),
        ("a WAV header alone", b"RIFF\x00\x00\x00\x00WAVEfmt ", ""),
        ("a playlist", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n", ""),
        ("raw without a rate", bytes(32000), "encoding=linear16"),
        ("half a sample", b"\x00", "encoding=linear16&sample_rate=8000"),
        ("packets without frames", bytes(3200), "encoding=g729&sample_rate=8000"),
        ("JSON sent as audio", b'{"url": "http://example.com/a.wav"}', ""),
    ],
)
def test_what_is_no_audio(
    client: httpx.Client, recogniser: str, name: str, content: bytes, query: str
) -> None:
    """Whatever cannot be decoded has the API's one message."""
    answer = client.post(
        f"{recogniser}/v1/listen?{query}", content=content, headers={"content-type": "audio/wav"}
    )
    assert answer.status_code == 400, name
    assert answer.json()["err_msg"] == "Bad Request: failed to process audio: corrupt or unsupported data"
