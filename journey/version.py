"""What a publish freezes: the graph, the event definitions and the rules, kept by their hash. It knows no store."""

from __future__ import annotations

import json
from functools import cached_property

from pydantic import Field

from journey import ids
from journey.events import EventDefinition
from journey.graph import Document, Journey, Webhook
from journey.profiles import AttributeType


class Version(Document):
    """A published journey that never changes. Rules are trees here, never text. `writes` are the types of the attributes that it writes."""

    journey: Journey
    events: dict[str, EventDefinition]
    writes: dict[str, AttributeType] = Field(default_factory=dict)

    @cached_property
    def canonical(self) -> str:
        """The text that the hash is taken of and that the store keeps."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        return ids.content_hash(self.canonical)

    @cached_property
    def calls(self) -> bool:
        """Does it call any webhook, so that there may be answers to look at?"""
        return any(isinstance(node, Webhook) for node in self.journey.nodes)
