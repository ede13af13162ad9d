"""`dg url`: have the API fetch a recording, print its transcript."""

import os
import re
import shlex
from typing import Annotated
from urllib.parse import urlsplit

import typer

from dgcli.errors import UsageError
from dgcli.options.batch import BatchOptions
from dgcli.options.groups import ConnectionOptions, GeneralOptions, HistoryOptions, RetryOptions
from dgcli.options.machinery import QueryOptions, command
from dgcli.options.outputs import RenderingOptions, SectionOptions, TranscriptOptions
from dgcli.options.request import ShownRequestOptions
from dgcli.params import Endpoint


def _check_url(url: str) -> None:
    """Refuse a URL that the API certainly cannot fetch."""
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() in ("http", "https") and parts.netloc:
            from dgcli.audio.pages import check_no_page

            check_no_page(url)
            return
    except ValueError:
        pass  # brackets that are no IPv6 address
    if "://" not in url:
        what = "a file" if os.path.exists(url) else "a path"
        if what == "a path" and re.match(r"[\w-]+(\.[\w-]+)+/", url):
            raise UsageError(
                f"{url} is no whole URL.", hint=f"Did you mean: dg url https://{shlex.quote(url)}"
            )
        raise UsageError(f"{url} is {what}, not a URL.", hint=f"Did you mean: dg file {shlex.quote(url)}")
    raise UsageError(f"The API cannot fetch {url!r}.", hint="A URL begins with https:// or http://.")


def _listed(names: list[str]) -> list[str]:
    """Check every URL."""
    for name in names:
        if not name.startswith(("s3://", "gs://")):
            _check_url(name)
    return names


@command(Endpoint.URL)
def url(
    params: QueryOptions,
    output: TranscriptOptions,
    batch: BatchOptions,
    rendering: RenderingOptions,
    sections: SectionOptions,
    connection: ConnectionOptions,
    retry: RetryOptions,
    history: HistoryOptions,
    shown: ShownRequestOptions,
    general: GeneralOptions,
    urls: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses of recordings: http, https, s3 or gs.", metavar="URL..."),
    ] = None,
) -> None:
    """Transcribe recordings that the API fetches itself.

    The audio does not pass through this machine, so the URL must be one that the API can reach. For s3:// and
    gs:// objects a signed one is made. The transcript of one goes to standard output, or to the files named
    with -o; those of many go to files in the current directory, or below --output-dir.

    Examples:

        dg url https://example.com/call.wav --multichannel
        dg url https://example.com/talk.mp3 --summarize -o talk.json
        dg url --files-from urls.txt -f srt
        dg url -r s3://bucket/calls/
    """
    if batch.check:
        from dgcli.tasks.check import check_batches

        check_batches([str(batch.output_dir)] if batch.output_dir else urls or ["."], general.console())
        return
    names = _listed(urls or [])
    if not names and not batch.lists:
        raise UsageError("Missing argument 'URL'.", hint="See: dg url --help")
    config = connection.config(**retry.settings(), **history.settings())
    values = params.checked(config)
    params.warn(values, general.console())
    way = shown.way(local=connection.local)
    if batch.is_batch(names, output.format or ()):
        from dgcli.tasks.many import BatchSettings, transcribe_many

        settings = BatchSettings(
            names=names,
            values=params.values_for(config),
            formats=output.batch_formats(),
            render=sections.added_to(rendering.settings(output)),
            local=connection.local,
            show_request=way,
            **batch.settings(),
        )
        transcribe_many(config, settings, general.console())
        return
    if way is not None:
        from dgcli.tasks.show_request import show_url_request

        show_url_request(way, names[0], config, values)
        return
    from dgcli.tasks.transcribe import Request, transcribe_url

    request = Request(
        values,
        stdout_format=output.stdout_format,
        files=tuple(output.output or ()),
        render=sections.added_to(rendering.settings(output)),
        local=connection.local,
    )
    if batch.dry_run:
        from dgcli.tasks.preview import preview_one

        preview_one(names[0], config, request, general.console(), is_url=True)
        return
    transcribe_url(names[0], config, request, general.console())
