"""A journey is copied: its draft, or its newest version where there is none, becomes the draft of another one. Nobody comes along."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from journey.errors import Conflict, NotFound
from store import journeys, versions
from store.work import Work

_LONGEST_ID = 63


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy, and what it was made of: `draft`, or a version."""

    id: str
    of: str


def duplicate(work: Work, journey_id: str, new: str | None = None) -> Copied:
    """Copy a journey; without `new` to the first id that is free. Raises NotFound, and Conflict with code `id_taken`."""
    of, document = _newest(work.connection, journey_id)
    if new is None:
        new = next(one for one in _names(journey_id) if not _is_taken(work.connection, one))  # of endless many
    elif _is_taken(work.connection, new):
        raise Conflict(f"There is a journey {new} already: choose another id.", code="id_taken")
    name = str(document.get("name", ""))
    copy = {"id": new} | {field: value for field, value in document.items() if field != "id"}
    if name:
        copy["name"] = f"{name} (copy)"
    journeys.put_draft(work, new, copy)
    return Copied(new, of)


def _newest(connection: Connection, journey_id: str) -> tuple[str, dict[str, Any]]:
    journeys.known(connection, journey_id)
    try:
        return "draft", journeys.get_draft(connection, journey_id).document
    except NotFound:  # it has versions alone
        newest = versions.of_journey(connection, journey_id)[-1]
        frozen = versions.frozen_version(connection, newest.hash)
        return newest.id, frozen.journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _names(journey_id: str) -> Iterator[str]:
    """Where the id is too long for more, its end gives way."""
    for number in itertools.count(1):
        ending = "-copy" if number == 1 else f"-copy-{number}"
        yield journey_id[: _LONGEST_ID - len(ending)] + ending


def _is_taken(connection: Connection, journey_id: str) -> bool:
    try:
        journeys.known(connection, journey_id)
    except NotFound:
        return False
    return True
