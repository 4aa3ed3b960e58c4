"""Whoever comes to an error that no exit is drawn for stays there, in a journey that parks, and goes on when it is mended."""

from __future__ import annotations

import pytest

from journey import ids, reports
from journey.contract import Record
from store import messages, parking, removal, schema
from store import reports as store_reports
from store.claims import Busy
from store.closing import Mark
from store.steps import Opened
from tests.builders import DAY, message, profile, use_case, use_case_messages, version
from tests.store.driver import AT_RISK, Driver, Store, check, let_in, next_proposal, publish, sent

PARKING = use_case(on_error="park")
WRITES = version(
    {"id": "note", "kind": "update_profile", "set": {"city": {"field": "profile.town"}}, "next": "end"}, {"id": "end", "kind": "end"},
    on_error="park",
)  # fmt: skip


def park_ada(store: Store) -> Driver:
    """Her first message cannot be rendered."""
    publish(store, PARKING, use_case_messages() | {"first-message": message("first-message", "email")})
    (ada,) = let_in(store, PARKING, [profile("ada")], policy=AT_RISK)
    proposal = ada.proposal()
    assert isinstance(ada.open(proposal), Opened)
    told = ada.mark(proposal, Mark("email", "failed", "render_error", asked=False))
    assert told is not None
    assert (told.held, told.end, told.said) == (True, "", "parked at first: render_error; mend it and try again")
    assert told.seconds == 91 * 86_400
    return ada


def unpark(store: Store, **wanted: str) -> tuple[str, ...]:
    return store.write(lambda work: parking.unpark(work, "thank-you", **wanted)).people  # type: ignore[arg-type]  # texts alone are given


def report(store: Store) -> reports.Report:
    found = store_reports.report(store.connection, ids.version("thank-you", 1), PARKING.journey)
    assert reports.differences(PARKING.journey, found) == ()
    return found


def test_somebody_parked_is_inside_at_the_node_and_nobody_is_late_with_them(store: Store) -> None:
    ada = park_ada(store)
    row = ada.row()
    assert (row.state, row.place, row.parked, row.parked_why) == ("open", "first", "first", "render_error")
    first = next(node for node in report(store).nodes if node.node == "first")
    assert (first.arrived, first.inside, first.parked) == (1, 1, 1)
    asked = ada.open(ada.proposal())
    assert isinstance(asked, Record)
    assert asked.held, "whoever asks hears that they are to wait"
    check(store, PARKING)


def test_mended_the_same_step_is_tried_again_with_the_newest_message_and_the_same_key(store: Store) -> None:
    ada = park_ada(store)
    proposal = ada.proposal()
    store.write(lambda work: messages.put(work, message("first-message", "email", name="Mended")))
    assert unpark(store) == (ada.entrant,)
    again = ada.open(proposal)
    assert isinstance(again, Opened)
    assert (again.document.name, [claim.delivery for claim in again.claims]) == ("Mended", [ids.delivery(ada.entrant, 1, "email")])  # type: ignore[union-attr]
    told = ada.mark(proposal, sent(again.claims[0]))
    assert told is not None
    assert (told.held, told.place) == (False, "push-opened+email-opened")
    assert ada.deliveries() == {"1.email": "sent"}
    first = next(node for node in report(store).nodes if node.node == "first")
    assert (first.arrived, first.left, first.parked, first.channels["email"].failed) == (1, {"next": 1}, 0, 0)
    check(store, PARKING)


@pytest.mark.behaviour(14)
def test_fifty_who_could_not_be_written_to_are_written_to_once_when_it_is_mended(store: Store) -> None:
    """Half of them are let go on one by one, the others all at once; whatever is repeated on the way is sent once."""
    publish(store, PARKING, use_case_messages() | {"first-message": message("first-message", "email")})
    drivers = let_in(store, PARKING, [profile(f"p{number}") for number in range(50)])
    for driver in drivers:
        told = driver.stop(Mark("email", "failed", "render_error", asked=False))
        assert told.held
    first = next(node for node in report(store).nodes if node.node == "first")
    assert (first.arrived, first.inside, first.parked) == (50, 50, 50)

    store.write(lambda work: messages.put(work, message("first-message", "email", name="Mended")))
    for driver in drivers[:25]:
        assert unpark(store, only=driver.entrant) == (driver.entrant,)
    assert set(unpark(store)) == {driver.entrant for driver in drivers[25:]}
    handed_over = []
    for driver in drivers:
        proposal = next_proposal(PARKING.journey, driver.entrant, Record(0, "first"))
        opened = driver.open(proposal)
        assert isinstance(opened, Opened)
        assert isinstance(driver.open(proposal), Busy), "a second attempt finds it in hand"
        handed_over += [claim.delivery for claim in opened.claims]
        driver.mark(proposal, sent(opened.claims[0]))
        assert isinstance(driver.open(proposal), Record), "and then done"
    assert sorted(handed_over) == sorted(ids.delivery(driver.entrant, 1, "email") for driver in drivers)
    first = next(node for node in report(store).nodes if node.node == "first")
    assert (first.left, first.parked, first.channels["email"].sent, first.channels["email"].failed) == ({"next": 50}, 0, 50, 0)
    check(store, PARKING)


def test_one_who_fails_again_is_parked_again(store: Store) -> None:
    ada = park_ada(store)
    proposal = ada.proposal()
    unpark(store, node="first")
    assert isinstance(ada.open(proposal), Opened)
    told = ada.mark(proposal, Mark("email", "failed", "address_refused"))
    assert told is not None
    assert (told.held, ada.row().parked_why) == (True, "address_refused")


def test_only_those_who_are_meant_try_again(store: Store) -> None:
    ada = park_ada(store)
    assert unpark(store, node="thanks") == ()
    assert unpark(store, only="thank-you~bob~1") == ()
    assert unpark(store, only=ada.entrant) == (ada.entrant,)
    assert unpark(store) == (), "nobody twice"


def test_one_who_is_removed_while_parked_ends_at_once(store: Store) -> None:
    ada = park_ada(store)
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    told = ada.open(ada.proposal())
    assert isinstance(told, Record)
    assert (told.end, ada.row().parked) == ("removed", "")
    check(store, PARKING)


def test_nobody_is_parked_longer_than_their_time_in_the_journey(store: Store) -> None:
    ada = park_ada(store)
    store.clock.instant += 91 * DAY
    told = ada.open(ada.proposal())
    assert isinstance(told, Record)
    assert told.end == "global_timeout"
    check(store, PARKING)


def test_a_profile_that_cannot_be_written_parks_and_nothing_of_the_stop_is_on_record(store: Store) -> None:
    publish(store, WRITES, {})
    (ada,) = let_in(store, WRITES, [profile("ada")])
    told = ada.open(ada.proposal())
    assert isinstance(told, Record)
    assert (told.held, told.n) == (True, 0)
    assert (ada.row().parked, ada.row().n) == ("note", 0)
    assert store.rows(schema.steps, n=1) == []
    assert store.write(lambda work: parking.unpark(work, "small")).people == (ada.entrant,)
    again = ada.open(ada.proposal())
    assert isinstance(again, Record)
    assert again.held, "it is tried again, and fails again"
