"""What was paid for and could not be written: put aside in the history, or where there is room for it."""

import math
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dgcli.errors import DgError, OutputError


def state_folder() -> Path:
    """Return the folder for responses of batches that could not be written."""
    from platformdirs import user_state_path

    return user_state_path("dgcli", appauthor=False) / "responses"


def _in_temporary_folder(data: bytes, name: str, suffix: str) -> Path:
    """Raises `OSError` where there is none."""
    safe = "".join(char for char in name if char.isalnum() or char == "-")[:64]
    handle, path = tempfile.mkstemp(prefix=f"{safe or 'response'}-", suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError:
        Path(path).unlink(missing_ok=True)  # a part of an answer would be taken for the whole
        raise
    return Path(path)


def _aside(data: bytes, name: str, suffix: str, keep: Callable[[], Path]) -> Path | None:
    with suppress(OutputError, OSError):  # the next place may do
        return keep()
    with suppress(OSError):
        return _in_temporary_folder(data, name, suffix)
    print("dg: The response can be kept nowhere; here it is:", file=sys.stderr)
    with suppress(OSError, ValueError):  # stderr is gone too: there is no place left
        sys.stderr.flush()
        sys.stderr.buffer.write(data + b"\n")
        sys.stderr.buffer.flush()
    return None


def keep_response(body: bytes, request_id: str | None, *, name: str = "") -> Path | None:
    """Put a response to the recording `name` aside, readable by its owner only; return its path.

    The history comes first, whether or not answers are kept there otherwise, then the folder for temporary
    files. None: neither took it, and it went to standard error as the last place there is.
    """

    def keep() -> Path:
        from dgcli.output.history import History
        from dgcli.output.history_entry import Facts

        # Nothing is removed to make room: what the user's limits are is not known here.
        history = History(days=math.inf, size=math.inf)
        return history.keep(Facts(name=name, request_id=request_id), body, durable=True).path

    return _aside(body, request_id or "", ".json", keep)


def keep_text(text: bytes, name: str) -> Path | None:
    """Put a part of an output aside, as `keep_response` does."""

    def keep() -> Path:
        from dgcli.output.history import History

        return History(days=math.inf, size=math.inf).keep_text(text, name)

    return _aside(text, name, ".txt", keep)


def name_kept(error: DgError, kept: Path | None) -> None:
    """Let an error say where a transcript's response is kept, and how to write it from there."""
    from dgcli.output.history import history_folder

    error.kept = kept
    if kept is not None:
        here = kept.parent == history_folder()
        error.render_with = "dg last" if here else f"dg render {shlex.quote(str(kept))}"
