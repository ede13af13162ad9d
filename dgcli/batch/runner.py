"""The run of a batch: as many threads as there are to be uploads at once, over one REST caller.

A thread takes the next recording, finds out what is missing, sends what must be sent, and puts what it found
into a queue; whoever iterates over `Runner.run` gets it there, in its own thread. Nothing that happens to one
recording reaches another, but for what concerns them all: a key that is refused, money that has run out, a disk
that is full.

A run that is asked to stop starts nothing any more, breaks off uploads that are not complete, which cost
nothing, and waits for the answers to those that are, which do.
"""

import enum
import errno
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dgcli.api.client import Answer, Client, Sendable, kept_answer
from dgcli.audio import cloud
from dgcli.audio.upload import opened
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.ledger import Ledger, Record, Reservation, Stamp, new_mark, sha256_of, stamp_of
from dgcli.batch.naming import Target
from dgcli.batch.pace import SharedPace, Stopped
from dgcli.batch.planning import Plan, Planner
from dgcli.errors import ApiError, AuthError, DgError, OutputError
from dgcli.output.kept import keep_response
from dgcli.output.plan import rendered
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import callback_id, parse_body

_FULL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
# Bytes that must be free before anything is sent: answers to some hours of speech for each upload under way, and
# for this one as much as its audio has, since words are written in less than they are spoken.
_ROOM = 4 << 20
_LARGEST_ROOM = 64 << 20
_TICK = 0.1  # seconds between looks at a run that is stopping


class Status(enum.Enum):
    """The way a recording ended."""

    DONE = "transcribed"
    MADE = "made"  # of an answer that was there already
    SKIPPED = "skipped"
    ACCEPTED = "accepted"  # the transcript goes to the callback
    FAILED = "failed"


class Phase(enum.Enum):
    """The stage a recording is in; in the last two it has been sent whole, and is paid for."""

    PREPARING = "preparing"
    HELD = "waiting to send"
    SENDING = "sending"
    TRANSCRIBING = "transcribing"
    WRITING = "writing"


@dataclass(slots=True)
class Job:
    """A recording under way, for a display: `sent` of `size` bytes (None: not sent from here)."""

    source: Input
    size: int | None = None
    sent: int = 0
    phase: Phase = Phase.PREPARING
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a recording. `duration` is that of the audio, `seconds` the time it took, both in seconds."""

    source: Input
    status: Status
    outputs: tuple[str, ...] = ()
    error: DgError | None = None
    request_id: str | None = None
    duration: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    notes: tuple[str, ...] = ()


class _Watched:
    """An upload that is hashed as it is sent, and broken off before its last block where the run stops."""

    def __init__(self, upload: Sendable, job: Job, go_on: Callable[[Job, Phase], None]) -> None:
        self._upload = upload
        self._job = job
        self._go_on = go_on
        self._hash = hashlib.sha256()

    @property
    def size(self) -> int:
        return self._upload.size

    @property
    def media_type(self) -> str:
        return self._upload.media_type

    @property
    def sha256(self) -> str:
        """The hash of what was sent last."""
        return self._hash.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        self._hash = hashlib.sha256()
        sent = 0
        for block in self._upload.blocks():
            sent += len(block)
            # Before, not after: the server may begin to compute with the last byte.
            self._go_on(self._job, Phase.SENDING if sent < self.size else Phase.TRANSCRIBING)
            self._hash.update(block)
            yield block


class _JobPace:
    """The shared pace, as seen by the threads of a run: the recording of each shows whether it is held."""

    def __init__(self, pace: SharedPace, job: Callable[[], Job], go_on: Callable[[Job, Phase], None]) -> None:
        self._pace = pace
        self._job = job
        self._go_on = go_on

    def admit(self) -> None:
        job = self._job()
        self._go_on(job, Phase.HELD)
        self._pace.admit()
        job.attempts += 1
        # What the API fetches itself is sent with the request.
        self._go_on(job, Phase.TRANSCRIBING if job.size is None else Phase.SENDING)

    def answered(self, status: int | None, wait: float | None) -> bool:
        return self._pace.answered(status, wait)


def _ends_run(error: DgError) -> bool:
    """Whether an error would meet every other recording as well."""
    if isinstance(error, AuthError):
        return True
    if isinstance(error, ApiError):
        return error.status == 402
    cause = error.__cause__
    return isinstance(error, OutputError) and isinstance(cause, OSError) and cause.errno in _FULL


class Runner:
    """One run over many recordings."""

    def __init__(
        self, plan: Plan, *, retried: Callable[[str], None], slowed: Callable[[float], None] = lambda _: None
    ) -> None:
        self._plan = plan
        self._retried = retried
        self._planner = Planner(plan)
        self._pace = SharedPace(plan.jobs, plan.max_rps, slowed=slowed)
        self._finished: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._own = threading.local()
        self._lock = threading.Lock()
        self._stopping = False
        self._left = False  # nobody waits for answers any more
        self._jobs: dict[int, Job] = {}
        self._client = Client(
            plan.config,
            report=self._again,
            connections=plan.jobs,
            pace=_JobPace(self._pace, lambda: self._own.job, self._go_on),
        )
        self.reason: DgError | None = None  # why the run stopped by itself

    @property
    def running(self) -> Sequence[Job]:
        """The recordings under way, oldest first."""
        return list(self._jobs.values())

    @property
    def width(self) -> int:
        """The number of requests allowed at once, now."""
        return self._pace.width

    def stop(self) -> None:
        """Start no more recordings; safe from a signal handler."""
        self._stopping = True
        self._finished.put(None)  # wakes whoever waits

    def _again(self, message: str) -> None:
        """The REST caller will try once more, after a while."""
        job: Job = self._own.job
        with self._lock:
            job.phase = Phase.HELD
        self._retried(f"{job.source.name}: {message}")

    def _go_on(self, job: Job, phase: Phase) -> None:
        """Enter a phase. Raises `Stopped` where the run is stopping and this costs nothing yet."""
        with self._lock:
            if self._left or (self._stopping and phase is not Phase.WRITING):
                raise Stopped
            job.phase = phase

    def _room(self, size: int) -> int:
        """Return the bytes that the answer to `size` bytes of audio may take, with those of the others under way."""
        return _ROOM * self._plan.jobs + min(size, _LARGEST_ROOM)

    def _sent_file(self, recording: Input, job: Job, ledger: Ledger, query: str) -> tuple[Record, bytes]:
        """Upload a file of this machine, unless the cache has its answer; the answer is on the disk then."""
        plan = self._plan
        with opened(recording.path) as upload:
            before = os.fstat(upload.file.fileno())
            place = ledger.reserve(self._room(upload.size))
            try:
                job.size = upload.size
                watched = _Watched(upload, job, self._go_on)

                def ask() -> Answer:
                    return self._client.transcribe_file(
                        watched,
                        plan.queries[recording.kind],
                        progress=lambda sent: setattr(job, "sent", sent),
                    )

                if plan.cache:
                    sha256 = sha256_of(recording.path)
                    answer = plan.cache.answer(sha256, query, ask, from_body=kept_answer)
                else:
                    answer = ask()
                    sha256 = watched.sha256
                after = os.fstat(upload.file.fileno())
                is_whole = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
                stamp = stamp_of(after) if is_whole else None
                return self._kept(recording, job, answer, query, ledger, place, (sha256, upload.size, stamp))
            finally:
                place.release()

    def _sent_url(self, recording: Input, job: Job, ledger: Ledger, query: str) -> tuple[Record, bytes]:
        """Have the API fetch a recording, or stream it through here; the answer is on the disk then."""
        text = self._plan.queries[recording.kind]
        place = ledger.reserve(self._room(0))
        try:
            if recording.kind is InputKind.URL:
                answer = self._client.transcribe_url(recording.name, text)
                return self._kept(recording, job, answer, query, ledger, place, (None, None, None))
            stamp = cloud.stamp(recording.name)
            signed = cloud.signed(recording.name)
            if signed is not None:
                answer = self._client.transcribe_url(signed, text)
                return self._kept(recording, job, answer, query, ledger, place, (None, None, stamp))
            with cloud.opened(recording.name) as upload:
                job.size = upload.size
                watched = _Watched(upload, job, self._go_on)
                answer = self._client.transcribe_file(
                    watched,
                    self._plan.queries[InputKind.FILE],
                    progress=lambda sent: setattr(job, "sent", sent),
                )
            facts = (watched.sha256, upload.size, stamp)
            return self._kept(recording, job, answer, query, ledger, place, facts)
        finally:
            place.release()

    def _kept(
        self,
        recording: Input,
        job: Job,
        answer: Answer,
        query: str,
        ledger: Ledger,
        place: Reservation,
        audio: tuple[str | None, int | None, Stamp | None],
    ) -> tuple[Record, bytes]:
        """Put an answer where it cannot be lost. Raises `ApiError` when it is no transcript."""
        self._go_on(job, Phase.WRITING)
        sha256, size, stamp = audio
        accepted = callback_id(answer.body)
        request_id = answer.request_id or accepted
        if accepted is None:
            try:
                transcript = parse_body(answer.body)
            except DgError as error:
                error.kept = keep_response(answer.body, answer.request_id)
                raise
            request_id = request_id or transcript.request_id
        record = Record(
            source=recording.name,
            query=query,
            mark=new_mark(),
            request_id=request_id,
            sha256=sha256,
            size=size,
            stamp=stamp,
            accepted=accepted is not None,
        )
        ledger.keep(place, record, recording, answer.body)
        return record, answer.body

    def _write(
        self, missing: Iterable[tuple[Target, str]], transcript: Transcript, record: Record, ledger: Ledger
    ) -> None:
        """Write outputs; one that fails does not stop the others. Raises the first `OutputError`."""
        failure: OutputError | None = None
        for target, rendering in missing:
            try:
                options = self._plan.options.beside(Path(target.path).parent)
                data = rendered(transcript, target.format, options)
                ledger.write(target, data, record, rendering)
            except OutputError as error:
                failure = failure or error
        if failure is not None:
            failure.hint = (
                failure.hint or "The response is safe: the same command writes it without sending again."
            )
            raise failure

    def _transcribed(self, recording: Input, job: Job) -> Outcome:
        """Transcribe and write one recording. Raises `DgError`, `Stopped`."""
        work = self._planner.work_for(recording)
        record, body = work.record, None
        paths = tuple(target.path for target in work.targets)
        if work.is_done:
            return Outcome(recording, Status.SKIPPED, paths, request_id=record.request_id if record else None)
        ledger = self._planner.ledger(recording)
        if record is None:
            send = self._sent_file if recording.kind is InputKind.FILE else self._sent_url
            record, body = send(recording, job, ledger, self._planner.query(recording))
        with self._lock:
            job.phase = Phase.WRITING
        if record.accepted:
            return Outcome(recording, Status.ACCEPTED, request_id=record.request_id, attempts=job.attempts)
        answer = ledger.body(recording, record.query) if body is None else body
        if body is not None:
            work = self._planner.outputs_of(recording, record, lambda: answer)
        transcript = parse_body(answer)
        self._write(work.missing, transcript, record, ledger)
        notes = list(transcript.warnings)
        if transcript.is_empty:
            notes.append("The transcript is empty: no speech was found.")
        return Outcome(
            recording,
            Status.DONE if job.attempts else Status.MADE,
            tuple(target.path for target in work.targets),
            request_id=record.request_id,
            duration=transcript.duration,
            attempts=job.attempts,
            notes=tuple(notes),
        )

    def _outcome(self, recording: Input, job: Job) -> Outcome | None:
        """Process a recording, catching every error; None if the run stops before it cost anything."""
        began = time.monotonic()
        try:
            outcome = self._transcribed(recording, job)
            error = None
        except Stopped:
            return None
        except DgError as failed:
            error = failed
            if isinstance(error, ApiError) and error.body is not None and error.kept is None:
                error.kept = keep_response(error.body, error.request_id)
                error.body = None  # not for thousands of failures
        except Exception as bug:
            error = DgError(f"This is a bug in dg: {type(bug).__name__}: {bug}")
            error.__cause__ = bug
        seconds = time.monotonic() - began
        if error is None:
            return replace(outcome, seconds=seconds)
        if self._plan.fail_fast or _ends_run(error):
            self.reason = self.reason or error
            self._stopping = True
        request_id = getattr(error, "request_id", None)
        # What it came from holds the request, and the blocks that were sent: not for thousands of failures.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return Outcome(
            recording,
            Status.FAILED,
            error=error,
            request_id=request_id,
            seconds=seconds,
            attempts=job.attempts,
        )

    def _work(self, inputs: Iterator[Input]) -> None:
        """The life of a thread."""
        me = threading.get_ident()
        try:
            while not self._stopping:
                with self._lock:
                    recording = next(inputs, None)
                    if recording is None:
                        return
                    job = self._own.job = self._jobs[me] = Job(recording)
                outcome = self._outcome(recording, job)
                if outcome is not None:
                    self._finished.put(outcome)
                with self._lock:
                    del self._jobs[me]
        finally:
            self._finished.put(None)

    def _is_over(self, threads: Sequence[threading.Thread]) -> bool:
        """Whether nothing more will come, or nothing that was paid for."""
        if not any(thread.is_alive() for thread in threads):
            return True
        if not self._stopping:
            return False
        with self._lock:
            paid = any(job.phase in (Phase.TRANSCRIBING, Phase.WRITING) for job in self._jobs.values())
            self._left = not paid  # from now on, nobody may send the rest of anything
            return not paid

    def run(self, inputs: Iterable[Input]) -> Iterator[Outcome | None]:
        """The outcomes, as they come, and None when something else happened that may be told.

        A generator: close it to leave what is under way behind.
        """
        upcoming = iter(inputs)
        # Daemons: leaving at once must not wait for an answer that takes minutes.
        threads = [
            threading.Thread(target=self._work, args=(upcoming,), daemon=True, name=f"upload-{number}")
            for number in range(self._plan.jobs)
        ]
        try:
            for thread in threads:
                thread.start()
            while not self._is_over(threads):
                if self._stopping:
                    self._pace.stop()
                with suppress(queue.Empty):
                    yield self._finished.get(timeout=_TICK)
            while True:
                yield self._finished.get_nowait()
        except queue.Empty:
            return
        finally:
            self._left = True
            self._pace.stop()
            self._client.close()
