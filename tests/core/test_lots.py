"""A split gives the same person the same share, always, and each share its part of the people."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import lots, reports
from journey.graph import Journey, Share
from journey.reports import Counted
from journey.simulation.simulate import simulate
from journey.simulation.story import Script, World
from journey.version import Version
from tests import builders

END = {"id": "end", "kind": "end"}


def divided(*shares: tuple[str, float], **ways: object) -> Version:
    drawn = [{"id": name, "percent": percent, "next": ways.get(name, "end")} for name, percent in shares]
    return builders.version({"id": "divide", "kind": "split", "shares": drawn}, END)


def taken(version: Version, key: str) -> str:
    return simulate(version, builders.profile(), Script(), World(), key=key).path[1].partition(":")[2]


def test_the_share_of_a_person_is_fixed_by_journey_node_and_key() -> None:
    """These stand for ever: whoever changes them moves people between the shares of every running experiment."""
    places = [float(lots.place("small", "divide", key)) for key in ("c-1", "c-2", "c-3")]
    assert [round(place, 6) for place in places] == PLACES
    assert lots.place("other", "divide", "c-1") != lots.place("small", "divide", "c-1") != lots.place("small", "again", "c-1")


PLACES = [0.846772, 0.957767, 0.476265]


def test_of_many_people_each_share_gets_its_part() -> None:
    version = divided(("a", 50), ("b", 30), ("c", 20))
    counts = Counter(taken(version, f"c-{number}") for number in range(2000))
    assert {name: round(count / 20) for name, count in counts.items()} == pytest.approx({"a": 50, "b": 30, "c": 20}, abs=3)


def test_a_share_that_grows_takes_people_over_and_moves_nobody_else() -> None:
    before, after = divided(("a", 50), ("b", 50)), divided(("a", 60), ("b", 40))
    moved = Counter((taken(before, f"c-{number}"), taken(after, f"c-{number}")) for number in range(500))
    assert set(moved) == {("a", "a"), ("b", "a"), ("b", "b")}


def test_a_share_of_100_percent_gets_everybody_and_one_of_0_nobody() -> None:
    version = divided(("off", 0), ("on", 100), ("out", 0))
    assert {taken(version, f"c-{number}") for number in range(50)} == {"on"}


@given(at=st.fractions(0, 1).filter(lambda at: at < 1), cuts=st.lists(st.integers(0, 1000), max_size=4))
def test_every_place_falls_into_a_share_that_is_not_empty(at: Fraction, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 1000]
    shares = [Share(id=f"s{index}", percent=(end - start) / 10) for index, (start, end) in enumerate(pairwise(edges))]
    found = lots.share(shares, at)
    assert next(share for share in shares if share.id == found).percent > 0


def test_a_share_that_leads_nowhere_is_the_end_whatever_it_is_called() -> None:
    drawn = Journey.model_validate({"id": "j", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "all", "next": "divide"},
        {"id": "divide", "kind": "split", "shares": [{"id": "error", "percent": 100}]},
    ]})  # fmt: skip
    assert simulate(Version(journey=drawn, events={}), builders.profile(), Script(), World()).end == "finished"


def test_the_report_has_what_was_planned_beside_what_came_of_it() -> None:
    drawn = divided(("a", 75), ("b", 25)).journey
    (node,) = [
        node for node in reports.build(drawn, [Counted("divide", "arrived", "", 4), Counted("divide", "left.a", "", 3)]).nodes
        if node.kind == "split"
    ]  # fmt: skip
    assert (node.planned, node.left, node.inside) == ({"a": 75, "b": 25}, {"a": 3}, 1)
