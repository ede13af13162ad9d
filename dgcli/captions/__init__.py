"""Captions: from timed words to cues that can be read. Pure: no input, no output.

    words -> tokens (times repaired) -> cutting (which words make a cue) -> layout (lines) -> captioner

`captions` makes the cues of a transcript. `Captioner` makes the same cues while the words come in.
"""

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.cues import Cue, Line, Prefix, Voice
from dgcli.captions.limits import PRESETS, Limits, limits
from dgcli.captions.text import clean

__all__ = ["PRESETS", "Captioner", "Cue", "Limits", "Line", "Prefix", "Voice", "captions", "clean", "limits"]
