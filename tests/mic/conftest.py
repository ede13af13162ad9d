"""A microphone that tests can speak into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import make_home
from tests.mic.pulse import SINK, Pulse, missing


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    """A sound system with one microphone; this process uses it too."""
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")
    made = Pulse(tmp_path / "pulse")
    make_home(Path(made.env["HOME"]))
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    try:
        made.start(SINK)
        yield made
    finally:
        made.stop()
