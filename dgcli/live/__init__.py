"""The streamer: audio out, events in, over one WebSocket after another."""
