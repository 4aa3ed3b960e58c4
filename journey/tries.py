"""How long to wait before a provider is tried again, and what becomes of a message that it may have taken already. It sends nothing."""

from __future__ import annotations

LONGEST_PAUSE = 300.0
SENT_AGAIN = "sent_again"
"""The reason on a delivery that may have been sent before, and is sent again because losing it would be worse."""


def pause(tries: int) -> float:
    """Seconds to wait after this many answers that were not the last: a second, then twice as long each time."""
    return min(2.0 ** max(tries - 1, 0), LONGEST_PAUSE)
