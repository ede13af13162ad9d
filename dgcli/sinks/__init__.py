"""Destinations of a live stream's events; several at once (recipe in `base`)."""
