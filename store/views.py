"""What is shown of entrants, deliveries and discards, a page at a time. It changes nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, exists, literal, select, tuple_

from journey import durations, gate, ids, until, walk
from journey.errors import NotFound
from journey.events import Instant
from journey.graph import LISTENING, EventNode, Journey, Node, Qualification, Reaction, Wait
from store import responses, schema
from store.statements import Row
from store.versions import frozen_version

_entrants, _steps, _deliveries, _discards = schema.entrants.c, schema.steps.c, schema.deliveries.c, schema.discards.c
_facts = schema.facts.c


@dataclass(frozen=True, slots=True)
class EntrantView:
    """An entrant as a list shows it. `place` are the nodes where it stands, at a gate several; instants in microseconds. `held` is the
    node before which it is held since its journey was paused, empty when it is not; `parked` the node whose error is to be mended, and
    `parked_why` the code of that error; `end_detail` is the exit criterion that was met, and by which event; `entry_source` and
    `entry_event` are the event that let it in, empty when a run did. Of one that is `forgotten` no steps and deliveries are kept."""

    id: str
    journey: str
    version: str
    profile: str
    run: str
    state: str
    place: tuple[str, ...]
    waiting: bool
    held: str
    until: Instant | None
    entered_at: Instant
    ended_at: Instant | None
    end_reason: str
    mode: str = "live"
    end_detail: str = ""
    entry_source: str = ""
    entry_event: str = ""
    parked: str = ""
    parked_why: str = ""
    forgotten: bool = False


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a path: what was left and by which exit, by which event; where it then acted, how that came out, and where it led.

    `why` is that of a condition: each branch that was tried, the verdict of its rule, and the values that were found. A step with the
    outcome `moved` carried its person over, `from_version` into `to_version`; of others both are empty."""

    n: int
    left: str
    exit: str
    source: str
    event: str
    node: str
    revision: int | None
    outcome: str
    place: tuple[str, ...]
    said: str
    opened_at: Instant | None
    closed_at: Instant | None
    why: tuple[dict[str, Any], ...] = ()
    from_version: str = ""
    to_version: str = ""


@dataclass(frozen=True, slots=True)
class AwaitedView:
    """One node of the gate where an entrant waits: `what` is the event, `CHANNEL.KIND of NODE`, `enter` or `leave` and the segment, the
    length of a wait, or what it waits until."""

    node: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What an entrant waits for. `until` is None when the gate listens for ever; `then` are the nodes that time leads to.

    `global_timeout_at` ends everything.
    """

    awaited: tuple[AwaitedView, ...]
    since: Instant
    until: Instant | None
    then: tuple[str, ...]
    global_timeout_at: Instant


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery: one message to one entrant on one channel. `id` is what the provider got as its key."""

    id: str
    entrant: str
    n: int
    channel: str
    version: str
    node: str
    message: str
    profile: str
    status: str
    reason: str
    tries: int
    provider_id: str
    marked_at: Instant | None
    not_before: Instant | None  # of one that waits: when it is tried again
    detail: str  # why it failed, or was last put off


@dataclass(frozen=True, slots=True)
class DiscardView:
    """Why something had no effect."""

    id: int
    code: str
    detail: str
    source: str
    event: str
    profile: str
    entrant: str
    version: str
    run: str
    at: Instant


@dataclass(frozen=True, slots=True)
class EntrantStory:
    """One entrant with its whole path. `waiting` is None when it is under way or ended; `calls` are rows of responses."""

    entrant: EntrantView
    path: tuple[StepView, ...]
    waiting: WaitingView | None
    deliveries: tuple[DeliveryView, ...]
    calls: tuple[Row, ...] = ()


_STEPS = select(schema.steps).where(_steps.entrant == bindparam("entrant")).order_by(_steps.n)
_DELIVERIES = select(schema.deliveries).where(_deliveries.entrant == bindparam("entrant")).order_by(_deliveries.n, _deliveries.channel)
_ENTRANT = (
    select(schema.entrants, schema.versions.c.hash)
    .join(schema.versions, schema.versions.c.id == _entrants.version)
    .where(_entrants.id == bindparam("entrant"))
)


def entrants(
    connection: Connection, wanted: Mapping[str, str], *, node: str = "", fact: str = "", after: str = "", limit: int = 100
) -> list[EntrantView]:
    """Entrants in order of id, behind `after`. `wanted` maps columns (journey, version, mode, state, profile, run, held) to a value; `node`
    finds those who stand there now, alone or as part of a gate; with a `fact`, those of whom that was recorded there."""
    query = select(schema.entrants).where(*_equal(_entrants, wanted), _entrants.id > after).order_by(_entrants.id).limit(limit)
    if fact:
        query = query.where(exists().where(_facts.entrant == _entrants.id, _facts.kind == fact, *([_facts.node == node] if node else [])))
    elif node:
        query = query.where((literal("+") + _entrants.place + literal("+")).contains(f"+{node}+", autoescape=True))
    return [_as_entrant(row) for row in connection.execute(query).mappings()]


def entrant(connection: Connection, entrant_id: str) -> EntrantStory:
    """One entrant: its path, what it waits for and until when, its deliveries, what webhooks answered. Raises NotFound."""
    row = connection.execute(_ENTRANT, {"entrant": entrant_id}).mappings().first()
    if row is None:
        raise NotFound(f"There is no entrant {entrant_id}.")
    journey = frozen_version(connection, row["hash"]).journey
    return EntrantStory(
        _as_entrant(row),
        tuple(_as_step(step) for step in connection.execute(_STEPS, {"entrant": entrant_id}).mappings()),
        _waiting(journey, row),
        tuple(_as_delivery(delivery) for delivery in connection.execute(_DELIVERIES, {"entrant": entrant_id}).mappings()),
        tuple(responses.rows(connection, entrant_id)),
    )


def deliveries(
    connection: Connection, wanted: Mapping[str, str], *, journey: str = "", fact: str = "", after: tuple[str, int, str] | None = None,
    limit: int = 100,
) -> list[DeliveryView]:  # fmt: skip
    """Deliveries in order of entrant, step and channel, behind `after`. `wanted` maps columns (version, mode, entrant, profile, node,
    message, channel, status, reason) to a value; a `fact` is one of theirs, as `opened`."""
    key = (_deliveries.entrant, _deliveries.n, _deliveries.channel)
    query = select(schema.deliveries).where(*_equal(_deliveries, wanted)).order_by(*key).limit(limit)
    query = query.where(_deliveries.version.in_(_versions_of(journey))) if journey else query
    if fact:
        query = query.where(exists().where(tuple_(_facts.entrant, _facts.n, _facts.channel) == tuple_(*key), _facts.kind == fact))
    if after is not None:
        query = query.where(tuple_(*key) > after)
    return [_as_delivery(row) for row in connection.execute(query).mappings()]


def delivery(connection: Connection, delivery_id: str) -> DeliveryView:
    """One delivery by its id. Raises NotFound."""
    with suppress(ValueError):
        name = ids.read_delivery(delivery_id)
        wanted = (_deliveries.entrant == name.entrant, _deliveries.n == name.n, _deliveries.channel == name.channel)
        row = connection.execute(select(schema.deliveries).where(*wanted)).mappings().first()
        if row is not None:
            return _as_delivery(row)
    raise NotFound(f"There is no delivery {delivery_id}.")


def discards(
    connection: Connection, wanted: Mapping[str, str], *, journey: str = "", before: int | None = None, limit: int = 100
) -> list[DiscardView]:
    """Discards, the newest first, older than `before` (an id). `wanted` maps columns (code, version, run, profile, entrant, source,
    event) to a value."""
    query = (
        select(*(_discards[field.name] for field in fields(DiscardView)))
        .where(*_equal(_discards, wanted))
        .order_by(_discards.id.desc())
        .limit(limit)
    )
    query = query.where(_discards.version.in_(_versions_of(journey))) if journey else query
    query = query.where(_discards.id < before) if before is not None else query
    return [DiscardView(**row) for row in connection.execute(query).mappings()]


def _equal(columns: Any, wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [columns[name] == value for name, value in wanted.items() if value]


def _versions_of(journey: str) -> Select[tuple[str]]:
    """Those that were published; what belongs to a test names its version."""
    return select(schema.versions.c.id).where(schema.versions.c.journey == journey, schema.versions.c.number > 0)


def _waiting(journey: Journey, row: RowMapping) -> WaitingView | None:
    if not _waits(row):
        return None
    at = gate.build(journey, row["place"], row["arrived_at"], row["ends"])
    return WaitingView(
        awaited=awaited(journey, row["place"]),
        since=row["arrived_at"],
        until=row["until"],
        then=walk.nodes_of(walk.follow(journey, at.due_exit)) if at.due_exit is not None else (),
        global_timeout_at=row["entered_at"] + durations.seconds(journey.global_timeout) * gate.MICROSECONDS,
    )


def awaited(journey: Journey, place: walk.Place) -> tuple[AwaitedView, ...]:
    """What is waited for at a place; nothing where nobody listens."""
    nodes = [journey.node(node) for node in walk.nodes_of(place)]
    return tuple(AwaitedView(node.id, node.kind, _what(node)) for node in nodes if node.kind in LISTENING)


def _waits(row: RowMapping) -> bool:
    """Somebody held has nothing to wait for any more, though the gate is not left."""
    return row["state"] == "open" and row["waiting"] and not row["held"] and not row["parked"]


def _what(node: Node) -> str:
    match node:
        case EventNode():
            return node.event
        case Reaction():
            return f"{node.to} of {node.of}"
        case Qualification():
            return f"{node.direction} {node.segment}"
        case Wait():
            return node.duration or until.said(node.until)
    return ""


def _as_entrant(row: RowMapping) -> EntrantView:
    return EntrantView(
        id=row["id"], journey=row["journey"], version=row["version"], profile=row["profile"], run=row["run"], state=row["state"],
        place=walk.nodes_of(row["place"]), waiting=_waits(row), held=row["held"], until=row["until"],
        entered_at=row["entered_at"], ended_at=row["ended_at"], end_reason=row["end_reason"], mode=row["mode"],
        end_detail=row["ending_detail"], entry_source=row["entry_source"], entry_event=row["entry_event"],
        parked=row["parked"], parked_why=row["parked_why"], forgotten=bool(row["forgotten"]),
    )  # fmt: skip


def _as_step(row: RowMapping) -> StepView:
    return StepView(
        n=row["n"], left=row["left"], exit=row["left_exit"], source=row["by_source"], event=row["by_event"], node=row["node"],
        revision=row["revision"], outcome=row["outcome"], place=walk.nodes_of(row["place"]), said=row["said"],
        opened_at=row["opened_at"], closed_at=row["closed_at"], why=tuple(row["why"] or ()),
        from_version=row["from_version"], to_version=row["to_version"],
    )  # fmt: skip


def _as_delivery(row: RowMapping) -> DeliveryView:
    return DeliveryView(
        id=ids.delivery(row["entrant"], row["n"], row["channel"]), entrant=row["entrant"], n=row["n"], channel=row["channel"],
        version=row["version"], node=row["node"], message=row["message"], profile=row["profile"], status=row["status"],
        reason=row["reason"], tries=row["tries"], provider_id=row["provider_id"], marked_at=row["marked_at"],
        not_before=row["not_before"], detail=row["detail"],
    )  # fmt: skip
