"""The Python API: what another program calls. `dgcli` exports it, and loads it when it is used.

Nothing here prints or changes the process (signals, hooks, the log): all that happens is returned or raised.
Keys, hosts and default parameters come from the environment and the config file, as for the commands.
"""

import math
import os
from collections.abc import AsyncIterable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

from dgcli.config import Config, checked_params
from dgcli.config import load as load_config
from dgcli.errors import DgError, UnknownParameter, UsageError
from dgcli.params import BY_NAME, PARAMS, STREAM, Endpoint, Values
from dgcli.tasks.event_stream import EventStream, live_source
from dgcli.transcript.model import Channel, Segment, Transcript, Word

_FASTEST = 1.25  # times real time: what the API allows ("Recovering From Connection Errors")
_ARGUMENTS = ("api_key", "access_token", "base_url", "profile", "local", "other_params")  # of every call
_OWN_ARGUMENTS = MappingProxyType(
    {
        Endpoint.FILE: ("timeout", "retries", "whole_file", "audio_track"),
        Endpoint.URL: ("timeout", "retries"),
        STREAM: ("speed",),
    }
)


def _unknown(name: str, known: Iterable[str], kind: str, otherwise: str) -> UnknownParameter:
    """What to raise for a name that there is not, with the one that was probably meant."""
    import difflib

    near = difflib.get_close_matches(name, list(known), 1)
    return UnknownParameter(
        f"There is no {kind} {name!r}.", hint=f"Did you mean: {near[0]}" if near else otherwise
    )


class Transcription:
    """What was said. All times are seconds; channels and speakers count from 0."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript

    def __repr__(self) -> str:
        return f"<Transcription {self.request_id}: {len(self.words)} words>"

    @property
    def text(self) -> str:
        """The words in paragraphs, with who speaks them where that is known, as `render("text")` has them."""
        return self.render("text").removesuffix("\n")

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of every channel, channel by channel."""
        return self._transcript.words

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What each channel says: its text, words and paragraphs."""
        return self._transcript.channels

    @property
    def utterances(self) -> tuple[Segment, ...]:
        """The utterances that the response has; empty unless `utterances=True` asked for them, or of a stream."""
        return self._transcript.utterances

    @property
    def request_id(self) -> str | None:
        """What Deepgram's support asks for."""
        return self._transcript.request_id

    @property
    def duration(self) -> float | None:
        """Seconds of audio."""
        return self._transcript.duration

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the API said about the request, such as a feature that the model lacks."""
        return self._transcript.warnings

    @property
    def raw(self) -> Mapping[str, Any]:
        """The whole response, for all that has no name here: summary, topics, entities."""
        return self._transcript.raw

    @property
    def body(self) -> bytes:
        """The response as it came, byte for byte: what to keep for `load`. Empty of a stream."""
        return self._transcript.body

    def render(self, format: str = "text", **options: Any) -> str:  # noqa: A002 - as -f and --format say
        """The transcript in a format of `dg --list-formats`: text, srt, vtt, html, md, csv and others.

        `options` are those of the command line: `speaker_names` ({0: "Anna"}), `audio`, `karaoke`, and the
        limits of cues, such as `preset` and `max_chars`. Raises `UsageError` for a format or an option that
        there is not, the latter as `UnknownParameter`.
        """
        from dgcli.formats import by_name, option_names, render_settings, renderer

        for name in options:
            if name not in option_names():
                known = ", ".join(option_names())
                raise _unknown(name, option_names(), "option of formats", f"Options: {known}.")
        return renderer(by_name(format))(self._transcript, render_settings(**options))


def _parsed(body: bytes) -> Transcription:
    """The transcript of an answer; of one that only says that a callback will bring it, an empty one."""
    from dgcli.transcript.response import callback_id, parse_body

    request_id = callback_id(body)
    if request_id is not None:
        return Transcription(Transcript((), request_id=request_id, raw={"request_id": request_id}, body=body))
    try:
        return Transcription(parse_body(body))
    except DgError as error:
        error.body = body  # it was paid for
        raise


def _values(
    config: Config,
    params: Mapping[str, object],
    other_params: Mapping[str, object] | None,
    endpoint: Endpoint,
) -> Values:
    """All query parameters of a request. Raises `UsageError`, for an unknown one `UnknownParameter`."""
    for name in params:
        if name not in BY_NAME:
            known = (param.name for param in PARAMS if endpoint & param.endpoints and not param.hidden)
            otherwise = "What this version does not know yet can be sent as other_params={...}."
            raise _unknown(name, (*known, *_ARGUMENTS, *_OWN_ARGUMENTS[endpoint]), "parameter", otherwise)
    return checked_params(config, {**params, **(other_params or {})}, endpoint)


def transcribe(
    source: "str | os.PathLike[str] | BinaryIO",
    /,
    *,
    api_key: str | None = None,
    access_token: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    local: bool = False,
    whole_file: bool = False,
    audio_track: int | None = None,
    other_params: Mapping[str, object] | None = None,
    **params: object,
) -> Transcription:
    """Upload a recording; its transcript. Blocks until it is there, and may be called in several threads.

    `source` is a path, an object of a cloud (s3://, gs://), or an open binary file, which is read from where
    it stands and stays open. `params` are the API's query parameters, as in `diarize=True`; `other_params`
    are sent as they are. `local` has it transcribed on this machine. Of a video only the audio track is sent where that
    saves half of the bytes or more, with PyAV installed: `audio_track` (from 1) names another, `whole_file` sends all.
    Raises `DgError`: `UsageError` for what
    is invalid, `AudioError` for what cannot be read, `AuthError`, `ApiError`, `NetworkError`.
    """
    from dgcli.tasks.ask import TrackChoice, file_answered, stream_answered
    from dgcli.tasks.reporter import SilentReporter

    config = load_config(
        {
            "api_key": api_key, "access_token": access_token, "base_url": base_url,
            "timeout": timeout, "retries": retries, "local": local,
        },
        profile=profile,
    )  # fmt: skip
    values = _values(config, params, other_params, Endpoint.FILE)
    reporter = SilentReporter()
    track = TrackChoice(whole_file, audio_track)
    if isinstance(source, str | os.PathLike):
        path = _path(source)
        if path.lower().startswith(("http://", "https://")):
            raise UsageError(f"{path} is a URL, not a file.", hint="Use dgcli.transcribe_url().")
        asking = file_answered(path, config, values, reporter, local=local, track=track)
    elif _is_binary_file(source):
        name = getattr(source, "name", None)
        name = name if isinstance(name, str) else "The audio"
        asking = stream_answered(source, name, config, values, reporter, local=local, track=track)
    else:
        raise _no_audio(source)
    with asking as answer:
        return _parsed(answer.body)


def transcribe_url(
    url: str,
    /,
    *,
    api_key: str | None = None,
    access_token: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    local: bool = False,
    other_params: Mapping[str, object] | None = None,
    **params: object,
) -> Transcription:
    """Have the API fetch a recording itself (http, https, s3 or gs); its transcript.

    Everything else is as for `transcribe`.
    """
    from dgcli.tasks.ask import url_answered
    from dgcli.tasks.reporter import SilentReporter

    if not url.lower().startswith(("http://", "https://", "s3://", "gs://")):
        raise UsageError(f"{url} is no URL.", hint="For a file of this machine: dgcli.transcribe().")
    config = load_config(
        {
            "api_key": api_key, "access_token": access_token, "base_url": base_url,
            "timeout": timeout, "retries": retries, "local": local,
        },
        profile=profile,
    )  # fmt: skip
    values = _values(config, params, other_params, Endpoint.URL)
    with url_answered(url, config, values, SilentReporter(), local=local) as answer:
        return _parsed(answer.body)


def load(path: "str | os.PathLike[str]", /) -> Transcription:
    """The transcript in a saved response, in the body of a callback, or in the JSON lines of a stream.

    Raises `AudioError` for what cannot be read and `ApiError` for what is no transcript.
    """
    from dgcli.tasks.render import read_saved

    return Transcription(read_saved(_path(path)))


def _path(source: "str | os.PathLike[str]") -> str:
    """A path as the tasks take it, for which `-` is standard input: here it is a file like any other."""
    path = os.fspath(source)
    return os.path.join(os.curdir, path) if path == "-" else path  # noqa: PTH118 - Path drops the dot


def _is_binary_file(source: object) -> bool:
    return hasattr(source, "read") and not hasattr(source, "encoding")


def _is_iterable(source: object) -> bool:
    """Whether it may give blocks of bytes; of bytes themselves come numbers, and of text files text."""
    several = isinstance(source, Iterable) and not isinstance(source, bytes | bytearray | memoryview)
    return several and not hasattr(source, "encoding")


def _no_audio(source: object) -> UsageError:
    hint = "Name a file, or open it in binary mode: open(path, 'rb')"
    if isinstance(source, bytes | bytearray | memoryview):
        hint = "Make a file of them: io.BytesIO(data)"
    elif isinstance(source, AsyncIterable):
        hint = "An asynchronous iterator must be read into a queue, whose items a generator yields."
    return UsageError(f"No audio can be read from {type(source).__name__}.", hint=hint)


class Stream(EventStream):
    """A live stream: iterate over its events, within `with`, which closes it whenever the loop is left.

    It begins with the block, or with the first event. The last event is `Closed`; where an error ended the
    stream, the loop raises it then. One thread iterates; everything else may be called from any.
    """

    @property
    def transcript(self) -> Transcription:
        """What was said so far, the utterances that still go on included; made anew each time."""
        return Transcription(self.so_far())


def stream(
    source: "str | os.PathLike[str] | BinaryIO | Iterable[bytes]",
    /,
    *,
    speed: float = 1.0,
    api_key: str | None = None,
    access_token: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    local: bool = False,
    other_params: Mapping[str, object] | None = None,
    **params: object,
) -> Stream:
    """Transcribe audio while it comes in.

    `source` is a path, an http(s) URL, an open binary file or an iterable of bytes. A file by its path goes at
    `speed` times real time; open files and iterables as they come, at most 1.25 times as fast as that. Raw
    samples need `encoding` and `sample_rate` beside them. Everything else is as for `transcribe`.
    """
    from dgcli.tasks.stream_settings import StreamRequest

    config = load_config(
        {"api_key": api_key, "access_token": access_token, "base_url": base_url, "local": local},
        profile=profile,
    )
    if not 0 < speed < math.inf:
        raise UsageError(f"speed must be a number above 0, not {speed}.")
    if speed > _FASTEST and not local and config.host.endswith("deepgram.com"):
        raise UsageError(
            f"A speed of {speed:g} is more than the API allows ({_FASTEST}).",
            hint="Use dgcli.transcribe() for a recording.",
        )
    values = _values(config, params, other_params, STREAM)
    if not local:
        config.authorization()  # without a key there is no point in opening the source
    audio: str | BinaryIO | Iterable[bytes]
    if isinstance(source, str | os.PathLike):
        audio = _path(source)
    elif _is_binary_file(source) or _is_iterable(source):
        audio = source
    else:
        raise _no_audio(source)
    request = StreamRequest(values=values, speed=speed, local=local)
    return Stream(live_source(audio, values, config), config, request)
