"""The run of a batch: as many threads as there are to be uploads at once, over one REST caller.

A thread takes the next recording, finds out what is missing, sends what must be sent, and puts what it found
into a queue; whoever iterates over `Runner.run` gets it there, in its own thread. Nothing that happens to one
recording reaches another, but for what concerns them all: a key that is refused, money that has run out, a disk
that is full.

A run that is asked to stop starts nothing any more, breaks off uploads that are not complete, which cost
nothing, and waits for the answers to those that are, which do.
"""

import errno
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dgcli.api.client import Client
from dgcli.batch.index import DamagedAnswer
from dgcli.batch.inputs import Input
from dgcli.batch.jobs import Job, Outcome, Phase, Status
from dgcli.batch.ledger import Ledger
from dgcli.batch.naming import Target
from dgcli.batch.pace import SharedPace, Stopped
from dgcli.batch.planning import Plan, Planner, Work
from dgcli.batch.record import Record
from dgcli.batch.sending import BatchSender
from dgcli.errors import ApiError, AuthError, DgError, OutputError
from dgcli.output.kept import keep_response
from dgcli.output.plan import rendered
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse_body

_FULL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
_TICK = 0.1  # seconds between looks at a run that is stopping, or at what another process has claimed


class _Elsewhere(Exception):
    """Another process is at this recording: it is seen to when the others are done."""


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


def _skipped(recording: Input, work: Work) -> Outcome:
    """The outcome for a recording with nothing to do."""
    request_id = work.record.request_id if work.record else None
    paths = tuple(target.path for target in work.targets)
    return Outcome(recording, Status.SKIPPED, paths, request_id=request_id)


class Runner:
    """One run over many recordings.

    `retried` is told of attempts that are repeated, `slowed` (seconds) when the server holds the run back,
    `warned` of what is damaged.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        retried: Callable[[str], None],
        slowed: Callable[[float], None] = lambda _: None,
        warned: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._retried = retried
        self._warned = warned
        self._planner = Planner(plan, warned=warned)
        self._pace = SharedPace(plan.jobs, plan.max_rps, slowed=slowed)
        self._finished: queue.SimpleQueue[tuple[Outcome, ...]] = queue.SimpleQueue()
        self._own = threading.local()
        self._lock = threading.Lock()
        self._dealing = threading.Lock()
        self._stopping = False
        self._left = False  # nobody waits for answers any more
        self._jobs: dict[int, Job] = {}
        self._elsewhere: deque[Input] = deque()
        self._client = Client(
            plan.config,
            report=self._again,
            connections=plan.jobs,
            pace=_JobPace(self._pace, lambda: self._own.job, self._go_on),
        )
        self._sender = BatchSender(plan, self._client, self._go_on, told=retried, warned=warned)
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
        self._finished.put(())  # wakes whoever waits

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

    def _write(
        self,
        recording: Input,
        missing: Iterable[tuple[Target, str]],
        transcript: Transcript,
        record: Record,
        ledger: Ledger,
    ) -> None:
        """Write outputs; one that fails does not stop the others. Raises the first `OutputError`."""
        failure: OutputError | None = None
        for target, rendering in missing:
            try:
                options = self._plan.options.beside(Path(target.path).parent).named_after(recording.name)
                data = rendered(transcript, target.format, options)
                ledger.write(target, data, record, rendering)
            except OutputError as error:
                failure = failure or error
        if failure is not None:
            failure.hint = (
                failure.hint or "The response is safe: the same command writes it without sending again."
            )
            raise failure

    def _usable(self, recording: Input, ledger: Ledger) -> tuple[Work, Transcript | None]:
        """Find out what a claimed recording needs; an answer that cannot be used any more is put aside."""
        query = self._planner.query(recording)
        try:
            work = self._planner.work_for(recording)
            if work.record is None or work.record.accepted or work.is_done:
                return work, None
            return work, parse_body(ledger.body(recording, query))
        except (DamagedAnswer, ApiError) as error:
            reason = error.summary if isinstance(error, DgError) else str(error)
            self._warned(f"{recording.name}: The answer in {ledger.folder} cannot be used, and is asked for "
                         f"again: {reason.rstrip('.')}.")  # fmt: skip
            ledger.set_aside(recording, query)
        return self._planner.work_for(recording), None

    def _claimed(self, recording: Input, job: Job, ledger: Ledger) -> Outcome:
        """Transcribe and write one recording that nobody else has. Raises `DgError`, `Stopped`."""
        work, transcript = self._usable(recording, ledger)
        record = work.record
        if work.is_done:
            return _skipped(recording, work)
        if record is None:
            received = self._sender.send(recording, job, ledger, self._planner.query(recording))
            record, transcript = received.record, received.transcript
        with self._lock:
            job.phase = Phase.WRITING
        if transcript is None:
            return Outcome(recording, Status.ACCEPTED, request_id=record.request_id, attempts=job.attempts)
        if work.record is None:
            work = self._planner.outputs_of(recording, record, lambda: transcript.body)
        self._write(recording, work.missing, transcript, record, ledger)
        notes = [*job.notes, *transcript.warnings]
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

    def _transcribed(self, recording: Input, job: Job) -> Outcome:
        """Transcribe and write one recording. Raises `DgError`, `Stopped`, `_Elsewhere`."""
        try:
            work = self._planner.work_for(recording)
            if work.is_done:
                return _skipped(recording, work)
        except DamagedAnswer:
            pass  # seen again, and put aside, once it is claimed
        ledger = self._planner.ledger(recording)
        claim = ledger.claim(recording, self._planner.query(recording))
        if claim is None:
            raise _Elsewhere
        with claim:
            return self._claimed(recording, job, ledger)

    def _outcome(self, recording: Input, job: Job) -> Outcome | None:
        """Process a recording, catching every error; None if the run stops before it cost anything.

        Raises `_Elsewhere`.
        """
        began = time.monotonic()
        error: DgError
        try:
            outcome = self._transcribed(recording, job)
        except Stopped:
            return None
        except _Elsewhere:
            raise
        except DgError as failed:
            error = failed
            if isinstance(error, ApiError) and error.body is not None and error.kept is None:
                error.kept = keep_response(error.body, error.request_id, name=recording.name)
                error.body = None  # not for thousands of failures
        except BaseException as bug:  # whatever a library raises, the thread goes on to the next
            error = DgError(f"This is a bug in dg: {type(bug).__name__}: {bug}")
            error.__cause__ = bug
        else:
            return replace(outcome, seconds=time.monotonic() - began)
        finally:
            self._pace.abandon()
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
            seconds=time.monotonic() - began,
            attempts=job.attempts,
        )

    def _undone(self, inputs: Iterator[Input]) -> Input | None:
        """The next recording for which there is something to do.

        What is done already is told many at a time, by one thread: handing each of twenty thousand from thread
        to thread takes longer than finding it.
        """
        done: list[Outcome] = []
        last = time.monotonic()
        try:
            with self._dealing:
                for recording in inputs:
                    work = self._planner.settled(recording)
                    if work is None or self._stopping:
                        return recording
                    done.append(_skipped(recording, work))
                    if time.monotonic() - last > _TICK:
                        self._finished.put(tuple(done))
                        done, last = [], time.monotonic()
                return None
        finally:
            if done:
                self._finished.put(tuple(done))

    def _next(self, inputs: Iterator[Input]) -> Job | None:
        """The next recording for this thread; at the end, those that another process had before."""
        recording = self._undone(inputs)
        phase = Phase.PREPARING
        with self._lock:
            if recording is None and self._elsewhere:
                recording, phase = self._elsewhere.popleft(), Phase.ELSEWHERE
            if recording is None or self._stopping:
                return None
            job = self._own.job = self._jobs[threading.get_ident()] = Job(recording, phase=phase)
        if phase is Phase.ELSEWHERE:
            time.sleep(_TICK)
        return job

    def _work(self, inputs: Iterator[Input]) -> None:
        """The life of a thread."""
        try:
            while not self._stopping and (job := self._next(inputs)) is not None:
                outcome = None
                try:
                    outcome = self._outcome(job.source, job)
                except _Elsewhere:
                    with self._lock:
                        self._elsewhere.append(job.source)
                if outcome is not None:
                    self._finished.put((outcome,))
                with self._lock:
                    del self._jobs[threading.get_ident()]
        finally:
            self._finished.put(())

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
                    yield from self._finished.get(timeout=_TICK) or (None,)
            while True:
                yield from self._finished.get_nowait()
        except queue.Empty:
            return
        finally:
            self._left = True
            self._pace.stop()
            self._client.close()
            if not any(thread.is_alive() for thread in threads):
                self._planner.close()
