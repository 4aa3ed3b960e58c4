"""A write of a profile as an event, and what it decides: segments entered and left, rules that come true, exit criteria."""

from __future__ import annotations

from typing import Any

import pytest

from journey import changes, exit_criteria, gate, ids, matching
from journey.changes import Attributes
from journey.events import Event, came_true
from journey.gate import Won
from journey.rule_text import parse
from journey.rules import Scope, evaluate
from journey.version import Version
from tests.builders import DAY, HOUR, PERSON, START, purchase, version

VIPS = {"vip": parse("vip == true"), "bostonians": parse('city == "Boston"')}
ENTER = {"id": "enter", "kind": "qualification", "segment": "vip", "next": "end", "timeout": {"after": "P1D"}}
LEAVE = {"id": "leave", "kind": "qualification", "segment": "vip", "direction": "leave", "next": "end"}
BOSTON = {"id": "boston", "kind": "wait", "until": {"rule": 'city == "Boston"'}, "next": "end", "timeout": {"after": "P1D"}}
END = {"id": "end", "kind": "end"}


def change(before: Attributes | None, after: Attributes | None, at: int = START) -> Event:
    return changes.event(PERSON, at, sorted(VIPS), members(before), members(after))


def members(attributes: Attributes | None) -> changes.Member:
    if attributes is None:
        return changes.nowhere
    return lambda name: evaluate(VIPS[name], Scope.of_profile(attributes))


def decides(drawn: Version, place: str, event: Event, person: Attributes | None = None) -> Won | None:
    return gate.hear(gate.build(drawn.journey, place, START), event, matching.fits(drawn, "small~c-42~1", person=person))


# ---- the event -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "entered", "left"),
    [
        ({}, {"vip": True}, ["vip"], []),
        ({"vip": True}, {"vip": True, "city": "Boston"}, ["bostonians"], []),
        ({"vip": True}, {"vip": False, "city": "Boston"}, ["bostonians"], ["vip"]),
        (None, {"vip": True}, ["vip"], []),
        ({"vip": True}, None, [], ["vip"]),
    ],
)
def test_a_write_says_which_segments_its_person_has_entered_and_left(
    before: Attributes | None, after: Attributes | None, entered: list[str], left: list[str]
) -> None:
    event = change(before, after)
    assert event.is_change
    assert not event.is_reaction
    assert event.data == {"entered": entered, "left": left}


def test_the_id_of_a_write_does_not_show_whose_it_is() -> None:
    made = changes.event("ada@example.org", START, [], changes.nowhere, changes.nowhere)
    assert "ada" not in made.id
    assert made.id != changes.event("bob@example.org", START, [], changes.nowhere, changes.nowhere).id
    assert made.source == ids.REACTIONS


# ---- gates -----------------------------------------------------------------------------------------------------------------------


def test_a_qualification_hears_its_own_segment_and_direction() -> None:
    drawn = version(ENTER, LEAVE, END, entry=["enter", "leave"])
    enters, leaves = change({}, {"vip": True}), change({"vip": True}, {})
    assert decides(drawn, "enter+leave", enters) == Won("enter", enters)
    assert decides(drawn, "enter+leave", leaves) == Won("leave", leaves)
    assert decides(drawn, "enter+leave", change({}, {"city": "Boston"})) is None
    assert decides(drawn, "enter+leave", purchase()) is None


def test_a_rule_that_is_waited_for_is_heard_by_the_write_that_makes_it_true() -> None:
    drawn = version(BOSTON, END)
    moves = change({}, {"city": "Boston"})
    assert decides(drawn, "boston", moves, {"city": "Boston"}) == Won("boston", moves)
    assert decides(drawn, "boston", change({}, {"vip": True}), {"vip": True}) is None
    assert decides(drawn, "boston", purchase(), None) is None


def test_g4_a_write_after_the_deadline_comes_too_late_and_one_at_it_counts() -> None:
    drawn = version(BOSTON, END)
    assert decides(drawn, "boston", change({}, {"city": "Boston"}, START + DAY), {"city": "Boston"}) is not None
    assert decides(drawn, "boston", change({}, {"city": "Boston"}, START + DAY + 1), {"city": "Boston"}) is None


def test_a_rule_that_is_true_at_the_arrival_lets_on_at_once_and_the_first_drawn_of_two_wins() -> None:
    other = BOSTON | {"id": "other"}
    drawn = version(other, BOSTON, END, entry=["other", "boston"])
    here = gate.build(drawn.journey, "other+boston", START)
    event = came_true("small~c-42~1", 1)
    assert gate.already(here, event, matching.holds({"city": "Boston"})) == Won("other", event)
    assert gate.already(here, event, matching.holds({"city": "Rome"})) is None


def test_a_transition_is_kept_only_where_a_qualification_ahead_asks_for_it() -> None:
    drawn = version({"id": "pause", "kind": "wait", "for": "PT1H", "next": "enter"}, ENTER, END)
    assert matching.is_kept(drawn, "pause", "small~c-42~1", change({}, {"vip": True}))
    assert not matching.is_kept(drawn, "pause", "small~c-42~1", change({"vip": True}, {}))
    assert not matching.is_kept(drawn, "end", "small~c-42~1", change({}, {"vip": True}))


def test_a_rule_that_came_true_under_way_is_not_kept() -> None:
    drawn = version({"id": "pause", "kind": "wait", "for": "PT1H", "next": "boston"}, BOSTON, END)
    assert not matching.is_kept(drawn, "pause", "small~c-42~1", change({}, {"city": "Boston"}))


def test_what_was_kept_stays_for_the_gate_behind_a_rule_that_was_true_already() -> None:
    """Had they come a moment earlier, the rule would have let them on before it happened."""
    drawn = version(BOSTON | {"next": "buy"}, {"id": "buy", "kind": "event", "event": "purchase", "next": "end"}, END)
    won = Won("boston", came_true("small~c-42~1", 1))
    assert matching.stays_kept(drawn, "boston", "small~c-42~1", purchase(at=START + HOUR), won)


# ---- exit criteria ---------------------------------------------------------------------------------------------------------------


def ended_by(event: Event, *criteria: dict[str, Any]) -> str:
    return exit_criteria.met_by(version(BOSTON, END, exit_criteria=criteria), event)


def test_any_one_of_the_exit_criteria_ends_a_person() -> None:
    criteria = ({"event": "purchase", "where": 'product == "Lamp"'}, {"segment": "vip"}, {"segment": "vip", "direction": "leave"})
    assert ended_by(purchase(product="Lamp"), *criteria) == "event purchase"
    assert ended_by(purchase(product="Rug"), *criteria) == ""
    assert ended_by(change({}, {"vip": True}), *criteria) == "enters vip"
    assert ended_by(change({"vip": True}, {}), *criteria) == "leaves vip"
    assert ended_by(change({}, {"city": "Boston"}), *criteria) == ""


def test_a_version_knows_whether_profiles_concern_it() -> None:
    pause = {"id": "pause", "kind": "wait", "for": "PT1H", "next": "end"}
    assert not version(pause, END).hears_profiles
    assert not version(pause, END, exit_criteria=[{"event": "purchase"}]).hears_profiles
    assert version(BOSTON, END).hears_profiles
    assert version(ENTER, END).segments_heard == {"vip"}
    assert version(pause, END, exit_criteria=[{"segment": "vip"}]).segments_heard == {"vip"}
