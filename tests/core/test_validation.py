"""One failing example for each code that the validator knows, and the use case, which has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from journey.events import REACTIONS
from journey.findings import Finding, blocking
from journey.graph import Journey
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings
from journey.validation.judging import validate
from tests.builders import journey, message, purchase_definition, rule, use_case_journey

ATTRIBUTES = {
    "city": Attribute(type="string"),
    "first_name": Attribute(type="string"),
    "birth_year": Attribute(type="integer"),
    "vip": Attribute(type="boolean"),
    "joined": Attribute(type="datetime"),
}
RULE = 'city in ["Atlanta", "San Francisco", "Seattle"] && birth_year > 1980'
MESSAGES = {
    "first-message": message("first-message", "email", "push", **{"class": "transactional"}),
    "follow-up": message("follow-up", "email", **{"class": "transactional"}),
    "thank-you": message("thank-you", "push"),
}
END = {"id": "end", "kind": "end"}
SEND = {"id": "send", "kind": "message", "message": "first-message", "next": "end"}
REACT = {"id": "react", "kind": "reaction", "of": "send", "to": "email.opened", "next": "end", "timeout": {"after": "P1D"}}
BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}}
JOIN = {"id": "join", "kind": "qualification", "segment": "everybody", "next": "end", "timeout": {"after": "P1D"}}
WAIT = {"id": "wait", "kind": "wait", "for": "PT1H", "next": "end"}


def segment(name: str, written: Any = RULE) -> SegmentDocument:
    return SegmentDocument(id=name, rule=written)


def surroundings(**changed: Any) -> Surroundings:
    held: dict[str, Any] = {
        "attributes": ATTRIBUTES,
        "segments": {name: segment(name) for name in ("everybody", "three-cities-after-1980")},
        "events": {"purchase": purchase_definition()},
        "messages": MESSAGES,
    }
    return Surroundings(**(held | changed))


def said(judged: Journey, **changed: Any) -> list[tuple[str, str, str]]:
    """Code, node and field of each finding."""
    return [(found.code, found.node, found.field) for found in validate(judged, surroundings(**changed))]


def node(base: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """A node with other fields; one given as None is left out. A field that is a word of Python ends with `_`."""
    merged = dict(base) | {name.rstrip("_"): value for name, value in changed.items()}
    return {name: value for name, value in merged.items() if value is not None}


def deciding(*rules: Any) -> Journey:
    branches = [{"id": f"b{index}", "when": when, "next": "end"} for index, when in enumerate(rules)]
    return journey({"id": "choose", "kind": "condition", "branches": branches, "otherwise": "end"}, END)


# ---- what is valid --------------------------------------------------------------------------------------------------------------


def test_the_use_case_has_no_error_and_one_warning_since_nobody_must_buy() -> None:
    assert said(use_case_journey()) == [("no_timeout", "purchase", "timeout")]


def test_a_journey_of_all_supported_kinds_has_no_finding() -> None:
    branches = [{"id": "young", "when": "birth_year > 2000", "next": "wait"}]
    choose = {"id": "choose", "kind": "condition", "branches": branches, "otherwise": "buy"}
    assert said(journey(node(SEND, next="react"), node(REACT, next="choose"), choose, WAIT, BUY, END)) == []


def test_paths_may_join_and_may_end_without_an_end_node() -> None:
    assert said(journey(node(SEND, next=["react", "wait"]), node(REACT, next="after", timeout=None), node(WAIT, next="after"),
                        {"id": "after", "kind": "message", "message": "thank-you"})) == []  # fmt: skip


def test_an_error_comes_before_a_warning_and_then_node_after_node() -> None:
    found = validate(journey(node(BUY, timeout=None, next="send"), node(SEND, next="nowhere", message=None)), surroundings())
    assert [(one.code, one.grade) for one in found] == [("field_missing", "error"), ("unknown_node", "error"), ("no_timeout", "warning")]


# ---- the whole journey ----------------------------------------------------------------------------------------------------------


def test_namespace_missing() -> None:
    assert ("namespace_missing", "", "namespace") in said(journey(WAIT, END, namespace=""))


@pytest.mark.parametrize("field", ["start", "end"])
def test_date_invalid(field: str) -> None:
    assert said(journey(WAIT, END, **{field: "2026-02-30"})) == [("date_invalid", "", field)]
    assert said(journey(WAIT, END, **{field: "2026-12-01T09:30"})) == []


def test_dates_reversed() -> None:
    assert said(journey(WAIT, END, start="2026-12-01", end="2026-12-01T00:00")) == [("dates_reversed", "", "end")]
    assert said(journey(WAIT, END, start="2026-12-01", end="2026-12-01T00:01")) == []


def test_timezone_unknown() -> None:
    assert said(journey(WAIT, END, timezone="America/Atlantis")) == [("timezone_unknown", "", "timezone")]
    assert said(journey(WAIT, END, timezone="../../etc/passwd")) == [("timezone_unknown", "", "timezone")]


def test_no_entry_into_a_journey_that_begins_with_neither_segment_nor_event() -> None:
    empty = Journey.model_validate({"id": "small", "namespace": "customer_id"})
    assert said(empty) == [("no_entry", "", "nodes")]
    headless = Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [SEND, END]})
    assert said(headless) == [("no_entry", "", "nodes")]


def entered_by_event(*nodes: Mapping[str, Any], **changed: Any) -> Journey:
    entry = node(BUY, id="enter", next=nodes[0]["id"] if nodes else None, **({"timeout": None} | changed))
    return Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [entry, *nodes]})


def test_a_journey_may_begin_with_an_event() -> None:
    assert said(entered_by_event(WAIT, END)) == []
    assert said(entered_by_event(WAIT, END, where='product == "Lamp" && profile.city == "Atlanta"')) == []


def test_field_missing_of_an_event_that_leads_nowhere() -> None:
    assert said(entered_by_event()) == [("field_missing", "enter", "next")]


@pytest.mark.parametrize(("field", "value"), [("timeout", {"after": "P1D"}), ("since", "entry")])
def test_entry_waits(field: str, value: object) -> None:
    assert ("entry_waits", "enter", field) in said(entered_by_event(WAIT, END, **{field: value}))


def entered_by_segment(**changed: Any) -> Journey:
    entry = node(JOIN, id="enter", next="wait", **({"timeout": None} | changed))
    return Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [entry, WAIT, END]})


def test_a_journey_may_begin_with_a_segment_that_is_entered() -> None:
    assert said(entered_by_segment()) == []
    assert said(entered_by_segment(segment="nobody")) == [("unknown_segment", "enter", "segment")]
    assert ("entry_waits", "enter", "timeout") in said(entered_by_segment(timeout={"after": "P1D"}))


def test_a_rule_that_is_waited_for_asks_for_nothing_that_no_write_makes_true() -> None:
    for written in ('did("purchase")', 'in_segment("everybody")', "now.hour > 3", "event.x == 1"):
        judged = journey(node(WAIT, for_=None, until={"rule": written}, timeout={"after": "P1D"}), END)
        assert said(judged) == [("field_out_of_reach", "wait", "until.rule")]


def test_two_entries_are_an_event_and_a_segment() -> None:
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "wait"}
    nodes = [node(BUY, timeout=None, next="wait"), WAIT, END, read]
    both = Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": nodes})
    assert ("two_entries", "buy", "kind") in said(both)


def test_what_let_somebody_in_can_be_asked_later() -> None:
    asks = node(BUY, where="product == entry.product")
    decides = {"id": "decide", "kind": "condition", "branches": [{"id": "lamp", "when": 'entry.product == "Lamp"', "next": "end"}],
               "otherwise": "end"}  # fmt: skip
    shown = message("first-message", "push", push={"title": "{{ entry.product }}", "body": "Hello"})
    assert said(entered_by_event(asks, END)) == []
    assert said(entered_by_event(decides, END)) == []
    assert said(entered_by_event(SEND, END), messages=MESSAGES | {"first-message": shown}) == []


def test_undeclared_field_of_the_event_that_let_somebody_in() -> None:
    shown = message("first-message", "push", push={"title": "{{ entry.colour }}", "body": "Hello"})
    assert said(entered_by_event(node(BUY, where="product == entry.colour"), END)) == [("undeclared_field", "buy", "where")]
    assert said(entered_by_event(SEND, END), messages=MESSAGES | {"first-message": shown}) == [("undeclared_field", "send", "message")]


@pytest.mark.parametrize(("since", "findings"), [
    ("entry", []), ("send", []), ("nowhere", [("unknown_node", "buy", "since")]), ("buy", [("since_not_before", "buy", "since")]),
    ("wait", [("since_not_before", "buy", "since")]),
])  # fmt: skip
def test_since_not_before(since: str, findings: list[tuple[str, str, str]]) -> None:
    looks_back = journey(node(SEND, next="buy"), node(BUY, since=since, next="wait"), WAIT, END)
    assert said(looks_back) == findings


def test_field_out_of_reach() -> None:
    """Nobody enters by an event here, or the event is not there yet."""
    shown = message("first-message", "push", push={"title": "{{ entry.product }}", "body": "Hello"})
    assert said(journey(node(BUY, where="product == entry.product"), END)) == [("field_out_of_reach", "buy", "where")]
    assert said(deciding('entry.product == "Lamp"')) == [("field_out_of_reach", "choose", "branches[0].when")]
    assert said(journey(SEND, END), messages=MESSAGES | {"first-message": shown}) == [("field_out_of_reach", "send", "message")]
    assert said(entered_by_event(WAIT, END, where='entry.product == "Lamp"')) == [("field_out_of_reach", "enter", "where")]
    asking = {name: segment(name, 'event.product == "Lamp"') for name in ("everybody", "three-cities-after-1980")}
    assert said(journey(WAIT, END), segments=asking) == [("field_out_of_reach", "read", "segment")]


def test_two_entries() -> None:
    second = {"id": "again", "kind": "read_segment", "segment": "everybody", "next": "end"}
    assert said(journey(WAIT, second, END)) == [("two_entries", "again", "kind")]


def test_entry_not_first() -> None:
    assert ("entry_not_first", "wait", "next") in said(journey(node(WAIT, next="read"), END))


def test_duplicate_id_of_two_nodes() -> None:
    assert ("duplicate_id", "wait", "id") in said(journey(WAIT, WAIT, END))


def test_duplicate_id_of_two_branches() -> None:
    branches = [{"id": "one", "when": "vip == true", "next": "end"}, {"id": "one", "when": "vip == false", "next": "end"}]
    choose = {"id": "choose", "kind": "condition", "branches": branches, "otherwise": "end"}
    assert said(journey(choose, END)) == [("duplicate_id", "choose", "branches[1].id")]


@pytest.mark.parametrize("name", ["otherwise", "error", "timeout", "next", "other"])
def test_reserved_id_of_a_branch_that_would_be_taken_for_an_exit(name: str) -> None:
    choose = {"id": "choose", "kind": "condition", "branches": [{"id": name, "when": "vip == true", "next": "end"}], "otherwise": "end"}
    assert said(journey(choose, END)) == [("reserved_id", "choose", "branches[0].id")]


# ---- fields ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawn", "field"),
    [
        (node(BUY, event=None), "event"),
        (node(BUY, timeout={"next": "end"}), "timeout.after"),
        (node(SEND, message=None), "message"),
        (node(WAIT, for_=None), "for"),
        (node(WAIT, for_=None, until={"rule": RULE}, timeout={"next": "end"}), "timeout.after"),
        (node(JOIN, segment=None), "segment"),
        (node(JOIN, timeout={"next": "end"}), "timeout.after"),
        ({"id": "choose", "kind": "condition", "otherwise": "end"}, "branches"),
        ({"id": "divide", "kind": "split"}, "shares"),
        ({"id": "choose", "kind": "condition", "branches": [{"id": "one", "next": "end"}]}, "branches[0].when"),
    ],
)
def test_field_missing(drawn: dict[str, Any], field: str) -> None:
    assert [found[:3] for found in said(journey(drawn, END)) if found[0] == "field_missing"] == [("field_missing", drawn["id"], field)]


def test_field_missing_in_a_reaction_that_says_neither_of_nor_to() -> None:
    found = said(journey(node(SEND, next="react"), node(REACT, of=None, to=None), END))
    assert found == [("field_missing", "react", "of"), ("field_missing", "react", "to")]


def test_field_missing_in_an_entry_that_reads_nothing_and_leads_nowhere() -> None:
    bare = Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [{"id": "read", "kind": "read_segment"}]})
    assert said(bare) == [("field_missing", "read", "segment"), ("field_missing", "read", "next")]


def test_unknown_channel_names_those_that_there_are() -> None:
    (found,) = blocking(validate(journey(node(SEND, channels=["sms"]), END), surroundings()))
    assert (found.code, found.node, found.field) == ("unknown_channel", "send", "channels[0]")
    assert found.sentence == "There is no channel 'sms': there are email and push."


@pytest.mark.parametrize(
    ("criterion", "found"),
    [
        ({}, ("field_missing", "", "exit_criteria[0]")),
        ({"event": "purchase", "segment": "everybody"}, ("exit_criterion_ambiguous", "", "exit_criteria[0]")),
        ({"segment": "everybody", "where": "product == 'Lamp'"}, ("exit_criterion_ambiguous", "", "exit_criteria[0]")),
        ({"event": "refund"}, ("unknown_event", "", "exit_criteria[0].event")),
        ({"segment": "nobody"}, ("unknown_segment", "", "exit_criteria[0].segment")),
        ({"event": "purchase", "where": "product >"}, ("rule_invalid", "", "exit_criteria[0].where")),
        ({"event": "purchase", "where": "product > 3"}, ("field_type", "", "exit_criteria[0].where")),
    ],
)
def test_what_can_be_wrong_with_an_exit_criterion(criterion: dict[str, Any], found: tuple[str, str, str]) -> None:
    assert said(journey(WAIT, END, exit_criteria=[criterion])) == [found]


def test_namespace_differs_of_an_exit_criterion() -> None:
    judged = journey(WAIT, END, exit_criteria=[{"event": "purchase"}])
    events = {"purchase": purchase_definition(namespace="email")}
    assert said(judged, events=events) == [("namespace_differs", "", "exit_criteria[0].event")]


def test_what_is_wrong_inside_the_event_or_segment_of_an_exit_criterion_is_told_there() -> None:
    criteria = [{"event": "purchase"}, {"segment": "vips"}]
    held = {
        "events": {"purchase": purchase_definition(key="")},
        "segments": {"everybody": segment("everybody"), "vips": segment("vips", "vip")},
    }
    assert said(journey(WAIT, END, exit_criteria=criteria), **held) == [("field_missing", "", "exit_criteria[0].event")]
    empty = {"combinator": "and", "rules": []}
    held = {"segments": {"everybody": segment("everybody"), "vips": segment("vips", empty)}}
    assert said(journey(WAIT, END, exit_criteria=[{"segment": "vips"}]), **held) == [("rule_empty", "", "exit_criteria[0].segment")]


def test_a_wait_until_a_rule_and_a_qualification_have_nothing_wrong_with_them() -> None:
    until = node(WAIT, id="until", for_=None, until={"rule": "vip == true"}, timeout={"after": "P1D"})
    assert said(journey(until, END)) == []
    assert said(journey(JOIN, END, exit_criteria=[{"segment": "everybody", "direction": "leave"}])) == []


def test_a_wait_until_a_rule_is_judged_like_any_rule_and_should_have_a_timeout() -> None:
    assert said(journey(node(WAIT, for_=None, until={"rule": "vip == 3"}), END)) == [
        ("attribute_type", "wait", "until.rule"), ("no_timeout", "wait", "timeout"),
    ]  # fmt: skip


def test_wait_ambiguous() -> None:
    assert said(journey(node(WAIT, until={"rule": "vip"}), END))[0] == ("wait_ambiguous", "wait", "until")


def test_unknown_segment_of_a_qualification() -> None:
    assert said(journey(node(JOIN, segment="nobody"), END)) == [("unknown_segment", "join", "segment")]


def test_a_condition_may_ask_the_event_that_led_there_and_an_event_its_person() -> None:
    assert said(deciding('event.product == "Lamp"')) == []
    assert said(journey(node(BUY, where='profile.city == "Atlanta"'), END)) == []


@pytest.mark.parametrize("to", ["push.bounced", "push.delivered", "email.replied", "sms.opened"])
def test_unknown_reaction_is_one_that_nothing_tells_us_of_and_the_sentence_says_what_to_use(to: str) -> None:
    (found, *_) = blocking(validate(journey(node(SEND, next="react"), node(REACT, to=to), END), surroundings()))
    assert (found.code, found.node, found.field) == ("unknown_reaction", "react", "to")
    assert found.sentence.startswith(f"There is no reaction '{to}': there are email.opened, email.clicked, email.delivered, email.bounced")


@pytest.mark.parametrize("to", [one for one in REACTIONS if one.startswith("email.")])
def test_every_reaction_that_there_is_can_be_waited_for(to: str) -> None:
    found = validate(journey(node(SEND, next="react"), node(REACT, to=to), END), surroundings())
    assert [one.code for one in blocking(found) if one.field == "to"] == []


# ---- arrows and paths -----------------------------------------------------------------------------------------------------------


def test_unknown_node() -> None:
    assert said(journey(node(WAIT, next="nowhere"))) == [("unknown_node", "wait", "next")]
    assert ("unknown_node", "buy", "timeout.next") in said(journey(node(BUY, timeout={"after": "P1D", "next": "nowhere"}), END))
    assert ("unknown_node", "wait", "next") in said(journey(node(WAIT, next=""), END))


def test_target_twice() -> None:
    assert said(journey(node(SEND, next=["react", "react"]), REACT, END)) == [("target_twice", "send", "next")]


def test_next_not_listening() -> None:
    assert said(journey(node(WAIT, next=["send", "buy"]), SEND, BUY, END)) == [("next_not_listening", "wait", "next")]


def test_two_timeouts_in_one_gate() -> None:
    assert said(journey(node(SEND, next=["react", "buy"]), REACT, BUY, END)) == [("two_timeouts", "buy", "timeout")]


def test_no_timeout_is_told_once_for_a_gate_that_two_paths_lead_to() -> None:
    react = node(REACT, timeout={"after": "P1D", "next": "buy"}, next="buy")
    assert said(journey(node(SEND, next="react"), react, node(BUY, timeout=None), END)) == [("no_timeout", "buy", "timeout")]


def test_a_wait_in_a_gate_is_as_good_as_a_timeout() -> None:
    assert said(journey(BUY, WAIT, END, entry=["buy", "wait"])) == [("never_due", "buy", "timeout.after")]
    assert said(journey(node(BUY, timeout=None), WAIT, END, entry=["buy", "wait"])) == []


def test_never_due_is_the_longer_of_two_waits() -> None:
    longer = node(WAIT, id="longer", for_="PT2H")
    assert said(journey(longer, WAIT, END, entry=["longer", "wait"])) == [("never_due", "longer", "for")]


def test_cycle() -> None:
    found = validate(journey(node(WAIT, next="send"), node(SEND, next="wait")), surroundings())
    assert [(one.code, one.node, one.field) for one in found] == [("cycle", "send", "next")]
    assert "wait -> send -> wait" in found[0].sentence


def test_cycle_of_a_node_that_leads_to_itself() -> None:
    assert said(journey(node(WAIT, next="wait"))) == [("cycle", "wait", "next")]


def test_a_cycle_far_from_the_entry_is_found_too() -> None:
    found = said(journey(WAIT, END, node(WAIT, id="a", next="b"), node(WAIT, id="b", next="a")))
    assert [one for one in found if one[0] == "cycle"] == [("cycle", "b", "next")]


def test_unreachable() -> None:
    assert said(journey(WAIT, END, node(SEND, id="alone"))) == [("unreachable", "alone", "id")]


def test_a_long_journey_is_judged_without_a_deep_recursion() -> None:
    chain = [node(WAIT, id=f"w{index}", for_="PT1M", next=f"w{index + 1}") for index in range(3000)]
    assert said(journey(*chain, {"id": "w3000", "kind": "end"})) == [("too_many_nodes", "", "nodes")]


# ---- lengths --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1 day", "P1M", "P1Y", "-P1D", "P0D", "PT", "P"])
def test_duration_invalid(text: str) -> None:
    assert said(journey(node(WAIT, for_=text), END)) == [("duration_invalid", "wait", "for")]
    assert said(journey(node(BUY, timeout={"after": text}), END)) == [("duration_invalid", "buy", "timeout.after")]
    assert said(journey(WAIT, END, global_timeout=text)) == [("duration_invalid", "", "global_timeout")]


def test_duration_too_long_is_longer_than_the_global_timeout() -> None:
    assert said(journey(node(WAIT, for_="P91D"), END)) == []
    assert said(journey(node(WAIT, for_="P92D"), END)) == [("duration_too_long", "wait", "for")]
    assert said(journey(node(WAIT, for_="P2D"), END, global_timeout="P1D")) == [("duration_too_long", "wait", "for")]


# ---- segments, events, messages -------------------------------------------------------------------------------------------------


def test_unknown_segment() -> None:
    assert said(journey(WAIT, END), segments={}) == [("unknown_segment", "read", "segment")]


def test_unknown_event() -> None:
    assert said(journey(BUY, END), events={}) == [("unknown_event", "buy", "event")]


def test_unknown_message() -> None:
    assert said(journey(SEND, END), messages={}) == [("unknown_message", "send", "message")]


def test_event_ambiguous_by_name_and_by_rule() -> None:
    definition = purchase_definition(match="Order Completed")
    assert said(journey(BUY, END), events={"purchase": definition}) == [("event_ambiguous", "buy", "event")]


def test_field_missing_in_an_event_that_nothing_describes_or_that_names_nobody() -> None:
    for lacking in ({"rule": None}, {"key": ""}):
        assert said(journey(BUY, END), events={"purchase": purchase_definition(**lacking)}) == [("field_missing", "buy", "event")]


def test_namespace_missing_in_an_event() -> None:
    assert said(journey(BUY, END), events={"purchase": purchase_definition(namespace="")}) == [("namespace_missing", "buy", "event")]


def test_namespace_differs() -> None:
    assert said(journey(BUY, END), events={"purchase": purchase_definition(namespace="crm")}) == [("namespace_differs", "buy", "event")]


def test_message_empty() -> None:
    empty = [
        {"id": "first-message"},
        {"id": "first-message", "class": "transactional", "email": {"subject": "Hello"}},
        {"id": "first-message", "class": "transactional", "email": {"html": "<p>Hello</p>"}},
        {"id": "first-message", "push": {"url": "https://example.org"}},
    ]
    for document in empty:
        written = message("first-message").model_validate(document)
        assert said(journey(SEND, END), messages={"first-message": written}) == [("message_empty", "send", "message")]


@pytest.mark.parametrize("text", ["{{ profile.city", "{% if %}", "{{ profile.city | shout }}", "{{ customer.city }}"])
def test_template_invalid(text: str) -> None:
    written = message("first-message", push={"title": text})
    assert said(journey(SEND, END), messages={"first-message": written}) == [("template_invalid", "send", "message")]


def test_undeclared_attribute_in_a_template() -> None:
    written = message("first-message", push={"title": "{{ profile.id }} {{ profile.first_nam }}{% if profile.city %}!{% endif %}"})
    found = validate(journey(SEND, END), surroundings(messages={"first-message": written}))
    assert [(one.code, one.grade, one.node, one.field) for one in found] == [("undeclared_attribute", "warning", "send", "message")]
    assert "profile.first_nam," in found[0].sentence


def test_no_unsubscribe_link_in_a_marketing_mail() -> None:
    written = message("first-message", "email")
    assert said(journey(SEND, END), messages={"first-message": written}) == [("no_unsubscribe_link", "send", "message")]
    linked = message("first-message", email={"subject": "Hello", "html": '<a href="{{ unsubscribe_url }}">stop</a>'})
    assert said(journey(SEND, END), messages={"first-message": linked}) == []


def test_sender_invalid() -> None:
    written = message("first-message", email={"from": "our shop", "subject": "Hello", "text": "{{ unsubscribe_url }}"})
    assert said(journey(SEND, END), messages={"first-message": written}) == [("sender_invalid", "send", "message")]


def test_class_differs() -> None:
    sends = node(SEND, message="thank-you")
    assert ("class_differs", "send", "message") in said(journey(sends, END, **{"class": "transactional"}))
    assert said(journey(SEND, END, **{"class": "transactional"})) == said(journey(SEND, END))


def test_transactional_in_review() -> None:
    held = node(SEND, hold_for_review=True)
    news, receipt = (message("first-message", "push", **{"class": kind}) for kind in ("marketing", "transactional"))
    assert said(journey(held, END), messages={"first-message": news}) == []
    found = ("transactional_in_review", "send", "hold_for_review")
    assert found in said(journey(held, END, **{"class": "transactional"}), messages={"first-message": news})
    assert said(journey(held, END), messages={"first-message": receipt}) == [found]


def test_channel_missing() -> None:
    assert said(journey(node(SEND, message="follow-up", channels=["push"]), END)) == [("channel_missing", "send", "channels[0]")]


def test_channel_twice() -> None:
    assert said(journey(node(SEND, channels=["push", "push"]), END)) == [("channel_twice", "send", "channels[1]")]


# ---- reactions ------------------------------------------------------------------------------------------------------------------


def test_unknown_reaction() -> None:
    for to in ("email.openned", "fax.opened", "opened"):
        assert said(journey(node(SEND, next="react"), node(REACT, to=to), END)) == [("unknown_reaction", "react", "to")]


@pytest.mark.parametrize("of", ["wait", "nothing", "after"])
def test_reaction_without_message(of: str) -> None:
    after = node(SEND, id="after")
    judged = journey(node(WAIT, next="react"), node(REACT, of=of, next="after"), after, END)
    assert said(judged) == [("reaction_without_message", "react", "of")]


def test_reaction_channel_missing() -> None:
    judged = journey(node(SEND, next="react", channels=["push"]), REACT, END)
    assert said(judged) == [("reaction_channel_missing", "react", "to")]
    judged = journey(node(SEND, next="react", message="thank-you"), REACT, END)
    assert said(judged) == [("reaction_channel_missing", "react", "to")]


def test_message_not_on_every_path_to_its_reaction() -> None:
    branches = [{"id": "vip", "when": "vip == true", "next": "send"}]
    choose = {"id": "choose", "kind": "condition", "branches": branches, "otherwise": "react"}
    assert said(journey(choose, node(SEND, next="react"), REACT, END)) == [("message_not_on_every_path", "react", "of")]


def test_loopback_links() -> None:
    for url in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000/", "http://0.0.0.0"):
        assert said(journey(SEND, END), public_url=url) == [("loopback_links", "", "")]
    assert said(journey(SEND, END), public_url="https://journeys.example.org") == []
    assert said(journey(WAIT, END), public_url="http://127.0.0.1:8000") == []


# ---- rules ----------------------------------------------------------------------------------------------------------------------


def test_rule_invalid() -> None:
    assert said(deciding("city ==")) == [("rule_invalid", "choose", "branches[0].when")]
    assert said(journey(node(BUY, where="product =="), END)) == [("rule_invalid", "buy", "where")]
    assert said(journey(WAIT, END), segments={"everybody": segment("everybody", "city in")}) == [("rule_invalid", "read", "segment")]


def test_rule_empty() -> None:
    empty = {"combinator": "and", "rules": []}
    assert said(journey(WAIT, END), segments={"everybody": segment("everybody", empty)}) == [("rule_empty", "read", "segment")]
    assert said(journey(node(BUY, where=empty), END)) == [("rule_empty", "buy", "where")]


def test_undeclared_attribute_is_a_warning() -> None:
    found = validate(deciding('town == "Atlanta"'), surroundings())
    assert [(one.code, one.grade) for one in found] == [("undeclared_attribute", "warning")]
    assert said(journey(WAIT, END), segments={"everybody": segment("everybody", "profile.town == city")}) == [
        ("undeclared_attribute", "read", "segment")
    ]


def test_undeclared_field_of_an_event_is_a_warning_when_fields_are_declared_at_all() -> None:
    judged = journey(node(BUY, where='colour == "red"'), END)
    found = validate(judged, surroundings())
    assert [(one.code, one.grade) for one in found] == [("undeclared_field", "warning")]
    assert said(judged, events={"purchase": purchase_definition(fields={})}) == []


@pytest.mark.parametrize(
    "written",
    [
        'birth_year == "1980"',
        'birth_year in [1980, "1981"]',
        "city > 3",
        "vip == 1",
        'city == "Atlanta" && birth_year == true',
        rule("birth_year", "contains", "19"),
        rule("vip", "<", 5),
        rule("vip", "beginsWith", "t"),
        {"field": "city", "operator": "=", "value": "birth_year", "valueSource": "field"},
    ],
)
def test_attribute_type(written: Any) -> None:
    assert said(deciding(written)) == [("attribute_type", "choose", "branches[0].when")]


@pytest.mark.parametrize(
    "written",
    ["birth_year > 1980.5", "profile.vip == true", 'joined >= "2024-01-01"', rule("birth_year", "null"), rule("city", "beginsWith", "A")],
)
def test_a_rule_that_fits_the_declared_types_has_no_finding(written: Any) -> None:
    assert said(deciding(written)) == []


def test_field_type_of_an_event() -> None:
    assert said(journey(node(BUY, where="product > 3"), END)) == [("field_type", "buy", "where")]


@pytest.mark.parametrize(
    "rules",
    [
        ("vip == true", "vip == true"),
        ("vip == true", {"combinator": "and", "rules": [rule("vip", "=", True)]}),
        ('city == "Atlanta" && city == "Seattle"',),
    ],
)
def test_branch_never_taken(rules: tuple[Any, ...]) -> None:
    found: tuple[Finding, ...] = validate(deciding(*rules), surroundings())
    last = len(rules) - 1
    assert [(one.code, one.grade, one.field) for one in found] == [("branch_never_taken", "warning", f"branches[{last}].when")]


def test_an_empty_branch_is_told_to_be_empty_and_never_taken() -> None:
    assert [one[0] for one in said(deciding({"combinator": "or", "rules": []}))] == ["rule_empty", "branch_never_taken"]
