"""A batch: its recordings are listed, compared with what is there, sent, and reported."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dgcli.audio.track import USUAL_TRACK, TrackChoice
from dgcli.batch.cached import CachedAnswers
from dgcli.batch.index import FOLDER
from dgcli.batch.inputs import Input, InputKind, Listing, listing, missing_error
from dgcli.batch.jobs import Job, Outcome, Phase, Status
from dgcli.batch.naming import Naming, check_collisions
from dgcli.batch.planning import Existing, Plan
from dgcli.batch.report import Report
from dgcli.batch.runner import Runner
from dgcli.batch.shard import parse as parse_shard
from dgcli.batch.totals import Totals
from dgcli.config import Config
from dgcli.errors import BatchError, Interrupted, OutputError, UsageError
from dgcli.formats import RenderSettings, by_name
from dgcli.params import Endpoint, Values, encode
from dgcli.tasks.keeping import BatchReference, check_cache, history_of
from dgcli.tasks.local import reached
from dgcli.tasks.preview import preview_batch
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.signals import Signals
from dgcli.tasks.transcribe import NOT_SHOWN

_NAMED_TWICE_SHOWN = 5
# The parameter that asks for each section.
_ANALYSES = {
    "summary": "summarize",
    "topics": "topics",
    "intents": "intents",
    "entities": "detect_entities",
    "sentiment": "sentiment",
    "search": "search",
    "language": "detect_language",
}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """The settings of a batch.

    `names` are paths, patterns and URLs; `lists` files that name more, with the byte that ends a name there.
    `values` gives the checked query parameters for an endpoint. `formats` are those of the outputs, which lie
    beside the recordings or below `output_dir`, named by `name_template`. `show_request` is the program that a request
    is shown for instead of sending any.
    """

    names: Sequence[str]
    values: Callable[[Endpoint], Values]
    lists: Sequence[tuple[str, bytes]] = ()
    recursive: bool = False
    formats: Sequence[str] = ("text",)
    output_dir: Path | None = None
    name_template: str | None = None
    render: RenderSettings = field(default_factory=RenderSettings)
    existing: str = Existing.SAME.value  # a value of `Existing`
    jobs: int = 4
    max_rps: float | None = None
    fail_fast: bool = False
    dry_run: bool = False
    report: Path | None = None
    shard: str | None = None
    cache: bool = False
    local: bool = False
    any_file: bool = False
    track: TrackChoice = USUAL_TRACK
    show_request: str | None = None


def _language(values: Values) -> str | None:
    """The language of the transcripts, None where the API is to find out."""
    if values.get("detect_language", False) is not False:
        return None
    language = str(values.get("language", "en"))
    if not language.replace("-", "").isalnum():
        raise UsageError(f"The language {language!r} cannot stand in a file's name.")
    return language


def _queries(
    values_for: Callable[[Endpoint], Values], kinds: set[InputKind]
) -> tuple[dict[InputKind, str], str | None]:
    """The query for each kind of input there is, and the language. Raises `UsageError`."""
    queries: dict[InputKind, str] = {}
    language: str | None = "en"
    endpoints = {InputKind.FILE: Endpoint.FILE, InputKind.URL: Endpoint.URL, InputKind.CLOUD: Endpoint.URL}
    if InputKind.CLOUD in kinds:
        kinds = {*kinds, InputKind.FILE}  # what cannot be signed is streamed, as a file is
    for kind in sorted(kinds, key=lambda kind: kind.value):
        values = values_for(endpoints[kind])
        queries[kind] = encode(values)
        language = _language(values)
    return queries, language


def _naming(settings: BatchSettings, *, make_folder: bool) -> Naming:
    formats = list(dict.fromkeys(by_name(name) for name in settings.formats))
    folder = settings.output_dir
    if folder is not None and make_folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return Naming(
        formats, template=settings.name_template, output_dir=None if folder is None else str(folder)
    )


def _listed(settings: BatchSettings, reporter: Reporter) -> Listing:
    """List all inputs; report duplicates."""
    listed = listing(settings.names, settings.lists, recursive=settings.recursive, any_file=settings.any_file)
    twice = listed.duplicates
    for name in twice[:_NAMED_TWICE_SHOWN]:
        reporter.note(f"{name} is named twice: it is transcribed once.")
    if len(twice) > _NAMED_TWICE_SHOWN:
        reporter.note(f"{len(twice) - _NAMED_TWICE_SHOWN} more are named twice.")
    for name, reason in listed.skipped:
        reporter.warning(f"{name} is skipped: {reason}.")
    if listed.left_out:
        reporter.note(f"{listed.left_out} skipped that are no recordings; --any-file sends what lists name.")
    return listed


def _prepared(
    config: Config, settings: BatchSettings, reporter: Reporter, *, make_folder: bool
) -> tuple[Plan, Listing]:
    """Plan a run. Raises `UsageError` and `OutputError`."""
    naming = _naming(settings, make_folder=make_folder)
    listed = _listed(settings, reporter)
    queries, language = _queries(settings.values, {source.kind for source in listed.inputs})
    if listed.inputs:
        check_collisions(listed, naming, language or "")
    if settings.shard:
        shard = parse_shard(settings.shard, os.environ)
        before = len(listed.inputs)
        listed.inputs = [source for source in listed.inputs if shard.takes(source.share)]
        # What cannot be read at all is told once, not by every share.
        listed.problems = [problem for problem in listed.problems if shard.takes(problem[0])]
        reporter.note(f"Share {shard}: {len(listed.inputs)} of {before} recordings.")
    if not listed.inputs and not listed.problems:
        reporter.note("There is nothing to transcribe.")
    server = "local" if settings.local else config.host
    plan = Plan(
        config=config,
        queries=queries,
        server=server,
        naming=naming,
        options=settings.render.spoken_in(settings.values(Endpoint.FILE).get("language")),
        language=language,
        existing=Existing(settings.existing),
        jobs=settings.jobs,
        max_rps=settings.max_rps,
        fail_fast=settings.fail_fast,
        cache=CachedAnswers(history_of(config), server) if settings.cache else None,
        any_file=settings.any_file,
        track=settings.track,
    )
    return plan, listed


def _beside(inputs: Sequence[Input]) -> str:
    """Where outputs go without --output-dir."""
    return (
        "beside the recordings"
        if any(source.kind is InputKind.FILE for source in inputs)
        else "in this folder"
    )


def _place(plan: Plan, inputs: Sequence[Input]) -> str:
    """Where the outputs of a run are, for a sentence."""
    folder = plan.naming.output_dir
    return _beside(inputs) if folder is None else f"in {folder.rstrip(os.sep)}{os.sep}"


def _announce(plan: Plan, listed: Listing, settings: BatchSettings, reporter: Reporter) -> None:
    """Say before anything is sent what a user might not expect: where the outputs go, and what they leave out."""
    formats = list(dict.fromkeys(by_name(name) for name in settings.formats))
    if not listed.inputs or "callback" in (values := _first_values(settings, listed)):
        return
    if plan.naming.output_dir is None:
        suffixes = ", ".join(format_.suffixes[0] for format_ in formats)
        place = _beside(listed.inputs)
        reporter.note(f"The transcripts go {place}, as {suffixes}. Elsewhere: --output-dir DIR")
    asked = [name for name, flag in _ANALYSES.items() if values.get(flag, False) is not False]
    is_text = any(format_.name == "text" for format_ in formats)
    hidden = [name for name in asked if not (is_text and name in settings.render.sections)]
    if hidden and not any(format_.analyses for format_ in formats):
        reporter.note(NOT_SHOWN.format(", ".join(hidden)))


def _phase(job: Job) -> tuple[str, str]:
    """Describe a recording under way."""
    if job.phase is Phase.SENDING and job.size:
        return job.source.name, f"{job.phase.value} {job.sent / job.size:.0%}"
    return job.source.name, job.phase.value


def _count(outcome: Outcome, totals: Totals, report: Report, reporter: Reporter) -> None:
    """Count and report an outcome."""
    report.add(outcome)
    status = outcome.status
    totals.counts[status.value] = totals.counts.get(status.value, 0) + 1
    if outcome.error is not None:
        totals.failures.append((outcome.source.name, outcome.error))
    if status is Status.DONE:
        totals.audio += outcome.duration or 0.0
    text = f"failed: {outcome.error.summary}" if outcome.error is not None else _WORDS[status]
    has_taken = outcome.error is None and status is not Status.SKIPPED
    reporter.recording(
        totals,
        outcome.source.name,
        text,
        audio=outcome.duration or None if has_taken else None,
        took=outcome.seconds if has_taken else None,
        error=outcome.error,
    )
    for note in outcome.notes:
        reporter.warning(f"{outcome.source.name}: {note}")


def _conclude(totals: Totals, runner: Runner, interrupted: int | None) -> None:
    """Raise the error that decides the exit code."""
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
    message = f"{failed} of {totals.total} failed{rest}: {first.summary}"
    if failed > 1 and not is_all:
        message = f"{failed} of {totals.total} failed{rest}."
    failure = BatchError(message, hint=first.hint)
    codes = {error.exit_code for error in errors}
    if is_all and len(codes) == 1:
        failure.exit_code = codes.pop()
    raise failure


def _run(plan: Plan, listed: Listing, report: Report, reporter: Reporter) -> None:
    """Transcribe everything, showing the progress."""
    totals = Totals(len(listed.inputs) + len(listed.problems))
    runner = Runner(
        plan,
        retried=reporter.detail,
        slowed=lambda wait: reporter.detail(f"The server is busy: all uploads wait {wait:.0f} s."),
        warned=reporter.warning,
    )
    reference = BatchReference(
        plan.config, reporter, server=plan.server, query=next(iter(plan.queries.values()), "")
    )
    signals = Signals(runner.stop)
    announced = False
    with signals.caught():
        with reporter.batch(totals, lambda: [_phase(job) for job in runner.running]):
            for name, error in listed.problems:
                unread = Input(InputKind.FILE, "", "", name)
                _count(Outcome(unread, Status.FAILED, error=error), totals, report, reporter)
            for outcome in runner.run(listed.inputs):
                if outcome is not None:
                    _count(outcome, totals, report, reporter)
                    if outcome.status is Status.DONE:
                        reference.add(outcome.source.name, Path(plan.naming.folder(outcome.source), FOLDER))
                if signals.first is not None and not announced:
                    announced = True
                    reporter.note("Waiting for what is uploaded already; Ctrl-C again leaves at once.")
        reference.write()
        if totals.total > 1:
            reporter.summary(totals, _ROWS)
        if written := sum(totals.counts.get(status.value, 0) for status in (Status.DONE, Status.MADE)):
            noun = "recording" if written == 1 else "recordings"
            reporter.aside(f"{written} {noun} {_place(plan, listed.inputs)}.")
        if report.failure is not None:
            reporter.warning(report.failure.message)
    _conclude(totals, runner, signals.first)


def _first_values(settings: BatchSettings, listed: Listing) -> Values:
    """The checked parameters of the first recording."""
    is_file = listed.inputs[0].kind is InputKind.FILE
    return settings.values(Endpoint.FILE if is_file else Endpoint.URL)


def _show_first(way: str, config: Config, settings: BatchSettings, reporter: Reporter) -> None:
    """Print the request of the first recording: those of the others are like it."""
    from dgcli.tasks.show_request import show_file_request, show_url_request

    listed = _listed(settings, reporter)
    if listed.missing:
        raise missing_error(listed.missing)
    if not listed.inputs:
        raise listed.problems[0][1] if listed.problems else UsageError("There is nothing to transcribe.")
    name, values = listed.inputs[0].name, _first_values(settings, listed)
    if listed.inputs[0].kind is InputKind.FILE:
        choice, any_file = settings.track, settings.any_file
        show_file_request(way, name, config, values, reporter, any_file=any_file, track=choice)
    else:
        show_url_request(way, name, config, values)
    if (count := len(listed.inputs)) > 1:
        reporter.note(f"This is the request for {name}; each of the {count} recordings has one like it.")


def transcribe_many(config: Config, settings: BatchSettings, reporter: Reporter) -> None:
    """Transcribe all that the settings name; with `dry_run`, only report what a run would do,
    with `show_request` only what it would ask.

    Raises every `DgError` there is.
    """
    check_cache(config, cache=settings.cache)
    if settings.show_request is not None:
        _show_first(settings.show_request, config, settings, reporter)
        return
    plan, listed = _prepared(config, settings, reporter, make_folder=not settings.dry_run)
    if settings.dry_run:
        preview_batch(plan, listed, reporter, local=settings.local)
        return
    if listed.missing:
        raise missing_error(listed.missing)
    if not settings.local:
        config.authorization()  # without a key there is no point in going through everything
    _announce(plan, listed, settings, reporter)
    local = settings.local and bool(listed.inputs)  # no model is fetched for nothing
    with (
        Report(settings.report) as report,
        reached(config, reporter, _first_values(settings, listed) if local else {}, local=local) as server,
    ):
        _run(replace(plan, config=server), listed, report, reporter)
