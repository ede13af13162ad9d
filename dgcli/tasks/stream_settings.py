"""What is asked of a stream, whoever takes its events, and what the streamer makes of it."""

from dataclasses import dataclass

from dgcli import __version__
from dgcli.audio.base import AudioFormat
from dgcli.config import Config
from dgcli.live.settings import StreamSettings
from dgcli.params import Endpoint, Values, check, encode
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
    about: dict[str, object] = dict.fromkeys(("encoding", "sample_rate", "channels"))
    if audio_format.encoding is not None:
        about = {
            "encoding": audio_format.encoding,
            "sample_rate": audio_format.sample_rate,
            "channels": audio_format.channels,
        }
    return encode(check({**values, **about}, Endpoint.LIVE, local=local))


def stream_settings(config: Config, audio_format: AudioFormat, request: StreamRequest) -> StreamSettings:
    """What the streamer needs to know. Raises `AuthError` without a key and `UsageError` for invalid values."""
    asked = query(request.values, audio_format, local=config.is_loopback)
    url = f"{config.url('/v1/listen', websocket=True)}?{asked}"
    diarized = any(request.values.get(name) not in (None, False) for name in ("diarize", "diarize_model"))
    return StreamSettings(
        url=url,
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
