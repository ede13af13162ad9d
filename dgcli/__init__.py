"""Speech to text, through Deepgram's API or on this machine: the Python API (docs/python.md).

    import dgcli

    print(dgcli.transcribe("talk.mp3", diarize=True).render("srt"))

All of it is loaded when the first of these names is used.
"""

__version__ = "0.2.0"

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than ours
if TYPE_CHECKING:
    from dgcli.client import Stream, Transcription, load, stream, transcribe, transcribe_url
    from dgcli.errors import (
        ApiError,
        AudioError,
        AuthError,
        DgError,
        NetworkError,
        UnknownParameter,
        UsageError,
    )
    from dgcli.transcript.events import (
        Closed,
        Connected,
        Event,
        Final,
        Interim,
        Metadata,
        Notice,
        NoticeKind,
        Opened,
        SpeechStarted,
        Turn,
        TurnStage,
        UtteranceEnd,
    )
    from dgcli.transcript.model import Channel, Segment, Word

__all__ = [
    "ApiError",
    "AudioError",
    "AuthError",
    "Channel",
    "Closed",
    "Connected",
    "DgError",
    "Event",
    "Final",
    "Interim",
    "Metadata",
    "NetworkError",
    "Notice",
    "NoticeKind",
    "Opened",
    "Segment",
    "SpeechStarted",
    "Stream",
    "Transcription",
    "Turn",
    "TurnStage",
    "UnknownParameter",
    "UsageError",
    "UtteranceEnd",
    "Word",
    "load",
    "stream",
    "transcribe",
    "transcribe_url",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dgcli import client, errors
    from dgcli.transcript import events, model

    return next(vars(home)[name] for home in (client, errors, model, events) if name in vars(home))


def __dir__() -> list[str]:
    return [*globals(), *__all__]
