"""POST /v1/align: when the words of a known text are said."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.server import receive
from dgcli.server.engines.attention import Attended, TextWord
from dgcli.server.engines.forced import timed
from dgcli.server.engines.voice import loudness
from tests.conftest import HANGS_AFTER
from tests.server.conftest import shared

Json = dict[str, Any]
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def asked(client: httpx.Client, url: str, words: object, audio: bytes = b"", **more: str) -> httpx.Response:
    """The answer to one stretch."""
    text = json.dumps({"stretches": [{"channel": 0, "words": words}]})
    return client.post(f"{url}/v1/align", data={"text": text, **more}, files={"file": ("talk.wav", audio)})


def test_words_between_known_ones_are_found(client: httpx.Client, recogniser: str) -> None:
    """Words without times get them from the recording, between those of their neighbours."""
    audio = shared("spacewalk.wav").read_bytes()
    response = json.loads(shared("../responses/transcription.json").read_bytes())
    words = response["results"]["channels"][0]["alternatives"][0]["words"][:26]
    hidden = (7, 12, 21)
    sent = [
        {"word": word["punctuated_word"]}
        if at in hidden
        else {"word": word["punctuated_word"], "start": word["start"], "end": word["end"]}
        for at, word in enumerate(words)
    ]
    answer = asked(client, recogniser, sent, audio)
    assert answer.status_code == 200
    (stretch,) = answer.json()["results"]["stretches"]
    found = stretch["words"]
    assert [word["word"] for word in found] == [word["punctuated_word"] for word in words]
    for at, (word, true) in enumerate(zip(found, words, strict=True)):
        assert abs(word["start"] - true["start"]) <= (0.15 if at in hidden else 0.001)
        assert word["start"] <= word["end"]


def test_a_recording_that_is_none_is_refused(client: httpx.Client, recogniser: str) -> None:
    """What cannot be decoded is answered as /v1/listen answers it."""
    answer = asked(client, recogniser, [{"word": "so", "start": 0, "end": 1}], b"no audio at all")
    assert (answer.status_code, "corrupt or unsupported" in answer.json()["err_msg"]) == (400, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs 1 to 200 words"),
        ([{"word": "a"}] * 300, "needs 1 to 200 words"),
        ([{"word": "a"}], "no word whose times are known"),
        ([{"word": " ", "start": 0, "end": 1}], "no text"),
        ([{"word": "\ud800", "start": 0, "end": 1}], "no word"),
        ([{"word": "a", "start": "x", "end": 1}], "no number"),
        (None, "needs 1 to 200 words"),
    ],
)
def test_texts_that_are_none_are_refused(
    client: httpx.Client, start: Callable[..., str], words: object, said: str
) -> None:
    """Each mistake in the text is a 400 that names it, before anything is decoded."""
    answer = asked(client, start(), words, b"any audio")
    assert (answer.status_code, said in answer.json()["err_msg"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "the form needs text, which is JSON"),
        ("[" * 100_000, "the form needs text, which is JSON"),
        ('{"stretches": 3}', "text needs stretches"),
        (
            '{"stretches": [{"channel": true, "words": [{"word": "a", "start": 0, "end": 1}]}]}',
            "a channel in text is no channel",
        ),
        (
            '{"stretches": [{"channel": -1, "words": [{"word": "a", "start": 0, "end": 1}]}]}',
            "a channel in text is no channel",
        ),
    ],
)
def test_forms_that_are_none_are_refused(
    client: httpx.Client, start: Callable[..., str], text: str, said: str
) -> None:
    """A text that is no JSON, or has no stretches of channels, is a 400 that says so."""
    url = start()
    answer = client.post(f"{url}/v1/align", data={"text": text}, files={"file": ("talk.wav", b"audio")})
    assert (answer.status_code, said in answer.json()["err_msg"]) == (400, True)


def test_a_form_needs_a_recording_and_the_key(
    client: httpx.Client, start: Callable[..., str], tmp_path: Path
) -> None:
    """Without a recording, without a form, and without the key there is no alignment; what came is recorded."""
    url = start(require_key="secret", record=tmp_path)
    key = {"Authorization": "Token secret"}
    text = {"text": json.dumps({"stretches": [{"words": [{"word": "a", "start": 0, "end": 1}]}]})}
    assert client.post(f"{url}/v1/align", data=text).status_code == 401
    empty = client.post(f"{url}/v1/align", data=text, files={"file": ("a.wav", b"")}, headers=key)
    assert "corrupt or unsupported" in empty.json()["err_msg"]
    torn = client.post(
        f"{url}/v1/align",
        content=b"--x\r\nno form",
        headers={**key, **FORM},
    )
    assert (torn.status_code, "the form cannot be read" in torn.json()["err_msg"]) == (400, True)
    client.post(f"{url}/v1/align", data=text, files={"file": ("a.wav", b"audio")}, headers=key)
    assert any(path.read_bytes() == b"audio" for path in tmp_path.rglob("*") if path.is_file())


def test_a_refusal_does_not_hold_up_its_connection(
    client: httpx.Client, start: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a body was read and then refused, nothing more is waited for: the next request is answered at once."""
    monkeypatch.setattr(receive, "_DRAIN_SECONDS", 10 * HANGS_AFTER)
    url = start()
    for _ in range(3):
        refused = asked(client, url, [{"word": "a", "start": 0, "end": 1}], b"any audio")
        assert refused.status_code == 400


def test_an_engine_that_cannot_align_says_so(client: httpx.Client, start: Callable[..., str]) -> None:
    """The replay engine refuses, and does not fail."""
    answer = asked(client, start(), [{"word": "a", "start": 0, "end": 1}], b"any audio")
    assert (answer.status_code, answer.json()["err_msg"]) == (400, "Bad Request: This engine aligns no text.")


@pytest.mark.parametrize("attended", [1.3, 1.6, 2.0])
def test_a_word_after_a_silence_begins_with_the_voice(attended: float) -> None:
    """Where the attention gives a silence to the word behind it, the word begins where the voice sets in."""
    noise = np.random.default_rng(1).normal(0, 0.1, 3 * 16000).astype(np.float32)
    noise[16000 : 2 * 16000] *= 0.001  # silence from 1 s to 2 s
    words = [TextWord("one", 0.2, 1.0), TextWord("two"), TextWord("three", 2.3, 2.9)]
    told = [Attended(0.3, 1.1, 1), Attended(attended, 2.4, 1), Attended(2.4, 3.0, 1)]
    found = timed(words, told, loudness(noise.tobytes()), 0.0, 3.0)
    assert found[1].start == pytest.approx(1.93, abs=0.05)
    assert (found[0], found[2]) == (words[0], words[2])


def test_times_are_in_the_steps_of_the_response() -> None:
    """Where the known times are all 80 ms apart or multiples of it, so are those that are found."""
    begins = [0.4 + 0.24 * (at if at < 6 else at + 2) for at in range(12)]
    words = [TextWord("word", begin, begin + 0.24) for begin in begins]
    attended = [Attended(begin + 0.1, begin + 0.3, 1) for begin in begins]
    words[5:7] = [TextWord("word", 1.6, 2.1), TextWord("word")]
    attended[6] = Attended(2.45, 2.6, 1)
    noise = np.random.default_rng(1).normal(0, 0.1, 4 * 16000).astype(np.float32)
    start = timed(words, attended, loudness(noise.tobytes()), 0.0, 4.0)[6].start
    assert start == pytest.approx(2.3, abs=0.1)
    steps = (start - 0.4) / 0.08
    assert steps == pytest.approx(round(steps), abs=0.01)


def test_a_word_begins_before_the_told_end_of_the_one_before() -> None:
    """Where a word was missed the one before it seems to last until the next: the attention parts them."""
    words = [TextWord("word", 0.4 + 0.3 * at, 0.7 + 0.3 * at) for at in range(8)]
    attended = [Attended(0.5 + 0.3 * at, 0.8 + 0.3 * at, 1) for at in range(8)]
    words[3:5] = [TextWord("word", 1.3, 1.9), TextWord("word")]
    noise = np.random.default_rng(1).normal(0, 0.1, 3 * 16000).astype(np.float32)
    found = timed(words, attended, loudness(noise.tobytes()), 0.0, 3.0)[4]
    assert (found.start, found.end) == (pytest.approx(1.6, abs=0.05), pytest.approx(1.9))


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 2), st.floats(0, 2)), min_size=2, max_size=12),
    st.lists(st.floats(0, 20), min_size=12, max_size=12),
    st.integers(0, 300),
)
def test_every_word_has_a_time_and_starts_rise(
    known: list[tuple[bool, float, float]], attention: list[float], frames: int
) -> None:
    """Whatever times are known and attended, and however little audio there is, starts never fall."""
    words, at = [], 0.0
    for is_known, gap, length in known:
        words.append(TextWord("well,", at + gap, at + gap + length) if is_known else TextWord("well,"))
        at += gap + length
    attended = [Attended(start, start + 0.1, 1) for start in attention[: len(words)]]
    levels = [-20.0 if frame % 50 < 25 else -70.0 for frame in range(frames)]
    found = timed(words, attended, levels, 0.0, at)
    starts = [word.start for word in found if word.start is not None]
    assert len(starts) == len(words)
    assert all(later >= start - 1e-9 for start, later in pairwise(starts))
    assert all(word == own for word, own in zip(found, words, strict=True) if own.is_known)
    assert all(word.end is not None and word.end >= start for word, start in zip(found, starts, strict=True))


def test_a_refusal_holds_up_nothing_that_follows(start: Callable[..., str]) -> None:
    """A connection whose request was refused after its body had come takes the next one at once."""
    url = start()
    with httpx.Client(timeout=10.0) as client:
        for _ in range(2):
            assert asked(client, url, [], b"any audio").status_code == 400
