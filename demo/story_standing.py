"""Where the person of a real story stands, read from the store: what the player must know to move the clock on. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from journey import durations, gate, ids
from journey.events import Instant
from journey.graph import Journey
from store import schema


@dataclass(frozen=True, slots=True)
class Standing:
    """`waits` is at a gate that nothing has decided, and whose end, `until`, nobody has acted on. `out` are deliveries of an open step that
    somebody is sending, `free_at` is when one that is held back may go. `deadline` is the end of their time in the journey. `reviewed` is
    the node whose message waits for its review, empty when none does; `renders` says that one is yet to be made out for it. `ends_at` is
    the end of the journey, and `must_end` that their next commit is their end. `goes_on`: a pause has held them, and is over.
    """

    profile: str
    n: int
    open_step: bool
    waits: bool
    ended: bool
    stands: bool  # held by a pause, or parked: time alone does not move them on before their deadline
    until: Instant | None
    deadline: Instant
    out: tuple[str, ...]
    free_at: Instant | None
    reviewed: str = ""
    renders: bool = False
    ends_at: Instant | None = None
    must_end: bool = False
    goes_on: bool = False

    @property
    def wakes_at(self) -> Instant:
        """When time alone moves them on, or the journey ends."""
        return self.next_instant if self.ends_at is None else min(self.next_instant, self.ends_at)

    @property
    def next_instant(self) -> Instant:
        """When time alone moves on somebody who waits, or stands."""
        return self.deadline if self.until is None or self.stands else min(self.until, self.deadline)

    @property
    def times_out(self) -> bool:
        """Is it the end of the gate that comes first, and not that of the journey?"""
        return self.until is not None and self.until <= self.deadline


def standing(connection: Connection, entrant: str, journey: Journey) -> Standing | None:
    """None for somebody who has not entered."""
    row = connection.execute(select(schema.entrants).where(schema.entrants.c.id == entrant)).first()
    if row is None:
        return None
    of = schema.deliveries.c
    claimed = connection.execute(
        select(of.channel, of.lease, of.not_before).where(of.entrant == entrant, of.n == row.n, of.status == "claimed").order_by(of.channel)
    ).all()
    version = connection.execute(select(schema.versions).where(schema.versions.c.id == row.version)).one()
    reviews = connection.execute(select(schema.reviews).where(schema.reviews.c.entrant == entrant, schema.reviews.c.n == row.n)).all()
    waiting = [one for one in reviews if one.approved_at is None and one.rendered_at is not None]
    deadline = row.entered_at + durations.seconds(journey.global_timeout) * gate.MICROSECONDS
    free = [one.not_before for one in claimed if one.lease is None and one.not_before is not None]
    return Standing(
        profile=row.profile,
        n=row.n,
        open_step=not row.closed,
        waits=bool(row.closed and row.waiting and not row.won_node and not row.ending and not row.held),
        ended=row.state != "open",
        stands=bool(row.held or row.parked) and not row.ending,
        until=row.until,
        deadline=deadline,
        out=tuple(ids.delivery(entrant, row.n, one.channel) for one in claimed if one.lease is not None),
        free_at=min(free + [deadline] * bool(waiting), default=None),
        reviewed=waiting[0].node if waiting else "",
        renders=any(one.rendered_at is None for one in reviews),
        ends_at=version.ends_at,
        must_end=bool(row.ending),
        goes_on=bool(row.held) and version.state != "paused",
    )
