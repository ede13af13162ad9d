"""What a stream of a certain media type is called as a file, and whether it says itself what it is."""

from types import MappingProxyType

from dgcli.audio.media import media_type

_SUFFIXES = MappingProxyType(
    {
        "audio/aac": ".aac",
        "audio/aiff": ".aiff",
        "audio/amr": ".amr",
        "audio/basic": ".au",
        "audio/flac": ".flac",
        "audio/mp4": ".m4a",
        "audio/mpeg": ".mp3",
        "audio/ogg": ".ogg",
        "audio/wav": ".wav",
        "audio/x-caf": ".caf",
        "video/mp4": ".mp4",
        "video/webm": ".webm",
        "video/x-msvideo": ".avi",
    }
)


def suffix_of(head: bytes, name: str = "") -> str:
    """The suffix of a file that begins with `head`; that of `name` where the bytes do not tell."""
    found = _SUFFIXES.get(media_type(head, name))
    _, dot, end = name.rpartition(".")
    return found or (f".{end.lower()}" if dot and end.isalnum() and len(end) <= 5 else ".bin")


def is_container(head: bytes) -> bool:
    """Whether these first bytes carry the signature of a container or a compressed stream."""
    return media_type(head, "") in _SUFFIXES
