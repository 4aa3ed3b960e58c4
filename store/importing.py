"""What an import writes: each line changes what it names in a profile that is there, and leaves the rest. It knows no format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from journey.profiles import ProfileDocument
from store import profiles
from store.work import Work


def merged(work: Work, lines: Sequence[ProfileDocument]) -> list[ProfileDocument]:
    """The profiles that the lines make, one for each: what a line says over what is there, which nobody else changes until the commit.

    Attributes and identities are merged, null takes an attribute out. Push tokens and `test` stay where a line is silent. A consent that
    was withdrawn stays so, whatever a line says: lines are copies of an earlier day, and nobody who has unsubscribed since is
    written to because of one.
    """
    known = profiles.documents(work, [line.id for line in lines])
    made: list[ProfileDocument] = []
    for line in lines:
        found = known.get(line.id)
        known[line.id] = line if found is None else _over(found, line)
        made.append(known[line.id])
    return made


def _over(found: ProfileDocument, line: ProfileDocument) -> ProfileDocument:
    changed: dict[str, Any] = {name: getattr(line, name) for name in ("push_tokens", "test") if name in line.model_fields_set}
    changed["attributes"] = {name: value for name, value in {**found.attributes, **line.attributes}.items() if value is not None}
    changed["identities"] = {**found.identities, **line.identities}
    withdrawn = {channel: False for channel, given in found.consents.items() if not given}
    changed["consents"] = {**found.consents, **line.consents, **withdrawn}
    return found.model_copy(update=changed)
