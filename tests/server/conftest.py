"""Servers of the server's own tests, and clients that are not dgcli."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgcli.server.models import LocalModel, OneModel
from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER

AUDIO = Path(__file__).resolve().parents[1] / "audio"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "audio"


def saved_response() -> dict[str, Any]:
    """Return a small response for the replay engine."""
    words = [
        {"word": "call", "start": 0.32, "end": 0.64, "confidence": 0.98, "punctuated_word": "Call"},
        {"word": "maria", "start": 0.64, "end": 1.12, "confidence": 0.99, "punctuated_word": "Maria"},
        {"word": "yes", "start": 2.4, "end": 2.8, "confidence": 0.97, "punctuated_word": "Yes."},
    ]
    info = {"name": "general-nova-3", "version": "1", "arch": "nova-3"}
    return {
        "metadata": {"request_id": "r", "duration": 3.2, "channels": 1, "model_info": {"u-1": info}},
        "results": {
            "channels": [
                {"alternatives": [{"transcript": "Call Maria Yes.", "confidence": 0.98, "words": words}]}
            ]
        },
    }


@pytest.fixture
def response_file(tmp_path: Path) -> Path:
    path = tmp_path / "response.json"
    path.write_text(json.dumps(saved_response(), indent=3))
    return path


@pytest.fixture
def start(response_file: Path) -> Iterator[Callable[..., str]]:
    """Start a server that replays (unless told otherwise) and return its URL; it ends with the test."""
    with ExitStack() as stack:

        def run(**settings: Any) -> str:
            settings = {"engine": "replay", "response": response_file, "allow_private_urls": True, **settings}
            return stack.enter_context(running(ServerSettings(**settings)))

        yield run


@pytest.fixture(scope="session")
def tiny(models_folder: Path) -> LocalModel:
    """The weights of tiny.en; the test is skipped where they cannot be had."""
    return LocalModel("tiny.en", models_folder / "tiny.en", english_only=True)


@pytest.fixture(scope="session")
def whisper(tiny: LocalModel) -> Callable[..., ServerSettings]:
    """Settings of a server that recognises, by field."""

    def settings(**fields: Any) -> ServerSettings:
        return ServerSettings(models=OneModel(tiny), **{"workers": 2, **fields})

    return settings


@pytest.fixture(scope="session")
def recogniser(whisper: Callable[..., ServerSettings]) -> Iterator[str]:
    """One server with the embedded recogniser for all tests that only ask it things."""
    with running(whisper(allow_private_urls=True, callback_retry_delay=0.05)) as url:
        yield url


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=HANGS_AFTER) as client:
        yield client


def shared(name: str) -> Path:
    """Return a recording that lies beside the checkout, or skip."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the recording {name} is not beside this checkout")
    return path


def words_right(truth: str, said: list[str]) -> int:
    """Return how many words of a true text were said, in its order."""
    matcher = SequenceMatcher(None, plain(truth), said, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def plain(text: str) -> list[str]:
    """Return the words of a text in lower case without marks."""
    kept = "".join(c for c in text.lower() if c.isalnum() or c in " '\n")
    return kept.replace("defence", "defense").split()
