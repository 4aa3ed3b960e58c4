"""Rules over the past as stories: what somebody did before, which segment they are in, what time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from journey import past
from journey.events import EventDefinition, Instant
from journey.rule_explaining import as_data, explain
from journey.rule_text import parse
from journey.rules import Scope
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from tests import builders
from tests.builders import DAY, HOUR, SECOND, THANKS, profile

END = {"id": "end", "kind": "end"}
MONDAY = int(datetime(2026, 1, 5, 14, tzinfo=UTC).timestamp()) * 1_000_000
"""9:00 in New York."""
PURCHASE = builders.purchase_definition()


def buys(at: Instant, **data: Any) -> Occurs:
    return Occurs(at, "sale", THANKS | data)


def asked(rule: str, *happenings: Happening, after: str = "P1D", begins: Instant = MONDAY, segments: dict[str, str] | None = None) -> bool:
    """Is the rule true of somebody at a condition behind a wait?"""
    version = builders.version(
        {"id": "hello", "kind": "message", "message": "hello", "next": "pause"},
        {"id": "pause", "kind": "wait", "for": after, "next": "choose"},
        {"id": "choose", "kind": "condition", "branches": [{"id": "yes", "when": rule, "next": "end"}], "otherwise": "end"},
        END,
        definitions=[PURCHASE, EventDefinition(id="refund", match="refund")],
        timezone="America/New_York",
    )
    trees = {name: parse(text) for name, text in (segments or {}).items()}
    world = World(messages={"hello": builders.message("hello", "email")}, definitions=(PURCHASE,), begins=begins, segments=trees)
    return "choose:yes" in simulate(version, profile(), Script(happenings), world).path


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ('did("purchase")', True),
        ('did("refund")', False),
        ('did("purchase", {at_least: 2})', True),
        ('did("purchase", {at_least: 3})', False),
        ('did("purchase", {within: "PT22H", at_least: 2})', True),  # at the very edge
        ('did("purchase", {within: "PT79199S", at_least: 2})', False),
        ('did("purchase", {where: product == "Rug"})', True),
        ('did("purchase", {where: product == "Rug", at_least: 2})', False),
        ('did("email.opened")', True),
        ('did("push.opened")', False),
        ('in_segment("buyers") && !in_segment("strangers")', True),
    ],
)
def test_a_condition_asks_what_somebody_did(rule: str, true: bool) -> None:
    happens = (buys(2 * HOUR), Reacts(3 * HOUR, "hello", "email.opened"), buys(5 * HOUR, product="Rug"), buys(2 * DAY))
    segments = {"buyers": 'did("purchase") && city == "Atlanta"', "strangers": '!in_segment("buyers")'}
    assert asked(rule, *happens, segments=segments) is true


def test_an_event_that_came_twice_was_done_once() -> None:
    twice = Occurs(HOUR, "sale", THANKS, "p-1")
    assert not asked('did("purchase", {at_least: 2})', twice, Occurs(2 * HOUR, "sale", THANKS, "p-1"))


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ("now.hour == 9", True), ('now.weekday == "tue"', True), ('now.date == "2026-01-06"', True), ('now.time == "09:00"', True),
        ('now.weekday in ["sat", "sun"]', False), ('now.date >= "2026-01-07"', False), ("now.hour < 9", False),
    ],
)  # fmt: skip
def test_a_condition_looks_at_the_clock_of_the_journey(rule: str, true: bool) -> None:
    assert asked(rule) is true


# ---- in the where of an event ------------------------------------------------------------------------------------------------------


def waits(where: str, *happenings: Happening, begins: Instant = MONDAY) -> Story:
    version: Version = builders.version(
        {"id": "buy", "kind": "event", "event": "purchase", "where": where, "next": "end", "timeout": {"after": "P7D"}}, END,
        timezone="America/New_York",
    )  # fmt: skip
    world = World(definitions=(PURCHASE,), begins=begins, segments={"buyers": parse('did("purchase")')})
    return simulate(version, profile(), Script(happenings), world)


@pytest.mark.parametrize("where", ['did("purchase")', 'in_segment("buyers")', 'did("purchase", {within: "PT1H"})'])
def test_an_event_does_not_count_itself_but_what_was_before_it(where: str) -> None:
    told = waits(where, buys(HOUR), buys(2 * HOUR))
    assert [effect.code for effect in told.effects] == ["nobody_listening", "decided"]
    assert told.ended_at == 2 * HOUR


def test_what_comes_at_the_same_instant_is_not_before() -> None:
    told = waits('did("purchase")', buys(HOUR), buys(HOUR), buys(HOUR + 1))
    assert [effect.code for effect in told.effects] == ["nobody_listening", "nobody_listening", "decided"]


def test_an_event_is_asked_about_the_hour_at_which_it_came() -> None:
    told = waits("now.hour >= 12", buys(3 * HOUR - SECOND), buys(3 * HOUR))
    assert [effect.code for effect in told.effects] == ["nobody_listening", "decided"]


def test_a_kept_event_is_asked_about_what_was_before_it_and_not_before_the_arrival() -> None:
    version = builders.version(
        {"id": "hello", "kind": "message", "message": "hello", "next": "buy"},
        {"id": "buy", "kind": "event", "event": "purchase", "where": '!did("purchase")', "next": "end", "timeout": {"after": "P1D"}},
        END,
    )
    world = World(messages={"hello": builders.message("hello", "email")}, definitions=(PURCHASE,))
    told = simulate(version, profile(), Script((buys(0), buys(SECOND)), stops={"hello": 5 * SECOND}), world)
    assert [effect.code for effect in told.effects] == ["decided", "nobody_listening"]


# ---- why -------------------------------------------------------------------------------------------------------------------------


def test_why_says_how_often_something_was_done_and_of_what_somebody_is_a_member() -> None:
    rule = parse('did("purchase", {within: "P7D", at_least: 2}) || (in_segment("vip") && city == "Bern")')
    scope = Scope.of_profile({"city": "Bern"})
    told = as_data(explain(rule, scope))
    assert (told["verdict"], told["combinator"]) == (False, "or")
    assert told["parts"][0] == {
        "verdict": False, "field": "did purchase", "operator": ">=", "found": 0, "wanted": 2,
        "why": "purchase was done 0 times within P7D",
    }  # fmt: skip
    assert [part["found"] for part in told["parts"][1]["parts"]] == [False, "Bern"]


# ---- where nobody knows the past -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ('did("purchase") && city == "Bern"', True),
        ('!did("purchase") && city == "Bern"', True),
        ('did("purchase") && city == "Basel"', False),
        ('!(did("purchase") || city == "Bern")', False),
        ('in_segment("buyers") && !did("purchase", {within: "P30D"})', True),
        ('!in_segment("strangers")', True),
        ('in_segment("gone") || in_segment("round")', False),
        ('!in_segment("gone")', True),
    ],
)
def test_of_somebody_whose_past_nobody_knows_a_rule_may_hold(rule: str, true: bool) -> None:
    named = {"buyers": 'did("purchase") && city == "Bern"', "strangers": 'city == "Basel"', "round": 'in_segment("round")'}
    segments = {name: parse(text) for name, text in named.items()}
    assert past.may_hold(parse(rule), Scope.of_profile({"city": "Bern"}), segments) is true
