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
    # What is made until the work begins (modules, classes, options: some 50,000 objects that stay until the end)
    # holds no garbage worth looking for; what runs for long reaches this number again and again.
    gc.set_threshold(60_000)
    try:
        _fill_standard_streams()
        _leave_out_httpx_command()
        from dgcli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while dg was still being loaded
        code = 130
    # The interpreter looks through everything once more when it ends: for nothing, after a short run. Libraries that
    # are bound by nanobind (soxr) complain of what is left in cycles then, so that what uses them is not spared it.
    if "soxr" not in sys.modules:
        gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
