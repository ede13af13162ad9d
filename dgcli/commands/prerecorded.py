"""What `dg file` and `dg url` have in common: everything but where the audio is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dgcli import outputs
from dgcli.config import Config
from dgcli.errors import DgError
from dgcli.formats import Options
from dgcli.outputs import Outputs
from dgcli.transcript import Transcript, parse_body
from dgcli.ui.console import Console
from dgcli.ui.progress import upload_bar

if TYPE_CHECKING:  # httpx is loaded when there is something to send: --help does without
    from dgcli.api import Answer, Client, Progress


@contextmanager
def local_server(config: Config) -> Iterator[Config]:
    """The configuration for a server of our own, inside this process, for as long as the block runs."""
    from dgcli.commands.serve import embedded

    with embedded() as base_url:
        yield replace(config, base_url=base_url, api_key=None, access_token=None)


def _callback_id(body: bytes) -> str | None:
    """The request id of an answer that says no more than that."""
    if len(body) > 1000:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return None  # `parse_body` says what is wrong with it
    if isinstance(answer, dict) and "request_id" in answer and "results" not in answer:
        return str(answer["request_id"])
    return None


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


def _deliver(answer: "Answer", wanted: Outputs, options: Options, console: Console) -> None:
    """Write the transcript of an answer, or say where it will go."""
    callback = _callback_id(answer.body)
    if callback is not None:
        console.note("The request was accepted: the transcript goes to the callback.")
        outputs.write_stdout(f"{callback}\n".encode())
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
) -> None:
    """Send one request, showing the progress of `size` bytes, and deliver what comes back.

    Raises every `DgError` there is.
    """
    if local:
        with local_server(config) as here:
            transcribe(here, wanted, options, console, local=False, name=name, size=size, send=send)
        return
    from dgcli.api import Client

    with Client(config, report=console.note) as client, upload_bar(console, name, size) as bar:
        answer = send(client, bar.sent)
    console.detail(f"Request {answer.request_id}: {len(answer.body)} bytes, attempt {answer.attempts}.")
    _deliver(answer, wanted, options, console)
