"""Webhooks and profile updates in scenarios, in what a command line says, and among many people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from journey.calls import Response
from journey.errors import BadInput
from journey.simulation import judging, population, script_text
from journey.simulation import rates as population_rates
from journey.simulation.scenarios import Scenario
from journey.simulation.story import World
from journey.version import Version
from tests.builders import message, profile, rule, version

WORLD = World(messages={"vip": message("vip", "email")})
NODES = (
    {"id": "get-score", "kind": "webhook", "url": "https://crm.example/", "next": "which", "error": "note"},
    {"id": "which", "kind": "condition", "branches": [{"id": "high", "when": rule("calls.get_score.body.score", ">", 5), "next": "note"}]},
    {"id": "note", "kind": "update_profile", "set": {"score": "{{ calls.get_score.body.score }}"}, "next": "vip"},
    {"id": "vip", "kind": "message", "message": "vip"},
)
DRAWN = Version(journey=version(*NODES).journey, events={}, writes={"score": "integer"})


def scenario(expect: dict[str, Any], **more: Any) -> Scenario:
    return Scenario.model_validate({"journey": "small", "expect": expect} | more)


def differs(one: Scenario) -> list[str]:
    assert judging.mistakes(one, DRAWN, WORLD) == ()
    person, world = judging.around(one, profile(), WORLD)
    return [found.field for found in judging.judge(one, judging.play(one, DRAWN, person, world))]


def mistaken(**more: Any) -> dict[str, str]:
    found = judging.mistakes(scenario({"end": "finished"}, **more), DRAWN, WORLD)
    return {one.path: one.sentence for one in found}


def test_a_scenario_says_what_a_webhook_answers_and_expects_what_the_profile_holds_then() -> None:
    high = {"get-score": {"status": 200, "body": {"score": 7}}}
    expect = {
        "path": ["read", "get-score", "which:high", "note", "vip"], "attributes": {"score": 7, "shoe_size": None},
        "deliveries": [{"node": "get-score", "channel": "webhook"}, {"message": "vip"}],
    }  # fmt: skip
    assert differs(scenario(expect, responses=high)) == []
    assert differs(scenario(expect, responses={"get-score": {"body": {"score": 6}}})) == ["attributes"]
    assert differs(scenario(expect)) == ["path", "deliveries", "attributes"]


def test_a_webhook_may_be_refused_or_answer_no() -> None:
    gone = {
        "path": ["read", "get-score:error", "note:error"],
        "deliveries": [{"node": "get-score", "status": "failed", "reason": "call_refused"}],
    }
    assert differs(scenario(gone | {"end": "error"}, answers={"get-score.webhook": "refused"})) == []
    assert differs(scenario(gone | {"end": "error"}, responses={"get-score": {"status": 404}})) == []


def test_mistakes_about_webhooks_are_told() -> None:
    assert mistaken(responses={"vip": {}}) == {"responses.vip": "vip is no webhook of small."}
    assert mistaken(answers={"get-score.email": "refused"}) == {
        "answers.get-score.email": "get-score is a webhook: write get-score.webhook."
    }
    assert "never uncertain" in mistaken(answers={"get-score.webhook": "uncertain"})["answers.get-score.webhook"]


def test_a_command_line_says_what_webhooks_answer() -> None:
    assert script_text.responses(['get-score=200 {"score": 7}'], DRAWN) == {"get-score": Response(200, {"score": 7})}
    assert script_text.responses(["get-score=404"], DRAWN) == {"get-score": Response(404)}
    for wrong in ("get-score", "get-score=ok", "vip=200", "get-score=200 {", "get-score=99", "nobody=200"):
        with pytest.raises(BadInput):
            script_text.responses([wrong], DRAWN)


def test_of_many_people_a_share_of_the_calls_fails_and_is_counted() -> None:
    world = replace(WORLD, responses={"get-score": Response(200, {"score": 7})})
    rates = population_rates.read(["webhook.failed=0.25"], DRAWN, ("email", "webhook"))
    found = population.walk_all(DRAWN, lambda number: profile(f"c-{number}"), world, rates, people=400, seed=1)
    called = next(node for node in found.report.nodes if node.node == "get-score")
    assert called.channels["webhook"].sent + called.channels["webhook"].failed == 400
    assert 60 < called.channels["webhook"].failed < 140
    assert called.left == {"error": called.channels["webhook"].failed, "next": called.channels["webhook"].sent}
    with pytest.raises(BadInput, match=r"nobody does webhook\.opened"):
        population_rates.read(["webhook.opened=0.5"], DRAWN, ("email", "webhook"))
    with pytest.raises(BadInput, match="vip is no webhook"):
        population_rates.read(["webhook.failed:vip=0.5"], DRAWN, ("email", "webhook"))
