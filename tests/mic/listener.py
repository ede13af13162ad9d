"""A server that listens to a stream and writes down what it gets, and when; by the `websockets` library."""

import json
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from websockets.sync.server import ServerConnection, serve

from tests.conftest import HANGS_AFTER


class Listener:
    """Takes streams at `ws://127.0.0.1:PORT`; each second of linear16 audio is a word: `word1`, `word2`..."""

    def __init__(self, words: dict[int, str] | None = None) -> None:
        self.audio = bytearray()
        self.frames: list[tuple[float, int]] = []  # when (time.monotonic()), how many bytes
        self.texts: list[tuple[float, str]] = []  # when, the type of the message
        self.query: dict[str, list[str]] = {}
        self._words = words or {}
        self._said = 0
        self._changed = threading.Condition()
        self._server = serve(self._listen, "127.0.0.1", 0, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def flags(self) -> tuple[str, str]:
        """What leads `dg` here."""
        return "--base-url", f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    @property
    def seconds(self) -> float:
        """Seconds of audio so far."""
        rate = int(self.query.get("sample_rate", ["1"])[0]) * int(self.query.get("channels", ["1"])[0])
        return len(self.audio) / 2 / rate

    def _final(self, *, from_finalize: bool = False) -> str:
        start, end = float(self._said), float(int(self.seconds))
        words = []
        for second in range(int(start) + 1, int(end) + 1):
            word = self._words.get(second, f"word{second}")
            words.append({"word": word, "start": second - 1.0, "end": second - 0.1, "confidence": 1.0})
        self._said = int(end)
        text = " ".join(word["word"] for word in words)
        return json.dumps(
            {
                "type": "Results", "channel_index": [0, 1], "start": start, "duration": self.seconds - start,
                "is_final": True, "speech_final": True, "from_finalize": from_finalize,
                "channel": {"alternatives": [{"transcript": text, "confidence": 1.0, "words": words}]},
            }
        )  # fmt: skip

    def _take(self, connection: ServerConnection, message: str | bytes) -> bool:
        """Answer a message; whether it was the last."""
        if isinstance(message, bytes):
            self.frames.append((time.monotonic(), len(message)))
            self.audio += message
            if int(self.seconds) > self._said:
                connection.send(self._final())
            return False
        kind = json.loads(message)["type"]
        self.texts.append((time.monotonic(), kind))
        if kind in ("Finalize", "CloseStream"):
            connection.send(self._final(from_finalize=kind == "Finalize"))
        return bool(kind == "CloseStream")

    def _listen(self, connection: ServerConnection) -> None:
        assert connection.request is not None, "there is a request where there is a connection"
        self.query = parse_qs(urlsplit(connection.request.path).query)
        for message in connection:
            with self._changed:
                is_last = self._take(connection, message)
                self._changed.notify_all()
            if is_last:
                about = {"type": "Metadata", "request_id": "1", "duration": self.seconds, "channels": 1}
                connection.send(json.dumps(about))
                return

    def kinds(self) -> list[str]:
        """The types of the messages so far."""
        return [kind for _, kind in self.texts]

    def wait_for(self, condition: Callable[[], bool], timeout: float = HANGS_AFTER) -> None:
        """Wait until something is so, looked at with every message."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), (self.seconds, self.texts)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
