"""Where the events of a live stream go; several sinks at once (what a sink is: `base`)."""
