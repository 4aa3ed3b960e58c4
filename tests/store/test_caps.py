"""Frequency caps are taken by the claim, for one person in whatever journey: exactly so many go, and the others have their reason."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from journey.contract import Record
from journey.policies import Policies
from store import policies, profiles, schema, suppressions
from store.claims import Busy
from store.closing import Mark, mark
from store.database import Database
from store.steps import Opened, open_step
from store.work import Work
from tests.builders import DAY, HOUR, MINUTE, SECOND, profile
from tests.fakes import SettableClock
from tests.store.driver import AT_RISK, Driver, Store, check, document, let_in, publish, sent
from tests.store.holding import MESSAGES, cap, held, hold_to, inside, sends


def test_one_more_than_the_cap_is_left_out_and_the_journey_goes_on(store: Store) -> None:
    hold_to(store, caps=[cap(2, channels="all")])
    for journey, ends in (("one", ["sent", "sent"]), ("two", ["excluded:capped", "excluded:capped"])):
        version = sends(journey, "news")
        (ada,) = inside(store, version)
        assert ada.stop().place == "rest"
        assert list(ada.deliveries().values()) == ends
        check(store, version)


def test_of_one_message_the_channels_share_what_is_left(store: Store) -> None:
    hold_to(store, caps=[cap(1, channels="all")])
    (ada,) = inside(store, sends("one", "news"))
    ada.stop()
    assert ada.deliveries() == {"1.email": "sent", "1.push": "excluded:capped"}


def test_somebody_else_has_a_cap_of_their_own(store: Store) -> None:
    hold_to(store, caps=[cap()])
    for driver in inside(store, sends("one"), profile("ada"), profile("bob")):
        driver.stop()
        assert driver.deliveries() == {"1.email": "sent"}


@pytest.mark.parametrize(
    ("answer", "counts"),
    [(Mark("email", "failed", "message_refused"), False), (Mark("email", "uncertain", "no_answer"), True), (Mark("email", "sent"), True)],
)
def test_what_has_gone_or_may_have_counts_and_what_failed_does_not(store: Store, answer: Mark, counts: bool) -> None:
    hold_to(store, caps=[cap()])
    (first,) = inside(store, sends("one"))
    first.stop(answer)
    (second,) = inside(store, sends("two"))
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:capped" if counts else "sent"}


def test_what_is_on_its_way_counts_from_its_claim_on(store: Store) -> None:
    hold_to(store, caps=[cap()])
    (first,) = inside(store, sends("one"))
    assert isinstance(first.open(first.proposal()), Opened)
    (second,) = inside(store, sends("two"))
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:capped"}


def test_what_was_excluded_does_not_count(store: Store) -> None:
    hold_to(store, caps=[cap(1, channels="all")])
    (first,) = inside(store, sends("one"), profile("ada", consents={"email": False}))
    first.stop()
    (second,) = inside(store, sends("two", "news"), profile("ada", consents={"email": False}))
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:no_consent", "1.push": "sent"}


def test_what_was_sent_before_the_cap_was_set_counts(store: Store) -> None:
    (first,) = inside(store, sends("one"))
    first.stop()
    hold_to(store, caps=[cap()])
    (second,) = inside(store, sends("two"))
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:capped"}


def test_transactional_messages_are_exempt_and_count_for_nothing(store: Store) -> None:
    hold_to(store, caps=[cap()], quiet_hours={"from": "15:00", "to": "16:00"})  # START is within
    (first,) = inside(store, sends("one", "receipt"))
    first.stop()
    assert first.deliveries() == {"1.email": "sent"}
    hold_to(store, caps=[cap()])
    (second,) = inside(store, sends("two"))
    second.stop()
    assert second.deliveries() == {"1.email": "sent"}


def test_test_entrants_are_held_to_caps_and_never_count(store: Store) -> None:
    hold_to(store, caps=[cap()])
    for journey in ("one", "two"):
        (tried,) = inside(store, sends(journey))
        store.connection.execute(schema.entrants.update().where(schema.entrants.c.id == tried.entrant).values(mode="test"))
        tried.stop()
        assert tried.deliveries() == {"1.email": "sent"}
    (live,) = inside(store, sends("three"))
    live.stop()
    assert live.deliveries() == {"1.email": "sent"}
    (tried,) = inside(store, sends("four"))
    store.connection.execute(schema.entrants.update().where(schema.entrants.c.id == tried.entrant).values(mode="test"))
    tried.stop()
    assert tried.deliveries() == {"1.email": "excluded:capped"}


def test_one_that_waits_goes_when_the_window_frees_and_is_not_overdue_meanwhile(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    (first,) = inside(store, sends("one"))
    first.stop()
    store.clock.instant += HOUR
    version = sends("two")
    (second,) = inside(store, version)
    said = held(second)
    assert said.seconds == pytest.approx(23 * 3600, abs=1)
    assert said.held == "mail: email waits for a place under the frequency caps"
    assert second.deliveries() == {"1.email": "claimed:capped"}
    assert second.row().due >= store.clock.instant + 23 * HOUR
    store.clock.instant += 23 * HOUR - SECOND
    assert held(second).seconds == pytest.approx(1, abs=0.1)
    store.clock.instant += SECOND
    assert second.stop().place == "rest"
    assert second.deliveries() == {"1.email": "sent"}
    check(store, version)


def test_the_clock_of_what_follows_starts_when_it_was_really_sent(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    inside(store, sends("one"))[0].stop()
    (second,) = inside(store, sends("two"))
    held(second)
    store.clock.instant += DAY
    second.stop()
    assert second.row().until == store.clock.instant + DAY


def test_one_is_tried_again_for_as_long_as_it_is_allowed_and_is_capped_then(store: Store) -> None:
    hold_to(store, caps=[cap(then="retry", retry_for="P1D")])
    inside(store, sends("one"))[0].stop()
    (second,) = inside(store, sends("two"))
    held(second)
    store.clock.instant += SECOND
    (third,) = inside(store, sends("three"))
    held(third)
    store.clock.instant += DAY - SECOND
    second.stop()
    assert second.deliveries() == {"1.email": "sent"}
    third.stop()  # the next place is free in another day
    assert third.deliveries() == {"1.email": "excluded:capped"}


def test_a_channel_that_waits_holds_up_no_other_and_the_step_closes_when_all_are_done(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait", channels="email")])
    inside(store, sends("one"))[0].stop()
    version = sends("two", "news")
    (second,) = inside(store, version)
    proposal = second.proposal()
    opened = second.open(proposal)
    assert isinstance(opened, Opened)
    assert [claim.channel for claim in opened.claims] == ["push"]
    assert opened.held == "news: email waits for a place under the frequency caps"
    assert opened.look == pytest.approx(86_400, abs=1)
    assert second.mark(proposal, sent(opened.claims[0])) is None
    assert second.row().due >= store.clock.instant + DAY
    assert held(second)
    store.clock.instant += DAY
    assert second.stop().place == "rest"
    assert second.deliveries() == {"1.email": "sent", "1.push": "sent"}
    check(store, version)


@pytest.mark.complaint(13)
def test_when_a_place_frees_consent_and_suppression_are_looked_at_again(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    people = [profile("ada"), profile("bob"), profile("cid")]
    for driver in inside(store, sends("one"), *people):
        driver.stop()
    ada, bob, cid = inside(store, sends("two"), *people)
    for driver in (ada, bob, cid):
        held(driver)
    store.write(lambda work: profiles.put(work, document(profile("ada", consents={"email": False}))))
    store.write(lambda work: suppressions.put(work, "email", "bob@example.org", "unsubscribed"))
    store.clock.instant += DAY
    for driver in (ada, bob, cid):
        driver.stop()
    assert ada.deliveries() == {"1.email": "excluded:no_consent"}
    assert bob.deliveries() == {"1.email": "excluded:suppressed"}
    assert cid.deliveries() == {"1.email": "sent"}


def test_policies_that_change_meanwhile_are_those_that_count_on_release(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    inside(store, sends("one"))[0].stop()
    (second,) = inside(store, sends("two"))
    held(second)
    hold_to(store)
    store.clock.instant += DAY - SECOND
    assert isinstance(second.open(second.proposal()), Busy)  # nobody has told it: it sleeps until its time
    store.clock.instant += SECOND
    second.stop()
    assert second.deliveries() == {"1.email": "sent"}


def test_whoever_must_leave_does_not_wait_for_a_place(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    inside(store, sends("one"))[0].stop()
    version = sends("two")
    (second,) = inside(store, version)
    held(second)
    store.connection.execute(schema.entrants.update().where(schema.entrants.c.id == second.entrant).values(ending="removed"))
    assert second.stop().end == "removed"
    assert second.deliveries() == {"1.email": "excluded:ended"}
    check(store, version)


def test_nobody_waits_beyond_the_end_of_their_journey(store: Store) -> None:
    hold_to(store, caps=[cap(within="P30D", then="wait")])
    inside(store, sends("one"))[0].stop()
    (second,) = inside(store, sends("two", global_timeout="P2D"))
    assert held(second).seconds == pytest.approx(2 * 86_400, abs=1)
    store.clock.instant += 2 * DAY
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:capped"}


def test_of_two_who_wait_the_more_important_journey_goes_first(store: Store) -> None:
    hold_to(store, caps=[cap(then="wait")])
    inside(store, sends("one"))[0].stop()
    (less,) = inside(store, sends("less", priority=10))
    (more,) = inside(store, sends("more", priority=90))
    held(less)
    held(more)
    store.clock.instant += DAY
    assert held(less).seconds == pytest.approx(60, abs=1)
    more.stop()
    store.clock.instant += MINUTE
    assert held(less).seconds == pytest.approx(86_400 - 60, abs=1)
    store.clock.instant += DAY - MINUTE
    less.stop()
    assert (less.deliveries(), more.deliveries()) == ({"1.email": "sent"}, {"1.email": "sent"})


def test_a_pause_of_the_provider_keeps_the_place_and_what_finally_fails_gives_it_back(store: Store) -> None:
    hold_to(store, caps=[cap()])
    (first,) = inside(store, sends("one"))
    proposal = first.proposal()
    opened = first.open(proposal)
    assert isinstance(opened, Opened)
    assert first.mark(proposal, Mark("email", "claimed", retry_after=3600, token=opened.claims[0].token)) is None
    (second,) = inside(store, sends("two"))
    second.stop()
    assert second.deliveries() == {"1.email": "excluded:capped"}
    store.clock.instant += HOUR
    first.stop(Mark("email", "failed", "message_refused"), proposal=proposal)
    (third,) = inside(store, sends("three"))
    third.stop()
    assert third.deliveries() == {"1.email": "sent"}


@pytest.mark.behaviour(17)
@pytest.mark.complaint(20)
@pytest.mark.parametrize("then", ["drop", "wait"])
async def test_two_journeys_that_send_in_the_same_millisecond_under_a_cap_of_one_send_once(
    database: Database, clock: SettableClock, then: str
) -> None:
    """Leaders 17. On PostgreSQL two writers commit at once; sixty people so that some really meet."""
    people = [profile(f"p{number}") for number in range(60)]
    versions = [sends("one"), sends("two")]

    def prepare(work: Work) -> list[Driver]:
        store = _InWork(work, clock)
        store.write(lambda of: policies.put(of, Policies.model_validate({"caps": [cap(then=then)]})))
        found: list[Driver] = []
        for version in versions:
            publish(store, version, MESSAGES)
            found += let_in(store, version, people)
        return found

    drivers = await database.write(prepare)

    async def stop(driver: Driver) -> Record | Busy | None:
        proposal = driver.proposal()
        opened = await database.write(lambda work: open_step(work, proposal, AT_RISK))
        if not isinstance(opened, Opened):
            return opened
        return await database.write(lambda work: mark(work, proposal, [sent(claim) for claim in opened.claims]))

    await asyncio.gather(*(stop(driver) for driver in drivers))

    rows = await database.read(lambda connection: connection.execute(schema.deliveries.select()).all())
    other = ("excluded", "capped") if then == "drop" else ("claimed", "capped")
    for person in people:
        assert sorted((row.status, row.reason) for row in rows if row.profile == person.id) == sorted([("sent", ""), other])


class _InWork(Store):
    """The store of one unit of work."""

    def __init__(self, work: Work, clock: SettableClock) -> None:
        super().__init__(work.connection, clock)
        self._work = work

    def write(self, unit: Callable[[Work], Any]) -> Any:
        return unit(self._work)


async def test_of_two_in_one_commit_the_more_important_goes(address: str, clock: SettableClock) -> None:
    """Both wait for the same commit while another one is written; the less important came first."""
    database = Database(address, clock, writers=1)
    busy, order = threading.Event(), list[str]()
    held_up = asyncio.ensure_future(database.write(lambda _: busy.wait(5)))
    less = asyncio.ensure_future(database.write(lambda _: order.append("less"), 10))
    more = asyncio.ensure_future(database.write(lambda _: order.append("more"), 90))
    await asyncio.sleep(0)
    busy.set()
    await asyncio.gather(held_up, less, more)
    await database.close()
    assert order == ["more", "less"]
