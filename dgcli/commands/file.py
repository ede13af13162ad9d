"""`dg file`: upload audio, print its transcript."""

import glob
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.batch import BatchOptions
from dgcli.options.groups import ConnectionOptions, GeneralOptions, HistoryOptions, RetryOptions
from dgcli.options.machinery import OptionGroup, QueryOptions, command
from dgcli.options.outputs import RenderingOptions, SectionOptions, TranscriptOptions
from dgcli.options.request import ShownRequestOptions
from dgcli.params import Endpoint

if TYPE_CHECKING:  # loaded when there is something to send
    from dgcli.audio.track import TrackChoice


def _is_unexpanded(path: str) -> bool:
    """Whether a path is a pattern that the shell left alone, as that of Windows does."""
    return glob.has_magic(path) and (path.startswith(("s3://", "gs://")) or not os.path.exists(path))


def _are_many(paths: Sequence[str], batch: BatchOptions, formats: Sequence[str]) -> bool:
    """Whether more is asked for than one file's transcript."""
    return batch.is_batch(paths, formats) or _is_unexpanded(paths[0])


def _is_url(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


class TrackOptions(OptionGroup):
    """What is sent of a video."""

    panel = "Video"

    whole_file: Annotated[
        bool,
        typer.Option(
            "--whole-file",
            help="Send all of a video, not its audio track alone where that saves half or more.",
        ),
    ] = False
    audio_track: Annotated[
        int | None,
        typer.Option(
            help="Send this audio track alone, counted from 1. Default: the one that players choose.",
            metavar="N",
            min=1,
        ),
    ] = None

    def choice(self) -> "TrackChoice":
        """Return what is sent of a video. Raises `UsageError`."""
        from dgcli.audio.track import TrackChoice

        if self.whole_file and self.audio_track is not None:
            raise UsageError(
                "--whole-file and --audio-track exclude each other.", hint="Leave one of them out."
            )
        return TrackChoice(self.whole_file, self.audio_track)


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
    track: TrackOptions,
    shown: ShownRequestOptions,
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

    A file is uploaded as it is, whatever its format; of a video its audio track alone, where that saves half or
    more. The transcript of one file goes to standard output, or to the files named with -o. Those of many go to a
    file beside each recording, or below --output-dir; running the same command again does only what is missing.

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
    if pages := [name for name in names if _is_url(name)]:
        from dgcli.audio.pages import check_no_page

        for page in pages:
            check_no_page(page)
    config = connection.config(**retry.settings(), **history.settings())
    # Headerless audio has no bytes to tell it by.
    values = params.checked(config)
    params.warn(values, general.console())
    any_file = batch.any_file or "encoding" in values
    way = shown.way(local=connection.local)
    if _are_many(names, batch, output.format or ()):
        from dgcli.tasks.many import BatchSettings, transcribe_many

        settings = BatchSettings(
            names=names,
            values=params.values_for(config),
            formats=output.batch_formats(),
            render=sections.added_to(rendering.settings(output)),
            local=connection.local,
            track=track.choice(),
            show_request=way,
            **{**batch.settings(), "any_file": any_file},
        )
        transcribe_many(config, settings, general.console())
        return
    from dgcli.tasks.transcribe import Request, transcribe_file

    (path,) = names
    if _is_url(path):
        raise UsageError(f"{path} is a URL, not a file.", hint=f"Did you mean: dg url {shlex.quote(path)}")
    if way is not None:
        from dgcli.tasks.show_request import show_file_request

        show_file_request(
            way, path, config, values, general.console(), any_file=any_file, track=track.choice()
        )
        return
    request = Request(
        values,
        stdout_format=output.stdout_format,
        files=tuple(output.output or ()),
        render=sections.added_to(rendering.settings(output)),
        local=connection.local,
        cache=batch.cache,
        any_file=any_file,
        track=track.choice(),
    )
    if batch.dry_run:
        from dgcli.tasks.preview import preview_one

        preview_one(path, config, request, general.console(), is_url=False)
        return
    transcribe_file(path, config, request, general.console())
