"""What is known of the words of a language: the kind of each that leans on its neighbours."""

from dgcli.captions.kinds import WordKind
from dgcli.captions.wordlists import WORD_LISTS

_ELIDING = frozenset(("fr", "it", "ca"))


class Lexicon:
    """The words of one language; of one that has no list, none.

    `tag` is a BCP 47 tag, and None is English, as the API's default is.
    """

    def __init__(self, tag: str | None) -> None:
        self.language = (tag or "en").replace("_", "-").split("-")[0].lower()
        table = WORD_LISTS.get(self.language, {})
        # Whether a single small letter is taken for a preposition or conjunction, as most languages have them.
        self.guesses = not table and self.language != "ja"
        self._kinds = {word: kind for kind, words in table.items() for word in words.split()}

    def kind(self, word: str) -> WordKind | None:
        """Return the kind of a word as it is printed, without marks around it; None for one of no list."""
        small = word.lower().replace("’", "'")
        kind = self._kinds.get(small)
        if kind is None and self.language in _ELIDING and "'" in small:
            # What is elided leans on the rest, and the whole on what the rest leans on: qu'il, d'un, c'est.
            kind = self._kinds.get(small.rpartition("'")[2])
        return kind
