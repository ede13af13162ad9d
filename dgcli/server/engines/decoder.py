"""The server's side of a process that decodes one recording."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from dgcli.server.engines.base import Audio, NotAudioError, TooLongError
from dgcli.server.engines.messages import read_message, write_message
from dgcli.server.engines.process import Process, ProcessDied

MODULE = "dgcli.server.engines.decoder_process"

_AHEAD = 2  # messages that are read before somebody asks for them

Span = tuple[int, float, float]  # channel, start and end in seconds
Message = tuple[Mapping[str, Any], bytes]


class MediaDecoder:
    """One process, ready before its recording is there; good for one recording."""

    def __init__(self) -> None:
        self.process = Process(MODULE)
        self._reader: threading.Thread | None = None

    async def messages(
        self, audio: Audio, max_seconds: float, spans: Sequence[Span] | None = None
    ) -> AsyncIterator[Message]:
        """Yield what the process tells, header and payload; it waits while nobody asks.

        With `spans`, in the order of their starts, it tells the samples of these instead of windows with voice.

        Raises NotAudioError, TooLongError, and ProcessDied when the codecs crashed.
        """
        loop = asyncio.get_running_loop()
        incoming: asyncio.Queue[Message | None] = asyncio.Queue(_AHEAD)

        def read() -> None:
            message: Message | None = None
            # The loop may end first: then nobody waits for the rest.
            with suppress(RuntimeError, CancelledError):
                while True:
                    try:
                        message = read_message(self.process.stdout)
                    except (OSError, ValueError):
                        message = None
                    asyncio.run_coroutine_threadsafe(incoming.put(message), loop).result()
                    if message is None:
                        return

        job = {**asdict(audio), "path": str(audio.path), "max_seconds": max_seconds}
        if spans is not None:
            job["spans"] = spans
        with suppress(OSError):  # a process that has died is seen by the reader
            write_message(self.process.stdin, job)
        self._reader = threading.Thread(target=read, name="decoder", daemon=True)
        self._reader.start()
        while (message := await incoming.get()) is not None:
            match message[0]["event"]:
                case "not audio":
                    raise NotAudioError
                case "too long":
                    raise TooLongError
                case "ended":
                    yield message
                    return
            yield message
        raise ProcessDied("The process that decoded the audio has gone.")

    def close(self) -> None:
        """End the process."""
        self.process.close()
