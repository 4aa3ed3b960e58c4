"""The states of a journey's versions and the moves between them, as data. It knows no store: who moves what is journeys.py there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from journey import durations
from journey.errors import BadInput, Conflict
from journey.events import Instant

State = Literal["draft", "test", "live", "paused", "closed", "stopped", "finished"]
Act = Literal["test", "end_test", "publish", "pause", "resume", "resume_closed", "close", "end", "stop", "finish"]
STATES: tuple[State, ...] = get_args(State)
ACTS: tuple[Act, ...] = get_args(Act)

MOVES: Mapping[tuple[State, Act], State] = MappingProxyType(
    {
        ("draft", "test"): "test",  # a frozen copy of the draft, which stays a draft
        ("test", "end_test"): "stopped",
        ("draft", "publish"): "live",
        ("live", "pause"): "paused",
        ("closed", "pause"): "paused",
        ("paused", "resume"): "live",
        ("paused", "resume_closed"): "closed",  # one that was closed before, or meanwhile
        ("live", "close"): "closed",  # also done to version n when n+1 is published
        ("paused", "close"): "paused",  # it is closed when it is resumed
        ("live", "end"): "closed",  # by itself, at its end date: everybody inside ends
        ("paused", "end"): "closed",
        ("closed", "end"): "closed",
        ("live", "stop"): "stopped",
        ("paused", "stop"): "stopped",
        ("closed", "stop"): "stopped",
        ("closed", "finish"): "finished",  # by itself, when nobody is inside and no run reads
    }
)
"""Every move there is; what is not here is refused. A run under way forbids none of them: a pause holds it, closing, ending and stopping
end it."""

LETS_IN: frozenset[State] = frozenset({"live"})
"""A new run can start and an event can enter somebody."""
TESTED: frozenset[State] = frozenset({"test"})
"""The same, for test profiles."""
HOLDS_PEOPLE: frozenset[State] = frozenset({"live", "paused", "closed"})
"""Live people are inside; unless it is paused they walk on."""

_DONE: Mapping[Act, str] = {
    "test": "tested", "end_test": "tested no more", "publish": "published", "pause": "paused", "resume": "resumed",
    "resume_closed": "resumed", "close": "closed", "end": "ended", "stop": "stopped", "finish": "finished",
}  # fmt: skip

Pause = Literal["hold", "discard"]
"""What a pause does with whoever comes to their next action: they wait there until it is over, or end there."""
LONGEST_PAUSE = "P14D"
"""The longest that a pause may last, and how long it lasts when nobody says: then it ends by itself."""
RELEASE_RATE = 100
"""People a second who are let go on when a pause is over, when nobody says."""
FASTEST_RELEASE = 10_000

ACTING: frozenset[str] = frozenset({"message", "update_profile", "webhook", "jump"})
"""Kinds of nodes that do something to somebody. Waiting, hearing and deciding go on while a version is paused, these do not."""


ENDED = "journey_ended"
"""Why somebody ends at the end date, and why nobody enters from then on."""
PAUSED = "journey_paused"
"""Why somebody ends who comes to an action while a pause discards."""


def may(state: State, target: State) -> bool:
    """Is there one move from this state to that?"""
    return any(before == state and after == target for (before, _), after in MOVES.items())


def can(state: State, act: Act) -> bool:
    """Is there such a move?"""
    return (state, act) in MOVES


def after(name: str, state: State, act: Act) -> State:
    """The state that an act leads to. `name` is what the sentence calls the version. Raises Conflict where there is no such move."""
    moved = MOVES.get((state, act))
    if moved is None:
        allowed = " or ".join(before for before, what in MOVES if what == act)
        raise Conflict(f"{name} is {state} and cannot be {_DONE[act]}: only what is {allowed} can.", code="state")
    return moved


def pause_length(text: str) -> int:
    """How long a pause lasts, in seconds. Raises BadInput when that is no duration, or longer than a pause may last."""
    found = durations.seconds(text)
    if found > durations.seconds(LONGEST_PAUSE):
        raise BadInput(f"A pause lasts {LONGEST_PAUSE} at most: resume, and pause again.", code="duration_invalid", where="for")
    return found


def is_over(now: Instant, ends_at: Instant | None) -> bool:
    """Is the end date past? It is from its very instant on."""
    return ends_at is not None and now >= ends_at


def may_not_act(state: State | str, *, held: bool = False) -> bool:
    """Their version is paused, or was and they have not been let go on yet."""
    return state == "paused" or held


def ends_held(state: State | str, pause: str, now: Instant, deadline: Instant) -> str:
    """Why somebody ends who may not act; empty when they are held. Their own time in the journey runs on, to its deadline."""
    if state == "paused" and pause == "discard":
        return PAUSED
    return "global_timeout" if now >= deadline else ""


def refusal(state: State, now: Instant, starts_at: Instant | None = None, ends_at: Instant | None = None) -> str:
    """Why nobody may enter a version now, as the code of a discard; empty when people may."""
    if is_over(now, ends_at):
        return ENDED
    if state == "paused":
        return "paused"
    if state not in LETS_IN:
        return "not_live"
    return "not_started" if starts_at is not None and now < starts_at else ""
