"""The official Python SDK, version 7: file, URL and stream."""

import sys
import time
from pathlib import Path

from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment

base_url, audio, url, raw = sys.argv[1:]
socket_url = base_url.replace("http", "ws", 1)
environment = DeepgramClientEnvironment(
    base=base_url, production=socket_url, agent=socket_url, agent_rest=base_url
)
client = DeepgramClient(api_key="not-needed", environment=environment, timeout=300)


def said(answer):
    return answer.results.channels[0].alternatives[0].transcript


media = client.listen.v1.media
data = Path(audio).read_bytes()
print("file:", said(media.transcribe_file(request=data, model="nova-3", smart_format=True)), flush=True)
print("url:", said(media.transcribe_url(url=url, model="nova-3", smart_format=True)), flush=True)

data = Path(raw).read_bytes()
finals = []
with client.listen.v1.connect(
    model="nova-3", encoding="linear16", sample_rate="16000", smart_format="true"
) as socket:
    for at in range(0, len(data), 3200):
        socket.send_media(data[at : at + 3200])
        time.sleep(0.02)
    socket.send_close_stream()
    finals.extend(
        message.channel.alternatives[0].transcript
        for message in socket
        if message.type == "Results" and message.is_final
    )
print("stream:", " ".join(filter(None, finals)))
