"""Segments as they were put, with the tree and the hash of their rules. It reads no profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select
from sqlalchemy import delete as sql_delete

from journey import past
from journey.errors import NotFound, RuleError
from journey.events import Instant
from journey.rule_tree import Rule
from journey.segments import SegmentDocument
from store import definitions, in_use, rule_sql
from store.schema import profiles, segments
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

LOOKED_AT = 10_000
"""Profiles that may be read to say whether anybody is in a segment: some hundredths of a second."""


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


def where(connection: Connection, rule: Rule, at: Instant) -> ColumnElement[bool]:
    """The condition on profiles that a rule is, as of an instant, with the events and segments that it names as they are now."""
    wanted = past.needs([rule])
    known = {name: one.tree for name, one in all_of(connection).items()} if wanted.segments else {}
    past_too = wanted.events or any(past.needs([tree]).events for tree in known.values())
    around = rule_sql.Around(at, definitions.all_of(connection) if past_too else {}, known)
    return rule_sql.where(rule, "postgresql" if connection.dialect.name == "postgresql" else "sqlite", around)


def is_member(connection: Connection, segment_id: str, profile: str, at: Instant) -> bool:
    """Is somebody in a segment? Nobody is in one that is not there."""
    try:
        rule = get(connection, segment_id).tree
    except NotFound:
        return False
    asked = select(profiles.c.id).where(profiles.c.id == profile, where(connection, rule, at))
    return connection.execute(asked).first() is not None


def anybody_in(connection: Connection, segment_id: str, at: Instant, most: int = LOOKED_AT) -> bool | None:
    """Is anybody who is no test profile in a segment? None when it is not there, and when more than `most` profiles would have to be
    looked at to say no."""
    try:
        rule = get(connection, segment_id).tree
    except NotFound:
        return None
    beyond = connection.execute(select(profiles.c.id).order_by(profiles.c.id).offset(most).limit(1)).scalar()
    asked = select(profiles.c.id).where(profiles.c.test.is_(False), where(connection, rule, at)).limit(1)
    if beyond is None:
        return connection.execute(asked).first() is not None
    return True if connection.execute(asked.where(profiles.c.id < beyond)).first() is not None else None


def trees(connection: Connection, segment_ids: Iterable[str]) -> dict[str, Rule]:
    """The rules of these segments as they are now, and of those that they ask about; one that is not there is left out."""
    found: dict[str, Rule] = {}
    todo = list(segment_ids)
    while todo:
        segment_id = todo.pop()
        row = _RULE.first(connection, {"segment": segment_id}) if segment_id not in found else None
        if row is not None:
            found[segment_id] = _tree(row.hash, row.document)
            todo += past.needs([found[segment_id]]).segments
    return found


def _tree(content: str, document: Mapping[str, Any]) -> Rule:
    """Read once for each hash: what stands under one never changes."""
    known = _trees.get(content)
    if known is not None:
        return known
    if len(_trees) >= _MOST_TREES:
        _trees.clear()
    return _trees.setdefault(content, SegmentDocument.model_validate(document).tree)


_RULE = Statement(select(segments.c.hash, segments.c.document).where(segments.c.id == bindparam("segment")))
_trees: dict[str, Rule] = {}
_MOST_TREES = 256


def put(work: Work, document: SegmentDocument) -> None:
    """Keep a segment. Raises RuleError when its rule cannot be read, or when it leads back to itself by others."""
    if past.needs([document.tree]).segments:
        known = {name: one.tree for name, one in all_of(work.connection).items()} | {document.id: document.tree}
        circle = past.circle(document.id, known)
        if circle:
            raise RuleError(f"The segment leads back to itself: {' -> '.join(circle)}. Take one of them out of another's rule.")
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
