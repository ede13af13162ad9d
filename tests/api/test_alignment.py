"""Questions of /v1/align, and what is no answer to them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dgcli.api.alignment import align_words
from dgcli.config import Config
from dgcli.errors import ApiError, AudioError, AuthError, DgError, NetworkError
from tests.conftest import Reply, ScriptedServer, error

ASKED = [{"channel": 0, "words": [{"word": "noon."}]}]


def asked(server: ScriptedServer, audio: Path, **more: Any) -> Sequence[Sequence[Mapping[str, Any]]]:
    """The answer to one stretch of a word."""
    config = Config(base_url=server.url, api_key="key", **more)
    return align_words(config, audio, ASKED, language="en", multichannel=True)


def test_a_stretch_is_asked_for_and_answered(server: ScriptedServer, audio: Path) -> None:
    """The text, the recording and the options go out, and the words come back by stretch."""
    word = {"word": "noon.", "start": 1.0, "end": 1.5}
    server.script = [Reply(200, json.dumps({"results": {"stretches": [{"words": [word]}]}}).encode())]
    assert asked(server, audio) == [[word]]
    assert dict(server.seen[0].query) == {"language": "en", "multichannel": "true"}
    assert audio.read_bytes() in server.seen[0].body


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(200, b"no json"), ApiError, "no JSON"),
        (Reply(200, b'{"results": {"stretches": []}}'), ApiError, "does not have the stretches"),
        (error(400, "Bad Request", "text needs stretches"), ApiError, "text needs stretches"),
        (error(401, "INVALID_AUTH", "Invalid credentials."), AuthError, "Invalid credentials"),
        (Reply(cut=True), NetworkError, "broke off"),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), ApiError, ""),
    ],
)
def test_what_is_no_answer_is_told(
    server: ScriptedServer, audio: Path, reply: Reply, kind: type[DgError], said: str
) -> None:
    """A refusal, a break, and answers that are none are the errors that they are elsewhere."""
    server.script = [reply]
    with pytest.raises(kind) as told:
        asked(server, audio)
    assert said in told.value.message


def test_a_recording_that_is_gone_is_named(server: ScriptedServer, audio: Path) -> None:
    """A file that cannot be read is an error of the audio, before anything is asked."""
    audio.unlink()
    with pytest.raises(AudioError, match="There is no file"):
        asked(server, audio)
    assert server.seen == []
