"""Captions: from timed words to cues that can be read. Pure: no input, no output.

    words -> tokens (times repaired) -> cutting (which words make a cue) -> layout (lines) -> captioner

`captioner.captions` makes the cues of a transcript. `captioner.Captioner` makes the same cues while the words come
in. Each name is imported from its module: plain text needs `text` and `voice` only.
"""
