"""Versions, published or tested: what they froze, kept under its hash, the state they are in and how they came there. It knows no draft."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, literal_column, or_, select, text

from journey import documents, entrance, lifecycle
from journey.entrance import Refusal
from journey.errors import NotFound, SojournError
from journey.events import EventDefinition, Instant
from journey.graph import EventNode, Journey, Qualification, ReadSegment
from journey.lifecycle import Act, State
from journey.version import Version
from store import definitions, schema
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

_versions, _frozen, _entrants = schema.versions.c, schema.frozen.c, schema.entrants.c
_definitions = schema.event_definitions.c


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. `hash` names what it froze; instants in microseconds. That of a test session has a number below zero.

    `starts_at` and `ends_at` are None where the journey says nothing; of a version that is not paused the fields of a pause are empty.
    `successor` is the version in which those inside go on, as `succession` says (journey/succession.py); empty where they finish here.
    """

    id: str
    journey: str
    number: int
    hash: str
    state: State
    published_at: Instant
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    pause: str = ""
    resumes: str = ""
    paused_at: Instant | None = None
    pause_until: Instant | None = None
    release_rate: int | None = None
    successor: str = ""
    succession: dict[str, Any] | None = None

    def refusal(self, now: Instant) -> str:
        """Why nobody may enter now, as the code of a discard; empty when people may."""
        return lifecycle.refusal(self.state, now, self.starts_at, self.ends_at)

    def closed(self, now: Instant) -> Refusal | None:
        """The same with a sentence; None when people may."""
        return entrance.closed(self.id, self.state, now, self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move that was made: what was done, and when. `detail` is what a pause does, or why something happened by itself."""

    id: int
    version: str
    act: Act
    before: State
    after: State
    detail: str
    at: Instant


_COLUMNS = tuple(_versions[field.name] for field in fields(VersionRow))
_ROW = select(*_COLUMNS).where(_versions.id == bindparam("id"))
_LOCK = _ROW.with_for_update(key_share=True)
_SHARE = _ROW.with_for_update(read=True)
_LOCK_OF_JOURNEY = select(_versions.id).where(_versions.journey == bindparam("journey")).order_by(_versions.number).with_for_update()
_LIVE = select(*_COLUMNS).where(_versions.journey == bindparam("journey"), _versions.state == "live")
_OF_JOURNEY = select(*_COLUMNS).where(_versions.journey == bindparam("journey"), _versions.number > 0).order_by(_versions.number)
_BY_EVENT = Statement(
    select(*_COLUMNS, _definitions.document)
    .outerjoin(schema.event_definitions, _definitions.id == _versions.entry_on)
    .where(_versions.resumes != "closed", text("versions.state IN ('live', 'paused') AND versions.entry_kind = 'event'"))
    .where(or_(_definitions.id.is_(None), _definitions.event_name == "", _definitions.event_name == bindparam("name")))
    .order_by(_versions.id)
)
_BY_SEGMENT = Statement(
    select(*_COLUMNS, _versions.entry_on)
    .where(_versions.resumes != "closed", text("versions.state IN ('live', 'paused') AND versions.entry_kind = 'qualification'"))
    .order_by(_versions.id)
)
_DRAFTS = select(schema.journeys.c.id, schema.journeys.c.draft).where(schema.journeys.c.draft.is_not(None))
_ALL_LIVE = select(_versions.journey, _versions.hash).where(_versions.state == "live")
_CANONICAL = select(_frozen.canonical).where(_frozen.hash == bindparam("hash"))

_parsed: dict[str, Version] = {}
_MOST_PARSED = 256
"""One object a hash serves everybody: what is kept under a hash never changes."""


def row(connection: Connection, version_id: str) -> VersionRow:
    """The version of this id (JOURNEY@NUMBER). Raises NotFound."""
    found = connection.execute(_ROW, {"id": version_id}).mappings().first()
    if found is None:
        raise NotFound(f"There is no version {version_id}.")
    return _as_row(found)


def lock(work: Work, version_id: str) -> VersionRow:
    """As `row`; its state stays as it is until the commit. For moves that take nothing from those inside: a stop that is being opened does
    not wait for it (entrants.py)."""
    found = work.connection.execute(_LOCK, {"id": version_id}).mappings().first()
    if found is None:
        raise NotFound(f"There is no version {version_id}.")
    return _as_row(found)


def stays(work: Work, version_id: str) -> VersionRow:
    """As `row`; its state stays as it is until the commit, and others may hold it so at the same time. Raises NotFound."""
    found = work.connection.execute(_SHARE, {"id": version_id}).mappings().first()
    if found is None:
        raise NotFound(f"There is no version {version_id}.")
    return _as_row(found)


def lock_of_journey(work: Work, journey: str) -> None:
    """The states of all versions of a journey stay as they are until the commit."""
    work.connection.execute(_LOCK_OF_JOURNEY, {"journey": journey}).all()


def live(connection: Connection, journey: str) -> VersionRow | None:
    """The one version of a journey that lets people in, if there is one."""
    found = connection.execute(_LIVE, {"journey": journey}).mappings().first()
    return None if found is None else _as_row(found)


def open_to(connection: Connection, journey: str) -> VersionRow | None:
    """The version that lets people in, or would if it were not paused: why somebody may not enter it now is `refusal`."""
    found = [one for one in of_journey(connection, journey) if one.state == "live" or (one.state, one.resumes) == ("paused", "live")]
    return found[-1] if found else None


def of_journey(connection: Connection, journey: str) -> list[VersionRow]:
    """Every published version of a journey, the oldest first; those of test sessions are none."""
    return [_as_row(found) for found in connection.execute(_OF_JOURNEY, {"journey": journey}).mappings()]


def jumped_to(connection: Connection) -> tuple[dict[str, Journey], frozenset[str]]:
    """Every journey that can be jumped to, as it lets people in now: its live version, else its draft as far as it can be read; and which
    of them are live."""
    found: dict[str, Journey] = {}
    for row in connection.execute(_DRAFTS):
        with suppress(SojournError):
            found[row.id] = documents.parse(Journey, row.draft)
    live = {row.journey: frozen_version(connection, row.hash).journey for row in connection.execute(_ALL_LIVE)}
    return found | live, frozenset(live)


def frozen_version(connection: Connection, content_hash: str) -> Version:
    """What was frozen under this hash. Raises NotFound."""
    known = _parsed.get(content_hash)
    if known is not None:
        return known
    canonical = connection.execute(_CANONICAL, {"hash": content_hash}).scalar()
    if canonical is None:
        raise NotFound(f"Nothing is frozen under the hash {content_hash}.")
    version = Version.model_validate_json(canonical)
    if len(_parsed) >= _MOST_PARSED:
        _parsed.clear()
    return _parsed.setdefault(content_hash, version)


def keep(work: Work, version: Version) -> None:
    """Keep what a publish froze. Done twice it is there once."""
    upsert(work.connection, schema.frozen, {"hash": version.hash, "canonical": version.canonical}, update=[])


def insert(work: Work, version: VersionRow) -> None:
    """Write a new version; what it froze is kept already."""
    entry_kind, entry_on = _entry(frozen_version(work.connection, version.hash).journey)
    work.connection.execute(
        schema.versions.insert(),
        {"id": version.id, "journey": version.journey, "number": version.number, "hash": version.hash, "state": version.state,
         "published_at": version.published_at, "starts_at": version.starts_at, "ends_at": version.ends_at,
         "entry_kind": entry_kind, "entry_on": entry_on},
    )  # fmt: skip


def begun_by_an_event(connection: Connection, name: str, tested: VersionRow | None = None) -> list[tuple[VersionRow, EventDefinition]]:
    """The versions that an event of this name may let people into, or might if they were not paused, each with the definition of that
    event as it is now, not as it was frozen; or the one that is `tested`, which is as it was frozen."""
    if tested is not None:
        frozen = frozen_version(connection, tested.hash)
        entry = frozen.journey.entry_node
        return [(tested, frozen.events[entry.event])] if isinstance(entry, EventNode) else []
    found: list[tuple[VersionRow, EventDefinition]] = []
    for *columns, document in _BY_EVENT.all(connection, {"name": name}):
        version = VersionRow(*columns)
        if document is None:  # taken away meanwhile
            frozen = frozen_version(connection, version.hash)
            entry = frozen.journey.entry_node
            assert isinstance(entry, EventNode), "its row says so"
            found.append((version, frozen.events[entry.event]))
        else:
            found.append((version, definitions.parsed(document)))
    return found


def begun_by_a_segment(connection: Connection) -> list[tuple[VersionRow, str]]:
    """The versions that people enter by entering or leaving a segment, or would if they were not paused, each with that segment."""
    return [(VersionRow(*columns), segment) for *columns, segment in _BY_SEGMENT.all(connection, {})]


def _entry(journey: Journey) -> tuple[str, str]:
    """How people enter: the kind of the node, and what it names."""
    match journey.entry_node:
        case ReadSegment() as node:
            return node.kind, node.segment
        case EventNode() as node:
            return node.kind, node.event
        case Qualification() as node:
            return node.kind, node.segment
    return "", ""


def move(work: Work, version: VersionRow, act: Act, *, detail: str = "", **columns: Any) -> State:
    """Move a version that is locked, put that on record, and return the state that it is in now. `columns` are written beside it.

    Raises Conflict where there is no such move.
    """
    state = lifecycle.after(version.id, version.state, act)
    work.connection.execute(schema.versions.update().where(_versions.id == version.id).values(state=state, **columns))
    note_move(work, version.id, act, version.state, state, detail)
    return state


def set_state(work: Work, version_id: str, state: State) -> None:
    """Write the state alone, whatever it was."""
    work.connection.execute(schema.versions.update().where(_versions.id == version_id).values(state=state))


def note_move(work: Work, version_id: str, act: Act, before: State, after: State, detail: str = "") -> None:
    """Put a move on record."""
    row = {"version": version_id, "act": act, "before": before, "after": after, "detail": detail, "at": work.now()}
    work.connection.execute(schema.moves.insert(), row)


def moves(connection: Connection, journey: str, *, before: int | None = None, limit: int = 100) -> list[MoveRow]:
    """The moves of every version of a journey, the newest first; `before` is the id of the last one seen."""
    query = select(schema.moves).where(schema.moves.c.version.in_(select(_versions.id).where(_versions.journey == journey)))
    if before is not None:
        query = query.where(schema.moves.c.id < before)
    return [MoveRow(**row) for row in connection.execute(query.order_by(schema.moves.c.id.desc()).limit(limit)).mappings()]


def anybody_inside(connection: Connection, version_id: str, *, beyond: int = 0) -> bool:
    """Is an entrant of this version open? Or, `beyond` so many, one more."""
    inside = select(_entrants.id).where(_entrants.version == version_id, _entrants.state == literal_column("'open'"))
    return connection.execute(inside.limit(1).offset(beyond or None)).first() is not None


def _as_row(found: RowMapping) -> VersionRow:
    return VersionRow(**found)
