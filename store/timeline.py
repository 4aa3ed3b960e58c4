"""Everything on record about one person, the newest first: entries, steps, deliveries, events, discards, ends. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, Text, and_, cast, or_, select

from journey import ids
from journey.events import Instant
from store import schema

Kind = Literal["entered", "step", "delivery", "event", "discard", "ended"]
Key = tuple[Instant, str, str]
"""Instant, kind and name of a moment: no two have the same, and pages are cut at it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on record. `name` is what it is called among its kind; the other fields are empty where they have no meaning.

    `sentence` says it for people: of a step what was left and reached, of a delivery its status and reason, of a discard why.
    """

    at: Instant
    kind: Kind
    name: str
    journey: str = ""
    entrant: str = ""
    node: str = ""
    code: str = ""
    sentence: str = ""

    @property
    def key(self) -> Key:
        return (self.at, self.kind, self.name)


def of_profile(connection: Connection, profile: str, *, before: Key | None = None, limit: int = 100) -> list[Moment]:
    """What is on record about a profile, the newest first, before a moment. Somebody of whom nothing is known has an empty one."""
    found: list[Moment] = []
    for kind, query, whose, at, name, make in _KINDS:
        named = name.collate("C") if connection.dialect.name == "postgresql" else name  # as Python orders texts
        newest = query.where(whose == profile, at.is_not(None)).order_by(at.desc(), named.desc()).limit(limit)
        if before is not None and kind == before[1]:
            newest = newest.where(or_(at < before[0], and_(at == before[0], named < before[2])))
        elif before is not None:
            newest = newest.where(at <= before[0] if kind < before[1] else at < before[0])
        found += [make(row) for row in connection.execute(newest).mappings()]
    return sorted(found, key=lambda moment: moment.key, reverse=True)[:limit]


def _entered(row: RowMapping) -> Moment:
    return Moment(row["entered_at"], "entered", row["id"], row["journey"], row["id"], sentence=f"Entered {row['first'] or row['version']}.")


def _ended(row: RowMapping) -> Moment:
    return Moment(
        row["ended_at"], "ended", row["id"], row["journey"], row["id"], row["place"], row["end_reason"], f"Ended: {row['end_reason']}."
    )


def _step(row: RowMapping) -> Moment:
    name = f"{row['entrant']}.{row['n']}"
    return Moment(row["closed_at"], "step", name, row["journey"], row["entrant"], row["node"], row["outcome"], row["said"])


def _delivery(row: RowMapping) -> Moment:
    reason = (f" ({row['reason']})" if row["reason"] else "") + (f": {row['detail']}" if row["detail"] else ".")
    return Moment(
        row["marked_at"], "delivery", ids.delivery(row["entrant"], row["n"], row["channel"]), row["journey"], row["entrant"], row["node"],
        row["status"], f"{row['message']} by {row['channel']}: {row['status']}{reason}",
    )  # fmt: skip


def _event(row: RowMapping) -> Moment:
    of, data = row["source"] == ids.REACTIONS, row["data"]
    if of and isinstance(data, dict) and "entrant" in data:  # what has come back of a message of ours
        bounce = f" ({data['bounce']})" if data.get("bounce") else ""
        return Moment(
            row["accepted_at"], "event", f"{row['source']}/{row['id']}", ids.journey_of(data["entrant"]), data["entrant"], data["node"],
            row["name"], f"{row['name']} of {data['node']}{bounce}.",
        )  # fmt: skip
    return Moment(row["accepted_at"], "event", f"{row['source']}/{row['id']}", code=row["name"], sentence=f"{row['name'] or 'An event'}.")


def _discard(row: RowMapping) -> Moment:
    journey = row["version"].partition("@")[0]
    return Moment(row["at"], "discard", str(row["id"]), journey, row["entrant"], code=row["code"], sentence=row["detail"])


_entrants, _steps, _deliveries = schema.entrants.c, schema.steps.c, schema.deliveries.c
_events, _discards = schema.events.c, schema.discards.c
_FIRST = (
    select(_steps.from_version).where(_steps.entrant == _entrants.id, _steps.from_version != "").order_by(_steps.n).limit(1)
).scalar_subquery()
_ENTERED = select(schema.entrants, _FIRST.label("first"))  # in which version, for whoever was carried over since
_OF_STEPS = select(schema.steps, _entrants.journey).select_from(schema.steps.join(schema.entrants, _entrants.id == _steps.entrant))
_OF_DELIVERIES = select(schema.deliveries, _entrants.journey).select_from(
    schema.deliveries.join(schema.entrants, _entrants.id == _deliveries.entrant)
)
_STEP = _steps.entrant + "." + cast(_steps.n, Text)
_DELIVERY = _deliveries.entrant + "." + cast(_deliveries.n, Text) + "." + _deliveries.channel
_EVENT = _events.source + "/" + _events.id
_KINDS: tuple[tuple[Kind, Select[Any], Column[Any], Column[Any], ColumnElement[Any], Callable[[RowMapping], Moment]], ...] = (
    ("entered", _ENTERED, _entrants.profile, _entrants.entered_at, _entrants.id, _entered),
    ("ended", select(schema.entrants), _entrants.profile, _entrants.ended_at, _entrants.id, _ended),
    ("step", _OF_STEPS.where(_steps.n > 0), _entrants.profile, _steps.closed_at, _STEP, _step),
    ("delivery", _OF_DELIVERIES, _entrants.profile, _deliveries.marked_at, _DELIVERY, _delivery),
    ("event", select(schema.events), _events.profile, _events.accepted_at, _EVENT, _event),
    ("discard", select(schema.discards), _discards.profile, _discards.at, cast(_discards.id, Text), _discard),
)
