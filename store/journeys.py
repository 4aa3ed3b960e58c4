"""Journeys: the draft, and what publishing, closing and stopping do to versions and runs. It knows no workflow: the API starts those."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from journey import documents, freezing, ids, lifecycle, validation
from journey.errors import BadInput, Conflict, NotFound, Stale
from journey.events import Instant
from journey.findings import Finding
from journey.graph import Journey, ReadSegment
from store import runs, schema, surroundings, versions
from store.versions import VersionRow
from store.work import Work

_journeys = schema.journeys.c
_ONE = select(_journeys.id, _journeys.draft, _journeys.etag, _journeys.updated_at).where(_journeys.id == bindparam("id"))
_LOCK = _ONE.with_for_update()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was put. `etag` changes whenever the document does; it stands without quotes."""

    id: str
    document: dict[str, Any]
    etag: str
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `run` is the run to be started, None when the entry waits to be told; `closed` is the version before."""

    version: str
    number: int
    run: str | None
    closed: str | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close did: the version, and the state it is in now (closed, or finished when nobody was inside)."""

    version: str
    state: lifecycle.State


def get_draft(connection: Connection, journey_id: str) -> Draft:
    """The draft. Raises NotFound when the journey has none."""
    found = connection.execute(_ONE, {"id": journey_id}).first()
    if found is None:
        raise _unknown(journey_id)
    if found.draft is None:
        raise NotFound(f"{journey_id} has no draft; what was published is under /v1/journeys/{journey_id}/versions.")
    return Draft(found.id, found.draft, found.etag, found.updated_at or 0)


def put_draft(work: Work, journey_id: str, document: dict[str, Any], if_match: str | None = None) -> str:
    """Keep a document as the draft, as it was put, and return its etag.

    `if_match` is the etag that the writer has read, `*` for whatever draft there is, None to overwrite. Raises Stale when the draft is
    another by now. The shape of the document has been checked before.
    """
    found = _locked(work, journey_id)
    _check(journey_id, found.etag if found is not None and found.draft is not None else None, if_match)
    etag = etag_of(document)
    values = {"draft": document, "etag": etag, "updated_at": work.now()}
    if found is None:
        work.connection.execute(schema.journeys.insert(), {"id": journey_id, **values})
    elif (found.draft, found.etag) != (document, etag):
        work.connection.execute(schema.journeys.update().where(_journeys.id == journey_id).values(values))
    return etag


def delete_draft(work: Work, journey_id: str, if_match: str | None = None) -> None:
    """Throw the draft away; versions stay. Raises NotFound when there is none, Stale as in `put_draft`."""
    _locked(work, journey_id)
    draft = get_draft(work.connection, journey_id)
    _check(journey_id, draft.etag, if_match)
    if versions.of_journey(work.connection, journey_id):
        forget = schema.journeys.update().where(_journeys.id == journey_id).values(draft=None, etag="", updated_at=work.now())
        work.connection.execute(forget)
    else:
        work.connection.execute(schema.journeys.delete().where(_journeys.id == journey_id))


def findings(connection: Connection, journey_id: str, public_url: str) -> tuple[Finding, ...]:
    """What the validator says of the draft, against everything that the store has now. Raises NotFound."""
    draft = get_draft(connection, journey_id)
    return validation.validate(documents.parse(Journey, draft.document), surroundings.read(connection, public_url))


def publish(work: Work, journey_id: str, public_url: str) -> Published:
    """Freeze the draft as the next version and let people in. The version that was live lets in nobody more; those inside walk on.

    An entry with the schedule `asap` gets its run in the same commit; whoever calls starts its workflow afterwards. The draft stays.
    Raises Invalid with every finding, Conflict with code `unchanged` when just this is live already, NotFound without a draft.
    """
    _locked(work, journey_id)
    draft = get_draft(work.connection, journey_id)
    journey = documents.parse(Journey, draft.document)
    around = surroundings.read(work.connection, public_url)
    frozen = freezing.freeze(journey, around)
    former = versions.live(work.connection, journey_id)
    if former is not None and former.hash == frozen.hash:
        raise Conflict(f"{former.id} is live with just this content: there is nothing to publish.", code="unchanged")
    number = 1 + max((version.number for version in versions.of_journey(work.connection, journey_id)), default=0)
    state = lifecycle.after(f"The draft of {journey_id}", "draft", "publish")
    version = VersionRow(ids.version(journey_id, number), journey_id, number, frozen.hash, state, work.now())
    if former is not None:
        _close(work, former)
    versions.keep(work, frozen)
    versions.insert(work, version)
    run = runs.start(work, version, frozen.journey) if _reads_at_once(frozen.journey) else None
    warnings = tuple(validation.validate(journey, around))
    return Published(version.id, number, run, former.id if former is not None else None, warnings)


def start_run(work: Work, journey_id: str, profiles: list[str] | None = None) -> str:
    """Write a run of the live version and return its id: of its segment, or of a list of profiles. Raises NotFound, Conflict."""
    _known(work, journey_id)
    version, journey = runs.let_in_now(work.connection, journey_id)
    return runs.start(work, version, journey, profiles)


def close(work: Work, journey_id: str) -> Closed:
    """Let in nobody more. A run that reads goes on to its end. Raises Conflict when no version is live, NotFound."""
    _known(work, journey_id)
    version = versions.live(work.connection, journey_id)
    if version is None:
        raise Conflict(f"{journey_id} has no live version that could be closed.", code="state")
    return Closed(version.id, _close(work, version))


def stop(work: Work, journey_id: str) -> list[str]:
    """Stop every version in which people can be, and their runs; returns the versions whose people are to be wound down.

    From this commit on nobody acts: each entrant's next commit is its end. Raises Conflict when there is nothing to stop, NotFound.
    """
    _known(work, journey_id)
    holding = [version for version in versions.of_journey(work.connection, journey_id) if version.state in lifecycle.HOLDS_PEOPLE]
    if not holding:
        raise Conflict(f"{journey_id} has no live or closed version that could be stopped.", code="state")
    for version in holding:
        versions.set_state(work, version.id, lifecycle.after(version.id, version.state, "stop"))
        runs.stop_all(work, version.id)
    return [version.id for version in holding]


def finish_if_empty(work: Work, version_id: str) -> bool:
    """A closed version with nobody inside and no run that reads is finished. Called after an end, a run and a close."""
    version = versions.row(work.connection, version_id)
    if version.state != "closed":
        return False
    if versions.anybody_inside(work.connection, version_id) or runs.anyone_reads(work.connection, version_id):
        return False
    versions.set_state(work, version_id, lifecycle.after(version_id, version.state, "finish"))
    return True


def etag_of(document: dict[str, Any]) -> str:
    """The etag of a document: the same content in the same order has the same. Raises BadInput for what JSON cannot carry."""
    try:
        return ids.content_hash(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")))[:32]
    except (ValueError, RecursionError) as fault:  # NaN, half a surrogate pair, nesting without end
        raise BadInput("The document holds what JSON cannot carry: a number that is none, or a broken text.") from fault


def _close(work: Work, version: VersionRow) -> lifecycle.State:
    state = lifecycle.after(version.id, version.state, "close")
    versions.set_state(work, version.id, state)
    return "finished" if finish_if_empty(work, version.id) else state


def _locked(work: Work, journey_id: str) -> Any:
    """The row of the journey, held until the commit; None when there is none."""
    return work.connection.execute(_LOCK, {"id": journey_id}).first()


def _known(work: Work, journey_id: str) -> None:
    if _locked(work, journey_id) is None:
        raise _unknown(journey_id)


def _check(journey_id: str, etag: str | None, if_match: str | None) -> None:
    if if_match is None or (if_match == "*" and etag is not None) or if_match == etag:
        return
    raise Stale(f"The draft of {journey_id} is not the one you read: get it again, then put yours.")


def _reads_at_once(journey: Journey) -> bool:
    return any(isinstance(node, ReadSegment) and node.schedule == "asap" for node in journey.nodes)


def _unknown(journey_id: str) -> NotFound:
    return NotFound(f"There is no journey {journey_id}.")
