"""Stories of people whom an event lets in, what they are asked of it later, and nodes that look back."""

from __future__ import annotations

from typing import Any

import pytest

from journey.events import Instant
from journey.simulation import explore
from journey.simulation.simulate import simulate
from journey.simulation.story import Effect, Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from tests.builders import DAY, HOUR, MINUTE, THANKS, message, profile, rule, use_case, use_case_messages, use_case_nodes, version
from tests.carts import CART, END, ENTRY, ORDER, REMIND, abandoned

WORLD = World(messages={"remind": message("remind", "email")} | use_case_messages(), definitions=(CART, ORDER))


def cart(at: Instant = 0, cart: str = "A", event_id: str = "", **data: Any) -> Occurs:
    return Occurs(at, "cart_updated", {"cart": cart, "total": 40} | data, event_id)


def order(at: Instant, cart: str = "A") -> Occurs:
    return Occurs(at, "order_placed", {"cart": cart})


def story(*happenings: Happening, of: Version | None = None, until: Instant | None = None, **attributes: Any) -> Story:
    return simulate(of or abandoned(), profile(**attributes), Script(happenings, until=until), WORLD)


def codes(told: Story) -> list[str]:
    return [effect.code for effect in told.effects]


# ---- who enters ------------------------------------------------------------------------------------------------------------------


def test_the_first_event_that_fits_lets_them_in_and_time_counts_from_there() -> None:
    told = story(order(0), cart(HOUR))
    assert codes(told) == ["nobody_listening", "enters"]
    assert told.path == ("cart:next", "order:timeout", "remind:next")
    assert told.ended_at == HOUR + DAY


def test_one_whom_nothing_lets_in_never_enters() -> None:
    told = story(order(0), Occurs(HOUR, "sneeze"))
    assert (told.entered, told.end, told.path) == (False, "", ())
    assert codes(told) == ["nobody_listening", "no_definition"]


@pytest.mark.parametrize(("where", "enters"), [(rule("total", ">", 50), False), (rule("profile.city", "=", "Atlanta"), True)])
def test_where_asks_the_event_and_the_person(where: dict[str, Any], enters: bool) -> None:
    of = abandoned(nodes=[{**ENTRY, "where": where}, REMIND | {"id": "order"}, END])
    assert story(cart(), of=of).entered == enters


def test_a_second_event_finds_them_inside_unless_a_node_waits_for_it() -> None:
    assert codes(story(cart(), cart(HOUR, event_id="2"))) == ["enters", "already_inside"]
    again = {"id": "order", "kind": "event", "event": "cart-updated", "next": "remind"}
    listens = abandoned(nodes=[ENTRY, again, REMIND, END])
    assert story(cart(), cart(HOUR, event_id="2"), of=listens).effects == (Effect("enters"), Effect("decided", "order"))


def test_the_same_event_twice_is_one() -> None:
    assert codes(story(cart(event_id="1"), cart(HOUR, event_id="1"))) == ["enters", "duplicate"]


def test_one_who_has_ended_may_enter_again_when_the_journey_allows_it() -> None:
    ends = [{**ENTRY, "next": "end"}, END]
    assert codes(story(cart(), cart(2 * MINUTE), cart(6 * MINUTE), of=abandoned(nodes=ends))) == ["enters", "reentry_too_soon", "enters"]
    never = abandoned(nodes=ends, reentry={"allowed": False})
    assert codes(story(cart(), cart(6 * MINUTE), of=never)) == ["enters", "reentry_not_allowed"]


# ---- what let them in ------------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(8)
def test_an_order_of_the_same_cart_counts_and_one_of_another_does_not() -> None:
    told = story(cart(cart="A"), order(HOUR, "B"), order(2 * HOUR, "A"))
    assert codes(told) == ["enters", "nobody_listening", "decided"]
    assert told.path == ("cart:next", "order:next")


def test_a_condition_asks_what_let_them_in() -> None:
    decide = {"id": "order", "kind": "condition", "branches": [{"id": "large", "when": rule("entry.total", ">", 100), "next": "remind"}]}
    of = abandoned(nodes=[ENTRY, decide, REMIND, END])
    assert story(cart(total=500), of=of).path == ("cart:next", "order:large", "remind:next")
    assert story(cart(total=5), of=of).end == "no_branch"


def test_every_way_through_begins_with_the_event_and_fits_what_is_asked_of_it() -> None:
    found = [way.story.path for way in explore.ways(abandoned(), profile(), WORLD)]
    assert found == [("cart:next", "order:next"), ("cart:next", "order:timeout", "remind:next")]


# ---- since -----------------------------------------------------------------------------------------------------------------------


def looking_back(since: str) -> Version:
    nodes = use_case_nodes()
    nodes[5]["since"] = since
    return use_case(nodes=nodes)


def buys(at: Instant) -> Occurs:
    return Occurs(at, "purchase", THANKS, "p-1")


def opens(at: Instant) -> Happening:
    return Reacts(at, "first", "email.opened")


@pytest.mark.complaint(7)
@pytest.mark.parametrize(("since", "thanked"), [("", False), ("entry", True), ("first", True), ("read", True), ("follow-up", False)])
def test_a_purchase_before_opening_counts_where_the_purchase_looks_back(since: str, thanked: bool) -> None:
    """Riddle 5 of the use case: whoever buys while their open is waited for has bought for nobody, unless `since` says otherwise."""
    told = story(buys(HOUR), opens(2 * HOUR), of=looking_back(since))
    assert ("thanks:next" in told.path) == thanked
    if thanked:
        assert told.effects == (Effect("decided", "purchase", was_kept=True), Effect("decided", "email-opened"))
        assert told.ended_at == 2 * HOUR
    else:
        assert codes(told) == ["nobody_listening", "decided"]


def test_what_came_before_the_node_it_looks_back_to_does_not_count() -> None:
    """The follow-up goes out after a day: what was bought before is not a purchase since the follow-up."""
    assert codes(story(buys(HOUR), of=looking_back("follow-up"))) == ["nobody_listening"]
    assert story(buys(HOUR), of=looking_back("first")).path[-1] == "thanks:next"


def test_an_event_that_is_kept_for_a_node_that_looks_back_decides_no_other() -> None:
    waits = {"id": "pause", "kind": "wait", "for": "PT1H", "next": "any"}
    anything = {"id": "any", "kind": "event", "event": "purchase", "next": "late", "timeout": {"after": "PT1H", "next": "late"}}
    late = {"id": "late", "kind": "event", "event": "purchase", "since": "entry", "next": "end"}
    of = version(waits, anything, late, END)
    told = story(buys(MINUTE), of=of)
    assert told.path == ("read:next", "pause:next", "any:timeout", "late:next")
    assert told.effects == (Effect("decided", "late", was_kept=True),)


def test_what_let_somebody_in_is_not_what_a_node_finds_when_it_looks_back() -> None:
    again = {"id": "order", "kind": "event", "event": "cart-updated", "since": "entry", "next": "end", "timeout": {"after": "P1D"}}
    of = abandoned(nodes=[ENTRY, again, END])
    assert story(cart(), of=of).path == ("cart:next", "order:timeout")
