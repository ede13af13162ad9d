"""Media types, from a file's first bytes or its name.

A dozen signatures cover what people transcribe; the API looks for itself in any case, so that a table of
thousands would cost start-up time and gain nothing.
"""

import mimetypes
from pathlib import Path
from types import MappingProxyType

SNIFF_BYTES = 16  # how much of the beginning `media_type` looks at

# Files that are recordings by their names; a search through directories takes them without a look inside.
MEDIA_SUFFIXES = frozenset(
    """.wav .wave .bwf .rf64 .w64 .mp3 .mp2 .mpga .flac .ogg .oga .ogv .opus .spx .m4a .m4b .m4v .mp4 .aac .adts
    .webm .weba .mkv .mka .mov .qt .aif .aiff .aifc .caf .au .snd .amr .awb .3gp .3g2 .wma .wmv .asf .avi .mpg
    .mpeg .mts .m2ts .flv .f4v .ac3 .eac3 .wv""".split()
)

_UNKNOWN = "application/octet-stream"
_BY_SUFFIX = MappingProxyType(
    # What the system's table lacks or calls by a name nobody else uses.
    {
        ".flac": "audio/flac",
        ".m4a": "audio/mp4",
        ".opus": "audio/ogg",
        ".wav": "audio/wav",
        ".amr": "audio/amr",
    }
)


def sniffed(head: bytes) -> str | None:
    """The media type that a signature stands for (RFC 9639, RFC 3533, RIFF, ISO 14496-12, Matroska...)."""
    match head[:4]:
        case b"RIFF" | b"RF64" | b"RIFX":
            return {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(head[8:12])
        case b"fLaC":
            return "audio/flac"
        case b"OggS":
            return "audio/ogg"
        case b"FORM":
            return "audio/aiff"
        case b"caff":
            return "audio/x-caf"
        case b".snd":
            return "audio/basic"
        case b"\x1aE\xdf\xa3":
            return "video/webm"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] in (b"M4A", b"M4B") else "video/mp4"
    if head.startswith(b"#!AMR"):
        return "audio/amr"
    if head.startswith(b"ID3"):
        return "audio/mpeg"
    if head[:2] == b"\xff\xfe":  # UTF-16 text, far more often than MPEG-1 Layer I with a checksum
        return None
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"  # layer 00 is ADTS
    return None


def is_playlist(head: bytes) -> bool:
    """Whether a file that begins so is a list of where audio is: M3U, HLS or PLS."""
    return head.removeprefix(b"\xef\xbb\xbf").lower().startswith((b"#extm3u", b"[playlist]"))


def is_media_name(name: str) -> bool | None:
    """Whether a file of this name is a recording; None where only its content can tell."""
    _, dot, suffix = name.lower().rpartition(".")
    if dot and f".{suffix}" in MEDIA_SUFFIXES:
        return True
    return False if mimetypes.guess_type(f"x.{suffix}")[0] and dot else None


def media_type(head: bytes, name: str) -> str:
    """The media type of a file called `name` that begins with `head` (at least `SNIFF_BYTES` of it)."""
    if kind := sniffed(head):
        return kind
    suffix = "." + name.lower().rpartition(".")[2]
    guessed = _BY_SUFFIX.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0]
    return guessed if guessed and guessed.startswith(("audio/", "video/")) else _UNKNOWN


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
    suffix = _SUFFIXES.get(media_type(head, name))
    _, dot, end = name.rpartition(".")
    return suffix or (f".{end.lower()}" if dot and end.isalnum() and len(end) <= 5 else ".bin")


def is_container(head: bytes) -> bool:
    """Whether these first bytes carry the signature of a container or a compressed stream."""
    return media_type(head, "") in _SUFFIXES


_SLOW_TO_COUNT = (".mp3", ".mp2", ".mpga")  # no header says it: their frames would have to be counted


def duration(path: str) -> float | None:
    """The length of a file in seconds; None where its header does not say."""
    if path.lower().endswith(_SLOW_TO_COUNT):
        return None
    import soundfile

    try:
        with Path(path).open("rb") as file:
            # Whatever its name: libsndfile's MP3 decoder also writes about every odd frame on stderr.
            if media_type(file.read(SNIFF_BYTES), "") == "audio/mpeg":
                return None
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, UnicodeError):
        return None  # video, or no audio at all: the API may know more
    return float(info.frames) / info.samplerate if info.samplerate else None
