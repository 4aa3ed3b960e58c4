"""Segments as they were put, with the tree and the hash of their rules. It reads no profile."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy import delete as sql_delete

from journey.errors import NotFound
from journey.segments import SegmentDocument
from store import in_use
from store.schema import segments
from store.upserts import upsert
from store.work import Work


def all_of(connection: Connection) -> dict[str, SegmentDocument]:
    """Every segment by its id, in order of id."""
    rows = connection.execute(select(segments).order_by(segments.c.id))
    return {row.id: SegmentDocument.model_validate(row.document) for row in rows}


def get(connection: Connection, segment_id: str) -> SegmentDocument:
    """One segment. Raises NotFound."""
    document = connection.execute(select(segments.c.document).where(segments.c.id == segment_id)).scalar_one_or_none()
    if document is None:
        raise NotFound(f"There is no segment {segment_id!r}; put it first.")
    return SegmentDocument.model_validate(document)


def put(work: Work, document: SegmentDocument) -> None:
    """Keep a segment. Raises RuleError when its rule cannot be read."""
    row = {
        "id": document.id,
        "document": document.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "rule": document.tree.model_dump(mode="json", by_alias=True),
        "hash": document.hash,
    }
    upsert(work.connection, segments, row)


def delete(work: Work, segment_id: str) -> None:
    """Take a segment away. Raises NotFound, and Conflict `in_use`."""
    in_use.check_segment(work.connection, segment_id)
    if not work.connection.execute(sql_delete(segments).where(segments.c.id == segment_id)).rowcount:
        raise NotFound(f"There is no segment {segment_id!r}.")
