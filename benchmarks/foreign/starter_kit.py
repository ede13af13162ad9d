"""A stream in the way of the streaming starter kit: a bare WebSocket, audio and text by two tasks at once."""

import asyncio
import json
import sys
from pathlib import Path

import websockets

base_url, _, _, raw = sys.argv[1:]
query = "model=nova-3&punctuate=true&encoding=linear16&sample_rate=16000&channels=1&interim_results=true"
data = Path(raw).read_bytes()


async def main():
    finals = []
    async with websockets.connect(
        f"{base_url.replace('http', 'ws', 1)}/v1/listen?{query}",
        additional_headers={"Authorization": "Token not-needed"},
        ping_timeout=None,
    ) as socket:

        async def sender():
            for at in range(0, len(data), 8000):  # 250 ms
                await socket.send(data[at : at + 8000])
                await asyncio.sleep(0.05)
            await socket.send(json.dumps({"type": "CloseStream"}))

        async def receiver():
            async for text in socket:
                message = json.loads(text)
                if message.get("is_final"):
                    finals.append(message["channel"]["alternatives"][0]["transcript"])

        await asyncio.gather(sender(), receiver())
    print("stream:", " ".join(filter(None, finals)))


asyncio.run(main())
