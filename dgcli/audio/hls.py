"""What an HLS playlist names, fetched by us: FFmpeg's own HTTP verifies no certificate and knows no proxy of ours.

FFmpeg asks for each playlist and segment by its URL (`io_open` of PyAV) and reads what it is handed. Nothing but
http and https is opened, so that a playlist cannot name files of this machine. Source: RFC 8216.
"""

import errno
import ssl
import threading
from collections.abc import Mapping

from dgcli.audio.http import ConnectionFailed, Fetcher, HttpAnswer, whole_number
from dgcli.errors import AudioError

_MOST_TRIES = 3  # to go on where a segment broke off


class HlsFile:
    """A playlist or a segment, as a file that is read from its beginning to its end."""

    def __init__(self, files: "HlsFiles", url: str, offset: int) -> None:
        self._files = files
        self._url = url
        self._at = offset
        self._tries = 0
        self._kept = b""
        self._answer: HttpAnswer | None = None

    def begin(self) -> None:
        """Ask for it, from where it broke off. Raises `ConnectionFailed`, OSError."""
        self.close()
        answer = self._answer = self._files.get(self._url, self._at)
        if not 200 <= answer.status < 300:
            raise OSError(errno.ENOENT, f"HTTP {answer.status}")
        if answer.status == 206:
            if not answer.begins_at(self._at, None):
                raise OSError(errno.EIO, "another part came than was asked for")
            return
        skip = self._at  # a server without ranges sends all of it
        while skip and (piece := answer.read()):
            self._kept = piece[skip:]
            skip -= min(skip, len(piece))

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end. Raises OSError where the rest cannot be had."""
        while not self._kept and self._answer is not None and not self._files.is_stopped:
            try:
                self._kept = self._answer.read()
                if not self._kept:
                    return b""
            except ConnectionFailed as error:
                self._go_on(error)
        piece, self._kept = self._kept[:size], self._kept[size:]
        self._at += len(piece)
        return piece

    def _go_on(self, failure: ConnectionFailed) -> None:
        while self._tries < _MOST_TRIES and not self._files.is_stopped:
            self._tries += 1
            try:
                self.begin()
            except ConnectionFailed as error:
                failure = error
            else:
                return
        raise OSError(errno.EIO, str(failure)) from failure

    def close(self) -> None:
        """Let go of the connection."""
        answer, self._answer = self._answer, None
        if answer is not None:
            self._files.forget(answer)


class HlsFiles:
    """Opens what playlists name. `verify` is for TLS, as httpx takes it; `problem` is what makes going on futile."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        """Raises `UsageError` for a proxy that cannot be used."""
        self.problem: AudioError | None = None
        self._fetcher = Fetcher(verify)
        self._stopped = threading.Event()
        self._open: list[HttpAnswer] = []

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants more."""
        return self._stopped.is_set()

    def get(self, url: str, offset: int) -> HttpAnswer:
        """Ask for a URL. Raises `ConnectionFailed`."""
        answer = self._fetcher.get(url, offset)
        self._open.append(answer)
        if self.is_stopped:
            answer.abort()
        return answer

    def forget(self, answer: HttpAnswer) -> None:
        """Close an answer."""
        if answer in self._open:
            self._open.remove(answer)
        answer.close()

    def open(self, url: str, flags: int, options: Mapping[str, str]) -> HlsFile:
        """Open a URL for FFmpeg. What cannot be had is empty: PyAV prints what is raised here, and drops it."""
        if flags & 2:  # AVIO_FLAG_WRITE
            return HlsFile(self, url, 0)
        scheme = url.partition("://")[0].lower()
        if scheme.startswith("crypto"):
            self.problem = AudioError(
                "The HLS stream is encrypted, which cannot be played.",
                hint="Pipe it: ffmpeg -i URL -f wav - | dg live -",
            )
        file = HlsFile(self, url, whole_number(options.get("offset", "")) or 0)
        if scheme not in ("http", "https") or self.problem is not None:
            return file
        try:
            file.begin()
        except (ConnectionFailed, OSError):
            file.close()
        return file

    def stop(self) -> None:
        """Make every read return soon; from any thread."""
        self._stopped.set()
        for answer in list(self._open):
            answer.abort()

    def close(self) -> None:
        """Close every connection."""
        for answer in list(self._open):
            self.forget(answer)
        self._fetcher.close()
