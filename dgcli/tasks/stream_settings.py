"""What is asked of a stream, whoever takes its events, and what the streamer makes of it."""

from dataclasses import dataclass

from dgcli import __version__
from dgcli.audio.base import AudioFormat, Source
from dgcli.audio.flux import FluxSource
from dgcli.config import Config
from dgcli.live.listen_v1 import ListenV1
from dgcli.live.listen_v2 import ListenV2
from dgcli.live.protocol import ListenProtocol
from dgcli.live.settings import StreamSettings
from dgcli.params import Endpoint, Values, check, encode, stream_endpoint
from dgcli.transcript.response import MOST_CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What is asked of a stream. Times are seconds; `speed` is a multiple of real time.

    `values` are checked query parameters. `local`: a server inside this process answers.
    """

    values: Values
    speed: float = 1.0
    duration: float | None = None
    stop_after_silence: float | None = None
    reconnect: bool = True
    max_reconnects: int = 10
    local: bool = False


def query(values: Values, audio_format: AudioFormat, *, local: bool = False) -> str:
    """The query string: what was asked for, and what the audio is."""
    endpoint = stream_endpoint(values.get("model"))
    about: dict[str, object] = dict.fromkeys(("encoding", "sample_rate", "channels"))
    if audio_format.encoding is not None:
        about = {
            "encoding": audio_format.encoding,
            "sample_rate": audio_format.sample_rate,
            "channels": audio_format.channels if endpoint is Endpoint.LIVE else None,
        }
    return encode(check({**values, **about}, endpoint, local=local))


def protocol_of(values: Values) -> ListenProtocol:
    """The protocol of the endpoint on which the model streams."""
    return ListenV2() if stream_endpoint(values.get("model")) is Endpoint.FLUX else ListenV1()


def fitted(source: Source, values: Values) -> Source:
    """The source as the model's endpoint takes it."""
    return FluxSource(source) if stream_endpoint(values.get("model")) is Endpoint.FLUX else source


def stream_settings(config: Config, audio_format: AudioFormat, request: StreamRequest) -> StreamSettings:
    """What the streamer needs to know. Raises `AuthError` without a key and `UsageError` for invalid values."""
    asked = query(request.values, audio_format, local=config.is_loopback)
    protocol = protocol_of(request.values)
    url = f"{config.url(protocol.path, websocket=True)}?{asked}"
    diarized = any(request.values.get(name) not in (None, False) for name in ("diarize", "diarize_model"))
    return StreamSettings(
        url=url,
        protocol=protocol,
        headers={**config.authorization(), "User-Agent": f"dgcli/{__version__}"},
        ca_cert=config.ca_cert,
        channels=MOST_CHANNELS if audio_format.encoding is None else audio_format.channels,
        diarized=diarized,
        speed=request.speed,
        reconnect=request.reconnect,
        max_reconnects=request.max_reconnects,
        duration=request.duration,
        stop_after_silence=request.stop_after_silence,
    )
