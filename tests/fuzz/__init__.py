"""Parsers of what strangers write, each fed with anything."""
