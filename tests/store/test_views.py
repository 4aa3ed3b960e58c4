"""Lists of entrants, deliveries and discards, and the story of one entrant, read from rows written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from journey.errors import NotFound
from store import journeys, reports, schema, views
from store.database import Database
from store.work import Work
from tests import stock
from tests.builders import DAY, use_case_journey


@pytest.fixture
async def published(database: Database) -> Database:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    return database


def step(work: Work, entrant: str, n: int, **fields: Any) -> None:
    work.connection.execute(schema.steps.insert(), {"entrant": entrant, "n": n, "opened_at": work.now(), "closed_at": work.now()} | fields)


def delivery(work: Work, entrant: str, channel: str = "email", **fields: Any) -> None:
    row = {"entrant": entrant, "n": 1, "channel": channel, "version": "thank-you@1", "mode": "live", "node": "first",
           "message": "first-message", "profile": "c-42", "status": "sent", "marked_at": work.now()}  # fmt: skip
    work.connection.execute(schema.deliveries.insert(), row | fields)


@pytest.mark.complaint(9)
async def test_one_who_waits_says_for_what_and_until_when(published: Database) -> None:
    entrant = await published.write(stock.entrant)
    story = await published.read(lambda c: views.entrant(c, entrant))
    assert story.entrant.place == ("push-opened", "email-opened")
    assert story.waiting is not None
    assert [(one.node, one.kind, one.what) for one in story.waiting.awaited] == [
        ("push-opened", "reaction", "push.opened of first"),
        ("email-opened", "reaction", "email.opened of first"),
    ]
    assert (story.waiting.until, story.waiting.then) == (story.waiting.since + DAY, ("follow-up",))
    assert story.waiting.global_timeout_at == story.entrant.entered_at + 91 * DAY


async def test_one_who_listens_for_ever_has_no_until(published: Database) -> None:
    entrant = await published.write(lambda work: stock.entrant(work, place="purchase", until=None))
    waiting = (await published.read(lambda c: views.entrant(c, entrant))).waiting
    assert waiting is not None
    assert (waiting.awaited[0].what, waiting.until, waiting.then) == ("purchase", None, ())


async def test_one_under_way_or_ended_waits_for_nothing(published: Database) -> None:
    acting = await published.write(lambda work: stock.entrant(work, "a", place="follow-up", waiting=False, closed=False))
    over = await published.write(lambda work: stock.entrant(work, "b"))
    await published.write(lambda work: stock.end(work, over))
    for entrant in (acting, over):
        assert (await published.read(lambda c, e=entrant: views.entrant(c, e))).waiting is None  # type: ignore[misc]


async def test_the_path_is_the_steps_in_order(published: Database) -> None:
    entrant = await published.write(stock.entrant)

    def walk(work: Work) -> None:
        step(
            work, entrant, 2, left="email-opened", left_exit="next", by_source="sojourn", by_event="d:opened", place="purchase", said="two"
        )
        step(work, entrant, 0, place="first", said="zero")
        step(work, entrant, 1, node="first", revision=3, outcome="next", place="push-opened+email-opened", said="one")
        delivery(work, entrant, "push", status="excluded", reason="no_token")
        delivery(work, entrant)

    await published.write(walk)
    story = await published.read(lambda c: views.entrant(c, entrant))
    assert [(one.n, one.said) for one in story.path] == [(0, "zero"), (1, "one"), (2, "two")]
    assert (story.path[1].node, story.path[1].revision, story.path[1].place) == ("first", 3, ("push-opened", "email-opened"))
    assert (story.path[2].left, story.path[2].exit, story.path[2].event) == ("email-opened", "next", "d:opened")
    assert [(one.channel, one.status, one.reason) for one in story.deliveries] == [("email", "sent", ""), ("push", "excluded", "no_token")]
    assert story.deliveries[0].id == "thank-you~c-42~1.1.email"


async def test_nobody_is_found_under_an_unknown_id(published: Database) -> None:
    with pytest.raises(NotFound, match="There is no entrant nobody"):
        await published.read(lambda c: views.entrant(c, "nobody"))


async def test_entrants_are_found_by_node_alone_or_in_a_gate(published: Database) -> None:
    def several(work: Work) -> None:
        stock.entrant(work, "a")
        stock.entrant(work, "b", place="purchase")
        stock.entrant(work, "c", place="email-opened")

    await published.write(several)
    at = {
        node: [one.profile for one in await published.read(lambda c, n=node: views.entrants(c, {}, node=n))]  # type: ignore[misc]
        for node in ("push-opened", "email-opened", "purchase", "opened", "%", "+")
    }
    assert at == {"push-opened": ["a"], "email-opened": ["a", "c"], "purchase": ["b"], "opened": [], "%": [], "+": []}


async def test_entrants_are_paged_and_filtered(published: Database) -> None:
    for key in ("a", "b", "c"):
        await published.write(lambda work, k=key: stock.entrant(work, k))  # type: ignore[misc]
    await published.write(lambda work: stock.end(work, "thank-you~b~1"))
    first = await published.read(lambda c: views.entrants(c, {"journey": "thank-you"}, limit=2))
    rest = await published.read(lambda c: views.entrants(c, {"journey": "thank-you"}, after=first[-1].id, limit=2))
    assert [one.profile for one in (*first, *rest)] == ["a", "b", "c"]
    assert [one.profile for one in await published.read(lambda c: views.entrants(c, {"state": "ended"}))] == ["b"]
    assert [one.profile for one in await published.read(lambda c: views.entrants(c, {"profile": "c", "state": ""}))] == ["c"]


async def test_deliveries_are_paged_and_filtered(published: Database) -> None:
    def send(work: Work) -> None:
        for key in ("a", "b"):
            entrant = stock.entrant(work, key)
            delivery(work, entrant, "email")
            delivery(work, entrant, "push", status="failed", reason="gone")

    await published.write(send)
    first = await published.read(lambda c: views.deliveries(c, {}, journey="thank-you", limit=3))
    last = first[-1]
    rest = await published.read(lambda c: views.deliveries(c, {}, journey="thank-you", after=(last.entrant, last.n, last.channel)))
    assert [one.id for one in (*first, *rest)] == [f"thank-you~{key}~1.1.{channel}" for key in "ab" for channel in ("email", "push")]
    assert len(await published.read(lambda c: views.deliveries(c, {"status": "failed"}))) == 2
    assert await published.read(lambda c: views.deliveries(c, {}, journey="other")) == []


async def test_discards_are_listed_the_newest_first(published: Database) -> None:
    def drop(work: Work) -> None:
        for number in range(3):
            work.discard("late", source="shop", event=f"e-{number}", profile="a", version="thank-you@1")
        work.discard("no_definition", source="shop", event="e-3")

    await published.write(drop)
    first = await published.read(lambda c: views.discards(c, {}, limit=2))
    rest = await published.read(lambda c: views.discards(c, {}, before=first[-1].id))
    assert [one.event for one in (*first, *rest)] == ["e-3", "e-2", "e-1", "e-0"]
    assert len(await published.read(lambda c: views.discards(c, {"code": "late"}, journey="thank-you"))) == 3
    assert [one.code for one in await published.read(lambda c: views.discards(c, {"event": "e-3"}))] == ["no_definition"]


async def test_the_report_is_made_of_counters_and_discards_of_that_version_alone(published: Database) -> None:
    def happen(work: Work) -> None:
        for key in ("a", "b"):
            entered = [("read", kind, "") for kind in ("entered", "arrived", "left.next")]
            work.record(stock.entrant(work, key), 0, "thank-you@1", "live", work.now(), entered)
        work.record("elsewhere~a~1", 0, "elsewhere@1", "live", work.now(), [("read", "entered", "")])
        work.discard("test_profile", profile="t", version="thank-you@1", run="thank-you.run.1")
        work.discard("test_profile", profile="t", version="elsewhere@1")

    await published.write(happen)
    journey = use_case_journey()
    report = await published.read(lambda c: reports.report(c, "thank-you@1", journey))
    assert (report.totals.entered, report.totals.inside, report.totals.discards) == (2, 2, {"test_profile": 1})
    assert (report.nodes[0].arrived, report.nodes[0].left) == (2, {"next": 2})
