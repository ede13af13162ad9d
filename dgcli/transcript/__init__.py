"""What was said, as values: words and transcripts, events, utterances, and how they are saved and read."""
