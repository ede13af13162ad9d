"""Files that are plainly no recordings, by their bytes: text, documents, archives, images, programs.

Only what is certain is named here. Headerless audio may begin with any bytes, and containers that nobody here
has heard of may hold sound: in doubt a file is a recording, and the API decides.
"""

import re
import zlib
from pathlib import Path
from types import MappingProxyType

from dgcli.audio.media import is_media_name, is_playlist, sniffed
from dgcli.errors import AudioError

HEAD_BYTES = 4096  # how much of the beginning tells
PLAYLIST_HINT = "Name the recordings in it; a stream in the network plays by its URL: dg live https://..."
_ANY_FILE = "To send it all the same: --any-file"

# What each begins with; from the documents of the formats and file(1)'s tables.
_SIGNATURES = MappingProxyType(
    {
        "a PDF document": (b"%PDF-",),
        "a PostScript document": (b"%!PS",),
        "an Office document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf"),
        "a ZIP archive or document": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"),
        "an archive": (
            b"\x1f\x8b\x08", b"BZh1", b"BZh2", b"BZh3", b"BZh4", b"BZh5", b"BZh6", b"BZh7", b"BZh8", b"BZh9",
            b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18",
            b"!<arch>\n", b"MSCF\0\0\0\0", b"\xed\xab\xee\xdb",
        ),
        "an image": (
            b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"8BPS\0\x01",
            b"\0\0\x01\0\x01\0", b"gimp xcf",
        ),
        "a program": (
            b"\x7fELF", b"MZ\x90\0", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
            b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm",
        ),
        "a database": (b"SQLite format 3\0",),
        "a font": (b"wOFF", b"wOF2", b"OTTO\0", b"\0\x01\0\0\0", b"ttcf\0"),
        "a file of Git": (b"DIRC\0\0\0", b"PACK\0\0\0", b"\xfftOc\0\0\0", b"RIDX\0\0\0", b"MIDX\x01", b"CGPH\x01"),
        "a file of the Finder": (b"\0\0\0\x01Bud1",),
    }
)  # fmt: skip
_IMAGE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")  # of ISO 14496-12
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


class NotARecording(AudioError):
    """A file that is plainly something else than a recording."""


def _is_zlib(head: bytes) -> bool:
    """Whether this is a zlib stream (RFC 1950), as Git keeps its objects."""
    if len(head) < 8 or head[0] != 0x78 or (head[0] << 8 | head[1]) % 31:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, 1))
    except zlib.error:
        return False


def _is_text(head: bytes, *, is_whole: bool) -> bool:
    """Whether this is text, in UTF-8, UTF-16 with its mark, or mostly ASCII."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
        return "\ufffd" not in text[:-1] and not any(ord(char) < 9 for char in text)
    if _CONTROLS.search(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = not is_whole and error.start >= len(head) - 3
        ascii_bytes = sum(byte < 0x80 for byte in head)
        return is_cut or ascii_bytes > 0.85 * len(head)
    return True


def other_kind(head: bytes, *, is_whole: bool) -> str | None:
    """What a file that begins with `head` is, if it is plainly no recording; `is_whole`: that is all of it."""
    if head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS:
        return "an image"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "an image"
    if sniffed(head) is not None:
        return None
    for kind, signatures in _SIGNATURES.items():
        if head.startswith(signatures):
            return kind
    if head[257:262] == b"ustar" or _is_zlib(head):
        return "an archive" if head[257:262] == b"ustar" else "compressed data"
    if head[1:4] in (b"\r\r\n", b"\x0e\r\n", b"\x0f\r\n") and len(head) > 16:
        return "compiled Python" if head[4:8] in (b"\0\0\0\0", b"\x01\0\0\0", b"\x03\0\0\0") else None
    if (
        head[:2] == b"BM"
        and len(head) > 18
        and head[6:10] == bytes(4)
        and head[14:18] in (b"\x28\0\0\0", b"\x7c\0\0\0")
    ):
        return "an image"
    if is_playlist(head):
        return "a playlist"
    if head and _is_text(head, is_whole=is_whole):
        return (
            "a web page" if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")) else "text"
        )
    return None


def _is_saved(head: bytes) -> bool:
    """Whether text is a response of the API or a log of a stream."""
    begin = head.lstrip()
    return begin.startswith(b"{") and any(
        key in begin for key in (b'"metadata"', b'"results"', b'"channel"', b'"request_id"')
    )


def check_recording(head: bytes, name: str, *, size: int) -> None:
    """Refuse a file of `size` bytes that begins with `head` if it is no recording. Raises `NotARecording`."""
    kind = other_kind(head, is_whole=len(head) >= size)
    if kind is None:
        return
    if kind == "text" and _is_saved(head):
        import shlex

        raise NotARecording(
            f"{name} is a saved response, not a recording.",
            hint=f"Did you mean: dg render {shlex.quote(name)}",
        )
    hint = PLAYLIST_HINT if kind == "a playlist" else _ANY_FILE
    raise NotARecording(f"{name} is {kind}, not a recording.", hint=hint)


def is_left_out(path: str, size: int) -> bool:
    """Whether a file of `size` bytes that a list names is no recording: by its bytes, unless its name is one's."""
    if is_media_name(path):
        return False  # damaged, perhaps: that is a failure, and told
    if not size:
        return True
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return False  # opening it again will say what is wrong
    return other_kind(head, is_whole=len(head) >= size) is not None
