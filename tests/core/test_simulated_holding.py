"""In a simulation policies hold by the virtual clock, and the story says what waited, and until when."""

from __future__ import annotations

from typing import Any

from journey.policies import Policies
from journey.simulation.simulate import simulate
from journey.simulation.story import Reacts, Script, Story, World
from tests.builders import DAY, HOUR, MINUTE, SECOND, START, message, profile, version

TWICE = version(
    {"id": "one", "kind": "message", "message": "news", "next": "two"},
    {"id": "two", "kind": "message", "message": "news", "next": ["opened", "pause"]},
    {"id": "opened", "kind": "reaction", "of": "two", "to": "email.opened"},
    {"id": "pause", "kind": "wait", "for": "P1D"},
)


def told(*happenings: Reacts, kind: str = "marketing", **policies: Any) -> Story:
    """The story of Ada, who enters at 15:06:40 in UTC."""
    world = World({"news": message("news", "email", "push", **{"class": kind})}, begins=START, policies=Policies.model_validate(policies))
    return simulate(TWICE, profile("ada"), Script(happenings), world)


def ends(story: Story) -> list[tuple[str, str, str, str]]:
    return [(one.node, one.channel, one.status, one.reason) for one in story.deliveries]


def moments(story: Story) -> list[tuple[int, str]]:
    return [(moment.at, moment.sentence) for moment in story.timeline]


def test_a_message_waits_for_the_end_of_quiet_hours_and_the_clock_of_the_gate_starts_then() -> None:
    story = told(quiet_hours={"from": "15:00", "to": "16:00"})
    assert [status for _, _, status, _ in ends(story)] == ["sent"] * 4
    assert (0, "news: email waits for the end of quiet hours, push waits for the end of quiet hours") in moments(story)
    assert (53 * MINUTE + 20 * SECOND, "news: sent on email, sent on push") in moments(story)
    assert story.ended_at == 53 * MINUTE + 20 * SECOND + DAY


def test_what_is_more_than_a_cap_allows_is_left_out_or_waits() -> None:
    left_out = told(caps=[{"id": "daily", "channels": "email", "most": 1, "within": "P1D"}])
    assert ends(left_out)[2:] == [("two", "email", "excluded", "capped"), ("two", "push", "sent", "")]
    waits = told(caps=[{"id": "daily", "channels": "email", "most": 1, "within": "P1D", "then": "wait"}])
    assert [status for _, _, status, _ in ends(waits)] == ["sent"] * 4
    assert (0, "news: email waits for a place under the frequency caps") in moments(waits)
    assert waits.ended_at == 2 * DAY


def test_what_happens_while_a_message_waits_is_kept() -> None:
    story = told(
        Reacts(HOUR, "two", "email.opened"), caps=[{"id": "pushes", "channels": "push", "most": 1, "within": "P1D", "then": "wait"}]
    )
    assert story.effects[0].code == "decided"
    assert story.effects[0].was_kept
    assert story.ended_at == DAY


def test_transactional_messages_are_exempt() -> None:
    story = told(kind="transactional", quiet_hours={"from": "15:00", "to": "16:00", "then": "discard"})
    assert [status for _, _, status, _ in ends(story)] == ["sent"] * 4
