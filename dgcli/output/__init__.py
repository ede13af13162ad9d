"""What is written where: plans, whole and growing files, standard output, and answers that are kept."""
