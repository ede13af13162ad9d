"""Messages, progress bars, help pages and tables."""
