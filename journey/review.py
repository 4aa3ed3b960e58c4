"""Hold for review: a message is made out for its person, and goes when somebody has approved it. It knows no store and no reviewer.

It comes before the policies: quiet hours and frequency caps are judged when it really goes.
"""

from __future__ import annotations

from journey.graph import Journey, Message

IN_REVIEW = "in_review"
"""The reason of a delivery that is claimed by nobody since it waits for its review."""
DISCARDED = "discarded_in_review"
"""The reason of one that was excluded by it."""


def holds(journey: Journey, node: str) -> bool:
    """Is what this node sends held for review?"""
    found = journey.by_id.get(node)
    return isinstance(found, Message) and found.hold_for_review
