"""The API over HTTP: the caller, its refusals, TLS."""
