"""A Deepgram-compatible server on this machine: the same protocol, with Whisper as its recogniser.

What it speaks, and its limits: docs/server.md.

    run.py        ServerSettings, serve() for `dg serve`, running() for `--local` and tests
    connections.py  how many connections there may be, and for how long; throttle.py keeps the log short
    guard.py      what every request meets first: hosts, origins, slow bodies; access.py decides
    app.py        routes, and POST /v1/listen
    management.py models and projects, for programs that ask before they transcribe
    openai.py     OpenAI's dialect; multipart.py reads its forms, languages.py names languages
    query.py      what the API accepts as query parameters, and how it refuses the rest
    receive.py    the body of a request on its way to disk; fetch.py gets a {"url"} instead
    background.py network calls that nobody waits for at the end
    handshake.py  how a live stream begins; stream_session.py has what all of them share
    live.py       a stream of segments, the WebSocket /v1/listen; live_query.py and live_messages.py
    flux.py       a stream of turns, the WebSocket /v2/listen; flux_query.py, flux_messages.py, turns.py
    responses.py  words into the bodies that the API answers with; wording.py formats the words
    errors.py     refusals and their bodies
    callback.py   delivery to a callback URL
    record.py     what --record DIR keeps
    decode.py     any audio into 16 kHz samples, in processes of its own; stream_decode.py while it arrives
    engines/      the recognisers; base.py tells how to add one
        local.py      the engine: files.py puts a recording together from windows, whisper_stream.py hears a stream
        decoder.py    the process that decodes a recording (decoder_process.py) and cuts it (windows.py, vad.py)
        recogniser.py the process that holds Whisper (recogniser_process.py, whisper.py) and the queue before it
        guards.py     what is checked of each decoded window; terms.py sets key terms right

It imports nothing of the client except the error tree: that is how it can check the client.
"""
