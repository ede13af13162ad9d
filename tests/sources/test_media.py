"""Media types, from the first bytes of real files where there are some, and from names."""

import subprocess
from pathlib import Path

import pytest

from dgcli.audio.media import SNIFF_BYTES, media_type


@pytest.mark.parametrize(
    ("format", "subtype", "expected"),
    [
        ("WAV", "PCM_16", "audio/wav"),
        ("RF64", "PCM_16", "audio/wav"),
        ("FLAC", "PCM_16", "audio/flac"),
        ("OGG", "VORBIS", "audio/ogg"),
        ("AIFF", "PCM_16", "audio/aiff"),
        ("CAF", "PCM_16", "audio/x-caf"),
        ("AU", "PCM_16", "audio/basic"),
        ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    ],
)
def test_sniffed_from_real_files(tmp_path: Path, format: str, subtype: str, expected: str) -> None:  # noqa: A002
    """What libsndfile writes is known by its first bytes, whatever the file is called."""
    import numpy as np
    import soundfile

    path = tmp_path / "misnamed.txt"
    soundfile.write(path, np.zeros(16000, dtype=np.int16), 16000, format=format, subtype=subtype)
    assert media_type(path.read_bytes()[:SNIFF_BYTES], path.name) == expected


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"\x00\x00\x00\x20ftypM4A ", "x", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypisom", "x", "video/mp4"),
        (b"\x1aE\xdf\xa3", "x", "video/webm"),
        (b"#!AMR\n", "x", "audio/amr"),
        (b"ID3\x04", "x", "audio/mpeg"),
        (b"\xff\xf1P\x80", "x", "audio/aac"),
        (b"\xff\xfb\x90d", "x", "audio/mpeg"),
        (b"\x00\x01\x02\x03", "talk.FLAC", "audio/flac"),
        (b"\x00\x01\x02\x03", "talk.mp3", "audio/mpeg"),
        (b"\x00\x01\x02\x03", "talk.txt", "application/octet-stream"),
        (b"\x00\x01\x02\x03", "talk", "application/octet-stream"),
        (b"R", "r", "application/octet-stream"),
    ],
)
def test_signatures_and_names(head: bytes, name: str, expected: str) -> None:
    """A signature wins, a suffix helps, and what is unknown is said to be unknown."""
    assert media_type(head, name) == expected


def test_table_agrees_with_file(shared_audio: Path) -> None:
    """On the real recordings the table agrees with the program `file`."""
    for path in shared_audio.iterdir():
        try:
            said = subprocess.run(["file", "-b", path], capture_output=True, check=True).stdout.decode()
        except FileNotFoundError:
            pytest.skip("the program `file` is not installed")
        ours = media_type(path.read_bytes()[:SNIFF_BYTES], path.name)
        assert {"audio/wav": "WAVE", "audio/flac": "FLAC"}[ours] in said
