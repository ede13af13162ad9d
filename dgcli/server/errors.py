"""Refusals of the server, in the body form that /v1/listen uses.

Codes and texts are those of Deepgram's API (page "API Errors" and the reference of /v1/listen).
"""

import json
from collections.abc import Mapping

INVALID_QUERY = "INVALID_QUERY_PARAMETER"
REMOTE_CONTENT = "REMOTE_CONTENT_ERROR"
BAD_REQUEST = "Bad Request"
NO_MORE = (408, 503)  # statuses after which nothing more of the request is read


class ErrorAnswer(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self, request_id: str) -> bytes:
        """Return the JSON body for this refusal."""
        return json.dumps(
            {"err_code": self.code, "err_msg": self.message, "request_id": request_id}, separators=(",", ":")
        ).encode()

    def headers(self, request_id: str) -> Mapping[str, str]:
        """Return the headers that go with the body; `dg-error` repeats the message."""
        # A header holds one line of Latin-1; what the client sent may be quoted in the message.
        line = " ".join(self.message.split()).encode("latin-1", "replace").decode("latin-1")
        return {"content-type": "application/json", "dg-error": line, "dg-request-id": request_id}


def invalid_query(detail: str) -> ErrorAnswer:
    """Return the refusal of a query parameter with a value that the API does not take."""
    return ErrorAnswer(400, INVALID_QUERY, f"Failed to deserialize query parameters: {detail}")


def invalid_callback() -> ErrorAnswer:
    """Return the refusal of a callback URL that cannot be called."""
    return ErrorAnswer(400, INVALID_QUERY, "Invalid callback url.")


def invalid_credentials() -> ErrorAnswer:
    """Return the refusal of a missing or wrong key."""
    return ErrorAnswer(401, "INVALID_AUTH", "Invalid credentials.")


def not_audio() -> ErrorAnswer:
    """Return the refusal of a body that cannot be decoded as audio."""
    return ErrorAnswer(400, BAD_REQUEST, "Bad Request: failed to process audio: corrupt or unsupported data")


def bad_json() -> ErrorAnswer:
    """Return the refusal of a JSON body that is not {"url": ...}."""
    return ErrorAnswer(
        400, BAD_REQUEST, "Content-type was application/json, but we could not process the JSON payload."
    )


def too_large(limit: int) -> ErrorAnswer:
    """Return the refusal of audio above the limit (bytes)."""
    return ErrorAnswer(413, "PAYLOAD_TOO_LARGE", f"The request body is larger than {limit} bytes.")


def slow_upload() -> ErrorAnswer:
    """Return the refusal of a body that comes too slowly or not at all."""
    return ErrorAnswer(408, "SLOW_UPLOAD", "Request upload timeout.")


def too_many_requests() -> ErrorAnswer:
    """Return the refusal of what there is no room for."""
    return ErrorAnswer(429, "TOO_MANY_REQUESTS", "Too many requests. Please try again later")


def stopping() -> ErrorAnswer:
    """Return the answer of a server that is being stopped."""
    return ErrorAnswer(503, "SERVICE_UNAVAILABLE", "Please try again later")


def forbidden(message: str) -> ErrorAnswer:
    """Return the refusal of whoever may not ask."""
    return ErrorAnswer(403, "FORBIDDEN", message)


def not_found() -> ErrorAnswer:
    """Return the refusal of a path that this server does not have."""
    return ErrorAnswer(404, "NOT_FOUND", "The requested resource was not found.")


def too_long(seconds: float) -> ErrorAnswer:
    """Return the refusal of audio that decodes to more than the limit (seconds)."""
    return ErrorAnswer(413, "PAYLOAD_TOO_LARGE", f"The audio is longer than {seconds:.0f} seconds.")


def no_model(reason: str) -> ErrorAnswer:
    """Return the refusal of a model or language that this machine does not have."""
    return ErrorAnswer(400, BAD_REQUEST, f"Bad Request: {reason}")


def internal_error() -> ErrorAnswer:
    """Return the answer to a failure of the server itself."""
    return ErrorAnswer(500, "INTERNAL_SERVER_ERROR", "Internal server error.")
