"""What may be done to a stream while it runs, whoever asks for it: a key, or a line of a control file."""

from collections.abc import Callable, Sequence

from dgcli.errors import UsageError
from dgcli.formats.clock import clock
from dgcli.live.streamer import Configuration, Streamer
from dgcli.params import Endpoint, Values, check, family
from dgcli.params.keyterms import token_warning
from dgcli.terminal import harmless
from dgcli.transcript.events import Event, Notice, NoticeKind
from dgcli.transcript.json_values import string

_LONGEST_LABEL = 200  # characters


def _texts(name: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{name} takes a list of texts, not {value!r}.")
    if any(string(text) != text for text in value):  # half a character: a Flux server would end the stream
        raise UsageError(f"{name} has what is no text: {value!r}.")
    return tuple(value)


class Actions:
    """Acts on one stream, with the query parameters `values`; `tell` gives the sinks an event."""

    def __init__(self, streamer: Streamer, tell: Callable[[Event], None], values: Values) -> None:
        self.is_paused = False
        self.on_pause: Callable[[bool], None] = lambda paused: None  # noqa: ARG005 - a microphone is muted here
        self._streamer = streamer
        self._tell = tell
        self._model = values.get("model")
        self._flux = family(str(self._model or "")) == "flux"
        given = values.get("keyterm")
        self._keyterms: tuple[str, ...] = given if isinstance(given, tuple) else ()
        self._markers = 0

    @property
    def keyterms(self) -> Sequence[str]:
        """The key terms in force."""
        return self._keyterms

    def heard(self, notice: Notice) -> None:
        """Learn from a notice which key terms are in force."""
        if notice.kind is NoticeKind.CONFIGURED and isinstance(terms := notice.raw.get("keyterms"), list):
            self._keyterms = tuple(map(str, terms))

    def complain(self, message: str) -> None:
        """Tell that something that was asked for is not done, or may go wrong."""
        self._tell(Notice(NoticeKind.CONTROL, message))

    def finalize(self, channel: int | None = None) -> None:
        """Ask for a result now: of one channel, or of all."""
        self._streamer.finalize(channel)

    def stop(self, message: str = "") -> None:
        """Stop after everything is sent and answered; `message` says why."""
        self._streamer.stop(message)

    def pause(self) -> None:
        """Send nothing until `resume`; again: nothing."""
        if not self.is_paused:
            self.is_paused = True
            self.on_pause(True)
            self._streamer.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        if self.is_paused:
            self.is_paused = False
            self.on_pause(False)
            self._streamer.resume()

    def toggle(self) -> None:
        """Pause, or go on."""
        (self.resume if self.is_paused else self.pause)()

    def mark(self, label: str = "") -> None:
        """Mark this moment in all outputs."""
        self._markers += 1
        now = self._streamer.audio_seconds
        text = " ".join(string(harmless(label)).split())[:_LONGEST_LABEL]
        message = f"Marker {self._markers} at {clock(now)}" + (f": {text}" if text else "")
        self._tell(Notice(NoticeKind.MARKER, message, start=now))

    def configure(
        self,
        *,
        keyterms: object = None,
        numerals: object = None,
        features: object = None,
        thresholds: object = None,
        language_hints: object = None,
    ) -> None:
        """Change settings; key terms and language hints replace those before, and None leaves what there is.

        Raises `UsageError` for what is invalid, and for what this stream does not have.
        """
        terms, hints = _texts("keyterms", keyterms), _texts("language_hints", language_hints)
        switches = {} if features is None else features
        if not isinstance(switches, dict) or not all(
            string(name) == name and isinstance(value, bool) for name, value in switches.items()
        ):
            raise UsageError('features takes an object of switches, such as {"numerals": true}.')
        if numerals is not None:
            if not isinstance(numerals, bool):
                raise UsageError(f"numerals takes true or false, not {numerals!r}.")
            switches = {**switches, "numerals": numerals}
        limits = {} if thresholds is None else thresholds
        if not isinstance(limits, dict):
            raise UsageError('thresholds takes an object of numbers, such as {"eot_threshold": 0.8}.')
        self._check(terms, hints, switches, limits)
        change = Configuration(keyterms=terms, features=switches, thresholds=limits, language_hints=hints)
        if not change:
            raise UsageError('There is nothing to configure; for example: "keyterms": ["Deepgram"].')
        if terms and (warning := token_warning(terms)) is not None:
            self.complain(warning)
        self._streamer.configure(change)

    def _check(
        self,
        terms: tuple[str, ...] | None,
        hints: tuple[str, ...] | None,
        switches: dict[str, bool],
        limits: dict[str, object],
    ) -> None:
        """Check values as those of the command line are. Raises `UsageError`."""
        if not self._flux:
            for name, value in (("thresholds", limits), ("language_hints", hints)):
                if value:
                    raise UsageError(f"{name} can be changed on Flux streams only.")
            check({"model": self._model, "keyterm": terms}, Endpoint.LIVE, local=True)
            return
        if set(switches) - {"numerals"}:
            raise UsageError("Of the features, a Flux stream has numerals only.")
        unknown = set(limits) - {"eot_threshold", "eager_eot_threshold", "eot_timeout_ms"}
        if unknown:
            raise UsageError(f"There is no threshold {min(map(str, unknown))!r}.")
        for name, limit in limits.items():
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise UsageError(f"{name} takes a number, not {limit!r}.")
        check({"model": self._model, "keyterm": terms, "language_hint": hints, **limits}, Endpoint.FLUX)
