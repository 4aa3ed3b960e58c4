"""A delivery that something comes back of: found by its id, and what is written down of it then. It decides nothing."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from journey import ids
from journey.errors import NotFound
from journey.events import Instant
from store import schema
from store.statements import Row, Statement
from store.upserts import insert_new
from store.work import CounterKey, Work


class Forgotten(NotFound):
    """A delivery so old that it is not kept any more (forgetting.py); whose it was is."""

    def __init__(self, profile: str, mode: str) -> None:
        super().__init__("Its message is so old that nothing is kept of it.")
        self.profile, self.mode = profile, mode


def name_of(row: Row) -> str:
    """The id of a delivery, from its row."""
    return ids.delivery(row.entrant, row.n, row.channel)


def named(work: Work, delivery: str) -> Row:
    """The delivery of this id. Raises NotFound, also for one that was excluded, and Forgotten."""
    row = find(work, delivery)
    if row is None and (of := delivery.rsplit(".", 2)[0]):
        old = _FORGOTTEN.first(work.connection, {"entrant": of})
        if old is not None:
            raise Forgotten(old.profile, old.mode)
    if row is None or row.status == "excluded":
        raise NotFound("There is no such delivery.")
    return row


def find(work: Work, delivery: str) -> Row | None:
    """The delivery of this id, whatever its status; None where there is none."""
    try:
        name = ids.read_delivery(delivery)
    except ValueError:
        return None
    return _DELIVERY.first(work.connection, {"entrant": name.entrant, "step": name.n, "channel": name.channel})


def fact(work: Work, row: Row, kind: str, at: Instant) -> bool:
    """What has come back of a delivery is always a fact of it, however late; come twice it is one. Whether it is new."""
    row_of = {"entrant": row.entrant, "n": row.n, "node": row.node, "kind": kind, "channel": row.channel, "at": at}
    new = insert_new(work.connection, schema.facts, row_of)
    if new:
        work.counted[CounterKey(row.version, row.mode, row.node, kind, row.channel)] += 1
    return new


def was_sent(work: Work, row: Row) -> None:
    """An uncertain delivery of which something has come back: the provider had it (M1)."""
    work.write(_WAS_SENT, {"entrant_": row.entrant, "step": row.n, "channel_": row.channel})


_DELIVERY = Statement(select(schema.deliveries).where(
    schema.deliveries.c.entrant == bindparam("entrant"), schema.deliveries.c.n == bindparam("step"),
    schema.deliveries.c.channel == bindparam("channel"),
))  # fmt: skip
_FORGOTTEN = Statement(
    select(schema.entrants.c.profile, schema.entrants.c.mode)
    .where(schema.entrants.c.id == bindparam("entrant"), schema.entrants.c.forgotten)
)  # fmt: skip
_WAS_SENT = Statement(
    schema.deliveries.update()
    .where(
        schema.deliveries.c.entrant == bindparam("entrant_"), schema.deliveries.c.n == bindparam("step"),
        schema.deliveries.c.channel == bindparam("channel_"),
    )
    .values(status="sent", reason="")
)  # fmt: skip
