"""Where audio comes from: files, HTTP, standard input, a microphone (what a source is: `base`)."""
