"""What `dg file` and `dg url` do with many recordings."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import FrameType
from typing import Any

from dgcli import outputs
from dgcli.audio.upload import opened
from dgcli.batch.examining import Examiner, Existing, Plan
from dgcli.batch.inputs import Input, Kind, Listing, listing
from dgcli.batch.naming import Naming, check_collisions
from dgcli.batch.report import Report
from dgcli.batch.runner import Job, Outcome, Phase, Runner, Status
from dgcli.batch.shard import parse as parse_shard
from dgcli.cache import ResponseCache
from dgcli.commands.prerecorded import local_server
from dgcli.config import Config
from dgcli.errors import BatchError, DgError, Interrupted, OutputError, UsageError
from dgcli.formats import Options, by_name
from dgcli.options import Batch, Connection, Params, Patience, Transcripts
from dgcli.params import Endpoint, Values, encode
from dgcli.ui.batch import Totals, Upload, display, failure_text, hours, line, summary
from dgcli.ui.console import Console, harmless

_NAMED_TWICE_SHOWN = 5
_WORDS = {
    Status.DONE: "transcribed",
    Status.ACCEPTED: "accepted, the transcript goes to the callback",
    Status.MADE: "written, from the response that was there",
    Status.SKIPPED: "skipped, it is there",
}
_ROWS = {
    Status.DONE.value: "transcribed",
    Status.ACCEPTED.value: "accepted: the transcripts go to the callback",
    Status.MADE.value: "written from responses that were there, free of charge",
    Status.SKIPPED.value: "skipped: they are there already",
}


class _Signals:
    """Ends a run on the first signal, and leaves it on the second."""

    def __init__(self, runner: Runner) -> None:
        self.first: int | None = None
        self._runner = runner

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        if self.first is not None:
            raise Interrupted("Left at once.", signal=number)
        self.first = number
        self._runner.stop()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Handle the signals while the block runs; one that is ignored (nohup) stays ignored."""
        before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _existing(batch: Batch) -> Existing:
    """What `--skip-existing` and `--overwrite` say. Raises `UsageError`."""
    if batch.overwrite:
        if batch.skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other.")
        return Existing.OVERWRITE
    text = (batch.skip_existing or Existing.SAME.value).lower()
    if text not in (Existing.SAME.value, Existing.ANY.value):
        raise UsageError(f"--skip-existing takes same or any, not {batch.skip_existing!r}.")
    return Existing(text)


def _language(values: Values) -> str | None:
    """The language of the transcripts, None where the API is to find out."""
    if values.get("detect_language", False) is not False:
        return None
    language = str(values.get("language", "en"))
    if not language.replace("-", "").isalnum():
        raise UsageError(f"The language {language!r} cannot stand in a file's name.")
    return language


def _queries(params: Params, config: Config, kinds: set[Kind]) -> tuple[dict[Kind, str], str | None]:
    """The query for each kind of input there is, and the language. Raises `UsageError`."""
    found: dict[Kind, str] = {}
    language: str | None = "en"
    endpoints = {Kind.FILE: Endpoint.FILE, Kind.URL: Endpoint.URL, Kind.CLOUD: Endpoint.URL}
    if Kind.CLOUD in kinds:
        kinds = {*kinds, Kind.FILE}  # what cannot be signed is streamed, as a file is
    for kind in sorted(kinds, key=lambda one: one.value):
        values = replace(params, endpoint=endpoints[kind]).checked(config)
        found[kind] = encode(values)
        language = _language(values)
    return found, language


def _naming(given: Transcripts, batch: Batch) -> Naming:
    if given.output:
        raise UsageError(
            "-o names the output of one recording.", hint="For many: -f FORMAT, and --output-dir DIR."
        )
    formats = list(dict.fromkeys(by_name(name) for name in given.format or ("text",)))
    folder = None if batch.output_dir is None else str(batch.output_dir)
    if batch.output_dir is not None and not batch.dry_run:
        try:
            batch.output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {batch.output_dir} cannot be made: {error.strerror}.") from error
    return Naming(formats, template=batch.name_template, output_dir=folder)


def _listed(names: Sequence[str], batch: Batch, console: Console) -> Listing:
    """All inputs; what was named twice is told."""
    lists = [(name, b"\n") for name in batch.files_from or ()]
    lists += [(name, b"\0") for name in batch.files0_from or ()]
    found = listing(names, lists, recursive=batch.recursive)
    twice = found.duplicates
    for name in twice[:_NAMED_TWICE_SHOWN]:
        console.note(f"{name} is named twice: it is transcribed once.")
    if len(twice) > _NAMED_TWICE_SHOWN:
        console.note(f"{len(twice) - _NAMED_TWICE_SHOWN} more are named twice.")
    return found


def _print(*fields: str) -> None:
    """A line of a dry run: fields separated by tabs, names in the bytes that they have."""
    text = "\t".join(" ".join(harmless(field).split("\n")) for field in fields)
    outputs.write_stdout(f"{text}\n".encode("utf-8", "surrogateescape"))


def _preview(plan: Plan, inputs: Sequence[Input], console: Console) -> None:
    """Print what a run would do: a line for each recording, and the sums."""
    from dgcli.audio import length

    examiner = Examiner(plan)
    known, unknown, count = 0.0, 0, 0
    for one in inputs:
        try:
            found = examiner.examine(one)
            if one.kind is Kind.FILE and found.record is None and not found.is_done:
                with opened(one.path):
                    pass  # it is there, and neither empty nor too large
        except DgError as error:
            _print("fail", one.name, failure_text(error))
            continue
        if found.is_done:
            what = "skip"
        elif found.record is not None:
            what = "make"
        else:
            what = "send"
            count += 1
            seconds = length.seconds(one.path) if one.kind is Kind.FILE else None
            known += seconds or 0.0
            unknown += seconds is None
        paths = " ".join(target.path for target, _ in found.missing)
        _print(what, one.name, paths)
    rest = f", and {unknown} of unknown length" if unknown else ""
    console.note(f"{count} of {len(inputs)} would be sent: {hours(known)} of audio{rest}.")


def _upload(job: Job) -> Upload:
    share = job.sent / job.size if job.phase is Phase.SENDING and job.size else None
    return Upload(job.source.name, job.phase.value, share)


def _told(outcome: Outcome) -> str:
    """What became of a recording, in some words."""
    if outcome.error is not None:
        return f"failed: {failure_text(outcome.error)}"
    audio = f"{hours(outcome.duration)} of audio, " if outcome.duration else ""
    taken = f" ({audio}{outcome.seconds:.1f} s)" if outcome.status is not Status.SKIPPED else ""
    return _WORDS[outcome.status] + taken


def _count(outcome: Outcome, totals: Totals, report: Report, console: Console) -> None:
    """Note and tell one outcome."""
    report.add(outcome)
    status = outcome.status.value
    totals.counts[status] = totals.counts.get(status, 0) + 1
    if outcome.error is not None:
        totals.failures.append((outcome.source.name, outcome.error))
    if outcome.status is Status.DONE:
        totals.audio += outcome.duration or 0.0
    line(console, totals, outcome.source.name, _told(outcome), outcome.error)
    for note in outcome.notes:
        console.warning(f"{outcome.source.name}: {note}")


def _conclude(totals: Totals, runner: Runner, interrupted: int | None) -> None:
    """Raise what the exit code is to say."""
    if interrupted is not None and totals.left:
        raise Interrupted(
            f"Interrupted with {totals.left} of {totals.total} not begun.",
            signal=interrupted,
            hint="The same command goes on from there.",
        )
    errors = [error for _, error in totals.failures]
    if not errors:
        return
    first = runner.reason or errors[0]
    failed = len(errors)
    if totals.total == 1:
        raise first
    is_all = failed + totals.left == totals.total
    rest = f", and {totals.left} were not begun" if totals.left else ""
    message = f"{failed} of {totals.total} failed{rest}: {failure_text(first)}"
    if failed > 1 and not is_all:
        message = f"{failed} of {totals.total} failed{rest}."
    failure = BatchError(message, hint=first.hint)
    codes = {error.exit_code for error in errors}
    if is_all and len(codes) == 1:
        failure.exit_code = codes.pop()
    raise failure


def _run(plan: Plan, found: Listing, report: Report, console: Console) -> None:
    """Transcribe everything, showing how it goes."""
    totals = Totals(len(found.inputs) + len(found.problems))
    runner = Runner(
        plan,
        retried=console.detail,
        slowed=lambda wait: console.detail(f"The server is busy: all uploads wait {wait:.0f} s."),
    )
    signals = _Signals(runner)
    told = False
    with signals.caught():
        with display(console, totals, lambda: [_upload(job) for job in runner.running]):
            for name, error in found.problems:
                _count(
                    Outcome(Input(Kind.FILE, "", "", name), Status.FAILED, error=error),
                    totals,
                    report,
                    console,
                )
            for outcome in runner.run(found.inputs):
                if outcome is not None:
                    _count(outcome, totals, report, console)
                if signals.first is not None and not told:
                    told = True
                    console.note("Waiting for what is uploaded already; Ctrl-C again leaves at once.")
        if totals.total > 1:
            summary(console, totals, _ROWS)
        if report.failure is not None:
            console.warning(report.failure.message)
    _conclude(totals, runner, signals.first)


def transcribe_many(
    names: Sequence[str],
    params: Params,
    given: Transcripts,
    options: Options,
    batch: Batch,
    connection: Connection,
    patience: Patience,
    console: Console,
) -> None:
    """Transcribe all that `names` and the lists of `batch` stand for. Raises every `DgError` there is."""
    config = connection.config(timeout=patience.timeout, retries=patience.retries)
    naming, existing = _naming(given, batch), _existing(batch)
    found = _listed(names, batch, console)
    queries, language = _queries(params, config, {one.kind for one in found.inputs})
    if found.inputs:
        check_collisions(found, naming, language or "")
    if batch.shard:
        shard = parse_shard(batch.shard, os.environ)
        before = len(found.inputs)
        found.inputs = [one for one in found.inputs if shard.takes(one.share)]
        # What cannot be read at all is told once, not by every share.
        found.problems = [problem for problem in found.problems if shard.takes(problem[0])]
        console.note(f"Share {shard}: {len(found.inputs)} of {before} recordings.")
    if not found.inputs and not found.problems:
        console.note("There is nothing to transcribe.")
    plan = Plan(
        config=config,
        queries=queries,
        server="local" if connection.local else config.host,
        naming=naming,
        options=options,
        language=language,
        existing=existing,
        jobs=batch.jobs or 4,
        max_rps=batch.max_rps,
        fail_fast=batch.fail_fast,
        cache=ResponseCache() if batch.cache else None,
    )
    if batch.dry_run:
        _preview(plan, found.inputs, console)
        return
    if not connection.local:
        config.authorization()  # without a key there is no point in going through everything
    with (
        Report(batch.report) as report,
        local_server(config) if connection.local else nullcontext(config) as here,
    ):
        _run(replace(plan, config=here), found, report, console)
