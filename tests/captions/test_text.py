"""The text of words: what is taken out of it, how wide it is, where it may be broken."""

import pytest

from dgcli.captions.text import clean, joined, pieces, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("日本", 4), ("ﾊﾝ", 2), ("e\u0301", 1), ("👍", 2), ("שלום", 4), ("", 0)],
)
def test_width_counts_columns(text: str, columns: int) -> None:
    """Full-width characters are two columns, combining marks none."""
    assert width(text) == columns


def test_controls_and_lone_surrogates_are_taken_out() -> None:
    """Nothing that a terminal or an encoder chokes on is left; line feeds and tabs are."""
    assert clean("a\x00b\x1b[31mc\x85d\te\nf\x9b\ud83d") == "ab[31mc\nd\te\nf"
    clean("\ud800\udc00x\udfff").encode()


def test_words_of_scripts_without_spaces_are_joined() -> None:
    """Chinese, Japanese and Thai words stand next to each other; Korean and Latin ones have a space."""
    assert joined(["今日", "は", "晴れ。", "OK", "です"]) == "今日は晴れ。 OK です"
    assert joined(["สวัสดี", "ครับ"]) == "สวัสดีครับ"
    assert joined(["안녕하세요", "여러분"]) == "안녕하세요 여러분"
    assert joined(["hello", "there"]) == "hello there"


def test_only_scripts_without_spaces_are_cut_inside_a_word() -> None:
    """A Latin word stays whole however long it is; a Chinese one is cut where the line is full."""
    assert pieces("x" * 60, 42) == ["x" * 60]
    assert pieces("今" * 50, 42) == ["今" * 21, "今" * 21, "今" * 8]
    assert pieces("two words", 42) == ["two", "words"]
    assert pieces("10\u00a0%", 42) == ["10\u00a0%"]
    assert pieces(" \x00 ", 42) == []


def test_characters_that_belong_together_stay_together() -> None:
    """No piece begins with a mark, a closing sign or half of an emoji, and none ends with an opening one."""
    family = "👩‍👩‍👧‍👦"
    assert all(piece.count("👩") % 2 == 0 for piece in pieces("今" + family * 20, 12))
    assert not any(piece.startswith(("。", "っ", "ー")) for piece in pieces("ばった。" * 20, 10))
    assert not any(piece.endswith("「") for piece in pieces("「今」" * 20, 10))
    assert not any(piece.startswith(("\u0e31", "\u0e48", "า")) for piece in pieces("น้ำมันกาแฟ" * 10, 12))
    assert "".join(pieces("今" * 50 + "。" * 50, 42)) == "今" * 50 + "。" * 50


def test_no_piece_is_wider_than_a_line() -> None:
    """Even signs that may not begin a line do so where they alone would be too wide for it."""
    assert all(width(piece) <= 20 for piece in pieces("今" + "。" * 50, 20))
    assert all(width(piece) <= 20 for piece in pieces("「" * 50 + "今", 20))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("we  the people", ["we the", "people"]),
        ("", []),
        ("see https://example.com/a-long-way ok", ["see", "https://example.com/a-long-way", "ok"]),
        ("今日は、元気です。", ["今日は、", "元気で", "す。"]),
        ("ok今日GPT-4です", ["ok今日", "GPT-4で", "す"]),
        ("été là où", ["été là", "où"]),
        ("今 日", ["今 日"]),
    ],
)
def test_a_text_is_wrapped_at_words(text: str, lines: list[str]) -> None:
    """Lines of eight columns end at spaces and inside scripts that write none; a longer word stays whole."""
    assert wrapped(text, 8) == lines
