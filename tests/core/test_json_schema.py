"""The schemas say the same as the models, on the example and on what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from journey import documents, json_schema
from journey.messages import MessageDocument

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"


def validator(document: str) -> Draft202012Validator:
    made = json_schema.schema(document)
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def example(path: str) -> Any:
    return documents.read((EXAMPLE / path).read_text(encoding="utf-8")).data


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("attributes", "attributes.yaml"),
        ("segment", "segments/three-cities-after-1980.yaml"),
        ("event", "events/purchase.yaml"),
        ("message", "messages/first-message.yaml"),
        ("message", "messages/thank-you.yaml"),
        ("journey", "journeys/thank-you.yaml"),
        ("scenario", "scenarios/opens-the-email.yaml"),
    ],
)
def test_the_example_fits_its_schemas(document: str, path: str) -> None:
    validator(document).validate(example(path))


def test_each_profile_of_the_example_fits_its_schema() -> None:
    check = validator("profile")
    for line in (EXAMPLE / "profiles.ndjson").read_text(encoding="utf-8").splitlines():
        check.validate(json.loads(line))


def test_every_document_has_a_schema_with_a_title() -> None:
    assert {name: made["title"] for name, made in json_schema.schemas().items()} == {
        name: f"Sojourn {name}" for name in ("attributes", "policies", "segment", "event", "message", "journey", "profile", "scenario")
    }


@pytest.mark.parametrize(
    "node",
    [
        {"id": "x", "kind": "parallel"},
        {"id": "x", "kind": "wait", "for": 3},
        {"id": "x", "kind": "wait", "duration": "P1D"},
        {"id": "x", "kind": "wait", "until": 5},
        {"id": "x", "kind": "wait", "until": {"weekdays": ["monday"]}},
        {"id": "x", "kind": "wait", "until": {"hours": "09:00-10:00", "zone": "shop"}},
        {"id": "x", "kind": "split", "shares": [{"id": "a", "percent": "50"}]},
        {"id": "x", "kind": "event", "where": {"did": "e", "at_least": "2"}},
        {"id": "x", "kind": "message", "mesage": "m"},
        {"id": "X", "kind": "end"},
        {"id": "x", "kind": "event", "next": 3},
        {"id": "x", "kind": "event", "where": {"field": "a", "operator": "~"}},
        {"kind": "end"},
    ],
)
def test_what_the_model_refuses_the_schema_refuses_too(node: dict[str, Any]) -> None:
    assert not validator("journey").is_valid({"id": "small", "nodes": [node]})


@pytest.mark.parametrize(
    "node",
    [
        {"id": "x", "kind": "event", "event": "e", "next": ["a", "b"], "timeout": {"after": "P1D", "next": "c"}},
        {"id": "x", "kind": "event", "where": "a == 1"},
        {"id": "x", "kind": "event", "where": {"did": "e", "within": "P1D", "at_least": 2, "where": {"field": "a", "operator": "null"}}},
        {"id": "x", "kind": "event", "where": {"rules": [{"in_segment": "vip"}]}},
        {"id": "x", "kind": "wait", "until": "2026-12-01T09:00"},
        {"id": "x", "kind": "wait", "until": {"field": "profile.day", "spread": "PT1H"}},
        {"id": "x", "kind": "wait", "until": {"hours": "09:00-17:00", "weekdays": ["mon..fri", "sun"], "zone": "profile"}},
        {"id": "x", "kind": "split", "shares": [{"id": "a", "percent": 33.3, "next": "b"}]},
        {
            "id": "x",
            "kind": "event",
            "where": {"combinator": "and", "not": True, "rules": [{"field": "a", "operator": "null"}]},
        },
        {"id": "x", "kind": "condition", "branches": [{"id": "b", "when": "a == 1", "next": "c"}], "otherwise": "d"},
        {"id": "x", "kind": "wait", "for": "P1D", "position": {"x": 1, "y": 2.5}},
    ],
)
def test_what_the_model_takes_the_schema_takes_too(node: dict[str, Any]) -> None:
    validator("journey").validate({"id": "small", "nodes": [node]})


def test_a_message_promises_one_of_two_things_or_nothing() -> None:
    check = validator("message")
    for promise in ({}, {"promise": "never_twice"}, {"promise": "never_lost"}):
        check.validate({"id": "hello", "push": {"title": "Hello"}} | promise)
        assert MessageDocument.model_validate({"id": "hello"} | promise).may_repeat == (promise.get("promise") == "never_lost")
    assert not check.is_valid({"id": "hello", "promise": "perhaps"})


def test_policies_are_taken_with_one_of_a_thing_or_several() -> None:
    check = validator("policies")
    quiet = {"from": "21:00", "to": "08:00", "channels": "email"}
    for written in ({}, {"quiet_hours": quiet}, {"quiet_hours": [quiet, quiet | {"channels": ["push"]}]}):
        check.validate({"caps": [{"id": "weekly", "channels": "all", "most": 3, "within": "P7D"}]} | written)
    assert not check.is_valid({"caps": [{"id": "weekly", "most": 0}]})
    assert not check.is_valid({"quiet_hours": {"from": "21:00", "then": "forget"}})
