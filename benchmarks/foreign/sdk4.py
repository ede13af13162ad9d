"""The official Python SDK, version 4: file, URL and stream."""

import sys
import threading
import time
from pathlib import Path

from deepgram import (
    DeepgramClient,
    DeepgramClientOptions,
    LiveOptions,
    LiveTranscriptionEvents,
    PrerecordedOptions,
)

base_url, audio, url, raw = sys.argv[1:]
client = DeepgramClient("not-needed", DeepgramClientOptions(url=base_url))
options = PrerecordedOptions(model="nova-3", smart_format=True)
rest = client.listen.rest.v("1")


def said(answer):
    return answer.results.channels[0].alternatives[0].transcript


print(
    "file:",
    said(rest.transcribe_file({"buffer": Path(audio).read_bytes()}, options, timeout=300)),
    flush=True,
)
print("url:", said(rest.transcribe_url({"url": url}, options, timeout=300)), flush=True)

socket = client.listen.websocket.v("1")
finals = []
metadata = threading.Event()


def result(_, result, **__):
    if result.is_final:
        finals.append(result.channel.alternatives[0].transcript)


socket.on(LiveTranscriptionEvents.Transcript, result)
socket.on(LiveTranscriptionEvents.Metadata, lambda *_, **__: metadata.set())
assert socket.start(LiveOptions(model="nova-3", encoding="linear16", sample_rate=16000, smart_format=True))
data = Path(raw).read_bytes()
for at in range(0, len(data), 3200):
    socket.send(data[at : at + 3200])
    time.sleep(0.02)
socket.send('{"type":"CloseStream"}')
assert metadata.wait(120)
socket.finish()
print("stream:", " ".join(filter(None, finals)))
