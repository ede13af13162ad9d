"""The bodies of successful answers, field by field in the order of the API.

Source: the reference of POST /v1/listen. Fields that a request did not ask for are left out.
"""

import json
import os
import struct
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Any

from dgcli.server import wording
from dgcli.server.engines.base import Heard, HeardWord, Model, Recognition
from dgcli.server.query import Options

# This server has one project, always the same; the id means nothing elsewhere.
PROJECT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:dgcli:local-project"))

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is known of a request besides its words; `created` in UTC."""

    request_id: str
    sha256: str
    created: datetime


def new_request_id() -> str:
    """Return a new request id: a UUID of version 7 (RFC 9562), as the API's newer ids are."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 7 << 76 | int.from_bytes(os.urandom(10)) & ((1 << 76) - 1)
    number = number & ~(3 << 62) | 2 << 62  # the variant of RFC 9562
    return str(uuid.UUID(int=number))


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def single(number: float) -> float:
    """Round as the API does: to single precision, shown with eight digits (0.32 is 0.31999999)."""
    return float(f"{struct.unpack('f', struct.pack('f', number))[0]:.8g}")


def model_info(model: Model) -> Json:
    """Return what `model_info` says of one model."""
    return {"name": model.name, "version": model.version, "arch": model.arch}


def word_json(word: HeardWord) -> Json:
    """Return one entry of `words`."""
    entry: Json = {
        "word": word.text,
        "start": single(word.start),
        "end": single(word.end),
        "confidence": single(word.confidence),
    }
    if word.speaker is not None:
        entry["speaker"] = word.speaker
    if word.written is not None:
        entry["punctuated_word"] = word.written
    return entry


def prepare(
    words: Sequence[HeardWord], options: Options, *, begins: bool = True, ends: bool = True
) -> list[HeardWord]:
    """Return the words as the options want them; `begins` and `ends` are those of `wording.punctuate`."""
    result = list(words) if options.filler_words else wording.without_fillers(words)
    result = wording.substitute(result, options.replace)
    if options.profanity_filter:
        result = wording.without_profanity(result)
    if options.punctuate:
        return wording.punctuate(result, begins=begins, ends=ends)
    return [replace(word, written=None) for word in result]


def _paragraphs(words: Sequence[HeardWord]) -> Json:
    entries: list[Json] = []
    texts = []
    for paragraph in wording.paragraphs(words):
        group = [word for sentence in paragraph for word in sentence]
        sentences = [
            {"text": wording.text_of(part), "start": single(part[0].start), "end": single(part[-1].end)}
            for part in paragraph
        ]
        entry: Json = {"sentences": sentences}
        text = wording.text_of(group)
        if group[0].speaker is not None:
            entry["speaker"] = group[0].speaker
            text = f"Speaker {group[0].speaker}: {text}"
        entry |= {"num_words": len(group), "start": single(group[0].start), "end": single(group[-1].end)}
        entries.append(entry)
        texts.append(text)
    return {"transcript": "\n" + "\n\n".join(texts), "paragraphs": entries}


def search_json(words: Sequence[HeardWord], queries: Sequence[str]) -> list[Json]:
    """Return `search`: the hits of each query."""
    return [
        {
            "query": query,
            "hits": [
                {
                    "confidence": single(hit.confidence),
                    "start": single(hit.start),
                    "end": single(hit.end),
                    "snippet": hit.snippet,
                }
                for hit in wording.search(words, query)
            ],
        }
        for query in queries
    ]


def _channel(heard: Heard, words: Sequence[HeardWord], options: Options) -> Json:
    channel: Json = {}
    if options.search:
        channel["search"] = search_json(heard.words, options.search)
    alternative: Json = {
        "transcript": wording.text_of(words),
        # The API's figure is close to the median of the words'.
        "confidence": single(median(word.confidence for word in words)) if words else 0,
        "words": [word_json(word) for word in words],
    }
    if options.paragraphs and words:
        alternative["paragraphs"] = _paragraphs(words)
    channel["alternatives"] = [alternative]
    if options.detect_language:
        channel |= {
            "detected_language": heard.language,
            "language_confidence": single(heard.language_confidence),
        }
    return channel


def _utterances(channels: Sequence[Sequence[HeardWord]], gap: float) -> list[Json]:
    entries = []
    for number, words in enumerate(channels):
        for group in wording.split(words, gap):
            entry: Json = {
                "start": single(group[0].start),
                "end": single(group[-1].end),
                "confidence": single(fmean(word.confidence for word in group)),
                "channel": number,
                "transcript": wording.text_of(group),
                "words": [word_json(word) for word in group],
            }
            if group[0].speaker is not None:
                entry["speaker"] = group[0].speaker
            entry["id"] = str(uuid.uuid4())
            entries.append(entry)
    entries.sort(key=lambda entry: entry["start"])
    return entries


def metadata(
    submission: Submission, recognition: Recognition, options: Options, extra: Mapping[str, str]
) -> Json:
    """Return `metadata` of a pre-recorded answer."""
    model = recognition.model
    body: Json = {
        "transaction_key": "deprecated",
        "request_id": submission.request_id,
        "sha256": submission.sha256,
        "created": timestamp(submission.created),
        "duration": round(recognition.duration, 7),
        "channels": len(recognition.channels),
        "models": [model.uuid],
        "model_info": {model.uuid: model_info(model)},
    }
    if options.tags:
        body["tags"] = list(options.tags)
    if extra:
        body["extra"] = dict(extra)
    if options.warnings:
        body["warnings"] = [asdict(warning) for warning in options.warnings]
    return body


def transcription(submission: Submission, recognition: Recognition, options: Options) -> bytes:
    """Return the JSON body of a pre-recorded answer."""
    channels = [prepare(heard.words, options) for heard in recognition.channels]
    results: Json = {
        "channels": [
            _channel(heard, words, options)
            for heard, words in zip(recognition.channels, channels, strict=True)
        ]
    }
    if options.utterances:
        results["utterances"] = _utterances(channels, options.utt_split)
    body = {
        "metadata": metadata(submission, recognition, options, options.extra or {}),
        "results": results,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def with_request_id(body: bytes, request_id: str) -> bytes:
    """Return a saved answer under another id: a callback has the one that its request was answered with."""
    answer = json.loads(body)
    answer["metadata"]["request_id"] = request_id
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def model_json(model: Model) -> Json:
    """Return an entry of `stt` in the answer of GET /v1/models."""
    return {
        "name": model.name,
        "canonical_name": model.name,
        "architecture": model.arch,
        "languages": list(model.languages),
        "version": model.version,
        "uuid": model.uuid,
        "batch": True,
        "streaming": True,
        "formatted_output": False,
    }
