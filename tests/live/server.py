"""A server that transcribes numbered audio, and can fail in every way a connection can.

It is made with `websockets`: another implementation than the client's. Audio is 16-bit samples; all samples of
a tenth of a second have the same value, its number, and are transcribed to the word of that number, with times
relative to the connection. 0 is silence.
"""

import asyncio
import itertools
import json
import random
import socket
import ssl
import struct
import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.conftest import HANGS_AFTER

RATE = 1000  # Hz
SLOT = 0.1  # seconds of a number
REQUEST_ID = "0198f3a2-5c1e-7b40-9d77-2f6a1c0de502"


def numbered(count: int, channels: int = 1, first: int = 1) -> bytes:
    """So many tenths of a second; channel c says 10000 * c + its number."""
    samples = array("h")
    for number in range(first, first + count):
        samples.extend([10000 * c + number for c in range(channels)] * int(RATE * SLOT))
    return samples.tobytes()


def configured(told: dict[str, Any]) -> dict[str, Any]:
    """The answer to Configure: as the API's, which takes all of a message or nothing."""
    terms = told.get("keyterms")
    if terms and "refused" in terms:
        why = {"code": "CONFIGURE_KEYTERM_LIMIT_EXCEEDED", "description": "Too many tokens."}
        return {"type": "ConfigureFailure", "request_id": REQUEST_ID, **why}
    return {
        "type": "ConfigureSuccess",
        "request_id": REQUEST_ID,
        **({} if terms is None else {"keyterms": terms}),
    }


def rounded(seconds: float) -> float:
    """A time as the API has it: through a 32-bit float."""
    return struct.unpack("f", struct.pack("f", seconds))[0]


@dataclass
class Fault:
    """What happens to a connection, after how many seconds of audio."""

    kind: str
    after: float = 0.0
    code: int = 1011
    reason: str = ""
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class Seen:
    """What a connection brought."""

    headers: dict[str, str]
    path: str
    frames: list[tuple[float, int]] = field(default_factory=list)  # monotonic seconds, bytes
    texts: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    pings: int = 0
    finals_after_close: int = 0


class Ear:
    """One channel of one connection: turns samples into finals and interims."""

    def __init__(self, channel: int, channels: int, rng: random.Random, every: tuple[float, float]) -> None:
        self.channel, self.channels, self.rng, self.every = channel, channels, rng, every
        self.runs: list[list[int]] = []  # value, first sample, end sample; from the first not in a final
        self.heard = 0
        self.cut = 0
        self.next_final = rng.uniform(*every)
        self.next_interim = 0.5

    def hear(self, samples: "array[int]") -> None:
        for value, group in itertools.groupby(samples):
            size = sum(1 for _ in group)
            if self.runs and self.runs[-1][0] == value:
                self.runs[-1][2] += size
            else:
                self.runs.append([value, self.heard, self.heard + size])
            self.heard += size

    def words(self, until: float) -> list[dict[str, Any]]:
        return [
            {
                "word": str(value),
                "punctuated_word": f"{value}.",
                "start": rounded(start / RATE),
                "end": rounded(end / RATE),
                "confidence": 0.99,
            }
            for value, start, end in self.runs
            if value and (start + end) / 2 < until
        ]

    def message(self, until: int, *, final: bool, **more: object) -> dict[str, Any]:
        words = self.words(until)
        return {
            "type": "Results",
            "channel_index": [self.channel, self.channels],
            "start": rounded(self.cut / RATE),
            "duration": rounded((until - self.cut) / RATE),
            "is_final": final,
            "speech_final": False,
            "from_finalize": False,
            "channel": {
                "alternatives": [
                    {
                        "transcript": " ".join(word["punctuated_word"] for word in words),
                        "confidence": 0.99 if words else 0.0,
                        "words": words,
                    }
                ]
            },
            "metadata": {"request_id": REQUEST_ID},
            **more,
        }

    def final(self, until: int, **more: object) -> dict[str, Any]:
        message = self.message(until, final=True, **more)
        self.runs = [run for run in self.runs if (run[1] + run[2]) / 2 >= until]
        self.cut = until
        self.next_final = self.heard / RATE + self.rng.uniform(*self.every)
        return message

    def say(self) -> list[dict[str, Any]]:
        """What is due."""
        now = self.heard / RATE
        if now >= self.next_final and self.heard - self.cut > 2 * SLOT * RATE:
            # The end of a window falls anywhere, but behind what was heard: in the middle of a word, too.
            latest = self.heard - int(SLOT * RATE) - 1
            return [self.final(self.rng.randint(max(self.cut + 1, latest - 150), latest))]
        if now >= self.next_interim:
            self.next_interim = now + 0.5
            return [self.message(self.heard, final=False)]
        return []


class NumberedServer:
    """Runs in a thread of its own, on a free port; each connection meets the next fault of the plan."""

    def __init__(
        self,
        *plan: Fault,
        channels: int = 1,
        tls: ssl.SSLContext | None = None,
        seed: int = 0,
        finals: tuple[float, float] = (0.25, 1.2),
        metadata: bool = True,
        tail: int = 1,
        hang: bool = False,
        twice: bool = False,
        first: tuple[dict[str, Any], ...] = (),
        ignores_configure: bool = False,
    ) -> None:
        self.plan = list(plan)
        self.channels = channels
        self.tls = tls
        self.finals = finals
        self.metadata = metadata
        self.tail = tail
        self.twice = twice  # every final is sent twice
        self.first = first  # messages that a connection begins with
        self.ignores_configure = ignores_configure
        self.hang = hang  # neither Metadata nor a close at the end
        self.seen: list[Seen] = []
        self.requests: list[dict[str, str]] = []
        self.asked: list[float] = []  # when each request came: loop time, in seconds
        self.happened: list[str] = []
        self.empty_frames = 0
        self._rng = random.Random(seed)
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._server: Server | None = None
        self._deaf: list[asyncio.Transport] = []
        self.port = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="server")
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://localhost:{self.port}/v1/listen?encoding=linear16"

    def wait_for(self, condition: Callable[[], bool], timeout: float = HANGS_AFTER) -> None:
        """Wait until something is so, looked at whenever something happens."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), "it did not happen in time"

    def _note(self) -> None:
        with self._changed:
            self._changed.notify_all()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        async with serve(
            self._handle,
            "localhost",
            0,
            family=socket.AF_INET,
            ssl=self.tls,
            process_request=self._process,
            compression=None,
            ping_interval=None,
            close_timeout=0.2,
            open_timeout=None,
        ) as self._server:
            self.port = self._server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._over.wait()
            for transport in self._deaf:
                transport.abort()

    async def _process(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(dict(request.headers.raw_items()))
        self.asked.append(asyncio.get_running_loop().time())
        fault = self.plan[0] if self.plan else None
        if fault and fault.kind == "mute":
            self._happen(self.plan.pop(0))
            self._deaf.append(connection.transport)
            assert self._over is not None
            await self._over.wait()
        if fault and fault.kind == "refuse":
            self._happen(self.plan.pop(0))
            response = connection.respond(HTTPStatus(fault.status), fault.body)
            for name, value in fault.headers.items():
                response.headers[name] = value
            return response
        return None

    def _happen(self, fault: Fault) -> None:
        self.happened.append(fault.kind)
        self._note()

    async def _fail(self, connection: ServerConnection, fault: Fault) -> None:
        self._happen(fault)
        transport = connection.transport
        match fault.kind:
            case "reset":
                sock = transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            case "cut":
                transport.abort()
            case "close":
                await connection.close(fault.code, fault.reason)
            case "nocode":
                transport.write(b"\x88\x00")
                await connection.wait_closed()
            case "deaf":
                transport.pause_reading()
                self._deaf.append(transport)
                assert self._over is not None
                await self._over.wait()

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        seen = Seen(dict(connection.request.headers.raw_items()), connection.request.path)
        self.seen.append(seen)
        self._note()
        fault = self.plan.pop(0) if self.plan else None
        try:
            await self._listen(connection, seen, fault)
        except ConnectionClosed:
            pass
        finally:
            self._note()

    async def _listen(self, connection: ServerConnection, seen: Seen, fault: Fault | None) -> None:
        ears = [Ear(c, self.channels, self._rng, self.finals) for c in range(self.channels)]
        loop = asyncio.get_running_loop()
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                self.empty_frames += not message
                seen.frames.append((loop.time(), len(message)))
                seen.audio += message
                samples = array("h", message[: len(message) & ~1])
                for ear in ears:
                    ear.hear(samples[ear.channel :: self.channels])
                if fault and ears[0].heard >= fault.after * RATE:
                    await self._fail(connection, fault)
                    return
                for strange in self.first if len(seen.frames) == 1 else ():
                    await connection.send(json.dumps(strange))
                for ear in ears:
                    for result in ear.say():
                        await self._send(connection, result)
                self._note()
                continue
            told = json.loads(message)
            seen.texts.append(told)
            self._note()
            if told["type"] == "Finalize":
                for ear in ears:
                    whole = not ear.runs or not ear.runs[-1][0]
                    until = ear.heard if whole else ear.runs[-1][1]
                    await self._send(connection, ear.final(max(until, ear.cut), from_finalize=True))
            if told["type"] == "Configure" and not self.ignores_configure:
                await connection.send(json.dumps(configured(told)))
            if told["type"] == "CloseStream":
                if fault and fault.kind == "at-close":
                    await self._fail(connection, Fault("cut"))
                    return
                await self._close_stream(connection, seen, ears)
                return

    async def _send(self, connection: ServerConnection, result: dict[str, Any]) -> None:
        for _ in range(2 if self.twice and result["is_final"] else 1):
            await connection.send(json.dumps(result))

    async def _close_stream(self, connection: ServerConnection, seen: Seen, ears: list[Ear]) -> None:
        for ear in ears:
            step = max(1, (ear.heard - ear.cut) // self.tail)
            for part in range(1, self.tail + 1):
                until = ear.heard if part == self.tail else ear.cut + step
                await self._send(connection, ear.final(until, speech_final=True))
                seen.finals_after_close += 1
        if self.metadata:
            duration = ears[0].heard / RATE
            summary = {"type": "Metadata", "request_id": REQUEST_ID, "duration": duration, "channels": 1}
            await connection.send(json.dumps(summary))
        if self.hang:
            await connection.wait_closed()
        await connection.close(1000)

    def cut(self) -> None:
        """Cut every connection off, now."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: [each.transport.abort() for each in self._server.connections])

    def close(self) -> None:
        """End the server and its thread."""
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
