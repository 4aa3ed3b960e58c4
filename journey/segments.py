"""A segment: a named rule over profiles. It knows no store; who its members are, store/rule_sql.py asks the database."""

from __future__ import annotations

import json
from functools import cached_property

from journey import ids
from journey.graph import Document, RuleOrText, ThingId
from journey.rule_text import as_tree
from journey.rule_tree import Rule


class SegmentDocument(Document):
    """A segment as it is put and shown; a *member* satisfies its rule."""

    id: ThingId
    name: str = ""
    rule: RuleOrText

    @cached_property
    def tree(self) -> Rule:
        """The rule as a checked tree. Raises RuleError when it cannot be read."""
        return as_tree(self.rule)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the tree: it changes when, and only when, something else is asked. A run keeps it."""
        dumped = self.tree.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return ids.content_hash(json.dumps(dumped, sort_keys=True, separators=(",", ":")))
