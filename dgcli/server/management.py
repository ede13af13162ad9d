"""What programs ask before they transcribe: models, projects, whether the key is good.

/v1/models is one object that serves two dialects: `stt` and `tts` are Deepgram's, `object` and `data` OpenAI's.
"""

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dgcli.server import responses
from dgcli.server.access import authorized
from dgcli.server.engines.base import Engine
from dgcli.server.errors import ErrorAnswer, invalid_credentials
from dgcli.server.guard import EXPOSE
from dgcli.server.openai import error_body
from dgcli.server.settings import ServerSettings

# Names of OpenAI's that its clients have in their code: each gets the model that is there.
_ALIASES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe")
_PROJECT_NAME = "local"

Json = dict[str, Any]


def both_dialects(refusal: ErrorAnswer, request_id: str) -> bytes:
    """Return the body of a refusal in Deepgram's form and OpenAI's at once."""
    both = {**json.loads(refusal.body(request_id)), **json.loads(error_body(refusal, request_id))}
    return json.dumps(both, ensure_ascii=False).encode()


class Management:
    """Answers GET /v1/models, /v1/projects and what is below them."""

    def __init__(self, settings: ServerSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
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
