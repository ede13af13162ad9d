"""Entry point of the scripts `dg` and `dgcli`, and of `python -m dgcli`.

What is set for the whole process is set here and in `app`, where the process is ours: nothing that the Python
API calls does.
"""

import gc
import os
import sys


def _fill_standard_streams() -> None:
    """Open what the shell closed (`>&-`): else the next file or socket would become standard output.

    Standard input and output are opened the wrong way round, so that using them fails as it should.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, "r", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def _leave_out_httpx_command() -> None:
    """Have httpx do without its own command line, which loads click and all of rich: a third of our start.

    httpx imports `httpx._main` if click happens to be installed, and does without it otherwise.
    """
    main = type(sys)("httpx._main")
    main.main = lambda: None  # type: ignore[attr-defined]  # all that httpx takes from it
    sys.modules.setdefault("httpx._main", main)


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Nearly all that is made until the work begins (classes, functions, options) stays until the end: looking
    # through it for garbage finds none. What is done for long turns this on again (`tasks`).
    gc.disable()
    try:
        _fill_standard_streams()
        _leave_out_httpx_command()
        from dgcli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while dg was still being loaded
        code = 130
    gc.freeze()  # the interpreter looks for garbage once more when it ends
    sys.exit(code)


if __name__ == "__main__":
    main()
