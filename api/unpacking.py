"""Reads the body of a call by somebody else's library: as gzip or as it is, whatever its content type claims. It knows no resource."""

from __future__ import annotations

import zlib
from typing import Any

from fastapi import Request

from api import strict_json
from api.native_calls import LARGEST, NotJson, TooLarge
from journey.errors import BadInput

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PIECE = 4096


async def read_json(request: Request) -> Any:
    """The body as data. Raises BadJson, NotJson for an unknown packing, and TooLarge when it unpacks to more than a call may be."""
    return strict_json.read(await read(request), once=False)


async def read(request: Request) -> bytes:
    """The body, unpacked. It came through the layer that keeps its size as sent within LARGEST (api/native_calls.py)."""
    body = await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise NotJson(f"A body packed as {encoding!r} cannot be read: send it as gzip, or as it is.")
    return unpack(body, LARGEST)


def unpack(packed: bytes, limit: int) -> bytes:
    """Unpacks gzip or zlib, several members too. It never makes more than the limit of it: a small body can hold a gigabyte.

    The body is read in pieces: what a member leaves over is copied, and of a body of many members it would be copied once for each.
    """
    made = bytearray()
    member = None
    for start in range(0, len(packed), _PIECE):
        rest = packed[start : start + _PIECE]
        while rest:
            member = zlib.decompressobj(_GZIP_OR_ZLIB) if member is None or member.eof else member
            try:
                made += member.decompress(rest, limit + 1 - len(made))
            except zlib.error as error:
                raise BadInput("The body says that it is packed, and cannot be unpacked.", code="packing_broken") from error
            if len(made) > limit:
                raise TooLarge(f"The body unpacks to more than {limit // 1024} KB: send less at once.")
            rest = member.unused_data if member.eof else b""
    if member is not None and not member.eof:
        raise BadInput("The packed body ends too early.", code="packing_broken")
    return bytes(made)
