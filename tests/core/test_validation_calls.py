"""What can be wrong with a node that writes a profile or calls a webhook, and with looking at an answer: one example for each code."""

from __future__ import annotations

from typing import Any

import pytest

from journey.graph import Journey
from journey.validation.judging import validate
from tests.builders import journey, message
from tests.core.test_validation import END, MESSAGES, SEND, deciding, node, said, segment, surroundings

UPDATE = {"id": "note", "kind": "update_profile", "set": {"vip": True}, "next": "end"}
CALL = {"id": "crm", "kind": "webhook", "url": "https://crm.example/people/{{ profile.id }}", "next": "end", "error": "end"}


def updating(**values: Any) -> Journey:
    return journey(node(UPDATE, set=values), END)


def calling(**changed: Any) -> Journey:
    return journey(node(CALL, **changed), END)


def test_both_are_supported() -> None:
    full = node(CALL, method="PUT", headers={"Authorization": "Bearer x"}, body='{"city": {{ profile.city | json }}}', error="end")
    assert said(journey(node(UPDATE, next="crm"), full, END)) == []
    assert said(updating(birth_year="{{ event.year }}", city={"field": "event.city"}, joined="2026-01-01", first_name=None)) == []


def test_field_missing_without_anything_to_write_or_an_address_to_call() -> None:
    assert said(updating()) == [("field_missing", "note", "set")]
    assert said(calling(url="", method="")) == [("field_missing", "crm", "url"), ("field_missing", "crm", "method")]
    assert said(updating(city={"field": ""})) == [("field_missing", "note", "set.city")]


def test_unknown_attribute() -> None:
    found = validate(updating(shoe_size=41), surroundings())
    assert [(one.code, one.grade, one.field) for one in found] == [("unknown_attribute", "error", "set.shoe_size")]


@pytest.mark.parametrize(
    "values", [{"birth_year": "1990"}, {"birth_year": True}, {"vip": 1}, {"city": 3}, {"joined": "soon"}, {"city": ["x"]}]
)
def test_attribute_type_of_a_constant(values: dict[str, Any]) -> None:
    assert said(updating(**values)) == [("attribute_type", "note", f"set.{next(iter(values))}")]


def test_template_invalid_names_the_line() -> None:
    found = validate(updating(city="{{ profile.city\n | shout }}"), surroundings())
    assert [(one.code, one.field) for one in found] == [("template_invalid", "set.city")]
    assert "set.city, line 2" in found[0].sentence
    for changed, field in (
        ({"url": "https://crm.example/{{ profil.id }}"}, "url"),
        ({"headers": {"X-Name": "{{ name }}"}}, "headers.X-Name"),
        ({"body": "{% if profile.vip %}"}, "body"),
    ):
        assert said(calling(**changed)) == [("template_invalid", "crm", field)]


def test_undeclared_attribute_that_is_read() -> None:
    assert said(updating(city="{{ profile.town }}")) == [("undeclared_attribute", "note", "set.city")]
    assert said(updating(city={"field": "profile.town"})) == [("undeclared_attribute", "note", "set.city")]
    assert said(calling(body="{{ profile.town | json }}")) == [("undeclared_attribute", "crm", "body")]


@pytest.mark.parametrize(
    "url",
    ["crm.example", "ftp://crm.example/", "https://", "https://{{ profile.city }}/", "https://{{ profile.city }}.example/x",
     "{{ event.url }}", "https://ada:secret@crm.example/", "https://crm.example:99999/"],
)  # fmt: skip
def test_webhook_url(url: str) -> None:
    assert ("webhook_url", "crm", "url") in said(calling(url=url))


def test_an_address_without_its_scheme_is_told_as_that() -> None:
    (found,) = validate(calling(url="crm.example:8080/people/{{ profile.id }}"), surroundings())
    assert found.sentence == "This is no address: write one as https://crm.example.com/people."


def test_webhook_method() -> None:
    assert said(calling(method="FETCH")) == [("webhook_method", "crm", "method")]


@pytest.mark.parametrize("name", ["X Source", "", "Host", "Webhook-Id", "Idempotency-Key", "content-length"])
def test_webhook_header(name: str) -> None:
    assert said(calling(headers={name: "x"})) == [("webhook_header", "crm", f"headers.{name}")]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "10.0.0.8", "169.254.169.254", "[::1]", "db.internal"])
def test_webhook_private_host_is_a_warning(host: str) -> None:
    found = validate(calling(url=f"http://{host}/x"), surroundings())
    assert [(one.code, one.grade, one.field) for one in found] == [("webhook_private_host", "warning", "url")]


def test_unknown_call() -> None:
    assert said(deciding("calls.crm.status == 200")) == [("unknown_call", "choose", "branches[0].when")]
    assert said(updating(city="{{ calls.crm.body.city }}")) == [("unknown_call", "note", "set.city")]
    assert said(updating(city={"field": "calls.crm.body.city"})) == [("unknown_call", "note", "set.city")]
    assert said(calling(body="{{ calls.crm.body | json }}")) == [("unknown_call", "crm", "body")], "its own answer comes later"
    shown = {"messages": MESSAGES | {"first-message": message("first-message", push={"title": "{{ calls.crm.body.name }}"})}}
    assert said(journey(SEND, END), **shown) == [("unknown_call", "send", "message")]
    assert said(journey(node(CALL, next="send"), SEND, END), **shown) == []
    assert said(journey(node(SEND, next="crm"), CALL, END), **shown) == [("unknown_call", "send", "message")]


def test_an_answer_may_be_looked_at_by_a_name_that_a_rule_can_write() -> None:
    choose = {"id": "choose", "kind": "condition", "branches": [{"id": "b", "when": "calls.get_score.body.score > 5", "next": "end"}]}
    choose["otherwise"] = "end"
    assert said(journey(node(CALL, id="get-score", next="choose"), choose, END)) == []


def test_field_out_of_reach_where_no_webhook_can_have_answered_and_no_event_has_let_anybody_in() -> None:
    assert said(journey(CALL, END), segments={"everybody": segment("everybody", "calls.crm.status == 200")}) == [
        ("field_out_of_reach", "read", "segment")
    ]
    assert said(calling(body="{{ entry.id | json }}")) == [("field_out_of_reach", "crm", "body")]
    assert said(updating(city={"field": "entry.city"})) == [("field_out_of_reach", "note", "set.city")]
