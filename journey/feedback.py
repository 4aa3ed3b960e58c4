"""What a provider says of a message later: whether it arrived, came back, or was not wanted. It knows no store and no wire format.

The store (store/feedback.py) and the simulator do by it; what a provider answers at once is no feedback, but the answer of a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["delivered", "soft_bounce", "hard_bounce", "complaint", "unsubscribe"]
"""Delivered: the mailbox has it. A bounce: it came back, for now (soft: full, too large) or for good (hard: there is no such mailbox).
A complaint: its reader calls it spam."""

REACTION: Mapping[Kind, str] = {
    "delivered": "delivered", "soft_bounce": "bounced", "hard_bounce": "bounced", "complaint": "complained", "unsubscribe": "unsubscribed",
}  # fmt: skip
"""The reaction that each is, and the fact of its delivery."""
HARD = "bounced_hard"
"""The fact beside `bounced` that says that it came back for good."""
ARRIVED = ("delivered", "opened", "clicked")
"""Facts by which an address is seen to work: soft bounces before it are forgotten."""
TAKEN = (*ARRIVED, "bounced", "complained", "unsubscribed")
"""Facts that prove that the provider has taken a message, whatever became of our call; of one that bounced its person has nothing all the
same (M1)."""

SOFT_BOUNCES = 5
"""Soft bounces in a row after which nothing is sent to an address any more."""
AT_ONCE: Mapping[str, str] = {"hard_bounce": "hard_bounce", "complaint": "complaint", "unsubscribe": "unsubscribe"}
"""The reason of the suppression that each comes to at once. An unsubscription suppresses an address only where no delivery says whose
consent it is about."""
TOO_MANY = "soft_bounces"
"""The reason of the suppression that soft bounces in a row come to."""
