"""What a test session makes of a journey: short waits, forced branches, and nothing else changed."""

from __future__ import annotations

from typing import Any

import pytest

from journey import squeezing, walk
from journey.errors import BadInput
from journey.graph import Journey, Timeout, Wait
from journey.until import UntilRule
from journey.version import Session, Version
from tests import builders
from tests.builders import rule, use_case, version

SPLIT = {"id": "ways", "kind": "split", "shares": [{"id": "a", "percent": 60, "next": "end"}, {"id": "b", "percent": 40, "next": "other"}]}
END, OTHER = {"id": "end", "kind": "end"}, {"id": "other", "kind": "end"}


def squeezed(of: Version, **session: Any) -> Version:
    return squeezing.squeeze(of, Session(**session))


def listen(of: Version, place: str) -> walk.Listen:
    found = walk.ask(of.journey, place)
    assert isinstance(found, walk.Listen)
    return found


def test_the_day_for_opening_becomes_forty_seconds_and_the_way_stays() -> None:
    before, after = use_case(), squeezed(use_case())

    gate = listen(after, "push-opened+email-opened")
    assert (gate.length, gate.due) == (40, walk.Outcome("email-opened", "timeout"))
    assert listen(after, "purchase").length is None
    assert after.journey.global_timeout == before.journey.global_timeout
    kept = [(node.id, node.kind) for node in before.journey.nodes]
    assert [(node.id, node.kind) for node in after.journey.nodes] == kept


def test_a_wait_and_a_timeout_without_a_reaction_become_ten_seconds() -> None:
    journey = version(
        {"id": "pause", "kind": "wait", "for": "P3D", "next": "buy"},
        {"id": "buy", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P7D"}},
        END,
    )
    after = squeezed(journey)
    assert listen(after, "pause").length == 10
    assert listen(after, "buy").length == 10


def test_a_wait_beside_a_reaction_becomes_forty_seconds_too() -> None:
    journey = version(
        {"id": "first", "kind": "message", "message": "first-message", "next": ["opened", "pause"]},
        {"id": "opened", "kind": "reaction", "of": "first", "to": "email.opened", "next": "end"},
        {"id": "pause", "kind": "wait", "for": "P1D", "next": "later"},
        {"id": "later", "kind": "wait", "for": "P1D", "next": "end"},
        END,
    )
    after = squeezed(journey)
    assert listen(after, "opened+pause").length == 40
    assert listen(after, "later").length == 10


def test_the_lengths_are_those_of_the_session() -> None:
    assert listen(squeezed(use_case(), wait=1, reaction_wait=2), "push-opened+email-opened").length == 2


@pytest.mark.parametrize("until", ["2031-01-01T00:00:00Z", {"field": "profile.renewal"}, {"from": "09:00", "to": "17:00"}])
def test_a_wait_until_something_becomes_ten_seconds(until: Any) -> None:
    wait = Wait.model_construct(id="pause", kind="wait", name="Pause", until=until, next=("end",))
    plain = version({"id": "pause", "kind": "wait", "for": "P1D", "next": "end"}, END)
    nodes = tuple(wait if node.id == "pause" else node for node in plain.journey.nodes)
    journey = plain.journey.model_copy(update={"nodes": nodes})
    journey.__dict__.pop("by_id", None)

    after = squeezed(plain.model_copy(update={"journey": journey}))
    assert listen(after, "pause").length == 10
    assert after.journey.node("pause").name == "Pause"


def test_a_wait_for_a_rule_listens_on_and_its_timeout_is_squeezed() -> None:
    plain = version({"id": "rich", "kind": "wait", "for": "P1D", "next": "end"}, END)
    wait = Wait(id="rich", kind="wait", until=UntilRule(rule=rule("points", ">", 100)), next=("end",), timeout=Timeout(after="P30D"))
    nodes = tuple(wait if node.id == "rich" else node for node in plain.journey.nodes)
    journey = Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": nodes})

    after = squeezed(plain.model_copy(update={"journey": journey})).journey.node("rich")
    assert isinstance(after, Wait)
    assert (after.until, after.timeout) == (wait.until, Timeout(after="PT10S"))


def test_who_ended_a_gate_before_still_ends_it() -> None:
    journey = version(
        {"id": "long", "kind": "wait", "for": "P3D", "next": "end"},
        {"id": "buy", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D", "next": "other"}},
        END, OTHER, entry=["long", "buy"],
    )  # fmt: skip
    gate = listen(squeezed(journey), "long+buy")
    assert (gate.length, gate.due) == (10, walk.Outcome("buy", "timeout"))


def test_a_split_is_forced_where_the_session_says_so() -> None:
    after = squeezed(version(SPLIT, END, OTHER), branches={"ways": "b"})
    assert [(share.id, share.percent) for share in after.journey.node("ways").shares] == [("a", 0), ("b", 100)]  # type: ignore[union-attr]
    assert squeezed(version(SPLIT, END, OTHER)).journey.node("ways") == builders.journey(SPLIT, END, OTHER).node("ways")


@pytest.mark.parametrize(
    ("branches", "said"),
    [
        ({"nowhere": "a"}, "'nowhere' is no split of small: it has ways."),
        ({"ways": "c"}, "'c' is no share of ways: it has a, b."),
        ({"end": "a"}, "'end' is no split of small: it has ways."),
    ],
)
def test_a_branch_that_is_not_there_is_refused(branches: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        squeezed(version(SPLIT, END, OTHER), branches=branches)
    assert refused.value.sentence == said


def test_conditions_and_events_stay_as_they_are() -> None:
    condition = {"id": "adult", "kind": "condition", "branches": [{"id": "yes", "when": rule("age", ">", 17), "next": "end"}]}
    before = version(condition, END)
    after = squeezed(before)
    assert after.journey.node("adult") == before.journey.node("adult")
    assert after.events == before.events


def test_what_is_squeezed_is_read_back_as_it_was_kept() -> None:
    after = squeezed(use_case(), branches={})
    assert Version.model_validate_json(after.canonical) == after
    assert Version.model_validate_json(after.canonical).session == Session()
    assert after.hash != use_case().hash
    assert use_case().session is None
