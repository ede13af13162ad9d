"""The key `k`: asks at the terminal for key terms, while the stream goes on."""

import enum

from dgcli.errors import UsageError
from dgcli.tasks.actions import Actions

_LISTED = 8  # terms in the question; of more, the number

_ENTER, _ERASE, _CLEAR, _LEAVE, _ESCAPE = "\r\n", "\x7f\b", "\x15", "\x03\x04\x07", "\x1b"


class _Sequence(enum.Enum):
    """How much of an escape sequence has come (ECMA-48, 5.4)."""

    NONE = enum.auto()
    ESCAPE = enum.auto()  # ESC, which may be the key
    CONTROL = enum.auto()  # ESC [ or ESC O, up to its final byte


class LinePrompt:
    """Asks one question. `answer` is None until there is one, and empty when it was left."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.text = ""
        self.answer: str | None = None
        self._sequence = _Sequence.NONE

    def press(self, key: str) -> None:
        """Take a key; those of arrows and the like have no effect."""
        match self._sequence:
            case _Sequence.ESCAPE if key in "[O":
                self._sequence = _Sequence.CONTROL
                return
            case _Sequence.ESCAPE:
                self.answer = ""
                return
            case _Sequence.CONTROL:
                if "@" <= key <= "~":
                    self._sequence = _Sequence.NONE
                return
        if key == _ESCAPE:
            self._sequence = _Sequence.ESCAPE
        elif key in _ENTER:
            self.answer = self.text.strip()
        elif key in _LEAVE:
            self.answer = ""
        elif key in _ERASE:
            self.text = self.text[:-1]
        elif key == _CLEAR:
            self.text = ""
        elif key.isprintable():
            self.text += key

    def pause(self) -> None:
        """No more keys came at once: an ESC alone is the key itself, which leaves."""
        if self._sequence is _Sequence.ESCAPE:
            self.answer = ""


def _question(actions: Actions) -> str:
    terms = actions.keyterms
    more = f" and {len(terms) - _LISTED} more" if len(terms) > _LISTED else ""
    now = ", ".join(terms[:_LISTED]) + more if terms else "none"
    return f"Key terms, commas between. Enter replaces, + in front adds, Esc leaves. Now: {now}"


def _terms(text: str) -> list[str]:
    return list(dict.fromkeys(term for part in text.split(",") if (term := " ".join(part.split()))))


class KeytermPrompt:
    """The question for key terms, when it is open. The API replaces all terms; to add is to send all of them."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._prompt: LinePrompt | None = None

    @property
    def line(self) -> tuple[str, str] | None:
        """The question and what is typed so far; None while nothing is asked."""
        return (self._prompt.question, self._prompt.text) if self._prompt is not None else None

    def open(self) -> None:
        """Ask."""
        self._prompt = LinePrompt(_question(self._actions))

    def press(self, key: str) -> bool:
        """Take a key; False where nothing is asked."""
        if self._prompt is None:
            return False
        self._prompt.press(key)
        self._close_if_answered()
        return True

    def pause(self) -> None:
        """No more keys came at once."""
        if self._prompt is not None:
            self._prompt.pause()
            self._close_if_answered()

    def _close_if_answered(self) -> None:
        if self._prompt is None or self._prompt.answer is None:
            return
        answer, self._prompt = self._prompt.answer, None
        adds = answer.startswith("+")
        terms = _terms(answer.lstrip("+"))
        if not terms:
            return
        if adds:
            terms = list(dict.fromkeys([*self._actions.keyterms, *terms]))
        try:
            self._actions.configure(keyterms=terms)
        except UsageError as error:
            self._actions.complain(error.message)
