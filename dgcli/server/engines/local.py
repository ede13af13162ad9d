"""The recogniser of `--local` and `dg serve`: Whisper, on the models of this machine."""

import uuid
from collections.abc import Sequence
from importlib.metadata import version

from dgcli.errors import UsageError
from dgcli.server.engines.base import (
    Audio,
    Engine,
    LiveAudio,
    LiveStream,
    Model,
    Progress,
    Recognition,
    Wishes,
)
from dgcli.server.engines.recogniser import Recogniser
from dgcli.server.models import LocalModel, Models


def describe(model: LocalModel) -> Model:
    """Return what an answer's `model_info` says of a model."""
    return Model(
        uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:dgcli:whisper:{model.name}")),
        name=f"whisper-{model.name}",
        version=version("faster-whisper"),
        arch="whisper",
    )


class WhisperEngine(Engine):
    """One recogniser process for everybody, and a process per recording that decodes it."""

    def __init__(self, models: Models, workers: int) -> None:
        self.models = models
        self.recogniser = Recogniser(workers)

    @property
    def model(self) -> Model:
        """The model that serves whoever names none."""
        return describe(self._default())

    def _default(self) -> LocalModel:
        return self.models.choose(None, None)

    def start(self) -> None:
        """Start the recogniser, which loads the model that most requests will want."""
        self.recogniser.start(self._default())

    def close(self) -> None:
        """End the recogniser."""
        self.recogniser.close()

    def open_stream(self, audio: LiveAudio) -> LiveStream:
        raise NotImplementedError

    async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:
        raise NotImplementedError
