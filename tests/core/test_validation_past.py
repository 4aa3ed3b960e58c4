"""What can be wrong with a question about the past, a segment or the time, an example for each finding."""

from __future__ import annotations

from typing import Any

import pytest

from journey.findings import blocking
from journey.freezing import freeze
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings
from journey.validation.judging import of_event, of_journey, of_segment
from tests import builders

END = {"id": "end", "kind": "end"}
PURCHASE = builders.purchase_definition()
AROUND = Surroundings(
    attributes={"city": Attribute(type="string"), "least": Attribute(type="integer")},
    segments={"vip": SegmentDocument(id="vip", rule='did("purchase")'), "everybody": SegmentDocument(id="everybody", rule="has(city)")},
    events={"purchase": PURCHASE},
)
FINE = [
    'did("purchase")', 'did("purchase", {within: "P7D", where: product == "Lamp" && profile.city == "Bern"})', 'did("email.opened")',
    'in_segment("vip")', 'now.hour >= 9 && now.weekday in ["mon", "fri"] && now.date < "2027-01-01" && now.time > "09:30"', "has(now.hour)",
]  # fmt: skip
WRONG = [
    ('did("sale")', "unknown_event"), ('did("email.ignored")', "unknown_reaction"), ('in_segment("gold")', "unknown_segment"),
    ('did("purchase", {where: product > 3})', "field_type"), ('did("purchase", {where: profile.least == "x"})', "attribute_type"),
    ('did("purchase", {where: colour == "red"})', "undeclared_field"), ("now.minute > 3", "time_unknown"),
    ('now.weekday == "monday"', "time_unknown"), ('now.weekday in ["sat", 7]', "time_unknown"), ('now.hour == "9"', "field_type"),
]  # fmt: skip


def condition(rule: Any) -> list[str]:
    choose = {"id": "choose", "kind": "condition", "branches": [{"id": "one", "when": rule, "next": "end"}], "otherwise": "end"}
    return [found.code for found in of_journey(builders.journey(choose, END), AROUND)]


def where(rule: Any) -> list[str]:
    buy = {"id": "buy", "kind": "event", "event": "purchase", "where": rule, "next": "end", "timeout": {"after": "P1D"}}
    return [found.code for found in of_journey(builders.journey(buy, END), AROUND)]


def segment(rule: Any, name: str = "new") -> list[str]:
    return [found.code for found in of_segment(SegmentDocument(id=name, rule=rule), AROUND)]


@pytest.mark.parametrize("rule", FINE)
def test_what_can_be_asked_in_a_condition_and_of_an_event(rule: str) -> None:
    assert (condition(rule), where(rule)) == ([], [])


@pytest.mark.parametrize(("rule", "code"), WRONG)
def test_what_is_wrong_with_it_is_found_in_a_condition_and_of_an_event(rule: str, code: str) -> None:
    assert (condition(rule), where(rule)) == ([code], [code])


@pytest.mark.parametrize("rule", FINE[:4])
def test_a_segment_can_ask_for_all_but_the_time(rule: str) -> None:
    assert segment(rule) == []


def test_field_out_of_reach_for_the_time_in_a_segment() -> None:
    assert segment("now.hour > 9") == ["field_out_of_reach"]


@pytest.mark.parametrize("rule", ['did("purchase")', 'in_segment("vip")', "now.hour > 9"])
def test_field_out_of_reach_in_the_rule_of_an_event(rule: str) -> None:
    definition = builders.purchase_definition(rule=rule)
    assert [found.code for found in of_event(definition)] == ["field_out_of_reach"]


def test_segment_looks_back_where_somebody_listens_to_it() -> None:
    nested = SegmentDocument(id="nested", rule='in_segment("vip")')
    around = Surroundings(segments={**AROUND.segments, "nested": nested}, attributes=AROUND.attributes, events=AROUND.events)
    for name, found in {"vip": True, "nested": True, "everybody": False}.items():
        joins = {"id": "joins", "kind": "qualification", "segment": name, "next": "end", "timeout": {"after": "P1D"}}
        said = [
            one.code for one in of_journey(builders.journey(joins, END, exit_criteria=[{"segment": name, "direction": "leave"}]), around)
        ]
        assert said == (["segment_looks_back"] * 2 if found else [])


def test_segment_cycle() -> None:
    around = Surroundings(segments={
        "a": SegmentDocument(id="a", rule='in_segment("b")'), "b": SegmentDocument(id="b", rule='!in_segment("a")'),
        "c": SegmentDocument(id="c", rule='in_segment("a")'),
    })  # fmt: skip
    found = {name: [finding.code for finding in of_segment(document, around)] for name, document in around.segments.items()}
    assert found == {"a": ["segment_cycle"], "b": ["segment_cycle"], "c": []}


def test_a_segment_that_asks_for_itself_is_a_cycle_too() -> None:
    around = Surroundings(segments={"vip": SegmentDocument(id="vip", rule='in_segment("vip")')})
    assert [found.code for found in of_segment(around.segments["vip"], around)] == ["segment_cycle"]


def test_a_version_freezes_the_definitions_that_its_rules_name() -> None:
    branches = [{"id": "one", "when": 'did("purchase")', "next": "end"}]
    drawn = builders.journey({"id": "choose", "kind": "condition", "branches": branches, "otherwise": "end"}, END)
    assert blocking(of_journey(drawn, AROUND)) == ()
    assert list(freeze(drawn, AROUND).events) == ["purchase"]
