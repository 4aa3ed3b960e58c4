"""The settings that Segment's libraries for browsers and apps ask for before they send: their `cdnURL` or `cdnHost` says where.

At Segment they name what else gets each call. Here nobody else does, so they say only that calls go out, and that no library reports about
itself.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api import write_keys
from api.services import With
from journey.errors import NotFound

START, END = "/v1/projects/", "/settings"
"""What every path of this file begins and ends with; between them stands the write key."""

router = APIRouter(tags=["segment-compatible"])


@router.get(START + "{write_key}" + END, include_in_schema=False)
async def settings(write_key: str, services: With) -> dict[str, Any]:
    """What a library asks for once at its start. The same for every key that there is."""
    if await write_keys.namespace(services, write_key) is None:
        raise NotFound("There is no such write key: SOJOURN_WRITE_KEYS lists some, `GET /v1/keys` those of the scope ingest.")
    return {
        "integrations": {"Segment.io": {"apiKey": write_key}},
        "plan": {"track": {"__default": {"enabled": True}}, "identify": {"__default": {"enabled": True}}},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
    }
