"""The models that a server may load, as whoever starts it provides them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Whisper weights on this machine.

    `name` is the hub's (`tiny.en`, `large-v3-turbo`); `path` the folder of `model.bin` and its companions,
    whose digests have been checked by whoever made this value.
    """

    name: str
    path: Path
    english_only: bool


class Models(Protocol):
    """What a server asks for models."""

    def available(self) -> Sequence[LocalModel]:
        """Return the models on this machine, the best first."""

    def choose(self, model: str | None, language: str | None) -> LocalModel:
        """Return the model that serves a request.

        `model` is the query's: one that names a Whisper model (`whisper-small`) gets that one; any other
        (`nova-3`, None) gets the best one on this machine that knows `language` (None: English; `multi` or
        `detect`: a multilingual one). Raises `LookupError`, with a message for the client, when there is none.
        """


@dataclass(frozen=True, slots=True)
class OneModel:
    """Serves every request with one model."""

    model: LocalModel

    def available(self) -> Sequence[LocalModel]:
        """Return that one."""
        return (self.model,)

    def choose(self, model: str | None, language: str | None) -> LocalModel:  # noqa: ARG002 - the protocol's
        """Return that one, unless it does not know the language."""
        english = language is None or language.lower().split("-")[0] == "en"
        if self.model.english_only and not english:
            raise LookupError(f"The local model {self.model.name} knows English only.")
        return self.model
