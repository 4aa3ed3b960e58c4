"""Refuses what stands behind the `?` of an address and is none of its call's parameters: a filter that is misspelt would filter nothing.

It knows no resource: what a call takes stands in the OpenAPI document. Links in messages and Segment's calls are left alone, since those
who pass them on may write more behind them.
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request

from api import idempotency
from api.auth import admin, sender
from journey.errors import BadInput
from journey.nearest import meant


def known(request: Request) -> None:
    """Of a call that is let in, every parameter is one that it takes. Raises BadInput naming the one that is not."""
    if not request.query_params:
        return
    described: dict[str, Any] = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    taken = [one["name"] for one in described.get("parameters", ()) if one["in"] == "query"]
    for name in request.query_params:
        if name not in taken:
            takes = f"it takes {', '.join(taken)}" if taken else "it takes none"
            raise BadInput(f"There is no parameter {name[:100]!r} here: {takes}.{meant(name, taken)}", where=name[:100])


_ASKED = Depends(known), Depends(idempotency.once)
ONLY_KNOWN = (Depends(admin), *_ASKED)
"""For routers whose calls take an admin's key: first who calls is judged, then what they ask for, then whether they have asked before."""
FOR_SENDERS = (Depends(sender), *_ASKED)
"""The same for those whose calls send data in."""
