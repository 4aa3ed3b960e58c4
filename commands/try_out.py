"""`sojourn try ID`: puts a draft into test, lets test profiles in, and follows them until they wait for somebody or are at their end.

It decides nothing: the API does. What they wait for is fired or opened by other calls (docs/test-mode.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from commands.http import Api, journey_path
from journey.errors import BadInput

_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is let in, these profiles or up to so many of the segment, and how the test is held."""

    profiles: tuple[str, ...] = ()
    up_to: int | None = None
    wait: str = ""
    real: bool = False


def try_out(api: Api, journey: str, wanted: Wanted, told: Callable[[str], None], *, pause: float = _PAUSE) -> dict[str, Any]:
    """Begin, let in, and follow; returns the log of the test. Each step that somebody takes is told as a sentence."""
    if bool(wanted.profiles) == (wanted.up_to is not None):
        raise BadInput("Name test profiles with --profile, or let in some of the segment with --up-to; one of the two.")
    path = journey_path(journey)
    held = {"channels": "real" if wanted.real else "inbox"} | ({"wait": wanted.wait} if wanted.wait else {})
    told(f"{api.post(f'{path}:test', held)['session']['version']} is on.")
    who = {"profiles": list(wanted.profiles)} if wanted.profiles else {"up_to": wanted.up_to}
    entered = api.post(f"{path}/test/entrants", who)
    for refused in entered["refused"]:
        told(f"{refused['profile']} does not enter [{refused['code']}]: {refused['sentence']}")
    seen: dict[str, int] = {}
    while True:
        log: dict[str, Any] = api.get(f"{path}/test", entrants=100)
        for sentence in _news(log, seen):
            told(sentence)
        if not any(_goes_on(one) for one in log["entrants"]):
            return log
        time.sleep(pause)


def sentences(log: Mapping[str, Any]) -> Iterator[str]:
    """Where everybody is."""
    for one in log["entrants"]:
        waiting = one["waiting"]
        at = " or ".join(f"{awaited['node']} ({awaited['what']})" for awaited in waiting["awaited"]) if waiting else ""
        yield f"{one['entrant']['profile']}: {one['phase']}" + (f", waits for {at}" if at else f", {one['entrant']['end_reason']}")
        for error in one["errors"]:
            yield f"  {error['node']} {error['channel']}: {error['reason']}"


def _news(log: Mapping[str, Any], seen: dict[str, int]) -> Iterator[str]:
    for one in reversed(log["entrants"]):
        entrant = one["entrant"]
        for step in one["path"][seen.get(entrant["id"], 0) :]:
            if step["closed_at"] is None:
                break
            seen[entrant["id"]] = step["n"] + 1
            yield f"{entrant['profile']}: {step['said']}"


def _goes_on(one: Mapping[str, Any]) -> bool:
    """Will they go on by themselves: under way, or at a gate that time ends?"""
    return one["phase"] == "running" and (one["waiting"] is None or one["waiting"]["until"] is not None)
