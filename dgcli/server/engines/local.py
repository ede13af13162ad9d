"""The recogniser of `--local` and `dg serve`: Whisper, on the models of this machine."""

import asyncio
import uuid
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from dgcli.server import languages
from dgcli.server.engines.alignments import Alignments
from dgcli.server.engines.attention import Stretch, TextWord
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
from dgcli.server.engines.decoder import MediaDecoder
from dgcli.server.engines.files import FileRecognition
from dgcli.server.engines.recogniser import Recogniser
from dgcli.server.engines.vad import new_session
from dgcli.server.engines.whisper_stream import WhisperStream
from dgcli.server.models import LocalModel, Models

_SPARE_AFTER = 1.0  # seconds


def describe(model: LocalModel) -> Model:
    """Return what an answer's `model_info` says of a model."""
    return Model(
        uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:dgcli:whisper:{model.name}")),
        name=f"whisper-{model.name}",
        version=version("faster-whisper"),
        arch="whisper",
        languages=("en",) if model.english_only else languages.codes(),
    )


class WhisperEngine(Engine):
    """One recogniser process for everybody, and a process per recording that decodes it."""

    def __init__(self, models: Models, workers: int, max_seconds: float) -> None:
        self.models = models
        self.recogniser = Recogniser(workers)
        self._max_seconds = max_seconds
        self._turns = asyncio.Semaphore(2 * workers)  # recordings that are decoded at once
        self._spare: MediaDecoder | None = None
        self._closed = False
        self._session: asyncio.Task[Any] | None = None

    @property
    def model(self) -> Model:
        """The model that serves whoever names none."""
        return describe(self._default())

    def all_models(self) -> Sequence[Model]:
        """Return every model of this machine, the one that serves others first."""
        default = self._default()
        others = [model for model in self.models.available() if model != default]
        return [describe(model) for model in (default, *others)]

    def serve(self, model: str | None, language: str | None) -> Model:
        """Return the model that serves a query of these."""
        return describe(self.models.choose(model, language))

    def _default(self) -> LocalModel:
        return self.models.choose(None, None)

    def start(self) -> None:
        """Start the recogniser, which loads the model that most requests will want."""
        self.recogniser.start(self._default())
        self._spare = MediaDecoder()

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        self.recogniser.close()
        if self._spare is not None:
            self._spare.close()

    def open_stream(self, audio: LiveAudio) -> LiveStream:
        """Return a listener to one live stream. Raises LookupError when no model serves it."""
        model = self.models.choose(audio.model, audio.language)
        return WhisperStream(audio, self.recogniser, model, self._voice_session)

    async def _voice_session(self) -> Any:
        """Load the network that detects voice in streams, when the first stream needs it."""
        if self._session is None:
            self._session = asyncio.create_task(asyncio.to_thread(new_session))
        return await asyncio.shield(self._session)

    async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:
        """Decode the recording in a process of its own, and recognise its windows as they come."""
        language = "detect" if wishes.detect else wishes.language
        model = await asyncio.to_thread(self.models.choose, wishes.model, language)
        async with self._turns:
            decoder = self._next_decoder()
            try:
                recognition = FileRecognition(self.recogniser, model, wishes, progress)
                duration, channels = await recognition.run(decoder, audio, self._max_seconds)
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
            finally:
                decoder.close()
                self._prepare()
        return Recognition(duration, channels, describe(model))

    async def align(
        self, audio: Audio, stretches: Sequence[Stretch], language: str | None
    ) -> Sequence[Sequence[TextWord]]:
        """Decode the recording in a process of its own, and align its stretches as they come."""
        model = await asyncio.to_thread(self.models.choose, None, language)
        async with self._turns:
            decoder = self._next_decoder()
            try:
                return await Alignments(self.recogniser, model, language).run(
                    decoder, audio, stretches, self._max_seconds
                )
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
            finally:
                decoder.close()
                self._prepare()

    def _next_decoder(self) -> MediaDecoder:
        """Return the process that waits for a recording, or a new one where it has died."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.process.is_alive:
            spare.close()
            spare = None
        return spare or MediaDecoder()

    def _prepare(self) -> None:
        """Start the next process a little later: where a program only has one recording it is not needed."""

        def start() -> None:
            if self._spare is None and not self._closed:
                self._spare = MediaDecoder()

        asyncio.get_running_loop().call_later(_SPARE_AFTER, start)
