"""What can be wrong with the exits that a node names itself: the branches of a condition, the shares of a split. It knows no arrows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from journey import lots
from journey.findings import Finding, error, warning
from journey.graph import Split

_EXIT_NAMES = frozenset({"next", "timeout", "error", "otherwise", "other"})


def check(node: Split) -> Iterator[Finding]:
    """What is wrong with the shares of a split."""
    yield from names(node.id, "shares", [share.id for share in node.shares])
    wrong = False
    for index, share in enumerate(node.shares):
        field = f"shares[{index}].percent"
        if not math.isfinite(share.percent) or not 0 <= share.percent <= 100:
            wrong = True
            said = f"The share {share.id} has {share.percent:g} percent: write a number from 0 to 100."
            yield error("percent_invalid", node.id, field, said)
        elif share.percent == 0:
            yield warning("share_never_taken", node.id, field, f"The share {share.id} has 0 percent: nobody takes it.")
    if node.shares and not wrong:
        total = sum(lots.percent(share) for share in node.shares)
        if total != 100:
            said = f"The shares of {node.id} add up to {float(total):g} percent: make them 100, so that everybody has one."
            yield error("shares_do_not_add_up", node.id, "shares", said)
        elif len(node.shares) == 1:
            said = f"A split with one share divides nobody: add another, or lead straight to where {node.shares[0].id} leads."
            yield warning("split_of_one", node.id, "shares", said)


def names(node: str, field: str, ids: Sequence[str]) -> Iterator[Finding]:
    """Branches or shares (`field`) that are called alike, or as an exit of another kind is."""
    one = {"branches": "branch", "shares": "share"}[field]
    seen: set[str] = set()
    for index, name in enumerate(ids):
        where = f"{field}[{index}].id"
        if name in seen:
            yield error("duplicate_id", node, where, f"Two {field} of {node} are called {name}: rename one.")
        if name in _EXIT_NAMES:
            yield error("reserved_id", node, where, f"{name} is the name of an exit already: give the {one} another name.")
        seen.add(name)
