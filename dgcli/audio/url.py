"""Audio from an http or https URL: radio that never ends, files, HLS.

An endless stream is decoded through PyAV where that is installed, so that a dropped WebSocket is resumed to
the sample; without it the stream is passed on as it comes. What the API's key belongs to is another server:
it is never sent here.
"""

import math
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit

from dgcli.api.refusals import Peer, Role, phrase, refused, without_login
from dgcli.audio import decode, icy
from dgcli.audio.base import AudioFormat, Pace, slices
from dgcli.audio.hls import HlsFiles
from dgcli.audio.http import ConnectionFailed, Fetcher, HttpAnswer
from dgcli.audio.http_body import HttpBody, SeekableHttpBody
from dgcli.audio.media import SNIFF_BYTES, suffix_of
from dgcli.audio.pump import Pump
from dgcli.errors import AudioError
from dgcli.transcript.events import Notice, NoticeKind

# Tries without a byte of audio before a source is given up; with the pauses below that is about ten minutes.
_MOST_TRIES = 24
# Seconds before the first tries; the last stands for all further ones.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_LONGEST_WAIT = 60.0  # seconds that a server may ask to be left alone
_MOST_PLAYLISTS = 10
_PLAYLISTS = ("audio/x-scpls", "audio/scpls", "audio/x-mpegurl", "audio/mpegurl", "application/pls+xml")
_HLS = ("application/vnd.apple.mpegurl", "application/x-mpegurl")
# FFmpeg's names for what radio is sent as, and the little it needs to read before it begins.
_FORMATS = MappingProxyType(
    {
        "audio/mpeg": "mp3",
        "audio/mp3": "mp3",
        "audio/aac": "aac",
        "audio/aacp": "aac",
        "audio/ogg": "ogg",
        "application/ogg": "ogg",
    }
)
# What comes so slowly, in seconds of audio a second after so many at once, is being made just now.
_LIVE_SPEED, _LIVE_BURST = 1.3, 10.0
_LIVE_AFTER = 3.0  # seconds: nobody can tell earlier
_QUICK = {"probesize": "16384", "analyzeduration": "100000"}


class HttpSource:
    """Audio from an http or https URL.

    One with a Content-Length is a file: it is sent at real-time pace, and resumed where it broke off. One
    without is endless and comes at its own pace: when it stalls or drops, it is asked for again, with pauses
    that grow. `raw` says what headerless audio behind the URL is. `verify` is for TLS, as httpx takes it.
    """

    def __init__(
        self,
        url: str,
        raw: AudioFormat | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lead_to(url)
        self._clock = clock
        self.pace = Pace.FREE
        self.duration: float | None = None
        self._raw = raw
        self._verify = verify
        self._may_decode = raw is None and decode.available()
        self._fetcher: Fetcher | None = None
        self._answer: HttpAnswer | None = None
        self._body: HttpBody | None = None
        self._decoder: decode.Decoder | None = None
        self._format = AudioFormat()
        self._is_hls = False
        self._hls: HlsFiles | None = None
        self._stopped = threading.Event()
        self._notices: deque[Notice] = deque()
        self._begun = b""
        self._since = 0.0  # by the clock: when the present answer came
        self._came = 0.0  # seconds of audio since then
        self._tries = 0
        self._pump: Pump[bytes | Notice] = Pump(self._audio, name="http source")

    def _lead_to(self, url: str) -> None:
        """Ask for this from now on. The name is what may be shown of it: it may hold a login."""
        self._url, self.name = url, without_login(url)

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants more."""
        return self._stopped.is_set()

    def announce_title(self, title: str) -> None:
        """Give a notice of the title that a radio announces."""
        self._notices.append(Notice(NoticeKind.SOURCE, f"Now playing: {title}"))

    def request(self, offset: int = 0, validator: str | None = None) -> HttpAnswer:
        """Ask for the URL, from byte `offset` of the file that `validator` means on. Raises `ConnectionFailed`."""
        if self._fetcher is None:
            self._fetcher = Fetcher(self._verify)
        if self._answer is not None:
            self._answer.close()
        self._answer = answer = self._fetcher.get(self._url, offset, validator)
        self._since, self._came = self._clock(), 0.0
        if self.is_stopped:
            answer.abort()
        return answer

    def came_live(self, answer: HttpAnswer) -> bool:
        """Whether the end of an answer is a broken connection, by the pace at which audio came.

        A body that neither has a length nor is chunked ends where the connection does (RFC 9112, 6.3): one
        that came faster than it plays was a file, one that did not is a live stream.
        """
        if answer.headers.get("transfer-encoding") or answer.length is not None or not self._came:
            return False
        took = self._clock() - self._since
        return took >= _LIVE_AFTER and self._came <= _LIVE_SPEED * took + _LIVE_BURST

    def _first(self) -> HttpAnswer:
        """The first answer, behind playlists. Raises `NetworkError` and `AudioError`."""
        for _ in range(_MOST_PLAYLISTS):
            try:
                answer = self.request()
            except ConnectionFailed as error:
                raise error.refusal.error from error
            if not 200 <= answer.status < 300:
                raise refused(answer.status, answer.headers, peer=Peer(answer.url, Role.SOURCE)).error
            path = urlsplit(answer.url).path.lower()
            if answer.kind in _HLS or (path.endswith(".m3u8") and answer.kind not in _PLAYLISTS[:2]):
                self._is_hls = True
                self._lead_to(answer.url)
                return answer
            if answer.kind not in _PLAYLISTS and not path.endswith((".pls", ".m3u")):
                return answer
            text = self._whole(answer)
            if "#EXT-X-" in text:
                self._is_hls = True
                self._lead_to(answer.url)
                return answer
            target = icy.playlist_target(text)
            if target is None:
                raise AudioError(f"The playlist {self.name} names no stream.")
            self._lead_to(urljoin(answer.url, target))
        raise AudioError(f"{self.name} leads from playlist to playlist.")

    @staticmethod
    def _whole(answer: HttpAnswer, most: int = 1 << 16) -> str:
        body = b""
        with suppress(ConnectionFailed):
            while len(body) < most and (piece := answer.read()):
                body += piece
        return body.decode("utf-8", "replace")

    def _close(self) -> None:
        """Close the connection."""
        if self._answer is not None:
            self._answer.close()
        if self._fetcher is not None:
            self._fetcher.close()
            self._fetcher = None
        if self._hls is not None:
            self._hls.close()

    def open(self) -> AudioFormat:
        """Ask for the URL and find out what comes. Raises `NetworkError` and `AudioError`."""
        try:
            return self._open()
        except BaseException:
            self._close()
            raise

    def _open(self) -> AudioFormat:
        try:
            parts = urlsplit(self._url)
        except ValueError:  # a bracket without an address in it
            parts = urlsplit("")
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise AudioError(f"{self.name} is no http or https URL.")
        answer = self._first()
        if answer.kind in ("text/html", "application/xhtml+xml"):
            raise AudioError(
                f"{without_login(answer.url)} is a web page, not audio.",
                hint="Look for the address of the stream itself; it often ends in .mp3, .aac or .m3u8.",
            )
        if self._is_hls:
            self._close()
            return self._open_hls()
        if answer.length is not None:
            self.pace = Pace.REAL_TIME
        seekable = answer.length is not None and answer.headers.get("accept-ranges", "").lower() == "bytes"
        self._body = (
            SeekableHttpBody(self, answer, answer.length or 0) if seekable else HttpBody(self, answer)
        )
        if self._may_decode:
            self._decoder = self._first_decoder(answer)
            self.duration = self._decoder.duration if self.pace is Pace.REAL_TIME else None
            self._format = self._decoder.format
        elif self._raw is not None:
            self._format = self._raw
            if answer.length and self._raw.byte_rate:
                self.duration = answer.length / self._raw.byte_rate
        else:
            while len(self._begun) < SNIFF_BYTES and (piece := self._body.read()):
                self._begun += piece
            if not self._begun:
                raise AudioError(f"Nothing came from {self.name}.")
            self._format = AudioFormat(suffix=suffix_of(self._begun, urlsplit(answer.url).path))
        return self._format

    def _first_decoder(self, answer: HttpAnswer) -> decode.Decoder:
        """A decoder for an answer; the media type of an endless stream is believed until it proves wrong.

        Guessing what a stream is that one joins in the middle takes seconds of it.
        """
        assert self._body is not None, "made from the answer"
        container = _FORMATS.get(answer.kind) if answer.length is None else None
        if container is None:
            return decode.Decoder(self._body, self.name)
        try:
            return decode.Decoder(self._body, self.name, container=container, options=_QUICK)
        except AudioError:
            try:
                self._body = HttpBody(self, self.request())
            except ConnectionFailed as error:
                raise error.refusal.error from error
            return decode.Decoder(self._body, self.name)

    def _open_hls(self) -> AudioFormat:
        if not decode.available():
            raise AudioError(f"{self.name} is an HLS stream.", hint=decode.install_hint())
        self._decoder = self._hls_decoder()
        self.duration = self._decoder.duration
        if self.duration is not None:
            self.pace = Pace.REAL_TIME
        self._format = self._decoder.format
        return self._format

    def _hls_decoder(self) -> decode.Decoder:
        """Begin to play the playlist. Raises `AudioError`."""
        like = self._format if self._format.sample_rate else None
        if self._hls is not None:
            self._hls.close()
        self._hls = files = HlsFiles(self._verify)
        if self.is_stopped:
            files.stop()
        try:
            # A connection that is used again cannot be handed out: FFmpeg would make it itself.
            return decode.Decoder(
                self._url,
                self.name,
                like=like,
                container="hls",
                options={"http_persistent": "0"},
                opener=files,
            )
        except AudioError as error:
            files.close()
            if files.problem is None and files.missing is not None:
                raise AudioError(f"{self.name} cannot be played. {files.missing}") from error
            raise files.problem or error from error

    def _pause(self, at_least: float = 0.0) -> bool:
        """Wait before the next try, longer each time; False when it is to end."""
        self._tries += 1
        pause = _PAUSES[min(self._tries, len(_PAUSES)) - 1] * random.uniform(0.8, 1.2)
        return self._tries <= _MOST_TRIES and not self._stopped.wait(max(pause, at_least))

    def again(self, why: str, offset: int = 0, validator: str | None = None) -> HttpAnswer | None:
        """Ask again until an answer comes; None when stopped. Raises `AudioError` when it is hopeless."""
        self._note(f"{self.name} broke off: {why} Asking again.")
        wait = 0.0
        while self._pause(wait):
            wait = 0.0
            try:
                answer = self.request(offset, validator)
            except ConnectionFailed as error:
                why = str(error)
                continue
            if 200 <= answer.status < 300:
                self._note(f"{self.name} is back.")
                return answer
            refusal = refused(answer.status, answer.headers, peer=Peer(answer.url, Role.SOURCE))
            wait = min(refusal.retry_after or 0.0, _LONGEST_WAIT)
            why = f"HTTP {phrase(answer.status)}."
        if self.is_stopped:
            return None
        raise AudioError(f"{self.name} did not come back after {_MOST_TRIES} tries: {why}")

    def _note(self, message: str) -> None:
        if not self.is_stopped:
            self._notices.append(Notice(NoticeKind.SOURCE, message))

    def _pieces(self) -> Iterator[bytes]:
        """The audio of one connection."""
        if self._decoder is not None:
            yield from self._decoder.blocks(self._stopped.is_set)
            return
        body = self._body
        begun, self._begun = self._begun, b""
        if begun:
            yield from slices(begun, self._format)
        while body is not None and (piece := body.read()):
            yield from slices(piece, self._format)

    def _reopened(self) -> AudioError | None:
        """Connect to an endless source again, and decode what comes; the error if it is hopeless."""
        why = self._body.dropped or "" if self._body else ""
        while not self.is_stopped:
            try:
                if self._is_hls:
                    if self._pause():
                        self._decoder = self._hls_decoder()
                        self._note(f"{self.name} is back; what was said meanwhile may be missing.")
                    return None
                answer = self.again(why)
                if answer is not None:
                    self._body = HttpBody(self, answer)
                    if self._decoder is not None:
                        container = _FORMATS.get(answer.kind)
                        self._decoder = decode.Decoder(
                            self._body,
                            self.name,
                            like=self._format,
                            container=container,
                            options=_QUICK if container else None,
                        )
            except AudioError as error:
                if self._tries > _MOST_TRIES:
                    return error
                why = error.message
            else:
                return None
        return None

    def _audio(self) -> Iterator[bytes | Notice]:
        """Blocks and notices, over as many connections as it takes; runs on the thread of the pump."""
        try:
            yield from self._connections()
        finally:
            if self._decoder is not None:
                self._decoder.close()
            self._close()

    def _connections(self) -> Iterator[bytes | Notice]:
        while True:
            problem: AudioError | None = None
            try:
                for piece in self._pieces():
                    self._tries = 0
                    self._came += len(piece) / (self._format.byte_rate or math.inf)
                    while self._notices:
                        yield self._notices.popleft()
                    yield piece
            except AudioError as error:
                problem = error
            if self._hls is not None and self._hls.problem is not None:
                problem = self._hls.problem
            while self._notices:
                yield self._notices.popleft()
            endless = self._is_hls and self.pace is Pace.FREE and not (self._hls and self._hls.problem)
            broke = bool(self._body and self._body.dropped) or (endless and problem is not None)
            if self.is_stopped or not broke:
                break
            problem = self._reopened()
            while self._notices:
                yield self._notices.popleft()
            if problem is not None or self.is_stopped:
                break
        if problem is not None and not self.is_stopped:
            raise problem

    def blocks(self) -> Iterator[bytes | Notice]:
        """The audio in blocks, with notices about the source and the titles it plays."""
        self._pump.start()
        yield from self._pump

    def stop(self) -> None:
        """End `blocks` soon, with what was already received."""
        self._stopped.set()
        self._pump.stop()
        if self._hls is not None:
            self._hls.stop()
        if self._answer is not None:
            self._answer.abort()
