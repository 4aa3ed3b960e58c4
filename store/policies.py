"""The policies that hold for everybody: kept as one document, and known to each process by its hash. It judges nobody: holding.py does.

Whoever opens a step reads the hash in the statement that finds the message: a change counts from the next opening on, in every process, and
while nothing changes nobody reads the document again.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, select

from journey import ids
from journey.policies import NONE, Policies
from store.schema import policies
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

ONE = "policies"
"""The id of the one row."""
_READ = Statement(select(policies.c.hash, policies.c.document).where(policies.c.id == bindparam("id")))
_known: dict[str, Policies] = {}
_MOST_KNOWN = 16


def read(connection: Connection) -> Policies:
    """The policies as they were put; none when nobody has put any."""
    row = _READ.first(connection, {"id": ONE})
    return NONE if row is None else Policies.model_validate(row.document)


def put(work: Work, document: Policies) -> None:
    """Hold everybody to these from the next message on; a message that waits for the old ones is judged by these when its time comes."""
    content = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    digest = ids.content_hash(json.dumps(content, sort_keys=True)) if content else ""
    upsert(work.connection, policies, {"id": ONE, "hash": digest, "document": content, "at": work.now()})


def of_hash(connection: Connection, digest: str | None) -> Policies:
    """The policies that are known by this hash; empty is none. Where they were changed meanwhile, those that hold now."""
    if not digest:
        return NONE
    found = _known.get(digest)
    if found is None:
        row = _READ.first(connection, {"id": ONE})
        if row is None or not row.hash:
            return NONE
        found = Policies.model_validate(row.document)
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)), None)
        _known[row.hash] = found
    return found
