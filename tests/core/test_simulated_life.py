"""A simulated journey has a start and an end: nobody enters before, and at the end everybody inside ends, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journey.errors import BadInput
from journey.events import Instant
from journey.simulation import explore, judging, population, script_text
from journey.simulation.scenarios import Expectations, Scenario
from journey.simulation.simulate import simulate
from journey.simulation.story import Effect, Script, Story, World
from journey.version import Version
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, SECOND, START

WAITS = {"id": "waits", "kind": "wait", "for": "P1D", "next": "first"}
WRITES = {"id": "first", "kind": "message", "message": "first-message", "next": "buys"}
TELLS = WRITES | {"next": "end"}
BUYS = {"id": "buys", "kind": "event", "event": "purchase", "next": "end"}
END = {"id": "end", "kind": "end"}
BY_EVENT = {"id": "read", "kind": "event", "event": "purchase", "next": "waits"}
WORLD = World(messages=builders.use_case_messages(), definitions=(builders.purchase_definition(),), begins=START)
PROFILE = builders.profile()


def at(after: Instant) -> str:
    """An instant after the beginning of the stories, as a journey writes it."""
    return f"{datetime.fromtimestamp(START / SECOND, UTC) + timedelta(microseconds=after):%Y-%m-%dT%H:%M:%S.%f}Z"


def dated(*, start: Instant | None = None, end: Instant | None = None, nodes: list[Mapping[str, Any]] | None = None) -> Version:
    dates: dict[str, Any] = {name: at(after) for name, after in (("start", start), ("end", end)) if after is not None}
    return builders.version(*(nodes or [WAITS, WRITES, BUYS, END]), **dates)


def story(version: Version, *texts: str, world: World = WORLD, **changed: Any) -> Story:
    happenings = tuple(script_text.happening(text, number, version) for number, text in enumerate(texts))
    return simulate(version, PROFILE, Script(happenings, **changed), world)


# ---- the end ---------------------------------------------------------------------------------------------------------------------


def test_whoever_waits_at_the_end_date_ends_at_that_instant() -> None:
    told = story(dated(end=2 * DAY))
    assert (told.path, told.end, told.ended_at) == (("read:next", "waits:next", "first:next"), "journey_ended", 2 * DAY)
    assert told.end_node == ""


@pytest.mark.parametrize(("early", "end"), [(1, "finished"), (0, "journey_ended")])
def test_an_event_of_the_instant_of_the_end_comes_too_late(early: Instant, end: str) -> None:
    told = story(dated(end=2 * DAY + early), "P2D purchase")
    assert (told.end, told.effects[0].code) == (end, "decided" if early else "nobody_listening")


def test_a_wait_that_is_over_at_the_instant_of_the_end_leads_nowhere() -> None:
    told = story(dated(end=DAY))
    assert (told.path, told.sent, told.end, told.ended_at) == (("read:next",), (), "journey_ended", DAY)


def test_a_message_that_is_on_its_way_at_the_end_arrives_and_is_the_last() -> None:
    told = story(dated(end=DAY + MINUTE), stops={"first": HOUR})
    assert (told.path[-1], told.end, told.ended_at) == ("first:next", "journey_ended", DAY + HOUR)
    assert told.sent == ("first:email", "first:push")


def test_what_is_held_for_its_review_is_not_sent_after_the_end() -> None:
    told = story(dated(end=2 * DAY, nodes=[WAITS, WRITES | {"hold_for_review": True}, BUYS, END]), "P3D approve first")
    assert [(one.status, one.reason) for one in told.deliveries] == [("excluded", "ended")] * 2
    assert (told.end, told.ended_at, told.effects) == ("journey_ended", 2 * DAY, (Effect("no_effect"),))


def test_an_exit_criterion_of_before_is_the_reason_although_the_end_comes_first() -> None:
    of = builders.version(WRITES, BUYS, END, end=at(HOUR), exit_criteria=[{"event": "purchase"}])
    told = story(of, "PT30M purchase", stops={"first": 2 * HOUR})
    assert (told.end, told.ended_at) == ("exit_criteria", 2 * HOUR)


def test_every_way_through_a_journey_that_ends_is_found_and_ends_with_it() -> None:
    found = [way.story for way in explore.ways(dated(end=2 * DAY), PROFILE, WORLD)]
    assert [(way.path[-1], way.end) for way in found] == [("buys:next", "finished"), ("first:next", "journey_ended")]


# ---- the start -------------------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_the_start_and_nobody_is_inside_before() -> None:
    told = story(dated(start=DAY), "PT1H purchase", "P2DT1H purchase")
    assert [effect.code for effect in told.effects] == ["nobody_listening", "decided"]
    assert (told.path[0], told.end, told.ended_at) == ("read:next", "finished", 2 * DAY + HOUR)
    assert not story(dated(start=DAY), until=HOUR).entered


def test_a_run_that_somebody_asks_for_before_the_start_is_refused() -> None:
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "schedule": "manual", "next": "waits"}
    of = builders.version(nodes=[read, WAITS, WRITES, BUYS, END], start=at(DAY))
    told = story(of)
    assert (told.entered, told.path, told.end) == (False, (), "")
    assert told.timeline[0].sentence == "is not let in: not_started"


def test_an_event_before_the_start_lets_nobody_in_and_one_after_it_does() -> None:
    of = builders.version(nodes=[BY_EVENT, WAITS, TELLS, END], start=at(DAY))
    told = story(of, "PT1H purchase", "P1D purchase")
    assert (told.effects, told.ended_at) == ((Effect("not_started"), Effect("enters")), 2 * DAY)


def test_after_the_end_nobody_looks_at_what_would_let_somebody_in() -> None:
    of = builders.version(nodes=[BY_EVENT, WAITS, TELLS, END], end=at(DAY))
    told = story(of, "P1D purchase")
    assert (told.entered, told.effects) == (False, (Effect("nobody_listening"),))


# ---- scenarios and populations ---------------------------------------------------------------------------------------------------


def test_a_scenario_that_says_no_beginning_begins_no_earlier_than_its_journey() -> None:
    for start, begins in (("2026-12-01", "2026-12-01T00:00"), ("2025-12-01", "2026-01-05T09:00")):
        of = builders.version(WAITS | {"next": "end"}, END, start=start)
        scenario = Scenario(journey="small", expect=Expectations(end="finished"))
        assert judging.begins(scenario, of) == script_text.begins(begins, of)
        assert judging.play(scenario, of, PROFILE, WORLD).ended_at == DAY


def test_of_many_people_those_still_inside_end_with_the_journey_and_after_it_nobody_enters() -> None:
    of, world = dated(start=DAY, end=3 * DAY), replace(WORLD, renders=False)
    found = population.walk_all(of, lambda _: PROFILE, world, (), people=3, seed=1)
    assert (found.longest, found.report.totals.ended) == (2 * DAY, {"journey_ended": 3})
    with pytest.raises(BadInput, match="nobody enters"):
        population.walk_all(of, lambda _: PROFILE, replace(world, begins=START + 3 * DAY), (), people=1, seed=1)


# ---- pauses ----------------------------------------------------------------------------------------------------------------------


def test_in_a_pause_waits_run_out_and_whoever_comes_to_an_action_is_held_until_it_is_over() -> None:
    told = story(dated(), "PT1H pause", "P2D resume", "P3D purchase")
    assert [effect.code for effect in told.effects] == ["paused", "resumed", "decided"]
    assert [moment.sentence for moment in told.timeline if moment.at == DAY] == [
        "waits is over", "held before first: the journey is paused"
    ]  # fmt: skip
    assert next(moment.at for moment in told.timeline if "sent on" in moment.sentence) == 2 * DAY
    assert (told.end, told.ended_at) == ("finished", 3 * DAY)


def test_whoever_is_held_has_not_left_what_led_there_and_the_story_says_where_they_are() -> None:
    told = story(dated(), "PT1H pause", until=30 * HOUR)
    assert (told.path, told.held, told.waiting, told.place) == (("read:next",), "first", False, "waits")


def test_who_comes_to_no_action_notices_no_pause() -> None:
    told = story(builders.version(WAITS | {"next": "buys"}, BUYS, END), "PT1H pause", "P1DT1H purchase")
    assert (told.end, told.ended_at, told.effects[-1]) == ("finished", DAY + HOUR, Effect("decided", "buys"))


def test_an_event_of_the_pause_is_kept_by_whoever_is_held_and_decides_afterwards() -> None:
    told = story(dated(), "PT1H pause", "P1DT1H purchase", "P2D resume")
    assert (told.effects[1], told.effects[1].was_kept) == (Effect("decided", "buys"), True)
    assert told.ended_at == 2 * DAY


def test_a_pause_that_discards_ends_whoever_comes_to_an_action() -> None:
    told = story(dated(), "PT1H pause discard")
    assert (told.path, told.sent, told.end, told.ended_at) == (("read:next",), (), "journey_paused", DAY)


def test_a_pause_ends_by_itself_after_its_time_or_after_fourteen_days() -> None:
    assert story(dated(), "P1D pause PT36H", "P9D purchase").timeline[-3].at == 2 * DAY + 12 * HOUR
    told = story(dated(), "P1D pause", until=15 * DAY)
    assert [(moment.at, moment.sentence) for moment in told.timeline if "by itself" in moment.sentence] == [
        (15 * DAY, "the pause is over by itself")
    ]  # fmt: skip


def test_time_in_the_journey_and_its_end_go_on_for_whoever_is_held() -> None:
    of = builders.version(WAITS, WRITES, BUYS, END, global_timeout="P3D")
    assert (story(of, "PT1H pause").end, story(of, "PT1H pause").ended_at) == ("global_timeout", 3 * DAY)
    told = story(dated(end=2 * DAY), "PT1H pause", "P5D resume")
    assert (told.end, told.ended_at, told.effects[1]) == ("journey_ended", 2 * DAY, Effect("no_effect"))


def test_a_message_on_its_way_arrives_in_a_pause_and_one_that_waits_for_its_review_is_held_when_it_is_approved() -> None:
    told = story(dated(), "P1DT30M pause", stops={"first": HOUR}, until=2 * DAY)
    assert (told.sent, told.place, told.waiting) == (("first:email", "first:push"), "buys", True)
    of = dated(nodes=[WAITS, WRITES | {"hold_for_review": True}, BUYS, END])
    told = story(of, "P2D pause", "P3D approve first", "P4D resume", until=5 * DAY)
    assert next(moment.at for moment in told.timeline if "sent on" in moment.sentence) == 4 * DAY


def test_whoever_is_held_leaves_by_an_exit_criterion_at_once() -> None:
    of = builders.version(WAITS, WRITES, BUYS, END, exit_criteria=[{"event": "purchase"}])
    told = story(of, "PT1H pause", "P2D purchase")
    assert (told.end, told.ended_at, told.sent) == ("exit_criteria", 2 * DAY, ())


def test_nobody_enters_a_paused_journey_and_a_second_pause_or_resume_changes_nothing() -> None:
    of = builders.version(nodes=[BY_EVENT, WAITS, TELLS, END])
    told = story(of, "PT1H pause", "PT2H purchase", "PT3H pause discard", "PT4H resume", "PT5H resume", "PT6H purchase")
    assert [effect.code for effect in told.effects] == ["paused", "paused", "no_effect", "resumed", "no_effect", "enters"]


def test_a_gate_that_is_over_at_the_instant_they_come_to_it_hears_an_event_of_that_instant_and_no_later_one() -> None:
    over = {"id": "over", "kind": "wait", "until": at(HOUR), "next": "end"}
    again = BUYS | {"id": "again"}
    of = dated(nodes=[BUYS | {"next": ["over", "again"]}, over, again, END])
    for later, last, code in (("PT1H", "again:next", "decided"), ("PT1H1S", "over:next", "nobody_listening")):
        told = story(of, "PT1H purchase", f"{later} purchase")
        assert (told.path, told.ended_at) == (("read:next", "buys:next", last), HOUR)
        assert [one.code for one in told.effects] == ["decided", code]
