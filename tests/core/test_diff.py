"""Two versions of a journey compared by what they mean: each edit is told, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.diff import Change, Side, compare
from journey.events import EventDefinition
from journey.freezing import frozen
from journey.graph import Journey
from journey.surroundings import Surroundings
from tests.builders import purchase_definition, rule, use_case_journey, use_case_nodes

Nodes = list[dict[str, Any]]


def side(nodes: Nodes | None = None, events: dict[str, EventDefinition] | None = None, **changed: Any) -> Side:
    return Side(use_case_journey(nodes=nodes or use_case_nodes(), **changed), events or {})


def told(older: Nodes, newer: Nodes) -> list[tuple[str, str, str]]:
    return [(one.kind, one.node, one.field) for one in compare(side(older), side(newer))]


def edited(change: Callable[[dict[str, dict[str, Any]], Nodes], object]) -> tuple[Change, ...]:
    """What is said of the use case after an edit, which gets its nodes by id and as a list."""
    nodes = use_case_nodes()
    change({node["id"]: node for node in nodes}, nodes)
    return compare(side(), side(nodes))


def said(change: Callable[[dict[str, dict[str, Any]], Nodes], object]) -> list[str]:
    return [one.sentence for one in edited(change)]


# ---- what is said ----------------------------------------------------------------------------------------------------------------


def test_a_journey_does_not_differ_from_itself() -> None:
    assert compare(side(), side()) == ()


def test_a_draft_does_not_differ_from_the_version_made_of_it() -> None:
    nodes = use_case_nodes()
    nodes[5]["where"] = 'product == "Lamp" && (total > 3)'
    draft = use_case_journey(nodes=nodes)
    definition = purchase_definition()
    version = frozen(draft, Surroundings(events={"purchase": definition}))
    text = purchase_definition(rule='purchaseMessage = "thank you"')
    assert compare(Side(version.journey, version.events), Side(draft, {"purchase": text})) == ()


def test_another_timeout_is_told_in_words_that_people_use() -> None:
    assert said(lambda by_id, _: by_id["email-opened"]["timeout"].update(after="P2D")) == [
        "email-opened: timeout.after is 2 days; it was 1 day."
    ]


def test_the_same_length_written_otherwise_is_cosmetic() -> None:
    (found,) = edited(lambda by_id, _: by_id["email-opened"]["timeout"].update(after="PT24H"))
    assert (found.kind, found.before, found.after) == ("cosmetic", "P1D", "PT24H")


def test_a_timeout_that_comes_or_goes_is_one_change() -> None:
    assert said(lambda by_id, _: by_id["purchase"].update(timeout={"after": "P3D", "next": "end"})) == [
        "purchase has timeout after 3 days now; it had none."
    ]
    assert said(lambda by_id, _: by_id["email-opened"].pop("timeout")) == ["email-opened has no timeout any more; it was after 1 day."]


def test_an_exit_that_leads_elsewhere_is_told() -> None:
    (found,) = edited(lambda by_id, _: by_id["email-opened"]["timeout"].update(next="purchase"))
    assert (found.kind, found.field, found.before, found.after) == ("way_changed", "timeout", "follow-up", "purchase")
    assert said(lambda by_id, _: by_id["first"].update(error="end")) == ["first leads by error to end; it was nothing."]


def test_the_order_of_a_gate_counts_since_one_event_may_fit_two() -> None:
    (sentence,) = said(lambda by_id, _: by_id["first"].update(next=["email-opened", "push-opened"]))
    assert "the first that an event fits, in this order" in sentence


def test_a_node_put_between_two_is_new_and_changes_one_way() -> None:
    def put(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["follow-up"]["next"] = "pause"
        nodes.append({"id": "pause", "kind": "wait", "for": "P1D", "next": "purchase"})

    assert said(put) == [
        "follow-up leads by next to pause; it was purchase.",
        "pause is new: a wait, reached from follow-up, leading to purchase.",
    ]


def test_a_node_taken_out_is_gone() -> None:
    def take(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["email-opened"]["timeout"]["next"] = "purchase"
        nodes.remove(by_id["follow-up"])

    assert said(take) == ["email-opened leads by timeout to purchase; it was follow-up.", "follow-up, a message, is gone."]


def test_another_kind_under_the_same_id_is_told_once() -> None:
    (found,) = edited(lambda by_id, nodes: nodes.__setitem__(5, {"id": "purchase", "kind": "wait", "for": "P1D", "next": "thanks"}))
    assert (found.kind, found.sentence) == ("kind_changed", "purchase is a wait now; it was an event.")


def test_a_node_that_stands_elsewhere_is_told_as_moved() -> None:
    def move(by_id: dict[str, dict[str, Any]], _: Nodes) -> None:
        by_id["email-opened"]["timeout"]["next"] = "purchase"
        by_id["purchase"]["next"] = "follow-up"
        by_id["follow-up"]["next"] = "thanks"

    found = {one.node: one for one in edited(move)}
    assert found["follow-up"].kind == "moved"
    assert found["follow-up"].sentence == (
        "follow-up stands elsewhere: it leads from purchase to thanks; it led from email-opened (timeout) to purchase."
    )


def test_a_node_between_new_ones_has_not_moved() -> None:
    def surround(by_id: dict[str, dict[str, Any]], nodes: Nodes) -> None:
        by_id["email-opened"]["timeout"]["next"] = "before"
        by_id["follow-up"]["next"] = "after"
        nodes.append({"id": "before", "kind": "wait", "for": "P1D", "next": "follow-up"})
        nodes.append({"id": "after", "kind": "wait", "for": "P2D", "next": "purchase"})

    assert [one.kind for one in edited(surround)] == ["way_changed", "way_changed", "added", "added"]


def test_a_node_that_got_another_id_is_renamed_wherever_it_is_named() -> None:
    text = json.dumps(use_case_nodes())
    renamed = json.loads(text.replace('"first"', '"hello"').replace('"email-opened"', '"opened"'))
    assert [one.sentence for one in compare(side(), side(renamed))] == [
        "first is called hello now.", "email-opened is called opened now.",
    ]  # fmt: skip


def test_a_message_that_says_which_it_was_is_renamed_though_it_does_something_else() -> None:
    nodes = use_case_nodes()
    nodes[1] |= {"id": "hello", "continues": "first", "message": "follow-up", "next": ["email-opened"]}
    nodes[0]["next"] = nodes[2]["of"] = nodes[3]["of"] = "hello"
    found = compare(side(), side(nodes))
    assert [(one.kind, one.was, one.node, one.field) for one in found] == [
        ("renamed", "first", "hello", "id"), ("message_changed", "first", "hello", "message"), ("way_changed", "first", "hello", "next"),
    ]  # fmt: skip
    back = compare(side(nodes), side())
    assert (back[0].kind, back[0].was, back[0].node) == ("renamed", "hello", "first")


def test_that_a_message_continues_one_more_is_told_and_that_it_names_one_less_is_not() -> None:
    continuing = use_case_nodes()
    continuing[1]["continues"] = ["welcome", "greeting"]
    assert [one.sentence for one in compare(side(), side(continuing))] == ["first continues welcome and greeting too."]
    assert [one.kind for one in compare(side(continuing), side())] == ["cosmetic"]


def test_a_node_that_is_renamed_and_does_something_else_is_another_node() -> None:
    nodes = json.loads(json.dumps(use_case_nodes()).replace('"follow-up", "kind": "message"', '"nudge", "kind": "message"'))
    nodes[4]["message"] = "thank-you"
    nodes[3]["timeout"]["next"] = "nudge"
    assert [kind for kind, _, _ in told(use_case_nodes(), nodes)] == ["way_changed", "added", "removed"]


def test_of_several_alike_each_is_paired_by_its_neighbours() -> None:
    def chain(*ids: str) -> Nodes:
        waits = [{"id": node, "kind": "wait", "for": "P1D", "next": after} for node, after in zip(ids, (*ids[1:], "end"), strict=True)]
        return [{"id": "read", "kind": "read_segment", "segment": "all", "next": ids[0]}, *waits, {"id": "end", "kind": "end"}]

    found = compare(side(chain("a", "b", "c")), side(chain("x", "y", "z")))
    assert [(one.was, one.node) for one in found] == [("a", "x"), ("b", "y"), ("c", "z")]


def test_rules_are_compared_by_what_they_ask() -> None:
    def asks(when: Any, **more: Any) -> Nodes:
        branches = [{"id": "gold", "when": when, "next": "end"}, *more.get("others", [])]
        return [
            {"id": "read", "kind": "read_segment", "segment": "all", "next": "where"},
            {"id": "where", "kind": "condition", "branches": branches},
            {"id": "end", "kind": "end"},
        ]

    assert told(asks("tier == 'gold'"), asks(rule("tier", "=", "gold"))) == []
    (found,) = compare(side(asks("tier == 'gold'")), side(asks("tier != 'gold'")))
    assert (found.kind, found.field) == ("rule_changed", "branches.gold.when")
    assert found.sentence == 'where: branches.gold.when is `tier != "gold"`; it was `tier == "gold"`.'
    silver = {"id": "silver", "when": "tier == 'silver'", "next": "end"}
    (found,) = compare(side(asks("tier == 'gold'")), side(asks("tier == 'gold'", others=[silver])))
    assert found.sentence == 'where has a new branch, silver: `tier == "silver"`, which leads to end.'
    (found,) = compare(side(asks("tier == 'gold'", others=[silver])), side(asks("tier == 'gold'")))
    assert found.sentence == 'where has no branch silver any more; it was `tier == "silver"` and led to end.'
    turned = asks("tier == 'gold'", others=[silver])
    turned[1]["branches"].reverse()
    assert told(asks("tier == 'gold'", others=[silver]), turned) == [("setting_changed", "where", "branches")]


def test_shares_and_settings_are_told_by_their_field() -> None:
    def splits(percent: int, **more: Any) -> Nodes:
        shares = [{"id": "a", "percent": percent, "next": "end"}, {"id": "b", "percent": 100 - percent, "next": "end"}]
        return [
            {"id": "read", "kind": "read_segment", "segment": "all", "next": "half"} | more,
            {"id": "half", "kind": "split", "shares": shares},
            {"id": "end", "kind": "end"},
        ]

    assert told(splits(50), splits(60)) == [
        ("setting_changed", "half", "shares.a.percent"), ("setting_changed", "half", "shares.b.percent"),
    ]  # fmt: skip
    assert told(splits(50), splits(50, segment="some", rate=5, schedule="manual")) == [
        ("setting_changed", "read", "segment"), ("setting_changed", "read", "schedule"), ("setting_changed", "read", "rate"),
    ]  # fmt: skip


def test_another_schedule_is_told_in_words() -> None:
    daily = {"kind": "daily", "at": "09:00"}
    found = said(lambda by_id, _: by_id["read"].update(schedule=daily, incremental=True))
    assert [one.replace("`", "") for one in found] == [
        "read: schedule is every day at 09:00; it was asap.", "read: incremental is true; it was false.",
    ]  # fmt: skip


def test_names_notes_and_positions_are_cosmetic() -> None:
    found = edited(lambda by_id, _: by_id["first"].update(name="Hello", note="x", position={"x": 1, "y": 2}))
    assert [(one.kind, one.field) for one in found] == [("cosmetic", "name"), ("cosmetic", "position"), ("cosmetic", "note")]


def test_another_order_of_the_document_is_cosmetic() -> None:
    assert [one.kind for one in edited(lambda _, nodes: nodes.reverse())] == ["cosmetic"]


def test_what_holds_for_the_whole_journey_is_told() -> None:
    found = compare(side(), side(timezone="UTC", global_timeout="P30D", name="Other"))
    assert [(one.kind, one.sentence) for one in found] == [
        ("cosmetic", "The journey: name is Other; it was Thank customers in three cities."),
        ("journey_changed", "The journey: timezone is UTC; it was America/New_York."),
        ("journey_changed", "The journey: global_timeout is 30 days; it was 91 days."),
    ]


def test_exit_criteria_are_told_by_what_they_ask_however_their_rules_are_written() -> None:
    older = side(exit_criteria=[{"event": "purchase", "where": rule("total", ">", 3)}])
    assert compare(older, side(exit_criteria=[{"event": "purchase", "where": "total > 3"}])) == ()
    (change,) = compare(older, side(exit_criteria=[{"segment": "vips", "direction": "leave"}]))
    assert change.sentence == "The journey: exit_criteria is leaves vips; it was event purchase where `total > 3`."


def test_a_rule_that_is_waited_for_is_told_as_a_rule() -> None:
    def waits(written: Any) -> Side:
        return side([{"id": "read", "kind": "read_segment", "segment": "s", "next": "w"},
                     {"id": "w", "kind": "wait", "until": {"rule": written}, "next": []}])  # fmt: skip

    assert compare(waits("vip == true"), waits(rule("vip", "=", True))) == ()
    (change,) = compare(waits("vip == true"), waits("vip == false"))
    assert (change.kind, change.sentence) == ("rule_changed", "w: until.rule is `vip == false`; it was `vip == true`.")


def test_another_definition_of_an_event_is_told() -> None:
    events = {"purchase": purchase_definition()}
    (found,) = compare(side(events=events), side(events={"purchase": purchase_definition(rule="purchaseMessage == 'thanks'")}))
    assert (found.kind, found.field) == ("event_changed", "events.purchase.rule")
    assert found.sentence == 'The event purchase: rule is `purchaseMessage == "thanks"`; it was `purchaseMessage == "thank you"`.'


def test_a_draft_that_is_wrong_in_every_way_is_compared_all_the_same() -> None:
    wrong = Journey.model_validate({"id": "thank-you", "nodes": [
        {"id": "first", "kind": "message", "next": "nowhere"}, {"id": "purchase", "kind": "event", "where": "((", "next": "purchase"},
        {"id": "where", "kind": "condition", "branches": [{"id": "x"}]}, {"id": "w", "kind": "wait", "for": "soon", "timeout": {}},
    ]})  # fmt: skip
    assert compare(Side(wrong, {}), Side(wrong, {})) == ()
    assert compare(side(), Side(wrong, {}))
    assert compare(Side(wrong, {}), side())


# ---- any journey, any edit -------------------------------------------------------------------------------------------------------

EDITS = ("message", "segment", "timeout", "name", "way", "insert", "remove", "rename", "kind", "timezone")


@st.composite
def chains(draw: st.DrawFn) -> Nodes:
    """A path of waits, messages, events and conditions, each different from all others, with a timeout here and there."""
    kinds = draw(st.lists(st.sampled_from(("wait", "message", "event", "condition")), min_size=2, max_size=7))
    nodes: Nodes = [{"id": "read", "kind": "read_segment", "segment": "all", "next": "n0"}]
    for number, kind in enumerate(kinds):
        after = f"n{number + 1}" if number + 1 < len(kinds) else "end"
        node: dict[str, Any] = {"id": f"n{number}", "kind": kind}
        match kind:
            case "wait":
                node |= {"for": f"PT{number + 1}H", "next": after}
            case "message":
                node |= {"message": f"m{number}", "next": after} | ({"error": "end"} if draw(st.booleans()) else {})
            case "event":
                node |= {"event": f"e{number}", "next": after}
                node |= {"timeout": {"after": f"P{number + 1}D"} | ({"next": "end"} if draw(st.booleans()) else {})}
            case "condition":
                node |= {"branches": [{"id": "yes", "when": f"a{number} == 1", "next": after}], "otherwise": "end"}
        nodes.append(node)
    return [*nodes, {"id": "end", "kind": "end"}]


def on(node: dict[str, Any], old: str, new: str) -> list[str]:
    """Leads every way of a node that leads to one elsewhere; the exits that did."""
    found = [name for name in ("next", "error", "otherwise") if node.get(name) == old]
    node.update(dict.fromkeys(found, new))
    for part, taken in ((node.get("timeout", {}), "timeout"), *((branch, branch["id"]) for branch in node.get("branches", []))):
        if part.get("next") == old:
            part["next"] = new
            found.append(taken)
    return found


def edit(draw: st.DrawFn, nodes: Nodes) -> tuple[Nodes, dict[str, Any], set[tuple[str, str, str]]]:
    """Another journey by one edit: its nodes, what else changes, and what must be said."""
    nodes = json.loads(json.dumps(nodes))
    what = draw(st.sampled_from(EDITS))
    inner = nodes[1:-1]
    node = draw(st.sampled_from(inner))
    match what, node["kind"]:
        case "message", "message":
            node["message"] = "another"
            return nodes, {}, {("message_changed", node["id"], "message")}
        case "segment", _:
            nodes[0]["segment"] = "some"
            return nodes, {}, {("setting_changed", "read", "segment")}
        case "timeout", "event":
            node["timeout"]["after"] = "PT7M"
            return nodes, {}, {("timeout_changed", node["id"], "timeout.after")}
        case "way", _:
            taken = on(node, nodes[nodes.index(node) + 1]["id"], "nowhere")
            return nodes, {}, {("way_changed", node["id"], one) for one in taken}
        case "insert", _:
            old = nodes[nodes.index(node) + 1]["id"]
            taken = on(node, old, "inserted")
            nodes.append({"id": "inserted", "kind": "wait", "for": "PT59S", "next": old})
            return nodes, {}, {("added", "inserted", ""), *(("way_changed", node["id"], one) for one in taken)}
        case "remove", _:
            index = nodes.index(node)
            taken = on(nodes[index - 1], node["id"], nodes[index + 1]["id"])
            nodes.remove(node)
            return nodes, {}, {("removed", node["id"], ""), *(("way_changed", nodes[index - 1]["id"], one) for one in taken)}
        case "rename", _:
            for other in nodes:
                on(other, node["id"], "renamed")
            node["id"] = "renamed"
            return nodes, {}, {("renamed", "renamed", "id")}
        case "kind", "wait":
            nodes[nodes.index(node)] = {"id": node["id"], "kind": "message", "message": "x", "next": node["next"]}
            return nodes, {}, {("kind_changed", node["id"], "kind")}
        case "timezone", _:
            return nodes, {"timezone": "Europe/Vienna"}, {("journey_changed", "", "timezone")}
        case _:
            node["name"], node["position"] = "Another name", {"x": 3, "y": 4}
            return nodes, {}, {("cosmetic", node["id"], "name"), ("cosmetic", node["id"], "position")}


@given(st.data(), chains())
def test_any_edit_is_told_and_nothing_else_is(data: st.DataObject, nodes: Nodes) -> None:
    changed, more, expected = data.draw(st.composite(lambda draw: edit(draw, nodes))())
    found = compare(side(nodes), side(changed, **more))
    assert {(one.kind, one.node, one.field) for one in found} == expected
    assert len(found) == len(expected)


@given(chains(), chains())
def test_what_was_added_on_the_way_there_is_removed_on_the_way_back(older: Nodes, newer: Nodes) -> None:
    there, back = compare(side(older), side(newer)), compare(side(newer), side(older))
    assert {one.node for one in there if one.kind == "added"} == {one.node for one in back if one.kind == "removed"}
    assert {(one.was, one.node) for one in there if one.kind == "renamed"} == {(one.node, one.was) for one in back if one.kind == "renamed"}
    assert compare(side(older), side(older)) == ()


@pytest.mark.parametrize("turn", [False, True])
def test_each_sentence_is_one_that_can_be_read(turn: bool) -> None:
    nodes = [*use_case_nodes()[:4], {"id": "other", "kind": "webhook", "url": "https://x.example", "headers": {"a": "b"}}]
    sides = (side(), side(nodes, global_timeout="P9D"))
    found = compare(*(reversed(sides) if turn else sides))
    assert all(one.sentence.endswith(".") and "  " not in one.sentence for one in found)
