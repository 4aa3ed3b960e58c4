"""What never happens is told, and what may happen is not."""

from __future__ import annotations

from typing import Any

import pytest

from journey.graph import ExitCriterion, Journey
from journey.validation.shadows import check
from tests.findings.example import BUY, END, OPENED, SEND, WAIT, by_event, choosing, journey

JOIN = {"id": "join", "kind": "qualification", "segment": "everybody", "next": "end"}


def said(judged: Journey) -> list[tuple[str, str]]:
    return [(one.code, one.node) for one in check(judged)]


def gate(first: dict[str, Any], **second: Any) -> Journey:
    """A gate of two nodes that are alike but for what is said of the second."""
    return journey({**SEND, "next": ["first", "second"]}, {**first, "id": "first"}, {**first, **second, "id": "second"}, END)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BUY, {}), (BUY, {"where": 'product == "Lamp"'}), ({**BUY, "since": "entry"}, {"since": ""}), (OPENED, {}), (JOIN, {}),
        ({**BUY, "where": "total > 100"}, {"where": "total > 200"}),
    ],
)  # fmt: skip
def test_of_two_in_a_gate_the_second_never_wins_when_the_first_hears_all_of_it(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert said(gate(first, **second)) == [("never_wins", "second")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({**BUY, "where": "total > 200"}, {"where": "total > 100"}), ({**BUY, "where": 'product == "Lamp"'}, {"where": None}),
        (BUY, {"since": "entry"}), (BUY, {"event": "other"}), (OPENED, {"to": "email.clicked"}), (JOIN, {"direction": "leave"}), (WAIT, {}),
        ({**BUY, "event": ""}, {}), ({**BUY, "where": "total >"}, {"where": "total >"}),
    ],
)  # fmt: skip
def test_of_two_in_a_gate_the_second_may_win(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert said(gate(first, **second)) == []


@pytest.mark.parametrize(
    ("criterion", "node", "never"),
    [
        ({"event": "purchase"}, BUY, True),
        ({"event": "purchase"}, {**BUY, "where": 'product == "Lamp"', "since": "entry"}, True),
        ({"event": "purchase", "where": "total > 100"}, {**BUY, "where": "total > 200"}, True),
        ({"event": "purchase", "where": "total > 100"}, BUY, False),
        ({"event": "refund"}, BUY, False),
        ({"segment": "everybody"}, JOIN, True),
        ({"segment": "everybody", "direction": "leave"}, JOIN, False),
    ],
)
def test_what_ends_everybody_is_heard_by_no_node(criterion: dict[str, Any], node: dict[str, Any], never: bool) -> None:
    drawn = journey(node, END, exit_criteria=[criterion, criterion])
    assert said(drawn) == ([("never_wins", node["id"])] if never else [])


def test_an_entry_may_be_an_exit_criterion_too() -> None:
    assert said(by_event(END).model_copy(update={"exit_criteria": (ExitCriterion(event="purchase"),)})) == []


def test_a_node_that_is_heard_in_another_gate_has_its_use() -> None:
    again = {**WAIT, "next": "second"}
    drawn = journey({**SEND, "next": ["first", "second", "wait"]}, {**BUY, "id": "first"}, {**BUY, "id": "second"}, again, END)
    assert said(drawn) == []


@pytest.mark.parametrize(
    ("rules", "never"),
    [
        (("spent >= 100", "spent >= 200"), ["b1"]), (("spent >= 200", "spent >= 100"), []),
        (("vip", "vip && spent > 3", "city == 'Bern'"), ["b1"]),
        (("city in ['Bern', 'Basel']", "city == 'Bern' || city == 'Basel'"), ["b1"]), (("spent > 3 && spent < 2", "vip"), ["b0"]),
        (("spent >", "spent >"), []), (("did('purchase')", "did('purchase', {at_least: 2})"), ["b1"]),
    ],
)  # fmt: skip
def test_a_branch_behind_one_that_takes_all_of_it_is_never_taken(rules: tuple[str, ...], never: list[str]) -> None:
    found = list(check(journey(choosing(*rules), END)))
    assert [one.sentence.split()[2] for one in found] == never


def test_a_rule_that_nothing_makes_true_is_told_wherever_it_stands() -> None:
    rule = 'city == "Bern" && city == "Basel"'
    drawn = journey({**BUY, "where": rule}, {"id": "until", "kind": "wait", "until": {"rule": rule}}, END,
                    exit_criteria=[{"event": "refund", "where": rule}])  # fmt: skip
    assert said(drawn) == [("rule_never_true", "buy"), ("rule_never_true", "until"), ("rule_never_true", "")]
