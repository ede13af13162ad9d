"""A server of raw sockets: no library keeps it from saying what no server should say."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

HEAD_END = b"\r\n\r\n"


class Peer:
    """One connection as the hostile side has it."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.head = b""
        self._rest = bytearray()
        self._taken = 0  # bytes of the body
        self._over = over

    def read_head(self) -> bytes:
        """Read up to the end of the request's head."""
        while HEAD_END not in self._rest:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the client left")
            self._rest += data
        head, _, self._rest = self._rest.partition(HEAD_END)
        self.head = bytes(head)
        return self.head

    def read_body(self, most: int | None = None) -> bytes:
        """Read what is left of the request's body, or so many bytes of it."""
        length = next(
            (
                int(line.split(b":")[1])
                for line in self.head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            0,
        )
        wanted = length - self._taken if most is None else min(most, length - self._taken)
        self._taken += wanted
        while len(self._rest) < wanted:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the client left")
            self._rest += data
        body = bytes(self._rest[:wanted])
        del self._rest[:wanted]
        return body

    def _exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the client left")
            self._rest += data
        data = bytes(self._rest[:count])
        del self._rest[:count]
        return data

    def read_frames(self, until: "Callable[[int, bytes], bool]") -> None:
        """Read frames of a WebSocket client up to one for which `until` (opcode, data) is true."""
        while True:
            first, second = self._exactly(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
            mask = self._exactly(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._exactly(size)))
            if until(first & 0xF, data):
                return

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.sock.sendall(data)

    def drip(self, pieces: "Callable[[int], bytes]", every: float = 0.2) -> None:
        """Send one piece after the other, slowly, until the client leaves or the test is over."""
        for number in range(1 << 30):
            if self._over.wait(every):
                return
            self.send(pieces(number))

    def hold(self) -> None:
        """Say nothing and read nothing until the test is over."""
        self._over.wait()


Behaviour = Callable[[Peer], None]


class HostileServer:
    """Does to the nth connection what the nth behaviour says, the last one for ever."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = behaviours
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heads: list[bytes] = []
        self._lock = threading.Lock()
        self._accepted = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self._accepted, len(self._behaviours) - 1)]
            self._accepted += 1
            thread = threading.Thread(target=self._serve, args=(sock, behaviour), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, behaviour: Behaviour) -> None:
        with suppress(OSError, ConnectionError, ssl.SSLError):  # a client that leaves is what this is about
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock:
                peer = Peer(sock, self._over)
                try:
                    behaviour(peer)
                finally:
                    self.heads.append(peer.head)

    def close(self) -> None:
        """End all connections."""
        self._over.set()
        with suppress(OSError):  # what it does on Linux; elsewhere closing is enough
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
