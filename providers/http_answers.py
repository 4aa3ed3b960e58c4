"""What providers read out of an HTTP answer, however odd it is. It knows neither what was asked nor what it means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

LONGEST_DETAIL = 300
NONE_FREE = 5.0
"""Seconds after which somebody for whom no connection was free asks again."""
_LONGEST_ANSWER = 64_000


async def body_of(answer: httpx.Response) -> bytes:
    """The body up to a bound: a service that never stops talking is not listened to for ever."""
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) > _LONGEST_ANSWER:
            return read[:_LONGEST_ANSWER]
    return read


def object_in(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is, empty for anything else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def retry_after(answer: httpx.Response) -> float | None:
    """The seconds of its Retry-After, which is a number or an HTTP date; None for anything else."""
    text = answer.headers.get("Retry-After", "")
    if text.strip().isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def words(error: Exception) -> str:
    """What an error says, cut to what fits into a detail; its name when it says nothing."""
    return (str(error) or type(error).__name__)[:LONGEST_DETAIL]
