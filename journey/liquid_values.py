"""What Liquid sees outside of messages: in what a node writes into a profile, and in what it calls. It knows no template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from journey.events import Instant
from journey.profiles import Profile

NAMES = ("profile", "event", "entry", "calls", "journey", "entrant", "now")


def of(
    profile: Profile, *, journey: str, entrant: str, event: Mapping[str, Any], entry: Mapping[str, Any],
    calls: Mapping[str, Any], now: Instant,
) -> dict[str, Any]:  # fmt: skip
    """The value of each of NAMES. `journey` and `entrant` are ids, `event` is the data of the event that led here, `entry` of the one by
    which they entered, `calls` what was answered so far (journey/calls.py: known), `now` the instant of the stop."""
    return {
        "profile": {**profile.attributes, "id": profile.id},
        "event": event,
        "entry": entry,
        "calls": calls,
        "journey": journey,
        "entrant": entrant,
        "now": datetime.fromtimestamp(now / 1_000_000, UTC),
    }
