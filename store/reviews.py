"""What waits for its review, and what whoever reviews it says: approved, discarded, or to be made out anew. Nobody is told.

store/in_review.py is the side of the walk. Both change a review only under the lock of its entrant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, select, tuple_

from journey import durations, gate, ids, review
from journey.errors import NotFound
from journey.events import Instant
from journey.messages import Filled
from journey.profiles import Profile
from store import claims, entrants, in_review, messages, profiles, schema
from store.entrants import DECIDED_DUE
from store.statements import Row
from store.versions import frozen_version
from store.work import Work

PAGE = 200
Verdict = Literal["approve", "discard", "render"]
Key = tuple[str, int, str]
"""Entrant, step and channel of a delivery."""

_reviews, _entrants = schema.reviews.c, schema.entrants.c
_KEY = (_reviews.entrant, _reviews.n, _reviews.channel)
_WAITS = _reviews.approved_at.is_(None)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A delivery that waits for its review. `id` is that of the delivery; `since` when its person came, `until` when their time in the
    journey is over. `subject` is that of an e-mail or the title of a push; `error` why it cannot be made out; `rendered_at` is None when
    it is yet to be."""

    id: str
    journey: str
    version: str
    entrant: str
    n: int
    profile: str
    node: str
    message: str
    revision: int
    channel: str
    subject: str
    error: str
    since: Instant
    until: Instant
    rendered_at: Instant | None


@dataclass(frozen=True, slots=True)
class Content:
    """The same with what is in it, None when there is nothing to be seen, and the person as they are now."""

    view: ReviewView
    filled: Filled | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews are meant: those at a node, these deliveries, or these of them that are at the node. `as_of`: only what was made out
    until then, so that what nobody has seen is left."""

    journey: str
    node: str = ""
    deliveries: tuple[Key, ...] | None = None
    as_of: Instant | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A page of what was said: the deliveries that it holds for, those of them that could not be made out before and are made out anew
    first, and whom to tell. `after` is where the next page begins, None when there is none."""

    deliveries: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    after: Key | None = None


def key_of(delivery: str) -> Key:
    """The key of a delivery, which may be none at all: then nothing is found by it."""
    with suppress(ValueError):
        name = ids.read_delivery(delivery)
        return name.entrant, name.n, name.channel
    return delivery, -1, ""


def page(
    connection: Connection, wanted: Mapping[str, str], *, failing: bool = False, after: Key | None = None, limit: int = 100
) -> list[ReviewView]:  # fmt: skip
    """What waits for its review, in order of entrant, step and channel, behind `after`. `wanted` maps columns (journey, version, node,
    message, profile, entrant, channel) to a value; `failing` finds what could not be made out."""
    query = _WAITING.where(*(_reviews[name] == value for name, value in wanted.items() if value)).order_by(*_KEY).limit(limit)
    query = query.where(_reviews.error != "") if failing else query
    query = query.where(tuple_(*_KEY) > after) if after is not None else query
    return [_view(connection, row) for row in connection.execute(query).mappings()]


def content(connection: Connection, delivery: str) -> Content:
    """One delivery with what is in it. Raises NotFound when it does not wait for its review."""
    row = connection.execute(_WAITING.where(tuple_(*_KEY) == key_of(delivery))).mappings().first()
    if row is None:
        raise NotFound(f"There is no delivery {delivery} that waits for its review.")
    filled = in_review.read(row["channel"], row["content"]) if row["content"] else None
    profile = profiles.read(connection, row["profile"]) or Profile(row["profile"])
    return Content(_view(connection, row), filled, profile)


def people(connection: Connection, version_id: str) -> dict[str, int]:
    """How many people of a version have something in review at each node."""
    return {row.node: row.people for row in connection.execute(_PEOPLE, {"version": version_id})}


def judge(work: Work, verdict: Verdict, wanted: Wanted, *, after: Key | None = None, most: int = PAGE) -> Judged:
    """Say it of the next reviews that are meant. What is no longer in review is left alone, so it may be repeated."""
    query = select(*_KEY).where(_reviews.journey == wanted.journey, _WAITS, *_meant(wanted)).order_by(*_KEY).limit(most)
    query = query.where(tuple_(*_KEY) > after) if after is not None else query
    keys: list[Key] = [(row.entrant, row.n, row.channel) for row in work.connection.execute(query)]
    said: list[str] = []
    anew: list[str] = []
    told: list[str] = []
    for entrant, step in groupby(keys, key=lambda key: key[0]):
        done = dict(_judge(work, entrant, step, verdict))
        said += done
        anew += [delivery for delivery, again in done.items() if again]
        told += [entrant] if done else []
    return Judged(tuple(said), tuple(anew), tuple(told), keys[-1] if len(keys) == most else None)


def _meant(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_reviews.node == wanted.node] if wanted.node else []
    if wanted.deliveries is not None:
        found.append(tuple_(*_KEY).in_(wanted.deliveries))
    if wanted.as_of is not None:
        found.append(_reviews.rendered_at <= wanted.as_of)
    return found


def _judge(work: Work, entrant_id: str, keys: Iterable[Key], verdict: Verdict) -> Iterable[tuple[str, bool]]:
    """The deliveries of one entrant that it holds for, each with whether it is made out anew first."""
    entrant = entrants.lock(work, entrant_id)
    assert entrant is not None, "a review belongs to an entrant"
    now = work.now()
    found: list[tuple[str, bool]] = []
    for _, n, channel in keys:
        row = in_review.rows_of(work, entrant_id, n).get(channel)
        waiting = {one.channel: one for one in claims.of_step(work, entrant_id, n) if one.reason == review.IN_REVIEW}
        if row is None or row.approved_at is not None or channel not in waiting:
            continue
        if verdict == "approve" and row.rendered_at is None:  # nobody can have seen it
            continue
        again = verdict == "render" or (verdict == "approve" and not row.content)
        if verdict == "discard":
            in_review.discard(work, waiting[channel], now)
        elif again:
            in_review.render_again(work, row, _newest(work, row), approved_at=now if verdict == "approve" else None)
        else:
            in_review.approve(work, row, waiting[channel], now)
        found.append((ids.delivery(entrant_id, n, channel), again))
    if found:
        entrant.due = now + DECIDED_DUE
        entrants.save(work, entrant)
    return found


def _newest(work: Work, row: Row) -> int:
    """The newest revision of the message; the one there was, when the message is gone."""
    with suppress(NotFound):
        return messages.latest(work.connection, row.message)[0]
    return int(row.revision)


def _view(connection: Connection, row: RowMapping) -> ReviewView:
    longest = durations.seconds(frozen_version(connection, row["hash"]).journey.global_timeout) * gate.MICROSECONDS
    shown: Mapping[str, Any] = row["content"] or {}
    return ReviewView(
        id=ids.delivery(row["entrant"], row["n"], row["channel"]), journey=row["journey"], version=row["version"], entrant=row["entrant"],
        n=row["n"], profile=row["profile"], node=row["node"], message=row["message"], revision=row["revision"], channel=row["channel"],
        subject=shown.get("subject", shown.get("title", "")), error=row["error"], since=row["since"],
        until=row["entered_at"] + longest, rendered_at=row["rendered_at"],
    )  # fmt: skip


_WAITING = (
    select(schema.reviews, _entrants.entered_at, schema.versions.c.hash)
    .join(schema.entrants, _entrants.id == _reviews.entrant)
    .join(schema.versions, schema.versions.c.id == _reviews.version)
    .where(_WAITS)
)
_PEOPLE = (
    select(_reviews.node, func.count(_reviews.entrant.distinct()).label("people"))
    .where(_reviews.version == bindparam("version"), _WAITS)
    .group_by(_reviews.node)
)
