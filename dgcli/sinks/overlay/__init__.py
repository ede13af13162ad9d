"""`--overlay`: a page that shows what is said, for OBS and for a second screen."""

from dgcli.sinks.overlay.sink import OverlaySink

__all__ = ["OverlaySink"]
