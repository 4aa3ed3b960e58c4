"""A publish that migrates: a map says of the nodes of the old version where their people go."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from journey.succession import JOURNEY_CHANGED, Destination, Succession, destinations
from tests.builders import use_case
from tests.core.test_succession import GATE, at, edited, gone, migrate, moved, refused, renamed


def test_the_map_stands_before_continues() -> None:
    assert moved("first", edited(renamed), migrate(first="thanks")) == ("thanks", False)


def test_a_map_leads_from_node_to_node_and_the_rest_goes_by_its_id() -> None:
    found = destinations(use_case(), edited(gone("purchase")), migrate(purchase="thanks"))
    assert {place: (one.place, one.wakes) for place, one in found.items()} == {
        "first": ("first", False), GATE: (GATE, False), "follow-up": ("follow-up", False), "thanks": ("thanks", False),
        "purchase": ("thanks", True),
    }  # fmt: skip


def test_both_nodes_of_a_gate_may_become_one() -> None:
    new = edited(gone("push-opened", "email-opened"))
    found = at(GATE, new, migrate(push_opened="purchase", email_opened="purchase"))
    assert (found.place, found.wakes) == ("purchase", True)
    assert found.nodes == {"push-opened": "purchase", "email-opened": "purchase"}


def test_a_map_to_an_end_finishes() -> None:
    assert moved("purchase", use_case(), migrate(purchase="end")) == ("end", True)


def test_next_goes_on_as_if_the_old_node_had_been_left_by_next() -> None:
    found = at("purchase", edited(gone("purchase")), migrate(purchase=":next"))
    assert (found.kind, found.place, found.wakes) == ("moves", "thanks", True)
    assert found.nodes == {}, "what they waited for is behind them, so that nothing can have decided it"
    assert moved("follow-up", edited(gone("follow-up")), migrate(follow_up=":next")) == ("purchase", False)


def test_next_is_followed_through_nodes_that_are_mapped_to_next_too() -> None:
    new = edited(gone("purchase", "follow-up", "thanks"))
    assert moved("follow-up", new, migrate(follow_up=":next", purchase=":next", thanks=":next")) == ("end", False)
    assert at("purchase", new, migrate(purchase=":next")).code == "node_gone", "what stands behind it is gone as well"


def test_next_of_the_last_node_finishes() -> None:
    old = edited(lambda by_id, nodes: [by_id["thanks"].pop("next"), nodes.pop()])
    assert at("thanks", use_case(), migrate(thanks=":next"), old) == Destination("leaves", reason="finished")
    assert at("thanks", old, migrate(thanks=":next")) == Destination("leaves", reason="finished"), "so does an end that is gone"


def test_exit_ends_them_and_wakes_those_who_wait() -> None:
    assert at("purchase", use_case(), migrate(purchase=":exit")) == Destination("leaves", wakes=True, reason=JOURNEY_CHANGED)
    assert at("thanks", use_case(), migrate(thanks=":exit")) == Destination("leaves", reason=JOURNEY_CHANGED)


def test_stay_leaves_them_on_the_old_version() -> None:
    assert at("purchase", use_case(), migrate(purchase=":stay")) == Destination("stays")


def test_what_is_said_of_one_node_of_a_gate_holds_for_the_gate() -> None:
    assert at(GATE, use_case(), migrate(push_opened=":stay")).kind == "stays"
    assert at(GATE, use_case(), migrate(push_opened=":exit")).kind == "leaves"
    assert moved(GATE, use_case(), migrate(push_opened=":next")) == ("purchase", True)


def test_a_map_that_says_two_things_of_one_gate_moves_nobody() -> None:
    code, why = refused(GATE, use_case(), migrate(push_opened=":exit", email_opened=":stay"))
    assert code == "map_disagrees"
    assert "the map leads push-opened to :exit and email-opened to :stay" in why
    assert refused(GATE, use_case(), migrate(push_opened=":exit", email_opened="purchase"))[0] == "map_disagrees"
    old = edited(lambda by_id, _: by_id["push-opened"].update(next="thanks"))
    assert refused(GATE, use_case(), migrate(push_opened=":next", email_opened=":next"), old)[0] == "map_disagrees"
    assert moved(GATE, use_case(), migrate(push_opened=":next", email_opened=":next")) == ("purchase", True)


def test_flow_in_knows_no_map() -> None:
    told = Succession(people="flow_in", map={"purchase": ":exit"})
    assert moved("purchase", use_case(), told) == ("purchase", False)


@pytest.mark.parametrize("body", [{"people": "leave"}, {"rate": 0}, {"rate": 1.5}, {"map": {"a": 3}}, {"nodes": {}}], ids=str)
def test_what_is_no_succession_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Succession.model_validate(body)
