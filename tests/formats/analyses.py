"""A response with every analysis there is, in the shapes of the API's reference."""

import json
from typing import Any

_SENTENCES = "Hello and welcome to support. My name is Maria Lopez. I would like a refund for my headphones."


def _segment(first: int, last: int, **more: Any) -> dict[str, Any]:
    return {"text": "...", "start_word": first, "end_word": last, **more}


def response() -> dict[str, Any]:
    """Six minutes of a call: a word every 0.4 s, with every analysis."""
    said = (_SENTENCES + " ") * 50
    words = [
        {
            "word": word.lower().strip("."),
            "punctuated_word": word,
            "start": round(0.5 + 0.4 * at, 3),
            "end": round(0.8 + 0.4 * at, 3),
            "confidence": 0.95,
        }
        for at, word in enumerate(said.split())
    ]
    channel = {
        "detected_language": "en",
        "language_confidence": 0.97,
        "search": [
            {
                "query": "refund",
                "hits": [
                    {"confidence": 0.93, "start": 5.7, "end": 6, "snippet": "I would like a refund for my headphones"},
                    {"confidence": 0.41, "start": 65.2, "end": 66.0, "snippet": "=refund"},
                ],
            },
            {"query": "invoice", "hits": []},
        ],
        "alternatives": [
            {
                "transcript": said.strip(),
                "confidence": 0.95,
                "words": words,
                "entities": [
                    {"label": "NAME", "value": "Maria Lopez", "confidence": 0.93, "start_word": 8, "end_word": 10},
                    {"label": "NAME", "value": "Maria Lopez", "confidence": 0.9, "start_word": 26, "end_word": 28},
                    {"label": "PRODUCT", "value": "headphones", "confidence": 0.8, "start_word": 17, "end_word": 18},
                ],
            }
        ],
    }  # fmt: skip
    feelings = [
        _segment(90 * part, 90 * part + 89, sentiment="x", sentiment_score=part / 4 - 1) for part in range(9)
    ]
    return {
        "metadata": {"request_id": "0198-r", "duration": 360.5, "channels": 1},
        "results": {
            "channels": [channel],
            "summary": {
                "result": "success",
                "short": "Maria Lopez calls because she wants her money back for headphones, and the agent agrees.",
            },
            "topics": {
                "segments": [
                    _segment(0, 10, topics=[{"topic": "Refund of a purchase", "confidence_score": 0.92}]),
                    _segment(
                        200,
                        300,
                        topics=[
                            {"topic": "Refund of a purchase", "confidence_score": 0.8},
                            {"topic": "Headphones", "confidence_score": 0.5},
                        ],
                    ),
                ]
            },
            "intents": {
                "segments": [_segment(10, 17, intents=[{"intent": "Get money back", "confidence_score": 0.66}])]
            },
            "sentiments": {
                "segments": feelings,
                "average": {"sentiment": "positive", "sentiment_score": 0.42},
            },
        },
    }  # fmt: skip


BODY = json.dumps(response()).encode()
