"""The JSON Schema of each document, for editors and for machines that write them. It knows no files."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from journey.events import EventDefinition
from journey.graph import THING_ID, Journey
from journey.messages import MessageDocument
from journey.policies import Policies
from journey.profiles import Attribute, ProfileDocument
from journey.segments import SegmentDocument
from journey.simulation.scenarios import Scenario

DOCUMENTS: dict[str, Any] = {
    "attributes": dict[str, Attribute],
    "policies": Policies,
    "segment": SegmentDocument,
    "event": EventDefinition,
    "message": MessageDocument,
    "journey": Journey,
    "profile": ProfileDocument,
    "scenario": Scenario,
}
"""The documents by the name that their schema goes by."""

_ARROWS = ("next", "error", "otherwise", "waits")


def schema(document: str) -> dict[str, Any]:
    """The schema of one document, of draft 2020-12. Raises KeyError for a name that is not in DOCUMENTS."""
    made = TypeAdapter(DOCUMENTS[document]).json_schema(by_alias=True)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = f"Sojourn {document}"
    for part in (made, *made.get("$defs", {}).values()):
        _let_arrows_be_one_id(part)
        _let_quiet_hours_be_one(part)
    return made


def schemas() -> dict[str, dict[str, Any]]:
    """All of them."""
    return {name: schema(name) for name in DOCUMENTS}


def _let_quiet_hours_be_one(part: dict[str, Any]) -> None:
    """They are one object or a list of them; the model knows them as a list alone."""
    several = part.get("properties", {}).get("quiet_hours")
    if several is not None and several.get("type") == "array":
        items = several["items"]
        several.clear()
        several["anyOf"] = [items, {"type": "array", "items": items}]


def _let_arrows_be_one_id(part: dict[str, Any]) -> None:
    """An arrow is one id or a list of ids; the model knows it as a list alone."""
    for name in _ARROWS:
        arrow = part.get("properties", {}).get(name)
        if arrow is not None and arrow.get("type") == "array":
            arrow.clear()
            one = {"type": "string", "pattern": THING_ID}
            arrow["anyOf"] = [one, {"type": "array", "items": one}]
