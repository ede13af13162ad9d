"""Answers from a saved response instead of recognising: deterministic and cheap, for tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgcli.errors import UsageError, unreadable
from dgcli.server.engines.base import (
    Audio,
    Engine,
    Heard,
    HeardWord,
    LiveAudio,
    LiveStream,
    Model,
    Progress,
    Recognition,
    Wishes,
)
from dgcli.server.engines.replay_stream import ReplayStream


def _word(entry: Mapping[str, Any]) -> HeardWord:
    return HeardWord(
        text=str(entry["word"]),
        start=float(entry["start"]),
        end=float(entry["end"]),
        confidence=float(entry.get("confidence", 1.0)),
        speaker=entry.get("speaker"),
        written=entry.get("punctuated_word"),
    )


def _model(metadata: Mapping[str, Any]) -> Model:
    for uuid, info in (metadata.get("model_info") or {}).items():
        return Model(uuid, str(info.get("name")), str(info.get("version")), str(info.get("arch")))
    return Model("00000000-0000-0000-0000-000000000000", "replay", "1", "replay")


class ReplayEngine(Engine):
    """Speaks a saved response of POST /v1/listen."""

    def __init__(self, path: Path) -> None:
        """Read the response. Raises UsageError when it is none."""
        try:
            self._saved = path.read_bytes()
            body = json.loads(self._saved)
            self._channels = [
                [_word(entry) for entry in channel["alternatives"][0]["words"]]
                for channel in body["results"]["channels"]
            ]
            self._duration = float(body["metadata"]["duration"])
            self._model = _model(body["metadata"])
        except OSError as error:
            raise UsageError(unreadable(path, error, "response")) from error
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"{path} is not a saved response.", hint="Save one with: dg file talk.mp3 -o talk.json"
            ) from error

    @property
    def model(self) -> Model:
        """The model that the response names."""
        return self._model

    @property
    def saved_answer(self) -> bytes:
        """The response as it was saved."""
        return self._saved

    def open_stream(self, audio: LiveAudio) -> LiveStream:
        """Speak the words of the response as the audio passes them."""
        return ReplayStream(self._channels, audio)

    async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:  # noqa: ARG002
        """Return the words of the response, whatever the audio."""
        return Recognition(self._duration, [Heard(words) for words in self._channels], self._model)
