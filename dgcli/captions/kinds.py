"""The classes of words, as far as a gap beside them is concerned."""

from enum import IntEnum


class WordKind(IntEnum):
    """The class of a word, as far as a gap beside it is concerned."""

    OTHER = 0
    ARTICLE = 1  # and every other determiner: the, this, my, every
    PREPOSITION = 2
    CONJUNCTION = 3  # coordinating, subordinating, relative
    PRONOUN = 4  # a subject, also with its auxiliary: I, they, we'll
    AUXILIARY = 5  # be, have, do and the modals, negated too
    ADVERB = 6  # degree and negation, which lean on what follows: not, very, so
    TITLE = 7  # Mr, Dr.
    NUMBER = 8
    NAME = 9  # capitalised, and none of the above
    SHORT = 10  # up to three letters, and none of the above
    OPENER = 11  # well, okay, yeah: begins something new
    OBJECT = 12  # a pronoun that leans on what stands before it: me, them
    EITHER = 13  # a pronoun that may be subject or object: you, it
    MARK = 14  # neither letter nor digit, such as % or a dash that stands alone: belongs to what is before it
    INITIAL = 15  # a single capital with a full stop: of a name, or the last word of a sentence
    BRACKET = 16  # an opening mark that stands alone: belongs to what is after it
    PARTICLE = 17  # leans on what stands before it, and ends a phrase: of Japanese and Chinese, postpositions
    STEM = 18  # Han or Katakana without its ending: leans on what follows
