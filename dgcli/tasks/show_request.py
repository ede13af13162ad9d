"""The same request for another program: a command line of curl or httpie, or a few lines for the official SDK.

None of them holds the key: it is taken from the environment of whoever runs them.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from dgcli.audio import cloud
from dgcli.audio.base import AudioFormat
from dgcli.audio.track import TrackChoice, may_be_alone
from dgcli.audio.upload import opened
from dgcli.config import Config
from dgcli.config.hosts import DEFAULT_BASE_URL
from dgcli.errors import UsageError
from dgcli.output.stdout import write_stdout
from dgcli.params import Endpoint, Values, encode, stream_endpoint
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.stream_settings import query

# Parameters that the methods of deepgram-sdk 7 have no argument for; so have all that the table does not know.
_BESIDE_FILES = frozenset(
    "sample_rate tier alternatives diarize_version channels keyword_boost detect_topics".split()
)
_BESIDE_STREAMS = frozenset("tier alternatives filler_words no_delay diarize_version ner".split())
_BLOCK_SECONDS = 0.1
_FLUX_SECONDS = 0.08  # as the guide "Flux Quickstart" advises
_RATE = 16000  # Hz, for what ffmpeg is to decode


def _key(config: Config) -> tuple[str, str]:
    """Return the scheme of the authorization, and the variable that holds the key or token."""
    return ("Bearer", "DEEPGRAM_ACCESS_TOKEN") if config.access_token else ("Token", "DEEPGRAM_API_KEY")


def _path(path: str) -> str:
    """Return a path that no program takes for a flag."""
    return f"./{path}" if path.startswith("-") else path


def _lines(parts: Sequence[str]) -> str:
    """Lay a command line out, a part on each line."""
    return " \\\n  ".join(parts) + "\n"


def _curl(config: Config, url: str, media_type: str, body: Sequence[str]) -> str:
    scheme, variable = _key(config)
    parts = ["curl --globoff --request POST", f"--url {shlex.quote(url)}"]
    if config.ca_cert:
        parts.append(f"--cacert {shlex.quote(str(config.ca_cert))}")
    parts += [
        f'--header "Authorization: {scheme} ${variable}"',
        f"--header {shlex.quote(f'Content-Type: {media_type}')}",
        *body,
    ]
    return _lines(parts)


def _httpie(config: Config, url: str, media_type: str, *, before: Sequence[str] = (), after: str = "") -> str:
    scheme, variable = _key(config)
    parts = ["http", *before]
    if config.ca_cert:
        parts.append(f"--verify {shlex.quote(str(config.ca_cert))}")
    parts += [
        f"POST {shlex.quote(url)}",
        f'"Authorization:{scheme} ${variable}"',
        shlex.quote(f"Content-Type:{media_type}"),
    ]
    return _lines(parts).rstrip("\n") + after + "\n"


def _value(text: str) -> object:
    """Return a value as Python writes it."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            if str(kind(text)) == text and text.lstrip("-") not in ("nan", "inf"):
                return kind(text)
        except ValueError:
            continue
    return text


def _arguments(
    encoded: str, beside: frozenset[str], known: Mapping[str, object], *, as_text: bool
) -> tuple[list[str], dict[str, object]]:
    """Return the arguments of a method of the SDK, and the parameters that it has no argument for."""
    values: dict[str, list[str]] = {}
    for name, text in parse_qsl(encoded, keep_blank_values=True):
        values.setdefault(name, []).append(text)
    arguments, others = [], {}
    for name, texts in values.items():
        items = list(texts) if as_text else [_value(text) for text in texts]
        value = items if len(items) > 1 else items[0]
        if name in beside or name not in known:
            others[name] = value
        else:
            arguments.append(f"{name}={value!r}")
    return arguments, others


def _client(config: Config) -> tuple[list[str], str]:
    """Return the imports for a client of the SDK, and the expression that makes it."""
    _, variable = _key(config)
    name = "access_token" if config.access_token else "api_key"
    given = f'{name}=os.environ["{variable}"]'
    imports = ["from deepgram import DeepgramClient"]
    if config.base_url == DEFAULT_BASE_URL:
        return imports, f"client = DeepgramClient({given})"
    imports.append("from deepgram.environment import DeepgramClientEnvironment")
    url = config.base_url
    socket = url.replace("http", "ws", 1)
    places = f"base={url!r}, production={socket!r}, agent={socket!r}, agent_rest={url!r}"
    return imports, f"client = DeepgramClient({given}, environment=DeepgramClientEnvironment({places}))"


def _certificates(config: Config) -> list[str]:
    return [f"os.environ['SSL_CERT_FILE'] = {str(config.ca_cert)!r}"] if config.ca_cert else []


def _call(method: str, arguments: Sequence[str], options: Mapping[str, object]) -> str:
    """Return a call of a method of the SDK, an argument on each line."""
    if options:
        arguments = [*arguments, f"request_options={dict(options)!r}"]
    return f"{method}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _python(config: Config, encoded: str, first: str, method: str, media_type: str) -> str:
    """Write the program that asks for one recording."""
    from dgcli.params.table import BY_NAME

    imports, client = _client(config)
    arguments, others = _arguments(encoded, _BESIDE_FILES, BY_NAME, as_text=False)
    options: dict[str, object] = {}
    if media_type != "application/json":
        options["additional_headers"] = {"content-type": media_type}
    if others:
        options["additional_query_parameters"] = others
    call = _call(f"client.listen.v1.media.{method}", [first, *arguments], options)
    lines = ["import os", *(["import sys"] if "sys." in first else []), "", *imports, ""]
    lines += [*_certificates(config), client, f"response = {call}", "print(response.model_dump_json())"]
    return "\n".join(lines) + "\n"


def _print(text: str) -> None:
    write_stdout(text.encode("utf-8", "surrogateescape"))


def show_file_request(
    way: str,
    path: str,
    config: Config,
    values: Values,
    reporter: Reporter,
    *,
    any_file: bool,
    track: TrackChoice,
) -> None:
    """Print the request that uploads a file. Raises `AudioError` for what cannot be read."""
    if cloud.is_object(path):
        raise UsageError(
            "An object of a cloud is sent by a signed URL, which is no request to keep.",
            hint="Download it, and name the file.",
        )
    media_type = "application/octet-stream"
    if path != "-":
        with opened(path, any_file=any_file) as upload:
            media_type = upload.media_type
            if may_be_alone(upload, track):
                reporter.note(
                    "dg file sends the audio track alone where that saves half; this sends all of it."
                )
    encoded = encode(values)
    url = config.url("/v1/listen") + (f"?{encoded}" if encoded else "")
    if way == "curl":
        # A file is streamed, what comes from a pipe is read whole: its length must be known.
        body = "--data-binary @-" if path == "-" else f"--upload-file {shlex.quote(_path(path))}"
        _print(_curl(config, url, media_type, [body]))
    elif way == "httpie":
        after = "" if path == "-" else f" \\\n  < {shlex.quote(path)}"
        _print(_httpie(config, url, media_type, after=after))
    else:
        audio = "sys.stdin.buffer.read()" if path == "-" else f"open({path!r}, 'rb').read()"
        _print(_python(config, encoded, f"request={audio}", "transcribe_file", media_type))


def show_url_request(way: str, address: str, config: Config, values: Values) -> None:
    """Print the request that has the API fetch a URL."""
    if cloud.is_object(address):
        raise UsageError(
            "For an object of a cloud a signed URL is made, which holds for an hour: it is no request to keep."
        )
    encoded = encode(values)
    url = config.url("/v1/listen") + (f"?{encoded}" if encoded else "")
    body, media_type = json.dumps({"url": address}), "application/json"
    if way == "curl":
        _print(_curl(config, url, media_type, [f"--data {shlex.quote(body)}"]))
    elif way == "httpie":
        _print(_httpie(config, url, media_type, before=["--ignore-stdin", f"--raw {shlex.quote(body)}"]))
    else:
        _print(_python(config, encoded, f"url={address!r}", "transcribe_url", media_type))


def show_stream_request(
    way: str, source: str, config: Config, values: Values, audio_format: AudioFormat | None
) -> None:
    """Print the program that streams a source; `audio_format` is that of a file, None where only reading would tell.

    Raises `UsageError` for programs that cannot.
    """
    if way != "python":
        raise UsageError(
            f"{way} cannot stream: the API's streams are WebSockets.", hint="Use: --show-request python"
        )
    from dgcli.params.table import BY_NAME

    is_flux = stream_endpoint(values.get("model")) is Endpoint.FLUX

    is_raw = values.get("encoding") is not None
    if "://" in source and not is_raw:
        audio_format = AudioFormat("linear16", _RATE, 1)  # ffmpeg decodes what comes, also for Flux
    audio_format = audio_format or AudioFormat()
    encoded = query(values, audio_format) if not is_raw else encode(values)
    arguments, others = _arguments(
        encoded, frozenset() if is_flux else _BESIDE_STREAMS, BY_NAME, as_text=True
    )
    options = {"additional_query_parameters": others} if others else {}
    size = 8192
    if source == "-":
        audio = "sys.stdin.buffer"
    elif audio_format.encoding == "linear16" and not is_raw:
        size = int((audio_format.byte_rate or 0) * (_FLUX_SECONDS if is_flux else _BLOCK_SECONDS)) or size
        pace = [] if "://" in source else ["-re"]
        rate, channels = str(audio_format.sample_rate), str(audio_format.channels)
        name = source if "://" in source else f"file:{source}"
        command = [
            "ffmpeg",
            "-v",
            "error",
            *pace,
            "-i",
            name,
            "-f",
            "s16le",
            "-ar",
            rate,
            "-ac",
            channels,
            "-",
        ]
        audio = f"subprocess.Popen({command!r}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout"
    elif "://" in source:
        audio = f"urllib.request.urlopen({source!r})"
    else:
        audio = f"open({source!r}, 'rb')"
    imports, client = _client(config)
    modules = ["os", *(name for name in ("subprocess", "sys", "urllib.request") if f"{name}." in audio)]
    call = _call(f"client.listen.{'v2' if is_flux else 'v1'}.connect", arguments, options)
    _print(
        _STREAM.format(
            show=_SHOW_TURN if is_flux else _SHOW_RESULT,
            end=_END_TURN if is_flux else "",
            modules="\n".join(f"import {name}" for name in sorted([*modules, "threading"])),
            imports="\n".join([imports[0], "from deepgram.core.events import EventType", *imports[1:]]),
            client="\n".join([*_certificates(config), client]),
            call=call,
            audio=audio,
            size=size,
        )
    )


_SHOW_RESULT = """\
def show(message):
    if message.type == "Results" and message.is_final:
        print(message.channel.alternatives[0].transcript, flush=True)
"""
_SHOW_TURN = """\
ended = threading.Event()


def show(message):
    if message.type == "TurnInfo" and message.event == "EndOfTurn":
        print(message.transcript, flush=True)
        ended.set()
"""
_END_TURN = """\
    ended.clear()
    connection.send_force_end_turn()
    ended.wait(1.5)  # for the turn that is open, if one is
"""
_STREAM = """\
{modules}

{imports}


{show}

{client}
with {call} as connection:
    connection.on(EventType.MESSAGE, show)
    listener = threading.Thread(target=connection.start_listening)
    listener.start()
    with {audio} as audio:
        while block := audio.read({size}):
            connection.send_media(block)
{end}    connection.send_close_stream()
    listener.join()
"""
