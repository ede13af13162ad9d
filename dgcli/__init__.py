"""Speech to text from the command line, through Deepgram's API."""

__version__ = "0.1.0"
