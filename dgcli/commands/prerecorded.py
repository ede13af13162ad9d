"""What `dg file` and `dg url` have in common: everything but where the audio is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dgcli import outputs
from dgcli.audio import cloud
from dgcli.audio.upload import Upload
from dgcli.config import Config
from dgcli.errors import DgError, UsageError
from dgcli.formats import Options
from dgcli.options import Transcripts
from dgcli.outputs import Outputs
from dgcli.params import Values
from dgcli.transcript import Transcript, callback_id, parse_body
from dgcli.ui.console import Console, harmless
from dgcli.ui.progress import upload_bar

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from dgcli.api import Answer, Client, Progress


@contextmanager
def local_server(config: Config) -> Iterator[Config]:
    """The configuration for a server of our own, inside this process, for as long as the block runs."""
    from dgcli.commands.serve import embedded

    with embedded() as base_url:
        yield replace(config, base_url=base_url, api_key=None, access_token=None)


@dataclass(frozen=True, slots=True)
class Kept:
    """What finds the answer for an upload in the cache."""

    upload: Upload
    query: str

    def answer(self, config: Config, *, local: bool, ask: "Callable[[], Answer]") -> "Answer":
        """The answer that is kept, else the one that `ask` gets."""
        import hashlib

        from dgcli.cache import ResponseCache

        made = hashlib.sha256()
        for block in self.upload.blocks():
            made.update(block)
        server = "local" if local else config.host
        return ResponseCache().answer(made.hexdigest(), f"{server} {self.query}", ask)


def announce(transcript: Transcript, wanted: Outputs, console: Console) -> None:
    """Say what a user should know of a transcript before reading what is `wanted` of it."""
    for warning in transcript.warnings:
        console.warning(warning)
    if transcript.is_empty:
        console.note("The transcript is empty: no speech was found.")
        return
    forms = [wanted.stdout, *(form for _, form in wanted.files)]
    timed = ", ".join(dict.fromkeys(form.name for form in forms if form is not None and form.timed))
    if timed and any(one.text.strip() and not one.words for one in transcript.channels):
        console.warning(f"The response has text without timed words: {timed} cannot show it.")


def check_callback(values: Values, output: Transcripts) -> None:
    """Raises `UsageError` for outputs that would never be written."""
    if "callback" in values and (output.output or output.format):
        flag = "-o" if output.output else "-f"
        raise UsageError(
            f"--callback delivers the transcript elsewhere: {flag} has nothing to write.",
            hint=f"Leave one of them out; what the callback delivers is written by: dg render FILE {flag} ...",
        )


def check_connection(config: Config) -> None:
    """Find out what is wrong with the key or the certificates before audio is read that comes only once.

    Raises `AuthError` and `UsageError`.
    """
    config.authorization()
    if config.base_url.startswith("https:"):
        from dgcli import tls

        tls.context(config.ca_cert)


def _deliver(
    answer: "Answer", wanted: Outputs, options: Options, console: Console, *, inside: bool = False
) -> None:
    """Write the transcript of an answer, or say where it will go."""
    callback = callback_id(answer.body)
    if callback is not None:
        console.note("The request was accepted: the transcript goes to the callback.")
        outputs.write_stdout(f"{harmless(callback).strip()}\n".encode())
        if inside:
            console.note("Waiting until it is delivered; Ctrl-C gives up.")
        return
    try:
        transcript = parse_body(answer.body)
    except DgError as error:
        error.kept = outputs.keep(answer.body, answer.request_id)
        raise
    announce(transcript, wanted, console)
    outputs.write(transcript, wanted, options)


def transcribe(
    config: Config,
    wanted: Outputs,
    options: Options,
    console: Console,
    *,
    local: bool,
    name: str,
    size: int | None,
    send: "Callable[[Client, Progress], Answer]",
    kept: Kept | None = None,
    inside: bool = False,
) -> None:
    """Send one request, showing the progress of `size` bytes, and deliver what comes back.

    `kept` looks into the cache first. `inside`: the server is one of our own. Raises every `DgError` there is.
    """
    if local:
        with local_server(config) as here:
            transcribe(
                here,
                wanted,
                options,
                console,
                local=False,
                name=name,
                size=size,
                send=send,
                kept=kept,
                inside=True,
            )
        return
    from dgcli.api import Client

    with Client(config, report=console.note) as client, upload_bar(console, name, size) as bar:
        answer = (
            kept.answer(config, local=inside, ask=lambda: send(client, bar.sent))
            if kept
            else send(client, bar.sent)
        )
    console.detail(f"Request {answer.request_id}: {len(answer.body)} bytes, attempt {answer.attempts}.")
    _deliver(answer, wanted, options, console, inside=inside)


def transcribe_object(
    name: str,
    config: Config,
    given: Transcripts,
    options: Options,
    query: str,
    console: Console,
    *,
    local: bool,
) -> None:
    """Transcribe one object of a cloud: by a signed URL, or streamed through here. Raises as `transcribe`."""
    wanted = outputs.plan(given.stdout_format, given.output or ())
    cloud.stamp(name)  # says what is wrong with it better than the API could
    signed = cloud.signed(name)
    if signed is not None:
        transcribe(
            config, wanted, options, console, local=local, name=name, size=None,
            send=lambda client, _: client.transcribe_url(signed, query),
        )  # fmt: skip
        return
    with cloud.opened(name) as upload:
        transcribe(
            config, wanted, options, console, local=local, name=name, size=upload.size,
            send=lambda client, progress: client.transcribe_file(upload, query, progress=progress),
        )  # fmt: skip
