"""The part of a stream's settings that may change while it runs, and what of it is in force: no I/O, no threads.

Source: Deepgram reference, `Configure` of the live /v1/listen (key terms of Nova-3 models, features) and of
/v2/listen (thresholds, key terms, language hints, numerals). Lists replace what was there, an empty one clears it, and
what is left out stays as it is. A change that comes while another one waits for its answer is refused.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dgcli.transcript.events import Notice, NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings to change; what is None or not in a mapping stays as it is.

    `features` are switches of /v1/listen, of which /v2/listen (Flux) has numerals alone; `thresholds` and
    `language_hints` are of Flux.
    """

    keyterms: tuple[str, ...] | None = None
    features: Mapping[str, bool] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    language_hints: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        lists = (self.keyterms, self.language_hints)
        return bool(self.features or self.thresholds or any(terms is not None for terms in lists))

    def changed_by(self, later: "Configuration") -> "Configuration":
        """Return both as one: what `later` says, and the rest as it is here."""
        return replace(
            self,
            keyterms=self.keyterms if later.keyterms is None else later.keyterms,
            features={**self.features, **later.features},
            thresholds={**self.thresholds, **later.thresholds},
            language_hints=self.language_hints if later.language_hints is None else later.language_hints,
        )

    def message(self, *, flux: bool = False) -> str:
        """Return the `Configure` message that asks for this on /v1/listen, or on /v2/listen."""
        message: dict[str, Any] = {"type": "Configure"}
        if self.thresholds:
            message["thresholds"] = dict(self.thresholds)
        if self.keyterms is not None:
            message["keyterms"] = list(self.keyterms)
        if self.language_hints is not None:
            message["language_hints"] = list(self.language_hints)
        if flux and "numerals" in self.features:
            message["numerals"] = self.features["numerals"]
        elif not flux and self.features:
            message["features"] = dict(self.features)
        return json.dumps(message)


def _refuses(notice: Notice) -> bool:
    """Whether a server says that it does not know the message at all."""
    raw = notice.raw
    return (
        notice.kind is NoticeKind.SERVER
        and raw.get("type") == "Error"
        and any("Configure" in str(raw.get(name)) for name in ("message", "description"))
    )


class Reconfiguration:
    """The changes of one stream: which one waits for its answer, which ones wait for that, and what is in force."""

    def __init__(self, timeout: float) -> None:
        self.in_force = Configuration()  # by the changes that were accepted; the query is not in it
        self._timeout = timeout
        self._sent: Configuration | None = None
        self._since = 0.0  # when it was sent
        self._waiting: deque[Configuration] = deque()
        self._resends = self._is_resend = (
            False  # what is in force: to be sent to a new connection; what was sent
        )

    def ask(self, change: Configuration) -> None:
        """Note a change that is wanted."""
        self._waiting.append(change)

    def expired(self, now: float) -> bool:
        """Whether the answer did not come in time, which is said once: the next change may be sent then."""
        late = self._sent is not None and now - self._since >= self._timeout
        if late:
            self._sent = None
        return late

    def next(self, now: float) -> Configuration | None:
        """Return the change to send now, if there is one."""
        if self._sent is not None or not (self._resends or self._waiting):
            return None
        self._is_resend, self._resends = self._resends, False
        self._sent, self._since = self.in_force if self._is_resend else self._waiting.popleft(), now
        return self._sent

    def take(self, notice: Notice) -> None:
        """Look whether a notice of the server is the answer to what was sent."""
        if self._sent is None:
            return
        if notice.kind is NoticeKind.CONFIGURED:
            self.in_force = self.in_force.changed_by(self._sent)
            self._sent = None
        elif notice.kind is NoticeKind.NOT_CONFIGURED or _refuses(notice):
            self._sent = None

    def connected(self) -> None:
        """Begin on a new connection, which knows nothing but the query: all that is in force is sent again.

        A change that was not answered is sent again by itself: were it refused, what is in force would not be.
        """
        if self._sent is not None and not self._is_resend:
            self._waiting.appendleft(self._sent)
        self._sent = None
        self._resends = bool(self.in_force)
