"""Whisper through faster-whisper: one window of audio into words. Runs in the recogniser's process only."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations

from dgcli.server.engines.decoding import DecodeOptions

_FRAMES_PER_SECOND = 100
_MAX_FRAMES = 3000  # Whisper's window of 30 s
# The encoder takes less than its 30 s for a third of the work. Less padding than this, and the text runs on.
_PADDING, _LEAST_FRAMES = 400, 1000
_TIME_STEP = 0.02  # seconds between two time marks
_FIRST_MARK = 50  # the first time mark is at most so many steps in
_TOKENS_PER_SECOND, _LEAST_TOKENS = 8, 16  # of speech and its time marks; what is longer is a loop
_MAX_PROMPT = 220  # tokens: half of Whisper's context, less what begins the text
_TOLD = 4  # times that hot words are told, as far as the prompt has room
_PREPENDED, _APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"

_UNSPACED = frozenset(["zh", "ja", "th", "lo", "my", "yue"])  # languages written without spaces

HeardWord = tuple[str, float, float, float, str]  # text, start s, end s, confidence 0-1, written


def _plain(written: str) -> str:
    """Return a word in lower case without the marks around it."""
    inner = written.strip("\"'“”‘’¿¡([{-.。,，!！?？:：;；)]}、…–—")
    return (inner or written).lower()


class Whisper:
    """A loaded model; `decode` may be called by as many threads as there are workers."""

    def __init__(self, folder: str, *, workers: int, threads: int) -> None:
        self._model = WhisperModel(
            folder,
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )

    def decode(self, samples: bytes, options: DecodeOptions) -> dict[str, Any]:
        """Return the fields of a `Decoding` for a window of float32 samples."""
        audio = np.frombuffer(samples, np.float32)
        features = self._model.feature_extractor(audio)[:, :_MAX_FRAMES]
        content = min(len(audio) // 160, _MAX_FRAMES)
        encoded = self._model.encode(self._padded(features, content))
        language, confidence = self._language(encoded, options)
        tokenizer = Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task="transcribe",
            language=language,
        )
        prompt = self._prompt(tokenizer, options)
        limit = options.max_new_tokens
        if limit is None:
            limit = int(_TOKENS_PER_SECOND * content / _FRAMES_PER_SECOND) + _LEAST_TOKENS
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=options.beam,
            # CTranslate2 generates at most half of this, so that a prompt of the other half has room.
            max_length=min(max(2 * limit, len(prompt) + limit), self._model.max_length),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            max_initial_timestamp_index=_FIRST_MARK,
        )[0]
        tokens = result.sequences_ids[0]
        words = (
            self._aligned(tokenizer, tokens, encoded, content)
            if options.word_times
            else _spread(tokenizer, tokens, content / _FRAMES_PER_SECOND)
        )
        return {
            "words": list(words),
            "no_speech": result.no_speech_prob,
            "logprob": result.scores[0] * len(tokens) / (len(tokens) + 1),
            "language": language,
            "language_confidence": confidence,
        }

    def align(self, samples: bytes, words: Sequence[str], language: str) -> dict[str, Any]:
        """Return when each word of a text is said in a window of float32 samples: start, end, confidence.

        Raises LookupError for a language that the model does not know.
        """
        audio = np.frombuffer(samples, np.float32)
        features = self._model.feature_extractor(audio)[:, :_MAX_FRAMES]
        content = min(len(audio) // 160, _MAX_FRAMES)
        encoded = self._model.encode(self._padded(features, content))
        language, _ = self._language(encoded, DecodeOptions(language=language))
        tokenizer = Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task="transcribe",
            language=language,
        )
        space = "" if language in _UNSPACED else " "
        tokens = tokenizer.encode("".join(space + word for word in words))
        if len(tokens) > self._model.max_length // 2:
            raise LookupError("There are more words than the model takes for so little audio.")
        (alignment,) = self._model.find_alignment(tokenizer, [tokens], encoded, content)
        return {"times": list(_on_words(words, len(space), alignment))}

    def _padded(self, features: Any, content: int) -> Any:
        frames = min(max(_LEAST_FRAMES, content + _PADDING), _MAX_FRAMES)
        features = features[:, :frames]
        return np.pad(features, ((0, 0), (0, frames - features.shape[1])))

    def _language(self, encoded: Any, options: DecodeOptions) -> tuple[str, float]:
        if not self._model.model.is_multilingual:
            return "en", 1.0
        if options.language is not None:
            if options.language not in self._model.supported_languages:
                raise LookupError(f"Whisper does not know the language {options.language}.")
            return options.language, 1.0
        heard = [(token[2:-2], share) for token, share in self._model.model.detect_language(encoded)[0]]
        wanted = [pair for pair in heard if pair[0] in options.candidates] or heard
        return max(wanted, key=lambda pair: pair[1])

    def _prompt(self, tokenizer: Tokenizer, options: DecodeOptions) -> list[int]:
        before: list[int] = []
        if options.hotwords:
            # A name that stands there several times is written that way more often (benchmarks/recogniser.py).
            once = tokenizer.encode(" " + ", ".join(options.hotwords) + ".")[:_MAX_PROMPT]
            before = once * max(min(_MAX_PROMPT // len(once), _TOLD), 1)
        if options.prompt:
            before += tokenizer.encode(" " + options.prompt.strip())[-(_MAX_PROMPT - len(before)) :]
        return [*([tokenizer.sot_prev] if before else []), *before, *tokenizer.sot_sequence]

    def _aligned(
        self, tokenizer: Tokenizer, tokens: Sequence[int], encoded: Any, content: int
    ) -> Iterator[HeardWord]:
        """Yield the words with the times that the model's attention tells."""
        text = [token for token in tokens if token < tokenizer.eot]
        if not text:
            return
        (alignment,) = self._model.find_alignment(tokenizer, [text], encoded, content)
        merge_punctuations(alignment, _PREPENDED, _APPENDED)
        spaced = tokenizer.language_code not in _UNSPACED
        words: list[HeardWord] = []
        for word in alignment:
            written = word["word"].strip()
            start, end, sure = float(word["start"]), float(word["end"]), float(word["probability"])
            if not written:
                continue
            if words and spaced and not word["word"].startswith(" "):  # "all" and "-female" are one word
                _, start, _, before, head = words.pop()
                written, sure = head + written, min(sure, before)
            words.append((_plain(written), start, end, sure, written))
        yield from words


def _on_words(
    words: Sequence[str], space: int, alignment: Sequence[Any]
) -> Iterator[tuple[float, float, float]]:
    """Yield the times of words from those of the model's own, which may be cut elsewhere."""
    pieces = iter(alignment)
    piece = next(pieces, None)
    at = until = 0  # letters up to the word, and up to the end of the piece
    if piece is not None:
        until = len(piece["word"])
    end = 0.0
    for word in words:
        begin, at = at + space, at + space + len(word)
        while piece is not None and until <= begin:
            piece = next(pieces, None)
            until += len(piece["word"]) if piece is not None else 0
        start, sure = (end, 0.0) if piece is None else (float(piece["start"]), float(piece["probability"]))
        while piece is not None and until < at:
            piece = next(pieces, None)
            until += len(piece["word"]) if piece is not None else 0
        end = end if piece is None else float(piece["end"])
        yield start, max(end, start), sure


def _spread(tokenizer: Tokenizer, tokens: Sequence[int], seconds: float) -> Iterator[HeardWord]:
    """Yield the words, spread evenly between the time marks around them."""
    at, text = 0.0, []
    for token in [*tokens, tokenizer.timestamp_begin + round(seconds / _TIME_STEP)]:
        if token < tokenizer.eot:
            text.append(token)
        elif token >= tokenizer.timestamp_begin:
            mark = max(min((token - tokenizer.timestamp_begin) * _TIME_STEP, seconds), at)
            words = tokenizer.decode(text).split()
            step = (mark - at) / max(len(words), 1)
            for index, written in enumerate(words):
                yield _plain(written), at + index * step, at + (index + 1) * step, 0.5, written
            at, text = mark, []
