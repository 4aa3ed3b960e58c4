"""Waits until a time as stories: what they wait for, for whom, and who wins beside them. tests/store/test_waits.py has the store's side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from journey.events import Instant
from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Occurs, Script, Story, World
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, THANKS, profile

END = {"id": "end", "kind": "end"}
LATE = {"id": "late", "kind": "end"}
MONDAY = int(datetime(2026, 1, 5, 14, tzinfo=UTC).timestamp()) * 1_000_000
"""9:00 in New York."""


def waits(until: Any, *happenings: Occurs, who: Profile | None = None, timeout: str = "", key: str = "", begins: Instant = MONDAY,
          beside: tuple[dict[str, Any], ...] = ()) -> Story:  # fmt: skip
    """Somebody who comes to a wait at 9:00 on a Monday in New York, and ends behind it."""
    pause = {"id": "pause", "kind": "wait", "until": until, "next": "end"}
    pause |= {"timeout": {"after": timeout, "next": "late"}} if timeout else {}
    entry = ["pause", *(str(node["id"]) for node in beside)]
    version = builders.version(pause, *beside, END, LATE, entry=entry, timezone="America/New_York")
    return simulate(version, who or profile(), Script(happenings), World(begins=begins), key=key)


def test_until_a_date_time_on_the_clock_of_the_journey() -> None:
    told = waits("2026-01-05T17:30")
    assert (told.path, told.ended_at) == (("read:next", "pause:next"), 8 * HOUR + 30 * MINUTE)
    assert told.timeline[2].sentence == "pause is over on 2026-01-05 at 17:30"


def test_until_a_date_time_with_an_offset() -> None:
    assert waits("2026-01-05T17:30Z").ended_at == 3 * HOUR + 30 * MINUTE


def test_until_a_date_on_the_persons_own_clock() -> None:
    until = {"at": "2026-01-06", "zone": "profile"}
    assert waits(until, who=profile(timezone="Europe/Zurich")).ended_at == 9 * HOUR
    assert waits(until, who=profile(timezone="Asia/Tokyo")).ended_at == HOUR


@pytest.mark.parametrize("zone", [None, "Mars", 7, ""])
def test_a_zone_that_cannot_be_read_is_that_of_the_journey(zone: Any) -> None:
    assert waits({"at": "2026-01-06", "zone": "profile"}, who=profile(timezone=zone)).ended_at == 15 * HOUR


def test_a_time_that_is_past_is_over_at_once() -> None:
    assert waits("2026-01-05T08:59").ended_at == 0
    assert waits({"at": "2020-01-01", "spread": "P1D"}).ended_at == 0
    assert waits("2026-01-05T09:00").ended_at == 0


def test_until_what_a_field_holds() -> None:
    assert waits({"field": "profile.renewal_date"}, who=profile(renewal_date="2026-01-07T09:00:00-05:00")).ended_at == 2 * DAY
    assert waits({"field": "renewal_date"}, who=profile(renewal_date="2026-01-06")).ended_at == 15 * HOUR


def test_until_so_long_before_or_after_what_a_field_holds() -> None:
    who = profile(renewal_date="2026-01-07T09:00:00-05:00")
    assert waits({"field": "renewal_date", "before": "P1D"}, who=who).ended_at == DAY
    assert waits({"field": "renewal_date", "after": "PT2H"}, who=who).ended_at == 2 * DAY + 2 * HOUR
    assert waits({"field": "renewal_date", "before": "P7D"}, who=who).ended_at == 0
    assert waits({"field": "renewal", "before": "P7D"}, who=who).ended_at == 0


@pytest.mark.parametrize("held", [None, "soon", 1767225600, True, ["2026-01-07"]])
def test_a_field_that_holds_no_time_is_over_at_once_and_says_so(held: Any) -> None:
    told = waits({"field": "profile.renewal_date"}, who=profile(renewal_date=held))
    assert (told.path[1:], told.ended_at) == (("pause:next",), 0)
    assert "pause holds no time that can be read, and is over at once" in [moment.sentence for moment in told.timeline]


def test_a_field_that_holds_no_time_leaves_by_the_timeout_where_one_is_drawn() -> None:
    told = waits({"field": "profile.renewal_date"}, timeout="P7D")
    assert (told.path[1:], told.end_node, told.ended_at) == (("pause:timeout",), "late", 0)


def test_a_timeout_cuts_a_wait_short() -> None:
    told = waits("2026-01-20", timeout="P7D")
    assert (told.path[1:], told.end_node, told.ended_at) == (("pause:timeout",), "late", 7 * DAY)
    told = waits("2026-01-06", timeout="P7D")
    assert (told.path[1:], told.end_node, told.ended_at) == (("pause:next",), "end", 15 * HOUR)


def test_until_the_next_window_of_hours_and_weekdays() -> None:
    assert waits({"hours": "09:00-17:00", "weekdays": ["mon..fri"]}).ended_at == 0
    assert waits({"hours": "08:00-09:00", "weekdays": ["mon..fri"]}).ended_at == 23 * HOUR
    assert waits({"hours": "10:00-12:00", "weekdays": ["sat"]}).ended_at == 5 * DAY + HOUR
    assert waits({"hours": "09:00-17:00", "zone": "profile"}, who=profile(timezone="Europe/Zurich")).ended_at == 0  # 15:00 there
    assert waits({"hours": "09:00-17:00", "zone": "profile"}, who=profile(timezone="Asia/Tokyo")).ended_at == 10 * HOUR


def test_a_spread_lets_each_on_at_their_own_moment_of_it() -> None:
    until = {"hours": "10:00-12:00", "spread": "PT1H"}
    moments = [waits(until, key=f"c-{number}").ended_at or 0 for number in range(60)]
    assert all(HOUR <= at < 2 * HOUR for at in moments)
    assert len({at // MINUTE for at in moments}) > 30
    assert moments[7] == waits(until, key="c-7").ended_at


def test_a_spread_stays_in_a_window_that_a_jump_of_the_clock_has_shortened() -> None:
    sunday = int(datetime(2026, 3, 8, 5, tzinfo=UTC).timestamp()) * 1_000_000  # midnight in New York; the window is from 1:00 to 2:00
    for number in range(40):
        ended = waits({"hours": "01:00-03:30", "spread": "PT150M"}, key=f"c-{number}", begins=sunday).ended_at
        assert ended is not None
        assert HOUR <= ended < 2 * HOUR + 30 * MINUTE


# ---- beside others ----------------------------------------------------------------------------------------------------------------

BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "end"}


def test_an_event_at_the_instant_of_the_wait_wins() -> None:
    until = "2026-01-05T10:00"
    assert waits(until, Occurs(HOUR, "purchase", THANKS), beside=(BUY,)).path[1:] == ("buy:next",)
    assert waits(until, Occurs(HOUR + 1, "purchase", THANKS), beside=(BUY,)).path[1:] == ("pause:next",)


def test_at_one_instant_the_wait_stands_before_the_timeout_and_the_timeout_before_the_end_of_all() -> None:
    timed = BUY | {"timeout": {"after": "PT1H", "next": "late"}}
    assert waits("2026-01-05T10:00", beside=(timed,)).path[1:] == ("pause:next",)
    assert waits("2026-01-05T10:01", beside=(timed,)).path[1:] == ("buy:timeout",)
    last = waits((datetime.fromtimestamp(MONDAY / 1e6, UTC).replace(tzinfo=None)).isoformat() + "Z", begins=MONDAY - 91 * DAY)
    assert (last.path[1:], last.end) == (("pause:next",), "finished")


def test_of_several_waits_the_first_to_be_over_wins_and_of_two_at_once_the_first_drawn() -> None:
    other = {"id": "other", "kind": "wait", "until": "2026-01-05T09:30", "next": "late"}
    fixed = {"id": "fixed", "kind": "wait", "for": "PT30M", "next": "late"}
    assert waits("2026-01-05T10:00", beside=(other,)).path[1:] == ("other:next",)
    assert waits("2026-01-05T09:30", beside=(other, fixed)).path[1:] == ("pause:next",)
    assert waits("2026-01-05T09:31", beside=(fixed, other)).path[1:] == ("fixed:next",)


def test_whoever_waits_beyond_the_journeys_own_time_ends_with_it() -> None:
    told = waits("2027-01-01")
    assert (told.end, told.ended_at) == ("global_timeout", 91 * DAY)
