"""POST /v1/align, an extension of this server's own: when the words of a known text are said.

The body is a form: `file` is the audio, `text` is JSON:

    {"stretches": [{"channel": 0, "words": [{"word": "worth", "start": 2.24, "end": 2.72}, {"word": "every"}]}]}

A stretch is a few seconds of one channel. Words whose times are known help to find the others between them. The
answer has the same stretches, with times for every word. `language` and `multichannel` are query parameters, as those
of /v1/listen.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dgcli.server import errors, query, record, responses
from dgcli.server.access import authorized
from dgcli.server.engines.attention import Stretch, TextWord
from dgcli.server.engines.base import Audio, Engine, NotAudioError, TooLongError
from dgcli.server.multipart import FormData, MalformedError, read_form
from dgcli.server.settings import ServerSettings

_MOST_TEXT = 64 << 20  # bytes
_MOST_WORDS = 200  # of a stretch
_LONGEST_WORD = 200  # characters

UnlessGone = Callable[[Request, Coroutine[Any, Any, Any]], Awaitable[Any]]


def _refused(reason: str) -> errors.ErrorAnswer:
    return errors.ErrorAnswer(400, errors.BAD_REQUEST, f"Bad Request: {reason}")


def _time(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _refused("a time in text is no number of seconds")
    return float(value)


def _word(item: object) -> TextWord:
    text = item.get("word") if isinstance(item, dict) else None
    if (
        not isinstance(item, dict)
        or not isinstance(text, str)
        or not text.strip()
        or len(text) > _LONGEST_WORD
        or any("\ud800" <= char <= "\udfff" for char in text)  # half a character, which JSON can name
    ):
        raise _refused("a word in text has no text, or one that is no word")
    return TextWord(text.strip(), _time(item.get("start")), _time(item.get("end")))


def _stretch(item: object) -> Stretch:
    words = item.get("words") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(words, list) or not 0 < len(words) <= _MOST_WORDS:
        raise _refused(f"a stretch in text needs 1 to {_MOST_WORDS} words")
    channel = item.get("channel", 0)
    if isinstance(channel, bool) or not isinstance(channel, int) or channel < 0:
        raise _refused("a channel in text is no channel")
    stretch = Stretch([_word(word) for word in words], channel)
    if not any(word.is_known for word in stretch.words):
        raise _refused("a stretch in text has no word whose times are known")
    return stretch


def read_stretches(text: str | None) -> list[Stretch]:
    """Return the stretches in the `text` of a form. Raises ErrorAnswer."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise _refused("the form needs text, which is JSON") from error
    stretches = value.get("stretches") if isinstance(value, dict) else None
    if not isinstance(stretches, list):
        raise _refused("text needs stretches")
    return [_stretch(item) for item in stretches]


def _answer(stretches: Sequence[Sequence[TextWord]], request_id: str) -> bytes:
    def fields(word: TextWord) -> dict[str, Any]:
        times = {"start": word.start, "end": word.end}
        known = {name: round(value, 3) for name, value in times.items() if value is not None}
        return {"word": word.text, **known}

    body = {
        "metadata": {"request_id": request_id},
        "results": {"stretches": [{"words": [fields(word) for word in words]} for words in stretches]},
    }
    return json.dumps(body, ensure_ascii=False).encode()


class Aligner:
    """Answers POST /v1/align; `unless_gone` ends the work when the client leaves."""

    def __init__(self, settings: ServerSettings, engine: Engine, unless_gone: UnlessGone) -> None:
        self._settings = settings
        self._engine = engine
        self._unless_gone = unless_gone

    async def align(self, request: Request, request_id: str) -> Response:
        """Receive the form, and align its text with its audio."""
        settings = self._settings
        if not authorized(request.headers.get("authorization"), settings.require_key):
            raise errors.invalid_credentials()
        options = query.parse(request.url.query, any_port=False)
        with TemporaryDirectory(prefix="dg-request-") as folder:
            form = await self._form(request, Path(folder, "audio"))
            if form.file is None or not form.file.size:
                raise errors.not_audio()
            stretches = await asyncio.to_thread(read_stretches, form.text("text"))
            if settings.record is not None:
                facts = {**record.describe(request.scope, request_id), "fields": form.fields}
                await asyncio.to_thread(record.keep, settings.record, facts, form.file.path)
            audio = Audio(form.file.path, options.multichannel)
            try:
                aligned = await self._unless_gone(request, self._aligned(audio, stretches, options.language))
            except NotAudioError as error:
                raise errors.not_audio() from error
            except TooLongError as error:
                raise errors.too_long(settings.max_seconds) from error
            except LookupError as error:
                raise errors.no_model(str(error)) from error
        headers = {"dg-request-id": request_id, "dg-project-id": responses.PROJECT_ID}
        return Response(_answer(aligned, request_id), media_type="application/json", headers=headers)

    async def _aligned(
        self, audio: Audio, stretches: Sequence[Stretch], language: str | None
    ) -> Sequence[Sequence[TextWord]]:
        return await self._engine.align(audio, stretches, language)

    async def _form(self, request: Request, path: Path) -> FormData:
        try:
            return await read_form(
                request.headers.get("content-type", ""),
                request.stream(),
                path,
                file_field="file",
                limit=self._settings.max_bytes,
                most_of_fields=_MOST_TEXT,
            )
        except MalformedError as error:
            raise _refused(f"the form cannot be read: {error}") from error
