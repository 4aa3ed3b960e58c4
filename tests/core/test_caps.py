"""Frequency caps slide to the microsecond, and whoever waits for a place stands in line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.caps import LOOK_AGAIN, Capped, Place, judge, rank
from journey.events import Instant
from journey.policies import Cap
from tests.builders import DAY, HOUR, MINUTE, START


def cap(most: int = 1, within: str = "P1D", **more: Any) -> Cap:
    return Cap.model_validate({"id": "a-cap", "most": most, "within": within} | more)


def ask(caps: list[Cap], *places: Place, now: Instant = START, asked_at: Instant | None = None, priority: int = 0) -> Capped | None:
    mine = rank(priority, now if asked_at is None else asked_at, "me", 1, "email")
    return judge(caps, mine, now if asked_at is None else asked_at, places, now)


def test_a_window_slides_and_frees_at_the_very_instant() -> None:
    weekly = cap(2, "P7D", then="wait")
    gone = [Place("email", START), Place("push", START + DAY)]
    assert ask([weekly], *gone[:1], now=START + 1) is None
    assert ask([weekly], *gone, now=START + 2 * DAY) == Capped(START + 7 * DAY)
    assert ask([weekly], *gone, now=START + 7 * DAY - 1) == Capped(START + 7 * DAY)
    assert ask([weekly], *gone, now=START + 7 * DAY) is None


def test_a_cap_counts_its_own_channels_together() -> None:
    assert ask([cap(channels="email")], Place("push", START - 1)) is None
    assert ask([cap(channels=["email", "push"])], Place("push", START - 1)) == Capped(None)
    assert ask([cap(channels="all")], Place("push", START - 1)) == Capped(None)
    assert ask([cap(channels="push")], Place("push", START - 1)) is None


def test_what_is_still_to_go_counts_too() -> None:
    assert ask([cap(then="wait")], Place("email", START + HOUR)) == Capped(START + HOUR + DAY)


@pytest.mark.behaviour(17)
def test_one_more_is_dropped_retried_within_its_time_or_waits() -> None:
    gone = Place("email", START - 20 * HOUR)
    assert ask([cap(then="drop")], gone) == Capped(None)
    assert ask([cap(then="wait")], gone) == Capped(START + 4 * HOUR)
    assert ask([cap(then="retry", retry_for="PT4H")], gone) == Capped(START + 4 * HOUR)
    assert ask([cap(then="retry", retry_for="PT4H")], gone, asked_at=START - 1) == Capped(None)


def test_of_several_caps_the_strictest_holds() -> None:
    gone = [Place("email", START - 20 * HOUR)]
    daily, weekly = cap(then="wait"), cap(1, "P7D", then="wait")
    assert ask([daily, weekly], *gone) == Capped(START - 20 * HOUR + 7 * DAY)
    assert ask([daily, weekly, cap(1, "PT21H")], *gone) == Capped(None)
    assert ask([daily, cap(5, "P7D", then="drop")], *gone) == Capped(START + 4 * HOUR)


def test_whoever_comes_when_a_place_is_free_lets_those_before_them_in_line_go_first() -> None:
    now = START + DAY
    gone = Place("email", START)
    urgent = Place("email", now, rank(90, START + HOUR, "other", 1, "email"))
    assert ask([cap(then="wait")], gone, urgent, now=now) == Capped(now + LOOK_AGAIN)
    assert ask([cap(then="drop")], gone, urgent, now=now) == Capped(None)
    assert ask([cap(then="wait")], gone, urgent, now=now, priority=91) is None
    assert ask([cap(2, then="wait")], gone, urgent, now=now) is None  # a place for each


def test_of_two_equally_important_the_one_who_asked_first_goes_first() -> None:
    now = START + DAY
    other = Place("email", now, rank(0, START + HOUR, "other", 1, "email"))
    assert ask([cap(then="wait")], other, now=now, asked_at=START + HOUR + 1) == Capped(now + LOOK_AGAIN)
    assert ask([cap(then="wait")], other, now=now, asked_at=START + HOUR - 1) is None


def test_somebody_in_line_for_later_keeps_no_place_free_now() -> None:
    later = Place("email", START + HOUR, rank(90, START - MINUTE, "other", 1, "email"))
    assert ask([cap(then="wait")], later) is None


def test_whoever_waits_behind_others_waits_for_the_place_after_theirs() -> None:
    gone = [Place("email", START), Place("email", START + HOUR)]
    before = Place("email", START + DAY, rank(90, START, "other", 1, "email"))
    assert ask([cap(2, then="wait")], *gone, before, now=START + 2 * HOUR) == Capped(START + HOUR + DAY)


@pytest.mark.complaint(20)
@given(st.integers(1, 4), st.lists(st.integers(0, 200), min_size=1, max_size=40), st.integers(1, 60))
def test_no_window_ever_holds_more_than_is_allowed_and_nobody_waits_in_vain(most: int, asking: list[int], length: int) -> None:
    """Everybody waits and comes again when told: they all go, each as soon as the window lets them."""
    one = cap(most, f"PT{length}S", then="wait")
    gone: list[Instant] = []
    todo = sorted((START + second * 1_000_000, START + second * 1_000_000) for second in asking)
    while todo:
        now, asked_at = todo.pop(0)
        found = judge([one], rank(0, asked_at, "me", 1, "email"), asked_at, [Place("email", at) for at in gone], now)
        if found is None:
            gone.append(now)
        else:
            assert found.until is not None
            assert found.until > now
            todo = sorted([*todo, (found.until, asked_at)])
    within = length * 1_000_000
    assert len(gone) == len(asking)
    for at in gone:
        assert sum(at - within < other <= at for other in gone) <= most
