"""What a batch is made of, on a real tree."""

import os
from pathlib import Path

import pytest

from dgcli.batch.inputs import InputKind, listing
from dgcli.batch.naming import Naming, check_collisions
from dgcli.errors import AudioError, UsageError
from dgcli.formats import by_name

WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with recordings and other things in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("b/2.wav", "b/10.mp3", "b/c/x.FLAC", "a.wav", "z.opus", ".hidden/h.wav", "b/.h.wav"):
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "corpus" / "recording").write_bytes(WAV)
    (tmp_path / "corpus" / "odd.xyz123").write_bytes(b"OggS" + bytes(20))
    (tmp_path / "corpus" / "utf16.dat7").write_bytes("\ufeffplain text".encode("utf-16"))
    for name in ("notes.txt", "a.srt", "a.json", "cover.jpg", "list.m3u", "README"):
        (tmp_path / "corpus" / name).write_bytes(b"text, and no audio")
    (tmp_path / "corpus" / "loop").symlink_to(tmp_path / "corpus")
    os.mkfifo(tmp_path / "corpus" / "pipe.wav")
    return tmp_path


def names(*args: str, **settings: object) -> list[str]:
    """The names of what is found."""
    return [entry.name for entry in listing(args, **settings).inputs]  # type: ignore[arg-type]  # flags


def test_directory(tree: Path) -> None:
    """A directory gives its recordings by suffix or content, sorted; nothing hidden, linked or else."""
    assert names("corpus", recursive=True) == [
        "corpus/a.wav", "corpus/b/10.mp3", "corpus/b/2.wav", "corpus/b/c/x.FLAC", "corpus/odd.xyz123",
        "corpus/recording", "corpus/z.opus",
    ]  # fmt: skip


def test_here(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory, however it is written, gives names without it."""
    monkeypatch.chdir(tree / "corpus" / "b")
    for here in (".", "./", str(tree / "corpus" / "b")):
        assert names(here, recursive=True) == ["10.mp3", "2.wav", "c/x.FLAC"]


def test_directory_without_recursive(tree: Path) -> None:
    """A directory needs --recursive: it is a problem of its own, and stops nothing else."""
    listed = listing(["corpus", "corpus/a.wav"])
    assert [entry.name for entry in listed.inputs] == ["corpus/a.wav"]
    ((name, error),) = listed.problems
    assert (name, error.message) == ("corpus", "corpus is a directory.")


def test_empty_directory(tree: Path) -> None:
    """A directory without a recording is told: nobody meant that."""
    (tree / "empty").mkdir()
    ((_, error),) = listing(["empty"], recursive=True).problems
    assert error.message == "There is no recording in empty."


def test_patterns(tree: Path) -> None:
    """A pattern that the shell left alone is expanded, sorted; a file of that very name comes first."""
    assert names("corpus/b/*") == ["corpus/b/10.mp3", "corpus/b/2.wav"]
    assert names("corpus/b/**/*.[fF]*") == ["corpus/b/c/x.FLAC"]
    assert names("corpus/*.wav") == ["corpus/a.wav"]  # and no pipe
    (tree / "a[1].wav").write_bytes(WAV)
    assert names("a[1].wav") == ["a[1].wav"]
    assert listing(["*.none"]).problems[0][1].message == "There is no file *.none."


def test_order_and_duplicates(tree: Path) -> None:
    """The order is that of the command line; what is named twice, however it is written, comes once."""
    listed = listing(
        ["corpus/z.opus", "corpus/a.wav", "./corpus/z.opus", str(tree / "corpus/a.wav"), "corpus/b/../a.wav",
         "https://example.com/x.wav", "https://example.com/x.wav", "corpus"],
        recursive=True,
    )  # fmt: skip
    assert [entry.name for entry in listed.inputs][:4] == [
        "corpus/z.opus", "corpus/a.wav", "https://example.com/x.wav", "corpus/b/10.mp3",
    ]  # fmt: skip
    assert listed.duplicates == [
        "corpus/z.opus", "corpus/a.wav", "corpus/b/../a.wav", "https://example.com/x.wav", "corpus/a.wav",
        "corpus/z.opus",
    ]  # fmt: skip


def test_lists(tree: Path) -> None:
    """Lists hold any name, one a line or ended by NUL, and URLs; nothing in them is a pattern."""
    (tree / "lines").write_bytes(b"corpus/a.wav\n\nhttps://example.com/x.wav\n*.wav\n\xff.wav\n")
    (tree / "nuls").write_bytes(b"new\nline.wav\0-\0")
    listed = listing([], [("lines", b"\n"), ("nuls", b"\0")])
    assert [entry.name for entry in listed.inputs] == [
        "corpus/a.wav", "https://example.com/x.wav", "*.wav", "\udcff.wav", "new\nline.wav", "-",
    ]  # fmt: skip
    assert [entry.kind for entry in listed.inputs][1] is InputKind.URL
    with pytest.raises(AudioError, match=r"There is no list nowhere"):
        listing([], [("nowhere", b"\n")])


def test_standard_input_is_alone(tree: Path) -> None:
    """`-` beside other inputs is refused, and the flag for a list is named."""
    with pytest.raises(UsageError) as caught:
        listing(["a.wav", "-"])
    assert caught.value.hint == "For a list of files: --files-from -"


def test_shares_do_not_hang_on_where_the_tree_is(tree: Path) -> None:
    """A recording's share is decided by its path below the root that was named, wherever that root is."""
    there = [entry.share for entry in listing([str(tree / "corpus")], recursive=True).inputs]
    here = [entry.share for entry in listing(["corpus"], recursive=True).inputs]
    assert here == there
    assert here[1] == "b/10.mp3"
    assert listing(["/else/where/x.wav"]).inputs[0].share == "/else/where/x.wav"


def outputs(args: list[str], *formats: str, **settings: str | None) -> list[str]:
    """The paths of all outputs."""
    listed = listing(args, recursive=True)
    naming = Naming([by_name(name) for name in formats or ("srt",)], **settings)
    check_collisions(listed, naming, "en")
    return [target.path for recording in listed.inputs for target in naming.targets(recording, "en")]


def test_output_names(tree: Path) -> None:
    """Outputs lie beside their recordings, or mirror the tree; a template names them."""
    assert outputs(["corpus/b"]) == ["corpus/b/10.srt", "corpus/b/2.srt", "corpus/b/c/x.srt"]
    assert outputs(["corpus/b"], output_dir="out") == ["out/10.srt", "out/2.srt", "out/c/x.srt"]
    assert outputs(["corpus/b/2.wav", "/else/x.wav"], output_dir="out") == ["out/corpus/b/2.srt", "out/x.srt"]
    assert outputs(["corpus/a.wav"], "srt", "json") == ["corpus/a.srt", "corpus/a.json"]
    assert outputs(["corpus/a.wav"], template="{name}.{lang}.{ext}") == ["corpus/a.wav.en.srt"]
    assert outputs(["https://example.com/calls/my%20call.mp3?x=1"]) == ["my call.srt"]
    assert outputs(["https://example.com/"], output_dir="out") == ["out/example.srt"]
    assert outputs(["https://example.com/a%2F..%2Fb.wav"]) == ["a_.._b.srt"]


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        (["x/a.wav", "y/a.wav"], {"output_dir": "o", "template": "{stem}.{ext}"}, None),
        (["x/a.wav", "x/a.mp3"], {}, "x/a.wav and x/a.mp3 would both be written to x/a.srt."),
        (
            ["/x/a.wav", "/y/a.wav"],
            {"output_dir": "o"},
            "/x/a.wav and /y/a.wav would both be written to o/a.srt.",
        ),
        (
            ["https://a.com/x.wav", "https://b.com/x.wav"],
            {},
            "https://a.com/x.wav and https://b.com/x.wav would",
        ),
        (["https://a.com/x.wav", "https://b.com/x.wav"], {"template": "{stem}-{hash}.{ext}"}, None),
        (["corpus/a.wav", "corpus/a.srt"], {}, "The output corpus/a.srt of corpus/a.wav is itself an input."),
    ],
)
def test_collisions(tree: Path, args: list[str], settings: dict[str, str], message: str | None) -> None:
    """Two recordings for one output, or an output that is an input, are refused before anything is sent."""
    if message is None:
        assert len(set(outputs(args, **settings))) == len(args)
        return
    with pytest.raises(UsageError) as caught:
        outputs(args, **settings)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{stem}.{nope}", "--name-template knows no {nope}."),
        ("{stem!r}.{ext}", "--name-template knows no {stem}."),
        ("{stem", "--name-template '{stem' cannot be read"),
        ("sub/{stem}.{ext}", "--name-template names a file, without folders."),
        ("all.{ext}", "--name-template gives every recording the same name."),
    ],
)
def test_templates_refused(template: str, message: str) -> None:
    """A template that cannot name outputs is refused, with the fields there are."""
    with pytest.raises(UsageError) as caught:
        Naming([by_name("srt")], template=template)
    assert caught.value.message.startswith(message)


def test_two_formats_one_name(tree: Path) -> None:
    """A template without {ext} cannot hold two formats."""
    with pytest.raises(UsageError, match=r"Two formats of corpus/a\.wav"):
        outputs(["corpus/a.wav"], "srt", "vtt", template="{stem}.out")
