"""The words that captioning works on, as columns of plain values: it looks at each of them many times."""

from dataclasses import replace

from dgcli.captions.language import GAP, codes
from dgcli.captions.lexicon import Lexicon
from dgcli.captions.limits import Limits
from dgcli.captions.text import pieces, unspaced, width
from dgcli.captions.voice import Prefix, Voice
from dgcli.transcript.model import Word

_INFINITE = float("inf")
_LATEST = 1e9  # seconds; what is later is no time
_READ = 15.0  # characters a second: how long a word lasts that does not say
DASH = "- "  # before each voice of a shared cue
_FORMS = 2000  # printed forms that are remembered: the commonest come back at once when they are forgotten


class _Form:
    """Facts about the printed form of a word, worked out once for each form."""

    __slots__ = ("glued_after", "glued_before", "left", "parts", "right", "text", "width")

    def __init__(self, text: str, room: int, lexicon: Lexicon) -> None:
        self.parts = pieces(text, room)
        self.text = self.parts[0] if len(self.parts) == 1 else ""
        self.width = min(width(self.text), room)  # one that is wider has a line to itself
        self.left, self.right = codes(self.text, lexicon)
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
        self.pauses: list[float] = []  # seconds without any word before it
        self.ends: list[bool] = []  # whether an utterance ends after it
        self.lefts: list[int] = []  # codes of `language`, for the gap after and the gap before it
        self.rights: list[int] = []
        self.gaps: list[float] = []  # points of `language` for the gap before it
        self.columns: list[int] = []  # where its first and its last column are, were all on one line
        self.columns_end: list[int] = []
        self.runs: list[int] = []  # the first of the tokens of the same voice up to this one
        self.prefixes: list[int] = []  # columns of the prefix, if a cue begins here
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
        self._last_form: _Form | None = None

    @property
    def caches(self) -> tuple[object, ...]:
        """The caches of words and voices, which a copy may share."""
        return self._forms, self._voices

    def append(self, word: Word, ends_utterance: bool, key: float | None) -> int:
        """Add a word; returns how many tokens it became: mostly one, none where there is no text."""
        known = self._forms.get(word.language)
        if known is None:
            known = self._forms[word.language] = (Lexicon(word.language or self._language), {})
        lexicon, forms = known
        form = forms.get(word.text)
        if form is None:
            if len(forms) > _FORMS:
                forms.clear()
            form = forms[word.text] = _Form(word.text, self._limits.max_chars, lexicon)
        # A time that is none, NaN included, fails the first comparison.
        start, end, ended = word.start, word.end, self._ended.get(word.channel, 0.0)
        if not 0.0 <= start <= _LATEST:
            start = ended
        if not 0.0 <= end <= _LATEST:
            end = start + len(word.text) / _READ
        began = self._began.get(word.channel, 0.0)
        if start < began:
            start = began
        if not start <= end <= start + self._limits.max_duration:
            end = start if end < start else start + self._limits.max_duration
        if start != word.start or end != word.end:
            word = replace(word, start=start, end=end)
        many = len(form.parts)
        if many == 1:
            if form.text != word.text:
                word = replace(word, text=form.text)
            self._append(word, form, ends_utterance, key)
        elif many:
            step = (end - start) / many
            for at, part in enumerate(form.parts):
                inner = forms.get(part) or forms.setdefault(
                    part, _Form(part, self._limits.max_chars, lexicon)
                )
                piece = replace(word, text=part, start=start + at * step, end=start + (at + 1) * step)
                self._append(piece, inner, ends_utterance and at == many - 1, key)
        return many

    def _append(self, word: Word, form: _Form, ends_utterance: bool, key: float | None) -> None:
        at, channel, start, end = len(self.words), word.channel, word.start, word.end
        last = self._last_form
        column = self.columns_end[-1] if at else 0
        if last is not None and not (last.glued_after and form.glued_before):
            column += 1
        self._last_form = form
        known = self._voices.get((channel, word.speaker)) or self._meet(channel, word.speaker)
        voice, _, prefix = known
        if at:
            changed = voice is not self.voices[-1]
            pause = start - (self.latest if self.several_channels and changed else self.outs[-1])
            before = self._before.get(channel, -1) if self.several_channels else at - 1
            if before >= self.settled and self.outs[before] > start:
                self.outs[before] = start
            gap = GAP[self.lefts[-1]][form.right]
        else:
            changed, pause, gap = True, 0.0, 0.0
        if self.several_channels:
            self.ins.append(start)
            self._before[channel] = at
            start = max(start if key is None else key, self.starts[-1] if at else 0.0)
        self.words.append(word)
        self.voices.append(voice)
        self.starts.append(start)
        self.outs.append(end)
        self.pauses.append(pause)
        self.ends.append(ends_utterance)
        self.lefts.append(form.left)
        self.rights.append(form.right)
        self.gaps.append(gap)
        self.columns.append(column)
        self.columns_end.append(column + form.width)
        self.runs.append(at if changed else self.runs[-1])
        self.prefixes.append(prefix if changed else 0)
        self._began[channel], self._ended[channel] = word.start, end
        if end > self.latest:
            self.latest = end

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
        for column in (self.words, self.voices, self.starts, self.outs, self.pauses, self.ends, self.lefts):
            del column[:many]
        del self.gaps[:many]
        for numbers in (self.rights, self.columns, self.columns_end, self.runs, self.prefixes):
            del numbers[:many]
        if self.several_channels:
            del self.ins[:many]
        self.settled -= many
        self.runs[:] = [max(0, run - many) for run in self.runs]
        self._before = {channel: at - many for channel, at in self._before.items()}
