"""People who wait in the use case, put into a store by hand, for tests of what reaches them over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from journey import ids
from journey.profiles import ProfileDocument
from store import journeys, profiles, schema
from store.database import Database
from store.work import Work
from tests import builders, stock

ENTRANT = ids.entrant("thank-you", "c-42", 1)
FIRST_MAIL = ids.delivery(ENTRANT, 1, "email")
FIRST_PUSH = ids.delivery(ENTRANT, 1, "push")
PURCHASE = {"purchaseMessage": "thank you", "product": "City roast", "customer": "c-42"}


async def for_a_purchase(database: Database) -> str:
    """Somebody with the customer number c-42 waits for a purchase, for ever; returns the id of the entrant."""
    return await _put(database, place="purchase", n=2, until=None)


async def for_an_open(database: Database, to: str = "email.opened") -> str:
    """The same person waits for an open of the first message, which was sent on both channels; or for another reaction to the e-mail."""
    return await _put(database, to, place="push-opened+email-opened", n=1, until=builders.START * 2)


async def _put(database: Database, to: str = "email.opened", **changed: Any) -> str:
    nodes = builders.use_case_nodes()
    nodes[3]["to"] = to

    def put(work: Work) -> str:
        stock.put_use_case(work, nodes=nodes)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)
        profiles.put(work, ProfileDocument(id="c-42", identities={"customer_id": "c-42"}))
        entrant = stock.entrant(work, **changed)
        for channel in ("email", "push"):
            work.connection.execute(
                schema.deliveries.insert(),
                {"entrant": entrant, "n": 1, "channel": channel, "version": "thank-you@1", "mode": "live", "node": "first",
                 "message": "first-message", "profile": "c-42", "status": "sent",
                 "mail": ids.mail(FIRST_MAIL) if channel == "email" else ""},
            )  # fmt: skip
        return entrant

    return await database.write(put)


async def discards(database: Database) -> list[str]:
    """The codes of everything that had no effect, in order."""
    return await database.read(lambda c: list(c.execute(select(schema.discards.c.code).order_by(schema.discards.c.id)).scalars()))


async def facts(database: Database) -> list[tuple[str, str]]:
    """What is on record of deliveries: kind and channel."""

    def read(connection: Connection) -> list[tuple[str, str]]:
        return [
            (row.kind, row.channel) for row in connection.execute(select(schema.facts).order_by(schema.facts.c.at, schema.facts.c.kind))
        ]

    return await database.read(read)


async def won(database: Database) -> str:
    """The node by which the gate of the waiting person was decided; empty while it was not."""
    return await database.read(lambda c: c.execute(select(schema.entrants.c.won_node).where(schema.entrants.c.id == ENTRANT)).scalar_one())
