"""What a publish or a test freezes: the graph, the event definitions and the rules, kept by their hash. It knows no store."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Literal

from pydantic import Field

from journey import ids
from journey.calls import CHANNEL
from journey.events import EventDefinition
from journey.graph import Document, EventNode, Journey, Qualification, Wait, Webhook
from journey.profiles import AttributeType
from journey.until import UntilRule


class Session(Document):
    """How a test session is held; it is frozen with the graph that it has squeezed.

    `channels`: messages go to the development inbox, or are really sent; `webhooks`: calls are only recorded, or really made. `wait` is
    the length in seconds of every wait and timeout, `reaction_wait` that of those in a gate with a reaction. `branches` names the share
    that everybody takes at a split.
    """

    channels: Literal["inbox", "real"] = "inbox"
    webhooks: Literal["recorded", "real"] = "recorded"
    wait: int = 10
    reaction_wait: int = 40
    branches: dict[str, str] = Field(default_factory=dict)

    def really(self, channel: str) -> bool:
        """Is what goes on this channel really sent, or called?"""
        return (self.webhooks if channel == CHANNEL else self.channels) == "real"


class Version(Document):
    """A journey that never changes, as it was published, or as it is tested (`session`). Rules are trees here, never text. `writes` are the
    types of the attributes that it writes."""

    journey: Journey
    events: dict[str, EventDefinition]
    writes: dict[str, AttributeType] = Field(default_factory=dict)
    session: Session | None = None

    @cached_property
    def canonical(self) -> str:
        """The text that the hash is taken of and that the store keeps."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True, separators=(",", ":"))

    @cached_property
    def segments_heard(self) -> frozenset[str]:
        """The segments that somebody in it waits to enter or leave, or that end them."""
        inside = [node for node in self.journey.nodes if node is not self.journey.entry_node]
        waited = {node.segment for node in inside if isinstance(node, Qualification)}
        return frozenset(waited | {criterion.segment for criterion in self.journey.exit_criteria if criterion.segment})

    @cached_property
    def begins_with_segment(self) -> str:
        """The segment by which people enter; empty where they enter otherwise, or a run reads one."""
        entry = self.journey.entry_node
        return entry.segment if isinstance(entry, Qualification) else ""

    @cached_property
    def settles(self) -> bool:
        """Is an event by which people enter asked again when its person's profile is written?"""
        entry = self.journey.entry_node
        return isinstance(entry, EventNode) and bool(entry.settle_for)

    @cached_property
    def hears_profiles(self) -> bool:
        """Can a write of a profile move somebody in it?"""
        waits = any(isinstance(node, Wait) and isinstance(node.until, UntilRule) for node in self.journey.nodes)
        return waits or bool(self.segments_heard)

    @cached_property
    def hash(self) -> str:
        return ids.content_hash(self.canonical)

    @cached_property
    def calls(self) -> bool:
        """Does it call any webhook, so that there may be answers to look at?"""
        return any(isinstance(node, Webhook) for node in self.journey.nodes)
