"""`dg file`: upload audio, print its transcript."""

import glob
import os
import shlex
from collections.abc import Sequence
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import (
    BatchOptions,
    ConnectionOptions,
    GeneralOptions,
    HistoryOptions,
    RenderingOptions,
    RetryOptions,
    SectionOptions,
    TranscriptOptions,
)
from dgcli.options.machinery import QueryOptions, command
from dgcli.params import Endpoint


def _is_unexpanded(path: str) -> bool:
    """Whether a path is a pattern that the shell left alone, as that of Windows does."""
    return glob.has_magic(path) and (path.startswith(("s3://", "gs://")) or not os.path.exists(path))


def _are_many(paths: Sequence[str], batch: BatchOptions, formats: Sequence[str]) -> bool:
    """Whether more is asked for than one file's transcript."""
    return batch.is_batch(paths, formats) or _is_unexpanded(paths[0])


@command(Endpoint.FILE)
def file(
    params: QueryOptions,
    output: TranscriptOptions,
    batch: BatchOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    connection: ConnectionOptions,
    retry: RetryOptions,
    history: HistoryOptions,
    general: GeneralOptions,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Audio or video files, directories with --recursive, URLs; - alone for standard input.",
            metavar="PATH...",
        ),
    ] = None,
) -> None:
    """Transcribe files, or standard input.

    A file is uploaded as it is, whatever its format. The transcript of one file goes to standard output, or to
    the files named with -o. Those of many go to a file beside each recording, or below --output-dir; running
    the same command again does only what is missing.

    Examples:

        dg file talk.mp3 --diarize
        dg file talk.mp3 -o talk.srt -o talk.json
        ffmpeg -i film.mkv -f flac - | dg file -
        dg file talk.wav --local
        dg file *.mp3 --jobs 8 -f srt
        dg file -r calls --output-dir texts
        find . -print0 | dg file --files0-from -
    """
    if batch.check:
        from dgcli.tasks.check import check_batches

        check_batches([str(batch.output_dir)] if batch.output_dir else paths or ["."], general.console())
        return
    names = paths or []
    if not names and not batch.lists:
        raise UsageError("Missing argument 'PATH'.", hint="See: dg file --help")
    config = connection.config(**retry.settings(), **history.settings())
    # Headerless audio has no bytes to tell it by.
    values = params.checked(config)
    params.warn(values, general.console())
    any_file = batch.any_file or "encoding" in values
    if _are_many(names, batch, output.format or ()):
        from dgcli.tasks.many import BatchSettings, transcribe_many

        settings = BatchSettings(
            names=names,
            values=params.values_for(config),
            formats=output.batch_formats(),
            render=sections.added_to(rendering.settings(output)),
            local=connection.local,
            **{**batch.settings(), "any_file": any_file},
        )
        transcribe_many(config, settings, general.console())
        return
    from dgcli.tasks.transcribe import Request, transcribe_file

    (path,) = names
    if path.lower().startswith(("http://", "https://")):
        raise UsageError(f"{path} is a URL, not a file.", hint=f"Did you mean: dg url {shlex.quote(path)}")
    request = Request(
        values,
        stdout_format=output.stdout_format,
        files=tuple(output.output or ()),
        render=sections.added_to(rendering.settings(output)),
        local=connection.local,
        cache=batch.cache,
        any_file=any_file,
    )
    if batch.dry_run:
        from dgcli.tasks.preview import preview_one

        preview_one(path, config, request, general.console(), is_url=False)
        return
    transcribe_file(path, config, request, general.console())
