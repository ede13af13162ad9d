"""The words that captioning works on, as columns of plain values: it looks at each of them many times."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from dgcli.captions.language import CLAUSE, ENDED, GAP, OPENED, codes
from dgcli.captions.lexicon import Lexicon
from dgcli.captions.limits import Limits
from dgcli.captions.text import pieces, unspaced, width
from dgcli.captions.voice import Prefix, Voice
from dgcli.transcript.model import Word

_LATEST = 1e9  # seconds; what is later is no time
_READ = 15.0  # characters a second: how long a word lasts that does not say
DASH = "- "  # before each voice of a shared cue
_NOBODY = Voice(-1, None)
_FORMS = 2000  # printed forms that are remembered: the commonest come back at once when they are forgotten


class _Form:
    """Facts about the printed form of a word, worked out once for each form."""

    __slots__ = ("gaps", "glued_after", "glued_before", "opened", "right", "text", "width")

    def __init__(self, text: str, room: int, lexicon: Lexicon) -> None:
        parts = pieces(text, room)
        self.text = parts[0] if len(parts) == 1 else ""  # none of a word that no line can hold
        self.width = min(width(self.text), room)  # one that is wider has a line to itself
        left, self.right = codes(self.text, lexicon)
        self.gaps = GAP[left]  # points for a cut after it, by the right code of what follows
        self.opened = OPENED if left == CLAUSE else self.gaps  # the same, if a sentence ends before it
        foreign = bool(self.text) and not self.text.isascii()
        self.glued_before = foreign and unspaced(self.text[0])
        self.glued_after = foreign and unspaced(self.text[-1])


class Tokens:
    """Columns with a row for each piece of a word that a cue or a line may end after.

    Times are repaired here: finite, and never before those of an earlier word of the same channel.
    """

    def __init__(self, limits: Limits, prefix: Prefix, channels: int, language: str | None) -> None:
        self.words: list[Word] = []
        self.voices: list[Voice] = []
        self.starts: list[float] = []  # seconds, never falling
        self.ins: list[float] = self.starts if channels == 1 else []  # where it starts in its own channel
        self.outs: list[float] = []  # where it ends, or where the next word of its channel starts if earlier
        self.came: list[float] = []  # when it was fed, where that matters (seconds)
        self.pauses: list[float] = []  # seconds without any word before it
        self.ends: list[bool] = []  # whether an utterance ends after it
        self.forms: list[_Form] = []  # facts about its printed form
        self.gaps: list[float] = []  # points of `language` for the gap before it
        self.columns: list[int] = []  # where its first and its last column are, were all on one line
        self.columns_end: list[int] = []
        self.runs: list[int] = []  # the first of the tokens of the same voice up to this one
        self.prefixes: list[int] = []  # columns of the prefix, if a cue begins here
        self.all_spaced = True  # whether all have a space between them, and none is wider than a line
        self.settled = 0  # tokens before this one are in settled cues: nothing about them changes
        self.latest = 0.0  # seconds: where the last word ends
        self._limits = limits
        self._prefix = prefix
        self._language = language
        self._forms: dict[str | None, tuple[Lexicon, dict[str, _Form]]] = {}
        self._voices: dict[tuple[int, int | None], tuple[Voice, str, int]] = {}
        self.several_channels = channels > 1
        self._began: dict[int, float] = {}  # where the last word of each channel starts and ends
        self._ended: dict[int, float] = {}
        self._before: dict[int, int] = {}  # and which token it is
        self._row = ENDED  # points of `language` for the gap before the next token, by its right code

    @property
    def lasting(self) -> tuple[object, ...]:
        """What never changes, and the caches of words and voices: a copy may share them."""
        return self._forms, self._voices, *self.words, *self.forms, *self.voices

    def extend(self, words: Iterable[tuple[Word, bool]], key: float | None = None) -> list[float]:
        """Add words, each with whether an utterance ends after it.

        Returns for each token that they became when the last word known with it ends (seconds); a word without
        text becomes none, one that no line can hold several.
        """
        known, rest = list[float](), iter(words)
        while (odd := self._add(rest, known, key)) is not None:
            known += self.extend(self._pieces(*odd), key)
        return known

    def _add(
        self, words: Iterator[tuple[Word, bool]], known: list[float], key: float | None
    ) -> tuple[Word, bool] | None:
        """Add words up to the first that is not one token as it is; returns that, with its times repaired.

        `known` and `key` are those of `extend`.
        """
        # One pass over the words, with all that it needs at hand: this is a tenth of the time of captions.
        tokens, forms_of, starts, outs = self.words, self.forms, self.starts, self.outs
        pauses, gaps, columns, columns_end = self.pauses, self.gaps, self.columns, self.columns_end
        several, longest, room = self.several_channels, self._limits.max_duration, self._limits.max_chars
        first = at = len(tokens)
        last, row = forms_of[-1] if at else None, self._row
        out, column = (outs[-1], columns_end[-1]) if at else (0.0, 0)
        said_in, said_by = voice = self.voices[-1] if at else _NOBODY
        turns = [(at, self.runs[-1] if at else 0, voice, 0)]
        latest, endings, odd = self.latest, list[int](), None
        now, began, ended = -1, 0.0, 0.0  # the channel of the last word, and its times
        tag: str | None = None
        lexicon, forms = self._language_forms(tag)
        for word, ends_utterance in words:
            text, said_start, said_end, _, _, speaker, channel, language, _ = word
            if language != tag:
                tag = language
                lexicon, forms = self._language_forms(tag)
            form = forms.get(text)
            if form is None:
                if len(forms) > _FORMS:
                    forms.clear()
                form = forms[text] = _Form(text, room, lexicon)
                if len(form.text) >= room or not form.text.isascii():
                    self.all_spaced = False
            if channel != now:
                self._began[now], self._ended[now] = began, ended
                now, began, ended = channel, self._began.get(channel, 0.0), self._ended.get(channel, 0.0)
            # A time that is none, NaN included, fails the first comparison.
            start = said_start if 0.0 <= said_start <= _LATEST else ended
            end = said_end if 0.0 <= said_end <= _LATEST else start + len(text) / _READ
            if start < began:
                start = began
            if not start <= end <= start + longest:
                end = start if end < start else start + longest
            if start != said_start or end != said_end:
                word = word._replace(start=start, end=end)
            if form.text != text:
                odd = word, ends_utterance
                break
            began, ended = start, end
            changed = not at or speaker != said_by or channel != said_in
            if changed:
                said_in, said_by = channel, speaker
                voice, _, named = self._voices.get((channel, speaker)) or self._meet(channel, speaker)
                turns.append((at, at, voice, named))
            if last is None:
                pause = gap = 0.0
            else:
                gap = row[form.right]
                if not (last.glued_after and form.glued_before):
                    column += 1
                pause = start - (latest if several and changed else out)
                before = self._before.get(channel, -1) if several else at - 1
                if before >= self.settled and outs[before] > start:
                    outs[before] = start
            last, out = form, end
            row = form.opened if row is ENDED else form.gaps
            if several:
                self.ins.append(start)
                self._before[channel] = at
                start = max(start if key is None else key, starts[-1] if at else 0.0)
            if end > latest:
                latest = end
            if ends_utterance:
                endings.append(at)
            tokens.append(word)
            forms_of.append(form)
            starts.append(start)
            outs.append(end)
            pauses.append(pause)
            gaps.append(gap)
            columns.append(column)
            column += form.width
            columns_end.append(column)
            known.append(latest)
            at += 1
        self._began[now], self._ended[now] = began, ended
        self.latest, self._row = latest, row
        self._add_voices(turns, at)
        self.ends += [False] * (at - first)
        for ending in endings:
            self.ends[ending] = True
        return odd

    def _add_voices(self, turns: Iterable[tuple[int, int, Voice, int]], after: int) -> None:
        """Add rows to the columns of voices, up to the token `after`.

        Each turn says from which token on a voice speaks, the first of the run, and the columns of its prefix.
        """
        for (at, run, voice, named), (end, *_) in pairwise((*turns, (after, after, _NOBODY, 0))):
            self.voices += [voice] * (end - at)
            self.runs += [run] * (end - at)
            self.prefixes += [0] * (end - at)
            if end > at:
                self.prefixes[at] = named

    def _pieces(self, word: Word, ends_utterance: bool) -> Iterator[tuple[Word, bool]]:
        """The pieces of a word that a line can hold, as words; their times share its own."""
        parts = pieces(word.text, self._limits.max_chars)
        if len(parts) == 1:
            yield word._replace(text=parts[0]), ends_utterance
            return
        self.all_spaced = False
        step = (word.end - word.start) / max(1, len(parts))
        for number, part in enumerate(parts):
            start, end = word.start + number * step, word.start + (number + 1) * step
            yield word._replace(text=part, start=start, end=end), ends_utterance and number == len(parts) - 1

    def _language_forms(self, tag: str | None) -> tuple[Lexicon, dict[str, _Form]]:
        known = self._forms.get(tag)
        if known is None:
            known = self._forms[tag] = (Lexicon(tag or self._language), {})
        return known

    def _meet(self, channel: int, speaker: int | None) -> tuple[Voice, str, int]:
        """A voice with its prefix, which takes at most two thirds of a line."""
        voice = Voice(channel, speaker)
        prefix, room = self._prefix(voice), self._limits.max_chars * 2 // 3
        if width(prefix) > room:
            while width(prefix) > room - 2:
                prefix = prefix[:-1]
            prefix += "… "
        known = self._voices[channel, speaker] = (voice, prefix, width(prefix))
        return known

    def shared_prefix(self, at: int) -> int:
        """Columns of what stands before the voice of a token where a cue has more than one."""
        _, prefix, columns = self._voices[self.voices[at]]
        return columns if prefix == DASH else len(DASH) + columns

    def name(self, at: int, runs_shared: bool) -> None:
        """Say whether the cue before the one that begins at a token is shared: a name has to follow then."""
        named = runs_shared or self.runs[at] == at
        self.prefixes[at] = self._voices[self.voices[at]][2] if named else 0

    def prefix(self, voice: Voice) -> str:
        """Return the prefix of a voice."""
        return self._voices[voice][1]

    def drop(self, many: int) -> None:
        """Drop the first tokens; whoever holds indices takes as many off."""
        for column in (self.words, self.forms, self.voices, self.ends):
            del column[:many]
        for times in (self.starts, self.outs, self.pauses, self.gaps):
            del times[:many]
        for numbers in (self.columns, self.columns_end, self.runs, self.prefixes):
            del numbers[:many]
        del self.came[:many]
        if self.several_channels:
            del self.ins[:many]
        self.settled -= many
        self.runs[:] = [max(0, run - many) for run in self.runs]
        self._before = {channel: at - many for channel, at in self._before.items()}
