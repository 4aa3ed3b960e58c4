"""Cursors: a page says where the next one begins, in a text that callers hand back and need not read. It knows no resource."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from api import strict_json
from journey.errors import BadInput

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=4096, description="The `next` of the page before; absent for the first.")]


def write(key: Sequence[str | int]) -> str:
    """The cursor that stands behind an item with this key."""
    text = json.dumps(list(key), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str, shape: Sequence[type]) -> tuple[str | int, ...] | None:
    """The key in a cursor, None for an empty one. `shape` are the types of its parts. Raises BadInput."""
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = strict_json.read(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, BadInput):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(shape):
        raise BadInput("The cursor is none of ours: take the `next` of a page as it is.", where="cursor")
    return tuple(key)
