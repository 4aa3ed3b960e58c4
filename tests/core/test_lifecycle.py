"""Every pair of states, every act in every state, and who may enter when. docs/lifecycle.md has the same table."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from journey import lifecycle
from journey.errors import Conflict
from journey.graph import Node
from journey.lifecycle import ACTS, STATES, Act, State

LEADS_TO: dict[tuple[State, Act], State] = {
    ("draft", "test"): "test",
    ("draft", "publish"): "live",
    ("test", "end_test"): "stopped",
    ("live", "pause"): "paused",
    ("live", "close"): "closed",
    ("live", "end"): "closed",
    ("live", "stop"): "stopped",
    ("paused", "resume"): "live",
    ("paused", "resume_closed"): "closed",
    ("paused", "close"): "paused",
    ("paused", "end"): "closed",
    ("paused", "stop"): "stopped",
    ("closed", "pause"): "paused",
    ("closed", "end"): "closed",
    ("closed", "stop"): "stopped",
    ("closed", "finish"): "finished",
}
ALLOWED = {(before, after) for (before, _), after in LEADS_TO.items()}
BEFORE, NOW, LATER = 1, 2, 3


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_state_goes_only_where_the_table_says(before: State, after: State) -> None:
    assert lifecycle.may(before, after) == ((before, after) in ALLOWED)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ACTS)
def test_an_act_moves_or_is_refused_with_a_sentence(state: State, act: Act) -> None:
    expected = LEADS_TO.get((state, act))
    assert lifecycle.can(state, act) == (expected is not None)
    if expected is not None:
        assert lifecycle.after("thank-you@1", state, act) == expected
        return
    with pytest.raises(Conflict) as refused:
        lifecycle.after("thank-you@1", state, act)
    assert refused.value.code == "state"
    assert refused.value.sentence.startswith(f"thank-you@1 is {state} and cannot be ")


def test_nobody_comes_back_from_stopped_or_finished() -> None:
    assert not [move for move in ALLOWED if move[0] in {"stopped", "finished"}]


def test_only_a_live_version_lets_in_and_a_closed_or_paused_one_still_holds_people() -> None:
    assert {"live"} == lifecycle.LETS_IN
    assert {"live", "paused", "closed"} == lifecycle.HOLDS_PEOPLE


@pytest.mark.parametrize("state", STATES)
def test_who_may_not_enter_is_told_why(state: State) -> None:
    usual = {"live": "", "paused": "paused"}.get(state, "not_live")
    assert lifecycle.refusal(state, NOW) == usual
    assert lifecycle.refusal(state, NOW, BEFORE, LATER) == usual
    assert lifecycle.refusal(state, NOW, NOW, None) == usual, "the first moment belongs to it"
    assert lifecycle.refusal(state, NOW, LATER, None) == (usual or "not_started")
    assert lifecycle.refusal(state, NOW, BEFORE, NOW) == "journey_ended", "the last one does not"


def test_every_kind_of_node_does_something_to_somebody_or_goes_on_during_a_pause() -> None:
    kinds = set(TypeAdapter(Node).json_schema()["discriminator"]["mapping"])
    assert kinds - lifecycle.ACTING == {"read_segment", "event", "qualification", "reaction", "wait", "condition", "split", "end"}
    assert kinds >= lifecycle.ACTING
