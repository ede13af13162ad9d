"""What a command keeps of its answers: in the history, where `--cache` looks too.

A history that cannot be written costs nobody a transcript: that is told once, and the work goes on.
"""

import hashlib
import stat
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from dgcli.config import Config
from dgcli.errors import AudioError, OutputError, UsageError
from dgcli.output.history import History, content_key, stamp_key
from dgcli.output.history_entry import Facts, HistoryEntry
from dgcli.output.stamps import Stamp, stamp_of
from dgcli.tasks.reporter import Reporter
from dgcli.transcript.json_values import mapping, mappings
from dgcli.transcript.model import Transcript

if TYPE_CHECKING:  # httpx is loaded when there is something to send
    from dgcli.api.client import Answer
    from dgcli.audio.upload import Upload
    from dgcli.sinks.history import HistorySink


_LEDGERS = 100  # the folders that the entry of a batch names, at most


def history_of(config: Config) -> History:
    """Return the history with the user's limits."""
    return History(days=config.history_days, size=config.history_size)


def check_cache(config: Config, *, cache: bool) -> None:
    """Raises `UsageError` where `--cache` has nothing to look into."""
    if cache and not config.history:
        raise UsageError(
            "--cache looks into the history, which is off.", hint="Add --history, or leave --cache out."
        )


def announce_history(history: History, reporter: Reporter) -> None:
    """Tell the user, once and for all, that answers are kept."""
    if not reporter.quiet and history.announce():
        reporter.note(
            f"Answers are kept in {history.folder}, readable by you alone: dg last writes the newest again, "
            "dg history lists them. To keep none: --no-history, or history = false in the config file."
        )


def history_sinks(
    config: Config, reporter: Reporter, *, name: str, url: str, local: bool
) -> "Sequence[HistorySink]":
    """The sink that keeps a stream from the source `name`, which is sent to `url`; none where nothing is kept."""
    if not config.history:
        return ()
    from dgcli.sinks.history import HistorySink

    history = history_of(config)
    announce_history(history, reporter)
    facts = Facts(name=name, server="local" if local else config.host, query=urlsplit(url).query)
    return [
        HistorySink(
            history,
            facts,
            limit=config.history_size * 2**20,
            failed=lambda error: tell_unkept(error, reporter),
        )
    ]


def tell_unkept(error: OutputError, reporter: Reporter) -> None:
    """Report that an answer could not be kept: to people, and with -v."""
    text = f"{error.message} dg last will not find this answer."
    if reporter.is_terminal:
        reporter.warning(text)
    else:
        reporter.detail(text)


def audio_key(blocks: Iterable[bytes], server: str, query: str) -> str:
    """Return the key of the answer for audio of these bytes."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return content_key(digest.hexdigest(), server, query)


class BatchReference:
    """The entry of a batch, whose answers lie in ledgers: made with its first answer, complete at its end."""

    def __init__(self, config: Config, reporter: Reporter, *, server: str, query: str) -> None:
        self._history = history_of(config)
        self._reporter = reporter
        self._is_on = config.history
        self._facts = Facts(name="", server=server, query=query)
        self._entry: HistoryEntry | None = None
        self._folders: dict[str, None] = {}
        self._count = 0

    def add(self, name: str, ledger: Path) -> None:
        """Note that the answer for a recording is in the ledger in this folder."""
        self._count += 1
        if len(self._folders) < _LEDGERS:
            self._folders[str(ledger.absolute())] = None
        if self._count == 1:
            self._facts = self._facts._replace(name=name)
            self.write()

    def write(self) -> None:
        """Write the entry."""
        if not self._is_on or not self._count:
            return
        try:
            self._entry = self._history.refer(self._facts, list(self._folders), self._count, self._entry)
        except OutputError as error:
            self._is_on = False
            self._reporter.detail(error.message)


class Keeping:
    """The history as one recording sees it: what it was answered before, and its answer now.

    `path` is that of a file of this machine, `track` the key of what is sent of it where that is not the usual;
    `cache`: an answer that is there serves. Use it as a context
    manager: others may wait for the same answer until it is kept.
    """

    def __init__(
        self,
        config: Config,
        reporter: Reporter,
        *,
        name: str,
        query: str,
        local: bool,
        path: str | None = None,
        track: str = "",
        cache: bool = False,
    ) -> None:
        self._reporter = reporter
        self._history = history_of(config)
        check_cache(config, cache=cache)
        self._is_on = config.history
        self.name, self._query, self._path, self._track = name, query, path, track
        self._server = "local" if local else config.host
        self._key = self._stamp_key()
        self._audio_key: str | None = None
        self._has_told_of_wait = False
        self._entry: HistoryEntry | None = None
        self._claims = ExitStack()
        if self._is_on and not cache and reporter.is_terminal:
            self._tell_of_earlier()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claims.close()

    def _stamp(self) -> Stamp | None:
        if self._path is None:
            return None
        try:
            status = Path(self._path).stat()
        except (OSError, ValueError):
            return None  # whoever opens it says so
        return stamp_of(status) if stat.S_ISREG(status.st_mode) else None

    def _stamp_key(self) -> str | None:
        """Return the key of the answer for the file as it is now; None where its times prove nothing."""
        stamp = self._stamp()
        if stamp is None or self._path is None:
            return None
        return stamp_key(self._path, stamp, self._server, self._query + self._track)

    def _tell_of_earlier(self) -> None:
        entry = self._history.find(self._key) if self._key else None
        if entry is None:
            return
        with suppress(OutputError):
            number = self._history.number(entry)
            again = "dg last" if number == 1 else f"dg last {number}"
            self._reporter.note(
                f"{self.name} was answered for the same options on {entry.created.astimezone():%Y-%m-%d at %H:%M}: "
                f"{again} writes that answer again, --cache uses it. It is sent all the same."
            )

    def _found(self, key: str | None) -> "Answer | None":
        """Return the answer that is kept under a key."""
        from dgcli.api.client import kept_answer

        entry = self._history.find(key) if key else None
        if entry is None:
            return None
        try:
            body = self._history.body(entry)
        except AudioError as error:
            self._reporter.warning(error.message)
            return None
        self._entry = entry
        at = entry.created.astimezone()
        self._reporter.note(f"The answer of {at:%Y-%m-%d at %H:%M} is used: nothing is sent.")
        return kept_answer(body)

    def answer(self, upload: "Upload") -> "Answer | None":
        """Return the answer that is kept for the same file or bytes; None where it must be asked for.

        Who asks for the same bytes at the same time, in this process or another, waits until the answer is kept.
        """
        if kept := self._found(self._key):
            return kept
        self._audio_key = audio_key(upload.blocks(), self._server, self._query + self._track)
        try:
            self._claims.enter_context(self._history.claim(self._audio_key, self._wait))
        except (OutputError, OSError):
            return None  # there is no place for claims: then there is none for answers either
        return self._found(self._audio_key)

    def _wait(self) -> None:
        if not self._has_told_of_wait:
            self._has_told_of_wait = True
            self._reporter.note("The same recording is being transcribed already: its answer is waited for.")

    def keep(self, answer: "Answer", transcript: Transcript) -> None:
        """Keep an answer that is a transcript, unless it is kept already; who waits for it gets it then."""
        if self._is_on and self._entry is None:
            keys = [self._audio_key] if self._audio_key else []
            if self._key is not None and self._key == self._stamp_key():
                keys.append(self._key)
            try:
                self._entry = self._history.keep(self._facts(answer, transcript), answer.body, keys=keys)
                announce_history(self._history, self._reporter)
            except OutputError as error:
                tell_unkept(error, self._reporter)
        self._claims.close()

    def _facts(self, answer: "Answer", transcript: Transcript) -> Facts:
        models = mapping(mapping(transcript.raw.get("metadata")).get("model_info"))
        facts = Facts(
            name=self.name,
            server=self._server,
            query=self._query,
            request_id=answer.request_id or transcript.request_id,
            duration=transcript.duration,
        )
        return facts.answered_by(next((model.get("name") for model in mappings(list(models.values()))), None))

    def kept(self, transcript: Transcript) -> Path | None:
        """The place of the answer when its transcript cannot be written; it is put aside now if it has none."""
        from dgcli.output.kept import keep_response

        if self._entry is not None:
            return self._entry.path
        return keep_response(transcript.body, transcript.request_id, name=self.name)
