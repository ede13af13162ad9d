"""Transcripts, events and utterances as values, and how they are saved and read."""
