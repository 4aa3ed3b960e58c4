"""How large a journey may be: a drawing that nobody can read any more, a document that no call takes. It knows no HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from journey.findings import Finding, error, warning
from journey.graph import Journey

MANY_NODES = 50
"""More are hard to read as one drawing."""
MOST_NODES = 1_000
"""Judging and freezing so many takes the store half a second, in which nobody else can write on SQLite."""
MOST_BYTES = 1_048_576
"""Of the document as JSON: no call takes more (api/native_calls.py)."""
NEARLY = 0.9


def check(journey: Journey) -> Iterator[Finding]:
    """What the size alone tells."""
    count = len(journey.nodes)
    if count > MOST_NODES:
        said = f"The journey has {count} nodes, and {MOST_NODES} are the most: make several journeys of it that jump to each other."
        yield error("too_many_nodes", "", "nodes", said)
    elif count > MANY_NODES:
        said = f"The journey has {count} nodes: more than {MANY_NODES} are hard to read. Make a journey of its own of a part, by a jump."
        yield warning("many_nodes", "", "nodes", said)
    size = _bytes(journey)
    if size < MOST_BYTES * NEARLY:
        return
    said = f"The document has {size // 1024} KB, and {MOST_BYTES // 1024} KB is the most."
    largest = ""
    if journey.nodes:
        node = max(journey.nodes, key=_bytes)
        largest, said = node.id, f"{said} The largest node is {node.id} with {_bytes(node) // 1024} KB: make it smaller."
    if size > MOST_BYTES:
        yield error("document_too_large", largest, "", said)
    else:
        yield warning("document_large", largest, "", said)


def _bytes(part: BaseModel) -> int:
    written: Any = part.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return len(json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
