"""What is checked of a decoded window before anybody reads it: Whisper's known faults, and words' times.

All pure: words and the stretches of voice in the same window, both in seconds from its start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from dgcli.server.engines.base import Word
from dgcli.server.engines.decoding import Decoding

Stretch = tuple[float, float]  # start and end in seconds

HOLE = 0.8  # seconds of voice without a word that are decoded again
_SHORT = 1.0  # seconds of voice below which Whisper's own doubts decide: something that sounded like voice
_NO_SPEECH, _LOGPROB = 0.6, -1.2  # doubts
_NOTHING_SAID = 2.0  # log probability per token below which a text is guessed, however much voice there was
_NO_TIME = 0.04  # seconds: a word that takes no longer was not heard
_LOOP_WORDS = 12  # words of a phrase that is looked for in a loop
_LOOP_TIMES = 3  # how often it comes in a row
_FASTEST = 0.12  # seconds a word takes at least, on average, where somebody does repeat himself
_LONGEST, _PER_LETTER = 0.6, 0.1  # seconds that a word takes at most, and more for each of its letters
_EDGE = 0.05  # seconds around voice that a word may take: soft consonants


def _shared(a: Stretch, b: Stretch) -> float:
    return max(min(a[1], b[1]) - max(a[0], b[0]), 0.0)


def voice_in(stretch: Stretch, voiced: Sequence[Stretch]) -> float:
    """Return how many seconds of a stretch are voice."""
    return sum(_shared(stretch, part) for part in voiced)


def is_doubtful(decoding: Decoding, voiced: Sequence[Stretch]) -> bool:
    """Tell whether nothing was said: what was taken for voice was too short, and Whisper doubts its text."""
    if decoding.logprob < -_NOTHING_SAID:
        return True
    seconds = sum(end - start for start, end in voiced)
    return seconds < _SHORT and (decoding.no_speech > _NO_SPEECH or decoding.logprob < _LOGPROB)


def _loop(words: Sequence[Word], at: int) -> tuple[int, int] | None:
    """Return length and number of the phrases that repeat from `at` on, quicker than anybody speaks."""
    for length in range(1, min(_LOOP_WORDS, (len(words) - at) // _LOOP_TIMES) + 1):
        phrase = [word.text for word in words[at : at + length]]
        times, following = 1, at + length
        while [word.text for word in words[following : following + length]] == phrase:
            times, following = times + 1, following + length
        if times >= _LOOP_TIMES:
            repeated = words[at + length : following]
            if repeated[-1].end - repeated[0].start < _FASTEST * len(repeated):
                return length, times
    return None


def without_loops(words: Sequence[Word]) -> list[Word]:
    """Return the words with a phrase that is repeated faster than speech kept once."""
    kept: list[Word] = []
    at = 0
    while at < len(words):
        loop = _loop(words, at)
        length, times = loop or (1, 1)
        kept += words[at : at + length]
        at += length * times
    return kept


def without_recital(words: Sequence[Word], voiced: Sequence[Stretch]) -> list[Word]:
    """Return the words without those at the end that took no time: recited past the end of what was said."""
    end = voiced[-1][1] if voiced else 0.0
    timeless = 0
    for word in reversed(words):
        if word.end - word.start > _NO_TIME:
            break
        timeless += 1
    beyond = sum(1 for word in words[len(words) - timeless :] if word.start >= end - _EDGE)
    return list(words[: len(words) - (timeless if timeless > 2 else beyond)])


def clipped(words: Sequence[Word], voiced: Sequence[Stretch]) -> list[Word]:
    """Return the words with their times cut to the voice: Whisper stretches them over pauses."""
    result: list[Word] = []
    for word in words:
        longest = _LONGEST + _PER_LETTER * len(word.text)
        start, end = word.start, word.end
        parts = [part for part in voiced if _shared((start, end), part) > 0]
        if parts:
            # A word that reaches over a pause was spoken on the side that has more of it.
            best = max(parts, key=lambda part: _shared((start, end), part))
            start, end = max(start, best[0] - _EDGE), min(end, best[1] + _EDGE)
        if end - start > longest:
            # What leads up to a word was silence more often than what follows it.
            end = start + longest
        earliest = result[-1].end if result else 0.0
        start = max(start, earliest)
        result.append(replace(word, start=start, end=max(end, start)))
    return result


def holes(words: Sequence[Word], voiced: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield the stretches between words (which were `clipped`) in which too much voice has no word."""
    if not voiced:
        return
    edges = [voiced[0][0], *(edge for word in words for edge in (word.start, word.end)), voiced[-1][1]]
    for gap in list(pairwise(edges))[::2]:
        if voice_in(gap, voiced) > HOLE:
            yield gap


def filled(words: Sequence[Word], hole: Stretch, again: Sequence[Word]) -> list[Word]:
    """Return the words with those of a second decoding that lie in the hole."""
    before = [word for word in words if word.start < hole[0]]
    after = [word for word in words if word.start >= hole[0]]
    inside = [word for word in again if hole[0] <= (word.start + word.end) / 2 <= hole[1]]
    # The second decoding began and ended a little outside: what stands at its edges may be there already.
    if before and inside and before[-1].text == inside[0].text:
        inside = inside[1:]
    if after and inside and after[0].text == inside[-1].text:
        inside = inside[:-1]
    return [*before, *inside, *after]
