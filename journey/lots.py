"""Where a person falls at a node, by a hash: the same person always falls at the same place, in every process and version. It knows no
store, and draws nothing.

The hash is the SHA-256 of the journey's id, the node's id and the person's key, a line each; its first 64 bits are the place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction

from journey.graph import Share

_WHOLE = 2**64


def place(journey: str, node: str, key: str) -> Fraction:
    """Where somebody falls, from 0 to just under 1."""
    digest = hashlib.sha256(f"{journey}\n{node}\n{key}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), _WHOLE)


def share(shares: Sequence[Share], at: Fraction) -> str:
    """The id of the share that this place falls into: shares lie side by side in the order of the document, so that a share that grows
    takes people over from its neighbours alone."""
    reached = Fraction(0)
    for one in shares:
        reached += percent(one) / 100
        if at < reached:
            return one.id
    return next((one.id for one in reversed(shares) if one.percent > 0), shares[-1].id)  # percents that do not add up are refused before


def percent(one: Share) -> Fraction:
    """The percentage as it was written: 33.3 is 333/10, which no float is."""
    return Fraction(str(one.percent))
