"""What an HLS playlist names, fetched by us: FFmpeg's own HTTP verifies no certificate and knows no proxy of ours.

FFmpeg asks for each playlist, key and segment by its URL (`io_open` of PyAV) and reads what it is handed. Nothing but
http and https is opened, so that a playlist cannot name files of this machine. A segment that is encrypted with
AES-128 it asks for as `crypto+URL`, with the key and the initialization vector as options: such a one is fetched whole
and handed over in the clear. Source: RFC 8216.
"""

import errno
import io
import ssl
import threading
from collections.abc import Mapping

from dgcli.api.refusals import without_login
from dgcli.audio import decode
from dgcli.audio.http import ConnectionFailed, Fetcher, HttpAnswer, whole_number
from dgcli.errors import AudioError

_MOST_TRIES = 3  # to go on where a segment broke off
_MOST_ENCRYPTED = 64 << 20  # bytes of a segment, which is held whole to be decrypted
_CRYPTO = "crypto+"
_PIPE = "Pipe it: ffmpeg -i URL -f wav - | dg live -"


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
    """Opens what playlists name. `verify` is for TLS, as httpx takes it.

    `problem` is what makes going on futile, `missing` the first of what could not be had.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        """Raises `UsageError` for a proxy that cannot be used."""
        self.problem: AudioError | None = None
        self.missing: str | None = None
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

    def open(self, url: str, flags: int, options: Mapping[str, str]) -> decode.Readable:
        """Open a URL for FFmpeg. What cannot be had is empty: PyAV prints what is raised here, and drops it."""
        if flags & 2:  # AVIO_FLAG_WRITE
            return HlsFile(self, url, 0)
        is_encrypted = url.startswith(_CRYPTO)
        url = url.removeprefix(_CRYPTO)
        scheme = url.partition("://")[0].lower()
        file = HlsFile(self, url, whole_number(options.get("offset", "")) or 0)
        if scheme not in ("http", "https") or self.problem is not None:
            return file
        try:
            if is_encrypted:
                return io.BytesIO(self._decrypted(file, options))
            file.begin()
        except AudioError as error:
            self.problem = error
            file.close()
        except ConnectionFailed as error:
            self.missing = self.missing or str(error)
            file.close()
        except OSError as error:
            self.missing = self.missing or f"{without_login(url)}: {error.strerror}."
            file.close()
        return file

    def _decrypted(self, file: HlsFile, options: Mapping[str, str]) -> bytes:
        """Fetch a whole segment and decrypt it. Raises `AudioError`, `ConnectionFailed`, OSError."""
        begin, end = (whole_number(options.get(name, "")) for name in ("offset", "end_offset"))
        most = end - (begin or 0) if end is not None else _MOST_ENCRYPTED  # a part of a file, or all of it
        data = bytearray()
        file.begin()
        while len(data) < most and (piece := file.read(min(most - len(data), 1 << 16))):
            data += piece
            if len(data) >= _MOST_ENCRYPTED:
                raise AudioError("A segment of the HLS stream is too large to be decrypted.", hint=_PIPE)
        file.close()
        return decode.decrypted(bytes(data), options.get("key", ""), options.get("iv", ""))

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
