"""Speech models for the local recogniser: which there are, where they are looked for, how they are fetched."""
