"""A profile is written, and what that sets off is decided in the same commit: people who wait for a rule or a segment, exit criteria.

Whoever writes the attributes of a profile calls a function of this file; `SetOff` is what is to be told after the commit, as after an
event. Nobody is asked about who is in no journey that listens: a write costs one look at the versions that people can be in, and only
where one of them hears of profiles the person's open entrants are looked up.

The profile is locked and written first, then its entrants are locked and read: whoever arrives at a gate meanwhile has either read the new
profile, or is found waiting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from journey import changes, ids, matching, past, sentences
from journey.changes import Attributes
from journey.errors import SojournError
from journey.events import Event
from journey.profiles import ProfileDocument, PushToken
from store import definitions, entering, entrants, hearing, knowing, profiles, schema, segments, settling, versions
from store.admission import Start
from store.entrants import Entrant
from store.statements import Statement
from store.versions import VersionRow
from store.work import Decided, Work


@dataclass(frozen=True, slots=True)
class SetOff:
    """What writes of profiles have set off: the entrants that are to be told after the commit, and those to be started."""

    decided: tuple[Decided, ...] = ()
    entered: tuple[Start, ...] = ()

    def plus(self, more: SetOff) -> SetOff:
        return SetOff(self.decided + more.decided, self.entered + more.entered)


NOTHING = SetOff()


@dataclass(frozen=True, slots=True)
class Patched:
    """A profile as it is after a change, and what the change has set off."""

    profile: ProfileDocument
    set_off: SetOff


@dataclass(frozen=True, slots=True)
class PutAll:
    """For each of many profiles None, or why it was left as it was; and what the writes have set off."""

    errors: list[SojournError | None]
    set_off: SetOff


@dataclass(frozen=True, slots=True)
class _Listening:
    """Whether a write of a profile can move somebody in a version that people can be in; the versions that it lets people into, each with
    the segment by which they begin; and whether an event may wait for it."""

    inside: bool
    entries: tuple[tuple[VersionRow, str], ...]
    settles: bool

    def __bool__(self) -> bool:
        return self.inside or self.of_everybody

    @property
    def of_everybody(self) -> bool:
        """Do writes about those count who are in no journey?"""
        return self.settles or bool(self.entries)


def put(work: Work, document: ProfileDocument) -> SetOff:
    """As profiles.put."""
    done = put_all(work, [document])
    if done.errors[0] is not None:
        raise done.errors[0]
    return done.set_off


def put_all(work: Work, documents: Sequence[ProfileDocument]) -> PutAll:
    """As profiles.put_all."""
    listening = _listening(work.connection)
    if not listening:
        return PutAll(profiles.put_all(work, documents), NOTHING)
    before = profiles.lock_all(work, [document.id for document in documents])
    errors = profiles.put_all(work, documents)
    after = {document.id: document.attributes for document, error in zip(documents, errors, strict=True) if error is None}
    written = [profile for profile in sorted(after) if _differ(before.get(profile), after[profile])]
    inside = entrants.inside_among(work.connection, written)
    set_off = NOTHING
    for profile in written if listening.of_everybody else inside:
        known = entrants.open_of(work, profile) if profile in inside else []
        set_off = set_off.plus(_hear(work, listening, known, profile, before.get(profile), after[profile]))
    return PutAll(errors, set_off)


def patch(
    work: Work,
    profile_id: str,
    *,
    attributes: Mapping[str, Any] | None = None,
    identities: Mapping[str, str | None] | None = None,
    consents: Mapping[str, bool | None] | None = None,
    push_tokens: Sequence[PushToken] | None = None,
    test: bool | None = None,
    own: Entrant | None = None,
) -> Patched:
    """As profiles.patch. `own` is an entrant of this person that the caller has in its hands, locked, and will save itself."""
    before = profiles.locked(work, profile_id).attributes
    changed = profiles.patch(
        work, profile_id, attributes=attributes, identities=identities, consents=consents, push_tokens=push_tokens, test=test
    )
    return Patched(changed, _written(work, profile_id, before, changed.attributes, own))


def delete(work: Work, profile_id: str) -> SetOff:
    """As profiles.delete: the person leaves every segment."""
    before = profiles.lock_all(work, [profile_id]).get(profile_id)
    profiles.delete(work, profile_id)
    return _written(work, profile_id, before, None)


def _written(work: Work, profile: str, before: Attributes | None, after: Attributes | None, own: Entrant | None = None) -> SetOff:
    listening = _listening(work.connection) if _differ(before, after) else None
    if not listening:
        return NOTHING
    inside = [own if own is not None and own.id == entrant.id else entrant for entrant in entrants.open_of(work, profile)]
    return _hear(work, listening, inside, profile, before, after)


def _differ(before: Attributes | None, after: Attributes | None) -> bool:
    """Is anything else there? 1 and true are two values."""
    return before != after or json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)


def _hear(
    work: Work, listening: _Listening, inside: Sequence[Entrant], profile: str, before: Attributes | None, after: Attributes | None
) -> SetOff:  # fmt: skip
    """Tell a write to the open entrants of its person, to the journeys that begin with it, and to the events that wait for it."""
    hearers = [entrant for entrant in inside if entrant.frozen.hears_profiles]
    heard = _tell(work, listening, hearers, profile, before, after) if hearers or listening.entries else NOTHING
    settled = settling.settle(work, profile, after) if listening.settles and after is not None else ()
    return heard.plus(SetOff(entered=settled))


def _tell(
    work: Work, listening: _Listening, hearers: list[Entrant], profile: str, before: Attributes | None, after: Attributes | None
) -> SetOff:  # fmt: skip
    """The write is an event that is put on record only where it comes to something."""
    asked = {segment for _, segment in listening.entries}.union(*(entrant.frozen.segments_heard for entrant in hearers))
    event = _event(work, profile, sorted(asked), before, after)
    heard = hearing.hear(work, event, hearers, after or {})
    entered, refused = _enter(work, listening, event, heard.journeys)
    if heard.journeys or entered or refused:
        _INSERT.run(work.connection, {
            "source": event.source, "id": event.id, "profile": profile, "name": event.name, "data": event.data, "occurred_at": None,
            "accepted_at": event.accepted_at, "won": bool(heard.decided or entered),
        })  # fmt: skip
        work.noted["event", "decided" if heard.decided else "entered" if entered else "kept" if heard.journeys else "discarded"] += 1
    return SetOff(heard.decided, entered)


def _enter(work: Work, listening: _Listening, event: Event, heard: frozenset[str]) -> tuple[tuple[Start, ...], bool]:
    """Let the person into every live version that begins with what they have entered or left, but where they are inside and it was heard.
    Whoever is refused has their reason on record, for each version; the second value says whether anybody was."""
    entered: list[Start] = []
    refused = False
    for version, segment in listening.entries:
        if version.journey in heard or not matching.lets_in(versions.frozen_version(work.connection, version.hash), event):
            continue
        start = entering.enter(work, version, event.profile, entry=(event.source, event.id), said=sentences.entered(segment))
        entered += [start] if start is not None else []
        refused = refused or start is None
    return tuple(entered), refused


def _event(work: Work, profile: str, asked: Sequence[str], before: Attributes | None, after: Attributes | None) -> Event:
    """The write as an event, at an instant at which no other one of this person stands on record."""
    at = work.now()
    rules = segments.trees(work.connection, asked)
    wanted = past.needs(rules.values())
    done = knowing.done_by(work.connection, profile, wanted, at, at - 1) if wanted.events else []
    known = definitions.all_of(work.connection) if wanted.events else {}

    def members(attributes: Attributes | None) -> changes.Member:
        return changes.nowhere if attributes is None else past.Segments(rules, known, attributes, done, at - 1).has

    event = changes.event(profile, at, [name for name in asked if name in rules], members(before), members(after))
    while _THERE.all(work.connection, {"source": event.source, "event": event.id}):
        at += 1
        event = replace(event, id=ids.profile_change(profile, at), accepted_at=at)
    return event


def _listening(connection: Connection) -> _Listening:
    inhabited = [versions.frozen_version(connection, row.hash) for row in _INHABITED.all(connection, {})]
    hears, settles = any(one.hears_profiles for one in inhabited), any(one.settles for one in inhabited)
    return _Listening(hears, tuple(versions.begun_by_a_segment(connection)), settles)


_INHABITED = Statement(select(schema.versions.c.hash).where(text("versions.state IN ('live', 'closed', 'paused', 'test')")))
_THERE = Statement(
    select(schema.events.c.id).where(schema.events.c.source == bindparam("source"), schema.events.c.id == bindparam("event"))
)
_INSERT = Statement(schema.events.insert())
