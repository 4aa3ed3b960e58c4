"""What becomes of people inside when a version is succeeded: each edit, as a marketer makes it, and where everybody goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from journey.events import EventDefinition
from journey.succession import Destination, Succession, destination, destinations
from journey.version import Version
from tests import builders
from tests.builders import purchase_definition, rule, use_case, use_case_nodes

Nodes = list[dict[str, Any]]
GATE = "push-opened+email-opened"
FLOW_IN = Succession(people="flow_in")


def migrate(**told: str) -> Succession:
    return Succession(people="migrate", map={node.replace("_", "-"): to for node, to in told.items()})


def edited(change: Callable[[dict[str, dict[str, Any]], Nodes], object], **changed: Any) -> Version:
    """The use case after an edit, which gets its nodes by id and as a list."""
    nodes = use_case_nodes()
    change({node["id"]: node for node in nodes}, nodes)
    return use_case(nodes=nodes, **changed)


def gone(*ids: str) -> Callable[[dict[str, dict[str, Any]], Nodes], object]:
    """An edit that takes nodes out, and the arrows that led to them."""

    def change(_: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        nodes[:] = [node for node in nodes if node["id"] not in ids]
        for node in nodes:
            for field in ("next", "error"):
                way = node.get(field)
                if isinstance(way, list):
                    node[field] = [target for target in way if target not in ids]
                elif way in ids:
                    node[field] = "end"
            if node.get("timeout", {}).get("next") in ids:
                node["timeout"] = {"after": node["timeout"]["after"]}

    return change


def at(place: str, new: Version, succession: Succession = FLOW_IN, old: Version | None = None) -> Destination:
    return destination(old or use_case(), new, succession, place)


def moved(place: str, new: Version, succession: Succession = FLOW_IN, old: Version | None = None) -> tuple[str, bool]:
    """Where those at a place go on, and whether they are woken."""
    found = at(place, new, succession, old)
    assert found.kind == "moves", found
    return found.place, found.wakes


def refused(place: str, new: Version, succession: Succession = FLOW_IN, old: Version | None = None) -> tuple[str, str]:
    """Why those at a place cannot move."""
    found = at(place, new, succession, old)
    assert found.kind == "cannot_move", found
    assert found.why.endswith(".")
    return found.code, found.why


# ---- who goes on -----------------------------------------------------------------------------------------------------------------


def test_at_finish_everybody_stays_whatever_was_changed() -> None:
    new = edited(gone("purchase"))
    for succession in (Succession(), Succession(people="finish")):
        found = destinations(use_case(), new, succession)
        assert list(found.values()) == [Destination("stays")] * len(found)


@pytest.mark.parametrize("people", ["flow_in", "migrate"])
def test_where_nothing_changed_everybody_goes_on_at_the_same_place_and_nobody_is_woken(people: Literal["flow_in", "migrate"]) -> None:
    found = destinations(use_case(), use_case(), Succession(people=people))

    assert {place: (one.kind, one.place, one.wakes) for place, one in found.items()} == {
        place: ("moves", place, False) for place in ("first", GATE, "follow-up", "purchase", "thanks")
    }
    assert found[GATE].nodes == {"push-opened": "push-opened", "email-opened": "email-opened"}


def test_names_notes_positions_and_arrows_wake_nobody() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["purchase"] |= {"name": "Buys", "note": "they often do", "position": {"x": 3, "y": 4}, "next": "end"}
        by_id["email-opened"]["timeout"]["next"] = "thanks"
        by_id["push-opened"]["next"] = "thanks"

    assert moved("purchase", edited(change)) == ("purchase", False)
    assert moved(GATE, edited(change)) == (GATE, False)


def test_another_text_of_a_message_wakes_nobody() -> None:
    new = edited(lambda by_id, _: by_id["first"].update(message="follow-up", channels=["email"]))
    assert moved("first", new) == ("first", False)
    assert moved(GATE, new) == (GATE, False)


def test_a_day_written_in_hours_is_the_same_day() -> None:
    new = edited(lambda by_id, _: by_id["email-opened"]["timeout"].update(after="PT24H"))
    assert moved(GATE, new) == (GATE, False)


# ---- what they wait for, or how long, is another ---------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["PT1H", "P5D"])
def test_whoever_waits_is_woken_when_the_wait_is_cut_or_lengthened(length: str) -> None:
    def version(duration: str) -> Version:
        return builders.version({"id": "pause", "kind": "wait", "for": duration, "next": "end"}, {"id": "end", "kind": "end"})

    assert moved("pause", version(length), old=version("P2D")) == ("pause", True)


def test_whoever_waits_is_woken_when_a_timeout_is_another_or_comes_or_goes() -> None:
    assert moved(GATE, edited(lambda by_id, _: by_id["email-opened"]["timeout"].update(after="P2D"))) == (GATE, True)
    assert moved("purchase", edited(lambda by_id, _: by_id["purchase"].update(timeout={"after": "P2D"}))) == ("purchase", True)
    assert moved("purchase", use_case(), old=edited(lambda by_id, _: by_id["purchase"].update(timeout={"after": "P2D"}))) == (
        "purchase", True,
    )  # fmt: skip


def test_whoever_waits_is_woken_when_they_wait_for_another_reaction() -> None:
    assert moved(GATE, edited(lambda by_id, _: by_id["push-opened"].update(to="push.clicked"))) == (GATE, True)
    assert moved("purchase", edited(lambda by_id, _: by_id["push-opened"].update(to="push.clicked"))) == ("purchase", False)


def test_whoever_waits_is_woken_when_the_rule_over_the_event_is_another() -> None:
    new = edited(lambda by_id, _: by_id["purchase"].update(where=rule("product", "=", "Lamp")))
    assert moved("purchase", new) == ("purchase", True)
    assert moved(GATE, new) == (GATE, False)


def test_whoever_waits_is_woken_when_the_event_is_recognised_otherwise_and_not_when_it_is_called_otherwise() -> None:
    def version(**changed: Any) -> Version:
        return Version(journey=builders.use_case_journey(), events={"purchase": purchase_definition(**changed)})

    assert moved("purchase", version(rule=None, match="bought")) == ("purchase", True)
    assert moved("purchase", version(name="Bought", fields={})) == ("purchase", False)


def test_an_event_that_the_rule_looks_back_at_counts_as_well() -> None:
    refund = EventDefinition(id="refund", match="refund")
    bought = {"id": "buys", "kind": "event", "event": "purchase", "where": {"did": "refund"}, "next": "end"}

    def version(definition: EventDefinition) -> Version:
        return builders.version(bought, {"id": "end", "kind": "end"}, definitions=[purchase_definition(), definition])

    old = version(refund)
    assert moved("buys", version(refund), old=old) == ("buys", False)
    assert moved("buys", version(refund.model_copy(update={"match": "returned"})), old=old) == ("buys", True)


@pytest.mark.parametrize(
    "changed",
    [{"exit_criteria": [{"segment": "vips"}]}, {"global_timeout": "P30D"}, {"timezone": "UTC"}, {"end": "2030-01-01T00:00"}],
    ids=str,
)
def test_everybody_who_waits_is_woken_when_what_ends_them_is_another(changed: dict[str, Any]) -> None:
    found = destinations(use_case(), use_case(**changed), FLOW_IN)
    assert {place for place, one in found.items() if one.wakes} == {GATE, "purchase"}


def test_everybody_who_waits_is_woken_when_the_event_of_an_exit_criterion_is_recognised_otherwise() -> None:
    def version(match: str) -> Version:
        journey = builders.use_case_journey(exit_criteria=[{"event": "refund"}])
        refund = EventDefinition(id="refund", match=match)
        return Version(journey=journey, events={"purchase": purchase_definition(), "refund": refund})

    assert moved("purchase", version("refund"), old=version("refund")) == ("purchase", False)
    assert moved("purchase", version("returned"), old=version("refund")) == ("purchase", True)


def test_everybody_who_waits_is_woken_when_a_node_begins_to_look_back() -> None:
    assert moved(GATE, edited(lambda by_id, _: by_id["purchase"].update(since="entry"))) == (GATE, True)


# ---- gates -----------------------------------------------------------------------------------------------------------------------


def test_a_node_added_in_parallel_is_waited_for_too() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["first"]["next"].append("buys-at-once")
        nodes.append({"id": "buys-at-once", "kind": "event", "event": "purchase", "next": "thanks"})

    assert moved(GATE, edited(change)) == (f"{GATE}+buys-at-once", True)


def test_a_gate_that_has_lost_a_node_goes_on_without_it() -> None:
    found = at(GATE, edited(gone("push-opened")))
    assert (found.kind, found.place, found.wakes) == ("moves", "email-opened", True)
    assert found.nodes == {"email-opened": "email-opened"}


def test_the_order_of_a_gate_is_that_of_the_new_version_and_wakes_nobody() -> None:
    new = edited(lambda by_id, _: by_id["first"]["next"].reverse())
    assert moved(GATE, new) == ("email-opened+push-opened", False)


def test_a_place_whose_nodes_are_all_gone_cannot_move() -> None:
    assert refused("purchase", edited(gone("purchase"))) == ("node_gone", "There is no purchase in the new version.")
    assert refused(GATE, edited(gone("push-opened", "email-opened")))[0] == "node_gone"


def test_a_gate_that_was_taken_apart_cannot_move() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["first"]["next"] = "push-opened"
        by_id["follow-up"]["next"] = "email-opened"

    assert refused(GATE, edited(change)) == (
        "no_such_gate", "No exit of the new version leads to push-opened and email-opened at once.",
    )  # fmt: skip


def test_a_node_that_stands_in_two_gates_of_the_same_size_cannot_move_by_itself() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["push-opened"]["next"] = ["purchase", "day"]
        by_id["email-opened"]["next"] = ["purchase", "week"]
        by_id["follow-up"]["next"] = ["purchase", "week"]
        nodes += [{"id": name, "kind": "wait", "for": length, "next": "end"} for name, length in (("day", "P1D"), ("week", "P7D"))]

    code, why = refused("purchase", edited(change))
    assert code == "two_gates"
    assert why == "Several exits of the new version lead to purchase: purchase+day or purchase+week. Map them to one."


def test_of_two_gates_the_smaller_is_theirs() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["push-opened"]["next"] = ["purchase", "day"]
        nodes.append({"id": "day", "kind": "wait", "for": "P1D", "next": "end"})

    assert moved("purchase", edited(change)) == ("purchase", False)


def test_a_node_that_nothing_leads_to_any_more_still_holds_those_who_wait_there() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        for node in nodes:
            if node.get("next") == "purchase":
                node["next"] = "end"

    assert moved("purchase", edited(change)) == ("purchase", False)


# ---- whoever is on the way -------------------------------------------------------------------------------------------------------


def test_whoever_has_not_yet_left_a_message_acts_in_the_new_version_and_is_not_woken() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["follow-up"] |= {"channels": ["push"], "next": "end"}

    assert moved("follow-up", edited(change, global_timeout="P30D")) == ("follow-up", False)


def test_whoever_has_not_yet_left_a_condition_decides_in_the_new_version() -> None:
    def version(product: str) -> Version:
        branches = [{"id": "yes", "when": rule("city", "=", product), "next": "end"}]
        return builders.version({"id": "which", "kind": "condition", "branches": branches}, {"id": "end", "kind": "end"})

    assert moved("which", version("Rome"), old=version("Atlanta")) == ("which", False)


def test_a_node_of_another_kind_is_another_node_though_its_id_is_the_same() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        nodes[nodes.index(by_id["purchase"])] = {"id": "purchase", "kind": "message", "message": "follow-up", "next": "thanks"}

    code, why = refused("purchase", edited(change))
    assert code == "kind_changed"
    assert why == "purchase was a node of kind event and is a message now: another node."
    assert moved("purchase", edited(change), migrate(purchase="purchase")) == ("purchase", True)


def test_nobody_moves_to_where_people_enter() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        nodes.remove(by_id["read"])
        nodes.remove(by_id["purchase"])
        nodes.insert(0, by_id["purchase"] | {"next": "first"})

    assert refused("purchase", edited(change))[0] == "is_entry"
    assert "read" not in destinations(use_case(), use_case(), FLOW_IN)


def test_nobody_moves_where_people_are_known_by_something_else() -> None:
    assert refused("purchase", use_case(namespace="email"))[0] == "namespace_changed"


# ---- a message that got another id -----------------------------------------------------------------------------------------------


def renamed(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
    by_id["first"] |= {"id": "hello", "continues": "first"}
    by_id["read"]["next"] = "hello"
    by_id["push-opened"]["of"] = by_id["email-opened"]["of"] = "hello"


@pytest.mark.parametrize("people", ["flow_in", "migrate"])
def test_a_message_that_continues_another_is_it(people: Literal["flow_in", "migrate"]) -> None:
    new = edited(renamed)
    assert moved("first", new, Succession(people=people)) == ("hello", False)
    assert moved(GATE, new, Succession(people=people)) == (GATE, False), "reactions to it are reactions to the same message"


def test_without_continues_a_renamed_message_is_another_one() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        renamed(by_id, nodes)
        del by_id["first"]["continues"]

    assert refused("first", edited(change)) == ("node_gone", "There is no first in the new version.")
    assert moved(GATE, edited(change)) == (GATE, True), "they wait for reactions to another message"


def test_a_message_may_continue_several_of_several_versions() -> None:
    def change(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        renamed(by_id, nodes)
        by_id["first"]["continues"] = ["welcome", "first"]

    older = edited(lambda by_id, _: [by_id["first"].update(id="welcome"), by_id["read"].update(next="welcome")])
    assert moved("first", edited(change)) == ("hello", False)
    assert moved("welcome", edited(change), old=older) == ("hello", False)
