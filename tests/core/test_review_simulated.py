"""In a simulation what is held for review goes at once, unless the script reviews it; and a test session holds nothing."""

from __future__ import annotations

import pytest

from journey import diff, squeezing
from journey.diagrams import diagram
from journey.diff import Side
from journey.errors import BadInput
from journey.simulation import script_text
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Reviews, Script, Story, World
from journey.version import Session, Version
from tests.builders import DAY, HOUR, START, message, profile, version

WRITES = version(
    {"id": "write", "kind": "message", "message": "news", "hold_for_review": True, "next": "rest"},
    {"id": "rest", "kind": "wait", "for": "P1D", "next": "end"},
    {"id": "end", "kind": "end"},
)


LATER = version({"id": "rest", "kind": "wait", "for": "P1D", "next": "write"}, WRITES.journey.node("write").model_dump(exclude={"next"}))


def told(*happenings: Happening, by: Version = WRITES) -> Story:
    return simulate(by, profile("ada"), Script(happenings), World({"news": message("news", "email", "push")}, begins=START))


def ends(story: Story) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in story.deliveries]


def moments(story: Story) -> list[tuple[int, str]]:
    return [(moment.at, moment.sentence) for moment in story.timeline]


def test_where_nobody_reviews_it_goes_at_once_and_the_story_says_so() -> None:
    story = told()
    assert ends(story) == [("sent", "")] * 2
    assert (0, "news: held for review, and approved at once, since nobody reviews here") in moments(story)
    assert story.ended_at == DAY


def test_approved_it_goes_then_and_the_clock_behind_it_starts() -> None:
    story = told(Reviews(2 * HOUR, "write", "approve"), Reviews(3 * HOUR, "write", "discard"))
    assert ends(story) == [("sent", "")] * 2
    assert [effect.code for effect in story.effects] == ["approved", "no_effect"]
    assert (0, "news: email waits for somebody to review it, push waits for somebody to review it") in moments(story)
    assert story.ended_at == 2 * HOUR + DAY


def test_discarded_it_is_left_out_and_its_person_goes_on() -> None:
    story = told(Reviews(2 * HOUR, "write", "discard"))
    assert ends(story) == [("excluded", "discarded_in_review")] * 2
    assert story.path == ("read:next", "write:next", "rest:next")


def test_reviewed_too_early_it_waits_until_its_person_ends() -> None:
    story = told(Reviews(HOUR, "write", "approve"), by=LATER)
    assert [effect.code for effect in story.effects] == ["no_effect"]
    assert (story.end, ends(story)) == ("global_timeout", [("excluded", "ended")] * 2)


def test_a_script_says_it_in_words() -> None:
    assert script_text.happenings(["PT2H approve write", "P1D discard"], WRITES) == (
        Reviews(2 * HOUR, "write", "approve"), Reviews(DAY, "write", "discard"),
    )  # fmt: skip
    for wrong in ("PT2H approve rest", "PT2H discard nothing"):
        with pytest.raises(BadInput, match="there are: write"):
            script_text.happening(wrong, 0, WRITES)


def test_a_test_session_holds_nothing_for_review() -> None:
    node = squeezing.squeeze(WRITES, Session()).journey.node("write")
    assert not getattr(node, "hold_for_review", True)


def test_it_is_seen_in_the_picture_and_in_a_comparison() -> None:
    (box,) = [box for box in diagram.draw(WRITES.journey).boxes if box.id == "write"]
    assert box.detail == "news · held for review"
    sends = version(
        {"id": "write", "kind": "message", "message": "news", "next": "rest"},
        {"id": "rest", "kind": "wait", "for": "P1D", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    (changed,) = diff.compare(Side(sends.journey, sends.events), Side(WRITES.journey, WRITES.events))
    assert (changed.node, "hold_for_review" in changed.sentence) == ("write", True)
