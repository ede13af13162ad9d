"""Outputs: plans, whole and growing files, standard output, and answers that are kept."""
