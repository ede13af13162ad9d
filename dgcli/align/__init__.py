"""A corrected text put on the times of a response: reading it, aligning its words, timing them, rebuilding."""
