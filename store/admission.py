"""A page of a run is read and let in, in one commit: members, entrants, their step 0, and the run's own progress (D7, E1 to E3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, text

from journey import durations, ends, events, gate, ids, matching, walk
from journey.contract import EntrantStart
from journey.entrance import NEVER, Before, may_enter
from journey.events import Instant
from journey.graph import reading
from journey.version import Version
from store import finishing, joining, knowing, profiles, runs, schema, segments, versions
from store.entrants import DECIDED_DUE
from store.statements import Statement
from store.upserts import insert_new, upsert
from store.versions import VersionRow
from store.work import INSERT_FACTS, INSERT_STEPS, CounterKey, Work

PAGE = 200
STAYED = 5
"""So many times as many people are looked at by a page of an incremental run, most of whom it does not let in."""
CROWD = 500
"""So many may be admitted and not yet past their first step; then the run waits for them."""


@dataclass(frozen=True, slots=True)
class Start:
    """An entrant whose workflow is to be started, with the hash of what its version froze."""

    entrant: EntrantStart
    hash: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a page came to. `crowded` when it was not read because too many have not set off yet."""

    starts: tuple[Start, ...] = ()
    read: int = 0
    discarded: int = 0
    stayed: int = 0
    done: bool = False
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """Somebody on a page, and why they cannot be let in, if something about themselves forbids it. `stayed`: they were a member before,
    and this run lets in only who joined."""

    id: str
    refused: str = ""
    stayed: bool = False


def admit_page(work: Work, run_id: str, *, page: int = PAGE, crowd: int = CROWD) -> Admitted:
    """Read the next page of a run and let in who may enter."""
    run = work.connection.execute(_RUN, {"run": run_id}).one_or_none()
    if run is None or run.state != "reading":
        return Admitted(done=True)
    version = versions.row(work.connection, run.version)
    why = version.refusal(work.now())
    if why in ("not_live", "journey_ended"):
        _save(work, run_id, run.cursor, 0, 0, 0, 0, state="stopped")
        finishing.finish_if_empty(work, version.id)
        return Admitted(done=True)
    if why == "paused" and version.pause == "hold":  # it was ending people when the pause came
        _save(work, run_id, run.cursor, 0, 0, 0, 0, state="paused")
        return Admitted(done=True)
    if work.connection.execute(_SETTING_OFF, {"run": run_id}).scalar_one() > crowd:
        return Admitted(crowded=True)
    members, done = _members(work.connection, run, version, page)
    joined = [member for member in members if not member.stayed]
    stayed = [{"run": run_id, "profile": member.id, "stayed": True} for member in members if member.stayed]
    upsert(work.connection, schema.run_members, stayed, update=[])
    starts = _admit(work, run_id, version, joined, why)
    cursor = members[-1].id if members else run.cursor
    refused = len(joined) - len(starts)
    _save(work, run_id, cursor, len(members), len(starts), refused, len(stayed), state="done" if done else "reading")
    if done:
        finishing.finish_if_empty(work, version.id)
    return Admitted(starts, len(members), refused, len(stayed), done)


def not_started(connection: Connection, run_id: str) -> list[Start]:
    """Entrants of a run that are admitted and have not opened a step: what a crash may have left without a workflow."""
    found = connection.execute(_NOT_STARTED, {"run": run_id})
    return [Start(EntrantStart(row.id, row.version, row.place), row.hash) for row in found]


def _members(connection: Connection, run: Any, version: VersionRow, page: int) -> tuple[list[_Read], bool]:
    """The next people to be looked at, so that at most a page of them may be let in; and whether they are the last."""
    if run.profiles is not None:
        listed = sorted(profile for profile in set(run.profiles) if profile > run.cursor)[:page]
        known = connection.execute(select(schema.profiles.c.id, schema.profiles.c.test).where(schema.profiles.c.id.in_(listed)))
        refused = {row.id: "test_profile" if row.test else "" for row in known}
        return [_Read(profile, refused.get(profile, "unknown_profile")) for profile in listed], len(listed) < page
    rule = segments.get(connection, run.segment).tree
    where = segments.where(connection, rule, run.cutoff)
    entry = reading(versions.frozen_version(connection, version.hash).journey)
    incremental = entry is not None and entry.incremental
    stayed = joining.was_member(connection, runs.get(connection, run.id)) if incremental else None
    limit = page * STAYED if incremental else page
    found = profiles.page(connection, where, run.cursor, limit, run.cutoff, stayed)
    joined = [at for at, member in enumerate(found) if not member.stayed]
    upto = joined[page - 1] + 1 if len(joined) >= page else len(found)
    members = [_Read(member.id, "test_profile" if member.test else "", member.stayed) for member in found[:upto]]
    return members, len(found) < limit and upto == len(found)


def _admit(work: Work, run_id: str, version: VersionRow, members: Sequence[_Read], closed: str) -> tuple[Start, ...]:
    """`closed` is why nobody may enter just now, as the code of their discards."""
    frozen = versions.frozen_version(work.connection, version.hash)
    keys = profiles.keys(work.connection, frozen.journey.namespace, [member.id for member in members])
    before = entrances(work.connection, version.journey, list(keys.values()))
    now = work.now()
    entrants: list[dict[str, Any]] = []
    for member in members:
        key = keys.get(member.id, "")
        known = before.get(key, NEVER)
        again = may_enter(frozen.journey, known, now) if key else None
        code = closed or member.refused or ("no_identity" if not key else again.code if again is not None else "")
        entrant = "" if code else ids.entrant(version.journey, key, known.number + 1)
        if not insert_new(work.connection, schema.run_members, {"run": run_id, "profile": member.id, "entrant": entrant}):
            continue
        if code:
            work.discard(code, profile=member.id, version=version.id, run=run_id)
        else:
            entrants.append(row_of(entrant, version, frozen, run_id, key, known.number + 1, member.id, now, now))
    if not entrants:
        return ()
    insert(work, version, frozen, entrants, now, "admitted")
    return tuple(Start(EntrantStart(row["id"], version.id, row["place"]), version.hash) for row in entrants)


def row_of(
    entrant: str, version: VersionRow, frozen: Version, run_id: str, key: str, number: int, profile: str, entered_at: Instant, now: Instant,
    *, mode: str = "live", entry: tuple[str, str] = ("", ""),
) -> dict[str, Any]:  # fmt: skip
    """The row of somebody who is let in: step 0 is closed and has led behind the entry, perhaps to a gate, whose clock starts now.

    `entry` is the event (source, id) that let them in, if one did. Who comes by no run is due at once, at a gate too: a start that got
    lost is found by the sweep, and one that did not asks the store, which then knows (steps.py).
    """
    place = walk.first(frozen.journey)
    waiting = isinstance(walk.ask(frozen.journey, place), walk.Listen)
    until = gate.build(frozen.journey, place, now).due_at if waiting else None
    last = entered_at + durations.seconds(frozen.journey.global_timeout) * gate.MICROSECONDS
    return {
        "id": entrant, "journey": version.journey, "version": version.id, "mode": mode, "key": key, "number": number,
        "profile": profile, "run": run_id, "entry_source": entry[0], "entry_event": entry[1], "entered_at": entered_at,
        "state": "open", "n": 0, "closed": True, "place": place, "waiting": waiting, "arrived_at": now, "until": until, "ends": None,
        "won_node": "", "won_source": "", "won_event": "",
        "due": min(until or last, last) if waiting and run_id else now + DECIDED_DUE,
    }  # fmt: skip


def insert(work: Work, version: VersionRow, frozen: Version, entrants: list[dict[str, Any]], now: Instant, said: str) -> None:
    """Write the rows of people who are let in, at least one, with their step 0, its facts and what these count."""
    timeless = [(row["id"], node) for row in entrants for node in _end_of_waits(work, frozen, row)]
    entry = walk.entry(frozen.journey)
    place = entrants[0]["place"]
    kinds = [(entry, "entered"), (entry, "arrived"), (entry, "left.next")]
    if entrants[0]["waiting"]:
        _let_on(work, frozen, entrants, now)
    work.write(_INSERT_ENTRANTS, entrants)
    if isinstance(walk.ask(frozen.journey, place), walk.Listen):
        kinds += [(node, "arrived") for node in walk.nodes_of(place)]
    work.write(
        INSERT_STEPS,
        [{"entrant": row["id"], "n": 0, "node": entry, "opened_at": now, "closed_at": now, "outcome": "next", "place": place,
          "said": said} for row in entrants],
    )  # fmt: skip
    work.write(
        INSERT_FACTS,
        [{"entrant": row["id"], "n": 0, "node": node, "kind": kind, "channel": "", "at": now} for row in entrants for node, kind in kinds],
    )
    for node, kind in kinds:
        work.counted[CounterKey(version.id, entrants[0]["mode"], node, kind)] += len(entrants)
    for entrant, node in timeless:
        work.record(entrant, 0, version.id, entrants[0]["mode"], now, [(node, "no_time", "")])


def _end_of_waits(work: Work, frozen: Version, row: dict[str, Any]) -> list[str]:
    """Somebody who is let in right to a wait until a time: write down when it is over; the waits that are at once, for want of a time."""
    if not row["waiting"] or not walk.moving(frozen.journey, row["place"]):
        return []
    now = row["arrived_at"]
    entry = (row["entry_source"], row["entry_event"])
    found = ends.ends(frozen.journey, row["place"], row["key"], now, lambda: knowing.on_entry(work, row["profile"], entry))
    until = gate.build(frozen.journey, row["place"], now, found).due_at
    last = row["entered_at"] + durations.seconds(frozen.journey.global_timeout) * gate.MICROSECONDS
    row |= {"ends": found, "until": until}
    if row["run"]:
        row["due"] = last if until is None else min(until, last)
    return [node for node, end in found.items() if end is None]


def _let_on(work: Work, frozen: Version, entrants: list[dict[str, Any]], now: Instant) -> None:
    """A rule that is waited for behind the entry may be true of somebody already: they do not wait."""
    at = gate.build(frozen.journey, entrants[0]["place"], now)
    if not any(matching.waits_for_rule(node) for node in at.nodes):
        return
    for row in entrants:
        person = profiles.attributes_for_gate(work, row["profile"])
        about = knowing.about_entry(work, (row["entry_source"], row["entry_event"]))
        won = gate.already(at, events.came_true(row["id"], 0), matching.holds(person, about))
        if won is not None:
            row |= {"won_node": won.node, "won_source": won.event.source, "won_event": won.event.id, "waiting": False,
                    "due": now + DECIDED_DUE}  # fmt: skip


def entrances(connection: Connection, journey: str, keys: list[str], mode: str = "live") -> dict[str, Before]:
    """What is on record of each key that was in before, whatever the version (E1, E2)."""
    found = connection.execute(_ENTRANCES, {"journey": journey, "mode": mode, "keys": keys}) if keys else ()
    return {row.key: Before(row.number, row.entered_at, bool(row.open)) for row in found}


def _save(work: Work, run_id: str, cursor: str, read: int, admitted: int, discarded: int, stayed: int, *, state: str) -> None:
    kept = schema.runs.c
    work.connection.execute(
        schema.runs.update()
        .where(kept.id == run_id)
        .values(
            cursor=cursor, read=kept.read + read, admitted=kept.admitted + admitted, discarded=kept.discarded + discarded,
            stayed=kept.stayed + stayed, state=state, ended_at=None if state in ("reading", "paused") else work.now(),
        )
    )  # fmt: skip


_INSERT_ENTRANTS = Statement(schema.entrants.insert())
_RUN = select(schema.runs).where(schema.runs.c.id == bindparam("run")).with_for_update()
_SETTING_OFF = select(func.count()).where(
    schema.entrants.c.run == bindparam("run"),
    schema.SETTING_OFF,
    (schema.entrants.c.n == 0) | ~schema.entrants.c.closed,
    ~schema.entrants.c.waiting,  # an entry that leads to a gate: there they wait, and nobody has to hurry
)
_ENTRANCES = (
    select(
        schema.entrants.c.key,
        func.max(schema.entrants.c.number).label("number"),
        func.max(schema.entrants.c.entered_at).label("entered_at"),
        func.max(case((schema.entrants.c.state == "open", 1), else_=0)).label("open"),
    )
    .where(
        schema.entrants.c.journey == bindparam("journey"), schema.entrants.c.mode == bindparam("mode"),
        schema.entrants.c.key.in_(bindparam("keys", expanding=True)),
    )
    .group_by(schema.entrants.c.key)
)  # fmt: skip
_NOT_STARTED = (
    select(schema.entrants.c.id, schema.entrants.c.version, schema.entrants.c.place, schema.versions.c.hash)
    .join(schema.versions, schema.versions.c.id == schema.entrants.c.version)
    .where(text("entrants.state = 'open' AND entrants.n <= 1"), schema.entrants.c.n == 0, schema.entrants.c.run == bindparam("run"))
    .order_by(schema.entrants.c.id)
)
