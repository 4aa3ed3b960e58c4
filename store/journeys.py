"""Journeys: the draft, and what publishing, closing and stopping do to versions and runs. It knows no workflow: the API starts those."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from journey import documents, ids, lifecycle
from journey.errors import BadInput, Conflict, NotFound, Stale
from journey.events import Instant
from journey.findings import Finding
from journey.graph import Journey, reading
from journey.schedule import AT_ONCE
from journey.succession import Succession
from journey.validation import judging
from store import drafted, finishing, runs, schedules, schema, sessions, succeeding, surroundings, versions
from store.versions import VersionRow
from store.work import Work

_journeys = schema.journeys.c
_ONE = select(_journeys.id, _journeys.draft, _journeys.etag, _journeys.updated_at).where(_journeys.id == bindparam("id"))
_LOCK = _ONE.with_for_update()
FINISH = Succession()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was put. `etag` changes whenever the document does; it stands without quotes."""

    id: str
    document: dict[str, Any]
    etag: str
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Summary:
    """A journey in a list. `live` and `newest` are numbers of versions; `state` is that of the newest, draft or test when there is none.
    `testing`: a test session of its draft is on."""

    id: str
    name: str
    draft: bool
    live: int | None
    newest: int | None
    state: lifecycle.State
    testing: bool
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `run` is the run to be started, None when the entry waits to be told; one that waits for the start of the
    journey begins by itself (`begins_at`). `closed` is the version before, and `tested` that of the
    test session which it ended. `succeeded` are versions whose people go on in this one."""

    version: str
    number: int
    run: str | None
    closed: str | None
    begins_at: Instant | None = None
    findings: tuple[Finding, ...] = ()
    tested: str | None = None
    succeeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close did: the version, and the state it is in now: closed, finished when nobody was inside, paused when it is paused."""

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


def page(connection: Connection, after: str, limit: int) -> list[Summary]:
    """Journeys in order of id, behind `after`."""
    query = select(schema.journeys).where(_journeys.id > after).order_by(_journeys.id).limit(limit)
    return [_summary(connection, found) for found in connection.execute(query)]


def version(connection: Connection, journey_id: str, number: int | None = None) -> VersionRow:
    """A version of a journey; without a number the live one, or the newest when none is live. Raises NotFound."""
    published = all_versions(connection, journey_id)
    for one in published:
        if one.number == number or (number is None and one.state == "live"):
            return one
    if published and number is None:
        return published[-1]
    if number is not None:
        raise NotFound(f"There is no version {number} of {journey_id}; see /v1/journeys/{journey_id}/versions.")
    raise NotFound(f"{journey_id} was never published: publish it first.")


def all_versions(connection: Connection, journey_id: str) -> list[VersionRow]:
    """Every version of a journey, the oldest first; none when it was never published. Raises NotFound."""
    published = versions.of_journey(connection, journey_id)
    if not published:
        known(connection, journey_id)
    return published


def known(connection: Connection, journey_id: str) -> None:
    """Raises NotFound when there is no such journey, neither a draft nor a version."""
    if connection.execute(_ONE, {"id": journey_id}).first() is None:
        raise _unknown(journey_id)


def put_draft(work: Work, journey_id: str, document: dict[str, Any], if_match: str | None = None, *, only_new: bool = False) -> str:
    """Keep a document as the draft, as it was put, and return its etag.

    `if_match` is the etag that the writer has read, `*` for whatever draft there is, None to overwrite; `only_new` overwrites none.
    Raises Stale when the draft is another by now. The shape of the document has been checked before.
    """
    found = locked(work, journey_id)
    if only_new and found is not None and found.draft is not None:
        raise Stale(f"There is a draft of {journey_id} already: read it, then send yours with its ETag as If-Match.")
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
    locked(work, journey_id)
    draft = get_draft(work.connection, journey_id)
    _check(journey_id, draft.etag, if_match)
    if sessions.find(work.connection, journey_id) is not None:
        raise Conflict(f"{journey_id} is being tested: end the test first, by DELETE /v1/journeys/{journey_id}/test.", code="in_test")
    if versions.of_journey(work.connection, journey_id):
        forget = schema.journeys.update().where(_journeys.id == journey_id).values(draft=None, etag="", updated_at=work.now())
        work.connection.execute(forget)
    else:
        work.connection.execute(schema.journeys.delete().where(_journeys.id == journey_id))


def findings(connection: Connection, journey_id: str, public_url: str, now: Instant = 0) -> tuple[Finding, ...]:
    """What the validator says of the draft, against everything that the store has, at the instant `now`. Raises NotFound."""
    journey = documents.parse(Journey, get_draft(connection, journey_id).document)
    return judging.validate(journey, surroundings.read(connection, public_url, now, journey))


def publish(work: Work, journey_id: str, public_url: str, told: Succession = FINISH) -> Published:
    """Freeze the draft as the next version and let people in. The version that was live lets in nobody more; what becomes of those inside
    is `told`: they walk on there, or in the new one.

    An entry with the schedule `asap` gets its run in the same commit; whoever calls starts its workflow afterwards. One with another
    schedule is due from now on; whoever calls tells the server so. The draft stays.
    Raises Invalid with every finding, Conflict with code `unchanged` when just this is live already, NotFound without a draft.
    """
    locked(work, journey_id)
    now, draft = work.now(), get_draft(work.connection, journey_id)
    new = drafted.judge(work.connection, journey_id, draft.document, public_url, now)
    before = succeeding.concerned(work.connection, journey_id)
    succeeding.demand(work.connection, told, new.journey, before)
    state = lifecycle.after(f"The draft of {journey_id}", "draft", "publish")
    published = VersionRow(new.id, journey_id, new.number, new.frozen.hash, state, now, new.starts_at, new.ends_at)
    if new.former is not None:
        _close(work, new.former)
    versions.keep(work, new.frozen)
    versions.insert(work, published)
    schedules.keep(work, published, new.frozen.journey)
    versions.note_move(work, published.id, "publish", "draft", state)
    later = new.starts_at if new.starts_at is not None and new.starts_at > now else None
    entry = reading(new.journey)
    at_once = entry is not None and entry.schedule == AT_ONCE
    run = runs.start(work, published, new.frozen.journey, at=later) if at_once else None
    tested = sessions.end(work, journey_id)
    succeeded = succeeding.succeed(work, before, published, told)
    return Published(published.id, new.number, run, new.former.id if new.former else None, later, new.warnings, tested, succeeded)


def start_run(work: Work, journey_id: str, profiles: list[str] | None = None) -> str:
    """Write a run of the live version and return its id: of its segment, or of a list of profiles. Raises NotFound, Conflict."""
    hold(work, journey_id)
    live, journey = runs.let_in_now(work.connection, journey_id, work.now())
    return runs.start(work, live, journey, profiles)


def close(work: Work, journey_id: str) -> Closed:
    """Let in nobody more: a run that still reads ends too, those inside walk on. Raises Conflict when no version is live, NotFound."""
    hold(work, journey_id)
    live = versions.open_to(work.connection, journey_id)
    if live is None:
        raise Conflict(f"{journey_id} has no live version that could be closed.", code="state")
    schedules.end(work, journey_id)
    return Closed(live.id, _close(work, live))


def stop(work: Work, journey_id: str) -> list[str]:
    """Stop every version in which people can be, and their runs; returns the versions whose people are to be wound down.

    From this commit on nobody acts: each entrant's next commit is its end. Raises Conflict when there is nothing to stop, NotFound.
    """
    hold(work, journey_id)
    holding = [one for one in versions.of_journey(work.connection, journey_id) if one.state in lifecycle.HOLDS_PEOPLE]
    if not holding:
        raise Conflict(f"{journey_id} has no live or closed version that could be stopped.", code="state")
    schedules.end(work, journey_id)
    for one in holding:
        versions.move(work, one, "stop", pause="", resumes="", paused_at=None, pause_until=None)
        runs.stop_all(work, one.id)
    return [one.id for one in holding]


def etag_of(document: dict[str, Any]) -> str:
    """The etag of a document: the same content in the same order has the same. Raises BadInput for what JSON cannot carry."""
    try:
        return ids.content_hash(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")))[:32]
    except (ValueError, RecursionError) as fault:  # NaN, half a surrogate pair, nesting without end
        raise BadInput("The document holds what JSON cannot carry: a number that is none, or a broken text.") from fault


def _summary(connection: Connection, found: Any) -> Summary:
    published = versions.of_journey(connection, found.id)
    document = found.draft
    if document is None and published:
        document = {"name": versions.frozen_version(connection, published[-1].hash).journey.name}
    testing = sessions.find(connection, found.id) is not None
    live = next((one.number for one in published if one.state == "live"), None)
    return Summary(
        id=found.id,
        name=str((document or {}).get("name", "")),
        draft=found.draft is not None,
        live=live,
        newest=published[-1].number if published else None,
        state=published[-1].state if published else "test" if testing else "draft",
        testing=testing,
        updated_at=found.updated_at or 0,
    )


def _close(work: Work, live: VersionRow) -> lifecycle.State:
    state = versions.move(work, live, "close", resumes="closed" if live.state == "paused" else "")
    runs.stop_all(work, live.id)
    return "finished" if finishing.finish_if_empty(work, live.id) else state


def locked(work: Work, journey_id: str) -> Any:
    """The row of the journey, locked with its runs and the states of its versions, in this order; None when there is none."""
    found = work.connection.execute(_LOCK, {"id": journey_id}).first()
    runs.lock_of_journey(work, journey_id)
    versions.lock_of_journey(work, journey_id)
    return found


def hold(work: Work, journey_id: str) -> None:
    """The journey, the states of its versions and its runs stay as they are until the commit. Raises NotFound."""
    if locked(work, journey_id) is None:
        raise _unknown(journey_id)


def _check(journey_id: str, etag: str | None, if_match: str | None) -> None:
    if if_match is None or (if_match == "*" and etag is not None) or if_match == etag:
        return
    raise Stale(f"The draft of {journey_id} is not the one you read: get it again, then put yours.")


def _unknown(journey_id: str) -> NotFound:
    return NotFound(f"There is no journey {journey_id}.")
