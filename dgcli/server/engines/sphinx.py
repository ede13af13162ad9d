"""pocketsphinx with the options that were measured to be best (benchmarks/recogniser.py).

Runs in the worker processes only.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pocketsphinx

from dgcli.server.engines.base import RATE

FRAMES_PER_SECOND = 100
# Wider than the defaults (1e-48, 7e-29, 1e-48), which lose 3 of 52 words of slow reading to save a third
# of the time. Wider still finds nothing more.
BEAMS = {"beam": 1e-60, "wbeam": 1e-40, "pbeam": 1e-60}

_TERM_WEIGHT = 20.0  # how likely a taught term is, as a multiple of the average word of the language model
_VAD_SHARE = 0.01  # a piece with less speech than this share of its frames holds none

HeardWord = tuple[str, float, float, float]  # text, start s, end s, confidence 0-1


def new_decoder(**options: Any) -> Any:
    """Return a decoder with the model that the package carries."""
    return pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL", **{**BEAMS, **options})


def _pronounce(decoder: Any, word: str) -> str | None:
    """Return the phones of a word; one the dictionary lacks is tried as a compound (deepgram: deep gram)."""
    known: str | None = decoder.lookup_word(word)
    if known is not None:
        return known
    for cut in range(len(word) - 3, 2, -1):
        head, tail = decoder.lookup_word(word[:cut]), decoder.lookup_word(word[cut:])
        if head and tail:
            return f"{head} {tail}"
    return None


def teach(decoder: Any, terms: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Add each term, a word or a phrase, as one entry of dictionary and language model.

    So it competes on its own, even where the language model finds its words unlikely. Returns the terms
    by the name of their entry, and those that the dictionary cannot pronounce.
    """
    entries: dict[str, str] = {}
    unknown = []
    for term in dict.fromkeys(" ".join(term.lower().split()) for term in terms):
        phones = [_pronounce(decoder, word) for word in term.split()]
        if not phones or None in phones:
            unknown.append(term)
            continue
        name = f"term-{len(entries)}"
        decoder.add_word(name, " ".join(phone for phone in phones if phone), False)
        entries[name] = term
    if entries:
        model = decoder.get_lm()
        for name in entries:
            model.add_word(name, _TERM_WEIGHT)
        decoder.add_lm("taught", model)
        decoder.activate_search("taught")
    return entries, unknown


def words_of(decoder: Any, entries: Mapping[str, str], offset: float = 0.0) -> list[HeardWord]:
    """Return the words of the decoder's present result, `offset` seconds into the audio.

    `entries` are the taught terms by name; the words of a phrase share its time evenly.
    """
    words = []
    for segment in decoder.seg() or ():
        if segment.word[0] in "<[+":  # silence and noises
            continue
        name = re.sub(r"\(\d+\)$", "", segment.word)  # "the(2)" is the second pronunciation
        texts = entries.get(name, name).split()
        start = offset + segment.start_frame / FRAMES_PER_SECOND
        step = (segment.end_frame + 1 - segment.start_frame) / FRAMES_PER_SECOND / len(texts)
        confidence = min(max(segment.prob, 0.0), 1.0)
        for index, text in enumerate(texts):
            words.append((text, start + index * step, start + (index + 1) * step, confidence))
    return words


def has_speech(pcm: bytes) -> bool:
    """Tell whether the voice activity detector finds any speech: on silence the decoder invents words."""
    detector = pocketsphinx.Vad(sample_rate=RATE)
    size: int = detector.frame_bytes
    frames = len(pcm) // size
    speech = sum(bool(detector.is_speech(pcm[at : at + size])) for at in range(0, frames * size, size))
    return speech > frames * _VAD_SHARE


class Recogniser:
    """A decoder for whole pieces of audio; `options` overrule the measured ones."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._plain = new_decoder(**options)
        self._taught: tuple[tuple[str, ...], Any, dict[str, str], list[str]] | None = None

    def words(self, pcm: bytes, vocabulary: Sequence[str] = ()) -> tuple[list[HeardWord], list[str]]:
        """Return the words of 16-bit PCM at 16 kHz, and the terms of `vocabulary` that cannot be pronounced.

        Times count in seconds from the start of `pcm`.
        """
        decoder, entries, unknown = self._decoder_for(tuple(vocabulary))
        if not has_speech(pcm):
            return [], unknown
        decoder.start_utt()
        # The whole piece at once lets the decoder normalise by its real mean instead of guessing it.
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        return words_of(decoder, entries), unknown

    def _decoder_for(self, vocabulary: tuple[str, ...]) -> tuple[Any, dict[str, str], list[str]]:
        if not vocabulary:
            return self._plain, {}, []
        # A taught decoder cannot unlearn, so there is one per vocabulary; the pieces of a request share it.
        if self._taught is None or self._taught[0] != vocabulary:
            decoder = new_decoder(**self._options)
            self._taught = (vocabulary, decoder, *teach(decoder, vocabulary))
        return self._taught[1:]
