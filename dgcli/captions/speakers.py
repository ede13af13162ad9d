"""Changes of speaker, put where people change: at the end of a sentence or at a pause.

Recognisers give the first or last words of a turn to the neighbour: "And I can / [Speaker 0] report it's opened."
A change in the middle of a sentence moves to the nearest end of a sentence or pause within three words, and one
without such a place stays. A turn of one word that no pause or sentence end sets apart is absorbed, and a word
without a speaker takes its neighbours'.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from dgcli.transcript.model import Word

Flagged = tuple[Word, bool]
"""A word, and whether an utterance ends after it."""

_PAUSE = 0.3  # seconds at which a change is at its place
_REACH = 3  # words that a change moves by at most
_APART = _REACH + 1  # words of one speaker beyond which a change has no influence
_LONGEST = 40  # words that are held back at most, where speakers change all the time
_CLOSING = "\"'”’»)]」』"
_ENDS = frozenset(".?!…。！？؟।—-")
_TITLES = frozenset("mr. mrs. ms. dr. prof. st. sr. sra. hr. fr.".split())


def _ends_sentence(text: str) -> bool:
    text = text.rstrip(_CLOSING)
    return text[-1:] in _ENDS and text.lower() not in _TITLES and not (len(text) == 2 and text[0].isupper())


def _fill(labels: list[int | None], places: set[int], before: int | None) -> None:
    """Give words without a speaker that of the word before, or of the one after where a sentence begins."""
    for at, label in enumerate(labels):
        if label is not None:
            continue
        following = next((later for later in labels[at + 1 :] if later is not None), None)
        left = labels[at - 1] if at else before
        apart = at in places and at + 1 not in places
        labels[at] = following if following is not None and (left is None or apart) else left


def _absorb(labels: list[int | None], places: set[int]) -> None:
    """Give single words between others' to the sentence they stand in."""
    for at in range(1, len(labels) - 1):
        alone = labels[at - 1] != labels[at] != labels[at + 1]
        if alone and not (at in places and at + 1 in places):
            labels[at] = labels[at + 1] if at in places else labels[at - 1]


def _snap(labels: list[int | None], places: set[int], sure: Sequence[float]) -> None:
    """Move changes in mid sentence to the place nearby that goes against the least confidence."""
    done = 0  # no change moves before the one to its left
    for at in range(1, len(labels)):
        if labels[at] == labels[at - 1]:
            continue
        if at in places:
            done = at
            continue
        following = next(
            (later for later in range(at + 1, len(labels)) if labels[later] != labels[at]), len(labels)
        )
        near = [
            place
            for place in range(max(done, at - _REACH), min(following, at + _REACH) + 1)
            if place in places
        ]
        if not near:
            done = at
            continue
        # Where two are alike the later place wins: the last word of a turn is what goes astray most.
        best = min(near, key=lambda place: (sum(sure[min(place, at) : max(place, at)]), -place))
        if best < at:
            labels[best:at] = [labels[at]] * (at - best)
        else:
            labels[at:best] = [labels[at - 1]] * (best - at)
        done = best


class SpeakerSmoother:
    """Smooths the speakers of one channel while its words come in; however they are divided, all comes out alike.

    Words without any speaker pass at once; others wait for the next pause, or until four words of the same
    speaker follow.
    """

    def __init__(self) -> None:
        self._held: list[Flagged] = []
        self._run = 0  # how many words up to the last one have its speaker
        self._label: int | None = None  # the speaker of the last word
        self._safe = 0  # how many of those held no later change has an influence on
        self._mixed = False  # whether those held are not all of one speaker
        self._before: int | None = None  # the speaker of the last word that came out

    def take(self, words: Iterable[Flagged]) -> list[Flagged]:
        """Take the next words; returns those whose speakers are settled."""
        words = list(words)
        speakers = [word.speaker for word, _ in words]
        if not self._held and self._before is None and set(speakers) <= {None}:
            return words
        ready: list[Flagged] = []
        # What stands between two pauses and is of one speaker comes out as it is, without a look at each word.
        borders = [
            at
            for at, ((before, _), (word, _)) in enumerate(pairwise(words), 1)
            if word[1] - before[2] >= _PAUSE
        ]
        begin = 0
        for at in borders:
            same = len(set(speakers[begin:at])) == 1 and speakers[begin] is not None
            if same and self._held and words[begin][0].start - self._held[-1][0].end >= _PAUSE:
                self._release(len(self._held), ready)
            if same and not self._held:
                ready += words[begin:at]
                self._before = speakers[begin]
            else:
                self._take_each(words[begin:at], ready)
            begin = at
        self._take_each(words[begin:], ready)
        return ready

    def _take_each(self, words: Iterable[Flagged], ready: list[Flagged]) -> None:
        """Take words of which any may be of another speaker; those that are settled go to `ready`."""
        held = self._held
        label, run = self._label, self._run
        last_end = held[-1][0].end if held else 0.0
        for item in words:
            _, start, end, _, _, speaker, _, _, _ = item[0]
            if held:
                if start - last_end >= _PAUSE:
                    self._release(len(held), ready)
                    label, run = None, 0
            elif speaker is None and self._before is None:
                ready.append(item)
                continue
            held.append(item)
            last_end = end
            if speaker == label and speaker is not None:
                run += 1
                if run >= 2 * _APART:  # of which `hurry` may have let words out
                    self._safe = max(0, len(held) - _APART)
            else:
                run, label = 1, speaker
                self._mixed = self._mixed or len(held) > 1 or speaker is None
            if len(held) - self._safe > _LONGEST:
                self._release(self._safe, ready)
                self._release(len(held) - _APART, ready)
        self._label, self._run = label, run
        self._release(self._safe, ready)

    def silence(self, until: float) -> list[Flagged]:
        """Return what is settled by knowing that no word begins before `until` (seconds)."""
        return self.finish() if self._held and until - self._held[-1][0].end >= _PAUSE else []

    def hurry(self, ended: float) -> list[Flagged]:
        """Return the words that ended by `ended` (seconds), smoothed by what is known after them."""
        held = self._held
        return self.release(next((at for at, (word, _) in enumerate(held) if word.end > ended), len(held)))

    def release(self, many: int) -> list[Flagged]:
        """Return the first words that are held, so many at most, smoothed by what is known after them."""
        held = self._held
        ready: list[Flagged] = []
        if self._mixed and many < len(held):
            # The end of what is known is no place for a change: what is near it stays as it was.
            known = max(many, len(held) - _REACH)
            held[:known] = self._smoothed(held)[:known]
            out, self._held = held[:many], held[many:]
            self._safe = max(0, self._safe - many)
            left = {word.speaker for word, _ in self._held}
            self._mixed = len(left) > 1 or None in left
            if out:
                self._before = out[-1][0].speaker
            return out
        self._release(min(many, len(held)), ready)
        return ready

    def finish(self) -> list[Flagged]:
        """Return the words that are held."""
        ready: list[Flagged] = []
        self._release(len(self._held), ready)
        return ready

    @property
    def first_held(self) -> float:
        """The start of the first word that is held; infinite where there is none."""
        return self._held[0][0].start if self._held else float("inf")

    def _release(self, many: int, ready: list[Flagged]) -> None:
        """Let the first words out; no change after them has an influence on them."""
        if not many:
            return
        out = self._held[:many]
        del self._held[:many]
        self._safe = max(0, self._safe - many)
        if self._mixed:
            out = self._smoothed(out)
            left = {word.speaker for word, _ in self._held}
            self._mixed = len(left) > 1 or None in left
        self._before = out[-1][0].speaker
        if not self._held:
            self._run, self._label = 0, None
        ready.extend(out)

    def _smoothed(self, stretch: list[Flagged]) -> list[Flagged]:
        words = [word for word, _ in stretch]
        labels = [word.speaker for word in words]
        if None not in labels:
            changes = (at for at, (left, right) in enumerate(pairwise(labels)) if left != right)
            if all(_ends_sentence(words[at].text) for at in changes):
                return stretch  # as most are
        places = {0, len(words)}
        places.update(at for at, word in enumerate(words, 1) if _ends_sentence(word.text))
        _fill(labels, places, self._before)
        _absorb(labels, places)
        sure = [1.0 if word.speaker_confidence is None else word.speaker_confidence for word in words]
        for _ in range(2):  # a change that goes in the first round makes room for its neighbour
            _snap(labels, places, sure)
        return [
            item if item[0].speaker == label else (item[0]._replace(speaker=label), item[1])
            for item, label in zip(stretch, labels, strict=True)
        ]


def smoothed(words: Iterable[Word]) -> tuple[Word, ...]:
    """Return the words of one channel with their speakers smoothed."""
    smoother = SpeakerSmoother()
    ready = smoother.take((word, False) for word in words)
    return tuple(word for word, _ in (*ready, *smoother.finish()))
