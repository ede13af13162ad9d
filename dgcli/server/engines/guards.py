"""What Whisper says and nobody said, and what somebody said and Whisper did not: found by simple facts.

Whisper recites on past the end of its audio, repeats a phrase for ever, invents words in a cough, and now and
then skips a passage. All times are in seconds and count from the same start.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.decoding import Decoding

Span = tuple[float, float]

_NO_TIME = 0.05  # seconds within which nobody says a word
_HASTE, _HURRIED = 0.06, 4  # so many words in a row of so few seconds each were never said; fewer slipped
_END = 0.1  # seconds before the end of the audio
_FASTEST = 0.09  # seconds a word of a repeated phrase takes at least, on average
_LONGEST_PHRASE = 25  # words: a sentence
_TIMES, _TIMES_OF_ONE = 4, 6  # so often nobody says a phrase, or a single word, in a row
_DOUBT_BELOW = 1.0  # seconds of speech: where there is more, Whisper's own doubts are often wrong
_NO_SPEECH, _LOGPROB, _LOGPROB_NOTHING = 0.6, -1.5, -0.7
_SLOWEST = (0.3, 0.1)  # seconds that a word may take, and more for each of its letters
_EDGE = 0.1  # seconds by which the ends of words are uncertain
_HOLE, _TAIL = 0.8, 0.5  # seconds of speech without a word between two, or after the last: heard again
_LATE = 0.6  # seconds by which a word that follows a pause may be told too late
_PAUSE = 0.2  # seconds of silence that no word has in it
_BREATH = 0.2  # seconds of silence that do not end a span of speech


def _recited(words: Sequence[HeardWord], end: float) -> int:
    """Return the number of words at the end that take no time: the audio was over."""
    count = 0
    for word in reversed(words):
        if word.end - word.start >= _NO_TIME or word.start < end - _END:
            break
        count += 1
    return count


def _unhurried(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Return the words without runs of them that took next to no time: text that goes on where speech did not."""
    kept: list[HeardWord] = []
    for hurried, run in groupby(words, lambda word: word.end - word.start <= _HASTE):
        several = list(run)
        if not hurried or len(several) < _HURRIED:
            kept += several
    return kept


def _without_loops(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Return the words without the repetitions of a phrase that nobody can have said."""
    result = list(words)
    at = 0
    while at < len(result):
        for size in range(1, min(_LONGEST_PHRASE, (len(result) - at) // 2) + 1):
            phrase = [word.text for word in result[at : at + size]]
            times = 1
            while [w.text for w in result[at + times * size : at + (times + 1) * size]] == phrase:
                times += 1
            if times == 1:
                continue
            repeated = result[at + size : at + times * size]
            pace = (repeated[-1].end - repeated[0].start) / len(repeated)
            if pace < _FASTEST or times >= (_TIMES_OF_ONE if size == 1 else _TIMES):
                del result[at + size : at + times * size]
                break
        else:
            at += 1
    return result


def credible(decoding: Decoding, seconds: float, voiced: float) -> list[HeardWord]:
    """Return the words of a decode of `seconds` of audio that can have been said; `voiced` of them are speech."""
    # A short text has a low probability per token even where every word is right: its own doubt must be great.
    doubts = decoding.logprob < (_LOGPROB_NOTHING if decoding.no_speech > _NO_SPEECH else _LOGPROB)
    if voiced < _DOUBT_BELOW and doubts:
        return []
    words = _without_loops(_unhurried(decoding.words))
    return words[: len(words) - _recited(words, seconds)]


def spans(voices: Sequence[float], start: float, frame: float, least: float = 0.5) -> list[Span]:
    """Return where frames of `frame` seconds hold speech: a probability of at least `least`."""
    result: list[Span] = []
    for number, voice in enumerate(voices):
        if voice >= least:
            begins, ends = start + number * frame, start + (number + 1) * frame
            if result and begins - result[-1][1] < frame / 2:
                result[-1] = (result[-1][0], ends)
            else:
                result.append((begins, ends))
    return result


def clip(words: Sequence[HeardWord], voiced: Sequence[Span]) -> list[HeardWord]:
    """Return the words without the silence that their times reach over, before, after or in them."""
    result = []
    for word in words:
        sides: list[Span] = []  # of a pause within the word
        for a, b in voiced:
            if a < word.end and b > word.start:
                inside = (max(a, word.start), min(b, word.end))
                if sides and inside[0] - sides[-1][1] < _PAUSE:
                    sides[-1] = (sides[-1][0], inside[1])
                else:
                    sides.append(inside)
        # Nobody pauses in a word: it was said on the side that has more voice.
        start, end = max(sides, key=lambda side: side[1] - side[0], default=(0.0, 0.0))
        if end - start >= _NO_TIME:
            word = replace(word, start=max(word.start, start - _NO_TIME), end=min(word.end, end + _NO_TIME))
        result.append(word)
    return result


def anchored(words: Sequence[HeardWord], voiced: Sequence[Span]) -> list[HeardWord]:
    """Return the words (clipped before) with those that follow a pause begun where the voice begins.

    Whisper tells the start of such a word late, and of some that they lie in the pause behind it.
    """
    result: list[HeardWord] = []
    for word in words:
        free = result[-1].end if result else 0.0
        spans_before = [span for span in voiced if free - _EDGE <= span[0] < word.start]
        if spans_before:
            start, end = spans_before[-1]
            late = word.start - end  # seconds of silence before a word that was told too late altogether
            if late < _LATE and min(end, word.start) - start < _HOLE:
                stop = end + _NO_TIME if late > 0 else word.end
                word = replace(word, start=max(start - _NO_TIME, free), end=stop)
        result.append(word)
    return result


def _covered(word: HeardWord) -> Span:
    longest = _SLOWEST[0] + _SLOWEST[1] * len(word.text)
    return word.start - _EDGE, min(word.end, word.start + longest) + _EDGE


def missed(words: Sequence[HeardWord], voiced: Sequence[Span]) -> list[Span]:
    """Return the spans of speech in which no word lies, long enough to hold some."""
    if not words:
        return []
    covered = [_covered(word) for word in words]
    gaps = [(a[1], b[0]) for a, b in pairwise([(0.0, 0.0), *covered, (float("inf"), 0.0)])]
    result: list[Span] = []
    for number, (left, right) in enumerate(gaps):
        if number == 0:
            left = float("-inf")
        if number == len(gaps) - 1:
            right = float("inf")
        inside = [(max(a, left), min(b, right)) for a, b in voiced if a < right and b > left]
        runs: list[list[Span]] = []
        for span in inside:
            if runs and span[0] - runs[-1][-1][1] <= _BREATH:
                runs[-1].append(span)
            else:
                runs.append([span])
        least = _TAIL if number == len(gaps) - 1 else _HOLE
        result += [(run[0][0], run[-1][1]) for run in runs if sum(b - a for a, b in run) >= least]
    return result


def patched(words: Sequence[HeardWord], more: Sequence[HeardWord], hole: Span) -> list[HeardWord]:
    """Return the words with those of a span that was heard again; what reached into it ends before it."""
    inside = [word for word in more if hole[0] - _EDGE <= (word.start + word.end) / 2 <= hole[1] + _EDGE]
    before = [word for word in words if word.start < hole[0]]
    after = [word for word in words if word.start >= hole[0]]
    # A word that had no time behind the span was said in it.
    if (
        inside
        and after
        and after[0].end - after[0].start < _NO_TIME
        and after[0].text in (w.text for w in inside)
    ):
        after = after[1:]
    # The edges of the span are uncertain: a word on them may have been heard both times.
    if inside and before and inside[0].text == before[-1].text:
        inside = inside[1:]
    if inside and after and inside[-1].text == after[0].text:
        inside = inside[:-1]
    if inside and before and before[-1].end > inside[0].start:
        last = before[-1]
        before[-1] = replace(last, end=max(inside[0].start, last.start))
    return [*before, *inside, *after]
