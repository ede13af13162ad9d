"""The engine that only counts what it gets."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import AUDIO
from tests.server.test_live import RAW, SECOND, conversation, results, transcript

Start = Callable[..., str]


def test_bytes_are_confirmed_while_they_come(start: Start) -> None:
    """Each second of raw audio is confirmed by a final, and so is the rest at the end."""
    messages = conversation(start(engine="count"), RAW, *[SECOND] * 2, bytes(8000))
    assert [(transcript(m), m["start"], m["duration"]) for m in results(messages, final=True)] == [
        ("32000 bytes received 1.00 seconds", 0.0, 1.0),
        ("64000 bytes received 2.00 seconds", 1.0, 1.0),
        ("72000 bytes received 2.25 seconds", 2.0, 0.25),
    ]
    assert (messages[-1]["duration"], messages[-1]["channels"]) == (2.25, 1)


def test_finalize_confirms_at_once(start: Start) -> None:
    """Finalize is answered with what has come by then."""
    messages = conversation(start(engine="count"), RAW, bytes(100), '{"type":"Finalize"}')
    (answer,) = results(messages)
    assert (transcript(answer), answer["from_finalize"]) == ("100 bytes received 0.00 seconds", True)


def test_any_bytes_are_counted(start: Start, tmp_path: Path) -> None:
    """What would have to be decoded is counted too, kept with --record, and never refused."""
    noise = bytes(range(256)) * 400
    messages = conversation(start(engine="count", record=tmp_path), "model=nova-3", noise)
    assert transcript(results(messages)[-1]) == "102400 bytes received"
    assert Path(messages[-1]["extra"]["file"]).read_bytes() == noise


@pytest.mark.parametrize(
    ("query", "said", "duration"),
    [("", "829600 bytes received", 0.0), (f"?{RAW}", "829600 bytes received 25.93 seconds", 25.925)],
)
def test_a_body_is_counted(
    start: Start, client: httpx.Client, tmp_path: Path, query: str, said: str, duration: float
) -> None:
    """REST tells the size of the body, and where it is kept."""
    url = start(engine="count", record=tmp_path)
    answer = client.post(f"{url}/v1/listen{query}", content=bytes(829600)).json()
    assert answer["results"]["channels"][0]["alternatives"][0]["transcript"] == said
    assert answer["metadata"]["duration"] == duration
    assert answer["metadata"]["extra"]["received_bytes"] == "829600"
    assert Path(answer["metadata"]["extra"]["file"]).stat().st_size == 829600


def test_a_real_file_is_no_exception(start: Start, client: httpx.Client) -> None:
    """A recording is not listened to."""
    audio = (AUDIO / "preamble-rms.flac").read_bytes()
    answer = client.post(f"{start(engine='count')}/v1/listen", content=audio).json()
    said = answer["results"]["channels"][0]["alternatives"][0]["transcript"]
    assert said == f"{len(audio)} bytes received"
