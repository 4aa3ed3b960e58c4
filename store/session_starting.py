"""A test session begins: the draft is frozen and squeezed, in one commit, and the session before it ends. It knows no workflow."""

from __future__ import annotations

from dataclasses import dataclass

from journey import documents, freezing, ids, lifecycle, squeezing
from journey.findings import Finding
from journey.graph import Journey
from journey.version import Session
from store import journeys, sessions, surroundings, versions
from store.versions import VersionRow
from store.work import Work


@dataclass(frozen=True, slots=True)
class Started:
    """A session that began. `replaced` is the version of the one before, whose people are to be wound down."""

    version: str
    replaced: str | None
    findings: tuple[Finding, ...]


def start(work: Work, journey_id: str, wanted: Session, public_url: str) -> Started:
    """Put the draft as it is now into test. The draft stays, and a change of it is not in the session.

    Raises Invalid with every finding, BadInput for a branch that the draft does not have, NotFound without a draft.
    """
    journeys.locked(work, journey_id)
    draft = journeys.get_draft(work.connection, journey_id)
    journey = documents.parse(Journey, draft.document)
    around = surroundings.read(work.connection, public_url)
    version, warnings = freezing.judged(journey, around)
    frozen = squeezing.squeeze(version, wanted)
    replaced = sessions.end(work, journey_id)
    number = sessions.next_number(work.connection, journey_id)
    state = lifecycle.after(f"The draft of {journey_id}", "draft", "test")
    row = VersionRow(ids.test_version(journey_id, number), journey_id, -number, frozen.hash, state, work.now())
    versions.keep(work, frozen)
    versions.insert(work, row)
    sessions.insert(work, row, draft.etag)
    return Started(row.id, replaced, warnings)
