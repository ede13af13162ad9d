"""The embedded recogniser: CMU pocketsphinx with the US English model that its package carries."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dgcli.server.engines.base import RATE, Audio, Engine, LiveAudio, LiveStream, Model, Recognition, Word
from dgcli.server.engines.pool import Pool
from dgcli.server.engines.process_stream import ProcessStream


def _pieces(track: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return (start, end) in samples of the pieces of a track."""
    edges = [0, *track["cuts"], track["samples"]]
    return list(pairwise(edges))


class PocketsphinxEngine(Engine):
    """pocketsphinx in worker processes; long audio is cut at its quiet places and shared among them."""

    def __init__(self, workers: int) -> None:
        self._pool = Pool(workers)

    @cached_property
    def model(self) -> Model:
        """The model of the installed package."""
        return Model(
            uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:dgcli:pocketsphinx-en-us")),
            name="pocketsphinx-en-us",
            version=version("pocketsphinx"),
            arch="pocketsphinx",
        )

    def start(self) -> None:
        """Start the workers."""
        self._pool.start()

    def close(self) -> None:
        """End the workers."""
        self._pool.close()

    def open_stream(self, audio: LiveAudio) -> LiveStream:
        """Start a process for one live stream."""
        return ProcessStream(audio)

    async def recognise(self, audio: Audio, vocabulary: Sequence[str]) -> Recognition:
        """Decode, recognise all pieces on all workers, and put the words together again."""
        with TemporaryDirectory(prefix="dg-pcm-") as folder:
            decoded = await self._pool.run(
                {
                    "job": "decode",
                    "path": str(audio.path),
                    "multichannel": audio.multichannel,
                    "encoding": audio.encoding,
                    "sample_rate": audio.sample_rate,
                    "channels": audio.channels,
                    "folder": str(Path(folder)),
                }
            )
            # At most as many pieces of one request wait as there are workers, so that a short recording is
            # not served after the last piece of a long one.
            turns = asyncio.Semaphore(self._pool.size)
            unknown: dict[str, None] = {}

            async def piece(path: str, start: int, end: int) -> list[Word]:
                async with turns:
                    answer = await self._pool.run(
                        {
                            "job": "recognise",
                            "path": path,
                            "start": start,
                            "end": end,
                            "vocabulary": list(vocabulary),
                        }
                    )
                unknown.update(dict.fromkeys(answer["unknown"]))
                offset = start / RATE
                return [
                    Word(text, offset + begin, offset + finish, confidence)
                    for text, begin, finish, confidence in answer["words"]
                ]

            async with asyncio.TaskGroup() as group:
                tasks = [
                    [group.create_task(piece(track["path"], *edges)) for edges in _pieces(track)]
                    for track in decoded["tracks"]
                ]
            channels = [[word for task in row for word in task.result()] for row in tasks]
        return Recognition(decoded["duration"], channels, list(unknown))
