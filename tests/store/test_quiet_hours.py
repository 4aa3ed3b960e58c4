"""What is due in quiet hours waits for their end in the store, and is judged anew then."""

from __future__ import annotations

import pytest

from store import profiles
from store.claims import Busy
from tests.builders import HOUR, MINUTE, SECOND, profile
from tests.store.driver import Store, check, document
from tests.store.holding import cap, held, hold_to, inside, sends

QUIET = {"from": "15:00", "to": "16:00"}  # START is 15:06:40


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
