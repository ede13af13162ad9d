"""A place for responses that were paid for and could not be written."""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def state_folder() -> Path:
    """Return the folder for responses that could not be written."""
    from platformdirs import user_state_path

    return user_state_path("dgcli", appauthor=False) / "responses"


def _temporary_folder() -> Path:
    """Raises `OSError` where there is none."""
    return Path(tempfile.gettempdir())


def keep_response(body: bytes, request_id: str | None) -> Path | None:
    """Put a paid response aside, readable by its owner only; return its path.

    The state folder comes first, then the one for temporary files. None: neither took it, and it went to
    standard error as the last place there is.
    """
    safe = "".join(char for char in request_id or "" if char.isalnum() or char == "-")[:64]
    for place in (state_folder, _temporary_folder):
        try:
            folder = place()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=f"{safe or 'response'}-", suffix=".json", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(body)
        except OSError:
            continue  # the next one may do
        return Path(name)
    print("dg: The response can be kept nowhere; here it is:", file=sys.stderr)
    with suppress(OSError, ValueError):  # stderr is gone too: there is no place left
        sys.stderr.flush()
        sys.stderr.buffer.write(body + b"\n")
        sys.stderr.buffer.flush()
    return None
