"""Real speech through the embedded recogniser, over HTTP."""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httpx
import pytest
import soundfile

from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO, plain, shared


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
    """The shipped sample is recognised without a fault."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    assert alternative(sample)["transcript"].split() == spoken
    assert len(spoken) == 52


def test_most_words_of_a_real_recording(client: httpx.Client, recogniser: str) -> None:
    """At least 80 % of a reader's words are recognised."""
    spoken = plain((AUDIO / "preamble-rms.txt").read_text())
    body = post(client, recogniser, "", shared("preamble.wav").read_bytes())
    assert right(alternative(body)["transcript"].split(), spoken) >= 0.8 * 52


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
        assert alternative(body, channel)["transcript"].split() == spoken
    said = [(str(part["channel"]), part["transcript"].split()) for part in body["results"]["utterances"]]
    assert said == [(number, plain(line)) for number, line in lines]


def test_channels_are_mixed_down(client: httpx.Client, recogniser: str) -> None:
    """Without multichannel one result holds what both channels say."""
    lines = [line.split(": ", 1)[1] for line in (AUDIO / "conversation.txt").read_text().splitlines()]
    body = post(client, recogniser, "", (AUDIO / "conversation.flac").read_bytes())
    assert len(body["results"]["channels"]) == 1
    assert alternative(body)["transcript"].split() == plain("\n".join(lines))


def test_features_of_the_answer(client: httpx.Client, recogniser: str) -> None:
    """Formatting, search, replacement, labels and warnings arrive where the API puts them."""
    body = post(
        client,
        recogniser,
        "smart_format=true&utterances=true&utt_split=1.2&search=thank+you&replace=order:parcel&tag=t&extra=k:v"
        "&detect_language=true&diarize=true&model=nova-3",
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
    assert info["arch"] == "pocketsphinx"
    assert result["search"][0]["hits"][0]["snippet"] == "thank you"
    assert (result["detected_language"], result["language_confidence"]) == ("en", 1.0)
    text = alternative(body)["transcript"]
    assert text.startswith("Good morning how can I help you today. I have been")
    assert "number of your parcel." in text
    assert alternative(body)["words"][4]["punctuated_word"] == "I"
    paragraphs = alternative(body)["paragraphs"]
    assert paragraphs["transcript"].strip() == text
    assert sum(part["num_words"] for part in paragraphs["paragraphs"]) == len(alternative(body)["words"])
    assert len(body["results"]["utterances"]) > 1


def test_key_terms_teach_the_recogniser(client: httpx.Client, recogniser: str) -> None:
    """A phrase that it mishears is heard as a key term, in that request alone; no sound, a warning."""
    samples, rate = soundfile.read(shared("preamble.wav"), frames=22050 * 6)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV")
    audio = buffer.getvalue()
    assert "form a more" not in alternative(post(client, recogniser, "", audio))["transcript"]
    body = post(client, recogniser, "keyterm=form+a+more+perfect+union&keyterm=zzyzx", audio)
    assert "in order to form a more perfect union" in alternative(body)["transcript"]
    assert [warning["parameter"] for warning in body["metadata"]["warnings"]] == ["keyterm"]
    assert "form a more" not in alternative(post(client, recogniser, "", audio))["transcript"]


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
