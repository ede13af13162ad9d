"""What programs ask beside transcripts: models, projects and their usage, whether the key is good, temporary tokens.

/v1/models is one object that serves two dialects: `stt` and `tts` are Deepgram's, `object` and `data` OpenAI's.
"""

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dgcli.server import account, responses
from dgcli.server.access import authorized, temporary_token
from dgcli.server.engines.base import Engine
from dgcli.server.errors import BAD_REQUEST, ErrorAnswer, bad_json, invalid_credentials
from dgcli.server.guard import EXPOSE
from dgcli.server.openai import error_body
from dgcli.server.request_log import RequestLog
from dgcli.server.settings import ServerSettings

# Names of OpenAI's that its clients have in their code: each gets the model that is there.
_ALIASES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe")
_PROJECT_NAME = "local"
_DEFAULT_SECONDS, _LONGEST = 30, 3600  # of a temporary token: "Token-Based Authentication"
_MAX_GRANT = 1 << 16  # bytes of a request for one

Json = dict[str, Any]


def both_dialects(refusal: ErrorAnswer, request_id: str) -> bytes:
    """Return the body of a refusal in Deepgram's form and OpenAI's at once."""
    both = {**json.loads(refusal.body(request_id)), **json.loads(error_body(refusal, request_id))}
    return json.dumps(both, ensure_ascii=False).encode()


async def _wanted_seconds(request: Request) -> int:
    """Return how long a token is to count. Raises `ErrorAnswer`."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _MAX_GRANT:
            raise bad_json()
    try:
        seconds = json.loads(body or b"{}").get("ttl_seconds") or _DEFAULT_SECONDS
    except (ValueError, AttributeError, RecursionError) as error:
        raise bad_json() from error
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= _LONGEST:
        raise ErrorAnswer(400, BAD_REQUEST, f"ttl_seconds must be between 1 and {_LONGEST}.")
    return int(seconds)


class ProjectRoutes:
    """Answers GET /v1/models, /v1/projects and what is below them, and POST /v1/auth/grant."""

    def __init__(self, settings: ServerSettings, engine: Engine, log: RequestLog) -> None:
        self._settings = settings
        self._engine = engine
        self._log = log
        self._started = int(time.time())

    async def models(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/models and /v1/models/{id}, of a project too."""
        if "project_id" in request.path_params:
            self._check_project(request)
        wanted = request.path_params.get("model_id")
        models = await asyncio.to_thread(self._engine.all_models)
        listed = [responses.model_json(model) for model in models]
        if wanted is None:
            body = {
                "stt": listed,
                "tts": [],
                "object": "list",
                "data": [self._openai(name) for name in (*(model["name"] for model in listed), *_ALIASES)],
            }
            return self._json(body, request_id)
        for model in listed:
            if wanted in (model["uuid"], model["name"], *_ALIASES):
                return self._json({**model, **self._openai(wanted)}, request_id)
        raise ErrorAnswer(404, "MODEL_NOT_FOUND", "The requested model was not found.")

    async def projects(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/projects and /v1/projects/{id}: there is one project, whoever asks."""
        self._check_project(request)
        project = {"project_id": responses.PROJECT_ID, "name": _PROJECT_NAME}
        body = project if "project_id" in request.path_params else {"projects": [project]}
        return self._json(body, request_id)

    async def token(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/auth/token, by which programs test a key."""
        self._check_key(request)
        return self._json({"scopes": ["usage:write"], "project_id": responses.PROJECT_ID}, request_id)

    async def usage(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/projects/{id}/usage and .../usage/breakdown."""
        self._check_project(request)
        return self._json(account.usage(self._log, request.query_params), request_id)

    async def requests(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/projects/{id}/requests and .../requests/{id}."""
        self._check_project(request)
        wanted = request.path_params.get("request_id")
        if wanted is not None:
            return self._json(account.request(self._log, wanted), request_id)
        return self._json(account.requests(self._log, request.query_params), request_id)

    async def balances(self, request: Request, request_id: str) -> Response:
        """Answer GET /v1/projects/{id}/balances."""
        self._check_project(request)
        return self._json(account.balances(), request_id)

    async def grant(self, request: Request, request_id: str) -> Response:
        """Answer POST /v1/auth/grant: a token that is as good as the key, for a while."""
        self._check_key(request)
        seconds = await _wanted_seconds(request)
        token = temporary_token(self._settings.require_key, seconds)
        return self._json({"access_token": token, "expires_in": seconds}, request_id)

    def _check_key(self, request: Request) -> None:
        if not authorized(request.headers.get("authorization"), self._settings.require_key):
            raise invalid_credentials()

    def _check_project(self, request: Request) -> None:
        self._check_key(request)
        if request.path_params.get("project_id", responses.PROJECT_ID) != responses.PROJECT_ID:
            raise ErrorAnswer(404, "PROJECT_NOT_FOUND", "Project not found.")

    def _openai(self, name: str) -> Json:
        return {"id": name, "object": "model", "created": self._started, "owned_by": "dgcli"}

    def _json(self, body: Json, request_id: str) -> Response:
        headers = {"dg-request-id": request_id, "dg-project-id": responses.PROJECT_ID, **EXPOSE}
        return Response(json.dumps(body), media_type="application/json", headers=headers)
