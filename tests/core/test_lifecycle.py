"""Every pair of states, and every act in every state."""

from __future__ import annotations

import pytest

from journey import lifecycle
from journey.errors import Conflict
from journey.lifecycle import ACTS, STATES, Act, State

ALLOWED: set[tuple[State, State]] = {
    ("draft", "test"),
    ("test", "stopped"),
    ("draft", "live"),
    ("live", "closed"),
    ("live", "stopped"),
    ("closed", "stopped"),
    ("closed", "finished"),
}
LEADS_TO: dict[tuple[State, Act], State] = {
    ("draft", "test"): "test",
    ("test", "end_test"): "stopped",
    ("draft", "publish"): "live",
    ("live", "close"): "closed",
    ("live", "stop"): "stopped",
    ("closed", "stop"): "stopped",
    ("closed", "finish"): "finished",
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_state_goes_only_where_the_table_says(before: State, after: State) -> None:
    assert lifecycle.may(before, after) == ((before, after) in ALLOWED)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ACTS)
def test_an_act_moves_or_is_refused_with_a_sentence(state: State, act: Act) -> None:
    expected = LEADS_TO.get((state, act))
    if expected is not None:
        assert lifecycle.after("thank-you@1", state, act) == expected
        return
    with pytest.raises(Conflict) as refused:
        lifecycle.after("thank-you@1", state, act)
    assert refused.value.code == "state"
    assert refused.value.sentence.startswith(f"thank-you@1 is {state} and cannot be ")


def test_nobody_comes_back_from_stopped_or_finished() -> None:
    assert not [move for move in ALLOWED if move[0] in {"stopped", "finished"}]


def test_only_a_live_version_lets_in_and_a_closed_one_still_holds_people() -> None:
    assert {"live"} == lifecycle.LETS_IN
    assert {"live", "closed"} == lifecycle.HOLDS_PEOPLE
