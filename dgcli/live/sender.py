"""The sender's thread: it owns the state of a stream, and alone decides what happens next.

Everything reaches it through one inbox: blocks of the source, messages and ends of connections, wishes of the
main thread. So nothing it holds needs a lock. It waits for nothing else than that inbox, with a time-out, and
for a send, up to `send_timeout`.
"""

import math
from queue import Empty, SimpleQueue

from dgcli.api.refusals import ABNORMAL, NO_CODE, Refusal, closed, failed, nothing_heard, unfinished
from dgcli.audio.base import AudioFormat, Pace, Source
from dgcli.errors import DgError
from dgcli.live import messages
from dgcli.live.closing import ClosingSteps
from dgcli.live.configuration import Reconfiguration
from dgcli.live.connection import ConnectionEnded
from dgcli.live.dialer import Dialer
from dgcli.live.feeder import Feeder
from dgcli.live.messages import Link
from dgcli.live.replay_buffer import SHORTEST, ReplayBuffer
from dgcli.live.results import Results
from dgcli.live.settings import Clock, StreamSettings
from dgcli.live.state import State, move
from dgcli.live.tap import Tap
from dgcli.live.transmission import Transmission
from dgcli.transcript.events import Closed, Event, Final, Interim, Metadata, Notice, NoticeKind, Opened
from dgcli.transcript.messages import parse_message
from dgcli.transcript.oddities import odd_message

_BATCH = 64  # messages taken before sending again
_GRACE = 1.0  # seconds for a source to end when it was told to, and for a server to close after Metadata
_ASLEEP = 2.0  # seconds without a turn of the loop: the process was stopped, not the network
_SLOW = 5.0  # seconds that results may be behind the audio
_TICK = 1.0  # seconds between two turns of the loop at most
_UNSAID = 0.5  # seconds at the end that a server may leave without a final, if it closes in good order


class Sender:
    """Takes audio and sends it, over one connection after another, until every second is covered or lost."""

    def __init__(
        self,
        source: Source,
        audio: AudioFormat,
        settings: StreamSettings,
        clock: Clock,
        inbox: "SimpleQueue[messages.ToSender]",
        events: "SimpleQueue[messages.ToMain]",
    ) -> None:
        self.state = State.CONNECTING
        self.link: Link | None = None
        self.feeder = Feeder(source, audio, settings, clock, inbox)
        self._pace = source.pace
        self._settings = settings
        self._clock = clock
        self._inbox = inbox
        self._events = events
        self._changes = Reconfiguration(settings.configure_timeout)
        self._protocol = settings.protocol
        self._closing = ClosingSteps(settings.protocol)
        self._replay = ReplayBuffer(audio, settings.journal_seconds, settings.protocol.frames)
        self._results = Results(settings.protocol, self._replay)
        tap = Tap(audio, events, open_=settings.tap is not None)
        self._transmission = Transmission(self._replay, tap, clock, settings.catch_up)
        self._dialer = Dialer(settings, clock)
        self._opened = 0  # connections
        self._turn = clock.now()
        self._awake = self._turn
        self._first_audio: float | None = None
        self._source_done = False
        self._source_error: BaseException | None = None
        self._planned = False  # a stop that is not the end of the source
        self._stopped_at: float | None = None  # when the source was told to end
        self._deadline = math.inf  # of a stop that the user wants

    @property
    def audio_seconds(self) -> float:
        """Audio sent, without what was sent again."""
        return self._transmission.seconds

    # What arrives.

    def _emit(self, event: Event) -> None:
        self._events.put(event)

    def _notice(
        self, kind: NoticeKind, message: str, start: float | None = None, end: float | None = None
    ) -> None:
        self._emit(Notice(kind, message, start, end))

    def _sent_until(self) -> float:
        """The time up to which audio was ever sent."""
        return self._replay.seconds(self._transmission.high)

    def _take(self, item: messages.ToSender) -> None:
        match item:
            case messages.Block():
                self.feeder.took()
                if self._first_audio is None:
                    self._first_audio = self._clock.now()
                self._replay.append(item, self._transmission.high)
            case messages.MessageReceived():
                self._take_message(item.link, item.text)
            case messages.Linked():
                self._take_link(item.link)
            case messages.Unlinked():
                self._take_ending(item.link, item.ending)
            case messages.SourceNotice():
                self._planned = self._planned or item.notice.kind is NoticeKind.STOPPING
                self._emit(item.notice)
            case messages.SourceEnded():
                self._source_done = True
                self._source_error = item.error
            case messages.Stop():
                self._stop(item.message or "Stopping: what was sent is being finished.")
                self._deadline = min(self._deadline, self._clock.now() + self._settings.stop_timeout)
                self._dialer.stop()
            case messages.Abort():
                self._finish()
            case messages.FinalizeNow():
                self._say(self._protocol.finalize(item.channel))
            case messages.Reconfigure():
                self._changes.ask(item.change)
            case messages.Pause() if self._stopped_at is None:
                self.feeder.pause()
                if self._protocol.finalizes_silence or self._results.is_speaking:
                    self._say(self._protocol.finalize())
                self._notice(NoticeKind.PAUSED, "Paused: nothing is sent.", self._sent_until())
            case messages.Resume():
                self.feeder.resume()
                self._notice(NoticeKind.RESUMED, "Going on.", self._sent_until())
            case messages.Crashed():
                raise item.error

    def _take_message(self, link: Link, text: str) -> None:
        link.last_message = self._clock.now()
        cursor = self._replay.seconds(link.sent)
        event = parse_message(text, link.offset, cursor, channels=self._settings.channels)
        match event:
            case Interim() | Final():
                if isinstance(event, Final) and (odd := odd_message(event.raw, event.words)):
                    self._notice(NoticeKind.SERVER, odd)
                event, is_news = self._results.take(link, event)
                if is_news:
                    self._dialer.progressed()
            case Notice():
                self._changes.take(event)
                if self._protocol.has_fatal_errors and event.raw.get("type") == "Error":
                    link.fault = event.message
            case Metadata():
                link.heard = event.duration
                self._replay.heard(1, link.sent - link.begun, event.duration)
        if not self._closing.take(event):
            self._emit(event)

    def _take_link(self, link: Link) -> None:
        """Take up the stream on a new connection, where the finals end."""
        if link.failing is not None:
            return  # too late
        now = self._clock.now()
        again = self._opened > 0
        cut = self._transmission.begin(
            link, now, limited=again or self._pace is not Pace.FREE or self._replay.exact
        )
        self._closing.reset()
        link.open = True
        link.since = link.last_sent = link.last_ping = link.last_message = now
        self._opened += 1
        self._changes.connected()
        self.state = move(self.state, State.OPEN)
        self._emit(Opened(link.connection.request_id, self._opened, link.offset))
        if again:
            seconds = self._replay.seconds(self._replay.end) - link.offset
            message = f"Connected again; {seconds:.1f} s of audio to catch up with."
            self._notice(NoticeKind.RECONNECTED, message, link.offset)
            if self._settings.diarized:
                message = "Speaker numbers begin anew."
                self._notice(NoticeKind.SPEAKERS_RESTARTED, message, link.offset)
        if cut.missing_from is not None:
            self._gap(cut.missing_from, cut.time)

    def _gap(self, start: float, end: float) -> None:
        message = f"{end - start:.2f} s of audio were not transcribed."
        self._notice(NoticeKind.GAP, message, start, end)

    # A connection is gone.

    def _is_complete(self, link: Link, ending: Refusal) -> bool:
        """Whether a connection that ended while draining had said everything."""
        if self.state is not State.DRAINING or ending.code not in (1000, ABNORMAL, NO_CODE):
            return False
        if link.fault or not self._closing.done:
            return self._closing.refused and self._results.uncovered <= _UNSAID
        return self._protocol.has_said_all(
            ending.code, summarized=link.heard is not None, uncovered=self._results.uncovered
        )

    def _take_ending(self, link: Link, ending: Refusal) -> None:
        # A close frame says more than the send that failed because of it.
        if link.failing is not None and ending.code in (None, ABNORMAL):
            ending = link.failing
        if link.fault and ending.code is not None:
            ending = failed(ending.code, link.fault, link.connection.request_id or None)
        link.join(_GRACE)
        self.link = None
        is_quiet = link.heard == 0.0 or (
            link.heard is None and self._protocol.has_fatal_errors and self._closing.done
        )
        if is_quiet and not link.results and link.sent > link.begun and ending.code in (1000, NO_CODE):
            seconds = self._replay.seconds(link.sent) - link.offset
            if seconds >= 1.0 or not self._replay.exact:
                ending = nothing_heard(link.connection.request_id or None)
                self._finish(ending.error)
                return
        if self._is_complete(link, ending):
            self._finish(complete=True)
            return
        turned_away = not ending.retry and not link.results and self._opened == 1
        if self._source_done and self._replay.settled and not turned_away:
            self._finish(complete=True)
            return
        message = self._dialer.after(ending, was_connected=self._opened > 0)
        if message is None:
            self._finish(ending.error)
            return
        if self.state is not State.RECONNECTING:
            self.state = move(self.state, State.RECONNECTING)
        self._notice(NoticeKind.DROPPED, message, self._replay.seconds(link.sent or self._transmission.high))

    def _connect(self, now: float) -> None:
        self.link = Link(self._dialer.dial(), self._inbox, now)
        self.link.start()

    # What is sent.

    def _say(self, text: str) -> None:
        """Send a text message, if there is a connection."""
        link = self.link
        if link is None or self.state is not State.OPEN or link.failing is not None:
            return
        try:
            link.connection.send_text(text)
            link.last_sent = self._clock.now()
        except ConnectionEnded as ended:
            link.give_up(ended.ending)

    def _send_change(self, link: Link, now: float) -> None:
        """Ask for the next change of settings, if the one before was answered."""
        if self._changes.expired(now):
            self._notice(NoticeKind.NOT_CONFIGURED, "The server did not answer to a change of settings.")
        change = self._changes.next(now)
        if change is not None:
            link.connection.send_text(self._protocol.configure(change))
            link.last_sent = now

    def _drive(self, link: Link, now: float) -> None:
        """Send what is due on an open connection. Raises `ConnectionEnded`."""
        settings = self._settings
        if now - link.last_ping >= settings.ping_every:
            link.connection.ping()
            link.last_ping = now
        if self.state is State.OPEN:
            self._send_change(link, now)
            self._transmission.send(link, last=self._source_done)
            if self._source_done and link.sent == self._replay.end:
                self._closing.begin(planned=self._planned)
                self.state = move(self.state, State.DRAINING)
            elif self._protocol.keep_alive is not None and now - link.last_sent >= settings.keepalive:
                link.connection.send_text(self._protocol.keep_alive)
                link.last_sent = now
        heard = max(link.connection.last_received, link.since, self._awake)
        if now - heard >= settings.dead_after:
            raise ConnectionEnded(closed(ABNORMAL, f"nothing was received for {settings.dead_after:g} s"))

    def _drain(self, link: Link, now: float) -> None:
        """Say what ends a stream and wait, under a deadline, for the last results. Raises `ConnectionEnded`."""
        while (text := self._closing.next(now)) is not None:
            link.connection.send_text(text)
            link.last_message = self._clock.now()
        silent = now - link.last_message
        if link.heard is not None and silent >= _GRACE:
            self._finish(complete=True)
        elif silent >= self._settings.close_timeout:
            if self._results.uncovered <= _UNSAID:
                self._finish(complete=True)
                return
            raise ConnectionEnded(unfinished(self._settings.close_timeout))

    # The end.

    def _stop(self, message: str) -> None:
        """Take no more audio."""
        if self._stopped_at is None:
            self._stopped_at = self._clock.now()
            self._planned = True
            self._notice(NoticeKind.STOPPING, message)
            self.feeder.stop()

    def _finish(self, error: DgError | None = None, *, complete: bool = False) -> None:
        """The stream is over. `complete`: the server has said all that there was to say."""
        if self._is_over():
            return
        last = self._results.let_stand(self._transmission.high)
        if last is not None:
            self._emit(last)
        uncovered = self._replay.uncovered
        if not complete and uncovered >= SHORTEST and (self._opened or error is None):
            self._gap(self._replay.covered, self._replay.covered + uncovered)
        self._transmission.end()
        self.state = move(self.state, State.CLOSED)
        if error is None and self._source_error is not None:
            if not isinstance(self._source_error, DgError):
                self._events.put(messages.Crashed(self._source_error))
                return
            error = self._source_error
        self._emit(Closed(self.audio_seconds, self._opened, error))

    # The loop.

    def _is_over(self) -> bool:
        return self.state is State.CLOSED

    def _stop_when_due(self, now: float) -> None:
        """Stop where a stop was planned, and enforce the deadline of a stop."""
        settings = self._settings
        if now >= self._deadline:
            self._finish()
        elif self._stopped_at is not None:
            if now - self._stopped_at >= self._grace():
                self._source_done = True  # it hangs in a read
        elif not self._source_done and self._first_audio is not None:
            silent = max(self._results.reached, self.audio_seconds - _SLOW) - self._results.last_word
            long = now - self._first_audio
            if settings.duration is not None and not self._replay.exact and long >= settings.duration:
                self._stop("The duration asked for is over.")
            elif settings.stop_after_silence is not None and silent >= settings.stop_after_silence:
                self._stop(f"Nothing was said for {settings.stop_after_silence:g} s.")

    def _grace(self) -> float:
        return min(_GRACE, self._settings.stop_timeout / 4)

    def _has_audio(self) -> bool:
        """Whether there is something to open a connection for."""
        enough = self._replay.frame_size(self._replay.cut().position, last=self._source_done) > 0
        return enough and not (self._opened and self._replay.settled)

    def _advance(self) -> None:
        now = self._clock.now()
        if now - self._turn >= _ASLEEP:
            self._awake = now
        self._turn = now
        self._stop_when_due(now)
        if self._is_over():
            return
        link = self.link
        if link is None:
            if self._has_audio():
                if now >= self._dialer.next_try:
                    self._connect(now)
            elif self._source_done:
                self._finish(complete=True)
        elif link.failing is None and link.open:
            try:
                self._drive(link, now)
                if self.state is State.DRAINING:
                    self._drain(link, now)
            except ConnectionEnded as ended:
                link.give_up(ended.ending)
        elif not link.open and now - link.since >= 2 * self._settings.connect_timeout:
            link.give_up(closed(ABNORMAL, "the handshake took too long"))

    def _wait(self) -> float:
        """Return the stream seconds until something is due."""
        settings, link = self._settings, self.link
        now = self._clock.now()
        due = [now + _TICK, self._deadline]
        if self._stopped_at is not None and not self._source_done:
            due.append(self._stopped_at + self._grace())
        if link is None:
            due += [self._dialer.next_try] * (self._dialer.next_try > now)
        elif link.open and link.failing is None:
            due.append(link.last_ping + settings.ping_every)
            if self._closing.due is not None:
                due.append(self._closing.due)
            if self.state is State.OPEN:
                if self._protocol.keep_alive is not None:
                    due.append(link.last_sent + settings.keepalive)
                audio = self._transmission.due(link, now, last=self._source_done)
                if audio is not None:
                    due.append(audio)
        return max(0.0, min(due) - now)

    def run(self) -> None:
        """The thread: until the stream is closed."""
        try:
            self.feeder.start()
            while not self._is_over():
                try:
                    self._take(self._inbox.get(timeout=self._clock.real(self._wait())))
                    for _ in range(_BATCH):
                        self._take(self._inbox.get_nowait())
                except Empty:
                    pass
                if not self._is_over():
                    self._advance()
        except DgError as error:
            self._finish(error)
        except BaseException as error:  # it travels to the main thread as a value
            self._events.put(messages.Crashed(error))
        finally:
            self.state = State.CLOSED
            link = self.link
            if link is not None:
                link.connection.abort()
            self._replay.close()
            self.feeder.abandon()
            if link is not None:
                link.join(_GRACE)  # closes the socket, also of a stream that nobody waits for any more
