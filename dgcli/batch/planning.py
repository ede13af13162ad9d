"""Planning of a run: reads from the disk what is done already, and sends nothing."""

import enum
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dgcli.audio import cloud
from dgcli.audio.track import USUAL_TRACK, TrackChoice
from dgcli.batch.cached import CachedAnswers
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.ledger import Ledger
from dgcli.batch.ledgers import Ledgers
from dgcli.batch.naming import Naming, Target, check_length
from dgcli.batch.record import Record, rendering_of, sha256_of
from dgcli.batch.store import Report
from dgcli.config import Config
from dgcli.errors import AudioError, unreadable
from dgcli.formats import RenderSettings
from dgcli.output.stamps import stamp_of
from dgcli.transcript.response import parse_body

# A language that a server detected becomes a part of a file's name (RFC 5646).
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")


class Existing(enum.Enum):
    """The treatment of outputs that exist already."""

    SAME = "same"  # kept where they were made of the same bytes with the same options
    ANY = "any"  # kept whatever they are
    OVERWRITE = "overwrite"  # sent and written again


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a run.

    `queries` are the encoded parameters for each kind of input; `server` names who answers them. `language` is
    that of the transcripts, None where it is detected. `any_file`: what is plainly no recording is sent as well.
    `track` is what is sent of a video.
    """

    config: Config
    queries: dict[InputKind, str]
    server: str
    naming: Naming
    options: RenderSettings = field(default_factory=RenderSettings)
    language: str | None = "en"
    existing: Existing = Existing.SAME
    jobs: int = 4
    max_rps: float | None = None
    fail_fast: bool = False
    cache: CachedAnswers | None = None
    any_file: bool = False
    track: TrackChoice = USUAL_TRACK

    def answer_key(self, kind: InputKind) -> str:
        """Return what an answer depends on besides the audio and the server."""
        return self.queries[kind] + (self.track.key if kind is InputKind.FILE else "")


@dataclass(frozen=True, slots=True)
class Work:
    """The answer a recording already has, and the outputs it still needs; known before anything is sent.

    `record` is the answer that is there already, if there is one for these bytes and this query. `targets` are
    its outputs, `missing` those still to be made, each with what stands for the way it is made; both are
    empty while their names hang on a language that is not known.
    """

    record: Record | None
    targets: tuple[Target, ...]
    missing: tuple[tuple[Target, str], ...]

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        if self.record is not None and self.record.accepted:
            return True
        return bool(self.targets) and not self.missing


class Planner:
    """Finds out what each recording still needs."""

    def __init__(self, plan: Plan, *, warned: Report = lambda _: None) -> None:
        self.plan = plan
        self._ledgers = Ledgers(warned, within=plan.naming.output_dir)
        self._renderings: dict[str, str] = {}

    def close(self) -> None:
        """Close all ledgers."""
        self._ledgers.close()

    def ledger(self, recording: Input) -> Ledger:
        """Return the ledger of a recording's answers and outputs."""
        return self._ledgers.of(self.plan.naming.folder(recording))

    def query(self, recording: Input) -> str:
        """Return what an answer depends on besides the audio: the server and the parameters."""
        return f"{self.plan.server} {self.plan.answer_key(recording.kind)}"

    def work_for(self, recording: Input) -> Work:
        """Find out what a recording needs. Raises `AudioError`, and `OutputError` for names that are too long."""
        plan = self.plan
        is_named = plan.language is not None or not plan.naming.needs_language
        if is_named:
            targets = plan.naming.targets(recording, plan.language or "")
            if plan.existing is Existing.ANY and all(os.path.exists(target.path) for target in targets):
                return Work(None, targets, ())
            check_length(targets)
        ledger = self.ledger(recording)
        ledger.check_links(targets if is_named else ())
        record = (
            None if plan.existing is Existing.OVERWRITE else ledger.find(recording, self.query(recording))
        )
        if record is not None and not self._same(recording, record, ledger):
            record = None
        if record is None:
            everything = tuple((target, self._rendering(target)) for target in targets) if is_named else ()
            return Work(None, targets if is_named else (), everything)
        if record.accepted:
            return Work(record, (), ())
        answered = record
        return self.outputs_of(recording, record, lambda: ledger.body(recording, answered.query))

    def settled(self, recording: Input) -> Work | None:
        """Return what is seen at a glance to be done; None where something is missing, or must be looked into.

        Nothing is hashed, fetched or raised.
        """
        plan = self.plan
        if plan.existing is Existing.OVERWRITE or recording.kind is InputKind.CLOUD:
            return None
        if plan.language is None and plan.naming.needs_language:
            return None
        targets = plan.naming.targets(recording, plan.language or "")
        if plan.existing is Existing.ANY and all(os.path.exists(target.path) for target in targets):
            return Work(None, targets, ())
        ledger = self.ledger(recording)
        try:
            record = ledger.find(recording, self.query(recording))
            if record is None:
                return None
            if recording.kind is InputKind.FILE:
                stamp = stamp_of(os.stat(recording.path))
                if stamp is None or stamp != record.stamp:
                    return None
        except OSError:
            return None
        if record.accepted:
            return Work(record, (), ())
        return None if self._missing(targets, record, ledger) else Work(record, targets, ())

    def outputs_of(self, recording: Input, record: Record, body: Callable[[], bytes]) -> Work:
        """Return the outputs still to be made of an answer. Raises OSError when it must be read and cannot."""
        targets = self.plan.naming.targets(recording, self._language(body))
        return Work(record, targets, tuple(self._missing(targets, record, self.ledger(recording))))

    def _rendering(self, target: Target) -> str:
        name = target.format.name
        made = self._renderings.get(name)
        if made is None:
            made = self._renderings[name] = rendering_of(self.plan.options, name)
        return made

    def _same(self, recording: Input, record: Record, ledger: Ledger) -> bool:
        """Whether a recording still is what it was when it was sent. Raises `AudioError`."""
        if recording.kind is InputKind.URL:
            return True  # as far as anybody can tell without fetching it
        if recording.kind is InputKind.CLOUD:
            return record.stamp == cloud.stamp(recording.name)
        try:
            status = Path(recording.path).stat()
            stamp = stamp_of(status)
            if stamp is not None and stamp == record.stamp:
                return True
            if status.st_size != record.size or sha256_of(recording.path) != record.sha256:
                return False
        except OSError as error:
            raise AudioError(unreadable(recording.name, error)) from error
        if stamp is not None:
            ledger.restamp(record, recording, stamp)
        return True

    def _language(self, body: Callable[[], bytes]) -> str:
        """The language that names hold."""
        if self.plan.language is not None or not self.plan.naming.needs_language:
            return self.plan.language or ""
        channels = parse_body(body()).channels
        language = next((channel.detected_language for channel in channels if channel.detected_language), "")
        return language if _LANGUAGE.fullmatch(language) else "und"

    def _missing(self, targets: Iterable[Target], record: Record, ledger: Ledger) -> list[tuple[Target, str]]:
        """The outputs that are still to be made of an answer, each with how."""
        missing = []
        for target in targets:
            rendering = self._rendering(target)
            if self.plan.existing is Existing.ANY and os.path.exists(target.path):
                continue
            if not ledger.is_current(target, record, rendering):
                missing.append((target, rendering))
        return missing
