"""What a journey is made of: the document of design section 2. It knows the shape alone; validation/judging.py judges, walk.py walks.

In a draft only `id` and `kind` are required: a field that is absent is empty here and becomes the finding `field_missing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictBool, StrictInt

from journey.rule_tree import Rule
from journey.schedule import WordOrSchedule
from journey.until import Until

THING_ID = r"^[a-z][a-z0-9-]{0,62}$"
ThingId = Annotated[str, Field(pattern=THING_ID)]
NAMESPACE = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
OPTIONAL_NAMESPACE = f"^$|{NAMESPACE}"
NamespaceOrNone = Annotated[str, Field(pattern=OPTIONAL_NAMESPACE)]
"""The kind of an identity, as customer_id; empty where it is not said."""


def _as_tuple(raw: Any) -> Any:
    return (raw,) if isinstance(raw, str) else raw


def _as_written(ids: tuple[str, ...]) -> str | list[str]:
    return ids[0] if len(ids) == 1 else list(ids)


Next = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), PlainSerializer(_as_written)]
RuleOrText = Annotated[str | Rule, Field(union_mode="left_to_right")]


class Document(BaseModel):
    """The base of every document: frozen, and an unknown field is refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Position(Document):
    """Where the canvas shows a node, in pixels; no meaning for the walk."""

    x: float
    y: float


class Timeout(Document):
    """How long a gate listens, and where it goes then; without `next` it goes on by the `next` of its node (G8)."""

    after: str = ""
    next: Next = ()


class NodeBase(Document):
    """What every node may carry."""

    id: ThingId
    name: str = ""
    position: Position | None = None
    note: str = ""


class ReadSegment(NodeBase):
    """The entry: reads a segment and lets in its members. `rate` is a ceiling in profiles a second.

    `incremental`: a run lets in only who joined since the one before. `force_reentry`: a run first ends everybody who is still inside.
    """

    kind: Literal["read_segment"]
    segment: str = ""
    schedule: WordOrSchedule = "asap"
    incremental: StrictBool = False
    force_reentry: StrictBool = False
    rate: Annotated[StrictInt, Field(ge=1)] | None = None
    next: Next = ()


class EventNode(NodeBase):
    """Waits for an event of its person; `since` looks back to the entry or to an earlier node.

    `settle_for`: where people enter by it, an event whose `where` is not true is asked again when the profile is written, for so long.
    """

    kind: Literal["event"]
    event: str = ""
    where: RuleOrText | None = None
    since: str = ""
    settle_for: str = ""
    next: Next = ()
    timeout: Timeout | None = None


class Qualification(NodeBase):
    """Waits until its person enters or leaves a segment."""

    kind: Literal["qualification"]
    segment: str = ""
    direction: Literal["enter", "leave"] = "enter"
    next: Next = ()
    timeout: Timeout | None = None


class Reaction(NodeBase):
    """Waits for what its person does with an earlier message: `to` is CHANNEL.KIND, as `email.opened`."""

    kind: Literal["reaction"]
    of: str = ""
    to: str = ""
    next: Next = ()
    timeout: Timeout | None = None


class Message(NodeBase):
    """Sends a message on the named channels, all that it has when none is named.

    With `hold_for_review` it is made out for each person, and sent when somebody has approved it. `continues`: the message nodes of
    earlier versions that it is; what was sent there was sent here.
    """

    kind: Literal["message"]
    message: str = ""
    channels: tuple[str, ...] = ()
    hold_for_review: StrictBool = False
    continues: Next = ()
    next: Next = ()
    error: Next = ()


class Wait(NodeBase):
    """Waits for a duration, or until something; until what hangs on a person, a timeout says how long at most."""

    kind: Literal["wait"]
    duration: str = Field(default="", alias="for")
    until: Until | None = None
    next: Next = ()
    timeout: Timeout | None = None


class Branch(Document):
    """One way out of a condition: taken when `when` is true and none above it was."""

    id: ThingId
    when: RuleOrText | None = None
    next: Next = ()


class Condition(NodeBase):
    """Branches tried from the top; `otherwise` when none is true, and without it the person ends with no_branch."""

    kind: Literal["condition"]
    branches: tuple[Branch, ...] = ()
    otherwise: Next = ()


class Share(Document):
    """One share of a split, in percent."""

    id: ThingId
    percent: Annotated[float, Field(strict=True)] = 0
    next: Next = ()


class Split(NodeBase):
    """Divides people by a hash of journey, node and key: the same person always gets the same share."""

    kind: Literal["split"]
    shares: tuple[Share, ...] = ()


class UpdateProfile(NodeBase):
    """Writes attributes of the person."""

    kind: Literal["update_profile"]
    set: dict[str, Any] = Field(default_factory=dict)
    next: Next = ()
    error: Next = ()


class Webhook(NodeBase):
    """Calls an address of yours."""

    kind: Literal["webhook"]
    url: str = ""
    method: str = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    next: Next = ()
    error: Next = ()


class Jump(NodeBase):
    """Enters its person into another journey."""

    kind: Literal["jump"]
    journey: str = ""
    next: Next = ()


class End(NodeBase):
    """The end of a path; a path without one ends all the same."""

    kind: Literal["end"]
    label: str = ""


Listening = EventNode | Qualification | Reaction | Wait
"""The nodes that may stand in parallel in a gate."""
LISTENING = ("event", "qualification", "reaction", "wait")

Node = Annotated[
    ReadSegment | EventNode | Qualification | Reaction | Message | Wait | Condition | Split | UpdateProfile | Webhook | Jump | End,
    Field(discriminator="kind"),
]


class Reentry(Document):
    """Whether somebody who has been through the journey may enter again, and how long after their last entrance (E2)."""

    allowed: StrictBool = True
    after: str = ""


class ExitCriterion(Document):
    """What ends somebody wherever they are: an event (`where` says which), or that they enter or leave a segment; one of the two."""

    event: str = ""
    where: RuleOrText | None = None
    segment: str = ""
    direction: Literal["enter", "leave"] = "enter"


class Journey(Document):
    """A journey as it is written: the draft, and the graph that a version freezes. Any one of the exit criteria ends a person.

    `start` and `end` are date-times in its zone. `priority` says who goes first where two journeys compete for a place under
    a frequency cap. People in one of the class transactional have a task queue of their own; what a message is exempt from, its own
    class says. `on_error` says what becomes of people at an error that no exit is drawn for: they end, or stay until it is mended.
    """

    id: ThingId
    name: str = ""
    namespace: NamespaceOrNone = ""
    timezone: str = "UTC"
    global_timeout: str = "P91D"
    start: str = ""
    end: str = ""
    priority: Annotated[StrictInt, Field(ge=0, le=100)] = 0
    purpose: Literal["marketing", "transactional"] = Field("marketing", alias="class")
    reentry: Reentry = Reentry()
    exit_criteria: tuple[ExitCriterion, ...] = ()
    on_error: Literal["end", "park"] = "end"
    nodes: tuple[Node, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """Nodes by id; of two with one id (an error finding) the first."""
        found: dict[str, Node] = {}
        for node in self.nodes:
            found.setdefault(node.id, node)
        return MappingProxyType(found)

    @cached_property
    def entry_node(self) -> Node | None:
        """Where people enter: the read_segment, else the first node when it waits for an event or a segment. None when nobody can."""
        for node in self.nodes:
            if isinstance(node, ReadSegment):
                return node
        return self.nodes[0] if self.nodes and isinstance(self.nodes[0], EventNode | Qualification) else None

    def node(self, node_id: str) -> Node:
        return self.by_id[node_id]


def reading(journey: Journey) -> ReadSegment | None:
    """The entry that reads a segment, if people enter by one."""
    return next((node for node in journey.nodes if isinstance(node, ReadSegment)), None)


def exits(node: Node) -> tuple[tuple[str, Next], ...]:
    """Each named way out of a node with where it leads, in the order of the document; a way that is not drawn is left out."""
    ways: list[tuple[str, Next]] = []
    if isinstance(node, Condition):
        ways += [(branch.id, branch.next) for branch in node.branches]
        ways += [("otherwise", node.otherwise)] if node.otherwise else []
        return tuple(ways)
    if isinstance(node, Split):
        return tuple((share.id, share.next) for share in node.shares)
    if isinstance(node, End):
        return ()
    ways.append(("next", node.next))
    if isinstance(node, Message | UpdateProfile | Webhook) and node.error:
        ways.append(("error", node.error))
    if isinstance(node, EventNode | Qualification | Reaction | Wait) and node.timeout is not None:
        ways.append(("timeout", node.timeout.next or node.next))
    return tuple(ways)
