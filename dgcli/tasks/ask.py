"""One recording, sent and answered. What becomes of the answer is the caller's: a command, or the Python API.

Each of these is a block in which the answer is there. A server inside this process runs until the block ends,
and then delivers the callbacks that it promised.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dgcli.audio import cloud
from dgcli.audio.track import USUAL_TRACK, TrackChoice, audio_alone
from dgcli.audio.upload import is_pipe, opened, opened_stream
from dgcli.config import Config
from dgcli.errors import ApiError, UsageError
from dgcli.params import Values, encode
from dgcli.tasks.local import reached
from dgcli.tasks.reporter import Reporter, Transfer

__all__ = ["TrackChoice", "file_answered", "stream_answered", "url_answered"]

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from typing import BinaryIO

    from dgcli.api.client import Answer, Client
    from dgcli.audio.upload import Upload

    # The answer to an upload that is there already, if there is one.
    Cached = Callable[[Upload], Answer | None]


_CHECK_URL = "Check the URL, and the network; with --local this machine fetches it."


def _check_connection(config: Config) -> None:
    """Find out what is wrong with the key or the certificates before audio is read that comes only once."""
    config.authorization()
    if config.base_url.startswith("https:"):
        from dgcli.api import tls

        tls.context(config.ca_cert)


@contextmanager
def _answered(
    config: Config,
    values: Values,
    reporter: Reporter,
    *,
    local: bool,
    name: str,
    size: int | None,
    send: "Callable[[Client, Transfer], Answer]",
) -> "Iterator[Answer]":
    """Send one request, showing the progress of `size` bytes."""
    from dgcli.api.client import Client
    from dgcli.api.refusals import REMOTE_CONTENT

    transfers: list[Transfer] = []

    def progress(share: float) -> None:
        for transfer in transfers:
            transfer.transcribed(share)

    with reached(config, reporter, values, local=local, on_progress=progress) as server:
        with Client(server, report=reporter.note) as client, reporter.transfer(name, size) as transfer:
            transfers.append(transfer)
            try:
                answer = send(client, transfer)
            except ApiError as error:
                if local and error.code == REMOTE_CONTENT:
                    error.message, error.hint = f"{name} could not be fetched from here.", _CHECK_URL
                raise
        reporter.detail(f"Request {answer.request_id}: {len(answer.body)} bytes, attempt {answer.attempts}.")
        yield answer


@contextmanager
def _uploaded(
    opening: "AbstractContextManager[Upload]",
    name: str,
    config: Config,
    values: Values,
    reporter: Reporter,
    *,
    local: bool,
    track: TrackChoice,
    path: str | None = None,
    cached: "Cached | None" = None,
) -> "Iterator[Answer]":
    query = encode(values)
    with opening as upload:
        kept = cached(upload) if cached else None
        if kept is not None:
            yield kept
            return
        with audio_alone(upload, path or name, track) as sent:
            if sent.note:
                reporter.note(sent.note)
            if sent.warning:
                reporter.warning(sent.warning)

            def send(client: "Client", transfer: Transfer) -> "Answer":
                return client.transcribe_file(sent.upload, query, progress=transfer.sent)

            with _answered(
                config, values, reporter, local=local, name=name, size=sent.upload.size, send=send
            ) as answer:
                yield answer


@contextmanager
def file_answered(
    path: str,
    config: Config,
    values: Values,
    reporter: Reporter,
    *,
    local: bool,
    cached: "Cached | None" = None,
    any_file: bool = True,
    track: TrackChoice = USUAL_TRACK,
) -> "Iterator[Answer]":
    """Upload a file, standard input (`-`) or an object of a cloud. Raises every `DgError` there is.

    `values` are checked query parameters. `local`: a server inside this process answers. `cached`
    may answer in its place what is uploaded from this machine. Without `any_file`, what is plainly no
    recording is refused. `track` is what is sent of a video.
    """
    if cloud.is_object(path):
        if track.number is not None:
            raise UsageError(
                "--audio-track goes with a file of this machine.", hint="Download it, or leave it out."
            )
        with _object_answered(path, config, values, reporter, local=local) as answer:
            yield answer
        return
    if is_pipe(path) and not local:
        _check_connection(config)  # what is read from a pipe cannot be read again
    with _uploaded(
        opened(path, any_file=any_file),
        Path(path).name,
        config,
        values,
        reporter,
        local=local,
        track=track,
        path="Standard input" if path == "-" else path,
        cached=cached,
    ) as answer:
        yield answer


@contextmanager
def stream_answered(
    file: "BinaryIO",
    name: str,
    config: Config,
    values: Values,
    reporter: Reporter,
    *,
    local: bool,
    track: TrackChoice = USUAL_TRACK,
) -> "Iterator[Answer]":
    """Upload what an open binary file holds from where it stands; it stays open. Raises every `DgError`."""
    if not local:
        _check_connection(config)
    with _uploaded(
        opened_stream(file, name, any_file=True), name, config, values, reporter, local=local, track=track
    ) as answer:
        yield answer


@contextmanager
def url_answered(
    url: str, config: Config, values: Values, reporter: Reporter, *, local: bool
) -> "Iterator[Answer]":
    """Have the API fetch a URL, or an object of a cloud. Raises every `DgError` there is."""
    if cloud.is_object(url):
        with _object_answered(url, config, values, reporter, local=local) as answer:
            yield answer
        return
    query = encode(values)
    with _answered(
        config, values, reporter, local=local, name=url, size=None,
        send=lambda client, _: client.transcribe_url(url, query),
    ) as answer:  # fmt: skip
        yield answer


@contextmanager
def _object_answered(
    name: str, config: Config, values: Values, reporter: Reporter, *, local: bool
) -> "Iterator[Answer]":
    """Have one object of a cloud transcribed: by a signed URL, or streamed through here."""
    cloud.stamp(name)  # says what is wrong with it better than the API could
    query = encode(values)
    signed = cloud.signed(name)
    if signed is not None:
        with _answered(
            config, values, reporter, local=local, name=name, size=None,
            send=lambda client, _: client.transcribe_url(signed, query),
        ) as answer:  # fmt: skip
            yield answer
        return
    whole = TrackChoice(whole_file=True)  # reading it twice would cost more than it saves
    with _uploaded(cloud.opened(name), name, config, values, reporter, local=local, track=whole) as answer:
        yield answer
