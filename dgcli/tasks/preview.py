"""A dry run: what would be sent, where to, and what would be written. Nothing is."""

from collections.abc import Sequence
from pathlib import Path

from dgcli.audio import cloud
from dgcli.audio.media import duration
from dgcli.audio.track import TrackChoice, described
from dgcli.audio.upload import is_pipe, opened
from dgcli.batch.inputs import Input, InputKind, Listing, missing_error
from dgcli.batch.planning import Plan, Planner
from dgcli.config import Config
from dgcli.errors import BatchError, DgError
from dgcli.output.plan import plan_outputs
from dgcli.output.stdout import write_stdout
from dgcli.params import encode
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.transcribe import Request, check_callback
from dgcli.terminal import harmless

_URL, _OBJECT = "the URL, which the API fetches", "a signed URL, or the object where none can be made"


def _print_row(*fields: str) -> None:
    """A line of a dry run: fields separated by tabs, names in the bytes that they have."""
    text = "\t".join(" ".join(harmless(field).split("\n")) for field in fields)
    write_stdout(f"{text}\n".encode("utf-8", "surrogateescape"))


def _announce(config: Config, queries: Sequence[str], reporter: Reporter, *, local: bool) -> None:
    """Report the endpoint and the parameters, and what a real run would stop at."""
    for query in dict.fromkeys(queries):
        address = "a server inside this process" if local else config.url("/v1/listen")
        reporter.note(f"POST {address}?{query}" if not local else f"POST to {address}: {query}")
    if not local:
        try:
            config.authorization()
        except DgError as error:
            reporter.warning(error.message)


def _upload(path: str, *, any_file: bool, track: TrackChoice) -> tuple[str, float | None]:
    """What would be uploaded, in words, and its length. Raises `AudioError` for what cannot be sent."""
    if is_pipe(path):
        return "what comes from it, all of it", None  # which a look would take away
    with opened(path, any_file=any_file) as upload:
        text = described(upload, path, track)
    return text, duration(path)


class _Sums:
    """The hours of a dry run, and its problems."""

    def __init__(self) -> None:
        self.known, self.unknown, self.sent = 0.0, 0, 0
        self.errors: list[DgError] = []
        self.is_stopped = False  # a run would not begin

    def failed(self, name: str, error: DgError) -> None:
        self.errors.append(error)
        _print_row("fail", name, error.summary)

    def send(self, name: str, outputs: str, upload: str, seconds: float | None) -> None:
        self.sent += 1
        self.known += seconds or 0.0
        self.unknown += seconds is None
        _print_row("send", name, outputs, upload)

    def conclude(self, total: int, reporter: Reporter) -> None:
        """Report the sums. Raises the error that decides the exit code, as that of a run would be."""
        reporter.preview(self.sent, total, audio=self.known, unknown=self.unknown)
        if not self.errors:
            return
        first, failed = self.errors[0], len(self.errors)
        if total == 1 or self.is_stopped:
            raise first
        failure = BatchError(f"{failed} of {total} would fail: {first.summary}", hint=first.hint)
        codes = {error.exit_code for error in self.errors}
        if failed == total and len(codes) == 1:
            failure.exit_code = codes.pop()
        raise failure


def _preview_input(planner: Planner, source: Input, sums: _Sums) -> None:
    """Print the line of one recording. Raises `DgError`."""
    planned = planner.work_for(source)
    outputs = " ".join(target.path for target, _ in planned.missing)
    if planned.is_done:
        _print_row("skip", source.name, outputs, "nothing: it is there")
    elif planned.record is not None:
        _print_row("make", source.name, outputs, "nothing: the response is there")
    elif source.kind is InputKind.FILE:
        sums.send(
            source.name,
            outputs,
            *_upload(source.path, any_file=planner.plan.any_file, track=planner.plan.track),
        )
    else:
        sums.send(source.name, outputs, _URL if source.kind is InputKind.URL else _OBJECT, None)


def preview_batch(plan: Plan, listed: Listing, reporter: Reporter, *, local: bool) -> None:
    """Print what a run over many would do: a line for each recording, and the sums. Raises what a run would."""
    _announce(plan.config, list(plan.queries.values()), reporter, local=local)
    planner, sums = Planner(plan), _Sums()
    for name, error in listed.problems:
        sums.failed(name, error)
    for source in listed.inputs:
        try:
            _preview_input(planner, source, sums)
        except DgError as error:
            sums.failed(source.name, error)
    if listed.missing:  # a run would send nothing at all
        sums.errors, sums.is_stopped = [missing_error(listed.missing)], True
    sums.conclude(len(listed.inputs) + len(listed.problems), reporter)


def preview_one(name: str, config: Config, request: Request, reporter: Reporter, *, is_url: bool) -> None:
    """Print what a run for one recording would do. Raises what that would before it sends anything."""
    check_callback(request)
    is_file = not is_url and not cloud.is_object(name)
    source = Path(name) if is_file and name != "-" else None
    outputs = plan_outputs(request.stdout_format, request.files, source=source)
    names = [str(path) for path, _ in outputs.files]
    if "callback" in request.values:
        names = [str(request.values["callback"])]
    elif outputs.stdout is not None:
        names.append(f"standard output ({outputs.stdout.name})")
    _announce(config, [encode(request.values)], reporter, local=request.local)
    sums = _Sums()
    try:
        if is_file:
            sums.send(name, " ".join(names), *_upload(name, any_file=request.any_file, track=request.track))
        else:
            sums.send(name, " ".join(names), _OBJECT if cloud.is_object(name) else _URL, None)
    except DgError as error:
        sums.failed(name, error)
    sums.conclude(1, reporter)
