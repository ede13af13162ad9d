"""Entry point of the scripts `dg` and `dgcli`, and of `python -m dgcli`."""

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


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        _fill_standard_streams()
        from dgcli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while dg was still being loaded
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
