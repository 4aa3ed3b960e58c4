"""A jump lets its person into another journey in the commit of its stop, and they go on in both."""

from __future__ import annotations

import pytest

from journey.contract import EntrantStart, Record
from journey.errors import Invalid
from journey.version import Version
from store import definitions, journeys, overdue, profiles, schema, steps, versions
from store.admission import Start
from store.work import Work
from tests.builders import MINUTE, SECOND, message, profile
from tests.carts import CART, END, ENTRY, abandoned, cart
from tests.store.driver import AT_RISK, Driver, Store, check, document, publish

LEAPS = abandoned(id="leaps", nodes=[{**ENTRY, "next": "jump"}, {"id": "jump", "kind": "jump", "journey": "abandoned", "next": "end"}, END])


@pytest.fixture
def ada(store: Store) -> Driver:
    """Somebody let in to a journey that jumps at once, beside the one that she would jump to."""
    publish(store, LEAPS)
    store.write(lambda work: profiles.put(work, document(profile("ada"))))
    (start,) = store.accept(cart(), "ada").entered
    return Driver(store, LEAPS.journey, start.entrant.entrant, Record(0, start.entrant.place))


def go_live(store: Store, of: Version | None = None) -> None:
    publish(store, of or abandoned(), {"remind": message("remind", "email")})


def jump(store: Store, ada: Driver) -> list[EntrantStart]:
    """Her stop; those whom it has let in beside."""
    begun: list[EntrantStart] = []

    def unit(work: Work) -> Record:
        found = steps.open_step(work, ada.proposal(), AT_RISK)
        assert isinstance(found, Record)
        begun.extend(one.entrant for one in work.aside if isinstance(one, Start))
        return found

    ada.record = store.write(unit)
    return begun


def codes(store: Store) -> list[tuple[str, str, str]]:
    return [(row.code, row.version, row.entrant) for row in store.rows(schema.discards)]


def test_one_who_jumps_is_in_both_journeys_with_what_let_them_in(store: Store, ada: Driver) -> None:
    go_live(store)
    assert jump(store, ada) == [EntrantStart("abandoned~ada~1", "abandoned@1", "order")]
    assert (ada.record.end, ada.path()) == ("finished", ("cart:next", "jump:next"))
    there = store.row(schema.entrants, id="abandoned~ada~1")
    assert (there.entry_source, there.entry_event, there.state) == ("shop", "cart-1", "open")
    assert store.rows(schema.steps, entrant="abandoned~ada~1")[0].said == "jumped here from leaps"
    assert [row.kind for row in store.rows(schema.facts, entrant=ada.entrant, node="jump")] == ["arrived", "jumped", "left.next"]
    assert codes(store) == []
    check(store, LEAPS)
    check(store, abandoned())


def test_one_who_is_inside_already_goes_on_and_the_jump_is_on_record(store: Store, ada: Driver) -> None:
    go_live(store)
    store.accept(cart("cart-2"), "ada")
    before = len(store.rows(schema.discards))
    assert jump(store, ada) == []
    assert ada.record.end == "finished"
    assert codes(store)[before:] == [("already_inside", "abandoned@1", ada.entrant)]
    assert "refused.already_inside" in [row.kind for row in store.rows(schema.facts, entrant=ada.entrant, node="jump")]


@pytest.mark.parametrize("state", ["none", "closed"])
def test_without_a_live_journey_there_they_go_on_here(store: Store, ada: Driver, state: str) -> None:
    if state == "closed":
        go_live(store)
        store.write(lambda work: versions.set_state(work, "abandoned@1", "closed"))
    assert jump(store, ada) == []
    assert ada.record.end == "finished"
    assert [code for code, _, _ in codes(store)] == ["not_live"]


def test_the_rule_of_re_entrance_is_that_of_the_journey_jumped_to(store: Store, ada: Driver) -> None:
    go_live(store, abandoned(nodes=[{**ENTRY, "next": "end"}, END]))
    store.clock.instant += MINUTE
    (start,) = store.accept(cart("cart-2"), "ada").entered
    there = Driver(store, abandoned(nodes=[{**ENTRY, "next": "end"}, END]).journey, start.entrant.entrant, Record(0, start.entrant.place))
    there.stop()
    jump(store, ada)
    assert codes(store)[-1][0] == "reentry_too_soon"


def test_a_jump_whose_start_was_lost_is_found_by_the_sweep(store: Store, ada: Driver) -> None:
    go_live(store)
    jump(store, ada)
    store.clock.instant += 71 * SECOND
    assert [owed.entrant for owed in store.write(lambda work: overdue.take(work, MINUTE, 10))] == ["abandoned~ada~1"]


def test_a_stop_that_is_repeated_jumps_once(store: Store, ada: Driver) -> None:
    go_live(store)
    again = ada.proposal()
    jump(store, ada)
    assert steps.open_step(Work(store.connection, store.clock), again, AT_RISK) == ada.record
    assert len(store.rows(schema.entrants)) == 2


def test_a_publish_looks_where_a_jump_leads(store: Store) -> None:
    draft = LEAPS.journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def put(work: Work) -> None:
        definitions.put(work, CART)
        journeys.put_draft(work, "leaps", draft)

    store.write(put)
    with pytest.raises(Invalid) as refused:
        store.write(lambda work: journeys.publish(work, "leaps", "https://sojourn.example"))
    assert "unknown_journey" in [one.code for one in refused.value.findings]
    go_live(store)
    store.write(lambda work: journeys.publish(work, "leaps", "https://sojourn.example"))
