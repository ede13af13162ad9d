"""The options of a batch: where its recordings are, and what becomes of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup, completion


class BatchOptions(OptionGroup):
    """The options of a batch."""

    panel = "Many recordings"

    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Transcribe every recording below a directory.")
    ] = False
    files_from: Annotated[
        list[str] | None,
        typer.Option(help="File with a path or URL on each line; - for standard input.", metavar="FILE"),
    ] = None
    files0_from: Annotated[
        list[str] | None,
        typer.Option(
            "--files0-from", help="The same with NUL after each (find -print0), for any name.", metavar="FILE"
        ),
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Write below this, as the recordings lie below theirs; else beside each.", metavar="DIR"
        ),
    ] = None
    name_template: Annotated[
        str | None,
        typer.Option(
            help="Names of the outputs, from {stem}, {name}, {ext}, {lang} and {hash}. Default: {stem}.{ext}.",
            metavar="TEXT",
        ),
    ] = None
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Uploads at once. Default: 4.", metavar="N", min=1)
    ] = None
    max_rps: Annotated[
        float | None, typer.Option(help="Requests a second, at most.", metavar="NUMBER", min=0.001)
    ] = None
    skip_existing: Annotated[
        str | None,
        typer.Option(
            help="Keep outputs made of the same audio with the same options (same, the default), or any.",
            metavar="same|any",
            autocompletion=completion(("same", "any")),
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Send everything again, and pay for it again.")
    ] = False
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Begin nothing more after the first failure.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only list what would be sent and written, and the hours of audio."),
    ] = False
    report: Annotated[
        Path | None, typer.Option(help="Write a line of JSON for each recording.", metavar="FILE.jsonl")
    ] = None
    shard: Annotated[
        str | None,
        typer.Option(
            help="Take only share K of N; auto: the one that Slurm, Kubernetes or AWS Batch gives.",
            metavar="K/N|auto",
        ),
    ] = None
    cache: Annotated[
        bool,
        typer.Option(
            "--cache",
            help="Use the answer in the history where the same audio was sent with the same options.",
        ),
    ] = False

    any_file: Annotated[
        bool,
        typer.Option("--any-file", help="Send also what is plainly no recording: text, archives, images."),
    ] = False

    check: Annotated[
        bool,
        typer.Option("--check", help="Only check what is kept of earlier runs in directories of outputs."),
    ] = False

    @property
    def lists(self) -> Sequence[tuple[str, bytes]]:
        """The files that name recordings, each with the byte that ends a name in it."""
        by_line = [(name, b"\n") for name in self.files_from or ()]
        return [*by_line, *((name, b"\0") for name in self.files0_from or ())]

    def _existing(self) -> str:
        """Return the treatment of outputs that exist: `same`, `any` or `overwrite`."""
        if self.overwrite:
            if self.skip_existing:
                raise UsageError("--overwrite and --skip-existing contradict each other.")
            return "overwrite"
        choice = (self.skip_existing or "same").lower()
        if choice not in ("same", "any"):
            raise UsageError(f"--skip-existing takes same or any, not {self.skip_existing!r}.")
        return choice

    def settings(self) -> Mapping[str, Any]:
        """Return the given values by the names of a batch's settings. Raises `UsageError`."""
        not_passed = ("files_from", "files0_from", "skip_existing", "overwrite", "check")
        own = {name: getattr(self, name) for name in self.names() if name not in not_passed}
        return {**own, "lists": self.lists, "existing": self._existing(), "jobs": self.jobs or 4}

    def is_batch(self, names: Sequence[str], formats: Sequence[str]) -> bool:
        """Whether this is a batch, and not one recording whose transcript goes to standard output."""
        ours = (getattr(self, name) for name in self.names() if name not in ("cache", "any_file", "dry_run"))
        return len(names) != 1 or len(formats) > 1 or any(value not in (None, False, []) for value in ours)
