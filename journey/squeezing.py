"""Makes the version that a test session walks: time is squeezed, splits are forced where asked, nothing else is changed. A scenario may
force splits too.

Every wait and timeout that is drawn becomes a few seconds, and nothing is held for review; the global timeout, conditions and all the rest
stay. It knows no store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journey import durations
from journey.errors import BadInput
from journey.graph import LISTENING, Journey, Message, Node, Reaction, Split, Timeout, Wait, exits
from journey.until import UntilRule
from journey.version import Session, Version

End = tuple[str, str]
"""What ends a gate by time: a node, and `wait` or `timeout`."""


def squeeze(version: Version, session: Session) -> Version:
    """The version of a test session. Raises BadInput for a branch that the journey does not have."""
    version = forced(version, session.branches)
    gates = _gates(version.journey)
    slow = {node_id for gate in gates for node_id in gate if any(isinstance(version.journey.node(one), Reaction) for one in gate)}
    ranks = _ranks(version.journey, gates)

    def length(node: Node, what: str) -> str:
        base = session.reaction_wait if node.id in slow else session.wait
        return f"PT{base + ranks.get((node.id, what), 0)}S"

    nodes = tuple(_squeezed(node, length(node, "wait"), length(node, "timeout")) for node in version.journey.nodes)
    return _with(version, nodes, session=session)


def forced(version: Version, branches: Mapping[str, str]) -> Version:
    """The version in which everybody takes these shares, by split. Raises BadInput for one that the journey does not have."""
    _check(version.journey, branches)
    return _with(version, tuple(_forced(node, branches.get(node.id, "")) for node in version.journey.nodes)) if branches else version


def _forced(node: Node, taken: str) -> Node:
    if not taken or not isinstance(node, Split):
        return node
    shares = tuple(share.model_copy(update={"percent": 100.0 if share.id == taken else 0.0}) for share in node.shares)
    return node.model_copy(update={"shares": shares})


def _with(version: Version, nodes: tuple[Node, ...], **changed: Session) -> Version:
    """Built anew, not copied: a copy would carry along what graph and version have cached of themselves."""
    journey = version.journey
    graph = Journey.model_validate({name: getattr(journey, name) for name in Journey.model_fields} | {"nodes": nodes})
    frozen = {name: getattr(version, name) for name in Version.model_fields}
    return Version.model_validate(frozen | {"journey": graph} | changed)


def _squeezed(node: Node, wait: str, timeout: str) -> Node:
    match node:
        case Wait(until=UntilRule()) if node.timeout is not None:  # a rule comes true by what is done, as an event happens
            return node.model_copy(update={"timeout": _timeout(node.timeout, timeout)})
        case Wait():
            shown = {name: getattr(node, name) for name in ("id", "name", "position", "note", "kind", "next")}
            return Wait.model_validate(shown | {"duration": wait, "timeout": _timeout(node.timeout, timeout)})
        case Message():  # whoever tests reviews it already
            return node.model_copy(update={"hold_for_review": False})
    ends = getattr(node, "timeout", None)
    return node if ends is None else node.model_copy(update={"timeout": _timeout(ends, timeout)})


def _timeout(drawn: Timeout | None, length: str) -> Timeout | None:
    return None if drawn is None else drawn.model_copy(update={"after": length})


def _gates(journey: Journey) -> list[tuple[str, ...]]:
    """Every gate that somebody can come to: the listening nodes that one exit leads to."""
    ways = [way for node in journey.nodes for _, way in exits(node)]
    return [way for way in ways if way and all(one in journey.by_id and journey.node(one).kind in LISTENING for one in way)]


def _ranks(journey: Journey, gates: Sequence[tuple[str, ...]]) -> dict[End, int]:
    """What came after another end of its gate still comes after it, by a second: who ended a gate goes on ending it."""
    lengths = {end: length for node in journey.nodes for end, length in _ends(node).items()}
    ranks: dict[End, int] = {}
    for end in sorted(lengths, key=lambda one: (lengths[one], one)):
        before = [other for other in ranks if lengths[other] < lengths[end] and any({end[0], other[0]} <= {*gate} for gate in gates)]
        ranks[end] = max((ranks[other] + 1 for other in before), default=0)
    return ranks


def _ends(node: Node) -> dict[End, int]:
    """The lengths that are known before anybody comes."""
    drawn = {(node.id, "wait"): node.duration if isinstance(node, Wait) else ""}
    timeout = getattr(node, "timeout", None)
    drawn[node.id, "timeout"] = "" if timeout is None else timeout.after
    return {end: durations.seconds(text) for end, text in drawn.items() if text}


def _check(journey: Journey, branches: Mapping[str, str]) -> None:
    for node_id, share in branches.items():
        splits = {node.id: [one.id for one in node.shares] for node in journey.nodes if isinstance(node, Split)}
        if node_id not in splits:
            known = f"it has {', '.join(splits)}" if splits else "it has none"
            raise BadInput(f"{node_id!r} is no split of {journey.id}: {known}.", where="branches")
        if share not in splits[node_id]:
            raise BadInput(f"{share!r} is no share of {node_id}: it has {', '.join(splits[node_id])}.", where=f"branches.{node_id}")
