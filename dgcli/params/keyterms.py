"""The limits of key terms: how many there may be, and about how many tokens they are.

Sources: Deepgram, "Keyterm Prompting" (100 terms, 500 tokens over all of them) and the reference of `Configure`.
The API counts the tokens of its own byte-pair encoding, which is not public. The estimate errs on the high side
for what such encodings split up: codes, digits, and scripts other than Latin.
"""

import math
import re
from collections.abc import Iterable

_LIMIT = 500  # tokens; the API refuses a request with more, and a stream may fall silent
_DOUBTFUL = 450  # an estimate above this may well be more than the limit
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]|\s+|.", re.DOTALL)
_LETTERS, _CAPITALS = 4, 1  # letters of a token: of a word, and of an abbreviation or code


def _tokens(piece: str) -> int:
    if piece.isspace():
        return 0  # it belongs to the token behind it
    if not piece.isascii():
        return max(1, len(piece.encode("utf-8", "replace")) // 2)
    return math.ceil(len(piece) / (_CAPITALS if piece.isupper() else _LETTERS))


def estimated_tokens(terms: Iterable[str]) -> int:
    """Estimate the tokens of all terms together."""
    return sum(_tokens(piece) for term in terms for piece in _PIECES.findall(term))


def token_warning(terms: Iterable[str]) -> str | None:
    """Return what to say about terms that may be more than the API takes; None where they are few enough."""
    tokens = estimated_tokens(terms)
    if tokens <= _DOUBTFUL:
        return None
    return (
        f"The key terms are about {tokens} tokens, and the API takes {_LIMIT}: with more it refuses the request, or "
        "a stream transcribes nothing and is closed after 30 s. Leave some out."
    )
