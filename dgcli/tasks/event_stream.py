"""One stream whose events a program takes itself: no sinks, no keys, no signals."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from dgcli.tasks.local import reached
from dgcli.tasks.reporter import SilentReporter
from dgcli.transcript.collected import Collected
from dgcli.transcript.events import Closed, Event
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse

if TYPE_CHECKING:  # what connects and what decodes is loaded when it does
    from dgcli.audio.base import Source
    from dgcli.config import Config
    from dgcli.errors import DgError
    from dgcli.live.streamer import Streamer
    from dgcli.params import Values
    from dgcli.tasks.stream_settings import StreamRequest

_TICK = 0.1  # seconds between looks at whether somebody wants to leave


def live_source(audio: "str | BinaryIO | Iterable[bytes]", values: "Values", config: "Config") -> "Source":
    """Where the audio of a stream comes from: a path or URL, an open file, or an iterable of bytes.

    Raises `UsageError`, `AudioError`.
    """
    from dgcli.audio import open_source, raw_format

    raw = raw_format(values)
    if isinstance(audio, str):
        from dgcli.api import tls

        return open_source(audio, raw, verify="://" not in audio or tls.context(config.ca_cert))
    from dgcli.audio.chunks import ChunkSource

    return ChunkSource(audio, raw)


class EventStream:
    """An iterator over the events of a stream, and a block that closes it.

    It begins with the block, or with the first event. The last event is `Closed`; the error that ended the
    stream, if one did, is raised after it. One thread iterates; everything else may be called from any.
    """

    def __init__(self, source: "Source", config: "Config", request: "StreamRequest") -> None:
        self._source = source
        self._config = config
        self._request = request
        self._streamer: Streamer | None = None
        self._server = ExitStack()  # the one inside this process, if there is one
        self._collected = Collected()
        self._closed = False
        self._error: DgError | None = None

    def _start(self) -> None:
        from dgcli.live.streamer import Streamer
        from dgcli.tasks.stream_settings import fitted, stream_settings

        config = self._server.enter_context(
            reached(self._config, SilentReporter(), self._request.values, local=self._request.local)
        )
        self._source = fitted(self._source, self._request.values)
        audio_format = self._source.open()
        settings = stream_settings(config, audio_format, self._request)
        self._streamer = Streamer(self._source, audio_format, settings)
        self._streamer.start()

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        if self._streamer is None and not self._closed:
            with self._closing_on_failure():
                self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        event = self._next()
        if event is not None:
            return event
        error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def _next(self) -> Event | None:
        """The next event, None after the last."""
        with self._closing_on_failure():
            if self._streamer is None and not self._closed:
                self._start()
            streamer = self._streamer
            while streamer is not None and not streamer.closed:
                event = streamer.next_event(_TICK)
                if event is not None:
                    self._collected.take(event)
                    if isinstance(event, Closed):
                        self._error = event.error
                        self.close()
                    return event
        return None

    def __del__(self) -> None:
        streamer = getattr(self, "_streamer", None)  # None too where __init__ did not come so far
        if streamer is not None and not streamer.closed:
            streamer.abort()

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio sent so far."""
        return self._streamer.audio_seconds if self._streamer else 0.0

    def so_far(self) -> Transcript:
        """What was said so far, the utterances that still go on included."""
        return parse(self._collected.response())

    def finalize(self, channel: int | None = None) -> None:
        """Have all that the API holds back come as final now: of one channel, or of all."""
        if self._streamer is not None:
            self._streamer.finalize(channel)

    def stop(self) -> None:
        """Take no more audio. Go on iterating: the last results come, then `Closed`, within five seconds."""
        if self._streamer is not None:
            self._streamer.stop()
        else:
            self.close()

    def close(self) -> None:
        """Leave at once: nothing more is sent, and what was not received yet is lost. Again: nothing."""
        self._closed = True
        self._source.stop()
        if self._streamer is not None:
            self._streamer.close()
        self._server.close()
