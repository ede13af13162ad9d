"""What is plainly no recording, on real files of both kinds."""

import gzip
import io
import json
import py_compile
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from dgcli.audio.other_files import HEAD_BYTES, NotARecording, check_recording, is_left_out, other_kind


def kind_of(data: bytes) -> str | None:
    """What a file of these bytes is found to be."""
    return other_kind(data[:HEAD_BYTES], is_whole=len(data) <= HEAD_BYTES)


def packed(kind: str) -> bytes:
    """An archive that the standard library makes."""
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.txt", "text")
    else:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(__file__, "a.py")
    return file.getvalue()


OTHER = {
    "a key": b"DEEPGRAM_API_KEY=0123456789abcdef\n",
    "a Git reference": b"ref: refs/heads/main\n",
    "a script": Path(__file__).read_bytes(),
    "text in UTF-8": "Žluťoučký kůň\n".encode() * 500,
    "text in UTF-8, cut": ("x" + "ž" * 4000).encode(),
    "text in UTF-16": "\ufeffplain text".encode("utf-16"),
    "text in Latin-1": "Ein großer Bär trägt Öl über die Brücke, und niemand hört zu.".encode("latin-1"),
    "colours": b"\x1b[31mred\x1b[0m and plain\n",
    "a subtitle": b"1\n00:00:00,000 --> 00:00:01,000\nHello.\n",
    "a web page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "a ZIP": packed("zip"),
    "a tape archive": packed("tar"),
    "gzip": gzip.compress(b"text"),
    "an object of Git": zlib.compress(b"blob 4\0text", 1),
    "an object of Git, packed well": zlib.compress(b"blob 4\0text" * 1000, 9),
    "an index of Git": b"DIRC\0\0\0\x02\0\0\0\x10" + bytes(range(200)),
    "a PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(100),
    "a WebP": b"RIFF\x10\0\0\0WEBPVP8 ",
    "a HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a program": Path(sys.executable).resolve().read_bytes()[:10_000],
}
SOUND = {
    "WAV": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    "ID3": b"ID3\x04\0\0\0\0\0\x00",
    "MP3 frames": b"\xff\xfb\x90\x64" + bytes(400),
    "ADTS": b"\xff\xf1\x50\x80" + bytes(100),
    "Ogg": b"OggS\0\x02" + bytes(100),
    "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "M4A": b"\0\0\0\x18ftypM4A \0\0\0\0",
    "Matroska": b"\x1aE\xdf\xa3\x01\0\0\0",
    "MPEG-TS": (b"G@\0\x10" + bytes(184)) * 3,
    "MPEG-PS": b"\0\0\x01\xba\x44\0\x04\0\x04\x01",
    "ASF": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
    "FLV": b"FLV\x01\x05\0\0\0\x09",
    "raw 16-bit silence": bytes(4000),
    "raw mu-law silence": b"\xff" * 4000,
    "raw 8-bit": bytes((127 + (7 * n * n) % 90 - 45) for n in range(4000)),
    "unknown": bytes((n * 37 + 11) % 256 for n in range(4000)),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_files(name: str) -> None:
    """Text, documents, archives, images and programs are told by their bytes."""
    assert kind_of(OTHER[name]) is not None


@pytest.mark.parametrize("name", SOUND)
def test_recordings(name: str) -> None:
    """Containers of sound are none of these, nor is what has no signature."""
    assert kind_of(SOUND[name]) is None


def test_made_by_real_programs(tmp_path: Path) -> None:
    """Databases and compiled modules, as Python writes them, are told."""
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("create table t (a)")
    database.close()
    (tmp_path / "m.py").write_text("x = 1\n")
    compiled = py_compile.compile(str(tmp_path / "m.py"), str(tmp_path / "m.pyc"))
    assert compiled
    assert kind_of((tmp_path / "x.db").read_bytes()) == "a database"
    assert kind_of(Path(compiled).read_bytes()) == "compiled Python"


def test_raw_speech_is_no_other_file(tmp_path: Path) -> None:
    """Speech without a header, in the encodings that telephony has, is never taken for text or an image."""
    import numpy
    import soundfile

    chance = numpy.random.default_rng(1)
    wave = numpy.cumsum(chance.normal(0, 0.02, 80_000)) % 1.0 - 0.5
    for subtype in ("PCM_16", "PCM_U8", "ULAW", "ALAW", "FLOAT"):
        path = tmp_path / f"{subtype}.raw"
        soundfile.write(path, wave, 8000, format="RAW", subtype=subtype)
        data = path.read_bytes()
        for start in range(0, len(data) - HEAD_BYTES, 997):
            assert other_kind(data[start : start + HEAD_BYTES], is_whole=False) is None, (subtype, start)


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git to make a repository with")
def test_a_repository(tmp_path: Path) -> None:
    """Nothing that lies in a Git repository would be sent."""
    (tmp_path / "a.py").write_text("print(1)\n" * 50)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "a.py"], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    subprocess.run([*git, "repack", "-adq"], check=True)
    subprocess.run([*git, "commit", "-qm", "b", "--allow-empty"], check=True)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if not is_left_out(str(path), path.stat().st_size)] == []


def test_saved_responses_are_pointed_to_render() -> None:
    """A saved response is refused with the command that renders it."""
    saved = json.dumps({"metadata": {"request_id": "x"}, "results": {}}).encode()
    with pytest.raises(NotARecording) as caught:
        check_recording(saved, "my call.json", size=len(saved))
    assert caught.value.hint == "Did you mean: dg render 'my call.json'"


def test_names_of_recordings_are_not_left_out(tmp_path: Path) -> None:
    """What is named like a recording and empty, or full of text, is no file to pass over in silence."""
    for name in ("a.wav", "b.mp3", "c.txt", "d"):
        (tmp_path / name).touch()
    (tmp_path / "b.mp3").write_text("404 not found")
    left_out = {name: is_left_out(str(tmp_path / name), 0) for name in ("a.wav", "b.mp3", "c.txt", "d")}
    assert left_out == {"a.wav": False, "b.mp3": False, "c.txt": True, "d": True}
