"""Whatever two versions are drawn: of every place of the old one it is said what becomes of its people, and nobody gets anywhere that is
no place of the new one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import walk
from journey.succession import WORDS, Succession, destination, destinations
from journey.succession_places import is_gate, places
from journey.version import Version
from tests.store.any_journey import NAMES, any_version

FREELY = st.sampled_from(["flow_in", "migrate"])
TOLD = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*NAMES, *WORDS]), max_size=3)
SUCCESSIONS = st.builds(lambda people, told: Succession(people=people, map=told), FREELY, TOLD)


def come_to(version: Version) -> set[str]:
    """Every place where a walk can bring somebody, found by walking."""
    journey = version.journey
    found: set[str] = set()
    todo = [walk.first(journey)]
    while todo:
        place = todo.pop()
        if place in found or not place:
            continue
        answer = walk.ask(journey, place)
        if isinstance(answer, walk.Finish):
            continue
        found.add(place)
        if isinstance(answer, walk.Listen):
            todo += [walk.follow(journey, walk.Outcome(node, exit)) for node in answer.nodes for exit in ("next", "timeout")]
        else:
            todo += [walk.follow(journey, walk.Outcome(answer.node, exit)) for exit in walk.outcomes(journey, answer)]
    return found


@pytest.mark.complaint(10)
@given(any_version(), any_version(), SUCCESSIONS)
def test_every_place_has_one_destination_and_it_is_a_place_of_the_new_version(old: Version, new: Version, told: Succession) -> None:
    found = destinations(old, new, told)

    assert come_to(old) <= set(found)
    legal = {*places(new.journey), *(node.id for node in new.journey.nodes if node is not new.journey.entry_node)}
    for place, one in found.items():
        assert (one.kind == "moves") == (one.place != "")
        assert (one.kind == "leaves") == (one.reason != "")
        assert (one.kind == "cannot_move") == (one.code != "") == (one.why != "")
        assert one.place in legal or one.kind != "moves"
        assert set(one.nodes) <= set(walk.nodes_of(place))
        assert set(one.nodes.values()) <= set(walk.nodes_of(one.place))
        assert is_gate(old.journey, place) or not one.wakes, "whoever is on the way comes by themselves"
        if one.kind == "moves":
            walk.ask(new.journey, one.place)


@given(any_version(), FREELY)
def test_where_nothing_changed_everybody_goes_on_where_they_are_and_nobody_is_woken(version: Version, people: str) -> None:
    same = Version.model_validate_json(version.canonical)
    for place, one in destinations(version, same, Succession.model_validate({"people": people})).items():
        assert (one.kind, one.place, one.wakes) == ("moves", place, False)


@given(any_version(), any_version(), SUCCESSIONS)
def test_a_map_says_nothing_of_places_that_it_does_not_name(old: Version, new: Version, told: Succession) -> None:
    plain = Succession(people="flow_in")
    for place in places(old.journey):
        if not set(walk.nodes_of(place)) & set(told.map):
            assert destination(old, new, told, place) == destination(old, new, plain, place)
