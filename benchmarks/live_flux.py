"""Hours of Flux in one stream, accelerated: whether the client stays in flat memory.

    python benchmarks/live_flux.py --hours 3

The server is a process of its own. For every quarter of a second of audio it restates the open turn, as Flux does:
turns of 8 s with 3 words a second, every tenth of two minutes, each ended eagerly and resumed once. The client writes
text, SRT, JSON and the events. Printed are its resident memory at every eighth of the time, what it took, and what the
files hold; a drop in the middle has a part sent again.
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
from dgcli.live.listen_v2 import ListenV2
from dgcli.live.streamer import Streamer, StreamSettings
from dgcli.sinks.files import file_sink
from dgcli.transcript.events import Closed, Final, Interim

RATE = 16000
SECOND = 2 * RATE
UPDATE = 0.25  # seconds of audio between two messages
WORDS = 3  # in a second
TURN, LONG_TURN = 8.0, 120.0  # seconds
VOCABULARY = 8000  # different words, more than a speaker uses in hours


class Measured(NamedTuple):
    """What one run showed. `memory` is MiB at each eighth of the time."""

    memory: list[float]
    seconds: float
    messages: int
    words: int
    connections: int
    files: dict[str, int]


def turn_info(event: str, turn: int, start: float, end: float, offset: float) -> str:
    """A message that restates a turn; words are numbered by the time of the stream, which begins at `offset`."""
    first, last = round((start + offset) * WORDS), round((end + offset) * WORDS)
    words = [
        {
            "word": f"word{number * 7919 % VOCABULARY}" + ("." if number % 12 == 11 else ""),
            "start": number / WORDS - offset,
            "end": (number + 0.8) / WORDS - offset,
            "confidence": 0.9,
        }
        for number in range(first, last)
    ]
    return json.dumps(
        {
            "type": "TurnInfo",
            "request_id": "benchmark",
            "event": event,
            "turn_index": turn,
            "audio_window_start": start,
            "audio_window_end": end,
            "transcript": " ".join(word["word"] for word in words),
            "words": words,
            "end_of_turn_confidence": 0.5,
            **({"trigger": "model"} if event == "EndOfTurn" else {}),
        }
    )


async def serve(pipe: Connection, drop_after: float) -> None:
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as serve_websocket

    over = asyncio.Event()
    reached = [0.0]  # where the next connection begins on the stream's timeline: after the last EndOfTurn
    dropped = [drop_after <= 0]

    async def handle(connection: ServerConnection) -> None:
        offset, heard, turn, start, due = reached[0], 0, 0, 0.0, UPDATE
        await connection.send(json.dumps({"type": "Connected", "request_id": "benchmark", "sequence_id": 0}))
        async for message in connection:
            if isinstance(message, str):
                if json.loads(message)["type"] == "CloseStream":
                    connection.transport.write(b"\x88\x00")
                    over.set()
                    return
                await connection.send(turn_info("EndOfTurn", turn, start, heard / SECOND, offset))
                continue
            heard += len(message)
            while heard / SECOND >= due:
                length = LONG_TURN if turn % 10 == 9 else TURN
                since = due - start
                event = "StartOfTurn" if since <= UPDATE else "Update"
                if since == length / 2:
                    event = "EagerEndOfTurn"
                elif since == length / 2 + UPDATE:
                    event = "TurnResumed"
                elif since >= length:
                    event = "EndOfTurn"
                await connection.send(turn_info(event, turn, start, due, offset))
                if event == "EndOfTurn":
                    turn, start, reached[0] = turn + 1, due, offset + due
                due += UPDATE
            if not dropped[0] and offset + heard / SECOND >= drop_after:
                dropped[0] = True
                connection.transport.abort()
                return

    async with serve_websocket(handle, "127.0.0.1", 0, compression=None) as server:
        pipe.send(server.sockets[0].getsockname()[1])
        await over.wait()


def run_server(pipe: Connection, drop_after: float) -> None:
    asyncio.run(serve(pipe, drop_after))


class Silence:
    """Silence as fast as it is taken, but no faster than the server's answers come."""

    name, pace, duration = "benchmark", Pace.FREE, None

    def __init__(self, seconds: float, ahead: float = 60.0) -> None:
        self._count = round(seconds / 0.08)
        self._ahead = ahead
        self.answered = 0.0  # seconds

    def blocks(self) -> Iterator[bytes]:
        data = bytes(SECOND * 8 // 100)
        for number in range(self._count):
            while number * 0.08 - self.answered > self._ahead:
                time.sleep(0.001)
            yield data

    def stop(self) -> None: ...


def resident() -> float:
    """MiB in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def wall(hours: float, folder: Path, *, tell: bool = False) -> Measured:
    """Stream so many hours, and measure."""
    seconds = hours * 3600
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(theirs, seconds / 2))
    process.start()
    url = f"ws://127.0.0.1:{ours.recv()}/v2/listen"
    source = Silence(seconds)
    made = StreamSettings(url=url, protocol=ListenV2(), max_speed=1e9)
    memory: list[float] = []
    messages = connections = 0
    started = time.monotonic()
    sinks = [
        file_sink(folder / name, RenderSettings())
        for name in ("talk.txt", "talk.srt", "talk.json", "talk.jsonl")
    ]
    with Streamer(source, AudioFormat("linear16", RATE), made) as streamer:
        while not streamer.closed:
            event = streamer.next_event(0.1)
            for sink in sinks if event is not None else ():
                sink.handle(event)
            if isinstance(event, Interim | Final):
                messages += 1
                source.answered = event.end
                if event.end >= (len(memory) + 1) * seconds / 8:
                    memory.append(resident())
                    if tell:
                        took = time.monotonic() - started
                        print(f"{event.end / 3600:5.2f} h, {took:6.1f} s, {memory[-1]:6.1f} MiB", flush=True)
            if isinstance(event, Closed):
                connections = event.connections
                if event.error is not None:
                    raise event.error
        words = streamer.stats.words
    took = time.monotonic() - started
    for sink in sinks:
        sink.close()
    process.join()
    files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    return Measured(memory, took, messages, words, connections, files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=3.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = wall(given.hours, Path(folder), tell=True)
    speed = given.hours * 3600 / measured.seconds
    print(
        f"{measured.messages} messages, {measured.words} words of {round(given.hours * 3600 * WORDS)}, "
        f"{measured.connections} connections, {speed:.0f} times real time; {measured.files}"
    )
    print(f"memory at the end against the first eighth: {measured.memory[-1] / measured.memory[0]:.2f}x")


if __name__ == "__main__":
    main()
