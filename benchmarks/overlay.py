"""Measure the overlay: from the API's message to its text in the page, in Chromium.

    python benchmarks/overlay.py --seconds 30

A server answers the installed `dg live --overlay` with interims, of which each says a number that it has not said
before, and notes when it sends them; the page notes when the number is in the DOM. Both read the system's clock.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.formats.browser import browser  # noqa: E402 - found by the line above

RATE = 16000
BLOCK = 0.1  # seconds of audio
A_SECOND = 5  # interims a second
FINAL = 25  # interims before a final
WATCH = """window.seen = {};
new MutationObserver(() => {
  const now = performance.timeOrigin + performance.now();
  for (const [number] of document.body.textContent.matchAll(/n\\d+/g)) window.seen[number] ??= now;
}).observe(document.body, { subtree: true, childList: true, characterData: true });"""


class Server:
    """Sends interims of growing text, and finals of it, at its own pace."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}  # milliseconds since the epoch
        self.go = threading.Event()
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        from websockets.asyncio.server import serve

        async with serve(self._handle, "127.0.0.1", 0, compression=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await asyncio.Event().wait()

    async def _handle(self, connection: object) -> None:
        talk = asyncio.create_task(self._talk(connection))
        async for message in connection:  # type: ignore[attr-defined]
            if isinstance(message, str) and json.loads(message)["type"] == "CloseStream":
                break
        talk.cancel()
        await connection.send(json.dumps({"type": "Metadata", "duration": 1.0, "channels": 1}))  # type: ignore[attr-defined]
        await connection.close()  # type: ignore[attr-defined]

    async def _talk(self, connection: object) -> None:
        words: list[str] = []
        number, begun = 0, time.monotonic()
        start = 0.0
        while True:
            await asyncio.sleep(1 / A_SECOND)
            if not self.go.is_set():
                begun = time.monotonic()
                continue
            number += 1
            words.append(f"n{number}")
            now = time.monotonic() - begun
            is_final = len(words) == FINAL
            step = (now - start) / len(words)
            spoken = [
                {"word": word, "start": start + at * step, "end": start + (at + 0.8) * step}
                for at, word in enumerate(words)
            ]
            text = json.dumps(
                {
                    "type": "Results", "channel_index": [0, 1], "start": start, "duration": now - start,
                    "is_final": is_final, "speech_final": is_final,
                    "channel": {"alternatives": [{"transcript": " ".join(words), "words": spoken}]},
                }
            )  # fmt: skip
            self.sent[words[-1]] = time.time() * 1000
            await connection.send(text)  # type: ignore[attr-defined]
            if is_final:
                words, start = [], now


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    server = Server()
    dg = [
        str(Path(sys.executable).with_name("dg")),
        "live",
        "-",
        "--encoding",
        "linear16",
        "--sample-rate",
        str(RATE),
    ]
    dg += [
        "--base-url",
        f"http://127.0.0.1:{server.port}",
        "--api-key",
        "none",
        "--overlay",
        "0",
        "--no-history",
    ]
    process = subprocess.Popen(
        dg, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=False
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write(bytes(2 * round(RATE * BLOCK)))  # what standard input is shows in its first bytes
    process.stdin.flush()
    url = re.search(rb"http://\S+", process.stderr.readline())
    assert url
    with browser() as chromium:
        chromium.visit(f"{url[0].decode()}?lines=3")
        chromium.run(WATCH)
        server.go.set()
        begun = time.monotonic()
        for block in range(round(seconds / BLOCK)):
            time.sleep(max(0.0, begun + block * BLOCK - time.monotonic()))
            process.stdin.write(bytes(2 * round(RATE * BLOCK)))
            process.stdin.flush()
        seen = chromium.run("return window.seen")
    process.stdin.close()
    process.wait(timeout=20)
    delays = sorted(seen[name] - sent for name, sent in server.sent.items() if name in seen)
    missing = [name for name in list(server.sent)[:-2] if name not in seen]
    p95 = delays[int(0.95 * (len(delays) - 1))]
    print(
        f"{len(delays)} interims in {seconds:g} s: from the message to the DOM median "
        f"{statistics.median(delays):.1f} ms, p95 {p95:.1f} ms, longest {delays[-1]:.1f} ms; never seen: {len(missing)}"
    )


if __name__ == "__main__":
    main()
