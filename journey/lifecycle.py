"""The states of a journey's versions and the moves between them, as data. It knows no store: who moves what is journeys.py there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from journey.errors import Conflict

State = Literal["draft", "test", "live", "closed", "stopped", "finished"]
Act = Literal["test", "end_test", "publish", "close", "stop", "finish"]
STATES: tuple[State, ...] = get_args(State)
ACTS: tuple[Act, ...] = get_args(Act)

MOVES: Mapping[tuple[State, Act], State] = MappingProxyType(
    {
        ("draft", "test"): "test",  # a frozen copy of the draft, which stays a draft
        ("test", "end_test"): "stopped",
        ("draft", "publish"): "live",
        ("live", "close"): "closed",  # also done to version n when n+1 is published
        ("live", "stop"): "stopped",
        ("closed", "stop"): "stopped",
        ("closed", "finish"): "finished",  # by itself, when nobody is inside and no run reads
    }
)
"""Every move there is; what is not here is refused. A run under way forbids none of them: closing and stopping end it."""

LETS_IN: frozenset[State] = frozenset({"live"})
"""A new run can start and an event can enter somebody."""
TESTED: frozenset[State] = frozenset({"test"})
"""The same, for test profiles."""
HOLDS_PEOPLE: frozenset[State] = frozenset({"live", "closed"})
"""Live people are inside and walk on."""

_DONE: Mapping[Act, str] = {
    "test": "tested", "end_test": "tested no more", "publish": "published", "close": "closed", "stop": "stopped", "finish": "finished",
}  # fmt: skip


def may(state: State, target: State) -> bool:
    """Is there one move from this state to that?"""
    return any(before == state and after == target for (before, _), after in MOVES.items())


def after(name: str, state: State, act: Act) -> State:
    """The state that an act leads to. `name` is what the sentence calls the version. Raises Conflict where there is no such move."""
    moved = MOVES.get((state, act))
    if moved is None:
        allowed = " or ".join(before for before, what in MOVES if what == act)
        raise Conflict(f"{name} is {state} and cannot be {_DONE[act]}: only what is {allowed} can.", code="state")
    return moved
