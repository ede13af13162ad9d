"""From timed words to readable cues. Pure: no files, no clock, no network."""
