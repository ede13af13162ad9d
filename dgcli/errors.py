"""The errors that a user can meet, and the exit code of each.

    DgError                     1   never raised itself; 1 is also the code of a bug
    ├── UsageError              2   flags, values or files that are invalid
    │   └── UnknownParameter    2   a parameter of the Python API that there is not; a TypeError too
    ├── AuthError               3   no key, or the API refused it (401, 403)
    ├── ApiError                4   every other answer that is not a transcript (402, 413, 429, 504...)
    ├── NetworkError            5   no answer: refused, unknown host, TLS, timeout, cut off
    ├── AudioError              6   the audio or input cannot be read
    ├── BatchError              7   some files of a batch failed, others did not
    ├── OutputError             8   the transcript is here but cannot be written
    ├── Interrupted           130   Ctrl-C (SIGTERM: 143, SIGHUP: 129)
    └── BrokenPipe            141   whoever read our standard output has gone

Each carries a message that says what happened and, where one is known, a hint that says what to do.
Everything below `app` raises these or lets them pass; `app` alone prints them and leaves.
"""

from collections.abc import Sequence
from pathlib import Path


class DgError(Exception):
    """An error that a user can understand and act upon."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.kept: Path | None = None  # where a paid response was put aside, if one was
        self.render_with: str | None = None  # the command that writes its transcript, if it has one
        self.body: bytes | None = None  # such a response itself, where the Python API raises this

    def details(self) -> Sequence[str]:
        """Facts for a support request (status, code, request id), shown in brackets after the message."""
        return ()

    @property
    def summary(self) -> str:
        """The message on one line, with its details in brackets."""
        details = ", ".join(self.details())
        return f"{self.message} [{details}]" if details else self.message


class UsageError(DgError):
    """Flags, values or files that are invalid."""

    exit_code = 2


class UnknownParameter(UsageError, TypeError):
    """A parameter that there is not."""


class _AnswerError(DgError):
    """An answer of the API that is not a transcript."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id

    def details(self) -> Sequence[str]:
        facts = []
        if self.status is not None:
            facts.append(f"HTTP {self.status}")
        if self.code:
            facts.append(self.code)
        if self.request_id:
            facts.append(f"request {self.request_id}")
        return facts


class AuthError(_AnswerError):
    """A missing key, or one that the API refused (401, 403)."""

    exit_code = 3


class ApiError(_AnswerError):
    """Any other answer that is not a transcript."""

    exit_code = 4


class NetworkError(DgError):
    """No answer at all: refused, unknown host, TLS, timeout, cut off in the middle."""

    exit_code = 5


class AudioError(DgError):
    """The audio or input cannot be read."""

    exit_code = 6


class BatchError(DgError):
    """Some files of a batch failed, others did not."""

    exit_code = 7


class OutputError(DgError):
    """The transcript is here but cannot be written."""

    exit_code = 8


class Interrupted(DgError):
    """The user or the system asked to stop."""

    exit_code = 130

    def __init__(self, message: str = "Interrupted.", *, signal: int = 2, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal


class BrokenPipe(DgError):
    """Standard output has no reader any more."""

    exit_code = 141

    def __init__(self) -> None:
        super().__init__("The program that read the output has gone.")


def unreadable(name: object, error: OSError, kind: str = "file") -> str:
    """Say in the one way there is that an input, named by the user, cannot be read."""
    if isinstance(error, FileNotFoundError):
        return f"There is no {kind} {name}."
    reason = "is a directory" if isinstance(error, IsADirectoryError) else f"cannot be read: {error.strerror}"
    return f"{'' if kind == 'file' else f'The {kind} '}{name} {reason}."
