"""Test profiles are let into a test session: those that are named, or up to so many of the segment. It knows no workflow.

Who can be let in is let in, and of everybody else the reason is on record, as in a run. Re-entrance is no matter here: whoever has come
to their end may begin again at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, not_, select, true

from journey.entrance import Refusal
from journey.errors import BadInput, Conflict
from journey.graph import EventNode, ReadSegment
from journey.version import Version
from store import entering, profiles, schema, segments, sessions, versions
from store.admission import Start
from store.sessions import Running
from store.versions import VersionRow
from store.work import Work

MOST = 100
"""So many may be inside a session at once."""

_entrants, _profiles = schema.entrants.c, schema.profiles.c


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who was not let in, with the code of the discard and a sentence."""

    profile: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Entered:
    """Who was let in, whose workflows are to be started, and who was not."""

    version: str
    starts: tuple[Start, ...]
    refused: tuple[Refused, ...]


def enter(work: Work, journey_id: str, profile_ids: Sequence[str]) -> Entered:
    """Let in these profiles. Raises NotFound when no test is on, Conflict `test_full` when more than 100 would be inside, and BadInput for
    a journey that begins with an event."""
    session = sessions.running(work.connection, journey_id)
    entry = _frozen(work.connection, session).journey.entry_node
    if isinstance(entry, EventNode):
        said = f"{journey_id} begins with the event {entry.event}: fire it, by POST /v1/journeys/{journey_id}/test/events."
        raise BadInput(said, where="profiles")
    return _enter(work, session, list(dict.fromkeys(profile_ids)))


def enter_up_to(work: Work, journey_id: str, most: int) -> Entered:
    """Let in up to so many test profiles of the segment that are not inside, in order of id, all at once. Raises as `enter`, and BadInput
    for a journey that reads no segment."""
    session = sessions.running(work.connection, journey_id)
    frozen = _frozen(work.connection, session)
    entry = frozen.journey.entry_node
    if not isinstance(entry, ReadSegment):
        raise BadInput(f"{journey_id} reads no segment: name the profiles, or fire the event that lets them in.", where="up_to")
    rule = segments.get(work.connection, entry.segment).tree
    where = segments.where(work.connection, rule, work.now())
    is_inside = select(_entrants.id).where(
        _entrants.journey == journey_id, _entrants.mode == "test", _entrants.profile == _profiles.id, _entrants.state == "open"
    )
    free = and_(where, _profiles.test == true(), not_(is_inside.exists()))
    found = profiles.page(work.connection, free, "", most, work.now())
    return _enter(work, session, [member.id for member in found])


def _enter(work: Work, session: Running, wanted: Sequence[str]) -> Entered:
    version = versions.row(work.connection, session.version)
    found = [(profile, entering.let_in(work, version, profile, mode=entering.TEST, said="let into the test")) for profile in wanted]
    refused = [(profile, why) for profile, why in found if isinstance(why, Refusal)]
    for profile, why in refused:
        entering.refuse(work, version, profile, why)
    starts = tuple(start for _, start in found if isinstance(start, Start))
    _check_room(work.connection, version, len(starts))
    sessions.use(work, session)
    return Entered(version.id, starts, tuple(Refused(profile, why.code, why.detail) for profile, why in refused))


def _check_room(connection: Connection, version: VersionRow, more: int) -> None:
    query = select(func.count()).where(_entrants.version == version.id, _entrants.state == "open")
    inside = int(connection.execute(query).scalar_one()) - more  # before this call, which is taken back
    if more and inside + more > MOST:
        said = (
            f"{inside} are inside the test and {more} would enter, yet {MOST} is the most at once: let in fewer, or start the test again."
        )
        raise Conflict(said, code="test_full")


def _frozen(connection: Connection, session: Running) -> Version:
    return versions.frozen_version(connection, versions.row(connection, session.version).hash)
