"""Entry point of the scripts `dg` and `dgcli`, and of `python -m dgcli`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from dgcli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
