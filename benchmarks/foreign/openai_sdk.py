"""The official OpenAI client: a file, and a file whose text is streamed."""

import sys
from pathlib import Path

from openai import OpenAI

base_url, audio, _, _ = sys.argv[1:]
client = OpenAI(api_key="not-needed", base_url=f"{base_url}/v1", timeout=300)
create = client.audio.transcriptions.create
print("file:", create(model="whisper-1", file=Path(audio)).text, flush=True)
with create(model="gpt-4o-transcribe", file=Path(audio), stream=True) as events:
    pieces = [event.delta for event in events if event.type == "transcript.text.delta"]
print("stream:", "".join(pieces))
