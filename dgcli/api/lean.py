"""httpx without its own command line, which loads click and all of rich: a third of the time to a request.

httpx imports `httpx._main` if click happens to be installed, and does without it otherwise. Here it always
finds an empty one.
"""

import sys
from types import ModuleType


def _leave_out_main() -> None:
    main = ModuleType("httpx._main")
    main.main = lambda: None  # type: ignore[attr-defined]  # all that httpx takes from it
    sys.modules.setdefault("httpx._main", main)


_leave_out_main()

import httpx  # noqa: E402 - what stands above must come first

__all__ = ["httpx"]
