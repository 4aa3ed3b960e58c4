"""The heart: where an entrant goes. It knows the graph alone: no time, no person, no store.

The entrant workflow, the simulator and test mode drive this one walk: `ask` says what is to be done at a place, `follow` where an
outcome leads. A place is one node, or a gate: several listening nodes in parallel, written with `+` between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import durations
from journey.calls import host_of
from journey.graph import (
    LISTENING,
    Condition,
    End,
    EventNode,
    Journey,
    Jump,
    Message,
    Next,
    Node,
    Qualification,
    Reaction,
    Split,
    UpdateProfile,
    Wait,
    Webhook,
    exits,
)
from journey.until import timed

Place = str
"""Node ids joined by `+`; empty when the path is at its end."""

FINISHED = "finished"
NO_BRANCH = "no_branch"
ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a node was left: by which of its exits."""

    node: str
    exit: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send the message of this node."""

    node: str
    message: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Call the webhook of this node, at this host."""

    node: str
    host: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write into the profile what this node sets."""

    node: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Find the branch of this condition, or the share of this split."""

    node: str


@dataclass(frozen=True, slots=True)
class Enter:
    """Let its person into another journey; they go on in both."""

    node: str
    journey: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait here until one of these nodes is decided; gate.py holds the rules.

    `length` is how long the place listens at most, in seconds, and `due` the exit taken then, as far as the graph alone can tell; both
    are None when it says nothing of an end. Where a wait is `moving`, its end hangs on more: gate.py puts the two together.
    """

    place: Place
    nodes: tuple[str, ...]
    length: int | None = None
    due: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The walk is over, for one reason; `node` is the end node when one is drawn."""

    reason: str
    node: str = ""


Acting = Send | Call | Write | Decide | Enter
"""What a stop does, at one node; the others are where it comes to rest."""
Answer = Acting | Listen | Finish


class CannotWalk(Exception):
    """The graph holds something that validation should have refused. Ours, never the user's."""


def first(journey: Journey) -> Place:
    """The place of somebody just admitted: behind the entry."""
    return follow(journey, Outcome(entry(journey), "next"))


def entry(journey: Journey) -> str:
    """The id of the entry node."""
    if journey.entry_node is None:
        raise CannotWalk(f"{journey.id} has no entry")
    return journey.entry_node.id


def ask(journey: Journey, place: Place, *, left: Outcome | None = None) -> Answer:
    """What is to be done at a place. At no place the walk is over, and `left` says why."""
    if not place:
        return Finish(_why(journey, left))
    nodes = [journey.node(node_id) for node_id in nodes_of(place)]
    node = nodes[0]
    if len(nodes) > 1 or node.kind in LISTENING:
        return _listen(place, nodes)
    match node:
        case Message():
            return Send(node.id, node.message, node.channels)
        case Webhook():
            return Call(node.id, host_of(node.url))
        case UpdateProfile():
            return Write(node.id)
        case Condition() | Split():
            return Decide(node.id)
        case Jump():
            return Enter(node.id, node.journey)
        case End():
            return Finish(FINISHED, node.id)
    raise CannotWalk(f"a {node.kind} cannot be walked")


def follow(journey: Journey, outcome: Outcome) -> Place:
    """Where an outcome leads. An exit that is not drawn ends the path."""
    return "+".join(_leads_to(journey.node(outcome.node), outcome.exit))


def outcomes(journey: Journey, answer: Acting) -> tuple[str, ...]:
    """Every exit that this doing can take, drawn or not."""
    match answer:
        case Send() | Call() | Write():
            return ("next", "error")
        case Enter():
            return ("next",)
        case Decide():
            node = journey.node(answer.node)
            if isinstance(node, Split):
                return tuple(share.id for share in node.shares)
            return (*(branch.id for branch in condition(node).branches), "otherwise")


def condition(node: Node) -> Condition:
    """A node that is known to be a condition."""
    if not isinstance(node, Condition):
        raise CannotWalk(f"{node.id}, a {node.kind}, has no branches")
    return node


def nodes_of(place: Place) -> tuple[str, ...]:
    """The nodes that stand at a place."""
    return tuple(place.split("+")) if place else ()


def parks(journey: Journey, reason: str) -> bool:
    """Would the journey rather have an end for this reason mended? Whoever comes to it stays where the error was."""
    return journey.on_error == "park" and reason == ERROR


def places(journey: Journey, node: str) -> tuple[Place, ...]:
    """Every place at which a node stands, alone or in a gate."""
    found = {node: None} | {"+".join(way): None for one in journey.nodes for _, way in exits(one) if node in way}
    return tuple(found)


def ahead(journey: Journey, place: Place) -> frozenset[str]:
    """Every node that can still be reached from a place, those of the place included."""
    seen: set[str] = set()
    todo = list(nodes_of(place))
    while todo:
        node_id = todo.pop()
        if node_id in seen or node_id not in journey.by_id:
            continue
        seen.add(node_id)
        todo += [target for _, way in exits(journey.node(node_id)) for target in way]
    return frozenset(seen)


def moving(journey: Journey, place: Place) -> tuple[Wait, ...]:
    """The waits at a place whose end the graph cannot tell: until a date, a field, or a clock."""
    nodes = (journey.node(node_id) for node_id in nodes_of(place))
    return tuple(node for node in nodes if isinstance(node, Wait) and timed(node.until) is not None)


def _listen(place: Place, nodes: list[Node]) -> Listen:
    """At one instant a wait stands before a timeout, and the first drawn of two equal waits wins (G1, G2)."""
    ends: list[tuple[int, int, Outcome]] = []
    for node in nodes:
        if not isinstance(node, EventNode | Qualification | Reaction | Wait):
            raise CannotWalk(f"{node.id}, a {node.kind}, cannot listen at {place}")
        if isinstance(node, Wait) and node.until is None:  # any other is over by what the graph does not know
            if not node.duration:
                raise CannotWalk(f"{node.id}, a {node.kind}, cannot listen at {place}")
            ends.append((durations.seconds(node.duration), 0, Outcome(node.id, "next")))
        if node.timeout is not None:
            ends.append((durations.seconds(node.timeout.after), 1, Outcome(node.id, "timeout")))
    names = tuple(node.id for node in nodes)
    if not ends:
        return Listen(place, names)
    length, _, outcome = min(ends, key=lambda end: end[:2])
    return Listen(place, names, length, outcome)


def _leads_to(node: Node, taken: str) -> Next:
    for name, way in exits(node):
        if name == taken:
            return way
    return ()


def _why(journey: Journey, left: Outcome | None) -> str:
    if left is None or left.node not in journey.by_id:
        return FINISHED
    if isinstance(journey.node(left.node), Condition | Split):  # its exits may have any name, `error` too
        return NO_BRANCH if left.exit == "otherwise" else FINISHED
    return ERROR if left.exit == "error" else FINISHED
