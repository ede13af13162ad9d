"""Measure a live stream: how prompt, how costly, and whether hours of it stay in flat memory.

    python benchmarks/live_steady.py steady --seconds 60      # blocks of 20 and 100 ms in real time
    python benchmarks/live_steady.py hours --hours 8          # as fast as the machine takes it

The server is a process of its own; both read the same monotonic clock. Printed are the time from handing a block
to the source until the server has it, the sizes of the frames, the CPU time of the client, and its memory.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from dgcli.audio.base import AudioFormat, Pace
from dgcli.formats import RenderSettings
from dgcli.live.streamer import Streamer, StreamSettings
from dgcli.sinks.files import file_sink
from dgcli.transcript.events import Closed, Final, Interim

RATE = 16000
SECOND = 2 * RATE
VOCABULARY = 8000  # different words, more than a speaker uses in hours


class Talk(NamedTuple):
    """How much is said: words and interims in a second, and seconds of audio in a final."""

    words: int = 3
    interims: int = 1
    final: float = 5.0


PLAIN = Talk()
DENSE = Talk(words=10, interims=10, final=3.0)


def results(start: float, end: float, talk: Talk, *, final: bool) -> str:
    first, last = round(start * talk.words), round(end * talk.words)
    words = [
        {
            "word": f"word{number * 7919 % VOCABULARY}" + ("." if number % 12 == 11 else ""),
            "start": number / talk.words,
            "end": (number + 0.8) / talk.words,
            "confidence": 0.9,
        }
        for number in range(first, last)
    ]
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": end - start,
            "is_final": final,
            "speech_final": final,
            "channel": {"alternatives": [{"transcript": " ".join(w["word"] for w in words), "words": words}]},
        }
    )


async def serve_once(pipe: Connection, talk: Talk, *, log: bool) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    frames: list[tuple[float, int]] = []
    over = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        heard = smallest = largest = 0
        said, interim = 0.0, 1 / talk.interims
        async for message in connection:
            if isinstance(message, str):
                if json.loads(message)["type"] == "CloseStream":
                    break
                continue
            heard += len(message)
            if log:
                frames.append((time.monotonic(), len(message)))
            smallest = min(smallest or len(message), len(message))
            largest = max(largest, len(message))
            now = heard / SECOND
            if now - said >= talk.final:
                await connection.send(results(said, now, talk, final=True))
                said, interim = now, now + 1 / talk.interims
            while now >= interim:
                await connection.send(results(said, interim, talk, final=False))
                interim += 1 / talk.interims
        await connection.send(results(said, heard / SECOND, talk, final=True))
        await connection.send(json.dumps({"type": "Metadata", "duration": heard / SECOND, "channels": 1}))
        await connection.close()
        pipe.send((frames, heard, smallest, largest))
        over.set()

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        pipe.send(server.sockets[0].getsockname()[1])
        await over.wait()


def run_server(pipe: Connection, talk: Talk, log: bool) -> None:
    asyncio.run(serve_once(pipe, talk, log=log))


class RealTime:
    """Blocks of silence at real time, each noted when it is handed over."""

    name, pace, duration = "benchmark", Pace.FREE, None

    def __init__(self, seconds: float, block: float) -> None:
        self.handed: list[float] = []
        self._count = round(seconds / block)
        self._block = block

    def blocks(self) -> Iterator[bytes]:
        data = bytes(round(self._block * RATE) * 2)
        start = time.monotonic()
        for number in range(self._count):
            time.sleep(max(0.0, start + number * self._block - time.monotonic()))
            self.handed.append(time.monotonic())
            yield data

    def stop(self) -> None: ...


class Hours:
    """Silence as fast as it is taken."""

    name, pace, duration = "benchmark", Pace.FREE, None

    def __init__(self, seconds: float) -> None:
        self._count = round(seconds * 10)

    def blocks(self) -> Iterator[bytes]:
        data = bytes(SECOND // 10)
        for _ in range(self._count):
            yield data

    def stop(self) -> None: ...


def resident() -> float:
    """MiB in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def begin(*, log: bool, talk: Talk = PLAIN) -> tuple[Connection, multiprocessing.Process, int]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(theirs, talk, log))
    process.start()
    return ours, process, ours.recv()


def steady(seconds: float, block: float) -> None:
    pipe, process, port = begin(log=True)
    source = RealTime(seconds, block)
    cpu_from = wall_from = None
    made = StreamSettings(url=f"ws://127.0.0.1:{port}/")
    with Streamer(source, AudioFormat("linear16", RATE), made) as streamer:
        while not streamer.closed:
            event = streamer.next_event(0.1)
            if isinstance(event, Interim) and cpu_from is None:  # start-up is over
                cpu_from, wall_from = time.process_time(), time.monotonic()
            if isinstance(event, Final):
                print(event.text[:1], end="", flush=True)
    cpu = (time.process_time() - (cpu_from or 0)) / (time.monotonic() - (wall_from or 0))
    frames, heard, smallest, largest = pipe.recv()
    process.join()
    waits, size, number, total = [], round(block * RATE) * 2, 0, 0
    for at, length in frames:
        total += length
        while number < len(source.handed) and (number + 1) * size <= total:
            waits.append(at - source.handed[number])
            number += 1
    waits = sorted(waits[round(1 / block) :])
    print(
        f"\n{block * 1000:.0f} ms blocks, {heard / SECOND:.0f} s: "
        f"p50 {waits[len(waits) // 2] * 1000:.2f} ms, p99 {waits[int(len(waits) * 0.99)] * 1000:.2f} ms, "
        f"max {waits[-1] * 1000:.2f} ms; frames {smallest * 1000 / SECOND:.0f} to "
        f"{largest * 1000 / SECOND:.0f} ms; CPU {cpu:.2%} of a core"
    )


def hours(count: float) -> None:
    pipe, process, port = begin(log=False)
    seconds = count * 3600
    started, mark, words = time.monotonic(), 0.0, 0
    made = StreamSettings(url=f"ws://127.0.0.1:{port}/", max_speed=1e9)
    with (
        tempfile.TemporaryDirectory() as folder,
        Streamer(Hours(seconds), AudioFormat("linear16", RATE), made) as streamer,
    ):
        sinks = [file_sink(Path(folder, name), RenderSettings()) for name in ("talk.txt", "talk.srt")]
        while not streamer.closed:
            event = streamer.next_event(0.1)
            for sink in sinks if event is not None else ():
                sink.handle(event)
            if isinstance(event, Final):
                words += len(event.words)
                if event.end >= mark:
                    took = time.monotonic() - started
                    print(
                        f"{event.end / 3600:5.2f} h of audio, {took:6.1f} s, {resident():6.1f} MiB",
                        flush=True,
                    )
                    mark += seconds / 8
            if isinstance(event, Closed):
                print(event)
        for sink in sinks:
            sink.close()
        print({path.name: path.stat().st_size for path in sorted(Path(folder).iterdir())})
    print(pipe.recv()[1:], words, streamer.stats.latency)
    process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("steady").add_argument("--seconds", type=float, default=30.0)
    commands.add_parser("hours").add_argument("--hours", type=float, default=8.0)
    given = parser.parse_args()
    if given.command == "steady":
        steady(given.seconds, 0.02)
        steady(given.seconds, 0.1)
    else:
        hours(given.hours)


if __name__ == "__main__":
    main()
