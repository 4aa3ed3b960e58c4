"""`sojourn diff`: what differs between two versions of a journey, or between a folder and the version that people are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from commands import staging
from commands.http import Api, journey_path
from journey import diff, documents
from journey.diff import Side
from journey.errors import BadInput, NotFound
from journey.events import EventDefinition
from journey.graph import EventNode, Journey

_MARKS = {"added": "+", "removed": "-", "cosmetic": "·"}
_EVENTS = dict[str, EventDefinition]


def between(api: Api, journey: str, older: str, newer: str) -> dict[str, Any]:
    """What the API says of two versions of a journey, each a number or `draft`."""
    for which in (older, newer):
        if which != "draft" and not which.isdecimal():
            raise BadInput(f"{which!r} is no version: write its number, or draft.")
    answer: dict[str, Any] = api.get(f"{journey_path(journey)}/versions/{older}..{newer}")
    return answer


def of_folder(api: Api, root: Path, journey: str) -> dict[str, Any]:
    """The same, for a journey of a folder against its live version, or the newest when none is live.

    Raises BadInput for a folder that cannot be read, NotFound when the journey was never published.
    """
    read = staging.opened(root)
    drawn = staging.chosen(read, root, journey)
    versions = api.get(f"{journey_path(drawn.id)}/versions")["items"]
    if not versions:
        raise NotFound(f"{drawn.id} was never published: nobody is in it, and all of it is new.")
    number = next((one["number"] for one in versions if one["state"] == "live"), versions[-1]["number"])
    version = api.get(f"{journey_path(drawn.id)}/versions/{number}")
    people = between(api, drawn.id, str(number), str(number))["standing"]
    older = Side(documents.parse(Journey, version["journey"]), documents.parse_as(_EVENTS, version["events"]))
    named = {node.event for node in drawn.nodes if isinstance(node, EventNode)} | {one.event for one in drawn.exit_criteria}
    newer = Side(drawn, {name: entry.document for name, entry in read.events.items() if name in named})
    changes = [
        {name: getattr(one, name) for name in one.__slots__} | {"people": people.get(one.was, 0)} for one in diff.compare(older, newer)
    ]
    return {"journey": drawn.id, "older": str(number), "newer": "folder", "changes": changes, "standing": people}


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """A line of the two that are compared, and a line for each change: `+` new, `-` gone, `~` otherwise, `·` cosmetic."""
    older, newer = (f"version {which}" if which.isdecimal() else f"the {which}" for which in (answer["older"], answer["newer"]))
    if not answer["changes"]:
        yield f"{answer['journey']}: {older} and {newer} are the same."
        return
    yield f"{answer['journey']}: from {older} to {newer}"
    for change in answer["changes"]:
        people = change["people"]
        stand = (
            f" {people:,} {'person stands' if people == 1 else 'people stand'} there." if people and change["kind"] != "cosmetic" else ""
        )
        yield f"  {_MARKS.get(change['kind'], '~')} {change['sentence']}{stand}"
