"""Write the completion scripts into this folder, for packages: python completions/generate.py

The scripts are what `dg completions SHELL` prints; users of the command need no file of this folder.
"""

import subprocess
import sys
from pathlib import Path

from dgcli.ui.completion import SHELLS


def generated(shell: str) -> bytes:
    """The script for a shell, made by the program itself."""
    command = [sys.executable, "-m", "dgcli", "completions", shell]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    for shell in SHELLS:
        (Path(__file__).parent / shell.file).write_bytes(generated(shell.name))
