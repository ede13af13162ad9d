"""What opens doors is taken out of names and parameters."""

import pytest

from dgcli.output.redaction import redacted_query, redacted_text


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("talk.mp3", "talk.mp3"),
        ("/calls/a?b@c.wav", "/calls/a?b@c.wav"),
        ("https://example.com/a.wav", "https://example.com/a.wav"),
        ("https://anna:s3cret@example.com:8443/a.wav", "https://example.com:8443/a.wav"),
        ("https://b.s3.amazonaws.com/a.wav?X-Amz-Signature=s3cret", "https://b.s3.amazonaws.com/a.wav?..."),
        ("https://example.com/a.wav#s3cret", "https://example.com/a.wav?..."),
        ("https://[broken/a?s3cret", "https://..."),
        ("s3://bucket/calls/a.wav", "s3://bucket/calls/a.wav"),
        ("http://u:s3cret@radio.example/x broke off; asking again.", "http://radio.example/x broke off; asking again."),
    ],
)  # fmt: skip
def test_names(name: str, left: str) -> None:
    """User, password, query and fragment of a URL go, wherever it stands; paths stay as they are."""
    assert redacted_text(name) == left


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("model=nova-3&keyterm=Anna+Lee&keywords=a%3A2", "model=nova-3&keyterm=Anna+Lee&keywords=a%3A2"),
        (
            "callback=https%3A%2F%2Fu%3As3cret%40h.example%2Fs3cret%3Ft%3Ds3cret",
            "callback=https%3A%2F%2Fh.example%2F...%3F...",
        ),
        ("api_key=s3cret&access_token=s3cret&x-signature=s3cret", "api_key=...&access_token=...&x-signature=..."),
        ("extra=from%3Ahttps%3A%2F%2Fu%3As3cret%40h.example%2F", "extra=from%3Ahttps%3A%2F%2Fh.example%2F"),
    ],
)  # fmt: skip
def test_parameters(query: str, left: str) -> None:
    """Tokens go, of a callback all but its host, and of other URLs what goes of names; the rest stays."""
    assert redacted_query(query) == left
