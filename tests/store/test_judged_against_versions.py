"""What is said at a publish because of what was published before, who is in the segment, and who jumps here."""

from __future__ import annotations

from typing import Any

import pytest

from journey.errors import Invalid
from journey.profiles import ProfileDocument
from store import journeys, profiles, segments
from store.database import Database
from store.work import Work
from tests import stock
from tests.fakes import SettableClock

NOW = 1_795_000_000_000_000
ID = "thank-you"


def codes(work: Work) -> set[str]:
    return {one.code for one in journeys.findings(work.connection, ID, stock.PUBLIC_URL, NOW)}


def put(work: Work, **changed: Any) -> None:
    journeys.put_draft(work, ID, stock.use_case_document(**changed))


def somebody(profile_id: str, city: str = "Atlanta", test: bool = False) -> ProfileDocument:
    return ProfileDocument(id=profile_id, attributes={"city": city, "birth_year": 1985}, test=test)


def reading(**entry: Any) -> list[dict[str, Any]]:
    first, *others = stock.use_case_document()["nodes"]
    return [first | entry, *others]


async def test_a_namespace_that_was_published_stays(database: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, ID, stock.PUBLIC_URL))
    await database.write(lambda work: put(work, namespace="email"))
    with pytest.raises(Invalid) as refused:
        await database.write(lambda work: journeys.publish(work, ID, stock.PUBLIC_URL))
    assert ("namespace_changed", "", "namespace") in [(one.code, one.node, one.field) for one in refused.value.findings]
    await database.write(lambda work: put(work, name="Another name"))
    assert (await database.write(lambda work: journeys.publish(work, ID, stock.PUBLIC_URL))).number == 2


async def test_a_first_incremental_run_of_another_segment_is_told_to_let_in_everybody(database: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, ID, stock.PUBLIC_URL))
    await database.write(lambda work: put(work, nodes=reading(incremental=True)))
    assert "incremental_anew" not in await database.write(codes), "who was a member before is known"
    rule = await database.read(lambda c: segments.get(c, "three-cities-after-1980"))
    await database.write(lambda work: segments.put(work, rule.model_copy(update={"id": "others"})))
    await database.write(lambda work: put(work, nodes=reading(incremental=True, segment="others")))
    assert "incremental_anew" in await database.write(codes)


async def test_a_segment_that_nobody_is_in_is_told_where_it_is_read_at_once(database: Database) -> None:
    await database.write(stock.surround)
    await database.write(put)
    assert "segment_empty" in await database.write(codes)
    await database.write(lambda work: profiles.put(work, somebody("tester", test=True)))
    await database.write(lambda work: profiles.put(work, somebody("elsewhere", city="Bern")))
    assert "segment_empty" in await database.write(codes), "a run lets in neither"
    await database.write(lambda work: put(work, nodes=reading(schedule="manual")))
    assert "segment_empty" not in await database.write(codes), "nobody is let in at once"
    await database.write(put)
    await database.write(lambda work: profiles.put(work, somebody("ada")))
    assert "segment_empty" not in await database.write(codes)


async def test_of_a_segment_of_too_many_people_nothing_is_said(database: Database) -> None:
    await database.write(stock.surround)
    for number in range(4):
        await database.write(lambda work, n=number: profiles.put(work, somebody(f"p-{n}", city="Bern")))  # type: ignore[misc]

    async def anybody() -> bool | None:
        return await database.read(lambda c: segments.anybody_in(c, "three-cities-after-1980", NOW, most=2))

    assert await anybody() is None
    await database.write(lambda work: profiles.put(work, somebody("p-0")))
    assert await anybody() is True
    assert await database.read(lambda c: segments.anybody_in(c, "nobody-knows", NOW)) is None


async def test_whoever_jumps_into_a_journey_is_named_when_it_would_no_longer_begin_with_an_event(
    database: Database, clock: SettableClock
) -> None:
    await database.write(stock.surround)
    entry = {"id": "bought", "kind": "event", "event": "purchase", "next": "end"}
    end = {"id": "end", "kind": "end"}
    jump = {"id": "jump", "kind": "jump", "journey": ID, "next": "end"}
    other = {"id": "other", "namespace": "customer_id", "nodes": [entry | {"next": "jump"}, jump, end]}
    await database.write(lambda work: put(work, nodes=[entry, end]))
    await database.write(lambda work: journeys.publish(work, ID, stock.PUBLIC_URL))
    await database.write(lambda work: journeys.put_draft(work, "other", other))
    await database.write(put)
    assert "jumped_to" not in await database.write(codes), "a draft jumps nowhere"
    await database.write(lambda work: journeys.publish(work, "other", stock.PUBLIC_URL))
    assert "jumped_to" in await database.write(codes)
