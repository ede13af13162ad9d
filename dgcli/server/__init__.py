"""A Deepgram-compatible server on this machine: the same protocol, an embedded recogniser.

    run.py        ServerSettings, serve() for `dg serve`, running() for `--local` and tests
    app.py        routes: POST /v1/listen, /v1/models
    query.py      what the API accepts as query parameters, and how it refuses the rest
    receive.py    the body of a request on its way to disk; fetch.py gets a {"url"} instead
    responses.py  words into the bodies that the API answers with; wording.py formats the words
    errors.py     refusals and their bodies
    callback.py   delivery to a callback URL
    record.py     what --record DIR keeps
    decode.py     any audio into 16 kHz PCM (runs in the workers)
    engines/      the recognisers; base.py tells how to add one

It imports nothing of the client except the error tree: that is how it can check the client.
"""
