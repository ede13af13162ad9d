"""Why a connection ended, what the user is told, and whether another try is made."""

import json

import pytest

from dgcli.api import refusals
from dgcli.api.refusals import Peer, Role
from dgcli.errors import ApiError, AuthError, NetworkError


@pytest.mark.parametrize(
    ("code", "reason", "retry", "part", "hint"),
    [
        (1008, "DATA-0000", False, "decode the audio", "--encoding"),
        (1011, "NET-0000", True, "did not answer in time", "status.deepgram.com"),
        (1011, "NET-0001", True, "received no audio", "within 10 s"),
        (1011, "No audio in time. See https://dpgr.am/net0001", True, "received no audio", "KeepAlive"),
        (1011, "see DPGR.AM/NET0000", True, "did not answer", "request id"),
        (1011, "boom", True, "boom", "status.deepgram.com"),
        (1006, "", True, "cut off", "network"),
        (1005, "", True, "without a reason", "network"),
        (1000, "", True, "before it was asked to", "status"),
        (1001, "", True, "going away", "status"),
        (1008, "not you", False, "not you", "--encoding"),
        (1003, "", False, "kind of data", "--encoding"),
        (4999, "own", True, "own", "status"),
    ],
)
def test_close_codes(code: int, reason: str, retry: bool, part: str, hint: str) -> None:
    """Each code is one sentence, with a remedy, and is retried only where that can help."""
    ending = refusals.closed(code, reason, "req")
    assert part in ending.sentence
    assert ending.sentence.count(".") - ending.sentence.count("dpgr.am") <= 1
    assert hint in (ending.error.hint or "")
    assert ending.retry is retry
    assert ending.code == code
    assert isinstance(ending.error, NetworkError if code in (1005, 1006) else ApiError)


def test_a_named_close_keeps_its_name_and_the_request_id() -> None:
    """The code, its name and the request id are there for a support request."""
    error = refusals.closed(1011, "x net0001", "req-1").error
    assert list(error.details()) == ["1011 NET-0001", "request req-1"]


def legacy(message: str) -> bytes:
    return json.dumps({"err_code": "CODE", "err_msg": message, "request_id": "body-id"}).encode()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413])
def test_refusals_that_are_final(status: int) -> None:
    """The request's own faults are never retried; 401 and 403 are about the key."""
    ending = refusals.refused(status, {"dg-error": "what is wrong", "dg-request-id": "head-id"}, legacy("x"))
    assert not ending.retry
    assert isinstance(ending.error, AuthError) == (status in (401, 403))
    assert ending.error.message == "x"
    assert list(ending.error.details()) == [f"HTTP {status}", "CODE", "request body-id"]


def test_the_header_speaks_where_the_body_does_not() -> None:
    """Of a refusal without a body, the headers give message and request id."""
    headers = {"dg-error": "what is wrong", "dg-request-id": "head-id"}
    error = refusals.refused(400, headers, None).error
    assert error.summary == "what is wrong [HTTP 400, request head-id]"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_refusals_that_pass(status: int) -> None:
    """Too many requests and the server's own faults are retried."""
    ending = refusals.refused(status, {}, legacy("later"))
    assert ending.retry
    assert isinstance(ending.error, ApiError)
    assert "later" in ending.error.message
    assert "request body-id" in ending.error.details()


def test_a_busy_server_is_not_asked_at_once() -> None:
    """A refusal that passes is a sentence of its own, and its first try waits as long as a second one."""
    ending = refusals.refused(429, {"dg-error": "Too many"})
    assert ending.busy
    assert ending.sentence.endswith("Too many.")
    assert not refusals.refused(401, {}).busy
    assert not refusals.closed(1011).busy


def test_the_wait_asked_for_is_in_the_refusal() -> None:
    """Retry-After is part of what a refusal says, of the API and of a source."""
    assert refusals.refused(429, {"retry-after": "7"}).retry_after == 7
    source = Peer("http://radio.example/x", Role.SOURCE)
    assert refusals.refused(503, {"retry-after": "7"}, None, source).retry_after == 7


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503, 599])
def test_a_radio_knows_nothing_of_the_key(status: int) -> None:
    """What a source answers names its URL without a login, and never the API's key or base URL."""
    peer = Peer("http://me:secret@radio.example/x", Role.SOURCE)
    body = b'{"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}'
    error = refusals.refused(status, {"dg-error": "key"}, body, peer).error
    assert error.message.startswith(f"http://radio.example/x answered {status}")
    for word in ("secret", "key", "--base-url", "--api-key", "DEEPGRAM"):
        assert word not in f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"category":"INVALID_JSON","message":"Invalid.","details":"line 1"}', "Invalid. line 1"),
        (b"no such project", "no such project"),
        (b"<html><title>Bad\n gateway</title>", "A web page instead of the API's answer: 'Bad gateway'."),
        (b"\xff\xfe\x00", "\ufffd\ufffd"),
        (b'{"detail": "Not Found"}', '{"detail": "Not Found"}'),
        (b"{}", "A server on the way to the API got no answer."),
        (b"[" * 100_000, "[[["),
        (b"", "A server on the way to the API got no answer."),
        (None, "A server on the way to the API got no answer."),
    ],
)
def test_every_form_of_an_error_body(body: bytes | None, text: str) -> None:
    """The modern form and plain text are shown, of a web page its title, and nothing breaks."""
    assert text in refusals.refused(502, {}, body).error.message


def test_text_of_a_server_is_one_clean_line() -> None:
    """Control characters and line breaks of a server do not reach the message."""
    message = refusals.refused(400, {"dg-error": "a\x1b[31mb"}, None).error.message
    assert "\x1b" not in message
    assert refusals.one_line("a\n b\x00" + "c" * 500).startswith("a b ccc")
    assert len(refusals.one_line("c" * 500)) == 300


def test_a_redirect_is_told_and_not_retried() -> None:
    """A redirect names its target, and why it is not followed."""
    ending = refusals.refused(301, {"location": "wss://elsewhere/v1"})
    assert not ending.retry
    assert "wss://elsewhere/v1" in ending.error.message
    assert "key" in (ending.error.hint or "")
