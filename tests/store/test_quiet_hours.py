"""What is due in quiet hours waits for their end in the store, and is judged anew then."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

import pytest

from journey import local_time
from store import profiles, schema, suppressions
from store.claims import Busy
from store.send_rates import SendRates
from store.steps import Opened
from tests.builders import HOUR, MINUTE, SECOND, profile
from tests.store.driver import AT_RISK, Store, check, document, let_in, publish, sent
from tests.store.holding import MESSAGES, cap, held, hold_to, inside, sends

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"

QUIET = {"from": "15:00", "to": "16:00"}  # START is 15:06:40


@pytest.mark.complaint(20)
def test_a_message_in_quiet_hours_goes_at_their_end(store: Store) -> None:
    hold_to(store, quiet_hours=QUIET)
    version = sends("one")
    (ada,) = inside(store, version)
    said = held(ada)
    assert said.held == "mail: email waits for the end of quiet hours"
    assert said.seconds == pytest.approx(53 * 60 + 20, abs=1)
    assert ada.deliveries() == {"1.email": "claimed:quiet_hours"}
    assert ada.row().due > store.clock.instant + 53 * MINUTE
    store.clock.instant += 53 * MINUTE + 20 * SECOND
    ada.stop()
    assert ada.deliveries() == {"1.email": "sent"}
    check(store, version)


def test_one_is_left_out_when_they_say_so_or_are_too_long(store: Store) -> None:
    for more in ({"then": "discard"}, {"longest": "PT10M"}):
        hold_to(store, quiet_hours=QUIET | more)
        (ada,) = inside(store, sends(f"a{len(more)}-{next(iter(more))}"))
        assert ada.stop().place == "rest"
        assert ada.deliveries() == {"1.email": "excluded:quiet_hours"}


def test_everybody_has_the_quiet_hours_of_where_they_are(store: Store) -> None:
    hold_to(store, quiet_hours=QUIET | {"zone": "America/New_York"})  # where it is 11:06
    put = document(profile("dev", timezone="America/New_York")).model_dump() | {
        "push_tokens": [{"token": "t", "timezone": "Africa/Abidjan"}]
    }
    ada, bob, dev = inside(store, sends("one"), profile("ada", timezone="Africa/Abidjan"), profile("bob"), profile("dev"))
    store.write(lambda work: profiles.put(work, document(profile("dev")).model_validate(put)))
    for driver, waits in ((ada, True), (bob, False), (dev, True)):
        assert isinstance(driver.open(driver.proposal()), Busy) == waits


def test_what_waited_for_the_night_may_have_to_wait_for_a_place_after_it(store: Store) -> None:
    hold_to(store, quiet_hours=QUIET, caps=[cap(then="wait")])
    (first,) = inside(store, sends("one", priority=1))
    (second,) = inside(store, sends("two"))
    held(first)
    held(second)  # nobody counts as long as they wait for the night
    store.clock.instant += HOUR
    first.stop()
    assert held(second).seconds == pytest.approx(86_400, abs=1)
    assert second.deliveries() == {"1.email": "claimed:capped"}


@pytest.mark.behaviour(18)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")  # where it takes a few seconds
def test_five_hundred_held_over_a_change_of_the_clock_go_by_the_rate_and_nobody_who_said_no_is_written_to(store: Store) -> None:
    """Leaders 18: held until six in the morning, over the hour that New York skips, and released through a ceiling of 100 a second."""
    six_in_new_york, six_in_chicago = (local_time.first_instant(datetime(2026, 3, 8, 6), ZoneInfo(zone)) for zone in (NEW_YORK, CHICAGO))
    store.clock.instant = local_time.first_instant(datetime(2026, 3, 7, 23), ZoneInfo(NEW_YORK))
    hold_to(store, quiet_hours={"from": "21:00", "to": "06:00", "zone": NEW_YORK})
    people = [profile(f"p{number:03}", timezone=CHICAGO if number % 5 == 0 else None) for number in range(500)]
    policy = replace(AT_RISK, rates=SendRates({"email": 100}))
    version = sends("one")
    publish(store, version, MESSAGES)
    drivers = let_in(store, version, people, policy=policy)
    drivers += let_in(store, version, people[200:400], policy=policy) + let_in(store, version, people[400:], policy=policy)
    assert len(drivers) == 500
    no_more = [person for number, person in enumerate(people) if number % 20 == 7]
    barred = [person for number, person in enumerate(people) if number % 20 == 11]

    def say_no() -> None:
        for person in no_more:
            store.write(lambda work, person=person: profiles.put(work, document(replace(person, consents={"email": False}))))  # type: ignore[misc]

    def unsubscribe() -> None:
        for person in barred:
            store.write(lambda work, person=person: suppressions.put(work, "email", person.email, "unsubscribed"))  # type: ignore[misc]

    coming = [(store.clock.instant, number) for number in range(500)]
    then = [(six_in_new_york - HOUR, say_no), (six_in_new_york + SECOND, unsubscribe)]  # the second when the line moves already
    gone: list[tuple[int, str]] = []
    while coming:
        at, number = heappop(coming)
        while then and then[0][0] <= at:
            then.pop(0)[1]()
        store.clock.instant = max(store.clock.instant, at)
        driver = drivers[number]
        proposal = driver.proposal()
        found = driver.open(proposal)
        if isinstance(found, Busy):
            assert driver.row().due >= store.clock.instant + int(found.seconds * SECOND)  # nobody looks overdue
            heappush(coming, (store.clock.instant + int(found.seconds * SECOND), number))
        elif isinstance(found, Opened):
            gone.append((store.clock.instant, driver.row().profile))
            driver.mark(proposal, sent(found.claims[0]))

    zones = {person.id: six_in_chicago if person.attributes.get("timezone") else six_in_new_york for person in people}
    assert all(at >= zones[who] for at, who in gone)
    assert all(sum(at <= other < at + SECOND for other, _ in gone) <= 100 for at, _ in gone)
    written_to = {who for _, who in gone}
    assert written_to.isdisjoint(person.id for person in no_more)
    late = {who for at, who in gone if at > six_in_new_york + SECOND}
    assert late.isdisjoint(person.id for person in barred)
    ends = Counter((row.status, row.reason) for row in store.rows(schema.deliveries))
    assert ends["sent", ""] == len(gone) == len(written_to)
    assert ends["excluded", "no_consent"] == 25
    assert ends["sent", ""] + ends["excluded", "no_consent"] + ends["excluded", "suppressed"] == 500
    assert ends["excluded", "suppressed"] >= 15
    check(store, version)
