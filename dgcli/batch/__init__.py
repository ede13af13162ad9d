"""Many recordings at once: inputs, names of outputs, planning, and the run itself."""
