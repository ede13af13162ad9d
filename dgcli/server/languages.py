"""The names of languages as OpenAI's answers spell them, by ISO 639-1 code (page "Speech to text")."""

from collections.abc import Iterator, Sequence

_NAMES = """
af afrikaans, ar arabic, az azerbaijani, be belarusian, bg bulgarian, bs bosnian, ca catalan, cs czech, cy welsh,
da danish, de german, el greek, en english, es spanish, et estonian, fa persian, fi finnish, fr french, gl galician,
he hebrew, hi hindi, hr croatian, hu hungarian, hy armenian, id indonesian, is icelandic, it italian, ja japanese,
kk kazakh, kn kannada, ko korean, lt lithuanian, lv latvian, mi maori, mk macedonian, mr marathi, ms malay, ne nepali,
nl dutch, no norwegian, pl polish, pt portuguese, ro romanian, ru russian, sk slovak, sl slovenian, sr serbian,
sv swedish, sw swahili, ta tamil, th thai, tl tagalog, tr turkish, uk ukrainian, ur urdu, vi vietnamese, zh chinese
"""


def _entries() -> Iterator[tuple[str, str]]:
    for entry in _NAMES.split(","):
        code, _, name = entry.strip().partition(" ")
        yield code, name


def codes() -> Sequence[str]:
    """Return the languages that a multilingual Whisper is good at."""
    return [code for code, _ in _entries()]


def name_of(code: str) -> str:
    """Return the English name of a language, or the code itself when it has none here."""
    wanted = code.lower().split("-")[0]
    return dict(_entries()).get(wanted, code)
