"""`--cache` of a batch: answers of the history serve, and its own are kept there beside the ledger."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from dgcli.api.client import Answer, kept_answer
from dgcli.errors import AudioError, DgError, OutputError
from dgcli.output.history import History, content_key
from dgcli.output.history_entry import Facts
from dgcli.transcript.response import callback_id, parse_body


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """Answers by the hash of their audio; safe for several threads and processes."""

    history: History
    server: str

    def _found(self, key: str) -> Answer | None:
        entry = self.history.find(key)
        if entry is None:
            return None
        try:
            return kept_answer(self.history.body(entry))
        except AudioError:
            return None  # damaged: asked again

    def answer(
        self, name: str, sha256: str, query: str, ask: Callable[[], Answer], *, waiting: Callable[[], None]
    ) -> Answer:
        """The answer for audio with this hash: the one that is kept, else the one that `ask` gets, kept then.

        Who asks for the same audio at the same time, in this process or another, waits; `waiting` is called
        meanwhile, and may raise. An answer that cannot be kept is still given.
        """
        key = content_key(sha256, self.server, query)
        if (kept := self._found(key)) is not None:
            return kept
        with ExitStack() as claims:
            try:
                claims.enter_context(self.history.claim(key, waiting))
            except (OutputError, OSError):
                return ask()  # there is no place for claims: then there is none for answers either
            kept = self._found(key)
            if kept is not None:
                return kept
            fresh = ask()
            self._keep(name, key, query, fresh)
        return fresh

    def _keep(self, name: str, key: str, query: str, answer: Answer) -> None:
        if callback_id(answer.body) is not None:
            return
        try:
            transcript = parse_body(answer.body)
            request_id = answer.request_id or transcript.request_id
            facts = Facts(
                name=name,
                server=self.server,
                query=query,
                request_id=request_id,
                duration=transcript.duration,
            )
            self.history.keep(facts, answer.body, keys=[key])
        except DgError:
            return  # no transcript, which the runner tells; or no room, and the ledger has it
