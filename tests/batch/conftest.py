"""Corpora, and a server that knows what is said in each of their recordings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.batch.server import BatchServer, text_of

Corpus = Callable[[int], dict[str, bytes]]


@pytest.fixture
def batch_server() -> Iterator[BatchServer]:
    """A server for batches."""
    made = BatchServer()
    yield made
    made.close()


def audio(number: int) -> bytes:
    """A recording that no other number has."""
    return b"RIFF____WAVE" + f"recording {number} ".encode() * 20


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Makes `corpus/` in the folder that `dg` runs in: so many recordings in three folders, by name."""

    def make(count: int) -> dict[str, bytes]:
        made = {f"corpus/{'abc'[number % 3]}/{number:03d}.wav": audio(number) for number in range(count)}
        for name, data in made.items():
            path = tmp_path / "work" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return made

    return make


def transcripts(folder: Path) -> dict[str, str]:
    """Every output below a folder, by its path there, without what dg notes for itself."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".dg" not in path.relative_to(folder).parts and path.suffix != ".wav"
    }


def expected(recordings: dict[str, bytes], suffix: str = ".txt") -> dict[str, str]:
    """What `transcripts` finds when all is done, for outputs that mirror `corpus/`."""
    return {
        name.removeprefix("corpus/").removesuffix(".wav") + suffix: text_of(data) + "\n"
        for name, data in recordings.items()
    }
