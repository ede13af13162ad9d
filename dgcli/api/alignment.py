"""When the words of a known text are said: POST /v1/align, which the local server has and the API has not."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from dgcli.api.bodies import UnusableBody, read_body
from dgcli.api.client import api_headers, new_http_client
from dgcli.api.http_failures import http_failure
from dgcli.api.refusals import Peer, refused
from dgcli.config import Config
from dgcli.errors import ApiError, AudioError, unreadable
from dgcli.transcript.json_values import mapping, mappings

Stretches = Sequence[Mapping[str, Any]]


def align_words(
    config: Config, audio: Path, stretches: Stretches, *, language: str | None, multichannel: bool
) -> list[list[Mapping[str, Any]]]:
    """Return the words of each stretch with their times, as the server tells them.

    A stretch is {"channel": 0, "words": [{"word": ..., "start": ..., "end": ...}, ...]}, without times where they are
    not known. Raises `AudioError` where the file cannot be read, `ApiError` and `NetworkError`.
    """
    asked = {"language": language, "multichannel": "true" if multichannel else None}
    url = config.url("/v1/align") + "?" + urlencode({name: value for name, value in asked.items() if value})
    text = json.dumps({"stretches": stretches}, ensure_ascii=False)
    try:
        with audio.open("rb") as file, new_http_client(config, answer=config.timeout) as client:
            request = client.build_request(
                "POST",
                url,
                headers=api_headers(config),
                data={"text": text},
                files={"file": (audio.name, file, "application/octet-stream")},
            )
            response = client.send(request, stream=True)
            try:
                body = read_body(response.iter_raw(), response.headers)
            finally:
                response.close()
    except httpx.TransportError as error:
        raise http_failure(
            error, Peer(config.base_url), connect=10.0, stall=60.0, answer=config.timeout
        ).error from error
    except UnusableBody as error:
        raise ApiError(str(error)) from error
    except OSError as error:
        raise AudioError(unreadable(audio, error)) from error
    if not response.is_success:
        raise refused(response.status_code, response.headers, body).error
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("The answer to the alignment is no JSON.") from None
    found = [
        list(mappings(item.get("words")))
        for item in mappings(mapping(mapping(answer).get("results")).get("stretches"))
    ]
    if len(found) != len(stretches):
        raise ApiError("The answer to the alignment does not have the stretches that were asked for.")
    return found
