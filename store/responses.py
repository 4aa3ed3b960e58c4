"""What webhooks answered: kept with the mark of their delivery, and looked at by later stops. It never travels through Temporal."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from journey.calls import Response
from journey.events import Instant
from store.schema import responses
from store.statements import Row, Statement
from store.upserts import upsert
from store.work import Work

_OF = Statement(select(responses).where(responses.c.entrant == bindparam("entrant")).order_by(responses.c.n))


def keep(work: Work, entrant: str, n: int, node: str, response: Response, now: Instant) -> None:
    """Keep the answer to the call of step n; one that came before it, which was transient, is not kept any longer."""
    upsert(
        work.connection,
        responses,
        {"entrant": entrant, "n": n, "node": node, "status": response.status, "body": response.body, "left_out": response.left_out,
         "at": now},
    )  # fmt: skip


def rows(connection: Connection, entrant: str) -> list[Row]:
    """Every answer that an entrant's webhooks gave, in the order of the steps."""
    return _OF.all(connection, {"entrant": entrant})


def of(connection: Connection, entrant: str) -> dict[str, Response]:
    """The same by node."""
    return {row.node: Response(row.status, row.body, row.left_out) for row in rows(connection, entrant)}
