"""Measure a microphone's way to the wire: how prompt it is, and whether a busy machine loses anything.

    python -m benchmarks.mic --pulse --seconds 60            # a null sink of PulseAudio as the microphone
    python -m benchmarks.mic --pulse --seconds 600 --busy 1  # while core 1 is busy
    python -m benchmarks.mic --seconds 60                    # the default microphone of this machine

The server is a process of its own; both read the same monotonic clock. Printed is the time from the moment
PortAudio's callback is entered until the server has the block's last byte, what was lost, and the CPU time.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dgcli.audio.capture import Capture
from dgcli.audio.devices import Device
from dgcli.audio.microphone import CaptureSettings, Microphone
from dgcli.audio.native_stderr import captured_native_stderr
from dgcli.audio.portaudio import PortAudio
from dgcli.live.streamer import Streamer, StreamSettings
from dgcli.transcript.events import Closed, Notice


async def listen(pipe: Connection) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    frames: list[tuple[float, int]] = []
    over = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            if isinstance(message, str):
                if json.loads(message)["type"] == "CloseStream":
                    break
                continue
            frames.append((time.monotonic(), len(message)))
            if len(frames) % 10 == 0:
                await connection.send(final(len(frames) / 10 - 1))
        await connection.send(json.dumps({"type": "Metadata", "duration": 1.0, "channels": 1}))
        await connection.close()
        pipe.send(frames)
        over.set()

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        pipe.send(next(iter(server.sockets)).getsockname()[1])
        await over.wait()


def final(start: float) -> str:
    word = {"word": "word", "start": start, "end": start + 0.5, "confidence": 0.9}
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": 1.0,
            "is_final": True,
            "speech_final": True,
            "channel": {"alternatives": [{"transcript": "word", "words": [word]}]},
        }
    )


def run_server(pipe: Connection) -> None:
    asyncio.run(listen(pipe))


def burn(core: int) -> None:
    os.sched_setaffinity(0, {core})
    while True:
        pass


class Timed(PortAudio):
    """PortAudio whose callbacks leave the time."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def open(
        self, device: Device, rate: int, channels: Sequence[int], block: float, capture: Capture
    ) -> tuple[Any, int]:
        inner, note = capture.callback, self.times.append

        def callback(data: Any, frames: int, when: object, status: Any) -> None:
            note(time.monotonic())
            inner(data, frames, when, status)

        capture.callback = callback  # type: ignore[method-assign]  # only here: nothing of it is measured twice
        return super().open(device, rate, channels, block, capture)


@contextmanager
def microphone(*, pulse: bool) -> Iterator[None]:
    if not pulse:
        yield
        return
    from tests.mic.pulse import SINK, Pulse

    with tempfile.TemporaryDirectory() as folder:
        sound = Pulse(Path(folder))
        os.environ.update(sound.env)
        try:
            sound.start(SINK)
            yield
        finally:
            sound.stop()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure(seconds: float, block: float) -> None:
    pipe, far = multiprocessing.Pipe()
    server = multiprocessing.Process(target=run_server, args=(far,), daemon=True)
    server.start()
    port = pipe.recv()
    portaudio = Timed()
    source = Microphone(CaptureSettings(block=block), portaudio=portaudio)
    form = source.open()
    settings = StreamSettings(url=f"ws://127.0.0.1:{port}/", duration=seconds)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with Streamer(source, form, settings) as streamer:
        for event in streamer.events():
            if isinstance(event, Notice):
                print(f"  {event.kind.value}: {event.message}")
            if isinstance(event, Closed) and event.error:
                raise event.error
    after = resource.getrusage(resource.RUSAGE_SELF)
    frames = pipe.recv()
    server.join(5)
    ends = list(accumulate(size for _, size in frames))
    size = round(form.sample_rate * block) * form.frame_bytes  # type: ignore[operator]  # raw audio has both
    delays, at = [], 0
    for number, called in enumerate(portaudio.times, 1):
        while at < len(ends) and ends[at] < number * size:
            at += 1
        if at == len(ends):
            break  # the last ones are cut off by the duration
        delays.append(1000 * (frames[at][0] - called))
    gaps = [1000 * (b - a) for a, b in zip(portaudio.times, portaudio.times[1:], strict=False)]
    # The first ones wait for the connection.
    steady = delays[int(2 / block) :] or delays
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"  {source.name}, {form.sample_rate} Hz, blocks of {1000 * block:g} ms, {ends[-1] / form.byte_rate:.1f} s"
    )  # type: ignore[operator]  # raw audio has one
    print(
        f"  callbacks: {len(portaudio.times)}, longest time between two {max(gaps):.0f} ms, lost: {source.lost}"
    )
    print(f"  frames: {len(frames)}, {min(s for _, s in frames)} to {max(s for _, s in frames)} bytes")
    print(
        "  callback to wire: "
        + ", ".join(
            f"{name} {percentile(steady, q):.2f} ms"
            for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        )
        + f", max {max(steady):.2f} ms (of {len(steady)})"
    )
    print(f"  CPU of the client: {100 * cpu / seconds:.2f} % of a core")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--block", type=float, default=0.1, help="seconds")
    parser.add_argument("--pulse", action="store_true", help="start PulseAudio with a null sink")
    parser.add_argument("--busy", type=int, metavar="CORE", help="keep this core busy meanwhile")
    args = parser.parse_args()
    with microphone(pulse=args.pulse), captured_native_stderr():
        burner = None
        if args.busy is not None:
            burner = multiprocessing.Process(target=burn, args=(args.busy,), daemon=True)
            burner.start()
        try:
            print(f"{args.seconds:g} s" + (f", core {args.busy} busy" if burner else ""))
            measure(args.seconds, args.block)
        finally:
            if burner is not None:
                burner.kill()
                burner.join()


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
