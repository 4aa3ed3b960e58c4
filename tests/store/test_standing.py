"""Who stands where in a version, counted from the entrants themselves."""

from __future__ import annotations

from store import journeys
from store.database import Database
from store.standing import standing
from tests import stock


async def test_people_are_counted_at_each_node_where_they_stand(database: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    for key in ("a", "b"):
        await database.write(lambda work, key=key: stock.entrant(work, key))  # type: ignore[misc]  # mypy infers no lambda with defaults
    await database.write(lambda work: stock.entrant(work, "c", place="purchase"))
    await database.write(lambda work: stock.entrant(work, "d", place="follow-up", waiting=False))
    await database.write(lambda work: stock.end(work, stock.entrant(work, "e")))
    await database.write(lambda work: stock.entrant(work, "f", version="thank-you@2"))

    found = await database.read(lambda c: standing(c, "thank-you@1"))

    assert found == {"push-opened": 2, "email-opened": 2, "purchase": 1, "follow-up": 1}
    assert await database.read(lambda c: standing(c, "thank-you@1", "test")) == {}
