"""What an engine is.

To add a recogniser, write a module like this and give it a row in `engines/__init__.py`:

    class ParrotEngine(Engine):
        @property
        def model(self) -> Model:
            return Model(uuid="...", name="parrot", version="1", arch="parrot")

        async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:
            seconds = await in_a_process(decode, audio.path)      # never block the event loop
            return Recognition(seconds, [Heard([HeardWord("polly", 0.0, 0.4, 1.0)])], self.model)

        def open_stream(self, audio: LiveAudio) -> LiveStream:
            return ParrotStream(audio)

`start` is called once, before the event loop runs: start processes there, so that they load while the
server does. `recognise` may be cancelled at any await, when the client has gone: stop the work. Raise
NotAudioError for what cannot be decoded, TooLongError for what decodes to more than the settings allow, and
LookupError for a model or language that is not there; any other exception is answered with 500.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgcli.server.engines.attention import Stretch, TextWord

RATE = 16_000  # Hz of the PCM that recognisers get


class NotAudioError(Exception):
    """What the client sent cannot be decoded as audio."""


class TooLongError(Exception):
    """What the client sent decodes to more seconds of audio than the server takes."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as `model_info` shows it; `languages` are the tags that it knows."""

    uuid: str
    name: str
    version: str
    arch: str
    languages: Sequence[str] = ("en",)


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One recognised word: times in seconds from the start of the audio, confidence 0-1."""

    text: str
    start: float
    end: float
    confidence: float
    speaker: int | None = None
    written: str | None = None  # with punctuation and capitals, when the engine knows them itself
    language: str | None = None  # that it was said in, when the engine tells


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio on disk; `encoding`, `sample_rate` (Hz) and `channels` describe it if it has no header."""

    path: Path
    multichannel: bool = False
    encoding: str | None = None
    sample_rate: int | None = None
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request asks of the recogniser.

    `model` and `language` are the query's; `detect` asks which language is spoken, among `candidates` if
    there are any. `vocabulary` holds terms to be expected.
    """

    model: str | None = None
    language: str | None = None
    detect: bool = False
    candidates: Sequence[str] = ()
    vocabulary: Sequence[str] = ()


Progress = Callable[[float], None]  # told the share (0-1) of the audio that has been recognised


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of one channel in order of time, and the language they are in with its probability."""

    words: Sequence[HeardWord]
    language: str = "en"
    language_confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard on each channel, the duration of the audio in seconds, and the model that heard it."""

    duration: float
    channels: Sequence[Heard]
    model: Model


@dataclass(frozen=True, slots=True)
class LiveAudio:
    """What a live stream is told when it opens.

    `encoding`, `sample_rate` (Hz) and `channels` describe raw audio; without an encoding the audio has a
    header. `endpointing` is the silence in seconds that ends an utterance, None for never. `vocabulary`
    holds terms to be expected, `speakers` asks for speaker numbers; `model` and `language` are the query's.
    `candidates` are the languages to choose among where several may be spoken, none of them for any.
    """

    encoding: str | None = None
    sample_rate: int | None = None
    channels: int = 1
    multichannel: bool = False
    endpointing: float | None = 0.01
    vocabulary: Sequence[str] = ()
    speakers: bool = False
    model: str | None = None
    language: str | None = None
    candidates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class HeardSegment:
    """What was heard on a channel in a window of `duration` seconds from `start`.

    An interim (`is_final` false) restates everything since the last final; the next window begins where
    that of a final ends. `speech_final` tells that the speaker has stopped.
    """

    channel: int
    start: float
    duration: float
    words: Sequence[HeardWord]
    is_final: bool = False
    speech_final: bool = False
    from_finalize: bool = False


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody begins to speak on a channel, `at` seconds into the stream."""

    channel: int
    at: float


@dataclass(frozen=True, slots=True)
class Passed:
    """A channel has been listened to up to `at` seconds, where somebody is `speaking` or not.

    `voice_end` is where voice was last heard, in seconds, when the engine listens for it.
    """

    channel: int
    at: float
    speaking: bool = False
    voice_end: float | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """The audio before a `configure` has been heard, and every event of it told."""

    channel: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event: all audio was heard, `duration` seconds on `channels` channels (0, 0: none at all)."""

    duration: float
    channels: int


LiveEvent = HeardSegment | SpeechBegan | Passed | Configured | Ended


class LiveStream(ABC):
    """A recogniser that listens while the audio arrives."""

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Take a block of audio as it arrived; waits while the recogniser is far behind."""

    @abstractmethod
    async def finalize(self, channel: int | None) -> None:
        """Make what was heard so far final, on one channel or on all."""

    @abstractmethod
    async def configure(
        self, vocabulary: Sequence[str] | None = None, candidates: Sequence[str] | None = None
    ) -> None:
        """Expect other terms, or languages, from the next utterance on; None leaves them as they are.

        One `Configured` answers it, in its place among the events.
        """

    @abstractmethod
    async def finish(self) -> None:
        """Tell that no audio follows; the events end when all of it was heard."""

    @abstractmethod
    def events(self) -> AsyncIterator[LiveEvent]:
        """Yield events in the order of the audio, `Ended` last.

        Raises NotAudioError as soon as the audio turns out not to be any.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop at once and free everything."""


class Engine(ABC):
    """A recogniser, or what stands in for one."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """The model that serves whoever names none."""

    def all_models(self) -> Sequence[Model]:
        """Return every model that a request may name, the one that serves others first."""
        return [self.model]

    @property
    def saved_answer(self) -> bytes | None:
        """A whole response body to give instead of recognising, or None."""
        return None

    def start(self) -> None:  # noqa: B027 - not every engine has something to start
        """Begin to load; called before the event loop runs and must return at once."""

    def close(self) -> None:  # noqa: B027 - nor something to end
        """End every process and thread of the engine."""

    @abstractmethod
    async def recognise(self, audio: Audio, wishes: Wishes, progress: Progress) -> Recognition:
        """Return what is heard in `audio`.

        Raises NotAudioError when the audio cannot be decoded, TooLongError when there is too much of it, and
        LookupError when no model serves the wishes.
        """

    async def align(
        self,
        audio: Audio,  # noqa: ARG002 - for those that can
        stretches: Sequence[Stretch],  # noqa: ARG002
        language: str | None,  # noqa: ARG002
    ) -> Sequence[Sequence[TextWord]]:
        """Return when the words of a text are said in `audio`, those of each stretch.

        Raises what `recognise` does, and LookupError where the engine aligns nothing or a stretch has too many words.
        """
        raise LookupError("This engine aligns no text.")

    def serve(self, model: str | None, language: str | None) -> Model:  # noqa: ARG002 - for those with several
        """Return the model that serves a query of these. Raises LookupError, worded for the client, without one."""
        return self.model

    @abstractmethod
    def open_stream(self, audio: LiveAudio) -> LiveStream:
        """Return a recogniser for one live stream; called in the event loop."""
