"""The facts about a stream, as the metadata of a response."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dgcli.transcript.events import Closed, Connected, Event, Final, Metadata, Notice, NoticeKind, Opened


def dumps(value: object) -> str:
    """JSON without spaces, in the characters that it has."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class About:
    """Collects the metadata of a stream from its events.

    Source of the shape: Deepgram reference, "Transcribe - Local file".
    """

    def __init__(self) -> None:
        self.channels = 1
        self.metadata: dict[str, Any] = {
            "transaction_key": "deprecated",
            "request_id": None,
            "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": 0.0,
            "channels": 1,
        }

    def take(self, event: Event) -> None:
        """Take the next event."""
        about = self.metadata
        match event:
            case Opened() | Connected():
                about["request_id"] = about["request_id"] or event.request_id
            case Final():
                self.channels = about["channels"] = max(self.channels, event.channels)
                about["duration"] = max(about["duration"], round(event.end, 3))
                info = event.raw.get("metadata")
                if isinstance(info, Mapping) and "model_uuid" in info and "models" not in about:
                    about["models"] = [info["model_uuid"]]
                    about["model_info"] = {info["model_uuid"]: info.get("model_info")}
            case Metadata():
                for name in ("models", "model_info", "tags", "extra", "warnings"):
                    if name in event.raw:
                        about[name] = event.raw[name]
            case Notice(kind=NoticeKind.MARKER):  # an addition of ours: what reads responses leaves it alone
                about.setdefault("markers", []).append({"start": event.start, "label": event.message})
            case Closed():
                about["duration"] = max(about["duration"], round(event.audio_seconds, 3))
