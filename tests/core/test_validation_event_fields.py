"""A name that no event declares is told wherever a node reads it: a slip there waits for nothing, or sends to nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from journey.events import EventDefinition
from journey.graph import Journey
from journey.validation.judging import validate
from tests.builders import message
from tests.core.test_validation import END, MESSAGES, SEND, entered_by_event, node, surroundings

PURCHASE = {"id": "purchase", "match": "purchase", "namespace": "customer_id", "key": "customer_id"}
FIELDS = {"customer_id": "string", "product": "string", "total": "number", "ships_at": "datetime", "address.city": "string"}
AROUND: dict[str, Any] = {"events": {"purchase": EventDefinition.model_validate(PURCHASE | {"fields": FIELDS})}}
UNTIL = {"id": "wait", "kind": "wait", "next": "end"}
NOTE = {"id": "note", "kind": "update_profile", "next": "end"}
CALL = {"id": "crm", "kind": "webhook", "url": "https://crm.example/x", "method": "POST", "next": "end", "error": "end"}
ASK = {"id": "ask", "kind": "condition", "branches": [{"id": "b", "when": "event.totl > 3", "next": "end"}], "otherwise": "end"}


def told(one: dict[str, Any], **changed: Any) -> list[tuple[str, str, str, str]]:
    found = validate(entered_by_event(one, END), surroundings(**(AROUND | changed)))
    return [(finding.code, finding.grade, finding.field, finding.sentence) for finding in found]


@pytest.mark.parametrize(
    ("reads", "field", "meant"),
    [
        (node(UNTIL, until={"field": "event.ship_at", "before": "P1D"}), "until.field", "ships_at"),
        (node(UNTIL, until={"field": "entry.ship_at"}), "until.field", "ships_at"),
        (node(NOTE, set={"city": "{{ event.prodct }}"}), "set.city", "product"),
        (node(NOTE, set={"city": {"field": "entry.prodct"}}), "set.city", "product"),
        (node(CALL, body='{"total": {{ entry.totl | json }}}'), "body", "total"),
        (node(CALL, url="https://crm.example/{{ event.totl }}"), "url", "total"),
        (node(CALL, headers={"X-Total": "{{ event.totl }}"}), "headers.X-Total", "total"),
        (ASK, "branches[0].when", "total"),
    ],
)
def test_a_slip_in_the_name_of_a_field_is_told_with_what_was_meant(reads: dict[str, Any], field: str, meant: str) -> None:
    ((code, grade, where, sentence),) = told(reads)
    assert (code, grade, where) == ("undeclared_field", "warning", field)
    assert sentence.endswith(f"Perhaps {meant} is meant.")


def test_a_slip_in_a_message_is_told_at_the_node_that_sends_it() -> None:
    shown = message("first-message", "push", push={"title": "{{ event.prodct }}", "body": "{{ entry.prodct }}, {{ entry.address.city }}"})
    found = told(SEND, messages=MESSAGES | {"first-message": shown})
    assert [(code, field) for code, _, field, _ in found] == [("undeclared_field", "message")] * 2
    assert all("Perhaps product is meant." in sentence for *_, sentence in found)


def test_a_wait_for_a_field_that_holds_no_time_is_an_error() -> None:
    assert [found[:3] for found in told(node(UNTIL, until={"field": "event.total"}))] == [("field_type", "error", "until.field")]
    assert told(node(UNTIL, until={"field": "event.ships_at"})) == []


def test_nothing_is_said_where_an_event_that_may_lead_here_declares_no_fields() -> None:
    bare = EventDefinition.model_validate(PURCHASE)
    assert told(node(UNTIL, until={"field": "event.ship_at"}), events={"purchase": bare}) == []


def test_a_field_that_any_event_on_the_way_declares_is_none_that_is_missing() -> None:
    other = EventDefinition.model_validate(PURCHASE | {"id": "return", "match": "return", "fields": {"reason": "string"}})
    back = {"id": "back", "kind": "event", "event": "return", "next": "note", "timeout": {"after": "P1D"}}
    judged = entered_by_event(back, node(NOTE, set={"city": "{{ event.reason }} {{ event.product }}"}), END)
    assert not validate(judged, surroundings(events=AROUND["events"] | {"return": other}))


def test_whoever_jumps_here_brings_the_event_of_the_journey_that_they_come_from() -> None:
    other = EventDefinition.model_validate(PURCHASE | {"id": "return", "match": "return", "fields": {"reason": "string"}})
    back = {"id": "back", "kind": "event", "event": "return", "next": "jump"}
    jump = {"id": "jump", "kind": "jump"}
    judged = entered_by_event(node(NOTE, set={"city": "{{ entry.reason }} {{ event.product }}"}), END)
    around = surroundings(events=AROUND["events"] | {"return": other})
    assert [found.code for found in validate(judged, around)] == ["undeclared_field"]
    comes = Journey.model_validate({"id": "returns", "namespace": "customer_id", "nodes": [back, {**jump, "journey": judged.id}]})
    assert not validate(judged, replace(around, journeys={"returns": comes}))
