"""What can be wrong with what a publish says of people inside: a map that names what is not there. It knows no people.

What the map means for people at several nodes at once is told by a plan, place by place (succession.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journey.errors import Invalid
from journey.findings import Finding, error
from journey.graph import Journey
from journey.succession import NEXT, WORDS, Succession

MAP = "map"


def check(succession: Succession, new: Journey, older: Sequence[Journey]) -> tuple[Finding, ...]:
    """Every finding about the map: `older` are the versions in which people are, `new` is the one that succeeds them."""
    if succession.map and succession.people != "migrate":
        said = f"A map says where people go on, and {succession.people} has them go by themselves: write migrate, or leave the map out."
        return (error("map_not_used", "", MAP, said),)
    return tuple(found for was, to in succession.map.items() for found in _entry(was, to, new, older))


def demand(succession: Succession, new: Journey, older: Sequence[Journey]) -> None:
    """Raises Invalid with every finding about the map when there is one."""
    findings = check(succession, new, older)
    if findings:
        more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
        raise Invalid(f"{findings[0].sentence}{more}", findings, code="succession_invalid")


def _entry(was: str, to: str, new: Journey, older: Sequence[Journey]) -> Iterator[Finding]:
    nodes = [journey.by_id[was] for journey in older if was in journey.by_id]
    if older and not nodes:
        yield error("map_node_unknown", was, MAP, f"No version in which people are has a node {was}: take it out of the map.")
    elif older and all(journey.by_id.get(was) in (None, journey.entry_node) for journey in older):
        yield error("map_entry", was, MAP, f"{was} is where people enter, so nobody is there: take it out of the map.")
    if to == NEXT and nodes and not any(hasattr(node, "next") for node in nodes):
        said = f"{was} is a {nodes[-1].kind}, which has no exit next: name a node, or :exit or :stay."
        yield error("map_without_next", was, MAP, said)
    elif to not in WORDS and to not in new.by_id:
        said = f"There is no node {to!r} in the new version to go on at: name one, or write {', '.join(WORDS[:-1])} or {WORDS[-1]}."
        yield error("map_target_unknown", was, MAP, said)
    elif to in new.by_id and new.node(to) is new.entry_node:
        yield error("map_entry", was, MAP, f"{to} is where people enter the new version, so nobody waits there: name another node.")
