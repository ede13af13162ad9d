"""Sources of live audio: one for each kind of SOURCE argument (recipe in `base`)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dgcli.errors import AudioError, UsageError, unreadable
from dgcli.params import Values

if TYPE_CHECKING:  # what only looks at names, or uploads, need not load it
    import ssl

    from dgcli.audio.base import AudioFormat, Source

__all__ = ["open_source", "raw_format"]


def raw_format(values: Values) -> AudioFormat | None:
    """The format that `--encoding`, `--sample-rate` and `--channels` give headerless audio; None without them."""
    encoding = values.get("encoding")
    if encoding is None:
        return None
    from dgcli.audio.base import AudioFormat

    rate, channels = values.get("sample_rate"), values.get("channels", 1)
    return AudioFormat(
        encoding=str(encoding),
        sample_rate=rate if isinstance(rate, int) else None,
        channels=channels if isinstance(channels, int) else 1,
        suffix=".raw",
    )


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise AudioError(unreadable(path, error)) from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{path} is a directory.", hint="Name a file in it.")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path} may not be read.")
    return not stat.S_ISREG(mode)


def open_source(
    argument: str, raw: AudioFormat | None = None, *, verify: ssl.SSLContext | bool = True
) -> Source:
    """The source that a SOURCE argument names: `-`, an http(s) URL, a pipe or a file. It is not opened yet.

    `raw` describes headerless audio; `verify` is for TLS. Raises `UsageError` for another kind of URL and
    `AudioError` for a file that is not there.
    """
    scheme, colon, _ = argument.partition("://")
    if argument == "-":
        from dgcli.audio.stdin import PipeSource

        return PipeSource(raw)
    if colon and scheme.lower() in ("http", "https"):
        from dgcli.audio.pages import check_no_page
        from dgcli.audio.url import HttpSource

        check_no_page(argument, "live")
        return HttpSource(argument, raw, verify=verify)
    if colon and scheme.isalpha():
        raise UsageError(
            f"{scheme}:// is not understood.",
            hint=f"Let ffmpeg fetch it: ffmpeg -i {argument} -f wav - | dg live -",
        )
    path = Path(argument)
    if _is_pipe(path):
        from dgcli.audio.stdin import PipeSource

        return PipeSource(raw, path=path)
    from dgcli.audio.file import FileSource

    return FileSource(path, raw)
